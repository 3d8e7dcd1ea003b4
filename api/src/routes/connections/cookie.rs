//! The cookie that binds a sign-in to the browser that began it. One cookie for each sign-in, so that several can be under
//! way. Must not know what is signed in to.

use crate::state::ApiState;
use aws_lc_rs::digest;
use axum::http::{HeaderMap, HeaderValue, header};

/// Where it is sent.
const PATH: &str = "/api/connections";

/// Names the cookie of a sign-in without telling its state.
fn name(sign_in: &str) -> String {
    let hash = digest::digest(&digest::SHA256, sign_in.as_bytes());
    let digits: String = hash.as_ref()[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sluice_connect_{digits}")
}

/// What the browser presents for a sign-in.
pub(super) fn read(headers: &HeaderMap, sign_in: &str) -> Option<String> {
    let name = name(sign_in);
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(known, _)| *known == name).map(|(_, value)| value.to_owned())
}

/// The header that sets it for `life` seconds; zero takes it away. `Lax`, because the browser comes back from another site.
pub(super) fn write(state: &ApiState, sign_in: &str, value: &str, life: i64) -> HeaderValue {
    let secure = if state.config.public_url.starts_with("https:") { "; Secure" } else { "" };
    let text =
        format!("{}={value}; Path={PATH}; Max-Age={life}; HttpOnly; SameSite=Lax{secure}", name(sign_in));
    // The parts are hexadecimal digits, base64 and numbers.
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
}
