//! Plans: name, price, limits. Plans are kept when they are withdrawn, because subscriptions name them.
//! Must not know who subscribes, except that a plan in use is not withdrawn.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sluice_db::{DbError, Row, Tx};

use crate::ids::{clean, new_short_id};
use crate::ledger::{book, check_currency, scope_of};
use crate::{RecordError, Records, Scope};

/// The limit that does not limit.
pub const UNLIMITED: i64 = -1;

/// Longest name of a plan, characters.
const LONGEST_NAME: usize = 80;

/// How long a subscription lasts that is paid once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanPeriod {
    Month,
    Year,
}

impl PlanPeriod {
    /// As stored.
    pub fn as_text(self) -> &'static str {
        match self {
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    /// Months.
    pub(super) fn months(self) -> i32 {
        match self {
            Self::Month => 1,
            Self::Year => 12,
        }
    }

    fn from_text(text: &str) -> Option<Self> {
        [Self::Month, Self::Year].into_iter().find(|period| period.as_text() == text)
    }
}

/// What a plan says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanFields {
    pub name: String,
    pub currency: String,
    /// Micro-units for a period; 0 for a plan that goes on by itself.
    pub price: i64,
    pub period: PlanPeriod,
    /// Days that a workspace may try it.
    pub trial_days: i64,
    /// Pieces by name: `messages`, `ai_credits`, `broadcasts`, `runs` count by month, `members`, `numbers`, `automations`
    /// at any one time. -1 and what is not named are unlimited.
    pub limits: BTreeMap<String, i64>,
    /// Micro-units for each piece beyond a limit; without one the limit stops.
    pub overage: BTreeMap<String, i64>,
    /// What else it opens, such as `api_access`.
    pub features: Vec<String>,
}

/// A plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// `plan_…`.
    pub id: String,
    /// Whose plan: the platform's or a reseller's.
    #[serde(skip)]
    pub owner: Scope,
    #[serde(flatten)]
    pub fields: PlanFields,
    pub created_at: i64,
    pub updated_at: i64,
    /// Since when it takes no new subscribers.
    pub archived_at: Option<i64>,
}

impl Plan {
    /// The limit of that name; none for as many as one likes.
    pub fn limit(&self, name: &str) -> Option<i64> {
        self.fields.limits.get(name).copied().filter(|limit| *limit >= 0)
    }

    fn from_row(row: &Row) -> Result<Self, DbError> {
        let corrupt =
            |what: &str| DbError::Corrupt { message: format!("{what} of a plan are not understood") };
        Ok(Self {
            id: row.text("id")?,
            owner: scope_of(&row.text("owner")?),
            fields: PlanFields {
                name: row.text("name")?,
                currency: row.text("currency")?,
                price: row.int("price")?,
                period: PlanPeriod::from_text(&row.text("period")?).ok_or_else(|| corrupt("the period"))?,
                trial_days: row.int("trial_days")?,
                limits: serde_json::from_str(&row.text("limits")?).map_err(|_| corrupt("the limits"))?,
                overage: serde_json::from_str(&row.text("overage")?).map_err(|_| corrupt("the prices"))?,
                features: serde_json::from_str(&row.text("features")?)
                    .map_err(|_| corrupt("the features"))?,
            },
            created_at: row.int("created_at")?,
            updated_at: row.int("updated_at")?,
            archived_at: row.opt_int("archived_at")?,
        })
    }
}

fn check(fields: &PlanFields) -> Result<(), RecordError> {
    check_currency(&fields.currency)?;
    let invalid = |path: &str, message: &str| Err(RecordError::invalid(path, message));
    if fields.name.trim().is_empty() || fields.name.chars().count() > LONGEST_NAME {
        return invalid("name", "1 to 80 characters");
    }
    if fields.price < 0 {
        return invalid("price", "0 or more micro-units");
    }
    if !(0..=366).contains(&fields.trial_days) {
        return invalid("trial_days", "0 to 366 days");
    }
    for (name, limit) in &fields.limits {
        check_name("limits", name)?;
        if *limit < UNLIMITED {
            return invalid(&format!("limits/{name}"), "0 or more, or -1 for no limit");
        }
    }
    for (name, price) in &fields.overage {
        check_name("overage", name)?;
        if *price < 0 {
            return invalid(&format!("overage/{name}"), "0 or more micro-units");
        }
    }
    fields.features.iter().try_for_each(|name| check_name("features", name))
}

