//! Ids of rows: a prefix, an underscore and lower-case base 32 without i, l, o and u (Crockford's digits, which sort
//! like the numbers they stand for). They stand in every index, so they are as short as their purpose allows. Ids made
//! by earlier versions were longer and stay valid. Must not know what the prefixes mean.

use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};
use uuid::Uuid;

const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Characters of a [`random_id`].
const SHORT: u32 = 12;
/// Characters of a [`sortable_id`], the first nine of which are the time.
const LONG: u32 = 20;
/// Bits of a sortable id that are not its time.
const TAIL_BITS: u32 = 55;

/// An id for the few rows that live long and are named in many others, such as workspaces: 60 random bits. Two may
/// meet once in a billion rows; the primary key then refuses the second.
pub fn random_id(prefix: &str) -> String {
    text(prefix, random(), SHORT)
}

/// An id for rows that come in great numbers: milliseconds since the epoch (45 bits, enough until the year 3084), then
/// 55 bits of which the last 54 begin by chance. Ids that one process makes sort in the order in which they were made,
/// even if its clock is set back; those of several processes sort by time.
pub fn sortable_id(prefix: &str) -> String {
    static LAST: Mutex<(u64, u64)> = Mutex::new((0, 0));
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = since_epoch.as_millis() as u64;
    let random = random();
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    *last = after(*last, now, random);
    let (ms, tail) = *last;
    drop(last);
    text(prefix, u128::from(ms) << TAIL_BITS | u128::from(tail), LONG)
}

/// An id of the length of a [`sortable_id`] that is always the same for the same `hash`, for what must be made once
/// only. Of 128 well-mixed bits it keeps 100.
pub fn hashed_id(prefix: &str, hash: u128) -> String {
    text(prefix, hash >> (128 - 5 * LONG), LONG)
}

/// Time and tail of the id that follows `last`: a fresh one in a new millisecond, a step further within the same.
fn after(last: (u64, u64), now: u64, random: u128) -> (u64, u64) {
    let fresh = random as u64 & ((1 << (TAIL_BITS - 1)) - 1);
    if now > last.0 {
        return (now, fresh);
    }
    // A random step, so that one id does not give the next away.
    let tail = last.1 + 1 + (random >> 96) as u64;
    if tail >> TAIL_BITS == 0 { (last.0, tail) } else { (last.0 + 1, fresh) }
}

/// A random number; of its bits the lowest 62 and the highest 48 are free.
fn random() -> u128 {
    Uuid::new_v4().as_u128()
}

fn text(prefix: &str, number: u128, places: u32) -> String {
    let digits = (0..places).rev().map(|place| char::from(DIGITS[(number >> (place * 5) & 31) as usize]));
    let mut text = String::with_capacity(prefix.len() + 1 + places as usize);
    text.push_str(prefix);
    text.push('_');
    text.extend(digits);
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn ids_have_their_length_and_digits() {
        for (id, length) in
            [(random_id("ws"), 15), (sortable_id("run"), 24), (hashed_id("run", u128::MAX), 24)]
        {
            assert_eq!(id.len(), length, "{id}");
            let (_, digits) = id.split_once('_').unwrap();
            assert!(digits.bytes().all(|digit| DIGITS.contains(&digit)), "{id}");
        }
        assert_eq!(hashed_id("run", 0), "run_00000000000000000000");
        assert_ne!(random_id("ws"), random_id("ws"));
    }

    #[test]
    fn ids_made_later_sort_later_and_after_those_of_earlier_versions() {
        let made: Vec<String> = (0..10_000).map(|_| sortable_id("run")).collect();
        assert!(made.is_sorted());
        assert_eq!(made.iter().collect::<BTreeSet<_>>().len(), made.len());
        // A UUID of version 7 in base 32, and in hexadecimal digits.
        for earlier in ["run_06gkz0000000000000000000zz", "con_019a9c7be8d37d3c8f3a5f0c6b7a1d2e"] {
            let (prefix, _) = earlier.split_once('_').unwrap();
            assert!(sortable_id(prefix).as_str() > earlier);
        }
    }

    #[test]
    fn a_millisecond_that_is_full_is_followed_by_the_next() {
        let full = (7, (1 << TAIL_BITS) - 1);
        assert_eq!(after(full, 7, 0), (8, 0));
        assert_eq!(after(full, 3, 0), (8, 0));
        assert_eq!(after((7, 5), 7, 0), (7, 6));
        assert_eq!(after((7, 5), 8, u128::from(u64::MAX)).1 >> (TAIL_BITS - 1), 0);
    }
}
