//! Holds: what is put aside before an effect, so that it cannot be spent twice, and settled, released or left to expire
//! afterwards. Each step of a hold is written once; a repetition finds it and changes nothing. Must not know prices.

use sluice_db::{Row, Tx};

use super::account::{Account, AccountKind};
use super::post::{Line, NewTransfer, lock_books, post_in};
use super::read::state_of;
use crate::{RecordError, Records, Scope};

/// The room that a plan leaves for one kind of usage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quota {
    /// Kind and month, such as `messages@1763769600000`: each month is counted by itself.
    pub unit: String,
    /// Pieces in that month; none for as many as one likes.
    pub limit: Option<i64>,
    /// Micro-units for each piece beyond the limit, which then stops nobody.
    pub overage: Option<i64>,
}

/// A wish to put something aside.
#[derive(Debug, Clone)]
pub struct NewHold {
    pub workspace_id: String,
    /// Names the effect for ever. While its hold is open or settled, the same key gives the same hold.
    pub key: String,
    /// Such as `message`.
    pub kind: String,
    /// Pieces.
    pub quantity: i64,
    /// Such as `marketing`; empty when not known.
    pub category: String,
    pub currency: String,
    /// Micro-units, for all pieces together.
    pub amount: i64,
    pub quota: Option<Quota>,
    /// Milliseconds since the epoch.
    pub expires_at: i64,
}

/// What is charged of a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charge {
    /// All of it.
    Whole,
    /// Of pieces and micro-units so many; more than was held counts as all.
    Part { quantity: i64, amount: i64 },
}

/// How a hold ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldEnd {
    /// The effect took place.
    Settled,
    /// It did not.
    Released,
    /// Nobody said anything in time.
    Expired,
}

impl HoldEnd {
    fn as_text(self) -> &'static str {
        match self {
            Self::Settled => "settled",
            Self::Released => "released",
            Self::Expired => "expired",
        }
    }

    fn from_text(text: &str) -> Option<Self> {
        [Self::Settled, Self::Released, Self::Expired].into_iter().find(|end| end.as_text() == text)
    }
}

/// How a hold stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldState {
    Open,
    Ended {
        how: HoldEnd,
        /// What it was settled with; nothing for other ends.
        quantity: i64,
        amount: i64,
        /// What was given back because less was due in the end.
        adjusted: Option<i64>,
        /// Everything was given back.
        is_refunded: bool,
    },
}

/// A hold as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    pub workspace_id: String,
    pub key: String,
    /// From 1; a new one for each hold after one that was released.
    pub round: i64,
    pub kind: String,
    pub quantity: i64,
    pub category: String,
    pub currency: String,
    pub amount: i64,
    /// The part of the amount that came from the bonus account.
    pub from_bonus: i64,
    /// The unit of the quota it counts against.
    pub quota: Option<String>,
    pub at: i64,
    pub expires_at: i64,
    pub state: HoldState,
}

impl Records {
    /// Puts something aside, bonus before wallet. A key whose hold is open or settled gives that hold.
    ///
    /// # Errors
    /// `Refused`: `plan_limit_reached` or `budget_exhausted`, and nothing is put aside; `Conflict` when the key holds
    /// something else.
    pub async fn hold(&self, wish: &NewHold) -> Result<Hold, RecordError> {
        if wish.quantity < 0 || wish.amount < 0 {
            return Err(RecordError::invalid("quantity", "0 or more"));
        }
        let now = self.now();
        let mut tx = self.begin().await?;
        lock_books(&mut tx, [wish.workspace_id.as_str()], now).await?;
        let last = last_hold(&mut tx, &wish.workspace_id, &wish.key).await?;
        let round = match last {
            Some(hold) if hold.is_over_for_nothing() => hold.round + 1,
            Some(hold) if hold.kind == wish.kind && hold.quantity == wish.quantity => return Ok(hold),
            Some(hold) => {
                let message = format!("{:?} already holds {} {}", wish.key, hold.quantity, hold.kind);
                return Err(RecordError::conflict(message));
            }
            None => 1,
        };
        let amount = wish.amount.saturating_add(overage(&mut tx, wish).await?);
        let bonus = Account::new(&workspace(wish), AccountKind::Bonus, &*wish.currency);
        let hold = Hold {
            workspace_id: wish.workspace_id.clone(),
            key: wish.key.clone(),
            round,
            kind: wish.kind.clone(),
            quantity: wish.quantity,
            category: wish.category.clone(),
            currency: wish.currency.clone(),
            amount,
            from_bonus: state_of(&mut tx, &bonus).await?.balance.clamp(0, amount),
            quota: wish.quota.as_ref().map(|quota| quota.unit.clone()),
            at: now,
            expires_at: wish.expires_at,
            state: HoldState::Open,
        };
        let hard = wish.quota.as_ref().filter(|quota| quota.overage.is_none());
        let limit = hard.and_then(|quota| quota.limit);
        let mut lines = hold.money(-hold.from_bonus, hold.from_bonus - hold.amount, hold.amount, 0);
        lines.extend(hold.pieces(-hold.quantity, hold.quantity, 0, limit.map_or(i64::MIN, |limit| -limit)));
        hold.post(&mut tx, "hold", lines, &self.signature(), now).await?;
        insert(&mut tx, &hold).await?;
        tx.commit().await?;
        Ok(hold)
    }

