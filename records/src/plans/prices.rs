//! Prices: what a message of a category or a token costs, since when and until when. A price is written once; a new one
//! takes its place by beginning later. Must not know balances.

use serde::Serialize;
use sluice_db::{DbError, Row};

use crate::audit::{Change, Target, chain_of};
use crate::ids::{clean, new_id};
use crate::ledger::{book, check_currency, scope_of};
use crate::{RecordError, Records, Scope};

/// A price that is to be.
#[derive(Debug, Clone)]
pub struct NewPrice {
    /// Such as `message` or `ai_token`.
    pub kind: String,
    /// Of this category or model; empty for all others.
    pub category: String,
    pub currency: String,
    /// Micro-units for `per` pieces.
    pub amount: i64,
    pub per: i64,
    /// Milliseconds since the epoch.
    pub valid_from: i64,
    /// Not included; none for ever.
    pub valid_until: Option<i64>,
}

/// A price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Price {
    /// `price_…`.
    pub id: String,
    /// Whose list it is on.
    #[serde(skip)]
    pub owner: Scope,
    pub kind: String,
    pub category: String,
    pub currency: String,
    pub amount: i64,
    pub per: i64,
    pub valid_from: i64,
    pub valid_until: Option<i64>,
}

impl Price {
    /// Micro-units for so many pieces; a fraction is charged as a whole one.
    pub fn of(&self, quantity: i64) -> i64 {
        let (amount, per) =
            (i128::from(self.amount) * i128::from(quantity.max(0)), i128::from(self.per.max(1)));
        i64::try_from((amount + per - 1) / per).unwrap_or(i64::MAX)
    }

    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.text("id")?,
            owner: scope_of(&row.text("owner")?),
            kind: row.text("kind")?,
            category: row.text("category")?,
            currency: row.text("currency")?,
            amount: row.int("amount")?,
            per: row.int("per")?,
            valid_from: row.int("valid_from")?,
            valid_until: row.opt_int("valid_until")?,
        })
    }
}

