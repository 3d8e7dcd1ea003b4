//! Conversations and their messages, to be read. Must not know how messages are sent.

mod messages;

use crate::answer::{Listed, page_size};
use crate::auth::Tenant;
use crate::error::ApiError;
use crate::extract::{Path, Query};
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sluice_records::Conversation;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get))
        .routes(routes!(messages::list))
        .routes(routes!(messages::get))
}

/// A thread between one of our numbers and a contact.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ConversationView {
    /// `cnv_…`.
    id: String,
    /// Our number.
    phone_number_id: String,
    /// `con_…`.
    contact_id: String,
    /// Set in groups.
    #[schema(required)]
    group_id: Option<String>,
    /// `open` or `closed`.
    status: String,
    /// Customer messages since somebody last looked.
    unread: i64,
    /// When the customer last wrote.
    #[schema(required)]
    last_inbound_at: Option<i64>,
    /// When anybody last wrote.
    last_message_at: i64,
    /// Until when free-form messages may be sent.
    #[schema(required)]
    window_expires_at: Option<i64>,
    /// The advertisement or post that led here.
    #[schema(required, value_type = Option<Object>)]
    referral: Option<Value>,
    /// When it began.
    created_at: i64,
}

impl From<Conversation> for ConversationView {
    fn from(one: Conversation) -> Self {
        Self {
            id: one.id,
            phone_number_id: one.phone_number_id,
            contact_id: one.contact_id,
            group_id: one.group_id,
            status: one.status,
            unread: one.unread,
            last_inbound_at: one.last_inbound_at,
            last_message_at: one.last_message_at,
            window_expires_at: one.window_expires_at,
            referral: one.referral,
            created_at: one.created_at,
        }
    }
}

/// Which conversations.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConversationsQuery {
    /// Only `open` or only `closed` ones.
    status: Option<ConversationStatus>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Size of the page, 1 to 200; 50 when missing.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// Whether a conversation goes on.
#[derive(Clone, Copy, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ConversationStatus {
    /// It does.
    Open,
    /// The next message opens another.
    Closed,
}

/// List conversations, the one with the latest message first.
#[utoipa::path(get, path = "/api/conversations", tag = "records", params(ConversationsQuery),
    responses((status = 200, description = "A page of conversations", body = Listed<ConversationView>)))]
pub(crate) async fn list(
    State(state): State<ApiState>,
    tenant: Tenant,
    Query(query): Query<ConversationsQuery>,
) -> Result<Json<Listed<ConversationView>>, ApiError> {
    let status = query.status.map(|status| match status {
        ConversationStatus::Open => "open",
        ConversationStatus::Closed => "closed",
    });
    let (cursor, size) = (query.cursor.as_deref(), page_size(query.limit));
    let found = tenant.records(&state).list_conversations(&tenant.workspace_id, status, cursor, size).await?;
    Ok(Json(Listed { items: found.items.into_iter().map(Into::into).collect(), next: found.next }))
}

/// Show a conversation.
#[utoipa::path(get, path = "/api/conversations/{id}", tag = "records", params(("id" = String, Path, description = "`cnv_…`")),
    responses((status = 200, description = "The conversation", body = ConversationView)))]
pub(crate) async fn get(
    State(state): State<ApiState>,
    tenant: Tenant,
    Path(id): Path<String>,
) -> Result<Json<ConversationView>, ApiError> {
    Ok(Json(tenant.records(&state).conversation(&tenant.workspace_id, &id).await?.into()))
}
