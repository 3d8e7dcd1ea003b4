//! Contacts, to be read and exported. Must not know conversations.

mod export;

use crate::answer::{Listed, page_size};
use crate::auth::Tenant;
use crate::error::ApiError;
use crate::extract::{Path, Query};
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sluice_records::Contact;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get)).routes(routes!(export::export))
}

/// A person.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ContactView {
    /// `con_…`.
    id: String,
    /// The name people here gave, or else the profile name.
    #[schema(required)]
    name: Option<String>,
    /// The name the person gave on WhatsApp; not to be trusted.
    #[schema(required)]
    profile_name: Option<String>,
    /// Whatever is known.
    #[schema(value_type = Object)]
    attributes: Map<String, Value>,
    /// How the person is recognised.
    identities: Vec<IdentityView>,
    /// When first seen.
    created_at: i64,
    /// When last changed.
    updated_at: i64,
}

/// One way to recognise a person.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct IdentityView {
    /// `phone`, `bsuid`, `email` or `external:<system>`.
    kind: String,
    /// What is compared.
    value: String,
    /// What is written to.
    address: String,
}

impl From<Contact> for ContactView {
    fn from(contact: Contact) -> Self {
        let identities = contact.identities.into_iter().map(|one| IdentityView {
            kind: one.kind.as_text().into_owned(),
            value: one.value,
            address: one.address,
        });
        Self {
            id: contact.id,
            name: contact.name,
            profile_name: contact.profile_name,
            attributes: contact.attributes,
            identities: identities.collect(),
            created_at: contact.created_at,
            updated_at: contact.updated_at,
        }
    }
}

/// Which contacts.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ContactsQuery {
    /// A part of a name or of an identity, whatever the case.
    search: Option<String>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Size of the page, 1 to 200; 50 when missing.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// List contacts, newest first.
#[utoipa::path(get, path = "/api/contacts", tag = "records", params(ContactsQuery),
    responses((status = 200, description = "A page of contacts", body = Listed<ContactView>)))]
pub(crate) async fn list(
    State(state): State<ApiState>,
    tenant: Tenant,
    Query(query): Query<ContactsQuery>,
) -> Result<Json<Listed<ContactView>>, ApiError> {
    let (search, cursor) = (query.search.as_deref(), query.cursor.as_deref());
    let found = tenant
        .records(&state)
        .list_contacts(&tenant.workspace_id, search, cursor, page_size(query.limit))
        .await?;
    Ok(Json(Listed { items: found.items.into_iter().map(Into::into).collect(), next: found.next }))
}

/// Show a contact. The id of a merged one leads to the one it was merged into.
#[utoipa::path(get, path = "/api/contacts/{id}", tag = "records", params(("id" = String, Path, description = "`con_…`")),
    responses((status = 200, description = "The contact", body = ContactView)))]
pub(crate) async fn get(
    State(state): State<ApiState>,
    tenant: Tenant,
    Path(id): Path<String>,
) -> Result<Json<ContactView>, ApiError> {
    Ok(Json(tenant.records(&state).contact(&tenant.workspace_id, &id).await?.into()))
}
