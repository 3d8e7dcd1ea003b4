//! From identities to the one contact they belong to: found, made, linked or merged.

use serde_json::json;
use sluice_db::{DbError, Row, Tx};

use super::merge::merge_in;
use super::{Identity, IdentityKind, contact_in};
use crate::audit::{Change, Target};
use crate::erasure::Marker;
use crate::ids::clean;
use crate::store::lock_workspace;
use crate::{ActorKind, Contact, RecordError, Records, events, new_id};

/// What became of a set of identities.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolved {
    pub contact_id: String,
    pub created: bool,
    /// Contacts that turned out to be this same person and are gone; their ids lead here.
    pub merged: Vec<String>,
}

impl Records {
    /// The contact these identities belong to. Identities that nobody has are linked to it; when they belong to
    /// several contacts these are one person and are merged into the oldest; when nobody has any, a contact is made.
    /// `profile_name` is kept as the latest name the person gave.
    ///
    /// # Errors
    /// `Invalid` without any identity, `NotFound` for the workspace.
    pub async fn resolve_contact(
        &self,
        workspace_id: &str,
        identities: &[Identity],
        profile_name: Option<&str>,
    ) -> Result<(Contact, Resolved), RecordError> {
        let mut tx = self.begin().await?;
        let resolved =
            resolve_in(&mut tx, &self.marker(), workspace_id, identities, profile_name, self.now()).await?;
        let contact = super::contact_in(&mut tx, workspace_id, &resolved.contact_id).await?;
        self.audit_resolved(&mut tx, workspace_id, &resolved).await?;
        tx.commit().await?;
        Ok((contact, resolved))
    }

    /// Who comes in with a provider's body is on record there; what somebody makes or merges is in the audit trail.
    async fn audit_resolved(
        &self,
        tx: &mut Tx,
        workspace_id: &str,
        resolved: &Resolved,
    ) -> Result<(), RecordError> {
        if self.actor().kind == ActorKind::System || (!resolved.created && resolved.merged.is_empty()) {
            return Ok(());
        }
        let action = if resolved.created { "contact.created" } else { "contact.merged" };
        let change = Change::new(workspace_id, action, Target::new("contact", &*resolved.contact_id));
        let merged = (!resolved.merged.is_empty()).then(|| json!({ "merged": resolved.merged }));
        self.audit(tx, merged.into_iter().fold(change, Change::before)).await
    }

    /// A person's identities changed: each of `new` takes the place of the one of its kind in `old`, which is free
    /// again, because a telephone number that was given up will be somebody else's. Merges when a new one belongs to
    /// another contact.
    ///
    /// # Errors
    /// `Invalid` without any identity, `NotFound` for the workspace.
    pub async fn change_identities(
        &self,
        workspace_id: &str,
        old: &[Identity],
        new: &[Identity],
    ) -> Result<Resolved, RecordError> {
        let mut tx = self.begin().await?;
        let all: Vec<Identity> = old.iter().chain(new).cloned().collect();
        let resolved = resolve_in(&mut tx, &self.marker(), workspace_id, &all, None, self.now()).await?;
        let replaced = |one: &&Identity| {
            new.iter().any(|other| other.kind == one.kind)
                && !new.iter().any(|other| other.value == one.value)
        };
        for identity in old.iter().filter(replaced) {
            tx.query("delete from contact_identities where workspace_id = $1 and kind = $2 and value = $3")
                .bind(workspace_id)
                .bind(identity.kind.as_text().as_ref())
                .bind(&identity.value)
                .execute()
                .await?;
        }
        self.audit_resolved(&mut tx, workspace_id, &resolved).await?;
        tx.commit().await?;
        Ok(resolved)
    }
}

pub(crate) async fn resolve_in(
    tx: &mut Tx,
    marker: &Marker<'_>,
    workspace_id: &str,
    identities: &[Identity],
    profile_name: Option<&str>,
    now: i64,
) -> Result<Resolved, RecordError> {
    if identities.is_empty() {
        return Err(RecordError::invalid("identities", "a contact needs at least one identity"));
    }
    let mut owners = owners(tx, workspace_id, identities).await?;
    if !is_settled(&owners) {
        // Only now, because most messages come from people who are known.
        lock_workspace(tx, workspace_id).await?;
        owners = self::owners(tx, workspace_id, identities).await?;
    }
    let resolved = settle(tx, workspace_id, identities, &owners, now).await?;
    let name = profile_name.map(|name| clean(name.trim())).filter(|name| !name.is_empty());
    note_addresses(tx, workspace_id, identities, &owners).await?;
    if let Some(name) = name.filter(|name| !knows_name(&owners, name)) {
        note_name(tx, workspace_id, &resolved.contact_id, &name, now).await?;
    }
    if owners.iter().any(Option::is_none) {
        marker.honour(tx, workspace_id, &resolved.contact_id, identities).await?;
    }
    if resolved.created {
        let contact = contact_in(tx, workspace_id, &resolved.contact_id).await?;
        let data = serde_json::json!({ "contact": contact.view() });
        events::emit(tx, workspace_id, events::CONTACT_CREATED, &data, now).await?;
    }
    Ok(resolved)
}

