//! The stand-in's mail server, spoken to as RFC 5321 says.

#![allow(clippy::unwrap_used)] // a test fails by panicking

use sluice_sandbox::{Sandbox, SandboxConfig};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

struct Client(BufReader<TcpStream>);

impl Client {
    async fn new(sandbox: &Sandbox) -> Self {
        let address = sandbox.smtp_url();
        let stream = TcpStream::connect(address.trim_start_matches("smtp://")).await.unwrap();
        let mut client = Self(BufReader::new(stream));
        assert!(client.answer().await.starts_with("220 "));
        client
    }

    /// The last line of a reply.
    async fn answer(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).await.unwrap() > 0, "the server left");
            if line.as_bytes()[3] == b' ' {
                return line.trim_end().to_owned();
            }
        }
    }

    async fn say(&mut self, line: &str) -> String {
        self.0.write_all(format!("{line}\r\n").as_bytes()).await.unwrap();
        self.answer().await
    }
}

#[tokio::test]
async fn what_it_takes_can_be_read() {
    let sandbox = Sandbox::start(SandboxConfig::default()).await.unwrap();
    let mut client = Client::new(&sandbox).await;
    assert!(client.say("EHLO test").await.starts_with("250 "));
    for auth in ["AUTH PLAIN AGEAYg==", "AUTH LOGIN YQ=="] {
        let mut answer = client.say(auth).await;
        if answer.starts_with("334") {
            answer = client.say("Yg==").await;
        }
        assert!(answer.starts_with("235 "), "{answer}");
    }
    assert!(client.say("DATA").await.starts_with("503 "));
    assert!(client.say("MAIL FROM:<a@example.com> BODY=8BITMIME").await.starts_with("250 "));
    assert!(client.say("RCPT TO:<reject@example.com>").await.starts_with("550 "));
    assert!(client.say("RCPT TO:<busy@example.com>").await.starts_with("451 "));
    assert!(client.say("RCPT TO:<busy@example.com>").await.starts_with("250 "));
    assert!(client.say("RCPT TO:<b@example.com>").await.starts_with("250 "));
    assert!(client.say("DATA").await.starts_with("354 "));
    let message = "Subject: Hello\r\nMessage-ID: <1@x>\r\n\r\nOne\r\n..two dots\r\n.";
    assert!(client.say(message).await.starts_with("250 "));
    assert!(client.say("NONSENSE").await.starts_with("500 "));
    assert!(client.say("QUIT").await.starts_with("221 "));
    let mail = sandbox.mail(0);
    assert_eq!(mail.len(), 1);
    assert_eq!((mail[0].from.as_str(), mail[0].subject.as_str()), ("a@example.com", "Hello"));
    assert_eq!(mail[0].to, ["busy@example.com", "b@example.com"]);
    assert_eq!(mail[0].text, "One\n.two dots\n");
    sandbox.reset();
    assert!(sandbox.mail(0).is_empty());
}
