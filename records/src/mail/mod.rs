//! Mail on its way: written in the transaction of what it tells about, sent afterwards by whoever has a mail server, so
//! that a crash loses none. Must not know how mail is sent.
//!
//! Texts may hold codes, so they are sealed with a key made from the master key while they wait, and forgotten when sent.

pub(crate) mod letters;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use serde::{Deserialize, Serialize};
use sluice_db::{DbError, Row, Tx};

use crate::{RecordError, Records, SealError, new_id};

/// A message to one person, in plain text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// An address.
    pub to: String,
    /// One line.
    pub subject: String,
    /// The message.
    pub text: String,
}

/// A message to be sent now.
#[derive(Debug, Clone, PartialEq)]
pub struct OutgoingMail {
    /// `mail_…`; the same for every try, so that the far end can drop a repetition.
    pub id: String,
    /// The message.
    pub letter: Letter,
    /// How often it was tried before.
    pub attempts: i64,
}

/// A message that could not be sent, as operators see it: not its text.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StuckMail {
    /// `mail_…`.
    pub id: String,
    /// Tries so far.
    pub attempts: i64,
    /// What the mail server said.
    pub last_error: Option<String>,
    /// When it was written.
    pub created_at: i64,
}

const SECOND: i64 = 1_000;
/// Who takes a message has so long to send it; then somebody else takes it.
const TURN_MS: i64 = 120 * SECOND;
/// Pause after the first failure; doubles up to the longest.
const FIRST_PAUSE_MS: i64 = 5 * SECOND;
const LONGEST_PAUSE_MS: i64 = 3_600 * SECOND;
/// A message that could not be sent for so long is given up: its code is long worthless.
const GIVE_UP_MS: i64 = 24 * 3_600 * SECOND;

const PURPOSE: &str = "mail";

impl Records {
    /// Writes a message down within a transaction. Call [`Self::mail_written`] after its commit.
    pub(crate) async fn post(&self, tx: &mut Tx, letter: &Letter) -> Result<(), RecordError> {
        const SQL: &str = "insert into mail_outbox (id, sealed, status, attempts, next_attempt_at, created_at) \
             values ($1, $2, 'waiting', 0, $3, $3)";
        let id = new_id("mail");
        let sealed = self.seal_letter(&id, letter)?;
        tx.query(SQL).bind(&id).bind(sealed).bind(self.now()).execute().await?;
        Ok(())
    }

    /// Wakes whoever sends mail in this process.
    pub(crate) fn mail_written(&self) {
        self.mail.notify_one();
    }

    /// Comes true when this process wrote mail since the last call.
    pub async fn mail_waits(&self) {
        self.mail.notified().await;
    }