    /// The hold of a key as it stands; none when there was never one.
    pub async fn find_hold(&self, workspace_id: &str, key: &str) -> Result<Option<Hold>, RecordError> {
        let row = self.db.query(LAST).bind(workspace_id).bind(key).optional().await?;
        row.as_ref().map(from_row).transpose()
    }

    /// Charges an open hold and gives the rest back. One that has ended stays as it is. Answers how it stands now.
    pub async fn settle_hold(
        &self,
        workspace_id: &str,
        key: &str,
        charge: Charge,
    ) -> Result<Option<Hold>, RecordError> {
        self.end_hold(workspace_id, key, HoldEnd::Settled, charge).await
    }

    /// Gives everything back that an open hold put aside. One that has ended stays as it is.
    pub async fn release_hold(&self, workspace_id: &str, key: &str) -> Result<Option<Hold>, RecordError> {
        self.end_hold(workspace_id, key, HoldEnd::Released, Charge::Part { quantity: 0, amount: 0 }).await
    }

    /// Ends up to `limit` holds whose time is over, and says how many.
    pub async fn expire_holds(&self, limit: u32) -> Result<u64, RecordError> {
        let sql = "select workspace_id, hold_key from ledger_open_holds where expires_at <= $1 \
                   order by expires_at limit $2";
        let rows = self.db.query(sql).bind(self.now()).bind(limit).all().await?;
        for row in &rows {
            let (workspace_id, key) = (row.text("workspace_id")?, row.text("hold_key")?);
            let nothing = Charge::Part { quantity: 0, amount: 0 };
            self.end_hold(&workspace_id, &key, HoldEnd::Expired, nothing).await?;
        }
        Ok(rows.len() as u64)
    }

    async fn end_hold(
        &self,
        workspace_id: &str,
        key: &str,
        how: HoldEnd,
        charge: Charge,
    ) -> Result<Option<Hold>, RecordError> {
        let now = self.now();
        let mut tx = self.begin().await?;
        lock_books(&mut tx, [workspace_id], now).await?;
        let Some(mut hold) = last_hold(&mut tx, workspace_id, key).await? else { return Ok(None) };
        let is_due = how != HoldEnd::Expired || hold.expires_at <= now;
        if hold.state != HoldState::Open || !is_due {
            return Ok(Some(hold));
        }
        let (quantity, amount) = match charge {
            Charge::Whole => (hold.quantity, hold.amount),
            Charge::Part { quantity, amount } => {
                (quantity.clamp(0, hold.quantity), amount.clamp(0, hold.amount))
            }
        };
        let bonus_used = amount.min(hold.from_bonus);
        let bonus_back = hold.from_bonus - bonus_used;
        let mut lines = hold.money(bonus_back, hold.amount - amount - bonus_back, -hold.amount, amount);
        lines.extend(hold.pieces(hold.quantity - quantity, -hold.quantity, quantity, i64::MIN));
        hold.post(&mut tx, "end", lines, &self.signature(), now).await?;
        hold.step(&mut tx, "end", how.as_text(), (quantity, amount), now).await?;
        tx.query("delete from ledger_open_holds where workspace_id = $1 and hold_key = $2 and round = $3")
            .bind(workspace_id)
            .bind(key)
            .bind(hold.round)
            .execute()
            .await?;
        tx.commit().await?;
        hold.state = HoldState::Ended { how, quantity, amount, adjusted: None, is_refunded: false };
        Ok(Some(hold))
    }

