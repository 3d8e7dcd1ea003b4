//! Contacts: people as sets of identities. A person may be known by phone, by WhatsApp's business-scoped user id, by
//! e-mail, by an id of another system, or by several; every one is optional, at least one is there.

mod change;
mod identity;
mod merge;
mod resolve;

use serde::Serialize;
use serde_json::{Map, Value, json};
use sluice_db::{DbError, Row, Tx};

pub use change::ContactChange;
pub use identity::{Identity, IdentityKind};
pub use resolve::Resolved;

use crate::ids::clean;
use crate::page::{Cursor, page, page_size};
use crate::{Page, RecordError, Records};

/// A person.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Contact {
    pub id: String,
    pub workspace_id: String,
    /// The name people here gave, or else the profile name.
    pub name: Option<String>,
    /// The name the person gave on WhatsApp: not to be trusted, may change daily.
    pub profile_name: Option<String>,
    /// `first_name`, `email`, `tags`, … and whatever workflows add.
    pub attributes: Map<String, Value>,
    pub identities: Vec<Identity>,
    pub created_at: i64,
    pub updated_at: i64,
}

impl Contact {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let profile_name = row.opt_text("profile_name")?;
        let Value::Object(attributes) = row.json("attributes")? else {
            return Err(DbError::Corrupt { message: "a contact's attributes are not an object".into() });
        };
        Ok(Self {
            id: row.text("id")?,
            workspace_id: row.text("workspace_id")?,
            name: row.opt_text("display_name")?.or_else(|| profile_name.clone()),
            profile_name,
            attributes,
            identities: Vec::new(),
            created_at: row.int("created_at")?,
            updated_at: row.int("updated_at")?,
        })
    }

    /// The address of the first identity of a kind: what to write to.
    pub fn address(&self, kind: &IdentityKind) -> Option<&str> {
        self.identities
            .iter()
            .find(|identity| &identity.kind == kind)
            .map(|identity| identity.address.as_str())
    }

    /// What to call the person: the attribute `first_name`, or the first word of the name.
    pub fn first_name(&self) -> Option<&str> {
        let given =
            self.attributes.get("first_name").and_then(Value::as_str).filter(|name| !name.trim().is_empty());
        given.or_else(|| self.name.as_deref().and_then(|name| name.split_whitespace().next()))
    }

    /// The contact as expressions see it: the attributes, and over them the fields every contact has (null when
    /// unknown): `id`, `name`, `first_name`, `phone`, `user_id`, `email`, `tags`.
    pub fn view(&self) -> Value {
        let mut view = Map::new();
        view.insert("id".into(), json!(self.id));
        view.insert("name".into(), json!(self.name));
        view.insert("first_name".into(), json!(self.first_name()));
        view.insert("phone".into(), json!(self.address(&IdentityKind::Phone)));
        view.insert("user_id".into(), json!(self.address(&IdentityKind::UserId)));
        let email = self.attributes.get("email").and_then(Value::as_str);
        view.insert("email".into(), json!(email.or_else(|| self.address(&IdentityKind::Email))));
        view.insert("tags".into(), self.attributes.get("tags").cloned().unwrap_or_else(|| json!([])));
        for (name, value) in &self.attributes {
            view.entry(name.clone()).or_insert_with(|| value.clone());
        }
        Value::Object(view)
    }
}

impl Records {
    /// A contact by id. The id of a merged contact leads to the one it was merged into.
    pub async fn contact(&self, workspace_id: &str, id: &str) -> Result<Contact, RecordError> {
        let row = self
            .db
            .query(
                "select * from contacts where workspace_id = $1 and id = coalesce((select into_id from contact_merges \
                 where workspace_id = $1 and merged_id = $2), $2)",
            )
            .bind(workspace_id)
            .bind(clean(id))
            .optional()
            .await?;
        let mut contact = match row {
            Some(row) => Contact::from_row(&row)?,
            None => return Err(RecordError::not_found("contact", id)),
        };
        let rows = self.db.query(IDENTITIES).bind(workspace_id).bind(&contact.id).all().await?;
        contact.identities = rows.iter().map(Identity::from_row).collect::<Result<_, _>>()?;
        Ok(contact)
    }

    /// The contact with this identity, if anybody has it.
    pub async fn find_contact(
        &self,
        workspace_id: &str,
        identity: &Identity,
    ) -> Result<Option<Contact>, RecordError> {
        let row = self
            .db
            .query("select contact_id from contact_identities where workspace_id = $1 and kind = $2 and value = $3")
            .bind(workspace_id)
            .bind(identity.kind.as_text().as_ref())
            .bind(&identity.value)
            .optional()
            .await?;
        match row {
            Some(row) => Ok(Some(self.contact(workspace_id, &row.text(0)?).await?)),
            None => Ok(None),
        }
    }

    /// Contacts, newest first. `search` finds a part of a name or of an identity, whatever the case.
    pub async fn list_contacts(
        &self,
        workspace_id: &str,
        search: Option<&str>,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page<Contact>, RecordError> {
        let (from, size) = (Cursor::read(cursor)?, page_size(limit));
        let pattern = search.map(|text| format!("%{}%", escape_like(&clean(text).to_lowercase())));
        let rows = self
            .db
            .query(
                "select * from contacts c where workspace_id = $1 \
                 and (created_at < $2 or (created_at = $2 and id < $3)) and ($4 is null \
                 or lower(coalesce(display_name, '')) like $4 escape '\\' \
                 or lower(coalesce(profile_name, '')) like $4 escape '\\' \
                 or exists (select 1 from contact_identities i where i.workspace_id = c.workspace_id \
                 and i.contact_id = c.id and lower(i.value) like $4 escape '\\')) \
                 order by created_at desc, id desc limit $5",
            )
            .bind(workspace_id)
            .bind(from.at)
            .bind(&from.id)
            .bind(pattern)
            .bind(size + 1)
            .all()
            .await?;
        let contacts = rows.iter().map(Contact::from_row).collect::<Result<Vec<_>, _>>()?;
        let mut page =
            page(contacts, size, |contact| Cursor { at: contact.created_at, id: contact.id.clone() });
        for contact in &mut page.items {
            let rows = self.db.query(IDENTITIES).bind(workspace_id).bind(&contact.id).all().await?;
            contact.identities = rows.iter().map(Identity::from_row).collect::<Result<_, _>>()?;
        }
        Ok(page)
    }
}

const IDENTITIES: &str = "select kind, value, address from contact_identities where workspace_id = $1 and contact_id = $2 \
     order by created_at, kind, value";

/// Makes `%`, `_` and the escape character itself ordinary in a `like` pattern.
fn escape_like(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// The contact with this id inside a transaction, locked against other writers.
pub(crate) async fn contact_in(tx: &mut Tx, workspace_id: &str, id: &str) -> Result<Contact, RecordError> {
    let sql = format!(
        "select * from contacts where workspace_id = $1 and id = coalesce((select into_id from contact_merges \
         where workspace_id = $1 and merged_id = $2), $2){}",
        tx.dialect().for_update()
    );
    let row = tx.query(sql).bind(workspace_id).bind(id).optional().await?;
    let mut contact = match row {
        Some(row) => Contact::from_row(&row)?,
        None => return Err(RecordError::not_found("contact", id)),
    };
    let rows = tx.query(IDENTITIES).bind(workspace_id).bind(&contact.id).all().await?;
    contact.identities = rows.iter().map(Identity::from_row).collect::<Result<_, _>>()?;
    Ok(contact)
}

pub(crate) use resolve::resolve_in;
