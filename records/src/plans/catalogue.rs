//! Plans: name, price, limits. Plans are kept when they are withdrawn, because subscriptions name them.
//! Must not know who subscribes, except that a plan in use is not withdrawn.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sluice_db::{DbError, Row, Tx, placeholders};

use crate::audit::{Change, Target, chain_of};
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

    /// As the audit trail shows it.
    fn logged(&self) -> Value {
        json_of(&self.fields)
    }

    fn change(&self, action: &'static str) -> Change {
        Change::new(chain_of(&self.owner), action, Target::new("plan", &*self.id).named(&*self.fields.name))
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

/// JSON of plain fields, maps or lists, which cannot fail.
fn json_of<T: Serialize>(value: &T) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

fn text<T: Serialize>(value: &T) -> String {
    json_of(value).to_string()
}

impl Records {
    /// Makes a plan of the platform or of a reseller.
    ///
    /// # Errors
    /// `Invalid` with the path of the first wrong field.
    pub async fn create_plan(&self, owner: &Scope, fields: PlanFields) -> Result<Plan, RecordError> {
        self.require_scope(owner).await?;
        let mut tx = self.begin().await?;
        let made = self.insert_plan(&mut tx, &new_short_id("plan"), owner, fields).await?;
        let made =
            made.ok_or_else(|| RecordError::conflict("a plan of this id exists already; try again"))?;
        self.audit(&mut tx, made.change("plan.created").after(made.logged())).await?;
        tx.commit().await?;
        Ok(made)
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
        let mut tx = self.begin().await?;
        let was = open_plan(&mut tx, owner, id).await?;
        let fields = PlanFields { name: clean(&fields.name), ..fields };
        let is = Plan { fields, updated_at: self.now(), ..was.clone() };
        tx.query(
            "update plans set name = $2, currency = $3, price = $4, period = $5, trial_days = $6, limits = $7, \
             overage = $8, features = $9, updated_at = $10 where id = $1",
        )
        .bind(id)
        .bind(&is.fields.name)
        .bind(&is.fields.currency)
        .bind(is.fields.price)
        .bind(is.fields.period.as_text())
        .bind(is.fields.trial_days)
        .bind(text(&is.fields.limits))
        .bind(text(&is.fields.overage))
        .bind(text(&is.fields.features))
        .bind(is.updated_at)
        .execute()
        .await?;
        self.audit(&mut tx, is.change("plan.updated").between(was.logged(), is.logged())).await?;
        tx.commit().await?;
        Ok(is)
    }

    /// Withdraws a plan of `owner`.
    ///
    /// # Errors
    /// `NotFound` when it is not the owner's, `Conflict` while a workspace subscribes to it.
    pub async fn archive_plan(&self, owner: &Scope, id: &str) -> Result<(), RecordError> {
        let mut tx = self.begin().await?;
        let plan = open_plan(&mut tx, owner, id).await?;
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
        self.audit(&mut tx, plan.change("plan.withdrawn").before(plan.logged())).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Makes the plans that every installation begins with, once: one that was changed or withdrawn stays so.
    pub async fn seed_plans(&self) -> Result<(), RecordError> {
        let first = first_plans();
        let sql = format!("select count(*) as n from plans where id in ({})", placeholders(1, first.len()));
        let ids = first.iter().map(|(id, _)| *id);
        // Every start of the program comes here: it must not wait for whoever writes.
        if self.db.query(sql).bind_all(ids).one().await?.int("n")? == first.len() as i64 {
            return Ok(());
        }
        let mut tx = self.begin().await?;
        for (id, fields) in first {
            self.insert_plan(&mut tx, id, &Scope::Platform, fields).await?;
        }
        Ok(tx.commit().await?)
    }

    async fn insert_plan(
        &self,
        tx: &mut Tx,
        id: &str,
        owner: &Scope,
        fields: PlanFields,
    ) -> Result<Option<Plan>, RecordError> {
        check(&fields)?;
        let fields = PlanFields { name: clean(&fields.name), ..fields };
        let now = self.now();
        let written = tx
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

/// A plan of `owner` that was not withdrawn. Whoever subscribes to it waits until the transaction ends.
async fn open_plan(tx: &mut Tx, owner: &Scope, id: &str) -> Result<Plan, RecordError> {
    let lock = tx.dialect().for_update();
    let sql = format!("select * from plans where id = $1 and owner = $2 and archived_at is null{lock}");
    read(tx.query(sql).bind(id).bind(book(owner)).optional().await?, id)
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
