//! One way to recognise a person.

use std::borrow::Cow;

use serde::{Serialize, Serializer};
use sluice_db::{DbError, Row};

use crate::ids::clean;
use crate::{RecordError, normalise_phone};

/// What sort of identity.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum IdentityKind {
    Phone,
    /// WhatsApp's business-scoped user id, for example `US.13491208655302741918`.
    UserId,
    Email,
    /// An id in another system, named.
    External(String),
}

impl IdentityKind {
    /// `phone`, `bsuid`, `email` or `external:<system>`.
    pub fn as_text(&self) -> Cow<'_, str> {
        match self {
            IdentityKind::Phone => "phone".into(),
            IdentityKind::UserId => "bsuid".into(),
            IdentityKind::Email => "email".into(),
            IdentityKind::External(system) => format!("external:{system}").into(),
        }
    }

    /// The other way.
    pub fn from_text(text: &str) -> Option<Self> {
        match text {
            "phone" => Some(IdentityKind::Phone),
            "bsuid" => Some(IdentityKind::UserId),
            "email" => Some(IdentityKind::Email),
            other => other.strip_prefix("external:").map(|system| IdentityKind::External(system.to_owned())),
        }
    }
}

impl Serialize for IdentityKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.as_text())
    }
}

/// An identity: `value` is compared, `address` is written to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Identity {
    pub kind: IdentityKind,
    pub value: String,
    pub address: String,
}

impl Identity {
    /// A telephone number with its country code, or a national one of `region` (two letters).
    pub fn phone(text: &str, region: Option<&str>) -> Result<Self, RecordError> {
        let phone = normalise_phone(text, region).ok_or_else(|| {
            RecordError::invalid(
                "phone",
                "not a telephone number; write it with its country code, such as +91 98765 43210",
            )
        })?;
        Ok(Self { kind: IdentityKind::Phone, value: phone.key, address: phone.address })
    }

    /// A WhatsApp business-scoped user id.
    pub fn user_id(text: &str) -> Result<Self, RecordError> {
        Self::plain(IdentityKind::UserId, "user_id", text)
    }

    /// An e-mail address, compared without regard to case.
    pub fn email(text: &str) -> Result<Self, RecordError> {
        let text = text.trim();
        let parts = text.split_once('@').filter(|(user, host)| !user.is_empty() && host.contains('.'));
        if parts.is_none() || text.chars().any(char::is_whitespace) {
            return Err(RecordError::invalid("email", "not an e-mail address"));
        }
        let mut identity = Self::plain(IdentityKind::Email, "email", text)?;
        identity.value = identity.value.to_lowercase();
        Ok(identity)
    }

    /// An id in another system.
    pub fn external(system: &str, id: &str) -> Result<Self, RecordError> {
        if system.is_empty() {
            return Err(RecordError::invalid("system", "name the system the id belongs to"));
        }
        Self::plain(IdentityKind::External(clean(system)), "id", id)
    }

    fn plain(kind: IdentityKind, path: &str, text: &str) -> Result<Self, RecordError> {
        let text = clean(text.trim());
        if text.is_empty() || text.len() > 512 {
            return Err(RecordError::invalid(path, "use 1 to 512 characters"));
        }
        Ok(Self { kind, value: text.clone(), address: text })
    }

    pub(crate) fn from_row(row: &Row) -> Result<Self, DbError> {
        let kind = row.text("kind")?;
        Ok(Self {
            kind: IdentityKind::from_text(&kind)
                .ok_or_else(|| DbError::Corrupt { message: format!("identity kind {kind:?} is unknown") })?,
            value: row.text("value")?,
            address: row.text("address")?,
        })
    }
}
