//! A small keep-alive HTTP/1.1 client and server over plain TCP, cheap because they share two cores with what they
//! measure. No TLS, no redirects, bodies by `content-length` or in chunks. Must not know what is asked.

use std::io::{Error, ErrorKind, Result};
use std::ops::Range;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Most header fields of a message.
const MOST_HEADERS: usize = 48;

/// What a message holds besides its body.
#[derive(Clone, Debug, Default)]
pub(crate) struct Head {
    /// Status of an answer; 0 of a request.
    pub(crate) status: u16,
    /// Target of a request.
    pub(crate) target: String,
    /// `Retry-After` is there.
    pub(crate) has_retry_after: bool,
    /// `Idempotency-Key`.
    pub(crate) idempotency_key: Option<String>,
    /// The other side closes after this message.
    pub(crate) closes: bool,
    length: Option<usize>,
    is_chunked: bool,
}

/// Reads a head and says where it ends; `None` when there is not enough of it yet.
type Parse = fn(&[u8]) -> Result<Option<(usize, Head)>>;

/// One connection, either side of it.
pub(crate) struct Wire {
    stream: TcpStream,
    inbox: Vec<u8>,
    /// The message that was read last lies before this.
    used: usize,
    body: Range<usize>,
}

impl Wire {
    /// Connects.
    pub(crate) async fn connect(address: &str) -> Result<Self> {
        Ok(Self::over(TcpStream::connect(address).await?))
    }

    /// Speaks over an open connection.
    pub(crate) fn over(stream: TcpStream) -> Self {
        // Without effect where it is not possible; then it is slower only.
        let _ = stream.set_nodelay(true);
        Self { stream, inbox: Vec::with_capacity(4_096), used: 0, body: 0..0 }
    }

    /// Sends a request that was written by [`request`] and reads its answer.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> Result<Head> {
        self.stream.write_all(request).await?;
        self.read(httparse_answer).await?.ok_or_else(|| Error::from(ErrorKind::UnexpectedEof))
    }

    /// Reads a request; `None` when the client has closed.
    pub(crate) async fn hear(&mut self) -> Result<Option<Head>> {
        self.read(httparse_request).await
    }

    /// Writes raw bytes.
    pub(crate) async fn say(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream.write_all(bytes).await
    }

    /// The body of the message that was read last.
    pub(crate) fn body(&self) -> &[u8] {
        &self.inbox[self.body.clone()]
    }

    async fn read(&mut self, parse: Parse) -> Result<Option<Head>> {
        self.inbox.drain(..self.used);
        (self.used, self.body) = (0, 0..0);
        let (head_end, head) = loop {
            if let Some(found) = parse(&self.inbox)? {
                break found;
            }
            if self.more().await? == 0 {
                return if self.inbox.is_empty() { Ok(None) } else { Err(ErrorKind::UnexpectedEof.into()) };
            }
        };
        if head.is_chunked {
            self.read_chunks(head_end).await?;
        } else {
            let end = head_end + head.length.unwrap_or(0);
            while self.inbox.len() < end {
                self.expect_more().await?;
            }
            (self.body, self.used) = (head_end..end, end);
        }
        Ok(Some(head))
    }

    /// Puts the chunks together in place.
    async fn read_chunks(&mut self, start: usize) -> Result<()> {
        let (mut from, mut to) = (start, start);
        loop {
            let (line, size) = loop {
                match httparse::parse_chunk_size(&self.inbox[from..]) {
                    Ok(httparse::Status::Complete(found)) => break found,
                    Ok(httparse::Status::Partial) => self.expect_more().await?,
                    Err(_) => return Err(invalid("a chunk without a size")),
                }
            };
            let size = usize::try_from(size).map_err(|_| invalid("a chunk that is too large"))?;
            let data = from + line;
            while self.inbox.len() < data + size + 2 {
                self.expect_more().await?;
            }
            self.inbox.copy_within(data..data + size, to);
            (from, to) = (data + size + 2, to + size);
            if size == 0 {
                (self.body, self.used) = (start..to, from);
                return Ok(());
            }
        }
    }

    async fn more(&mut self) -> Result<usize> {
        self.stream.read_buf(&mut self.inbox).await
    }

    async fn expect_more(&mut self) -> Result<()> {
        match self.more().await? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

fn invalid(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, what.to_owned())
}

