//! Changing what is known about a contact.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use sluice_db::Tx;

use super::contact_in;
use crate::audit::{Change, Target};
use crate::ids::clean;
use crate::store::first_time;
use crate::{Contact, RecordError, Records, events};

/// A change; what is left out stays.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ContactChange {
    /// The name people here give; an empty one goes back to the profile name.
    pub name: Option<String>,
    /// Attributes to set; null removes one.
    pub set: Map<String, Value>,
    pub add_tags: Vec<String>,
    pub remove_tags: Vec<String>,
}

/// The names `Contact::view` gives to what is not an attribute.
const RESERVED: [&str; 4] = ["id", "name", "phone", "user_id"];
const LARGEST_ATTRIBUTES: usize = 64 * 1024;

impl Records {
    /// Applies a change once per effect id, and says whether this call did.
    ///
    /// # Errors
    /// `NotFound`; `Invalid` for reserved names, or when the attributes would exceed 64 KiB.
    pub async fn update_contact(
        &self,
        workspace_id: &str,
        id: &str,
        change: &ContactChange,
        effect_id: Option<&str>,
    ) -> Result<(Contact, bool), RecordError> {
        if let Some(name) = change.set.keys().find(|name| RESERVED.contains(&name.as_str())) {
            return Err(RecordError::invalid(
                &format!("set.{name}"),
                "this name is taken by the contact itself; choose another",
            ));
        }
        let now = self.now();
        let mut tx = self.begin().await?;
        let mut contact = contact_in(&mut tx, workspace_id, id).await?;
        if !first_time(&mut tx, workspace_id, effect_id, now).await? {
            return Ok((contact, false));
        }
        let (tags_before, was) = (tags_of(&contact.attributes), said(&contact));
        apply(&mut contact.attributes, change);
        let attributes = Value::Object(contact.attributes.clone()).to_string();
        if attributes.len() > LARGEST_ATTRIBUTES {
            return Err(RecordError::invalid(
                "set",
                "the attributes of one contact may take 64 KiB together",
            ));
        }
        let name = change.name.as_deref().map(|name| clean(name.trim()));
        tx.query(
            "update contacts set attributes = $3, updated_at = $4, \
             display_name = case when $5 is null then display_name when $5 = '' then null else $5 end \
             where workspace_id = $1 and id = $2",
        )
        .bind(workspace_id)
        .bind(&contact.id)
        .bind(attributes)
        .bind(now)
        .bind(name)
        .execute()
        .await?;
        let contact = contact_in(&mut tx, workspace_id, &contact.id).await?;
        emit_changes(&mut tx, &contact, &tags_before, now).await?;
        let change = Change::new(workspace_id, "contact.updated", Target::new("contact", &*contact.id));
        let is = said(&contact);
        let change = change.before(logged(&was, &is)).after(logged(&is, &was));
        self.audit(&mut tx, change).await?;
        tx.commit().await?;
        self.changed.notify_one();
        Ok((contact, true))
    }
}

/// The name and every attribute.
fn said(contact: &Contact) -> Map<String, Value> {
    let mut fields = contact.attributes.clone();
    fields.insert("name".to_owned(), json!(contact.name));
    fields
}

/// What the audit trail says of one side: which fields differ, not what they say. The trail cannot forget, and a person
/// who is erased is to be forgotten; only tags are words of the business.
fn logged(side: &Map<String, Value>, other: &Map<String, Value>) -> Value {
    let differs = |name: &str, value: &Value| other.get(name) != Some(value);
    let shown = |name: &str, value: &Value| match (name, value) {
        ("tags", _) | (_, Value::Null) => value.clone(),
        _ => Value::from("•••"),
    };
    let fields = side.iter().filter(|(name, value)| differs(name, value));
    Value::Object(fields.map(|(name, value)| (name.clone(), shown(name, value))).collect())
}

/// One event for the change, and one for every tag that came or went.
async fn emit_changes(
    tx: &mut Tx,
    contact: &Contact,
    before: &[String],
    now: i64,
) -> Result<(), RecordError> {
    let after = tags_of(&contact.attributes);
    let view = contact.view();
    events::emit(tx, &contact.workspace_id, events::CONTACT_UPDATED, &json!({ "contact": view }), now)
        .await?;
    let came = after.iter().filter(|tag| !before.contains(tag)).map(|tag| (events::CONTACT_TAGGED, tag));
    let went = before.iter().filter(|tag| !after.contains(tag)).map(|tag| (events::CONTACT_UNTAGGED, tag));
    for (topic, tag) in came.chain(went) {
        events::emit(tx, &contact.workspace_id, topic, &json!({ "contact": view, "tag": tag }), now).await?;
    }
    Ok(())
}

fn tags_of(attributes: &Map<String, Value>) -> Vec<String> {
    let tags = attributes.get("tags").and_then(Value::as_array).into_iter().flatten();
    tags.filter_map(|tag| tag.as_str().map(ToOwned::to_owned)).collect()
}

fn apply(attributes: &mut Map<String, Value>, change: &ContactChange) {
    for (name, value) in &change.set {
        if value.is_null() {
            attributes.shift_remove(name);
        } else {
            attributes.insert(name.clone(), value.clone());
        }
    }
    if change.add_tags.is_empty() && change.remove_tags.is_empty() {
        return;
    }
    let mut tags: Vec<Value> = attributes.get("tags").and_then(Value::as_array).cloned().unwrap_or_default();
    tags.retain(|tag| {
        tag.as_str().is_none_or(|tag| !change.remove_tags.iter().any(|removed| removed == tag))
    });
    for tag in &change.add_tags {
        if !tags.iter().any(|known| known.as_str() == Some(tag)) {
            tags.push(Value::from(tag.as_str()));
        }
    }
    attributes.insert("tags".into(), Value::Array(tags));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_come_and_go_once() {
        let mut attributes = Map::new();
        let change = |json: Value| serde_json::from_value::<ContactChange>(json).unwrap();
        apply(&mut attributes, &change(json!({"add_tags": ["a", "b", "a"], "set": {"city": "Pune"}})));
        apply(
            &mut attributes,
            &change(json!({"add_tags": ["b"], "remove_tags": ["a"], "set": {"city": null}})),
        );
        assert_eq!(Value::Object(attributes), json!({"tags": ["b"]}));
        assert!(serde_json::from_value::<ContactChange>(json!({"sett": {}})).is_err());
    }
}
