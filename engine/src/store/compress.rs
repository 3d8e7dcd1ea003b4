//! Small JSON texts made smaller: zstd with a dictionary that knows how events look, because a text of a few hundred
//! bytes has little in it that repeats. Must not know what is in the texts.

use std::cell::RefCell;
use std::sync::LazyLock;
use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::{DecoderDictionary, EncoderDictionary};
use zstd::zstd_safe::{CParameter, get_frame_content_size};

/// Made by `examples/train_dictionary.rs`. What was written with it cannot be read without it: never change this file,
/// add another one under a new codec.
static DICTIONARY_1: &[u8] = include_bytes!("events.1.dict");

/// Higher levels gain less than a tenth on texts of this size, and cost whoever commits more time than all else.
const LEVEL: i32 = 3;

/// How every frame begins (RFC 8878, section 3.1.1); left out of what is stored.
const MAGIC: [u8; 4] = 0xFD2F_B528_u32.to_le_bytes();

/// Larger than anything that is ever written; a damaged length must not ask for all the memory.
const MOST_BYTES: u64 = 1 << 30;

static ENCODER: LazyLock<EncoderDictionary<'static>> =
    LazyLock::new(|| EncoderDictionary::copy(DICTIONARY_1, LEVEL));
static DECODER: LazyLock<DecoderDictionary<'static>> =
    LazyLock::new(|| DecoderDictionary::copy(DICTIONARY_1));

thread_local! {
    /// Made once per thread, because making them takes longer than using them.
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// Appends the compressed `text` to `into`, if that is shorter than the text itself; says whether it is.
pub(super) fn compress_1(text: &[u8], into: &mut Vec<u8>) -> bool {
    let compressed = COMPRESSOR.with_borrow_mut(|slot| {
        let compressor = match slot {
            Some(compressor) => compressor,
            None => slot.insert(compressor()?),
        };
        compressor.compress(text)
    });
    // A failure is one of memory; the text is stored as it is then.
    let Ok(frame) = compressed else { return false };
    match frame.strip_prefix(&MAGIC) {
        Some(frame) if frame.len() < text.len() => {
            into.extend_from_slice(frame);
            true
        }
        _ => false,
    }
}

fn compressor() -> std::io::Result<Compressor<'static>> {
    let mut compressor = Compressor::with_prepared_dictionary(&ENCODER)?;
    // The codec names the dictionary, and the database guards its pages.
    compressor.set_parameter(CParameter::DictIdFlag(false))?;
    compressor.set_parameter(CParameter::ChecksumFlag(false))?;
    Ok(compressor)
}

/// The text that [`compress_1`] made `frame` of; nothing when it is damaged.
pub(super) fn decompress_1(frame: &[u8]) -> Option<Vec<u8>> {
    let frame = [&MAGIC, frame].concat();
    let length = get_frame_content_size(&frame).ok().flatten().filter(|length| *length <= MOST_BYTES)?;
    DECOMPRESSOR.with_borrow_mut(|slot| {
        let decompressor = match slot {
            Some(decompressor) => decompressor,
            None => slot.insert(Decompressor::with_prepared_dictionary(&DECODER).ok()?),
        };
        decompressor.decompress(&frame, usize::try_from(length).ok()?).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there_and_back(text: &[u8]) -> Option<usize> {
        let mut frame = Vec::new();
        let is_shorter = compress_1(text, &mut frame);
        assert_eq!(is_shorter, frame.len() < text.len() && !frame.is_empty());
        is_shorter.then(|| {
            assert_eq!(decompress_1(&frame).as_deref(), Some(text));
            frame.len()
        })
    }

    #[test]
    fn what_looks_like_events_becomes_a_fraction() {
        let text = br#"[[0,{"run_started":{"trigger":0,"output":{"p":[[0,[{"json":{"n":17}}]]]}}}],[0,{"run_finished":{"status":"succeeded"}}]]"#;
        assert!(there_and_back(text).unwrap() * 3 < text.len());
    }

    #[test]
    fn what_does_not_shrink_is_refused() {
        assert_eq!(there_and_back(b""), None);
        assert_eq!(there_and_back(b"\x01\xfe\x7f\x80"), None);
    }

    #[test]
    fn large_texts_come_back_too() {
        let text = "a large text of some megabytes, ".repeat(100_000);
        assert!(there_and_back(text.as_bytes()).unwrap() < 10_000);
    }

    #[test]
    fn damage_is_noticed() {
        let mut frame = Vec::new();
        let text =
            br#"[[0,{"run_started":{"trigger":0,"output":{"p":[[0,[{"json":{"a":"0123456789"}}]]]}}}]]"#;
        assert!(compress_1(text, &mut frame));
        for length in 0..frame.len() {
            assert_eq!(decompress_1(&frame[..length]), None, "{length} bytes");
        }
        assert_eq!(decompress_1(&[0xff; 20]), None);
    }
}
