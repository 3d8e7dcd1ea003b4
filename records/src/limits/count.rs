//! Counting in a rolling window, in one statement that is the same for both engines.
//!
//! The window is cut into ten parts, and the part under way and the ten before it are counted: never less than the
//! window and never more than a tenth beyond. So in no span of the length of the window more is allowed than the limit,
//! and whoever stays below it for a tenth longer is never refused. Must not know which rule counts for whom.

use std::sync::LazyLock;

use sluice_db::{DbError, Row, Tx};

use super::{Decision, LimitRule, LimitType};
use crate::{RecordError, Records};

/// Columns of the ring: the parts of a window, and the one under way.
const RING: i64 = 11;

/// A day, milliseconds.
const DAY_MS: i64 = 86_400_000;

/// The length of the parts of a rule that has no window: anything will do.
const NO_WINDOW_SECONDS: i64 = 60;

/// Counts one more, unless that would be too many. `$4` is the part of time, `$5` and `$6` the limits, `$7` the day, `$8`
/// the time. A part is never older than the newest that was counted, whatever the clocks of the processes say.
static HIT: LazyLock<String> = LazyLock::new(|| {
    let columns: Vec<String> = (0..RING).map(|column| format!("c{column}")).collect();
    let first: Vec<String> =
        (0..RING).map(|column| format!("case when $4 % {RING} = {column} then 1 else 0 end")).collect();
    let now = "case when limit_counts.place > $4 then limit_counts.place else $4 end";
    // The newest part of time that column stands for; what it holds is of that part if it was counted since.
    let kept = |column: i64| {
        format!(
            "case when ({now}) - (({now}) + {RING} - {column}) % {RING} > limit_counts.place then 0 \
             else limit_counts.c{column} end"
        )
    };
    let update: Vec<String> = (0..RING)
        .map(|column| {
            let one = format!("case when ({now}) % {RING} = {column} then 1 else 0 end");
            format!("c{column} = {} + {one}", kept(column))
        })
        .collect();
    let sum: Vec<String> = (0..RING).map(kept).collect();
    format!(
        "insert into limit_counts (workspace_id, counter, subject, place, {}, day, day_count, updated_at) \
         values ($1, $2, $3, $4, {}, $7, 1, $8) \
         on conflict (workspace_id, counter, subject) do update set {}, place = {now}, \
         day = case when limit_counts.day > $7 then limit_counts.day else $7 end, \
         day_count = case when limit_counts.day < $7 then 1 else limit_counts.day_count + 1 end, updated_at = $8 \
         where {} < $5 and case when limit_counts.day < $7 then 0 else limit_counts.day_count end < $6 \
         returning {} as total, day_count",
        columns.join(", "),
        first.join(", "),
        update.join(", "),
        sum.join(" + "),
        columns.join(" + "),
    )
});

/// Binds the arguments of [`HIT`], in or outside a transaction.
macro_rules! bound {
    ($query:expr, $rule:expr, $subject:expr, $now:expr) => {
        $query
            .bind(&$rule.workspace_id)
            .bind($rule.counter())
            .bind($subject)
            .bind($now.max(0) / $rule.part_ms())
            .bind($rule.window_limit.unwrap_or(i64::MAX))
            .bind($rule.daily_limit.unwrap_or(i64::MAX))
            .bind($now.max(0) / DAY_MS)
            .bind($now)
    };
}

impl LimitRule {
    fn window(&self) -> Option<(i64, i64)> {
        self.window_limit.zip(self.window_seconds)
    }

    /// Milliseconds of a part: ten of them are at least the window.
    fn part_ms(&self) -> i64 {
        let seconds = self.window().map_or(NO_WINDOW_SECONDS, |(_, seconds)| seconds);
        (seconds.clamp(1, super::LONGEST_WINDOW) * 1_000 + RING - 2) / (RING - 1)
    }

