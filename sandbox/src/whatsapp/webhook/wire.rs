//! The bytes of a webhook and their signature.
//!
//! It must not know what the body says. Source: Meta's create-webhook-endpoint and getting-started pages; a real body is in the
//! project's samples (`wire_escaped_text`).

use crate::whatsapp::media::hex;
use aws_lc_rs::hmac;
use serde_json::Value;

/// The body as Meta writes it: compact, everything beyond ASCII as lower-case `\u` escapes, `/` as `\/` and `@` as `\u0040`.
pub fn encode(body: &Value) -> Vec<u8> {
    let text = body.to_string();
    let mut out = Vec::with_capacity(text.len() + text.len() / 8);
    // Outside of strings JSON has neither of these characters, so the text can be rewritten as it is.
    for c in text.chars() {
        match c {
            '/' => out.extend_from_slice(b"\\/"),
            '@' => out.extend_from_slice(b"\\u0040"),
            c if c.is_ascii() => out.push(c as u8),
            c => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    out.extend_from_slice(format!("\\u{unit:04x}").as_bytes());
                }
            }
        }
    }
    out
}

/// Value of `X-Hub-Signature-256` for these bytes.
pub fn signature(app_secret: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, app_secret.as_bytes());
    format!("sha256={}", hex(hmac::sign(&key, body).as_ref()))
}

/// Value of the old `X-Hub-Signature`, which Meta still sends.
pub fn old_signature(app_secret: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, app_secret.as_bytes());
    format!("sha1={}", hex(hmac::sign(&key, body).as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn text_is_escaped_like_the_real_sample() {
        let body = json!({ "text": { "body": "Grüße @ https://example.com/ä 🙂 <b>&</b>" } });
        let expected = r#"{"text":{"body":"Gr\u00fc\u00dfe \u0040 https:\/\/example.com\/\u00e4 \ud83d\ude42 <b>&<\/b>"}}"#;
        assert_eq!(String::from_utf8(encode(&body)).unwrap(), expected);
        assert_eq!(serde_json::from_slice::<Value>(&encode(&body)).unwrap(), body);
    }

    #[test]
    fn a_backslash_before_a_slash_survives() {
        let body = json!("a\\/b\n\u{7}");
        assert_eq!(serde_json::from_slice::<Value>(&encode(&body)).unwrap(), body);
    }
}