    /// Takes up to `limit` messages that are due. Nobody else gets them for two minutes.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim_mail(&self, limit: u32) -> Result<Vec<OutgoingMail>, RecordError> {
        let now = self.now();
        let mut tx = self.begin().await?;
        let sql = format!(
            "select id, sealed, attempts from mail_outbox where status = 'waiting' and next_attempt_at <= $1 \
             order by next_attempt_at, id limit $2{}",
            tx.dialect().for_update_skip_locked()
        );
        let rows = tx.query(sql).bind(now).bind(limit).all().await?;
        let mut claimed = Vec::with_capacity(rows.len());
        for row in &rows {
            let (id, attempts) = (row.text("id")?, row.int("attempts")?);
            let (status, error) = match self.open_letter(&id, &row.bytes("sealed")?) {
                Ok(letter) => {
                    claimed.push(OutgoingMail { id: id.clone(), letter, attempts });
                    ("waiting", None)
                }
                // The master key was changed meanwhile. Whoever waits for the code asks for a new one.
                Err(error) => ("failed", Some(error.to_string())),
            };
            let sql = "update mail_outbox set attempts = $2, next_attempt_at = $3, status = $4, last_error = $5 \
                 where id = $1";
            let query = tx.query(sql).bind(&id).bind(attempts + 1).bind(now + TURN_MS).bind(status);
            query.bind(error).execute().await?;
        }
        tx.commit().await?;
        Ok(claimed)
    }

    /// The message was taken by a mail server: forgets it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn mail_sent(&self, id: &str) -> Result<(), RecordError> {
        self.db.query("delete from mail_outbox where id = $1").bind(id).execute().await?;
        Ok(())
    }

    /// The message was not taken: it is tried again later, unless that is hopeless.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn mail_failed(
        &self,
        mail: &OutgoingMail,
        error: &str,
        is_hopeless: bool,
    ) -> Result<(), RecordError> {
        const SQL: &str = "update mail_outbox set last_error = $2, next_attempt_at = $3, \
             status = case when $4 or created_at + $5 < $3 then 'failed' else 'waiting' end where id = $1";
        let doublings = u32::try_from(mail.attempts).unwrap_or(u32::MAX).min(16);
        let pause = (FIRST_PAUSE_MS << doublings).min(LONGEST_PAUSE_MS);
        let query = self.db.query(SQL).bind(&mail.id).bind(crate::ids::clean(error));
        query.bind(self.now() + pause).bind(is_hopeless).bind(GIVE_UP_MS).execute().await?;
        Ok(())
    }

    /// Messages that failed at least once, oldest first: for operators.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn stuck_mail(&self, limit: u32) -> Result<Vec<StuckMail>, RecordError> {
        let sql = "select id, attempts, last_error, created_at from mail_outbox where last_error is not null \
             order by created_at, id limit $1";
        let rows = self.db.query(sql).bind(limit).all().await?;
        let stuck = |row: &Row| -> Result<StuckMail, DbError> {
            Ok(StuckMail {
                id: row.text("id")?,
                attempts: row.int("attempts")?,
                last_error: row.opt_text("last_error")?,
                created_at: row.int("created_at")?,
            })
        };
        Ok(rows.iter().map(stuck).collect::<Result<_, _>>()?)
    }

    /// Forgets up to `limit` messages older than `before`, sent or not. Returns how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn purge_mail(&self, before: i64, limit: u32) -> Result<u64, RecordError> {
        const SQL: &str = "delete from mail_outbox where id in \
             (select id from mail_outbox where created_at < $1 order by created_at, id limit $2)";
        Ok(self.db.query(SQL).bind(before).bind(limit).execute().await?)
    }

    /// Nonce, then ciphertext and tag, bound to the row.
    fn seal_letter(&self, id: &str, letter: &Letter) -> Result<Vec<u8>, RecordError> {
        let mut text = serde_json::to_vec(letter).map_err(|_| SealError::Damaged)?;
        let nonce = letter_key(&self.derived_key(PURPOSE))?
            .seal_in_place_append_tag(Aad::from(id.as_bytes()), &mut text)
            .map_err(|_| SealError::NoRandomness)?;
        let mut sealed = nonce.as_ref().to_vec();
        sealed.append(&mut text);
        Ok(sealed)
    }

    /// Opens with whichever master key was in use when the letter was written.
    fn open_letter(&self, id: &str, sealed: &[u8]) -> Result<Letter, SealError> {
        let (nonce, text) = sealed.split_at_checked(NONCE_LEN).ok_or(SealError::Damaged)?;
        for (_, key) in self.vault().derived(PURPOSE) {
            let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError::Damaged)?;
            let mut text = text.to_vec();
            if let Ok(plain) = letter_key(&key)?.open_in_place(nonce, Aad::from(id.as_bytes()), &mut text) {
                return serde_json::from_slice(plain).map_err(|_| SealError::Damaged);
            }
        }
        Err(SealError::Damaged)
    }
}

fn letter_key(key: &[u8]) -> Result<RandomizedNonceKey, SealError> {
    RandomizedNonceKey::new(&AES_256_GCM, key).map_err(|_| SealError::BadKey)
}
