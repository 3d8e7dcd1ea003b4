//! Everything that is held about a person, as one JSON document that is sent while it is read. Must not know statements.

use crate::auth::Tenant;
use crate::error::ApiError;
use crate::extract::Path;
use crate::state::ApiState;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;
use sluice_records::audit::AuditFilter;
use sluice_records::erasure::Held;
use sluice_records::{RecordError, Records};
use std::convert::Infallible;
use tokio::sync::mpsc;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;

/// Messages, runs or entries read at a time.
const PAGE: u32 = 100;

/// Parts that wait for the reader.
const AHEAD: usize = 16;

/// Why an export breaks off.
#[derive(Debug, thiserror::Error)]
enum Broken {
    /// The records failed.
    #[error("the records of a person could not be read")]
    Records(#[from] RecordError),
    /// The runs failed.
    #[error("the runs of a person could not be read")]
    Engine(#[from] sluice_engine::drive::EngineError),
    /// The store failed.
    #[error("the runs of a person could not be read")]
    Store(#[from] sluice_engine::store::StoreError),
    /// Something cannot be written as JSON.
    #[error("a part could not be written")]
    Json(#[from] serde_json::Error),
    /// The reader went away.
    #[error("the reader went away")]
    Gone,
}

/// Export what is held about a person: contact, consents, conversations, messages, runs that are about them, and the
/// entries of the audit trail. Runs may tell of other people, too: look before you hand it on.
#[utoipa::path(get, path = "/api/contacts/{id}/export", tag = "records",
    params(("id" = String, Path, description = "`con_…`")),
    responses((status = 200, description = "All of it", body = Object)))]
pub(crate) async fn export(
    State(state): State<ApiState>,
    tenant: Tenant,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let records = tenant.records(&state);
    let held = records.held(&tenant.workspace_id, &id).await?;
    let (parts, receiver) = mpsc::channel(AHEAD);
    let name = format!("attachment; filename=\"{}.json\"", held.contact.id);
    let exporting = Exporting { state, records, workspace_id: tenant.workspace_id, held, parts };
    tokio::spawn(async move {
        // The document then lacks its end, and whoever reads it as JSON sees that.
        if let Err(failure) = exporting.write().await {
            tracing::warn!(error = &failure as &dyn std::error::Error, "an export broke off");
        }
    });
    let body = Body::from_stream(ReceiverStream::new(receiver).map(Ok::<Bytes, Infallible>));
    let headers =
        [(header::CONTENT_TYPE, "application/json".to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, body).into_response())
}

struct Exporting {
    state: ApiState,
    records: Records,
    workspace_id: String,
    held: Held,
    parts: mpsc::Sender<Bytes>,
}

impl Exporting {
    async fn write(self) -> Result<(), Broken> {
        let head = serde_json::to_string(&json!({
            "exported_at": self.state.engine.now_ms(),
            "contact": self.held.contact.view(),
            "identities": self.held.contact.identities,
            "attributes": self.held.contact.attributes,
            "consents": self.held.consents,
            "merged": self.held.merged,
            "conversations": self.held.conversations,
        }))?;
        let open = head.strip_suffix('}').unwrap_or(&head);
        self.send(format!("{open},\"messages\":[")).await?;
        self.messages().await?;
        self.send("],\"runs\":[".to_owned()).await?;
        self.runs().await?;
        self.send("],\"audit\":[".to_owned()).await?;
        self.audit().await?;
        self.send("]}".to_owned()).await
    }

    async fn send(&self, text: String) -> Result<(), Broken> {
        self.parts.send(text.into()).await.map_err(|_| Broken::Gone)
    }

    async fn item(&self, is_first: &mut bool, item: &impl Serialize) -> Result<(), Broken> {
        let comma = if std::mem::take(is_first) { "" } else { "," };
        self.send(format!("{comma}{}", serde_json::to_string(item)?)).await
    }

    async fn messages(&self) -> Result<(), Broken> {
        let (mut after, mut is_first) = (String::new(), true);
        loop {
            let contact_id = &self.held.contact.id;
            let found =
                self.records.messages_of_contact(&self.workspace_id, contact_id, &after, PAGE).await?;
            for message in &found {
                self.item(&mut is_first, message).await?;
            }
            match found.last().filter(|_| found.len() == PAGE as usize) {
                Some(last) => after.clone_from(&last.id),
                None => return Ok(()),
            }
        }
    }

    async fn runs(&self) -> Result<(), Broken> {
        let (store, finder) = (self.state.engine.store(), self.held.traces.finder()?);
        let (mut after, mut is_first) = (String::new(), true);
        loop {
            let runs = store.runs_after(&self.workspace_id, &after, false, PAGE).await?;
            for run in &runs {
                if store.look_through(run, &|bytes| finder.has_any(bytes)).await?.is_in
                    && let Some(view) = self.state.engine.run_view(&run.key).await?
                {
                    self.item(&mut is_first, &view).await?;
                }
            }
            match runs.last().filter(|_| runs.len() == PAGE as usize) {
                Some(last) => after = last.key.run_id.to_string(),
                None => return Ok(()),
            }
        }
    }

    async fn audit(&self) -> Result<(), Broken> {
        let filter = AuditFilter {
            chain: Some(self.workspace_id.clone()),
            target: Some(self.held.contact.id.clone()),
            ..AuditFilter::default()
        };
        let (mut cursor, mut is_first) = (None::<String>, true);
        loop {
            let page = self.records.list_audit(&filter, cursor.as_deref(), PAGE).await?;
            for entry in page.items {
                let (before, after) = (entry.before_value(), entry.after_value());
                let entry = json!({
                    "at": entry.at, "action": entry.action, "actor_kind": entry.actor_kind,
                    "before": before, "after": after,
                });
                self.item(&mut is_first, &entry).await?;
            }
            cursor = page.next;
            if cursor.is_none() {
                return Ok(());
            }
        }
    }
}