/// Names of limits and features are lower-case words.
fn check_name(path: &str, name: &str) -> Result<(), RecordError> {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if (1..=40).contains(&name.len()) && name.chars().all(good) {
        return Ok(());
    }
    Err(RecordError::invalid(
        path,
        format!("{name:?} is no name; use lower-case letters, digits and underscores"),
    ))
}

/// JSON of a plain map or list, which cannot fail.
fn text<T: Serialize>(value: &T) -> String {
    serde_json::to_value(value).unwrap_or_default().to_string()
}

impl Records {
    /// Makes a plan of the platform or of a reseller.
    ///
    /// # Errors
    /// `Invalid` with the path of the first wrong field.
    pub async fn create_plan(&self, owner: &Scope, fields: PlanFields) -> Result<Plan, RecordError> {
        self.require_scope(owner).await?;
        self.insert_plan(&new_short_id("plan"), owner, fields)
            .await?
            .ok_or_else(|| RecordError::conflict("a plan of this id exists already; try again"))
    }

    /// A plan by id. `NotFound` when there is none.
    pub async fn plan(&self, id: &str) -> Result<Plan, RecordError> {
        read(self.db.query("select * from plans where id = $1").bind(id).optional().await?, id)
    }

    /// The same within a transaction.
    pub(super) async fn plan_in(&self, tx: &mut Tx, id: &str) -> Result<Plan, RecordError> {
        read(tx.query("select * from plans where id = $1").bind(id).optional().await?, id)
    }

    /// The plans of an owner by name, withdrawn ones left out.
    pub async fn list_plans(&self, owner: &Scope) -> Result<Vec<Plan>, RecordError> {
        let sql = "select * from plans where owner = $1 and archived_at is null order by name, id";
        let rows = self.db.query(sql).bind(book(owner)).all().await?;
        Ok(rows.iter().map(Plan::from_row).collect::<Result<_, _>>()?)
    }

    /// Changes a plan of `owner`; who subscribes to it is held to the new limits from then on.
    ///
    /// # Errors
    /// `NotFound` when it is not the owner's or was withdrawn, `Invalid` for a wrong field.
    pub async fn update_plan(
        &self,
        owner: &Scope,
        id: &str,
        fields: PlanFields,
    ) -> Result<Plan, RecordError> {
        check(&fields)?;
        let changed = self
            .db
            .query(
                "update plans set name = $3, currency = $4, price = $5, period = $6, trial_days = $7, limits = $8, \
                 overage = $9, features = $10, updated_at = $11 \
                 where id = $1 and owner = $2 and archived_at is null",
            )
            .bind(id)
            .bind(book(owner))
            .bind(clean(&fields.name))
            .bind(&fields.currency)
            .bind(fields.price)
            .bind(fields.period.as_text())
            .bind(fields.trial_days)
            .bind(text(&fields.limits))
            .bind(text(&fields.overage))
            .bind(text(&fields.features))
            .bind(self.now())
            .execute()
            .await?;
        if changed == 0 {
            return Err(RecordError::not_found("plan", id));
        }
        self.plan(id).await
    }

    /// Withdraws a plan of `owner`.
    ///
    /// # Errors
    /// `NotFound` when it is not the owner's, `Conflict` while a workspace subscribes to it.
    pub async fn archive_plan(&self, owner: &Scope, id: &str) -> Result<(), RecordError> {
        let mut tx = self.begin().await?;
        // Whoever subscribes takes the same lock.
        let lock = format!("select owner, archived_at from plans where id = $1{}", tx.dialect().for_update());
        let row = tx.query(lock).bind(id).optional().await?;
        let is_there = match &row {
            Some(row) => row.text("owner")? == book(owner) && row.opt_int("archived_at")?.is_none(),
            None => false,
        };
        if !is_there {
            return Err(RecordError::not_found("plan", id));
        }
        let used = "select 1 as found from subscription_events s where s.plan_id = $1 and s.kind <> 'expired' \
             and not exists (select 1 from subscription_events l where l.workspace_id = s.workspace_id \
             and l.seq > s.seq) limit 1";
        if tx.query(used).bind(id).optional().await?.is_some() {
            return Err(RecordError::conflict(
                "workspaces subscribe to this plan; move them to another one first",
            ));
        }
        let now = self.now();
        tx.query("update plans set archived_at = $2 where id = $1").bind(id).bind(now).execute().await?;
        tx.commit().await?;
        Ok(())
    }

