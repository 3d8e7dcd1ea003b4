//! White label: what visitors of a host see, and how a workspace, a reseller or the platform sets its own looks and host
//! names. Must not know how a name is proved.

mod domains;
mod looks;
mod public;

use crate::error::ApiError;
use crate::state::ApiState;
use serde::{Deserialize, Serialize};
use sluice_records::branding::{Brand, BrandChange, Domain};
use sluice_records::{Records, Scope};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The name where nobody set one.
const OUR_NAME: &str = "Sluice";

/// The routes for those who set it.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(looks::of_workspace, looks::set_of_workspace))
        .routes(routes!(looks::of_team, looks::set_of_team))
        .routes(routes!(domains::of_workspace, domains::add_to_workspace))
        .routes(routes!(domains::remove_from_workspace))
        .routes(routes!(domains::verify_of_workspace))
        .routes(routes!(domains::of_team, domains::add_to_team))
        .routes(routes!(domains::remove_from_team))
        .routes(routes!(domains::verify_of_team))
}

/// The routes for everybody.
pub(crate) fn public_routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(public::of_host)).routes(routes!(public::logo))
}

/// What people see.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct BrandView {
    /// In place of our name.
    name: String,
    /// Colour of what can be pressed on light ground, `#rrggbb`.
    #[schema(required)]
    accent: Option<String>,
    /// The same on dark ground.
    #[schema(required)]
    accent_dark: Option<String>,
    /// Where people get help.
    #[schema(required)]
    support_email: Option<String>,
    /// Address of the picture on this server.
    #[schema(required)]
    logo_url: Option<String>,
}

impl From<Brand> for BrandView {
    fn from(brand: Brand) -> Self {
        Self {
            name: brand.name.unwrap_or_else(|| OUR_NAME.to_owned()),
            logo_url: brand.logo_hash.map(|hash| format!("/api/branding/logos/{hash}")),
            accent: brand.accent,
            accent_dark: brand.accent_dark,
            support_email: brand.support_email,
        }
    }
}

/// What was set here, and what people see of it together with what stands above.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct LooksView {
    /// Set here; null where it is taken from above.
    own: OwnLooks,
    /// What people see.
    seen: BrandView,
}

/// What was set here.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct OwnLooks {
    /// The name.
    #[schema(required)]
    name: Option<String>,
    /// Colour on light ground.
    #[schema(required)]
    accent: Option<String>,
    /// Colour on dark ground.
    #[schema(required)]
    accent_dark: Option<String>,
    /// Where people get help.
    #[schema(required)]
    support_email: Option<String>,
    /// Whether there is a picture.
    has_logo: bool,
}

/// What is to change: what is missing stays, what is empty is taken away.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LooksRequest {
    /// At most 60 characters.
    #[serde(default)]
    name: Option<String>,
    /// `#rrggbb`.
    #[serde(default)]
    accent: Option<String>,
    /// `#rrggbb`.
    #[serde(default)]
    accent_dark: Option<String>,
    /// An e-mail address.
    #[serde(default)]
    support_email: Option<String>,
    /// `data:image/png;base64,…`, also JPEG and WebP, at most 256 KiB.
    #[serde(default)]
    logo: Option<String>,
}

impl From<LooksRequest> for BrandChange {
    fn from(request: LooksRequest) -> Self {
        let LooksRequest { name, accent, accent_dark, support_email, logo } = request;
        Self { name, accent, accent_dark, support_email, logo }
    }
}

/// A host name.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct DomainView {
    /// In small ASCII letters.
    host: String,
    /// `pending` or `verified`.
    status: &'static str,
    /// Name of the TXT record that proves it.
    record_name: String,
    /// Text of that record.
    record_value: String,
    /// What was wrong when it was looked for last.
    #[schema(required)]
    problem: Option<String>,
    /// When it was claimed, milliseconds since the epoch.
    created_at: i64,
    /// When the record was looked for last.
    #[schema(required)]
    checked_at: Option<i64>,
    /// When it was proved.
    #[schema(required)]
    verified_at: Option<i64>,
}

impl From<Domain> for DomainView {
    fn from(domain: Domain) -> Self {
        Self {
            status: domain.status.as_text(),
            host: domain.host,
            record_name: domain.record_name,
            record_value: domain.record_value,
            problem: domain.problem,
            created_at: domain.created_at,
            checked_at: domain.checked_at,
            verified_at: domain.verified_at,
        }
    }
}

/// A host name to claim.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DomainRequest {
    /// Such as `chat.example.com`.
    host: String,
}

async fn looks(records: &Records, scope: &Scope) -> Result<LooksView, ApiError> {
    let own = records.brand(scope).await?;
    let seen = records.brand_seen(scope).await?.into();
    let own = OwnLooks {
        name: own.name,
        accent: own.accent,
        accent_dark: own.accent_dark,
        support_email: own.support_email,
        has_logo: own.logo_hash.is_some(),
    };
    Ok(LooksView { own, seen })
}
