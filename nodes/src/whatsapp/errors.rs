//! Meta's error codes, as a table, and the one function that turns a refused answer into a [`NodeError`].
//! Pure: it must not know which call was made.
//!
//! Source: Meta's error code page for the Cloud API (early 2026). Decisions go by `code`; HTTP status and
//! `is_transient` count only for codes that the table does not name.

use serde_json::{Value, json};
use sluice_node_sdk::error::{ErrorKind, NodeError};
use sluice_node_sdk::http::HttpResponse;
use std::ops::RangeInclusive;

/// What to do about a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// A passing fault: try again, not before so many seconds.
    Retry(u64),
    /// Too fast: try again, not before so many seconds.
    Slow(u64),
    /// Too many messages to one person: 4^n seconds, n = attempts so far.
    Pair,
    /// Needs patience or better quality: not before so many seconds (hours and days).
    Wait(u64),
    /// Token or permission; an administrator must act.
    Auth,
    /// Only a template may be sent now.
    Template,
    /// This request will never work.
    Never,
    /// The account, number or template must be put right first.
    Account,
    /// Not to this person.
    Drop,
}

/// One row: codes, class, our code, what to do.
pub(crate) struct Row {
    pub(crate) codes: RangeInclusive<i64>,
    pub(crate) class: Class,
    pub(crate) name: &'static str,
    pub(crate) advice: &'static str,
}

const fn one(code: i64, class: Class, name: &'static str, advice: &'static str) -> Row {
    Row { codes: code..=code, class, name, advice }
}

const fn many(from: i64, to: i64, class: Class, name: &'static str, advice: &'static str) -> Row {
    Row { codes: from..=to, class, name, advice }
}

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

use Class::{Account, Auth, Drop, Never, Pair, Retry, Slow, Template, Wait};