    /// Makes the plans that every installation begins with, once: one that was changed or withdrawn stays so.
    pub async fn seed_plans(&self) -> Result<(), RecordError> {
        for (id, fields) in first_plans() {
            self.insert_plan(id, &Scope::Platform, fields).await?;
        }
        Ok(())
    }

    async fn insert_plan(
        &self,
        id: &str,
        owner: &Scope,
        fields: PlanFields,
    ) -> Result<Option<Plan>, RecordError> {
        check(&fields)?;
        let fields = PlanFields { name: clean(&fields.name), ..fields };
        let now = self.now();
        let written = self
            .db
            .query(
                "insert into plans (id, owner, name, currency, price, period, trial_days, limits, overage, features, \
                 created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11) \
                 on conflict do nothing",
            )
            .bind(id)
            .bind(book(owner))
            .bind(&fields.name)
            .bind(&fields.currency)
            .bind(fields.price)
            .bind(fields.period.as_text())
            .bind(fields.trial_days)
            .bind(text(&fields.limits))
            .bind(text(&fields.overage))
            .bind(text(&fields.features))
            .bind(now)
            .execute()
            .await?;
        let plan = || Plan {
            id: id.to_owned(),
            owner: owner.clone(),
            fields,
            created_at: now,
            updated_at: now,
            archived_at: None,
        };
        Ok((written == 1).then(plan))
    }
}

fn read(row: Option<Row>, id: &str) -> Result<Plan, RecordError> {
    match row {
        Some(row) => Ok(Plan::from_row(&row)?),
        None => Err(RecordError::not_found("plan", id)),
    }
}

/// Free, yearly and for resellers, in Indian rupees. Operators change or withdraw them.
fn first_plans() -> Vec<(&'static str, PlanFields)> {
    let plan =
        |name: &str, rupees: i64, period, trial_days, limits: &[(&str, i64)], features: &[&str]| PlanFields {
            name: name.to_owned(),
            currency: "INR".to_owned(),
            price: rupees * 1_000_000,
            period,
            trial_days,
            limits: limits.iter().map(|(name, limit)| ((*name).to_owned(), *limit)).collect(),
            overage: BTreeMap::new(),
            features: features.iter().map(|name| (*name).to_owned()).collect(),
        };
    let free = [
        ("messages", 1_000),
        ("ai_credits", 100),
        ("members", 2),
        ("numbers", 1),
        ("broadcasts", 500),
        ("automations", 1),
        ("flows", 1),
        ("campaigns", 500),
    ];
    let yearly = [
        ("messages", UNLIMITED),
        ("ai_credits", 10_000),
        ("members", 10),
        ("numbers", 5),
        ("broadcasts", UNLIMITED),
        ("automations", 10),
        ("flows", UNLIMITED),
        ("campaigns", UNLIMITED),
    ];
    let reseller: Vec<(&str, i64)> = yearly.iter().map(|(name, _)| (*name, UNLIMITED)).collect();
    let hub = ["analytics_advanced", "api_access", "reseller_hub", "white_label"];
    vec![
        ("plan_free", plan("Free", 0, PlanPeriod::Month, 0, &free, &["analytics_basic"])),
        (
            "plan_yearly",
            plan("Yearly", 3_999, PlanPeriod::Year, 7, &yearly, &["analytics_medium", "api_access"]),
        ),
        ("plan_reseller_yearly", plan("Reseller yearly", 15_000, PlanPeriod::Year, 0, &reseller, &hub)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_plans_are_plans() {
        for (id, fields) in first_plans() {
            assert!(check(&fields).is_ok(), "{id}");
        }
    }

    #[test]
    fn wrong_fields_are_named() {
        let (_, good) = first_plans().remove(0);
        let wrong = [
            (PlanFields { name: " ".into(), ..good.clone() }, "name"),
            (PlanFields { currency: "rupee".into(), ..good.clone() }, "currency"),
            (PlanFields { price: -1, ..good.clone() }, "price"),
            (PlanFields { trial_days: 400, ..good.clone() }, "trial_days"),
            (PlanFields { limits: [("messages".into(), -2)].into(), ..good.clone() }, "limits/messages"),
            (PlanFields { limits: [("No".into(), 2)].into(), ..good.clone() }, "limits"),
            (PlanFields { overage: [("messages".into(), -2)].into(), ..good.clone() }, "overage/messages"),
            (PlanFields { features: vec!["White label".into()], ..good }, "features"),
        ];
        for (fields, path) in wrong {
            let error = check(&fields).unwrap_err();
            assert!(matches!(&error, RecordError::Invalid { path: found, .. } if found == path), "{error:?}");
        }
    }
}
