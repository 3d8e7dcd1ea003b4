//! Lists in pages: newest first, continued by an opaque cursor.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

use crate::RecordError;

/// One page of a list. `next` is passed back unchanged to get the following page; none at the end.
#[derive(Debug, Clone, Serialize)]
pub struct Page<T> {
    pub items: Vec<T>,
    pub next: Option<String>,
}

/// The largest page anybody gets.
const LARGEST_PAGE: i64 = 500;

/// A position in a list that is sorted by time and id, descending.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cursor {
    pub(crate) at: i64,
    pub(crate) id: String,
}

impl Cursor {
    /// The start of the list for no cursor.
    ///
    /// # Errors
    /// `Invalid` for text that we did not make.
    pub(crate) fn read(text: Option<&str>) -> Result<Cursor, RecordError> {
        let Some(text) = text else { return Ok(Cursor { at: i64::MAX, id: String::new() }) };
        let read = || {
            let plain = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
            let (at, id) = plain.split_once('|')?;
            Some(Cursor { at: at.parse().ok()?, id: id.replace('\0', "") })
        };
        read().ok_or_else(|| {
            RecordError::invalid("cursor", "not a cursor of this list; leave it out to start again")
        })
    }

    fn write(&self) -> String {
        URL_SAFE_NO_PAD.encode(format!("{}|{}", self.at, self.id))
    }
}

/// A page size between 1 and the largest one.
pub(crate) fn page_size(limit: u32) -> i64 {
    i64::from(limit).clamp(1, LARGEST_PAGE)
}

/// Makes a page of `size` out of up to `size + 1` rows.
pub(crate) fn page<T>(mut items: Vec<T>, size: i64, position: impl Fn(&T) -> Cursor) -> Page<T> {
    let more = items.len() as i64 > size;
    items.truncate(size as usize);
    let next = if more { items.last().map(|last| position(last).write()) } else { None };
    Page { items, next }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_the_trip() {
        let cursor = Cursor { at: -5, id: "a|b".into() };
        assert_eq!(Cursor::read(Some(&cursor.write())).unwrap(), cursor);
        assert!(Cursor::read(Some("nonsense!")).is_err());
        assert_eq!(Cursor::read(None).unwrap().at, i64::MAX);
    }

    #[test]
    fn the_last_page_has_no_next() {
        let at = |n: &i64| Cursor { at: *n, id: String::new() };
        assert!(page(vec![3, 2, 1], 3, at).next.is_none());
        let first = page(vec![3, 2, 1], 2, at);
        assert_eq!(first.items, [3, 2]);
        assert_eq!(Cursor::read(first.next.as_deref()).unwrap().at, 2);
    }
}