/// Every documented code, sorted.
pub(crate) const TABLE: &[Row] = &[
    one(0, Auth, "token_invalid", "Connect the WhatsApp account again"),
    one(1, Retry(2), "service_unavailable", "Meta reports a passing fault"),
    one(2, Retry(5), "service_unavailable", "Meta is overloaded or down"),
    one(3, Auth, "permission_missing", "The app lacks a capability or permission"),
    one(4, Slow(5 * MINUTE), "app_rate_limit", "The app made too many calls"),
    one(10, Auth, "permission_missing", "The token lacks a permission"),
    one(33, Account, "number_unknown", "The number was deleted or its id is wrong"),
    one(100, Never, "invalid_parameter", "Meta found a parameter wrong; see the details"),
    one(190, Auth, "token_invalid", "The access token expired or was withdrawn; connect the account again"),
    many(200, 299, Auth, "permission_missing", "The token lacks a permission"),
    one(368, Account, "account_blocked", "The account is blocked for a policy violation"),
    one(1026, Never, "unsupported_by_recipient", "The customer's app cannot show this; send another type"),
    one(80_007, Slow(5 * MINUTE), "account_rate_limit", "The WhatsApp account made too many calls"),
    one(130_429, Slow(2), "number_rate_limit", "The number sends faster than it may"),
    one(130_472, Drop, "recipient_in_experiment", "Meta holds this marketing message back from this person"),
    one(130_497, Never, "country_not_allowed", "The account may not write to this country"),
    one(131_000, Retry(2), "service_unavailable", "Meta reports an unknown fault"),
    one(131_005, Auth, "permission_missing", "Access was denied"),
    one(131_008, Never, "invalid_parameter", "A required parameter is missing"),
    one(131_009, Never, "invalid_parameter", "A parameter's value is wrong"),
    one(131_016, Retry(5), "service_unavailable", "The service is unavailable for the moment"),
    one(131_021, Never, "recipient_is_sender", "The number cannot write to itself"),
    one(131_026, Drop, "recipient_unreachable", "Not on WhatsApp, terms not accepted, or an old app"),
    one(131_030, Account, "recipient_not_listed", "A test number writes only to numbers on its list"),
    one(131_031, Account, "account_locked", "The account is locked"),
    one(131_037, Account, "display_name_not_approved", "The number's display name needs approval first"),
    one(131_042, Account, "payment_problem", "Meta has no valid payment method for the account"),
    one(131_045, Account, "number_not_registered", "The number is not registered correctly"),
    one(131_047, Template, "window_closed", "More than 24 hours since the customer wrote; send a template"),
    one(
        131_048,
        Wait(DAY),
        "spam_limit",
        "Too many messages were blocked or reported; improve quality first",
    ),
    one(131_049, Wait(DAY), "marketing_limit", "Meta keeps marketing messages to this person back for now"),
    one(131_050, Drop, "recipient_opted_out", "The person stopped marketing messages of this business"),
    one(131_051, Never, "unsupported_type", "This message type is not supported"),
    one(131_052, Never, "media_unavailable", "The media file could not be fetched"),
    one(131_053, Never, "media_unusable", "The media file could not be processed; check format and size"),
    one(131_055, Never, "method_not_allowed", "This endpoint does not take such a message"),
    one(131_056, Pair, "pair_rate_limit", "Too many messages to this person in a short time"),
    one(131_057, Retry(MINUTE), "account_maintenance", "The account is in maintenance"),
    one(131_059, Never, "cursor_invalid", "Start the listing again"),
    one(131_060, Never, "message_unavailable", "The message came from an unsupported device"),
    one(131_062, Never, "user_id_not_allowed", "Use the phone number for this message"),
    one(131_064, Wait(DAY), "classification_limit", "Templates were filed under the wrong category"),
    many(131_200, 131_299, Never, "group_error", "The group call was refused; see the details"),
    one(132_000, Never, "template_parameter_count", "The number of variables does not fit the template"),
    one(132_001, Never, "template_unknown", "No approved template of that name in that language"),
    one(132_005, Never, "template_too_long", "The text is too long once the variables are filled in"),
    one(132_007, Never, "template_policy", "The template's content violates a policy"),
    one(132_008, Never, "template_parameter_format", "A variable has the wrong format"),
    one(132_012, Never, "template_parameter_format", "A variable has the wrong format"),
    one(132_015, Account, "template_paused", "The template is paused for low quality"),
    one(132_016, Account, "template_disabled", "The template is disabled for good"),
    one(132_018, Never, "template_parameter_format", "A variable is invalid"),
    one(132_068, Account, "flow_blocked", "The flow is blocked"),
    one(132_069, Wait(HOUR), "flow_throttled", "The flow is throttled to ten messages an hour"),
    one(133_000, Account, "deregistration_incomplete", "Deregister the number again"),
    one(133_004, Retry(5), "service_unavailable", "The server is unavailable for the moment"),
    one(133_005, Account, "pin_wrong", "The two-step PIN is wrong"),
    one(133_006, Account, "number_not_verified", "Verify the number first"),
    one(133_008, Wait(HOUR), "pin_locked", "The PIN was guessed too often; the details say how long to wait"),
    one(133_009, Wait(HOUR), "pin_locked", "The PIN was guessed too fast; the details say how long to wait"),
    one(133_010, Account, "number_not_registered", "Register the number first"),
    one(133_015, Retry(5 * MINUTE), "number_just_deleted", "The number was deleted moments ago"),
    one(133_016, Wait(3 * DAY), "registration_limit", "Registered too often within 72 hours"),
    one(134_011, Account, "payment_terms", "Accept the payments terms first"),
    one(134_100, Never, "not_marketing", "Only marketing templates go this way"),
    one(134_101, Retry(10 * MINUTE), "template_syncing", "The template is still being synchronised"),
    one(134_102, Account, "template_unavailable", "The template is not available for this"),
    one(135_000, Never, "generic_error", "Meta refused the request without a reason"),
    one(137_000, Never, "identity_changed", "The customer's identity key changed; verify the person"),
    many(138_000, 138_999, Never, "calling_error", "The calling API refused; see the details"),
    many(139_000, 139_004, Never, "flow_management_error", "The flow call was refused; see the details"),
    many(139_100, 139_103, Never, "block_error", "The user could not be blocked or unblocked"),
    many(147_001, 147_005, Never, "username_error", "The user name was refused"),
    many(200_005, 200_007, Account, "insights_unavailable", "Template insights are not available"),
    one(2_388_019, Account, "template_limit", "The account has as many templates as it may"),
    one(2_388_040, Never, "template_format", "A part of the template is too long"),
    one(2_388_047, Never, "template_format", "The template's header is wrong"),
    one(2_388_072, Never, "template_format", "The template's body is wrong"),
    one(2_388_073, Never, "template_format", "The template's footer is wrong"),
    one(2_388_293, Never, "template_format", "Too many variables for so little text"),
    one(2_388_299, Never, "template_format", "A variable stands at the start or end"),
    many(2_593_107, 2_593_109, Never, "sync_refused", "The synchronisation was refused"),
];