fn httparse_answer(bytes: &[u8]) -> Result<Option<(usize, Head)>> {
    let mut fields = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut answer = httparse::Response::new(&mut fields);
    match answer.parse(bytes).map_err(|error| invalid(&error.to_string()))? {
        httparse::Status::Partial => Ok(None),
        httparse::Status::Complete(end) => {
            let head = Head { status: answer.code.unwrap_or(0), ..read_fields(answer.headers) };
            Ok(Some((end, head)))
        }
    }
}

fn httparse_request(bytes: &[u8]) -> Result<Option<(usize, Head)>> {
    let mut fields = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut request = httparse::Request::new(&mut fields);
    match request.parse(bytes).map_err(|error| invalid(&error.to_string()))? {
        httparse::Status::Partial => Ok(None),
        httparse::Status::Complete(end) => {
            let target = request.path.unwrap_or_default().to_owned();
            Ok(Some((end, Head { target, ..read_fields(request.headers) })))
        }
    }
}

fn read_fields(fields: &[httparse::Header<'_>]) -> Head {
    let mut head = Head::default();
    for field in fields {
        let text = || std::str::from_utf8(field.value).unwrap_or_default().trim();
        let is = |name: &str| field.name.eq_ignore_ascii_case(name);
        if is("content-length") {
            head.length = text().parse().ok();
        } else if is("transfer-encoding") {
            head.is_chunked = text().eq_ignore_ascii_case("chunked");
        } else if is("retry-after") {
            head.has_retry_after = true;
        } else if is("idempotency-key") {
            head.idempotency_key = Some(text().to_owned());
        } else if is("connection") {
            head.closes = text().eq_ignore_ascii_case("close");
        }
    }
    head
}

/// The bytes of a request. `headers` are whole lines without their ends.
pub(crate) fn request(method: &str, host: &str, path: &str, headers: &[&str], body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\n").into_bytes();
    for line in headers {
        bytes.extend_from_slice(line.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    if !body.is_empty() || method != "GET" {
        bytes.extend_from_slice(
            format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len()).as_bytes(),
        );
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    bytes
}

/// The bytes of a JSON answer.
pub(crate) fn answer(status: u16, body: &[u8]) -> Vec<u8> {
    let reason = if status < 400 { "OK" } else { "No" };
    let head = format!(
        "HTTP/1.1 {status} {reason}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    /// Serves `answers` to one connection, one per request.
    async fn speaking(answers: Vec<Vec<u8>>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move {
            let mut wire = Wire::over(listener.accept().await.unwrap().0);
            for answer in answers {
                let head = wire.hear().await.unwrap().unwrap();
                assert_eq!(head.target, "/x");
                assert_eq!(wire.body(), b"{}");
                wire.say(&answer).await.unwrap();
            }
        });
        address
    }

    #[tokio::test]
    async fn answers_are_read_one_after_the_other_over_one_connection() {
        let chunked =
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
        let busy = b"HTTP/1.1 503 No\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n";
        let address = speaking(vec![answer(200, b"[1]"), chunked.to_vec(), busy.to_vec()]).await;
        let mut wire = Wire::connect(&address).await.unwrap();
        let asked = request("POST", &address, "/x", &["idempotency-key: k"], b"{}");
        assert_eq!((wire.ask(&asked).await.unwrap().status, wire.body()), (200, &b"[1]"[..]));
        assert_eq!((wire.ask(&asked).await.unwrap().status, wire.body()), (200, &b"abcde"[..]));
        let head = wire.ask(&asked).await.unwrap();
        assert_eq!((head.status, head.has_retry_after), (503, true));
    }

    #[tokio::test]
    async fn a_cut_answer_is_an_error() {
        let cut = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc".to_vec();
        let address = speaking(vec![cut]).await;
        let mut wire = Wire::connect(&address).await.unwrap();
        let fault = wire.ask(&request("POST", &address, "/x", &[], b"{}")).await.unwrap_err();
        assert_eq!(fault.kind(), ErrorKind::UnexpectedEof);
    }
}
