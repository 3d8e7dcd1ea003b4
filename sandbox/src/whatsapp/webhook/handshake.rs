//! Verification of a callback URL, as Meta does whenever one is set.
//!
//! It must not know where the URL is kept. Source: Meta's create-webhook-endpoint page.

use crate::random;
use crate::whatsapp::WhatsApp;
use crate::whatsapp::error::{Checked, GraphError};

/// Calls the URL with a challenge; anything but a 200 that echoes it is error 2200.
pub(crate) async fn verify(wa: &WhatsApp, url: &str, verify_token: &str) -> Checked<()> {
    let refused = |why: String| {
        GraphError::for_user(2200, 1_349_210, "Callback verification failed", format!("{why} URL: {url}"))
    };
    let mut parsed =
        url::Url::parse(url).map_err(|error| refused(format!("The URL is invalid: {error}.")))?;
    let challenge = random::numeric_id();
    parsed
        .query_pairs_mut()
        .append_pair("hub.mode", "subscribe")
        .append_pair("hub.challenge", &challenge)
        .append_pair("hub.verify_token", verify_token);
    let answer = wa.outbox.client().get(parsed).send().await;
    let answer = answer.map_err(|error| refused(format!("No answer: {}.", error.without_url())))?;
    let status = answer.status();
    let body = answer.text().await.unwrap_or_default();
    if status != reqwest::StatusCode::OK || body.trim() != challenge {
        return Err(refused(format!("The answer was HTTP {} without the challenge.", status.as_u16())));
    }
    Ok(())
}