/// The row of a code.
pub(crate) fn row(code: i64) -> Option<&'static Row> {
    let at = TABLE.partition_point(|row| *row.codes.end() < code);
    TABLE.get(at).filter(|row| row.codes.contains(&code))
}

/// Turns an answer that is no success into an error. `attempt` counts from 1.
pub(crate) fn error_of(response: &HttpResponse, attempt: u32) -> NodeError {
    let Some(error) = response.json().and_then(|body| body.get("error").cloned()).filter(Value::is_object)
    else {
        return by_status(response);
    };
    let Some(code) = error.get("code").and_then(number) else { return by_status(response) };
    let facts = facts(&error, code);
    let asked = asked_pause(response);
    match row(code) {
        Some(row) => classified(row, &facts, attempt, asked),
        None => unlisted(response, &error, &facts, asked),
    }
    .details(json!({ "meta": facts, "http_status": response.status }))
}

fn classified(row: &Row, facts: &Value, attempt: u32, asked: Option<u64>) -> NodeError {
    let (kind, pause) = match row.class {
        Retry(seconds) => (ErrorKind::Unavailable, Some(seconds)),
        Slow(seconds) | Wait(seconds) => (ErrorKind::RateLimited, Some(seconds)),
        // 4^0, 4^1, … seconds; six doublings of two bits are more than an hour.
        Pair => (ErrorKind::RateLimited, Some(4_u64.pow(attempt.saturating_sub(1).min(6)))),
        Auth => (ErrorKind::Auth, None),
        Template | Never | Account | Drop => (ErrorKind::Rejected, None),
    };
    let error = NodeError::new(kind, sentence(row.advice, facts)).code(row.name);
    match pause {
        Some(seconds) => error.retry_after(asked.unwrap_or(seconds * 1_000)),
        None => error,
    }
}

fn unlisted(response: &HttpResponse, error: &Value, facts: &Value, asked: Option<u64>) -> NodeError {
    let text = sentence("WhatsApp refused the call", facts);
    let passing = response.status >= 500 || error.get("is_transient").and_then(Value::as_bool) == Some(true);
    let error = match response.status {
        _ if passing => NodeError::unavailable(text).code("service_unavailable"),
        429 => NodeError::rate_limited(text),
        401 => NodeError::auth(text).code("token_invalid"),
        _ => NodeError::rejected(text).code("whatsapp_refused"),
    };
    asked.into_iter().fold(error, NodeError::retry_after)
}

