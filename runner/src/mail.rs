//! Sends the mail that waits in the outbox over SMTP, with retries. Any number of processes may do so: each message is
//! claimed by one. Must not know what messages say.

use crate::config::ConfigError;
use lettre::message::{Mailbox, header::ContentType};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use sluice_records::{OutgoingMail, Records};
use std::net::IpAddr;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How often somebody looks for mail that another process wrote, or that is due again.
const EVERY: Duration = Duration::from_secs(5);
/// How long a mail server may take for one command.
const PATIENCE: Duration = Duration::from_secs(30);
/// Messages taken at a time.
const BATCH: u32 = 20;

/// The mail server, and who mail comes from.
#[derive(Clone)]
pub struct MailSettings {
    url: String,
    from: Mailbox,
}

impl std::fmt::Debug for MailSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MailSettings").field("from", &self.from).finish_non_exhaustive()
    }
}

/// Sends mail.
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

/// Why a message was not taken.
#[derive(Debug)]
struct Refusal {
    reason: String,
    /// It will never be.
    is_hopeless: bool,
}

impl MailSettings {
    /// Both settings or none.
    ///
    /// # Errors
    /// When one is missing or wrong, or would send a password or mail in clear text over the internet.
    pub fn read(url: Option<&str>, from: Option<&str>) -> Result<Option<Self>, ConfigError> {
        let (url, from) = match (url, from) {
            (None, None) => return Ok(None),
            (Some(url), Some(from)) => (url, from),
            (Some(_), None) => {
                return Err(ConfigError::Value("mail_from", "it is needed with `smtp_url`".to_owned()));
            }
            (None, Some(_)) => {
                return Err(ConfigError::Value("smtp_url", "it is needed with `mail_from`".to_owned()));
            }
        };
        let wrong = |reason: String| ConfigError::Value("smtp_url", reason);
        check_url(url).map_err(wrong)?;
        let from = from.parse::<Mailbox>();
        let from = from.map_err(|error| ConfigError::Value("mail_from", error.to_string()))?;
        let settings = Self { url: url.to_owned(), from };
        settings.open().map_err(wrong)?;
        Ok(Some(settings))
    }

    /// The host of the mail server, for messages to operators.
    pub(crate) fn host(&self) -> String {
        let url = url::Url::parse(&self.url).ok();
        url.and_then(|url| url.host_str().map(ToOwned::to_owned)).unwrap_or_default()
    }

    /// A mailer; does not connect yet.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub fn open(&self) -> Result<Mailer, String> {
        let builder =
            AsyncSmtpTransport::<Tokio1Executor>::from_url(&self.url).map_err(|error| error.to_string())?;
        Ok(Mailer { transport: builder.timeout(Some(PATIENCE)).build(), from: self.from.clone() })
    }
}

/// TLS must be certain, unless the server is on this machine or in a private network.
fn check_url(text: &str) -> Result<(), String> {
    let url = url::Url::parse(text).map_err(|error| error.to_string())?;
    let tls = url.query_pairs().find(|(key, _)| key == "tls").map(|(_, value)| value.into_owned());
    match (url.scheme(), tls.as_deref()) {
        ("smtps", _) | ("smtp", Some("required")) => Ok(()),
        ("smtp", Some(other)) => {
            Err(format!("tls={other} would let anybody on the way switch TLS off; use `tls=required`"))
        }
        ("smtp", None) if is_near(&url) => Ok(()),
        ("smtp", None) => {
            Err("mail would go out in clear text; use `smtps://…` or add `?tls=required`".to_owned())
        }
        (scheme, _) => {
            Err(format!("`{scheme}` is no scheme for mail; use `smtps://…` or `smtp://…?tls=required`"))
        }
    }
}

fn is_near(url: &url::Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    match host.trim_matches(['[', ']']).parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => address.is_loopback() || address.is_private(),
        Ok(IpAddr::V6(address)) => address.is_loopback() || address.is_unique_local(),
        // A name without a dot is one of this network, as in a compose file.
        Err(_) => host == "localhost" || !host.contains('.'),
    }
}

