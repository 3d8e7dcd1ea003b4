//! Entries as a table, sent while it is read: a page is in memory at a time. Must not know who reads it.

use super::{AuditQuery, managed, reached};
use crate::auth::{Manager, Reach};
use crate::error::{self, ApiError};
use crate::extract::Query;
use crate::state::ApiState;
use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures::{StreamExt, stream};
use sluice_records::audit::{AuditEntry, AuditFilter};
use sluice_records::{RecordError, Records};

/// Entries read at a time.
const PAGE: u32 = 500;

/// The names of the columns.
const COLUMNS: [&str; 15] = [
    "chain",
    "seq",
    "at",
    "actor_kind",
    "actor_id",
    "actor_name",
    "impersonated_by",
    "address",
    "request_id",
    "action",
    "target_kind",
    "target_id",
    "target_name",
    "before",
    "after",
];

/// The same as a CSV table, all of it. Cells that a spreadsheet would take for a formula begin with `'`.
#[utoipa::path(get, path = "/api/audit.csv", tag = "audit", params(AuditQuery),
    responses((status = 200, description = "A table", content_type = "text/csv", body = String)))]
pub(crate) async fn export(
    State(state): State<ApiState>,
    reach: Reach,
    Query(query): Query<AuditQuery>,
) -> Result<Response, ApiError> {
    table(state.records.clone(), query, reached(reach)).await
}

/// The trail of the platform, or of the reseller, as a CSV table.
#[utoipa::path(get, path = "/api/platform/audit.csv", tag = "audit", params(AuditQuery),
    responses((status = 200, description = "A table", content_type = "text/csv", body = String)))]
pub(crate) async fn export_managed(
    State(state): State<ApiState>,
    manager: Manager,
    Query(query): Query<AuditQuery>,
) -> Result<Response, ApiError> {
    table(state.records.clone(), query, managed(&manager)).await
}

/// The first page is read before anything is sent, so that a failure can still be told.
async fn table(records: Records, query: AuditQuery, chain: Option<String>) -> Result<Response, ApiError> {
    if query.cursor.is_some() || query.limit.is_some() {
        let message = "a table has no pages; leave `cursor` and `limit` out";
        return Err(ApiError::new(error::INVALID_QUERY, message));
    }
    let filter = query.filter(chain);
    let (mut text, next) = page(&records, &filter, None).await?;
    text.insert_str(0, &line(COLUMNS.iter().map(|name| (*name).to_owned())));
    let rest = stream::unfold(next, move |cursor| {
        let (records, filter) = (records.clone(), filter.clone());
        async move {
            let cursor = cursor?;
            let answer = page(&records, &filter, Some(cursor.as_str())).await;
            Some(match answer {
                Ok((text, next)) => (Ok(text), next),
                Err(error) => {
                    tracing::error!(error = &error as &dyn std::error::Error, "an export broke off");
                    (Err(error), None)
                }
            })
        }
    });
    // Whoever packs the answer asks once more after its end.
    let rest = rest.fuse();
    let whole = stream::iter([Ok::<_, RecordError>(text)]).chain(rest);
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"audit.csv\""),
    ];
    Ok((headers, Body::from_stream(whole)).into_response())
}

async fn page(
    records: &Records,
    filter: &AuditFilter,
    cursor: Option<&str>,
) -> Result<(String, Option<String>), RecordError> {
    let page = records.list_audit(filter, cursor, PAGE).await?;
    Ok((page.items.into_iter().map(|entry| line(cells(entry))).collect(), page.next))
}

fn cells(entry: AuditEntry) -> [String; 15] {
    let at = jiff::Timestamp::from_millisecond(entry.at).map(|at| at.to_string()).unwrap_or_default();
    [
        entry.chain,
        entry.seq.to_string(),
        at,
        entry.actor_kind,
        entry.actor_id,
        entry.actor_name,
        entry.impersonated_by.unwrap_or_default(),
        entry.address.unwrap_or_default(),
        entry.request_id.unwrap_or_default(),
        entry.action,
        entry.target_kind,
        entry.target_id,
        entry.target_name,
        entry.before.unwrap_or_default(),
        entry.after.unwrap_or_default(),
    ]
}

/// A line of the table, <https://www.rfc-editor.org/rfc/rfc4180>.
fn line(cells: impl IntoIterator<Item = String>) -> String {
    let cells: Vec<String> = cells.into_iter().map(|text| cell(&text)).collect();
    cells.join(",") + "\r\n"
}

/// A cell that no spreadsheet computes, <https://owasp.org/www-community/attacks/CSV_Injection>.
fn cell(text: &str) -> String {
    let is_formula = text.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
        || text.starts_with(['\t', '\r', '\n']);
    let text = if is_formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\r', '\n', '\'']) || text.starts_with(' ') {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_never_formulas() {
        for (text, shown) in [
            ("plain", "plain"),
            ("", ""),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("=1+1", "\"'=1+1\""),
            (" =1+1", "\"' =1+1\""),
            ("+91 98", "\"'+91 98\""),
            ("-1", "\"'-1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("\tx", "\"'\tx\""),
            ("＝1", "\"'＝1\""),
            ("{\"a\":1}", "\"{\"\"a\"\":1}\""),
        ] {
            assert_eq!(cell(text), shown, "{text}");
        }
    }
}