/// An answer without Meta's error object, for example the HTML page of an edge server.
fn by_status(response: &HttpResponse) -> NodeError {
    let text = format!("WhatsApp answered with status {} and no error object", response.status);
    let error = match response.status {
        429 => NodeError::rate_limited(text),
        408 | 500.. => NodeError::unavailable(text).code("service_unavailable"),
        401 | 403 => NodeError::auth(text),
        _ => NodeError::rejected(text).code("whatsapp_refused"),
    };
    asked_pause(response).into_iter().fold(error, NodeError::retry_after)
}

/// What Meta says of the error, without anything of ours. `error_data` is an object or text, or missing.
fn facts(error: &Value, code: i64) -> Value {
    let mut facts = json!({ "code": code });
    for key in ["error_subcode", "type", "message", "error_user_title", "error_user_msg", "fbtrace_id"] {
        if let Some(value) = error.get(key).filter(|value| !value.is_null()) {
            facts[key] = value.clone();
        }
    }
    let data = error.get("error_data");
    if let Some(details) = data.and_then(|data| data.get("details")).or(data.filter(|data| data.is_string()))
    {
        facts["details"] = details.clone();
    }
    facts
}

fn sentence(advice: &str, facts: &Value) -> String {
    let code = &facts["code"];
    let said = ["details", "error_user_msg", "message"];
    match said.iter().find_map(|key| facts[key].as_str()).filter(|text| !text.is_empty()) {
        Some(text) => format!("{advice} (Meta {code}: {text})"),
        None => format!("{advice} (Meta {code})"),
    }
}

fn number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

