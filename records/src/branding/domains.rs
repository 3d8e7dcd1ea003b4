//! Host names: claimed by many, proved by one. The proof is a TXT record that only the owner of the name can set.

use crate::audit::Target;
use crate::tokens::new_token;
use crate::{RecordError, Records, Scope};
use serde::Serialize;
use serde_json::json;
use sluice_db::{DbError, Row};
use std::future::Future;
use std::pin::Pin;

/// Where the record stands, before the host name.
const LABEL: &str = "_sluice";
/// How the record's text begins.
const PREFIX: &str = "sluice-domain=";
/// Most names of one scope.
const MOST: i64 = 20;

/// Asks the DNS. A value, so that tests and networks of their own can answer.
pub trait TxtLookup: Send + Sync {
    /// The texts of all TXT records of a name; empty when there are none.
    ///
    /// The error is for people: why nobody could be asked.
    fn txt<'a>(
        &'a self,
        name: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<Vec<String>, String>> + Send + 'a>>;
}

/// How far a name is proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DomainStatus {
    /// Nothing is shown under it yet.
    Pending,
    /// The record was seen.
    Verified,
}

impl DomainStatus {
    /// As stored and shown.
    pub fn as_text(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Verified => "verified",
        }
    }
}

/// A host name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Domain {
    /// In small ASCII letters.
    pub host: String,
    /// How far it is proved.
    pub status: DomainStatus,
    /// Name of the TXT record that proves it.
    pub record_name: String,
    /// Text of that record.
    pub record_value: String,
    /// What was wrong when it was looked for last.
    pub problem: Option<String>,
    /// When it was claimed.
    pub created_at: i64,
    /// When the record was looked for last.
    pub checked_at: Option<i64>,
    /// When it was proved.
    pub verified_at: Option<i64>,
}

impl Domain {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let host = row.text("host")?;
        let is_verified = row.text("status")? == DomainStatus::Verified.as_text();
        Ok(Self {
            status: if is_verified { DomainStatus::Verified } else { DomainStatus::Pending },
            record_name: record_name(&host),
            record_value: format!("{PREFIX}{}", row.text("token")?),
            problem: row.opt_text("problem")?,
            created_at: row.int("created_at")?,
            checked_at: row.opt_int("checked_at")?,
            verified_at: row.opt_int("verified_at")?,
            host,
        })
    }
}

fn record_name(host: &str) -> String {
    format!("{LABEL}.{host}")
}

/// A host name as it is stored: small ASCII letters (IDNA), no port, at least two labels.
fn host_of(text: &str) -> Result<String, RecordError> {
    let wrong =
        || RecordError::invalid("host", "a host name looks like chat.example.com, without https:// and path");
    let text = text.trim().trim_end_matches('.');
    // Room for the label in front (RFC 1035: 253 characters in all).
    if text.is_empty() || text.len() > 240 || text.contains(['/', ':', '@', ' ']) {
        return Err(wrong());
    }
    match url::Host::parse(text) {
        Ok(url::Host::Domain(host)) if host.contains('.') && !host.ends_with(".localhost") => Ok(host),
        _ => Err(wrong()),
    }
}

impl Records {
    /// Claims a host name for a scope. Claiming it again answers the claim that is there.
    ///
    /// # Errors
    /// `Invalid` for what is no host name; `Conflict` when somebody else proved it, or with too many names.
    pub async fn add_domain(&self, scope: &Scope, host: &str) -> Result<Domain, RecordError> {
        let (host, now) = (host_of(host)?, self.now());
        let mut tx = self.begin().await?;
        tx.lock(&format!("domains {}/{}", scope.kind(), scope.id())).await?;
        let counted = tx
            .query("select count(*) as n from domains where scope_kind = $1 and scope_id = $2 and host <> $3")
            .bind(scope.kind())
            .bind(scope.id())
            .bind(&host)
            .one()
            .await?;
        if counted.int("n")? >= MOST {
            return Err(RecordError::conflict(format!("at most {MOST} host names; remove one first")));
        }
        let sql = "insert into domains (host, scope_kind, scope_id, token, status, created_at) \
                   values ($1, $2, $3, $4, 'pending', $5) on conflict do nothing";
        let query = tx.query(sql).bind(&host).bind(scope.kind()).bind(scope.id()).bind(new_token("")?);
        if query.bind(now).execute().await? == 1 {
            let target = Target::new("domain", &*host);
            self.audit(&mut tx, super::change(scope, "domain.added", target)).await?;
        }
        tx.commit().await?;
        self.domain(scope, &host).await
    }

