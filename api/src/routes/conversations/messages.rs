//! The messages of a conversation.

use crate::answer::{Listed, PageQuery};
use crate::auth::Tenant;
use crate::error::ApiError;
use crate::extract::{Path, Query};
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use sluice_records::Message;

/// A message.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct MessageView {
    /// `msg_…`.
    id: String,
    /// `cnv_…`.
    conversation_id: String,
    /// `con_…`.
    contact_id: String,
    /// Our number.
    phone_number_id: String,
    /// `in` or `out`.
    #[schema(value_type = String)]
    direction: Value,
    /// The provider's type: `text`, `image`, `interactive`, …
    #[serde(rename = "type")]
    kind: String,
    /// What it says, by type.
    #[schema(value_type = Object)]
    content: Value,
    /// The provider's id.
    #[schema(required)]
    wamid: Option<String>,
    /// How far it got: `pending`, `accepted`, `sent`, `delivered`, `read`, `played`, `failed`; `received` for inbound ones.
    #[schema(value_type = String)]
    status: Value,
    /// Since when.
    status_at: i64,
    /// Why it failed: `{ code, title, details? }`.
    #[schema(required, value_type = Option<Object>)]
    error: Value,
    /// When it was written.
    happened_at: i64,
}

impl From<Message> for MessageView {
    fn from(one: Message) -> Self {
        let json = |value: Result<Value, _>| value.unwrap_or_default();
        Self {
            direction: json(serde_json::to_value(one.direction)),
            status: json(serde_json::to_value(one.status)),
            error: json(serde_json::to_value(&one.error)),
            id: one.id,
            conversation_id: one.conversation_id,
            contact_id: one.contact_id,
            phone_number_id: one.phone_number_id,
            kind: one.kind,
            content: one.content,
            wamid: one.wamid,
            status_at: one.status_at,
            happened_at: one.happened_at,
        }
    }
}

/// List the messages of a conversation, newest first.
#[utoipa::path(get, path = "/api/conversations/{id}/messages", tag = "records",
    params(("id" = String, Path, description = "`cnv_…`"), PageQuery),
    responses((status = 200, description = "A page of messages", body = Listed<MessageView>)))]
pub(crate) async fn list(
    State(state): State<ApiState>,
    tenant: Tenant,
    Path(id): Path<String>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Listed<MessageView>>, ApiError> {
    let (cursor, size) = (page.cursor.as_deref(), page.size());
    let found = tenant.records(&state).list_messages(&tenant.workspace_id, &id, cursor, size).await?;
    Ok(Json(Listed { items: found.items.into_iter().map(Into::into).collect(), next: found.next }))
}

/// Show a message.
#[utoipa::path(get, path = "/api/messages/{id}", tag = "records", params(("id" = String, Path, description = "`msg_…`")),
    responses((status = 200, description = "The message", body = MessageView)))]
pub(crate) async fn get(
    State(state): State<ApiState>,
    tenant: Tenant,
    Path(id): Path<String>,
) -> Result<Json<MessageView>, ApiError> {
    Ok(Json(tenant.records(&state).message(&tenant.workspace_id, &id).await?.into()))
}