impl Records {
    /// Puts a price on the list of a scope.
    ///
    /// # Errors
    /// `Invalid` with the field that is wrong.
    pub async fn add_price(&self, owner: &Scope, price: NewPrice) -> Result<Price, RecordError> {
        check(&price)?;
        self.require_scope(owner).await?;
        let price = Price {
            id: new_id("price"),
            owner: owner.clone(),
            kind: clean(&price.kind),
            category: clean(&price.category),
            currency: price.currency,
            amount: price.amount,
            per: price.per,
            valid_from: price.valid_from,
            valid_until: price.valid_until,
        };
        let mut tx = self.begin().await?;
        tx.query(
            "insert into prices (owner, kind, category, valid_from, id, valid_until, currency, amount, per, actor, \
             created_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(book(owner))
        .bind(&price.kind)
        .bind(&price.category)
        .bind(price.valid_from)
        .bind(&price.id)
        .bind(price.valid_until)
        .bind(&price.currency)
        .bind(price.amount)
        .bind(price.per)
        .bind(self.signature())
        .bind(self.now())
        .execute()
        .await?;
        let target = Target::new("price", &*price.id).named(&*price.kind);
        // Plain fields always have a JSON form.
        let after = serde_json::to_value(&price).unwrap_or_default();
        self.audit(&mut tx, Change::new(chain_of(owner), "price.created", target).after(after)).await?;
        tx.commit().await?;
        Ok(price)
    }

    /// The prices on the list of a scope that are not over at `at`, by kind, category and time.
    pub async fn list_prices(&self, owner: &Scope, at: i64) -> Result<Vec<Price>, RecordError> {
        let sql = "select * from prices where owner = $1 and (valid_until is null or valid_until > $2) \
                   order by kind, category, valid_from, id";
        let rows = self.db.query(sql).bind(book(owner)).bind(at).all().await?;
        Ok(rows.iter().map(Price::from_row).collect::<Result<_, _>>()?)
    }

    /// What a workspace pays for a kind and category at a moment: by its own list, else its reseller's, else the
    /// platform's. A category that nobody knows yet (empty) costs as much as the dearest. None when it costs nothing.
    pub async fn price(
        &self,
        workspace_id: &str,
        kind: &str,
        category: &str,
        at: i64,
    ) -> Result<Option<Price>, RecordError> {
        let workspace = self.workspace(workspace_id).await?;
        let own = Scope::Workspace(workspace.id);
        let lists = [Some(own), workspace.reseller_id.map(Scope::Reseller), Some(Scope::Platform)];
        let sql = "select * from prices where owner = $1 and kind = $2 and valid_from <= $3 \
                   and (valid_until is null or valid_until > $3) order by valid_from desc, id desc";
        for owner in lists.into_iter().flatten() {
            let rows = self.db.query(sql).bind(book(&owner)).bind(kind).bind(at).all().await?;
            let prices = rows.iter().map(Price::from_row).collect::<Result<Vec<_>, _>>()?;
            if let Some(price) = choose(prices, category) {
                return Ok(Some(price));
            }
        }
        Ok(None)
    }
}

/// The price of a category among those in force, the latest first.
fn choose(mut prices: Vec<Price>, category: &str) -> Option<Price> {
    let mut seen = std::collections::BTreeSet::new();
    prices.retain(|price| seen.insert(price.category.clone()));
    if category.is_empty() {
        return prices.into_iter().max_by_key(|price| price.of(1_000_000));
    }
    let exact = prices.iter().position(|price| price.category == category);
    let found = exact.or_else(|| prices.iter().position(|price| price.category.is_empty()))?;
    Some(prices.swap_remove(found))
}

fn check(price: &NewPrice) -> Result<(), RecordError> {
    check_currency(&price.currency)?;
    let invalid = |path: &str, message: &str| Err(RecordError::invalid(path, message));
    if price.kind.trim().is_empty() || price.kind.len() > 40 {
        return invalid("kind", "what is counted, such as `message`; 1 to 40 characters");
    }
    if price.category.len() > 100 {
        return invalid("category", "at most 100 characters");
    }
    if !(0..=1_000_000_000_000).contains(&price.amount) {
        return invalid("amount", "0 to 1,000,000,000,000 micro-units");
    }
    if !(1..=1_000_000_000).contains(&price.per) {
        return invalid("per", "1 to 1,000,000,000 pieces");
    }
    if price.valid_until.is_some_and(|until| until <= price.valid_from) {
        return invalid("valid_until", "after `valid_from`");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(category: &str, amount: i64, per: i64) -> Price {
        Price {
            id: format!("price_{category}{amount}"),
            owner: Scope::Platform,
            kind: "message".into(),
            category: category.into(),
            currency: "INR".into(),
            amount,
            per,
            valid_from: 0,
            valid_until: None,
        }
    }

    #[test]
    fn fractions_are_charged_as_whole_units() {
        assert_eq!(price("", 800_000, 1).of(3), 2_400_000);
        assert_eq!(price("", 75, 1_000).of(1), 1);
        assert_eq!(price("", 75, 1_000).of(1_000), 75);
        assert_eq!(price("", 75, 1_000).of(1_001), 76);
        assert_eq!(price("", i64::MAX, 1).of(2), i64::MAX);
    }

    #[test]
    fn the_category_comes_before_the_rest_and_the_unknown_costs_most() {
        let list = || {
            vec![price("marketing", 8, 1), price("utility", 4, 1), price("marketing", 90, 1), price("", 6, 1)]
        };
        let chosen = |category| choose(list(), category).map(|price| price.amount);
        assert_eq!(chosen("marketing"), Some(8), "the later one hides the earlier");
        assert_eq!(chosen("utility"), Some(4));
        assert_eq!(chosen("service"), Some(6));
        assert_eq!(chosen(""), Some(8));
        assert_eq!(choose(Vec::new(), ""), None);
    }
}
