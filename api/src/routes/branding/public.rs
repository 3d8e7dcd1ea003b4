//! What visitors of a host see before anybody signed in.

use super::BrandView;
use crate::error::ApiError;
use crate::extract::Path;
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};

/// Show the branding of the host name under which it is asked for.
#[utoipa::path(get, path = "/api/branding", tag = "branding",
    responses((status = 200, description = "What people see", body = BrandView)))]
pub(crate) async fn of_host(
    State(state): State<ApiState>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Json<BrandView>, ApiError> {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).or_else(|| uri.host());
    let host = host.map_or("", |host| host.rsplit_once(':').map_or(host, |(name, _)| name));
    Ok(Json(state.records.brand_of_host(host).await?.into()))
}

/// Fetch the picture of a brand.
#[utoipa::path(get, path = "/api/branding/logos/{hash}", tag = "branding",
    params(("hash" = String, Path, description = "SHA-256 of the picture, as in `logo_url`")),
    responses((status = 200, description = "The picture", content((Vec<u8> = "image/png"), (Vec<u8> = "image/jpeg"), (Vec<u8> = "image/webp")))))]
pub(crate) async fn logo(
    State(state): State<ApiState>,
    Path(hash): Path<String>,
) -> Result<Response, ApiError> {
    let logo = state.records.brand_logo(&hash).await?;
    let media_type = HeaderValue::try_from(logo.media_type).map_err(|fault| ApiError::internal(&fault))?;
    // The name is a hash of the content, so it never means anything else.
    let forever = HeaderValue::from_static("public, max-age=31536000, immutable");
    Ok(([(header::CONTENT_TYPE, media_type), (header::CACHE_CONTROL, forever)], logo.content).into_response())
}