/// The pause that the answer asks for, in milliseconds: `Retry-After` in seconds, or the minutes in
/// `X-Business-Use-Case-Usage`.
fn asked_pause(response: &HttpResponse) -> Option<u64> {
    if let Some(seconds) = response.header("retry-after").and_then(|text| text.trim().parse::<u64>().ok()) {
        return Some(seconds.min(7 * DAY) * 1_000);
    }
    let usage: Value = serde_json::from_str(response.header("x-business-use-case-usage")?).ok()?;
    let entries = usage.as_object()?.values().filter_map(Value::as_array).flatten();
    let minutes = entries.filter_map(|entry| entry.get("estimated_time_to_regain_access")?.as_u64()).max()?;
    (minutes > 0).then_some(minutes.min(7 * 24 * 60) * 60_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn answer(status: u16, body: &str) -> HttpResponse {
        HttpResponse { status, body: Bytes::copy_from_slice(body.as_bytes()), ..HttpResponse::default() }
    }

    fn coded(status: u16, code: i64) -> HttpResponse {
        answer(status, &json!({ "error": { "message": "(#n) Title", "code": code } }).to_string())
    }

    #[test]
    fn the_table_is_sorted_and_without_overlap() {
        for pair in TABLE.windows(2) {
            assert!(pair[0].codes.end() < pair[1].codes.start(), "{:?} {:?}", pair[0].codes, pair[1].codes);
        }
    }

    /// The fact sheet's codes by its own letters.
    #[test]
    fn every_documented_code_has_its_kind() {
        use ErrorKind::{Auth, RateLimited, Rejected, Unavailable};
        let cases: &[(ErrorKind, bool, &[i64])] = &[
            (Auth, false, &[0, 190, 3, 10, 200, 250, 299, 131_005]),
            (RateLimited, true, &[4, 80_007, 130_429, 131_056]),
            (RateLimited, true, &[131_048, 131_064, 133_016, 131_049, 132_069, 133_008, 133_009]),
            (Unavailable, true, &[1, 2, 131_000, 131_016, 133_004, 131_057, 133_015, 134_101]),
            (
                Rejected,
                false,
                &[
                    33, 100, 131_008, 131_009, 131_021, 131_051, 135_000, 131_026, 131_030, 131_031, 368,
                    130_497, 130_472, 131_037, 131_042, 131_045, 131_047, 131_050, 131_052, 131_053, 131_055,
                    131_059, 131_060, 131_062, 132_000, 132_001, 132_005, 132_007, 132_008, 132_012, 132_015,
                    132_016, 132_018, 132_068, 133_000, 133_005, 133_006, 133_010, 134_011, 134_100, 134_102,
                    137_000, 138_001, 131_201, 139_000, 139_004, 139_100, 139_103, 147_001, 147_005, 1026,
                    2_388_019, 2_388_040, 2_388_047, 2_388_072, 2_388_073, 2_388_293, 2_388_299, 200_005,
                    200_007, 2_593_107, 2_593_109,
                ],
            ),
        ];
        for (kind, waits, codes) in cases {
            for code in *codes {
                assert!(row(*code).is_some(), "{code} is missing");
                let error = error_of(&coded(400, *code), 1);
                assert_eq!(error.kind, *kind, "{code}");
                assert_eq!(error.retry_after_ms.is_some(), *waits, "{code}");
            }
        }
        assert_eq!(error_of(&coded(400, 131_047), 1).code, "window_closed");
    }

    #[test]
    fn the_pair_limit_backs_off_by_powers_of_four() {
        let pause = |attempt| error_of(&coded(400, 131_056), attempt).retry_after_ms;
        assert_eq!([1, 2, 3, 4].map(pause), [1_000, 4_000, 16_000, 64_000].map(Some));
        assert_eq!(pause(40), pause(7));
    }

    #[test]
    fn unlisted_codes_go_by_status_and_transience() {
        let kind = |status, body: &str| error_of(&answer(status, body), 1).kind;
        assert_eq!(kind(500, r#"{"error":{"code":999999}}"#), ErrorKind::Unavailable);
        assert_eq!(kind(400, r#"{"error":{"code":999999,"is_transient":true}}"#), ErrorKind::Unavailable);
        assert_eq!(kind(400, r#"{"error":{"code":999999,"is_transient":false}}"#), ErrorKind::Rejected);
        assert_eq!(kind(429, r#"{"error":{"code":999999}}"#), ErrorKind::RateLimited);
        assert_eq!(kind(400, r#"{"error":{"code":"131047"}}"#), ErrorKind::Rejected);
    }

    #[test]
    fn bodies_that_are_no_json_go_by_status() {
        for (status, kind) in [
            (502, ErrorKind::Unavailable),
            (429, ErrorKind::RateLimited),
            (401, ErrorKind::Auth),
            (403, ErrorKind::Auth),
            (404, ErrorKind::Rejected),
        ] {
            for body in ["<html>Bad Gateway</html>", "", "[]", "{\"error\":\"text\"}", "{\"error\":{}}"] {
                assert_eq!(error_of(&answer(status, body), 1).kind, kind, "{status} {body}");
            }
        }
    }

    #[test]
    fn facts_are_kept_and_error_data_may_be_text() {
        let body = json!({ "error": { "message": "(#131009) x", "type": "OAuthException", "code": 131_009,
            "error_data": { "messaging_product": "whatsapp", "details": "Body too long" }, "fbtrace_id": "A1" } });
        let error = error_of(&answer(400, &body.to_string()), 1);
        assert!(error.message.contains("Body too long"), "{}", error.message);
        assert_eq!(error.details.unwrap()["meta"]["fbtrace_id"], "A1");
        let body = json!({ "error": { "code": 100, "error_data": "plain words" } });
        assert!(error_of(&answer(400, &body.to_string()), 1).message.contains("plain words"));
    }

    #[test]
    fn meta_may_ask_for_a_pause() {
        let mut response = coded(400, 80_007);
        let usage =
            json!({ "1": [{ "type": "x", "call_count": 100, "estimated_time_to_regain_access": 12 }] });
        response.headers.push(("x-business-use-case-usage".into(), usage.to_string()));
        assert_eq!(error_of(&response, 1).retry_after_ms, Some(12 * 60_000));
        response.headers.insert(0, ("retry-after".into(), "7".into()));
        assert_eq!(error_of(&response, 1).retry_after_ms, Some(7_000));
    }
}
