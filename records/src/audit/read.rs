//! Reading the audit trail: newest first, filtered, in pages. Must not know proofs.

use sluice_db::Arg;

use super::AuditEntry;
use super::entry::COLUMNS;
use crate::page::{Cursor, page, page_size};
use crate::{Page, RecordError, Records};

/// Which entries are wanted; what is left out does not count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// One chain; all of them when missing.
    pub chain: Option<String>,
    /// `person`, `key`, `workflow` or `system`.
    pub actor_kind: Option<String>,
    /// Id or name of whoever did it, or of the person who acted in their place.
    pub actor: Option<String>,
    /// An action (`credential.updated`), or its first word for all that begin with it (`credential`).
    pub action: Option<String>,
    /// Such as `credential`.
    pub target_kind: Option<String>,
    /// Id or name of what was changed.
    pub target: Option<String>,
    /// The request; for workflows the effect id.
    pub request_id: Option<String>,
    /// At or after this moment, milliseconds since the epoch.
    pub since: Option<i64>,
    /// Before this moment.
    pub until: Option<i64>,
}

impl Records {
    /// Entries, the newest first.
    ///
    /// # Errors
    /// `Invalid` for a cursor that no list gave; when the database fails.
    pub async fn list_audit(
        &self,
        filter: &AuditFilter,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page<AuditEntry>, RecordError> {
        let (from, size) = (read_position(cursor)?, page_size(limit));
        let mut conditions = Conditions::default();
        if let Some((at, chain, seq)) = from {
            match &filter.chain {
                Some(_) => conditions.add("(at, seq) < ($, $)", [at.into(), seq.into()]),
                None => conditions.add("(at, chain, seq) < ($, $, $)", [at.into(), chain.into(), seq.into()]),
            }
        }
        filter.add_to(&mut conditions);
        let order =
            if filter.chain.is_some() { "at desc, seq desc" } else { "at desc, chain desc, seq desc" };
        let sql = format!(
            "select {COLUMNS} from audit_entries {} order by {order} limit ${}",
            conditions.text,
            conditions.args.len() + 1
        );
        let rows = self.db.query(sql).bind_all(conditions.args).bind(size + 1).all().await?;
        let entries = rows.iter().map(AuditEntry::from_row).collect::<Result<_, _>>()?;
        Ok(page(entries, size, |entry: &AuditEntry| Cursor { at: entry.at, id: entry.id() }))
    }
}

/// Where the last page ended: time, chain and number.
fn read_position(cursor: Option<&str>) -> Result<Option<(i64, String, i64)>, RecordError> {
    if cursor.is_none() {
        return Ok(None);
    }
    let Cursor { at, id } = Cursor::read(cursor)?;
    let position =
        id.rsplit_once('/').and_then(|(chain, seq)| Some((at, chain.to_owned(), seq.parse().ok()?)));
    position.map(Some).ok_or_else(|| {
        RecordError::invalid("cursor", "not a cursor of this list; leave it out to start again")
    })
}

/// A `where` that grows.
#[derive(Default)]
struct Conditions {
    text: String,
    args: Vec<Arg>,
}

impl Conditions {
    /// Adds a condition; each `$` stands for the next argument.
    fn add(&mut self, condition: &str, args: impl IntoIterator<Item = Arg>) {
        self.text.push_str(if self.text.is_empty() { "where " } else { " and " });
        let mut number = self.args.len();
        for part in condition.split_inclusive('$') {
            self.text.push_str(part);
            if part.ends_with('$') {
                number += 1;
                self.text.push_str(&number.to_string());
            }
        }
        self.args.extend(args);
    }

    /// Adds a condition on a text, if one is wanted. The text may be asked for several times.
    fn add_text(&mut self, condition: &str, wanted: Option<&str>) {
        if let Some(wanted) = wanted {
            let times = condition.matches('$').count();
            self.add(condition, std::iter::repeat_n(Arg::from(crate::ids::clean(wanted)), times));
        }
    }
}

impl AuditFilter {
    fn add_to(&self, conditions: &mut Conditions) {
        conditions.add_text("chain = $", self.chain.as_deref());
        conditions.add_text("actor_kind = $", self.actor_kind.as_deref());
        conditions.add_text("(actor_id = $ or actor_name = $ or impersonated_by = $)", self.actor.as_deref());
        conditions
            .add_text("(action = $ or substr(action, 1, length($) + 1) = $ || '.')", self.action.as_deref());
        conditions.add_text("target_kind = $", self.target_kind.as_deref());
        conditions.add_text("(target_id = $ or target_name = $)", self.target.as_deref());
        conditions.add_text("request_id = $", self.request_id.as_deref());
        if let Some(since) = self.since {
            conditions.add("at >= $", [since.into()]);
        }
        if let Some(until) = self.until {
            conditions.add("at < $", [until.into()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_number_their_arguments() {
        let mut conditions = Conditions::default();
        conditions.add("(at, seq) < ($, $)", [Arg::from(1_i64), Arg::from(2_i64)]);
        conditions.add_text("(a = $ or b = $)", Some("x"));
        conditions.add_text("c = $", None);
        assert_eq!(conditions.text, "where (at, seq) < ($1, $2) and (a = $3 or b = $4)");
        assert_eq!(conditions.args.len(), 4);
    }

    #[test]
    fn cursors_of_other_lists_are_refused() {
        assert_eq!(read_position(None).unwrap(), None);
        assert!(read_position(Some("nonsense")).is_err());
        let other = page(vec![1, 2], 1, |_| Cursor { at: 1, id: "con_1".into() }).next;
        assert!(read_position(other.as_deref()).is_err());
    }
}
