//! Errors in the Graph API's body, and the table of documented codes with their HTTP status and title.
//!
//! It must not know what caused an error. Source of codes and statuses: Meta's WhatsApp error-codes page, as collected in
//! the project's fact sheet; titles are the ones the API sends.

use crate::exchange::Reply;
use crate::faults::ErrorSpec;
use crate::random;
use axum::http::StatusCode;
use serde_json::{Map, Value, json};

/// Page the errors in webhooks point to.
const HREF: &str =
    "https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes";

/// (code, HTTP status, title)
const CODES: &[(i64, u16, &str)] = &[
    (0, 401, "AuthException"),
    (1, 400, "An unknown error occurred"),
    (2, 503, "Service temporarily unavailable"),
    (3, 500, "Capability or permissions issue"),
    (4, 400, "Application request limit reached"),
    (10, 403, "Permission denied"),
    (33, 400, "Parameter value is not valid"),
    (100, 400, "Invalid parameter"),
    (190, 401, "Invalid OAuth access token"),
    (200, 403, "Permissions error"),
    (368, 403, "Temporarily blocked for policies violations"),
    (1026, 400, "Receiver incapable of receiving this message"),
    (80007, 400, "Rate limit issues"),
    (130429, 400, "Rate limit hit"),
    (130472, 400, "User's number is part of an experiment"),
    (130497, 403, "Business account is restricted from messaging users in this country."),
    (131000, 500, "Something went wrong"),
    (131005, 403, "Access denied"),
    (131008, 400, "Required parameter is missing"),
    (131009, 400, "Parameter value is not valid"),
    (131016, 500, "Service unavailable"),
    (131021, 400, "Recipient cannot be sender"),
    (131026, 400, "Message undeliverable"),
    (131030, 400, "Recipient phone number not in allowed list"),
    (131031, 403, "Account has been locked"),
    (131037, 400, "Display name approval required"),
    (131042, 400, "Business eligibility payment issue"),
    (131045, 500, "Incorrect certificate"),
    (131047, 400, "Re-engagement message"),
    (131048, 400, "Spam rate limit hit"),
    (131049, 400, "This message was not delivered to maintain healthy ecosystem engagement."),
    (131050, 400, "User has stopped marketing messages from this business"),
    (131051, 400, "Unsupported message type"),
    (131052, 400, "Media download error"),
    (131053, 400, "Media upload error"),
    (131055, 400, "Method not allowed"),
    (131056, 400, "(Business Account, Consumer Account) pair rate limit hit"),
    (131057, 500, "Account in maintenance mode"),
    (131059, 400, "Invalid cursor"),
    (131062, 400, "Business-scoped user ID recipients are not supported for this message"),
    (131064, 400, "Business account is over its classification violation limit"),
    (132000, 400, "Number of parameters does not match the expected number of params"),
    (132001, 404, "Template name does not exist in the translation"),
    (132005, 400, "Translated text too long"),
    (132007, 400, "Template format character policy violated"),
    (132008, 400, "Template parameter value is not valid"),
    (132012, 400, "Parameter format does not match format in the created template"),
    (132015, 400, "Template is paused"),
    (132016, 400, "Template is disabled"),
    (132018, 400, "Template parameters are invalid"),
    (132068, 400, "Flow is in blocked state"),
    (132069, 400, "Flow is in throttled state"),
    (133000, 500, "Incomplete deregistration"),
    (133004, 503, "Server temporarily unavailable"),
    (133005, 400, "Two-step verification PIN mismatch"),
    (133006, 400, "Phone number re-verification needed"),
    (133008, 400, "Too many two-step verification PIN guesses"),
    (133009, 400, "Two-step verification PIN guessed too fast"),
    (133010, 400, "Phone number not registered"),
    (133015, 400, "Please wait a few minutes before attempting to register this phone number"),
    (133016, 400, "Account register deregister rate limit exceeded"),
    (134011, 400, "WhatsApp Payments terms of service has not been accepted"),
    (134100, 400, "Only marketing messages supported"),
    (134101, 400, "Template is syncing"),
    (134102, 500, "Template is unavailable for use"),
    (135000, 400, "Generic user error"),
    (137000, 400, "Recipient identity key hash does not match"),
    (139100, 400, "Failed to block/unblock some users"),
    (2388019, 400, "Message template limit exceeded"),
    (2388040, 400, "Template field character limit exceeded"),
    (2388047, 400, "Message header format is incorrect"),
    (2388072, 400, "Message body format is incorrect"),
    (2388073, 400, "Message footer format is incorrect"),
    (2388293, 400, "Template parameters words ratio exceeds limit"),
    (2388299, 400, "Leading or trailing parameters are not allowed"),
];

/// A refused call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct GraphError {
    code: i64,
    http: u16,
    kind: &'static str,
    /// Complete message. Empty: `(#code) title`.
    message: String,
    details: Option<String>,
    subcode: Option<i64>,
    is_transient: Option<bool>,
    user: Option<(String, String)>,
    headers: Vec<(String, String)>,
    regain_access_minutes: Option<u64>,
}

/// What every refusing function answers.
pub(crate) type Checked<T> = Result<T, Box<GraphError>>;

/// The title of a code as Meta words it; a general one for a code that is not in the table.
pub(crate) fn title(code: i64) -> &'static str {
    CODES.iter().find(|row| row.0 == code).map_or("An error occurred", |row| row.2)
}

impl GraphError {
    /// The documented error of this code.
    pub(crate) fn of(code: i64) -> Self {
        let http = match CODES.iter().find(|row| row.0 == code) {
            Some(row) => row.1,
            None if (200..300).contains(&code) => 403,
            None => 400,
        };
        Self {
            code,
            http,
            kind: "OAuthException",
            message: String::new(),
            details: None,
            subcode: None,
            is_transient: None,
            user: None,
            headers: Vec::new(),
            regain_access_minutes: None,
        }
    }

