//! Reading a plain message: unfolded headers, encoded words in the subject (RFC 2047), quoted-printable and base64 bodies
//! (RFC 2045). Enough for people to read what programs send; it must not know where it came from.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The parts that people look at.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Parsed {
    pub(super) subject: String,
    pub(super) message_id: String,
    pub(super) text: String,
}

impl Parsed {
    pub(super) fn read(raw: &str) -> Self {
        let raw = raw.replace("\r\n", "\n");
        let (head, body) = raw.split_once("\n\n").unwrap_or((&raw, ""));
        let header = |name: &str| {
            let unfolded = head.replace("\n ", " ").replace("\n\t", " ");
            let found = unfolded.lines().filter_map(|line| line.split_once(':'));
            let mut found = found.filter(|(key, _)| key.eq_ignore_ascii_case(name));
            found.next().map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
        };
        let text = match header("content-transfer-encoding").to_ascii_lowercase().as_str() {
            "quoted-printable" => lossy(quoted_printable(body.as_bytes(), false)),
            "base64" => lossy(base64(body)),
            _ => body.to_owned(),
        };
        Self { subject: words(&header("subject")), message_id: header("message-id"), text }
    }
}

fn lossy(bytes: Vec<u8>) -> String {
    String::from_utf8_lossy(&bytes).replace("\r\n", "\n")
}

fn base64(text: &str) -> Vec<u8> {
    let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    STANDARD.decode(compact).unwrap_or_default()
}

/// `=41` is a byte, `=` at the end of a line joins it to the next; in headers `_` is a space.
fn quoted_printable(text: &[u8], in_header: bool) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|pair| std::str::from_utf8(pair).ok());
        let byte = hex.and_then(|pair| u8::from_str_radix(pair, 16).ok());
        match (first, byte) {
            (b'=', Some(byte)) => {
                bytes.push(byte);
                rest = &after[2..];
                continue;
            }
            (b'=', None) if after.first() == Some(&b'\n') => {
                rest = &after[1..];
                continue;
            }
            (b'_', _) if in_header => bytes.push(b' '),
            (other, _) => bytes.push(*other),
        }
        rest = after;
    }
    bytes
}

/// A header with its encoded words decoded; space between two of them does not count.
fn words(text: &str) -> String {
    let (mut out, mut rest, mut was_word) = (String::new(), text, false);
    while let Some((before, after)) = rest.split_once("=?") {
        let mut parts = after.splitn(3, '?');
        let word = (|| {
            let (_charset, encoding, rest) = (parts.next()?, parts.next()?, parts.next()?);
            let (content, rest) = rest.split_once("?=")?;
            let bytes = match encoding {
                "B" | "b" => base64(content),
                "Q" | "q" => quoted_printable(content.as_bytes(), true),
                _ => return None,
            };
            Some((lossy(bytes), rest))
        })();
        let Some((word, remaining)) = word else { break };
        if !(was_word && before.trim().is_empty()) {
            out.push_str(before);
        }
        out.push_str(&word);
        (rest, was_word) = (remaining, true);
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_as_people_see_them() {
        let raw = "Subject: =?utf-8?B?R3LDvMOfZQ==?= =?utf-8?Q?_aus_K=C3=B6ln?=\r\nMessage-ID: <1@x>\r\n\
                   Content-Transfer-Encoding: quoted-printable\r\n\r\nGr=C3=BC=\r\n=C3=9Fe = 2=3D2\r\n";
        let parsed = Parsed::read(raw);
        assert_eq!((parsed.subject.as_str(), parsed.message_id.as_str()), ("Grüße aus Köln", "<1@x>"));
        assert_eq!(parsed.text, "Grüße = 2=2\n");
        let plain = Parsed::read("subject: a\n b\n\nHello\n\nyou\n");
        assert_eq!((plain.subject.as_str(), plain.text.as_str()), ("a b", "Hello\n\nyou\n"));
        let packed = Parsed::read("Content-Transfer-Encoding: base64\r\n\r\nSGVs\r\nbG8=\r\n");
        assert_eq!(packed.text, "Hello");
        for odd in ["", "no header", "Subject: =?x", "Subject: =?utf-8?Z?x?= y"] {
            Parsed::read(odd);
        }
    }
}
