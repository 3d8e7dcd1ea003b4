//! Cursors of lists: the sort key of the last item, in a form that nobody is tempted to build by hand. Must
//! not know tables.

use super::{Page, StoreError};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Serialize, de::DeserializeOwned};

/// The largest page.
const MAX_PAGE: u32 = 200;

/// The cursor that leads on after `key`.
pub(super) fn encode(key: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(super::types::to_json(key))
}

/// The key inside a cursor.
pub(super) fn decode<K: DeserializeOwned>(cursor: Option<&str>) -> Result<Option<K>, StoreError> {
    let Some(cursor) = cursor else { return Ok(None) };
    let json = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| StoreError::BadCursor)?;
    serde_json::from_slice(&json).map(Some).map_err(|_| StoreError::BadCursor)
}

/// The size of a page: what was asked for, within 1 and 200.
pub(super) fn page_size(limit: u32) -> u32 {
    limit.clamp(1, MAX_PAGE)
}

/// A page of `size` out of `items`, of which one more was read to know whether there is a next page.
pub(super) fn page<T, K: Serialize>(mut items: Vec<T>, size: u32, key: impl Fn(&T) -> K) -> Page<T> {
    let size = size as usize;
    let more = items.len() > size;
    items.truncate(size);
    let next = items.last().filter(|_| more).map(|last| encode(&key(last)));
    Page { items, next }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_back_to_its_key() {
        let key = (7_i64, "run_é\"".to_owned());
        assert_eq!(decode::<(i64, String)>(Some(&encode(&key))).unwrap(), Some(key));
    }

    #[test]
    fn a_made_up_cursor_is_refused() {
        for cursor in ["", "?", "bnVsbA", "WzFd"] {
            assert!(matches!(decode::<(i64, String)>(Some(cursor)), Err(StoreError::BadCursor)), "{cursor}");
        }
    }
}