    /// Names the row that counts. A rule with another window counts anew: its parts are other parts.
    fn counter(&self) -> String {
        format!("{}/{}", self.id, self.part_ms())
    }

    /// What is allowed yet after `total` in the window and `today` in the day; the scarcer of the two.
    fn standing(&self, total: i64, today: i64) -> Decision {
        let day = self.daily_limit.map(|limit| (LimitType::Daily, limit, DAY_MS / 1_000, limit - today));
        let window = self.window().map(|(limit, seconds)| (LimitType::Window, limit, seconds, limit - total));
        let scarcer = [window, day].into_iter().flatten().min_by_key(|(.., left)| *left);
        let (limit_type, limit, window_seconds, left) =
            scarcer.unwrap_or((LimitType::Window, i64::MAX, NO_WINDOW_SECONDS, i64::MAX));
        Decision {
            allowed: true,
            limit_type,
            limit,
            window_seconds,
            remaining: left.max(0),
            retry_after_seconds: 0,
        }
    }
}

impl Records {
    /// Counts one more for `subject` under `rule`, if it may be done. The same answer from every process.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hit(&self, rule: &LimitRule, subject: &str, now: i64) -> Result<Decision, RecordError> {
        let row = bound!(self.limits.db.query(HIT.as_str()), rule, subject, now).optional().await?;
        match row {
            Some(row) => allowed(rule, &row),
            None => {
                let query = self.limits.db.query(COUNTS).bind(&rule.workspace_id).bind(rule.counter());
                refused(rule, &query.bind(subject).one().await?, now)
            }
        }
    }

    /// Counts one less in the part of time under way; nothing when that part is over.
    pub(super) async fn uncount(&self, rule: &LimitRule, subject: &str, now: i64) -> Result<(), RecordError> {
        let part = now.max(0) / rule.part_ms();
        let column = part % RING;
        let sql = format!(
            "update limit_counts set c{column} = c{column} - 1, \
             day_count = case when day_count > 0 then day_count - 1 else 0 end \
             where workspace_id = $1 and counter = $2 and subject = $3 and place = $4 and c{column} > 0"
        );
        let query = self.limits.db.query(sql).bind(&rule.workspace_id).bind(rule.counter()).bind(subject);
        query.bind(part).execute().await?;
        Ok(())
    }

    /// Forgets what was counted for a subject.
    pub(super) async fn forget_counts(&self, rule: &LimitRule, subject: &str) -> Result<(), RecordError> {
        let sql = "delete from limit_counts where workspace_id = $1 and counter = $2 and subject = $3";
        let query = self.limits.db.query(sql).bind(&rule.workspace_id).bind(rule.counter());
        query.bind(subject).execute().await?;
        Ok(())
    }

    /// Takes away up to `limit` counts that no window reaches any more. Returns how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn purge_limit_counts(&self, now: i64, limit: u32) -> Result<u64, RecordError> {
        const SQL: &str = "delete from limit_counts where (workspace_id, counter, subject) in \
             (select workspace_id, counter, subject from limit_counts where updated_at < $1 order by updated_at limit $2)";
        Ok(self.db.query(SQL).bind(now - 2 * DAY_MS).bind(limit).execute().await?)
    }
}

/// The same inside a transaction: several rules count together or not at all.
pub(super) async fn hit_in(
    tx: &mut Tx,
    rule: &LimitRule,
    subject: &str,
    now: i64,
) -> Result<Decision, RecordError> {
    let row = bound!(tx.query(HIT.as_str()), rule, subject, now).optional().await?;
    match row {
        Some(row) => allowed(rule, &row),
        None => {
            let query = tx.query(COUNTS).bind(&rule.workspace_id).bind(rule.counter());
            refused(rule, &query.bind(subject).one().await?, now)
        }
    }
}

const COUNTS: &str = "select * from limit_counts where workspace_id = $1 and counter = $2 and subject = $3";

fn allowed(rule: &LimitRule, row: &Row) -> Result<Decision, RecordError> {
    Ok(rule.standing(row.int("total")?, row.int("day_count")?))
}

