//! What Meta sends: deliveries with one text message, signed; and the number that they are for. Must not know why they are
//! sent.

use crate::fault::Tried;
use crate::house::APP_SECRET;
use crate::rest::Rest;
use crate::wire::request;
use aws_lc_rs::{digest, hmac};
use serde_json::json;
use std::time::{SystemTime, UNIX_EPOCH};

/// The sandbox's number and account.
const NUMBER: &str = "106540352242922";
const ACCOUNT: &str = "102290129340398";
/// How it is shown to customers.
const DISPLAYED: &str = "15550783881";

/// Connects the number.
///
/// # Errors
/// When the program refuses.
pub(crate) async fn connect(rest: &Rest) -> Tried<()> {
    let credential = json!({ "name": "whatsapp", "kind": "whatsapp", "secret": { "access_token": "load" } });
    rest.expect("POST", "/api/credentials", Some(&credential)).await?;
    let number = json!({
        "phone_number_id": NUMBER, "waba_id": ACCOUNT, "display_phone_number": DISPLAYED,
        "credential": "whatsapp",
    });
    rest.expect("POST", "/api/numbers", Some(&number)).await.map(drop)
}

/// A customer's phone number.
pub(crate) fn phone(who: u32) -> String {
    format!("91987650{who:04}")
}

/// The body of a delivery with one text message.
pub(crate) fn message(who: u32, text: &str) -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let phone = phone(who);
    json!({
        "object": "whatsapp_business_account",
        "entry": [{ "id": ACCOUNT, "changes": [{ "field": "messages", "value": {
            "messaging_product": "whatsapp",
            "metadata": { "display_phone_number": DISPLAYED, "phone_number_id": NUMBER },
            "contacts": [{ "profile": { "name": format!("Customer {who}") }, "wa_id": phone }],
            "messages": [{
                "from": phone, "id": format!("wamid.load.{}", text.replace(' ', ".")),
                "timestamp": seconds.to_string(), "type": "text", "text": { "body": text },
            }],
        } }] }],
    })
    .to_string()
}

/// The request that delivers a body.
pub(crate) fn delivery(address: &str, body: &str) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, APP_SECRET.as_bytes());
    let signature = hex(hmac::sign(&key, body.as_bytes()).as_ref());
    let signature = format!("x-hub-signature-256: sha256={signature}");
    request("POST", address, "/api/whatsapp/webhook", &[&signature], body.as_bytes())
}

/// The digest under which a body is listed.
pub(crate) fn digest(body: &str) -> String {
    hex(digest::digest(&digest::SHA256, body.as_bytes()).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
