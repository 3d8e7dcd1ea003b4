//! `multipart/form-data` bodies. Must not know who sends them. File names and types come from strangers, so
//! nothing in them may end a header line.

use bytes::{BufMut, Bytes, BytesMut};
use sluice_node_sdk::item::FileRef;

/// One part of a form.
pub(crate) enum Part<'a> {
    /// Name and text.
    Text(&'a str, &'a str),
    /// Name and file.
    File(&'a str, &'a FileRef),
}

/// The body and its content type.
pub(crate) fn encode(parts: &[Part<'_>]) -> (Bytes, String) {
    let boundary = boundary(parts);
    let mut body = BytesMut::new();
    for part in parts {
        match part {
            Part::Text(name, value) => {
                let head = format!(
                    "--{boundary}\r\ncontent-disposition: form-data; name=\"{}\"\r\n\r\n",
                    quoted(name)
                );
                body.put(head.as_bytes());
                body.put(value.as_bytes());
            }
            Part::File(name, file) => {
                let head = format!(
                    "--{boundary}\r\ncontent-disposition: form-data; name=\"{}\"; filename=\"{}\"\r\n\
                     content-type: {}\r\n\r\n",
                    quoted(name),
                    quoted(&file.name).replace(['\\', '/'], "_"),
                    one_line(&file.mime_type)
                );
                body.put(head.as_bytes());
                body.put(file.data.clone());
            }
        }
        body.put(&b"\r\n"[..]);
    }
    body.put(format!("--{boundary}--\r\n").as_bytes());
    (body.freeze(), format!("multipart/form-data; boundary={boundary}"))
}

fn one_line(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

fn quoted(text: &str) -> String {
    one_line(text).replace('"', "%22")
}

/// A separator that occurs in no part: the digest of them all.
fn boundary(parts: &[Part<'_>]) -> String {
    let mut digest = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    for part in parts {
        match part {
            Part::Text(_, value) => digest.update(value.as_bytes()),
            Part::File(_, file) => digest.update(&file.data),
        }
    }
    let hex: String = digest.finish().as_ref()[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sluice-{hex}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_break_out_of_their_header() {
        let file = FileRef::new("a\"\r\nx: y\\.pdf", "text/plain\r\nz: 1", &b"hi"[..]);
        let (body, kind) = encode(&[Part::Text("a\"b", "1\r\n2"), Part::File("file", &file)]);
        let boundary = kind.strip_prefix("multipart/form-data; boundary=").unwrap();
        let body = String::from_utf8(body.to_vec()).unwrap();
        assert!(body.contains("name=\"a%22b\"\r\n\r\n1\r\n2\r\n"), "{body}");
        assert!(
            body.contains("filename=\"a%22x: y_.pdf\"\r\ncontent-type: text/plainz: 1\r\n\r\nhi\r\n"),
            "{body}"
        );
        assert!(body.ends_with(&format!("--{boundary}--\r\n")), "{body}");
    }
}
