//! Media: up, looked up, down, deleted, expired, sent.
//!
//! It must not know webhooks beyond a failed status.

use crate::support::{House, NUMBER};
use serde_json::{Value, json};

async fn upload(house: &House, mime_type: &str, bytes: &[u8]) -> crate::support::Answer {
    let file = reqwest::multipart::Part::bytes(bytes.to_vec()).file_name("a").mime_str(mime_type).unwrap();
    let form = reqwest::multipart::Form::new()
        .text("messaging_product", "whatsapp")
        .text("type", mime_type.to_owned())
        .part("file", file);
    let request = house.request("POST", &format!("/v22.0/{NUMBER}/media")).bearer_auth("t").multipart(form);
    house.run(request).await
}

#[tokio::test]
async fn a_file_goes_up_and_comes_down_until_it_is_deleted() {
    let house = House::open().await;
    // Larger than the web framework's own limit of 2 MB.
    let bytes = vec![7u8; 3 * 1024 * 1024];
    let id = upload(&house, "image/png", &bytes).await.body["id"].as_str().unwrap().to_owned();
    let found = house.get(&format!("/{id}?phone_number_id={NUMBER}")).await.body;
    assert_eq!(
        (found["mime_type"].clone(), found["file_size"].clone()),
        (json!("image/png"), json!(bytes.len()))
    );
    assert_eq!(found["sha256"].as_str().unwrap().len(), 64);

    let url = found["url"].as_str().unwrap();
    assert_eq!(house.run(house.request("GET", url)).await.error(), (401, 190));
    let answer = house.request("GET", url).bearer_auth("t").send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "image/png");
    assert_eq!(answer.bytes().await.unwrap().as_ref(), bytes);
    let forged = url.replace("&hash=", "&hash=0");
    assert_eq!(house.run(house.request("GET", &forged).bearer_auth("t")).await.status, 404);

    assert_eq!(house.get(&format!("/{id}?phone_number_id=1")).await.error(), (400, 100));
    assert_eq!(house.graph("DELETE", &format!("/{id}"), Value::Null).await.body["success"], true);
    assert_eq!(house.get(&format!("/{id}")).await.error(), (400, 100));
    assert_eq!(house.run(house.request("GET", url).bearer_auth("t")).await.status, 404);
}

#[tokio::test]
async fn urls_live_five_minutes_and_uploads_thirty_days() {
    let house = House::open().await;
    let id = upload(&house, "text/plain", b"hello").await.body["id"].as_str().unwrap().to_owned();
    let found = house.get(&format!("/{id}")).await.body;
    let url = found["url"].as_str().unwrap();
    house.sandbox.advance(5 * 60 * 1000);
    assert_eq!(house.run(house.request("GET", url).bearer_auth("t")).await.status, 404);
    let fresh = house.get(&format!("/{id}")).await.body["url"].as_str().unwrap().to_owned();
    assert_eq!(house.run(house.request("GET", &fresh).bearer_auth("t")).await.status, 200);
    house.sandbox.advance(30 * 24 * 3600 * 1000);
    assert_eq!(house.get(&format!("/{id}")).await.error(), (400, 100));
}

#[tokio::test]
async fn wrong_uploads_are_refused() {
    let house = House::open().await;
    assert_eq!(upload(&house, "image/gif", b"GIF89a").await.error(), (400, 100));
    assert_eq!(upload(&house, "image/jpeg", b"").await.error(), (400, 100));
    assert_eq!(upload(&house, "image/webp", &vec![0; 600 * 1024]).await.error(), (400, 131053));
    let path = format!("/v22.0/{NUMBER}/media");
    let form = reqwest::multipart::Form::new().text("messaging_product", "whatsapp");
    assert_eq!(
        house.run(house.request("POST", &path).bearer_auth("t").multipart(form)).await.error(),
        (400, 100)
    );
    let form = reqwest::multipart::Form::new().text("file", "x");
    assert_eq!(
        house.run(house.request("POST", &path).bearer_auth("t").multipart(form)).await.error(),
        (400, 100)
    );
    let broken = house.request("POST", &path).bearer_auth("t");
    let broken = broken.header("content-type", "multipart/form-data; boundary=x").body("--x\r\nno");
    assert_eq!(house.run(broken).await.error(), (400, 100));
    assert_eq!(house.graph("POST", &format!("/{NUMBER}/media"), json!({})).await.error(), (400, 100));
}

#[tokio::test]
async fn an_uploaded_file_is_sent_and_one_of_the_wrong_kind_fails_later() {
    let house = House::with_open_window().await;
    let image = upload(&house, "image/jpeg", b"x").await.body["id"].clone();
    house.send(json!({ "type": "image", "image": { "id": image } })).await.message_id();
    let statuses: Vec<String> =
        house.server.webhooks(4).await[1..].iter().flat_map(|w| w.statuses()).collect();
    assert_eq!(statuses, ["sent", "delivered", "read"]);
    house.send(json!({ "type": "video", "video": { "id": image } })).await.message_id();
    let failed = house.server.webhooks(5).await[4].value()["statuses"][0].clone();
    assert_eq!(
        (failed["status"].clone(), failed["errors"][0]["code"].clone()),
        (json!("failed"), json!(131053))
    );
}

#[tokio::test]
async fn a_voice_note_must_be_ogg_and_is_played() {
    let house = House::with_open_window().await;
    let voice = upload(&house, "audio/ogg; codecs=opus", b"OggS").await.body["id"].clone();
    house.send(json!({ "type": "audio", "audio": { "id": voice, "voice": true } })).await.message_id();
    let statuses: Vec<String> =
        house.server.webhooks(5).await[1..].iter().flat_map(|w| w.statuses()).collect();
    assert_eq!(statuses, ["sent", "delivered", "read", "played"]);
    let music = upload(&house, "audio/mpeg", b"ID3").await.body["id"].clone();
    house.send(json!({ "type": "audio", "audio": { "id": music, "voice": true } })).await.message_id();
    assert_eq!(house.server.webhooks(6).await[5].statuses(), ["failed"]);
}
