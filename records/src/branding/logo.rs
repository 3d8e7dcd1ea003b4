//! Pictures of brands. Only formats that browsers show and that carry no scripts.

use crate::{RecordError, Records};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sluice_db::Tx;

/// Largest picture, bytes.
const LARGEST: usize = 256 * 1024;

/// The formats, by how their bytes begin.
const FORMATS: [(&str, &[u8]); 3] =
    [("image/png", b"\x89PNG\r\n\x1a\n"), ("image/jpeg", b"\xff\xd8\xff"), ("image/webp", b"RIFF")];

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logo {
    /// SHA-256 of the bytes, as hex digits: its name.
    pub hash: String,
    /// `image/png`, `image/jpeg` or `image/webp`.
    pub media_type: String,
    /// The picture.
    pub content: Vec<u8>,
}

impl Logo {
    /// Reads `data:image/png;base64,…`.
    pub(super) fn from_data_url(text: &str) -> Result<Self, RecordError> {
        let wrong = |message: &str| RecordError::invalid("logo", message);
        let content = text
            .strip_prefix("data:")
            .and_then(|rest| rest.split_once(";base64,"))
            .and_then(|(_, encoded)| STANDARD.decode(encoded.trim()).ok())
            .ok_or_else(|| wrong("a logo is written as data:image/png;base64,…"))?;
        if content.len() > LARGEST {
            return Err(wrong("a logo has at most 256 KiB"));
        }
        // The bytes say what it is, whatever the text in front of them claims.
        let format = FORMATS.iter().find(|(_, start)| content.starts_with(start));
        let (media_type, _) = format.ok_or_else(|| wrong("a logo is a PNG, JPEG or WebP picture"))?;
        let hash = digest(&SHA256, &content).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { hash, media_type: (*media_type).to_owned(), content })
    }

    pub(super) async fn keep(&self, tx: &mut Tx, now: i64) -> Result<(), RecordError> {
        let sql = "insert into brand_logos (hash, media_type, content, created_at) values ($1, $2, $3, $4) \
                   on conflict do nothing";
        let query = tx.query(sql).bind(&self.hash).bind(&self.media_type).bind(self.content.clone());
        query.bind(now).execute().await?;
        Ok(())
    }
}

impl Records {
    /// A picture by its hash. Pictures are public: whoever sees the page sees them.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn brand_logo(&self, hash: &str) -> Result<Logo, RecordError> {
        let row = self.db.query("select * from brand_logos where hash = $1").bind(hash).optional().await?;
        let row = row.ok_or_else(|| RecordError::not_found("logo", hash))?;
        let (media_type, content) = (row.text("media_type")?, row.bytes("content")?);
        Ok(Logo { hash: row.text("hash")?, media_type, content })
    }
}

/// Drops pictures that no brand shows any more.
pub(super) async fn drop_unused(tx: &mut Tx) -> Result<(), RecordError> {
    let sql = "delete from brand_logos where hash not in (select logo_hash from brands where logo_hash is not null)";
    tx.query(sql).execute().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pictures_without_scripts_are_taken() {
        let data = |kind: &str, bytes: &[u8]| format!("data:{kind};base64,{}", STANDARD.encode(bytes));
        let png = Logo::from_data_url(&data("image/svg+xml", b"\x89PNG\r\n\x1a\nrest")).unwrap();
        assert_eq!(png.media_type, "image/png");
        assert_eq!(png.hash.len(), 64);
        for bad in [
            data("image/svg+xml", b"<svg onload='x()'/>"),
            data("image/png", b""),
            data("image/png", &[0x89; LARGEST + 1]),
            "data:image/png;base64,?".to_owned(),
            "https://example.com/logo.png".to_owned(),
        ] {
            let refused = Logo::from_data_url(&bad);
            assert!(
                matches!(&refused, Err(RecordError::Invalid { path, .. }) if path == "logo"),
                "{refused:?}"
            );
        }
    }
}
