//! `contact.update`: changes what is known about the item's contact, once per execution.

use crate::records::{actor, node_error};
use serde_json::{Map, Value, json};
use sluice_node_sdk::context::NodeContext;
use sluice_node_sdk::prelude::*;
use sluice_records::{ContactChange, Identity, Records};

/// The node.
pub(crate) struct Update {
    pub(crate) records: Option<Records>,
}

/// The change; what is left out stays.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Params {
    /// The contact's id or phone number. Left out: the contact of the item.
    #[serde(default)]
    contact: Option<String>,
    /// Attributes to set; null removes one.
    #[serde(default)]
    set: Map<String, Value>,
    /// The name people here use; empty goes back to the profile name.
    #[serde(default)]
    name: Option<String>,
    /// E-mail address; empty removes it.
    #[serde(default)]
    email: Option<String>,
    /// Tags to add.
    #[serde(default)]
    add_tags: Vec<String>,
    /// Tags to take away.
    #[serde(default)]
    remove_tags: Vec<String>,
}

impl Node for Update {
    const TYPE: &'static str = "contact.update";
    type Params = Params;

    fn spec(&self) -> NodeSpec {
        let example = Example::new(
            "Remember a city and tag the lead",
            json!({ "set": { "city": "Pune" }, "add_tags": ["lead"], "email": "asha@example.com" }),
        )
        .input(vec![json!({ "contact": { "id": "con_1", "name": "Asha", "tags": ["vip"] } })])
        .output(vec![json!({ "contact": {
            "id": "con_1", "name": "Asha", "tags": ["vip", "lead"], "city": "Pune", "email": "asha@example.com"
        } })]);
        NodeSpec::new("Update contact", "Changes attributes, name and tags of a contact")
            .docs(
                "Changes the contact of each item and puts the changed contact into the item as `contact`. A change \
                 is applied once, however often the node is tried. In a dry run only the item shows the change.",
            )
            .effect(Effect::Idempotent)
            .outputs(Ports::fixed(&[
                ("main", "The items, with the changed contact under `contact`"),
                ("error", "The items, when the change failed and errors are routed"),
            ]))
            .retry(3, 1_000, 10_000)
            .example(example)
            .example(
                Example::new("An item without contact", json!({ "add_tags": ["x"] }))
                    .input(vec![json!({})])
                    .error("contact_missing"),
            )
    }

    async fn run(&self, ctx: &Context<'_, Params>, input: Input) -> Result<Outcome, NodeError> {
        let mut output = Vec::with_capacity(input.items().len());
        for (index, item) in input.items().iter().enumerate() {
            let params = ctx.params(index)?;
            let contact = self.update(ctx, &params, index, item).await?;
            let mut json = item.json.as_object().cloned().unwrap_or_default();
            json.insert("contact".to_owned(), contact);
            let mut changed = Item::new(Value::Object(json)).from_input(index);
            changed.files = item.files.clone();
            output.push(changed);
        }
        Ok(output.into())
    }
}

impl Update {
    async fn update(
        &self,
        ctx: &NodeContext,
        params: &Params,
        index: usize,
        item: &Item,
    ) -> Result<Value, NodeError> {
        let change = change(params)?;
        let wanted = params.contact.clone().or_else(|| id_of(&item.json)).or_else(|| {
            let variable = ctx.params.run_script("contact", index, Vec::new()).unwrap_or_default();
            id_of(&json!({ "contact": variable }))
        });
        let Some(wanted) = wanted.filter(|id| !id.trim().is_empty()) else {
            let message = "The item has no contact; set `contact` to an id or a phone number";
            return Err(NodeError::invalid_input(message).code("contact_missing").at("/contact"));
        };
        if ctx.run.dry_run || ctx.services.http.is_scripted() {
            ctx.info("Dry run: the contact was not changed");
            return Ok(pretended(&item.json, &change));
        }
        let Some(records) = &self.records else {
            let message = "This host keeps no records; run the workflow on a server to change contacts";
            return Err(NodeError::unavailable(message).code("no_records"));
        };
        let effect_id = ctx.effect_id();
        let effect_id = if index == 0 { effect_id } else { format!("{effect_id}#{index}") };
        let records = &records.acting(actor(&ctx.run, &effect_id));
        let id = find(records, &ctx.run.workspace_id, &wanted).await?;
        let changed = records.update_contact(&ctx.run.workspace_id, &id, &change, Some(&effect_id)).await;
        let (contact, now) = changed.map_err(node_error)?;
        if !now {
            ctx.info("An earlier attempt already made this change");
        }
        Ok(contact.view())
    }
}

fn id_of(json: &Value) -> Option<String> {
    let contact = json.get("contact")?;
    let id = contact.as_str().or_else(|| contact.get("id")?.as_str());
    id.map(ToOwned::to_owned)
}

/// An id, or whoever has this phone number.
async fn find(records: &Records, workspace_id: &str, wanted: &str) -> Result<String, NodeError> {
    if wanted.starts_with("con_") {
        return Ok(wanted.to_owned());
    }
    let identity = Identity::phone(wanted, None).map_err(node_error).map_err(|error| error.at("/contact"))?;
    let (contact, _) = records.resolve_contact(workspace_id, &[identity], None).await.map_err(node_error)?;
    Ok(contact.id)
}

fn change(params: &Params) -> Result<ContactChange, NodeError> {
    let mut set = params.set.clone();
    if let Some(email) = params.email.as_deref().map(str::trim) {
        if email.is_empty() {
            set.insert("email".to_owned(), Value::Null);
        } else {
            let checked = Identity::email(email).map_err(node_error).map_err(|error| error.at("/email"))?;
            set.insert("email".to_owned(), checked.address.into());
        }
    }
    let tag = params.add_tags.iter().position(|tag| tag.trim().is_empty());
    if let Some(at) = tag {
        let message = "A tag must not be empty";
        return Err(NodeError::invalid_params(message).code("empty_text").at(format!("/add_tags/{at}")));
    }
    let trimmed = |tags: &[String]| tags.iter().map(|tag| tag.trim().to_owned()).collect();
    Ok(ContactChange {
        name: params.name.clone(),
        set,
        add_tags: trimmed(&params.add_tags),
        remove_tags: trimmed(&params.remove_tags),
    })
}

/// What the item's contact would look like.
fn pretended(json: &Value, change: &ContactChange) -> Value {
    let mut contact = json.get("contact").and_then(Value::as_object).cloned().unwrap_or_default();
    if let Some(name) = &change.name {
        contact.insert("name".to_owned(), name.as_str().into());
    }
    let listed = contact.get("tags").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut tags: Vec<String> = listed.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect();
    tags.retain(|tag| !change.remove_tags.contains(tag));
    for tag in &change.add_tags {
        if !tags.contains(tag) {
            tags.push(tag.clone());
        }
    }
    contact.insert("tags".to_owned(), json!(tags));
    for (key, value) in &change.set {
        if value.is_null() {
            contact.shift_remove(key);
        } else {
            contact.insert(key.clone(), value.clone());
        }
    }
    Value::Object(contact)
}
