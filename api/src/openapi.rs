//! The API document: collected from the handlers, completed with what is true of all of them. Must not know what a
//! single route does.

use crate::access::{self, Need};
use crate::auth::WORKSPACE_HEADER;
use crate::error::ErrorBody;
use crate::session::ACCESS_COOKIE;
use crate::{error, routes};
use utoipa::OpenApi as _;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{Components, ContentBuilder, OpenApi, Ref, RefOr, Required, ResponseBuilder};

/// Tag of the routes with which people sign in; they are throttled.
const ACCOUNT: &str = "account";

/// The frame of the document.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Sluice",
        description = "Workflows for marketing and customer conversations: drafts and versions, runs, approvals, \
                       credentials, inbound bodies. Times are milliseconds since the Unix epoch (UTC).",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    servers((url = "/", description = "This server")),
    paths(crate::routes::hooks::receive::receive),
    components(schemas(ErrorBody, crate::routes::conversations::ConversationStatus)),
)]
pub(crate) struct Frame;

/// The OpenAPI 3.1 document of all routes.
pub fn openapi() -> OpenApi {
    let mut document = routes::documented().into_openapi();
    let components = document.components.get_or_insert_with(Components::new);
    components.add_security_scheme("api_key", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    let cookie = ApiKey::Cookie(ApiKeyValue::new(ACCESS_COOKIE));
    components.add_security_scheme("session", SecurityScheme::ApiKey(cookie));
    for (path, item) in &mut document.paths.paths {
        let operations = [
            ("get", &mut item.get),
            ("put", &mut item.put),
            ("post", &mut item.post),
            ("delete", &mut item.delete),
            ("patch", &mut item.patch),
        ];
        for (method, operation) in operations {
            if let Some(operation) = operation {
                operation.operation_id = Some(operation_id(method, path));
                let need = access::need_of(method, path);
                if let Some(permission) = need.and_then(Need::permission) {
                    let extensions = operation.extensions.get_or_insert_default();
                    extensions.insert("x-sluice-permission".to_owned(), permission.as_text().into());
                }
                complete(need, operation);
            }
        }
    }
    document
}

/// A name for generated clients, such as `get_workflows_by_id`.
fn operation_id(method: &str, path: &str) -> String {
    let parts = path.split(['/', '.']).filter(|part| !part.is_empty() && *part != "api");
    let named = parts.map(|part| match part.strip_prefix('{') {
        Some(name) => format!("by_{}", name.trim_end_matches('}')),
        None => part.to_owned(),
    });
    named.fold(method.to_owned(), |id, part| id + "_" + part.as_str())
}

fn complete(need: Option<Need>, operation: &mut Operation) {
    let has_body = operation.request_body.is_some();
    let parameters = operation.parameters.as_deref().unwrap_or_default();
    let mut places = parameters.iter().filter_map(|one| match one {
        RefOr::T(parameter) => Some(&parameter.parameter_in),
        RefOr::Ref(_) => None,
    });
    let has_input = places.any(|place| matches!(place, ParameterIn::Query | ParameterIn::Path));
    let mut codes = vec![error::INTERNAL, error::TIMED_OUT];
    if need != Some(Need::Public) {
        let by = |name: &str| SecurityRequirement::new(name, Vec::<String>::new());
        operation.security = Some(match need {
            Some(Need::Person) => vec![by("session")],
            _ => vec![by("api_key"), by("session")],
        });
        operation.parameters.get_or_insert_default().push(RefOr::T(workspace_header()));
        codes.extend([error::UNAUTHENTICATED, error::WORKSPACE_REQUIRED, error::FORBIDDEN, error::NOT_FOUND]);
        codes.push(error::IMPERSONATING);
        codes.extend([error::CSRF_REFUSED, error::CROSS_SITE, error::RATE_LIMITED]);
    }
    if operation.tags.as_ref().is_some_and(|tags| tags.iter().any(|tag| tag == ACCOUNT)) {
        codes.extend([error::CROSS_SITE, error::RATE_LIMITED]);
    }
    if has_input {
        codes.extend([error::INVALID_PATH, error::INVALID_QUERY, error::NOT_FOUND]);
    }
    if has_body {
        codes.extend([
            error::INVALID_JSON,
            error::BODY_TOO_LARGE,
            error::UNSUPPORTED_MEDIA_TYPE,
            error::INVALID_BODY,
            error::INVALID_VALUE,
        ]);
    }
    for code in &codes {
        let names = codes.iter().filter(|other| other.status == code.status).map(|other| other.code);
        let response = || RefOr::T(answer(names));
        operation.responses.responses.entry(code.status.to_string()).or_insert_with(response);
    }
}

/// An error answer.
fn answer(codes: impl Iterator<Item = &'static str>) -> utoipa::openapi::Response {
    let mut names: Vec<_> = codes.map(|code| format!("`{code}`")).collect();
    names.sort_unstable();
    names.dedup();
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("ErrorBody"))).build();
    ResponseBuilder::new().description(names.join(", ")).content("application/json", content).build()
}

fn workspace_header() -> Parameter {
    let text = ObjectBuilder::new().schema_type(Type::String).build();
    ParameterBuilder::new()
        .name(WORKSPACE_HEADER)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some("Name or id of the workspace; platform keys must say which they mean"))
        .schema(Some(text))
        .build()
}

/// The frame as a document, for the router to start from.
pub(crate) fn frame() -> OpenApi {
    Frame::openapi()
}