/// Who has an identity today.
struct Owner {
    contact_id: String,
    /// How the identity was spelled last.
    address: String,
    profile_name: Option<String>,
}

/// Who has each identity today, in the order given.
async fn owners(
    tx: &mut Tx,
    workspace_id: &str,
    identities: &[Identity],
) -> Result<Vec<Option<Owner>>, RecordError> {
    let mut owners = Vec::with_capacity(identities.len());
    for identity in identities {
        let row = tx
            .query(
                "select i.contact_id, i.address, c.profile_name from contact_identities i join contacts c \
                 on c.workspace_id = i.workspace_id and c.id = i.contact_id \
                 where i.workspace_id = $1 and i.kind = $2 and i.value = $3",
            )
            .bind(workspace_id)
            .bind(identity.kind.as_text().as_ref())
            .bind(&identity.value)
            .optional()
            .await?;
        let owner = |row: Row| {
            let (contact_id, address) = (row.text("contact_id")?, row.text("address")?);
            Ok::<_, DbError>(Owner { contact_id, address, profile_name: row.opt_text("profile_name")? })
        };
        owners.push(row.map(owner).transpose()?);
    }
    Ok(owners)
}

/// Every identity belongs to one and the same contact: nothing to do.
fn is_settled(owners: &[Option<Owner>]) -> bool {
    let contact = |owner: &Option<Owner>| owner.as_ref().map(|owner| owner.contact_id.clone());
    let first = owners.first().and_then(contact);
    first.is_some() && owners.iter().all(|owner| contact(owner) == first)
}

/// Whether all this is about one contact that gave this name before.
fn knows_name(owners: &[Option<Owner>], name: &str) -> bool {
    let is_known = |owner: &Owner| owner.profile_name.as_deref() == Some(name);
    is_settled(owners) && owners.iter().flatten().all(is_known)
}

async fn settle(
    tx: &mut Tx,
    workspace_id: &str,
    identities: &[Identity],
    owners: &[Option<Owner>],
    now: i64,
) -> Result<Resolved, RecordError> {
    let mut known: Vec<String> = owners.iter().flatten().map(|owner| owner.contact_id.clone()).collect();
    known.sort();
    known.dedup();
    let created = known.is_empty();
    let (contact_id, merged) = if created {
        (create(tx, workspace_id, now).await?, Vec::new())
    } else if known.len() == 1 {
        (known.remove(0), Vec::new())
    } else {
        merge_in(tx, workspace_id, &known, now).await?
    };
    for (identity, owner) in identities.iter().zip(owners) {
        if owner.is_none() {
            link(tx, workspace_id, identity, &contact_id, now).await?;
        }
    }
    Ok(Resolved { contact_id, created, merged })
}

async fn create(tx: &mut Tx, workspace_id: &str, now: i64) -> Result<String, RecordError> {
    let id = new_id("con");
    tx.query(
        "insert into contacts (workspace_id, id, attributes, created_at, updated_at) values ($1, $2, '{}', $3, $3)",
    )
    .bind(workspace_id)
    .bind(&id)
    .bind(now)
    .execute()
    .await?;
    Ok(id)
}

async fn link(
    tx: &mut Tx,
    workspace_id: &str,
    identity: &Identity,
    contact_id: &str,
    now: i64,
) -> Result<(), RecordError> {
    // The same identity may be given twice in one list.
    tx.query(
        "insert into contact_identities (workspace_id, kind, value, address, contact_id, created_at) \
         values ($1, $2, $3, $4, $5, $6) on conflict do nothing",
    )
    .bind(workspace_id)
    .bind(identity.kind.as_text().as_ref())
    .bind(&identity.value)
    .bind(&identity.address)
    .bind(contact_id)
    .bind(now)
    .execute()
    .await?;
    Ok(())
}

/// The latest spelling of each telephone number: the one WhatsApp used last reaches.
async fn note_addresses(
    tx: &mut Tx,
    workspace_id: &str,
    identities: &[Identity],
    owners: &[Option<Owner>],
) -> Result<(), RecordError> {
    let is_other = |owner: &Option<Owner>, identity: &Identity| {
        owner.as_ref().is_none_or(|owner| owner.address != identity.address)
    };
    let changed = identities
        .iter()
        .zip(owners)
        .filter(|(identity, owner)| identity.kind == IdentityKind::Phone && is_other(owner, identity));
    for (identity, _) in changed {
        tx.query(
            "update contact_identities set address = $4 \
             where workspace_id = $1 and kind = $2 and value = $3 and address <> $4",
        )
        .bind(workspace_id)
        .bind(identity.kind.as_text().as_ref())
        .bind(&identity.value)
        .bind(&identity.address)
        .execute()
        .await?;
    }
    Ok(())
}

/// The latest profile name.
async fn note_name(
    tx: &mut Tx,
    workspace_id: &str,
    contact_id: &str,
    name: &str,
    now: i64,
) -> Result<(), RecordError> {
    tx.query(
        "update contacts set profile_name = $3, updated_at = $4 \
         where workspace_id = $1 and id = $2 and coalesce(profile_name, '') <> $3",
    )
    .bind(workspace_id)
    .bind(contact_id)
    .bind(name)
    .bind(now)
    .execute()
    .await?;
    Ok(())
}