    /// Gives back everything that a settled hold was charged: once. Answers whether this was the time.
    pub async fn refund_hold(&self, workspace_id: &str, key: &str) -> Result<bool, RecordError> {
        let now = self.now();
        let mut tx = self.begin().await?;
        lock_books(&mut tx, [workspace_id], now).await?;
        let Some(hold) = last_hold(&mut tx, workspace_id, key).await? else { return Ok(false) };
        let HoldState::Ended { how: HoldEnd::Settled, quantity, amount, adjusted, is_refunded: false } =
            hold.state
        else {
            return Ok(false);
        };
        let left = amount - adjusted.unwrap_or_default();
        let mut lines = hold.back(amount, left, adjusted.unwrap_or_default());
        lines.extend(hold.pieces(quantity, 0, -quantity, i64::MIN));
        hold.post(&mut tx, "refund", lines, &self.signature(), now).await?;
        hold.step(&mut tx, "refund", "refunded", (quantity, left), now).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Gives back what a settled hold was charged beyond `due` micro-units: once. Answers whether this was the time.
    pub async fn adjust_hold(&self, workspace_id: &str, key: &str, due: i64) -> Result<bool, RecordError> {
        let now = self.now();
        let mut tx = self.begin().await?;
        lock_books(&mut tx, [workspace_id], now).await?;
        let Some(hold) = last_hold(&mut tx, workspace_id, key).await? else { return Ok(false) };
        let HoldState::Ended { how: HoldEnd::Settled, amount, adjusted: None, is_refunded: false, .. } =
            hold.state
        else {
            return Ok(false);
        };
        let back = amount - due.clamp(0, amount);
        hold.post(&mut tx, "adjust", hold.back(amount, back, 0), &self.signature(), now).await?;
        hold.step(&mut tx, "adjust", "adjusted", (0, back), now).await?;
        tx.commit().await?;
        Ok(true)
    }
}

/// What the pieces beyond the limit cost. The book is locked, so nobody else takes the last free piece meanwhile.
async fn overage(tx: &mut Tx, wish: &NewHold) -> Result<i64, RecordError> {
    let Some(Quota { unit, limit: Some(limit), overage: Some(price) }) = &wish.quota else { return Ok(0) };
    let room = Account::new(&workspace(wish), AccountKind::Quota, &**unit);
    let used = -state_of(tx, &room).await?.balance;
    let beyond = used.saturating_add(wish.quantity).saturating_sub(*limit).clamp(0, wish.quantity);
    Ok(beyond.saturating_mul(*price))
}

fn workspace(wish: &NewHold) -> Scope {
    Scope::Workspace(wish.workspace_id.clone())
}

impl Hold {
    /// It ended without a charge, so the key may hold anew.
    pub fn is_over_for_nothing(&self) -> bool {
        matches!(self.state, HoldState::Ended { how: HoldEnd::Released | HoldEnd::Expired, .. })
    }

    fn account(&self, kind: AccountKind, unit: &str) -> Account {
        Account::new(&Scope::Workspace(self.workspace_id.clone()), kind, unit)
    }

    fn money(&self, bonus: i64, wallet: i64, reserved: i64, revenue: i64) -> Vec<Line> {
        let kinds = [
            (AccountKind::Bonus, bonus),
            (AccountKind::Wallet, wallet),
            (AccountKind::Reserved, reserved),
            (AccountKind::Revenue, revenue),
        ];
        kinds.map(|(kind, amount)| Line::new(self.account(kind, &self.currency), amount)).into()
    }

    /// Lines of the quota, if it counts against one.
    fn pieces(&self, quota: i64, reserved: i64, revenue: i64, floor: i64) -> Vec<Line> {
        let Some(unit) = &self.quota else { return Vec::new() };
        let mut room = Line::new(self.account(AccountKind::Quota, unit), quota);
        room.floor = Some(floor);
        let of = |kind, amount| Line::new(self.account(kind, unit), amount);
        vec![room, of(AccountKind::Reserved, reserved), of(AccountKind::Revenue, revenue)]
    }

    /// Lines that give `back` micro-units of a charge of `charged` back, after `before` had been given back: to the wallet
    /// first, because the bonus had been spent first.
    fn back(&self, charged: i64, back: i64, before: i64) -> Vec<Line> {
        let of_wallet = charged - charged.min(self.from_bonus);
        let wallet = (of_wallet - before).clamp(0, back);
        self.money(back - wallet, wallet, 0, -back)
    }

