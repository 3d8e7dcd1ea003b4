//! One conversation of a mail client with the stand-in: commands in, replies out. It must not know what messages say.

use super::message::Parsed;
use super::{MailEntry, Smtp};
use crate::journal::lock;
use std::io;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// Longest command line; RFC 5321 section 4.5.3.1.4 asks for 512, authentication needs more.
const LONGEST_LINE: u64 = 12_288;
/// Largest message.
const LARGEST: usize = 25 * 1024 * 1024;

/// The envelope of the next message.
#[derive(Default)]
struct Envelope {
    from: Option<String>,
    to: Vec<String>,
}

/// Serves one client until it leaves.
pub(super) async fn serve(smtp: &Smtp, stream: TcpStream) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    say(&mut stream, "220 sandbox.sluice.test ESMTP").await?;
    let mut envelope = Envelope::default();
    while let Some(line) = read_line(&mut stream).await? {
        let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" => {
                say(
                    &mut stream,
                    "250-sandbox.sluice.test\r\n250-8BITMIME\r\n250-AUTH PLAIN LOGIN\r\n250 SIZE 26214400",
                )
                .await?;
            }
            "HELO" => say(&mut stream, "250 sandbox.sluice.test").await?,
            "AUTH" => authenticate(&mut stream, rest).await?,
            "MAIL" => {
                envelope = Envelope { from: address(rest), to: Vec::new() };
                say(&mut stream, "250 2.1.0 OK").await?;
            }
            "RCPT" => {
                let answer = recipient(smtp, &mut envelope, rest);
                say(&mut stream, answer).await?;
            }
            "DATA" if envelope.from.is_none() || envelope.to.is_empty() => {
                say(&mut stream, "503 5.5.1 MAIL and RCPT first").await?;
            }
            "DATA" => {
                say(&mut stream, "354 End with a dot on a line by itself").await?;
                let answer = match read_message(&mut stream).await? {
                    Some(raw) => {
                        keep(smtp, std::mem::take(&mut envelope), raw);
                        "250 2.0.0 OK"
                    }
                    None => "552 5.3.4 Too large",
                };
                say(&mut stream, answer).await?;
            }
            "RSET" => {
                envelope = Envelope::default();
                say(&mut stream, "250 2.0.0 OK").await?;
            }
            "NOOP" => say(&mut stream, "250 2.0.0 OK").await?,
            "QUIT" => return say(&mut stream, "221 2.0.0 Bye").await,
            _ => say(&mut stream, "500 5.5.2 Unknown command").await?,
        }
    }
    Ok(())
}

async fn say(stream: &mut BufReader<TcpStream>, line: &str) -> io::Result<()> {
    stream.write_all(format!("{line}\r\n").as_bytes()).await?;
    stream.flush().await
}

/// The next line without its end; none when the client left.
async fn read_line(stream: &mut BufReader<TcpStream>) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    let read = (&mut *stream).take(LONGEST_LINE).read_until(b'\n', &mut line).await?;
    let text = String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned();
    Ok((read > 0).then_some(text))
}

/// Every user is good here.
async fn authenticate(stream: &mut BufReader<TcpStream>, rest: &str) -> io::Result<()> {
    let (mechanism, first) = rest.split_once(' ').unwrap_or((rest, ""));
    let prompts: &[&str] = match (mechanism.to_ascii_uppercase().as_str(), first.is_empty()) {
        ("PLAIN", false) => &[],
        ("PLAIN", true) => &["334 "],
        // `Username:` and `Password:` in base64.
        ("LOGIN", true) => &["334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6"],
        ("LOGIN", false) => &["334 UGFzc3dvcmQ6"],
        _ => return say(stream, "504 5.5.4 Unknown mechanism").await,
    };
    for prompt in prompts {
        say(stream, prompt).await?;
        if read_line(stream).await?.is_none() {
            return Ok(());
        }
    }
    say(stream, "235 2.7.0 Authenticated").await
}

/// What stands in angle brackets, as in `FROM:<a@b.c> BODY=8BITMIME`.
fn address(rest: &str) -> Option<String> {
    let (_, after) = rest.split_once('<')?;
    Some(after.split_once('>')?.0.to_owned())
}

fn recipient(smtp: &Smtp, envelope: &mut Envelope, rest: &str) -> &'static str {
    if envelope.from.is_none() {
        return "503 5.5.1 MAIL first";
    }
    let Some(address) = address(rest).filter(|address| address.contains('@')) else {
        return "501 5.1.3 Not an address";
    };
    if address.starts_with("reject@") {
        return "550 5.1.1 No such mailbox";
    }
    if address.starts_with("busy@") && lock(&smtp.told_busy).insert(address.clone()) {
        return "451 4.7.1 Try again later";
    }
    envelope.to.push(address);
    "250 2.1.5 OK"
}

/// The message up to the lone dot, without the dots that protect lines (section 4.5.2); none when it is too large.
async fn read_message(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Vec<u8>>> {
    let (mut raw, mut is_too_large) = (Vec::new(), false);
    loop {
        let start = raw.len();
        if (&mut *stream).take(LARGEST as u64).read_until(b'\n', &mut raw).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if matches!(&raw[start..], b".\r\n" | b".\n") {
            raw.truncate(start);
            return Ok((!is_too_large).then_some(raw));
        }
        if raw[start..].starts_with(b".") {
            raw.remove(start);
        }
        if raw.len() > LARGEST {
            is_too_large = true;
            raw.clear();
        }
    }
}

fn keep(smtp: &Smtp, envelope: Envelope, raw: Vec<u8>) {
    let raw = String::from_utf8_lossy(&raw).into_owned();
    let parsed = Parsed::read(&raw);
    let at = smtp.clock.now_ms();
    smtp.mail.push(|seq| MailEntry {
        seq,
        at,
        from: envelope.from.unwrap_or_default(),
        to: envelope.to,
        subject: parsed.subject,
        message_id: parsed.message_id,
        text: parsed.text,
        raw,
    });
}
