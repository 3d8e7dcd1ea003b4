//! Accounts: whose they are, what they are for, and what is counted in them. Must not know transfers.

use std::fmt;

use crate::{RecordError, Scope};

/// The currency of whoever names none.
pub const DEFAULT_CURRENCY: &str = "INR";

/// What an account is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AccountKind {
    /// Bonus credits; spent before the wallet and never moved on.
    Bonus,
    /// Where credits come from. The only account that goes below zero by right: what it is short of is in circulation.
    Issued,
    /// The room that a plan leaves in a month, counted from zero downwards: its floor is the limit.
    Quota,
    /// Put aside by holds.
    Reserved,
    /// What was charged. Kept by the payer's book, so that two workspaces never wait for each other.
    Revenue,
    /// What can be spent and moved on.
    Wallet,
}

impl AccountKind {
    const ALL: &[Self] =
        &[Self::Bonus, Self::Issued, Self::Quota, Self::Reserved, Self::Revenue, Self::Wallet];

    /// As stored and shown.
    pub fn as_text(self) -> &'static str {
        match self {
            Self::Bonus => "bonus",
            Self::Issued => "issued",
            Self::Quota => "quota",
            Self::Reserved => "reserved",
            Self::Revenue => "revenue",
            Self::Wallet => "wallet",
        }
    }

    /// The balance below which no transfer may bring it, unless the transfer says otherwise.
    pub(super) fn floor(self) -> i64 {
        match self {
            Self::Issued => i64::MIN,
            _ => 0,
        }
    }
}

/// One account. Ordered by owner and name, which is the order in which accounts are written.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Account {
    /// `platform`, `rs_…` or `ws_…`.
    owner: String,
    kind: AccountKind,
    unit: String,
}

impl Account {
    /// The account of a scope. The unit is a currency (amounts are then micro-units of it) or the name of what is
    /// counted.
    pub fn new(owner: &Scope, kind: AccountKind, unit: impl Into<String>) -> Self {
        Self { owner: book(owner).to_owned(), kind, unit: unit.into() }
    }

    /// Whose it is: `platform`, `rs_…` or `ws_…`.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// What it is for.
    pub fn kind(&self) -> AccountKind {
        self.kind
    }

    /// What is counted in it.
    pub fn unit(&self) -> &str {
        &self.unit
    }

    /// Kind and unit, as stored: `wallet/INR`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.kind.as_text(), self.unit)
    }

    /// The account of that stored name.
    pub(super) fn from_stored(owner: &str, name: &str) -> Option<Self> {
        let (kind, unit) = name.split_once('/')?;
        let kind = *AccountKind::ALL.iter().find(|known| known.as_text() == kind)?;
        Some(Self { owner: owner.to_owned(), kind, unit: unit.to_owned() })
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}/{}", self.owner, self.kind.as_text(), self.unit)
    }
}

/// The name of a scope's book. Ids carry their kind in front, so no two scopes share one.
pub(crate) fn book(owner: &Scope) -> &str {
    match owner {
        Scope::Platform => "platform",
        Scope::Reseller(id) | Scope::Workspace(id) => id,
    }
}

/// The scope of a book.
pub(crate) fn scope_of(book: &str) -> Scope {
    match book.split_once('_') {
        Some(("rs", _)) => Scope::Reseller(book.to_owned()),
        Some(_) => Scope::Workspace(book.to_owned()),
        None => Scope::Platform,
    }
}

/// A currency as ISO 4217 writes it: three capital letters.
///
/// # Errors
/// `Invalid` for anything else.
pub(crate) fn check_currency(currency: &str) -> Result<(), RecordError> {
    if currency.len() == 3 && currency.bytes().all(|letter| letter.is_ascii_uppercase()) {
        return Ok(());
    }
    Err(RecordError::invalid("currency", "write a currency as three capital letters, for example INR"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back() {
        for scope in [Scope::Platform, Scope::Reseller("rs_1".into()), Scope::Workspace("ws_1".into())] {
            assert_eq!(scope_of(book(&scope)), scope);
            for kind in AccountKind::ALL {
                let account = Account::new(&scope, *kind, "INR");
                assert_eq!(Account::from_stored(account.owner(), &account.name()), Some(account));
            }
        }
        assert_eq!(Account::from_stored("ws_1", "purse/INR"), None);
        assert_eq!(Account::from_stored("ws_1", "wallet"), None);
    }

    #[test]
    fn currencies() {
        assert!(check_currency("INR").is_ok());
        for wrong in ["", "inr", "RUPEE", "IN", "I1R"] {
            assert!(check_currency(wrong).is_err(), "{wrong}");
        }
    }
}
