//! Two contacts that turn out to be one person: the older survives, the other's id leads to it.

use serde_json::{Map, Value, json};
use sluice_db::Tx;

use super::{Contact, contact_in};
use crate::audit::{Change, Target};
use crate::consents::move_consents_in;
use crate::conversations::move_conversations_in;
use crate::{RecordError, Records};

impl Records {
    /// Merges contacts by hand. The oldest survives; its id is returned.
    ///
    /// # Errors
    /// `NotFound` for any of them, `Invalid` for fewer than two.
    pub async fn merge_contacts(&self, workspace_id: &str, ids: &[String]) -> Result<String, RecordError> {
        let mut tx = self.begin().await?;
        crate::store::lock_workspace(&mut tx, workspace_id).await?;
        let mut today = Vec::new();
        for id in ids {
            today.push(contact_in(&mut tx, workspace_id, id).await?.id);
        }
        today.sort();
        today.dedup();
        if today.len() < 2 {
            return Err(RecordError::invalid("ids", "name at least two different contacts"));
        }
        let (survivor, merged) = merge_in(&mut tx, workspace_id, &today, self.now()).await?;
        let change = Change::new(workspace_id, "contact.merged", Target::new("contact", &*survivor));
        self.audit(&mut tx, change.before(json!({ "merged": merged }))).await?;
        tx.commit().await?;
        Ok(survivor)
    }
}

/// Merges at least two different contacts. The caller holds the workspace's lock.
pub(super) async fn merge_in(
    tx: &mut Tx,
    workspace_id: &str,
    ids: &[String],
    now: i64,
) -> Result<(String, Vec<String>), RecordError> {
    let mut contacts = Vec::with_capacity(ids.len());
    for id in ids {
        contacts.push(contact_in(tx, workspace_id, id).await?);
    }
    contacts.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
    let mut merged = Vec::new();
    let mut survivor = contacts.remove(0);
    for other in contacts {
        absorb(tx, &mut survivor, &other, now).await?;
        merged.push(other.id);
    }
    save(tx, &survivor, now).await?;
    Ok((survivor.id, merged))
}

async fn absorb(tx: &mut Tx, survivor: &mut Contact, other: &Contact, now: i64) -> Result<(), RecordError> {
    let workspace_id = survivor.workspace_id.clone();
    for sql in [
        "update contact_identities set contact_id = $3 where workspace_id = $1 and contact_id = $2",
        "update messages set contact_id = $3 where workspace_id = $1 and contact_id = $2",
        "update contact_merges set into_id = $3 where workspace_id = $1 and into_id = $2",
    ] {
        tx.query(sql).bind(&workspace_id).bind(&other.id).bind(&survivor.id).execute().await?;
    }
    move_conversations_in(tx, &workspace_id, &other.id, &survivor.id).await?;
    move_consents_in(tx, &workspace_id, &other.id, &survivor.id).await?;
    tx.query(
        "insert into contact_merges (workspace_id, merged_id, into_id, was, merged_at) values ($1, $2, $3, $4, $5)",
    )
    .bind(&workspace_id)
    .bind(&other.id)
    .bind(&survivor.id)
    .bind(snapshot(other))
    .bind(now)
    .execute()
    .await?;
    tx.query("delete from contacts where workspace_id = $1 and id = $2")
        .bind(&workspace_id)
        .bind(&other.id)
        .execute()
        .await?;
    let given = given_name(survivor).or_else(|| given_name(other)).map(str::to_owned);
    survivor.profile_name = survivor.profile_name.take().or_else(|| other.profile_name.clone());
    survivor.name = given.or_else(|| survivor.profile_name.clone());
    combine(&mut survivor.attributes, &other.attributes);
    Ok(())
}

/// The name somebody here gave; one that only repeats the profile name is none.
fn given_name(contact: &Contact) -> Option<&str> {
    contact.name.as_deref().filter(|name| Some(*name) != contact.profile_name.as_deref())
}

fn snapshot(contact: &Contact) -> String {
    json!(contact).to_string()
}

/// The survivor's values count; what it lacks comes from the other; tags are united.
fn combine(ours: &mut Map<String, Value>, theirs: &Map<String, Value>) {
    for (name, value) in theirs {
        match (ours.get_mut(name), value) {
            (Some(Value::Array(ours)), Value::Array(theirs)) if name == "tags" => {
                for tag in theirs {
                    if !ours.contains(tag) {
                        ours.push(tag.clone());
                    }
                }
            }
            (Some(Value::Null) | None, value) => {
                ours.insert(name.clone(), value.clone());
            }
            (Some(_), _) => {}
        }
    }
}

async fn save(tx: &mut Tx, contact: &Contact, now: i64) -> Result<(), RecordError> {
    tx.query(
        "update contacts set display_name = $3, profile_name = $4, attributes = $5, updated_at = $6 \
         where workspace_id = $1 and id = $2",
    )
    .bind(&contact.workspace_id)
    .bind(&contact.id)
    .bind(given_name(contact))
    .bind(contact.profile_name.as_deref())
    .bind(Value::Object(contact.attributes.clone()).to_string())
    .bind(now)
    .execute()
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_survivors_values_count_and_tags_unite() {
        let (Value::Object(mut ours), Value::Object(theirs)) = (
            json!({"city": "Pune", "email": null, "tags": ["vip"]}),
            json!({"city": "Goa", "email": "a@b.in", "tags": ["vip", "lead"], "age": 3}),
        ) else {
            unreachable!("both are objects")
        };
        combine(&mut ours, &theirs);
        assert_eq!(
            Value::Object(ours),
            json!({"city": "Pune", "email": "a@b.in", "tags": ["vip", "lead"], "age": 3})
        );
    }
}
