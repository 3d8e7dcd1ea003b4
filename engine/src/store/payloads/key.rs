//! Names of payloads. A name says which row may refer to it, so that a payload nobody refers to can be recognised.
//! Must not know places.

use super::RunKey;
use std::fmt::{self, Display};

/// `workspace/run/first_seq-random`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::store) struct PayloadKey {
    /// Whose row.
    pub(in crate::store) run: RunKey,
    /// Its first event.
    pub(in crate::store) first_seq: i64,
    random: String,
}

impl PayloadKey {
    /// A key that nobody has used.
    pub(super) fn new(run: &RunKey, first_seq: i64) -> Self {
        Self { run: run.clone(), first_seq, random: uuid::Uuid::new_v4().simple().to_string() }
    }

    /// Reads a key; `None` for anything that this program did not name.
    pub(in crate::store) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('/');
        let (workspace, run, last) = (parts.next()?, parts.next()?, parts.next()?);
        let (first_seq, random) = last.split_once('-')?;
        let is_random = random.len() == 32 && random.bytes().all(|byte| byte.is_ascii_hexdigit());
        let run = RunKey { workspace_id: decode(workspace)?.into(), run_id: decode(run)?.into() };
        let key = Self { run, first_seq: first_seq.parse().ok()?, random: random.to_owned() };
        (is_random && parts.next().is_none()).then_some(key)
    }
}

impl Display for PayloadKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (workspace, run) = (encode(&self.run.workspace_id), encode(&self.run.run_id));
        write!(f, "{workspace}/{run}/{}-{}", self.first_seq, self.random)
    }
}

/// A text as one part of a path, whatever is in it: every other byte as `=XX`.
fn encode(text: &str) -> String {
    let mut part = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-' {
            part.push(char::from(byte));
        } else {
            part.push_str(&format!("={byte:02X}"));
        }
    }
    part
}

fn decode(part: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'=' => {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                let number = digit(rest.next()?)? * 16 + digit(rest.next()?)?;
                bytes.push(u8::try_from(number).ok()?);
            }
            byte => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_leads_back_to_its_row_whatever_the_ids_are() {
        for (workspace, run) in [("ws_1", "run_01abc"), ("../up", "a/b"), ("é", "=2F."), (".", "..")] {
            let run = RunKey { workspace_id: workspace.into(), run_id: run.into() };
            let key = PayloadKey::new(&run, 12);
            let text = key.to_string();
            assert_eq!(text.split('/').count(), 3, "{text}");
            assert!(!text.contains(".."), "{text}");
            assert_eq!(PayloadKey::parse(&text), Some(key));
        }
    }

    #[test]
    fn other_names_are_not_keys() {
        let random = "0".repeat(32);
        for text in ["", "a", "ws/run/12", "ws/run/12-abc", "ws/run/x-1"] {
            assert_eq!(PayloadKey::parse(text), None, "{text}");
        }
        assert_eq!(PayloadKey::parse(&format!("ws/run/1-{random}/more")), None);
        assert_eq!(PayloadKey::parse(&format!("ws/run/1-{random}.tmp")), None);
        assert!(PayloadKey::parse(&format!("ws/run/1-{random}")).is_some());
    }
}
