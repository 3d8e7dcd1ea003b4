//! How the events of one turn become bytes and events again. The first byte names the codec, so that another
//! one can be added without touching what is stored. Must not know statements.

use super::compress::{compress_1, decompress_1};
use crate::aside::aside;
use crate::core::{Event, EventKind};
use serde::ser::{SerializeSeq, Serializer};
use std::borrow::Cow;

/// Codec 0: compact JSON, a list of `[at, kind]`, with `at` counted from the time of the row: that of the turn's first
/// event, or that at which a new run was accepted.
const JSON: u8 = 0;

/// Codec 1: the same JSON, compressed with the first dictionary. Written whenever it is shorter.
const COMPRESSED_1: u8 = 1;

/// Compressing so many bytes takes a millisecond.
const LONG: usize = 256 << 10;

/// How deeply the JSON of an item, a payload or a wait may be nested. `serde_json` reads 128 levels, and the
/// event around the data takes some of them: deeper data could be written but never be read again, so whoever
/// accepts data into a run must refuse it.
pub const MAX_DEPTH: usize = 100;

/// Why bytes are not events.
#[derive(Debug, thiserror::Error)]
pub(super) enum CodecError {
    /// There is nothing, not even the name of a codec.
    #[error("the body is empty")]
    Empty,
    /// A newer program wrote it.
    #[error("the codec {0} is not known to this version")]
    UnknownCodec(u8),
    /// The bytes were changed.
    #[error("the compressed events are damaged")]
    Compressed,
    /// Not the JSON that was expected.
    #[error("the JSON of the events is damaged")]
    Json(#[from] serde_json::Error),
}

/// The bytes of the events of one turn; times count from `since`.
pub(super) fn encode(since: i64, events: &[Event]) -> Result<Vec<u8>, CodecError> {
    let mut plain = Vec::with_capacity(128 * events.len());
    plain.push(JSON);
    let mut out = serde_json::Serializer::new(&mut plain);
    let mut list = out.serialize_seq(Some(events.len()))?;
    for event in events {
        list.serialize_element(&(event.at.wrapping_sub(since), &event.kind))?;
    }
    SerializeSeq::end(list)?;
    let mut body = vec![COMPRESSED_1];
    let mut compress = || compress_1(&plain[1..], &mut body);
    let is_shorter = if plain.len() > LONG { aside(compress) } else { compress() };
    Ok(if is_shorter { body } else { plain })
}

/// The events in `body`, in which times count from `since`.
pub(super) fn decode(since: i64, body: &[u8]) -> Result<Vec<Event>, CodecError> {
    from_json(since, &text_of(body)?)
}

/// The events in `body` as the JSON that they are.
pub(super) fn text_of(body: &[u8]) -> Result<Cow<'_, [u8]>, CodecError> {
    let (codec, rest) = body.split_first().ok_or(CodecError::Empty)?;
    match *codec {
        JSON => Ok(rest.into()),
        COMPRESSED_1 => Ok(decompress_1(rest).ok_or(CodecError::Compressed)?.into()),
        other => Err(CodecError::UnknownCodec(other)),
    }
}

fn from_json(since: i64, json: &[u8]) -> Result<Vec<Event>, CodecError> {
    let events: Vec<(i64, EventKind)> = serde_json::from_slice(json)?;
    Ok(events.into_iter().map(|(after, kind)| Event { at: since.wrapping_add(after), kind }).collect())
}
