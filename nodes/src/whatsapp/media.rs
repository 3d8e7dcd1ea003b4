//! Files of an item as WhatsApp media: what is accepted, and the upload request. Builds requests, sends
//! nothing.
//!
//! Source of types and sizes: Meta's page on supported media types (early 2026).

use super::limits::{self, wrong};
use crate::multipart::{self, Part};
use sluice_node_sdk::http::HttpRequest;
use sluice_node_sdk::item::FileRef;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// Kind of message, accepted MIME types (empty: any), largest size in bytes.
const ACCEPTED: [(&str, &[&str], u64); 5] = [
    ("audio", &["audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"], 16 * MIB),
    ("document", &[], 100 * MIB),
    ("image", &["image/jpeg", "image/png"], 5 * MIB),
    // 100 KiB for still stickers; an animated one cannot be told apart by its type.
    ("sticker", &["image/webp"], 500 * KIB),
    ("video", &["video/mp4", "video/3gpp"], 16 * MIB),
];

/// Checks a file against the kind of message it is for.
///
/// # Errors
/// `InvalidParams` at `/file`.
pub(crate) fn check(kind: &str, file: &FileRef) -> limits::Checked {
    let Some((_, types, max)) = ACCEPTED.iter().find(|(name, ..)| *name == kind) else { return Ok(()) };
    let essence = file.mime_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if !types.is_empty() && !types.contains(&essence.as_str()) {
        let message = format!("WhatsApp takes no `{essence}` as {kind}; it takes {}", types.join(", "));
        return Err(wrong("/file", "media_type_not_supported", message));
    }
    let size = file.data.len() as u64;
    if size > *max {
        let message = format!("The file has {size} bytes; WhatsApp takes at most {max} as {kind}");
        return Err(wrong("/file", "media_too_large", message));
    }
    if size == 0 {
        return Err(wrong("/file", "media_empty", "The file is empty"));
    }
    Ok(())
}

/// `POST /{number}/media`.
pub(crate) fn upload(base: &str, phone_number_id: &str, token: &str, file: &FileRef) -> HttpRequest {
    let (body, content_type) = multipart::encode(&[
        Part::Text("messaging_product", "whatsapp"),
        Part::Text("type", &file.mime_type),
        Part::File("file", file),
    ]);
    let mut request = HttpRequest::new("POST", format!("{base}/{phone_number_id}/media"))
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", content_type)
        .to_operator_url();
    request.body = body;
    request.timeout_ms = 120_000;
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_and_sizes_at_the_border() {
        let file = |mime: &str, size: u64| FileRef::new("f", mime, vec![1; usize::try_from(size).unwrap()]);
        let fine = [
            ("image", "image/jpeg", 5 * MIB),
            ("image", "IMAGE/PNG", 1),
            ("sticker", "image/webp", 500 * KIB),
            ("audio", "audio/ogg; codecs=opus", 16 * MIB),
            ("video", "video/mp4", 16 * MIB),
            ("document", "application/x-anything", 17 * MIB),
        ];
        for (kind, mime, size) in fine {
            assert!(check(kind, &file(mime, size)).is_ok(), "{kind} {mime} {size}");
        }
        let refused = [
            ("image", "image/jpeg", 5 * MIB + 1, "media_too_large"),
            ("image", "image/gif", 1, "media_type_not_supported"),
            ("sticker", "image/webp", 500 * KIB + 1, "media_too_large"),
            ("sticker", "image/png", 1, "media_type_not_supported"),
            ("audio", "audio/wav", 1, "media_type_not_supported"),
            ("video", "video/mp4", 16 * MIB + 1, "media_too_large"),
            ("document", "text/plain", 0, "media_empty"),
        ];
        for (kind, mime, size, code) in refused {
            assert_eq!(check(kind, &file(mime, size)).unwrap_err().code, code, "{kind} {mime} {size}");
        }
    }
}