    /// Writes the transfer of a step, unless nothing moves.
    async fn post(
        &self,
        tx: &mut Tx,
        step: &str,
        lines: Vec<Line>,
        actor: &str,
        now: i64,
    ) -> Result<(), RecordError> {
        if lines.iter().all(|line| line.amount == 0) {
            return Ok(());
        }
        let transfer = NewTransfer {
            owner: Scope::Workspace(self.workspace_id.clone()),
            key: format!("{step}/{}/{}", self.round, self.key),
            reason: format!("{}.{step}", self.kind),
            reference: Some(self.key.clone()),
            lines,
        };
        post_in(tx, &transfer, actor, now).await?;
        Ok(())
    }

    async fn step(
        &self,
        tx: &mut Tx,
        step: &str,
        outcome: &str,
        (quantity, amount): (i64, i64),
        now: i64,
    ) -> Result<(), RecordError> {
        tx.query(
            "insert into ledger_hold_steps (workspace_id, hold_key, round, step, outcome, quantity, amount, at) \
             values ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(&self.workspace_id)
        .bind(&self.key)
        .bind(self.round)
        .bind(step)
        .bind(outcome)
        .bind(quantity)
        .bind(amount)
        .bind(now)
        .execute()
        .await?;
        Ok(())
    }
}

async fn insert(tx: &mut Tx, hold: &Hold) -> Result<(), RecordError> {
    tx.query(
        "insert into ledger_holds (workspace_id, hold_key, round, kind, quantity, category, currency, amount, from_bonus, \
         quota, at, expires_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(&hold.workspace_id)
    .bind(&hold.key)
    .bind(hold.round)
    .bind(&hold.kind)
    .bind(hold.quantity)
    .bind(&hold.category)
    .bind(&hold.currency)
    .bind(hold.amount)
    .bind(hold.from_bonus)
    .bind(&hold.quota)
    .bind(hold.at)
    .bind(hold.expires_at)
    .execute()
    .await?;
    tx.query(
        "insert into ledger_open_holds (workspace_id, hold_key, round, expires_at) values ($1, $2, $3, $4)",
    )
    .bind(&hold.workspace_id)
    .bind(&hold.key)
    .bind(hold.round)
    .bind(hold.expires_at)
    .execute()
    .await?;
    Ok(())
}

/// The last hold of a key with what became of it.
const LAST: &str = "select h.*, s.outcome, s.quantity as settled_quantity, s.amount as settled_amount, \
     a.amount as adjusted, r.step as refunded from ledger_holds h \
     left join ledger_hold_steps s on s.workspace_id = h.workspace_id and s.hold_key = h.hold_key \
       and s.round = h.round and s.step = 'end' \
     left join ledger_hold_steps a on a.workspace_id = h.workspace_id and a.hold_key = h.hold_key \
       and a.round = h.round and a.step = 'adjust' \
     left join ledger_hold_steps r on r.workspace_id = h.workspace_id and r.hold_key = h.hold_key \
       and r.round = h.round and r.step = 'refund' \
     where h.workspace_id = $1 and h.hold_key = $2 order by h.round desc limit 1";

async fn last_hold(tx: &mut Tx, workspace_id: &str, key: &str) -> Result<Option<Hold>, RecordError> {
    let row = tx.query(LAST).bind(workspace_id).bind(key).optional().await?;
    row.as_ref().map(from_row).transpose()
}

fn from_row(row: &Row) -> Result<Hold, RecordError> {
    let state = match row.opt_text("outcome")?.as_deref().and_then(HoldEnd::from_text) {
        None => HoldState::Open,
        Some(how) => HoldState::Ended {
            how,
            quantity: row.int("settled_quantity")?,
            amount: row.int("settled_amount")?,
            adjusted: row.opt_int("adjusted")?,
            is_refunded: row.opt_text("refunded")?.is_some(),
        },
    };
    Ok(Hold {
        workspace_id: row.text("workspace_id")?,
        key: row.text("hold_key")?,
        round: row.int("round")?,
        kind: row.text("kind")?,
        quantity: row.int("quantity")?,
        category: row.text("category")?,
        currency: row.text("currency")?,
        amount: row.int("amount")?,
        from_bonus: row.int("from_bonus")?,
        quota: row.opt_text("quota")?,
        at: row.int("at")?,
        expires_at: row.int("expires_at")?,
        state,
    })
}
