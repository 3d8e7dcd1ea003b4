//! The studio's built files. `npm run build` in this folder makes them; a release carries them inside, compressed, a debug
//! build reads them from the disk. Without them everything else works. Must not know HTTP.

use std::borrow::Cow;

#[derive(rust_embed::Embed)]
#[folder = "dist/"]
#[compression = "zstd"]
#[allow_missing = true]
struct Dist;

/// The page that every address of the studio shows; its scripts look at the address.
pub const INDEX: &str = "index.html";

/// One built file.
pub struct File {
    /// The content.
    pub bytes: Cow<'static, [u8]>,
    /// SHA-256 of the content.
    pub hash: [u8; 32],
    /// Media type by its ending, such as `text/css`.
    pub media_type: String,
    /// The name carries a hash of the content: it never means anything else.
    pub is_immutable: bool,
}

/// The file at a path without a leading slash, such as `assets/index-Ca86Z9D4.js`; none when the build made no such file.
pub fn file(path: &str) -> Option<File> {
    let found = Dist::get(path)?;
    Some(File {
        hash: found.metadata.sha256_hash(),
        media_type: found.metadata.mimetype().to_owned(),
        bytes: found.data,
        is_immutable: path.starts_with("assets/"),
    })
}