    /// A scope's claim to a host name.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn domain(&self, scope: &Scope, host: &str) -> Result<Domain, RecordError> {
        let sql = "select * from domains where host = $1 and scope_kind = $2 and scope_id = $3";
        let row = self.db.query(sql).bind(host).bind(scope.kind()).bind(scope.id()).optional().await?;
        Ok(Domain::from_row(&row.ok_or_else(|| RecordError::not_found("domain", host))?)?)
    }

    /// All claims of a scope, by name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_domains(&self, scope: &Scope) -> Result<Vec<Domain>, RecordError> {
        let sql = "select * from domains where scope_kind = $1 and scope_id = $2 order by host";
        let rows = self.db.query(sql).bind(scope.kind()).bind(scope.id()).all().await?;
        Ok(rows.iter().map(Domain::from_row).collect::<Result<_, _>>()?)
    }

    /// Gives a host name up.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn remove_domain(&self, scope: &Scope, host: &str) -> Result<(), RecordError> {
        let mut tx = self.begin().await?;
        let sql = "delete from domains where host = $1 and scope_kind = $2 and scope_id = $3";
        if tx.query(sql).bind(host).bind(scope.kind()).bind(scope.id()).execute().await? == 0 {
            return Err(RecordError::not_found("domain", host));
        }
        self.audit(&mut tx, super::change(scope, "domain.removed", Target::new("domain", host))).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Looks for the record of a claim. When it is there, the name is this scope's: also when somebody else proved it
    /// before whose record is there no more. When it is not, the claim says why; what was proved stays proved, because a
    /// DNS that is out of order must not take a shop off its address.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when somebody else's record is there too.
    pub async fn verify_domain(
        &self,
        scope: &Scope,
        host: &str,
        dns: &dyn TxtLookup,
    ) -> Result<Domain, RecordError> {
        let claim = self.domain(scope, host).await?;
        let found = dns.txt(&claim.record_name).await;
        let now = self.now();
        let problem = match &found {
            Err(reason) => Some(format!("the name servers could not be asked: {reason}")),
            Ok(texts) if texts.iter().any(|text| text.trim() == claim.record_value) => None,
            Ok(texts) if texts.is_empty() => Some(format!("there is no TXT record at {}", claim.record_name)),
            Ok(_) => Some(format!("the TXT record at {} says something else", claim.record_name)),
        };
        let mut tx = self.begin().await?;
        tx.lock(&format!("domain {host}")).await?;
        if let Some(problem) = problem {
            let sql = "update domains set problem = $4, checked_at = $5 \
                       where host = $1 and scope_kind = $2 and scope_id = $3";
            let query = tx.query(sql).bind(host).bind(scope.kind()).bind(scope.id());
            query.bind(problem).bind(now).execute().await?;
            tx.commit().await?;
            return self.domain(scope, host).await;
        }
        let sql = "select * from domains where host = $1 and status = 'verified' and not (scope_kind = $2 and scope_id = $3)";
        let other = tx.query(sql).bind(host).bind(scope.kind()).bind(scope.id()).optional().await?;
        if let Some(other) = other {
            let theirs = format!("{PREFIX}{}", other.text("token")?);
            if found.is_ok_and(|texts| texts.iter().any(|text| text.trim() == theirs)) {
                let message =
                    "somebody else has proved this name, and their TXT record is there too; remove it first";
                return Err(RecordError::conflict(message));
            }
            let sql = "update domains set status = 'pending', verified_at = null, problem = $2 \
                       where host = $1 and status = 'verified'";
            tx.query(sql).bind(host).bind("somebody else proved this name").execute().await?;
        }
        let sql = "update domains set status = 'verified', problem = null, checked_at = $4, \
                   verified_at = coalesce(verified_at, $4) where host = $1 and scope_kind = $2 and scope_id = $3";
        let query = tx.query(sql).bind(host).bind(scope.kind()).bind(scope.id());
        if query.bind(now).execute().await? == 0 {
            return Err(RecordError::not_found("domain", host));
        }
        if claim.status == DomainStatus::Pending {
            let change = super::change(scope, "domain.verified", Target::new("domain", host));
            self.audit(&mut tx, change.after(json!({ "record": claim.record_name }))).await?;
        }
        tx.commit().await?;
        self.domain(scope, host).await
    }

    /// Whose pages are shown under a host name (without a port).
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn scope_of_host(&self, host: &str) -> Result<Option<Scope>, RecordError> {
        let Ok(host) = host_of(host) else { return Ok(None) };
        let sql = "select scope_kind, scope_id from domains where host = $1 and status = 'verified'";
        let Some(row) = self.db.query(sql).bind(host).optional().await? else { return Ok(None) };
        Ok(Scope::from_parts(&row.text("scope_kind")?, &row.text("scope_id")?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_names_are_written_in_one_way() {
        for (given, wanted) in [
            ("Chat.Example.com", Some("chat.example.com")),
            (" shop.example.com. ", Some("shop.example.com")),
            ("bücher.example", Some("xn--bcher-kva.example")),
            ("localhost", None),
            ("a.localhost", None),
            ("127.0.0.1", None),
            ("[::1]", None),
            ("https://example.com", None),
            ("example.com:8080", None),
            ("exa mple.com", None),
            ("", None),
        ] {
            assert_eq!(host_of(given).ok().as_deref(), wanted, "{given}");
        }
    }
}
