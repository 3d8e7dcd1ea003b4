//! Credits on their way down and up: the platform issues them, resellers pass them on, workspaces spend them. One
//! transfer each, so that nothing is ever between two wallets. Must not know who may move what.

use std::collections::BTreeSet;

use serde_json::json;

use super::account::{Account, AccountKind, check_currency};
use super::post::{Line, NewTransfer, Posted, Transfer, post_in};
use crate::audit::{Change, Target, chain_of};
use crate::{RecordError, Records, Scope};

/// A wish to move credits.
#[derive(Debug, Clone)]
pub struct CreditMove {
    /// Whose key it is: the scope in which the mover acts.
    pub by: Scope,
    /// The idempotency key.
    pub key: String,
    pub from: Scope,
    pub to: Scope,
    /// Micro-units, more than 0.
    pub amount: i64,
    pub currency: String,
    /// Goes to the receiver's bonus account: spent first, and never moved on.
    pub is_bonus: bool,
    /// What it is about, for people.
    pub reference: Option<String>,
}

impl CreditMove {
    /// What the audit trail says: to who gives, who gets, and who moves.
    fn changes(&self, made: &Transfer) -> Vec<Change> {
        let target = Target::new("transfer", &*made.id).named(self.reference.as_deref().unwrap_or_default());
        let after = json!({
            "from": chain_of(&self.from), "to": chain_of(&self.to), "amount": self.amount,
            "currency": self.currency, "bonus": self.is_bonus,
        });
        let chains: BTreeSet<&str> = [&self.by, &self.from, &self.to].map(chain_of).into();
        let change = |chain| Change::new(chain, "credits.moved", target.clone()).after(after.clone());
        chains.into_iter().map(change).collect()
    }
}

impl Records {
    /// Moves credits from one scope to another, at once. Credits from the platform come into being, credits back to the
    /// platform cease to be.
    ///
    /// # Errors
    /// `Invalid` for an amount that is not more than 0, a currency that is none, or a move to oneself; `NotFound` for a
    /// workspace or reseller that does not exist; `Conflict` when the key was used for something else; `Refused`
    /// (`budget_exhausted`) when the wallet does not hold that much.
    pub async fn move_credits(&self, wish: &CreditMove) -> Result<Posted, RecordError> {
        check_currency(&wish.currency)?;
        if wish.amount <= 0 {
            return Err(RecordError::invalid("amount", "more than 0 micro-units"));
        }
        if wish.from == wish.to {
            return Err(RecordError::invalid("to", "somebody other than who gives"));
        }
        if wish.is_bonus && wish.to == Scope::Platform {
            return Err(RecordError::invalid("bonus", "the platform takes no bonus"));
        }
        for scope in [&wish.from, &wish.to] {
            self.require_scope(scope).await?;
        }
        let account = |scope: &Scope, kind| Account::new(scope, kind, &*wish.currency);
        let kind = |scope: &Scope| match scope {
            Scope::Platform => AccountKind::Issued,
            _ => AccountKind::Wallet,
        };
        let into = if wish.is_bonus { AccountKind::Bonus } else { kind(&wish.to) };
        let transfer = NewTransfer {
            owner: wish.by.clone(),
            key: format!("credits/{}", wish.key),
            reason: "credits.moved".into(),
            reference: wish.reference.clone(),
            lines: vec![
                Line::new(account(&wish.from, kind(&wish.from)), -wish.amount),
                Line::new(account(&wish.to, into), wish.amount),
            ],
        };
        let mut tx = self.begin().await?;
        let posted = post_in(&mut tx, &transfer, &self.signature(), self.now()).await?;
        if posted.is_new {
            self.audit_as(&mut tx, self.actor(), wish.changes(&posted.transfer)).await?;
        }
        tx.commit().await?;
        Ok(posted)
    }

    /// Refuses a scope that does not exist.
    pub(crate) async fn require_scope(&self, scope: &Scope) -> Result<(), RecordError> {
        let sql = match scope {
            Scope::Platform => return Ok(()),
            Scope::Reseller(_) => "select 1 as found from resellers where id = $1",
            Scope::Workspace(_) => "select 1 as found from workspaces where id = $1",
        };
        match self.db.query(sql).bind(scope.id()).optional().await? {
            Some(_) => Ok(()),
            None => Err(RecordError::not_found(scope.kind(), scope.id())),
        }
    }
}