fn refused(rule: &LimitRule, row: &Row, now: i64) -> Result<Decision, RecordError> {
    let ring = (0..RING).map(|column| row.int(format!("c{column}").as_str()));
    let ring: Vec<i64> = ring.collect::<Result<_, DbError>>()?;
    let (place, day) = (row.int("place")?, row.int("day")?);
    let today = if day < now.max(0) / DAY_MS { 0 } else { row.int("day_count")? };
    let full_day = rule.daily_limit.filter(|limit| today >= *limit);
    let until_tomorrow = (day.max(now.max(0) / DAY_MS) + 1) * DAY_MS - now;
    let window = rule.window().and_then(|(limit, seconds)| {
        let free_at = free_at(&ring, place, limit) * rule.part_ms();
        (free_at > now).then_some((limit, seconds, free_at - now))
    });
    let seconds = |ms: i64| (ms.max(0) + 999) / 1_000;
    let (limit_type, limit, window_seconds, wait) = match (full_day, window) {
        (Some(limit), _) => (LimitType::Daily, limit, DAY_MS / 1_000, until_tomorrow),
        (None, Some((limit, length, wait))) => (LimitType::Window, limit, length, wait),
        // It became free between the two statements.
        (None, None) => {
            let standing = rule.standing(0, 0);
            (standing.limit_type, standing.limit, standing.window_seconds, 1)
        }
    };
    let retry_after_seconds = seconds(wait).max(1);
    Ok(Decision { allowed: false, limit_type, limit, window_seconds, remaining: 0, retry_after_seconds })
}

/// The part of time in which there is room again, when nothing more is counted.
fn free_at(ring: &[i64], place: i64, limit: i64) -> i64 {
    let mut total: i64 = ring.iter().sum();
    // From the oldest part to the newest; each leaves the window when the ring has come round to it.
    for part in place + 1 - RING..=place {
        if total < limit {
            break;
        }
        total -= ring[part.rem_euclid(RING) as usize];
        if total < limit {
            return part + RING;
        }
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_comes_back_when_the_oldest_parts_leave() {
        let mut ring = vec![0; 11];
        // Part 100 is in column 1, part 105 in column 6, part 110 in column 0.
        (ring[1], ring[6], ring[0]) = (2, 3, 5);
        assert_eq!(free_at(&ring, 110, 10), 111);
        assert_eq!(free_at(&ring, 110, 8), 116);
        assert_eq!(free_at(&ring, 110, 5), 121);
        assert_eq!(free_at(&ring, 110, 1), 121);
        assert_eq!(free_at(&ring, 110, 11), 110);
    }

    #[test]
    fn ten_parts_are_at_least_the_window() {
        for seconds in [1, 3, 7, 60, 900, 86_400] {
            let rule = rule(Some((5, seconds)), None);
            assert!(rule.part_ms() * 10 >= seconds * 1_000);
            assert!(rule.part_ms() * 10 < seconds * 1_000 + 10);
        }
    }

    #[test]
    fn the_scarcer_limit_is_told() {
        let both = rule(Some((10, 60)), Some(100));
        assert_eq!(both.standing(3, 50).limit_type, LimitType::Window);
        assert_eq!((both.standing(3, 95).limit_type, both.standing(3, 95).remaining), (LimitType::Daily, 5));
        assert_eq!(rule(None, Some(3)).standing(9, 1).remaining, 2);
    }

    fn rule(window: Option<(i64, i64)>, daily_limit: Option<i64>) -> LimitRule {
        LimitRule {
            workspace_id: String::new(),
            id: "lim_1".into(),
            level: crate::limits::Level::Global,
            route: "*".into(),
            subject: String::new(),
            window_limit: window.map(|(limit, _)| limit),
            window_seconds: window.map(|(_, seconds)| seconds),
            daily_limit,
            created_at: 0,
            updated_at: 0,
        }
    }
}
