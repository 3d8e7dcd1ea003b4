//! Media: upload, look-up, download through a short-lived URL, delete.
//!
//! It must not know messages. Formats, sizes and lifetimes: Meta's media page.

use super::WhatsApp;
use super::error::{Checked, GraphError};
use super::graph::GraphCall;
use crate::config::Number;
use crate::exchange::Reply;
use crate::journal::lock;
use crate::random;
use aws_lc_rs::digest;
use axum::extract::{FromRequest, Multipart};
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// Ids from uploads live 30 days, ids from webhooks 7 days.
const UPLOADED_MS: i64 = 30 * DAY_MS;
const RECEIVED_MS: i64 = 7 * DAY_MS;
/// A download URL lives 5 minutes.
const URL_S: i64 = 5 * 60;
/// Path of download URLs, as on Meta's own host.
pub(crate) const DOWNLOAD_PATH: [&str; 2] = ["whatsapp_business", "attachments"];
const MB: usize = 1024 * 1024;

/// (MIME type, kind, largest size in bytes)
const FORMATS: &[(&str, &str, usize)] = &[
    ("audio/aac", "audio", 16 * MB),
    ("audio/amr", "audio", 16 * MB),
    ("audio/mpeg", "audio", 16 * MB),
    ("audio/mp4", "audio", 16 * MB),
    ("audio/ogg", "audio", 16 * MB),
    ("image/jpeg", "image", 5 * MB),
    ("image/png", "image", 5 * MB),
    ("image/webp", "sticker", 500 * 1024),
    ("video/mp4", "video", 16 * MB),
    ("video/3gpp", "video", 16 * MB),
    ("text/plain", "document", 100 * MB),
    ("application/pdf", "document", 100 * MB),
    ("application/msword", "document", 100 * MB),
    ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "document", 100 * MB),
    ("application/vnd.ms-excel", "document", 100 * MB),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "document", 100 * MB),
    ("application/vnd.ms-powerpoint", "document", 100 * MB),
    ("application/vnd.openxmlformats-officedocument.presentationml.presentation", "document", 100 * MB),
];

/// One stored file.
#[derive(Debug, Clone)]
pub(crate) struct Media {
    pub(crate) phone_number_id: String,
    pub(crate) mime_type: String,
    pub(crate) bytes: Bytes,
    expires_at_ms: i64,
}

impl Media {
    /// A file that a user sent to `number`.
    pub(crate) fn received(number: &Number, mime_type: &str, bytes: Bytes, now_ms: i64) -> Self {
        Self {
            phone_number_id: number.phone_number_id.clone(),
            mime_type: mime_type.to_owned(),
            bytes,
            expires_at_ms: now_ms + RECEIVED_MS,
        }
    }

    fn sha256(&self) -> Vec<u8> {
        digest::digest(&digest::SHA256, &self.bytes).as_ref().to_vec()
    }

    /// The hash as webhooks carry it.
    pub(crate) fn sha256_base64(&self) -> String {
        STANDARD.encode(self.sha256())
    }

    /// The hash as the look-up carries it.
    fn sha256_hex(&self) -> String {
        hex(&self.sha256())
    }

    /// `image/jpeg` of `image/jpeg; charset=x`.
    pub(crate) fn essence(&self) -> &str {
        self.mime_type.split(';').next().unwrap_or_default().trim()
    }