impl Mailer {
    /// Whether the mail server answers.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub(crate) async fn check(&self) -> Result<(), String> {
        match self.transport.test_connection().await {
            Ok(true) => Ok(()),
            Ok(false) => Err("it answers, but not as a mail server should".to_owned()),
            Err(error) => Err(crate::wiring::explain(&error)),
        }
    }

    async fn send(&self, mail: &OutgoingMail) -> Result<(), Refusal> {
        let hopeless = |reason: String| Refusal { reason, is_hopeless: true };
        let to = mail.letter.to.parse::<Address>().map_err(|error| hopeless(error.to_string()))?;
        // The same for every try, so that a receiver can drop a repetition.
        let message_id = format!("<{}@{}>", mail.id, self.from.email.domain());
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(&mail.letter.subject)
            .message_id(Some(message_id))
            .date_now()
            .header(ContentType::TEXT_PLAIN)
            .body(mail.letter.text.clone())
            .map_err(|error| hopeless(error.to_string()))?;
        self.transport.send(message).await.map(drop).map_err(|error| Refusal {
            // What is said about the mailbox is final; what is said about us (a wrong password) can be mended.
            is_hopeless: error.status().is_some_and(|code| (550..560).contains(&u16::from(code))),
            reason: crate::wiring::explain(&error),
        })
    }
}

/// Sends until `stop` is cancelled.
pub(crate) fn spawn(records: Records, mailer: Mailer, stop: CancellationToken) -> JoinHandle<()> {
    tokio::spawn(async move {
        while !stop.is_cancelled() {
            match send_waiting(&records, &mailer).await {
                // There may be more.
                Ok(sent) if sent > 0 => continue,
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(
                        error = crate::wiring::explain(&error),
                        "the outbox cannot be read; again soon"
                    );
                }
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = records.mail_waits() => {}
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    })
}

/// Sends what is due now. Returns how many messages were tried.
///
/// # Errors
/// When the database fails.
pub async fn send_waiting(records: &Records, mailer: &Mailer) -> Result<usize, sluice_records::RecordError> {
    let claimed = records.claim_mail(BATCH).await?;
    for mail in &claimed {
        match mailer.send(mail).await {
            Ok(()) => {
                metrics::counter!("sluice_mail_total", "result" => "sent").increment(1);
                records.mail_sent(&mail.id).await?;
            }
            Err(refusal) => {
                metrics::counter!("sluice_mail_total", "result" => "failed").increment(1);
                records.mail_failed(mail, &refusal.reason, refusal.is_hopeless).await?;
                // Neither address nor text: the id is enough to find it.
                tracing::warn!(
                    mail = mail.id,
                    reason = refusal.reason,
                    hopeless = refusal.is_hopeless,
                    "mail was not taken"
                );
            }
        }
    }
    Ok(claimed.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn mail_does_not_leave_in_clear_text() {
        for good in [
            "smtps://user:password@smtp.example.com",
            "smtp://user:password@smtp.example.com:587?tls=required",
            "smtp://127.0.0.1:2525",
            "smtp://[::1]:2525",
            "smtp://localhost",
            "smtp://mailpit:1025",
            "smtp://10.1.2.3",
        ] {
            assert!(MailSettings::read(Some(good), Some("Sluice <a@example.com>")).is_ok(), "{good}");
        }
        for bad in [
            "smtp://smtp.example.com",
            "smtp://smtp.example.com?tls=opportunistic",
            "http://smtp.example.com",
            "smtp.example.com",
            "smtp://8.8.8.8",
        ] {
            assert!(MailSettings::read(Some(bad), Some("a@example.com")).is_err(), "{bad}");
        }
        assert!(MailSettings::read(Some("smtps://a.test"), Some("nobody")).is_err());
        assert!(MailSettings::read(None, None).unwrap().is_none());
    }
}