    /// The documented error of this code with a text for people.
    pub(crate) fn with_details(code: i64, details: impl Into<String>) -> Box<Self> {
        Box::new(Self { details: Some(details.into()), ..Self::of(code) })
    }

    /// Code 100 whose message itself says what is wrong, as the Graph API does for its own parameters.
    pub(crate) fn parameter(message: impl std::fmt::Display) -> Box<Self> {
        Box::new(Self { message: format!("(#100) {message}"), ..Self::of(100) })
    }

    /// An error that people see in the template editor.
    pub(crate) fn for_user(
        code: i64,
        subcode: i64,
        user_title: &str,
        user_msg: impl Into<String>,
    ) -> Box<Self> {
        Box::new(Self {
            message: "Invalid parameter".to_owned(),
            subcode: Some(subcode),
            is_transient: Some(false),
            user: Some((user_title.to_owned(), user_msg.into())),
            ..Self::of(code)
        })
    }

    /// Missing, malformed or unknown access token.
    pub(crate) fn bad_token(message: &str) -> Box<Self> {
        let challenge = format!("OAuth \"Facebook Platform\" \"invalid_token\" \"{message}\"");
        Box::new(Self {
            message: message.to_owned(),
            headers: vec![("www-authenticate".to_owned(), challenge)],
            ..Self::of(190)
        })
    }

    /// The object in the path does not exist.
    pub(crate) fn unknown_object(method: &str, id: &str) -> Box<Self> {
        let message = format!(
            "Unsupported {} request. Object with ID '{id}' does not exist, cannot be loaded due to missing \
             permissions, or does not support this operation. Please read the Graph API documentation at \
             https://developers.facebook.com/docs/graph-api",
            method.to_lowercase()
        );
        Box::new(Self { kind: "GraphMethodException", message, subcode: Some(33), ..Self::of(100) })
    }

    /// The path leads nowhere.
    pub(crate) fn unknown_path(rest: &str) -> Box<Self> {
        Box::new(Self { message: format!("Unknown path components: /{rest}"), ..Self::of(2500) })
    }

    /// An error asked for by a fault rule.
    pub(crate) fn from_spec(spec: &ErrorSpec) -> Self {
        let plain = Self::of(spec.code);
        Self {
            http: spec.http.unwrap_or(plain.http),
            message: spec.message.as_ref().map(|text| format!("(#{}) {text}", spec.code)).unwrap_or_default(),
            details: Some(spec.details.clone().unwrap_or_else(|| title(spec.code).to_owned())),
            subcode: spec.subcode,
            is_transient: spec.is_transient,
            headers: spec.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
            regain_access_minutes: spec.regain_access_minutes,
            ..plain
        }
    }

    /// Minutes for the rate header, if a fault rule gave them.
    pub(crate) fn regain_access_minutes(&self) -> Option<u64> {
        self.regain_access_minutes
    }

    pub(crate) fn code(&self) -> i64 {
        self.code
    }

    /// The text for people.
    pub(crate) fn details(&self) -> Option<&str> {
        self.details.as_deref()
    }

    fn body(&self) -> Value {
        let message = match self.message.as_str() {
            "" => format!("(#{}) {}", self.code, title(self.code)),
            text => text.to_owned(),
        };
        let mut error = Map::new();
        error.insert("message".into(), message.into());
        error.insert("type".into(), self.kind.into());
        error.insert("code".into(), self.code.into());
        if let Some(details) = &self.details {
            error.insert("error_data".into(), json!({ "messaging_product": "whatsapp", "details": details }));
        }
        if let Some(subcode) = self.subcode {
            error.insert("error_subcode".into(), subcode.into());
        }
        if let Some(is_transient) = self.is_transient {
            error.insert("is_transient".into(), is_transient.into());
        }
        if let Some((title, text)) = &self.user {
            error.insert("error_user_title".into(), title.as_str().into());
            error.insert("error_user_msg".into(), text.as_str().into());
        }
        error.insert("fbtrace_id".into(), random::trace_id().into());
        json!({ "error": error })
    }

    /// The HTTP answer.
    pub(crate) fn reply(&self) -> Reply {
        let status = StatusCode::from_u16(self.http).unwrap_or(StatusCode::BAD_REQUEST);
        let reply = Reply::json(status, self.body());
        self.headers.iter().fold(reply, |reply, (name, value)| reply.with_header(name, value))
    }
}

/// The same error inside a webhook.
pub(crate) fn webhook_error(code: i64, own_title: Option<&str>, details: Option<&str>) -> Value {
    let title = own_title.unwrap_or_else(|| title(code));
    json!({
        "code": code,
        "title": title,
        "message": title,
        "error_data": { "details": details.unwrap_or(title) },
        "href": HREF,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted_and_unique() {
        assert!(CODES.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn a_plain_error_has_the_documented_body() {
        let body = GraphError::with_details(131047, "more than 24 hours").body();
        assert_eq!(body["error"]["message"], "(#131047) Re-engagement message");
        assert_eq!(body["error"]["type"], "OAuthException");
        assert_eq!(
            body["error"]["error_data"],
            json!({ "messaging_product": "whatsapp", "details": "more than 24 hours" })
        );
        assert!(body["error"]["fbtrace_id"].as_str().is_some_and(|id| id.len() == 23));
    }

    #[test]
    fn permission_codes_from_200_to_299_are_403() {
        assert_eq!(GraphError::of(275).reply().status, StatusCode::FORBIDDEN);
    }
}
