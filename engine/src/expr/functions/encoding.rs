//! JSON, base64 and URL encoding.

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use rhai::{Dynamic, Engine};
use serde_json::Value;

use super::args::text;
use crate::expr::convert::{from_value, to_value};
use crate::expr::failure::{Outcome, charge_bytes, refused};

pub(super) fn register(engine: &mut Engine) {
    engine.register_fn("to_json", |x: Dynamic| -> Outcome {
        let json = to_value(x)?.to_string();
        charge_bytes(json.len())?;
        Ok(json.into())
    });
    engine.register_fn("parse_json", |t: Dynamic| -> Outcome {
        let t = text("parse_json", &t)?;
        charge_bytes(t.len().saturating_mul(8))?;
        serde_json::from_str::<Value>(&t)
            .map(from_value)
            .map_err(|error| refused(format!("parse_json() cannot read this text as JSON: {error}")))
    });
    engine.register_fn("base64_encode", |t: Dynamic| -> Outcome {
        let t = text("base64_encode", &t)?;
        charge_bytes(t.len().saturating_mul(2))?;
        Ok(STANDARD.encode(t.as_bytes()).into())
    });
    engine.register_fn("base64_decode", |t: Dynamic| -> Outcome {
        let t = text("base64_decode", &t)?;
        charge_bytes(t.len())?;
        decode(&t)
    });
    engine.register_fn("url_encode", |t: Dynamic| -> Outcome {
        let t = if t.is_string() {
            text("url_encode", &t)?
        } else {
            crate::expr::convert::dynamic_text(&t)?.into()
        };
        charge_bytes(t.len().saturating_mul(3))?;
        Ok(url_encode(&t).into())
    });
    engine.register_fn("url_decode", |t: Dynamic| -> Outcome {
        let t = text("url_decode", &t)?;
        charge_bytes(t.len())?;
        url_decode(&t)
    });
}

const FORGIVING: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD_FORGIVING: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::STANDARD, FORGIVING);
const URL_FORGIVING: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::URL_SAFE, FORGIVING);

/// Accepts the standard and the URL alphabet, padded or not.
fn decode(t: &str) -> Outcome {
    let t = t.trim();
    let url_alphabet = t.contains(['-', '_']);
    let engine = if url_alphabet { &URL_FORGIVING } else { &STANDARD_FORGIVING };
    let bytes = engine.decode(t).map_err(|_| refused("base64_decode() needs base64 text"))?;
    String::from_utf8(bytes)
        .map(Dynamic::from)
        .map_err(|_| refused("base64_decode() gives bytes that are not text"))
}

/// Everything but RFC 3986's unreserved characters as %XX, so that it fits any part of a URL.
fn url_encode(t: &str) -> String {
    let mut out = String::with_capacity(t.len());
    for byte in t.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(hex_digit(byte >> 4));
            out.push(hex_digit(byte & 15));
        }
    }
    out
}

fn hex_digit(nibble: u8) -> char {
    char::from_digit(u32::from(nibble), 16).unwrap_or('0').to_ascii_uppercase()
}

fn url_decode(t: &str) -> Outcome {
    let bytes = t.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = |offset: usize| bytes.get(at + offset).and_then(|byte| char::from(*byte).to_digit(16));
        match (bytes[at], hex(1), hex(2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            (b'+', ..) => {
                out.push(b' ');
                at += 1;
            }
            (byte, ..) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8(out)
        .map(Dynamic::from)
        .map_err(|_| refused("url_decode() gives bytes that are not text"))
}