    /// The file can be sent as this type of message.
    pub(crate) fn suits(&self, kind: &str) -> bool {
        let known = FORMATS.iter().find(|row| row.0 == self.essence()).map(|row| row.1);
        kind == "document" || known == Some(kind) || (kind == "image" && self.essence() == "image/webp")
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `POST /{phone_number_id}/media`
pub(crate) async fn upload(wa: &WhatsApp, call: &GraphCall<'_>, number: &Number) -> Checked<Reply> {
    let form = UploadForm::read(call).await?;
    if form.messaging_product.as_deref() != Some("whatsapp") {
        return Err(GraphError::parameter("The parameter messaging_product is required."));
    }
    let (bytes, part_type) =
        form.file.ok_or_else(|| GraphError::parameter("The parameter file is required."))?;
    let mime_type = part_type.or(form.kind).unwrap_or_else(|| "application/octet-stream".to_owned());
    let media = Media {
        phone_number_id: number.phone_number_id.clone(),
        mime_type,
        bytes,
        expires_at_ms: wa.clock.now_ms() + UPLOADED_MS,
    };
    check_format(&media)?;
    let id = random::numeric_id();
    lock(&wa.world).media.insert(id.clone(), media);
    Ok(Reply::ok(json!({ "id": id })))
}

#[derive(Default)]
struct UploadForm {
    messaging_product: Option<String>,
    kind: Option<String>,
    file: Option<(Bytes, Option<String>)>,
}

impl UploadForm {
    async fn read(call: &GraphCall<'_>) -> Checked<Self> {
        let broken = |error: &dyn std::fmt::Display| {
            GraphError::with_details(100, format!("The multipart body cannot be read: {error}"))
        };
        let mut request = axum::http::Request::new(axum::body::Body::from(call.call.body.clone()));
        *request.headers_mut() = call.call.headers.clone();
        // The size was limited while the body was read; the extractor's own smaller limit must not apply.
        axum::extract::DefaultBodyLimit::disable().apply(&mut request);
        let mut parts = Multipart::from_request(request, &()).await.map_err(|error| broken(&error))?;
        let mut form = Self::default();
        while let Some(part) = parts.next_field().await.map_err(|error| broken(&error))? {
            let name = part.name().unwrap_or_default().to_owned();
            let part_type = part.content_type().map(str::to_owned);
            let bytes = part.bytes().await.map_err(|error| broken(&error))?;
            let text = || Some(String::from_utf8_lossy(&bytes).into_owned());
            match name.as_str() {
                "messaging_product" => form.messaging_product = text(),
                "type" => form.kind = text(),
                "file" => form.file = Some((bytes, part_type)),
                _ => {}
            }
        }
        Ok(form)
    }
}

fn check_format(media: &Media) -> Checked<()> {
    let Some((_, _, max)) = FORMATS.iter().find(|row| row.0 == media.essence()) else {
        let all: Vec<&str> = FORMATS.iter().map(|row| row.0).collect();
        return Err(GraphError::parameter(format!(
            "Param file must be a file with one of the following types: {}. Received file of type '{}'.",
            all.join(", "),
            media.mime_type
        )));
    };
    if media.bytes.is_empty() {
        return Err(GraphError::parameter("Param file must not be empty."));
    }
    if media.bytes.len() > *max {
        return Err(GraphError::with_details(
            131053,
            format!("Media file size too big. Max file size we currently support: {max} bytes."),
        ));
    }
    Ok(())
}

/// `GET /{media_id}`
pub(crate) fn look_up(wa: &WhatsApp, call: &GraphCall<'_>, id: &str) -> Checked<Reply> {
    let media = owned(wa, call, id)?;
    let url = download_url(wa, &call.base_url, id);
    Ok(Reply::ok(json!({
        "messaging_product": "whatsapp",
        "url": url,
        "mime_type": media.mime_type,
        "sha256": media.sha256_hex(),
        "file_size": media.bytes.len(),
        "id": id,
    })))
}

/// `DELETE /{media_id}`
pub(crate) fn delete(wa: &WhatsApp, call: &GraphCall<'_>, id: &str) -> Checked<Reply> {
    owned(wa, call, id)?;
    lock(&wa.world).media.remove(id);
    Ok(Reply::ok(json!({ "success": true })))
}

/// The file, if it still lives and belongs to the number named in the query.
fn owned(wa: &WhatsApp, call: &GraphCall<'_>, id: &str) -> Checked<Media> {
    let unknown = || GraphError::unknown_object(call.method().as_str(), id);
    let media = find(wa, id).ok_or_else(unknown)?;
    match call.call.query("phone_number_id") {
        Some(number) if number != media.phone_number_id => Err(unknown()),
        _ => Ok(media),
    }
}

/// The file, if it still lives.
pub(crate) fn find(wa: &WhatsApp, id: &str) -> Option<Media> {
    let now = wa.clock.now_ms();
    lock(&wa.world).media.get(id).filter(|media| now < media.expires_at_ms).cloned()
}

/// A URL for the file that works for five minutes with an access token.
pub(crate) fn download_url(wa: &WhatsApp, base_url: &str, id: &str) -> String {
    let expires = wa.clock.now_s() + URL_S;
    let hash = url_hash(wa, id, expires);
    format!("{base_url}/{}/?mid={id}&ext={expires}&hash={hash}", DOWNLOAD_PATH.join("/"))
}

fn url_hash(wa: &WhatsApp, id: &str, expires: i64) -> String {
    let text = format!("{}/{id}/{expires}", wa.config.app_secret);
    let mut hash = hex(digest::digest(&digest::SHA256, text.as_bytes()).as_ref());
    hash.truncate(40);
    hash
}

/// `GET <url of a look-up>`. An expired or unknown URL is 404.
pub(crate) fn download(wa: &WhatsApp, call: &GraphCall<'_>) -> Checked<Reply> {
    let id = call.call.query("mid").unwrap_or_default();
    let expires = call.call.query("ext").and_then(|ext| ext.parse::<i64>().ok()).unwrap_or_default();
    let genuine = call.call.query("hash") == Some(url_hash(wa, id, expires).as_str());
    let found = find(wa, id).filter(|_| genuine && wa.clock.now_s() < expires);
    Ok(match found {
        Some(media) => Reply::bytes(StatusCode::OK, &media.mime_type, media.bytes),
        None => Reply::json(StatusCode::NOT_FOUND, Value::Object(serde_json::Map::new())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn media(mime_type: &str, size: usize) -> Media {
        Media {
            phone_number_id: "1".into(),
            mime_type: mime_type.into(),
            bytes: Bytes::from(vec![1; size]),
            expires_at_ms: 0,
        }
    }

    #[test]
    fn formats_and_sizes_are_the_documented_ones() {
        assert!(check_format(&media("audio/ogg; codecs=opus", 10)).is_ok());
        assert_eq!(check_format(&media("image/gif", 10)).unwrap_err().code(), 100);
        assert_eq!(check_format(&media("image/png", 5 * MB + 1)).unwrap_err().code(), 131053);
        assert_eq!(check_format(&media("image/png", 0)).unwrap_err().code(), 100);
        assert!(media("application/zip", 1).suits("document") && !media("video/mp4", 1).suits("image"));
    }
}
