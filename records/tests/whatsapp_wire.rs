//! What comes over the wire from WhatsApp: every published sample, the signature and handshake vectors, and anything
//! at all.

#![allow(clippy::unwrap_used)] // a test fails by panicking

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use proptest::prelude::*;
use serde_json::{Value, json};
use sluice_records::whatsapp::{Change, SignatureError, handshake, parse, verify};

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

fn read_json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn every_sample_is_read_as_its_index_says() {
    let folder = data().join("whatsapp");
    let index = read_json(&folder.join("_index.json"));
    let secret = index["app_secret"].as_str().unwrap();
    let files = index["files"].as_array().unwrap();
    assert!(files.len() > 130, "the samples are all there");
    for file in files {
        let name = file["file"].as_str().unwrap();
        let raw = fs::read(folder.join(name)).unwrap();
        verify(&[secret], &raw, file["x_hub_signature_256"].as_str())
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let parsed = parse(&raw).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(parsed.problems, Vec::<String>::new(), "{name}");
        let found: Vec<Value> = parsed.changes.iter().map(Change::summary).collect();
        assert_eq!(json!(found), file["changes"], "{name}");
    }
}

#[test]
fn the_signature_vectors_hold() {
    let vectors = read_json(&data().join("signature_cases.json"));
    let secret = vectors["app_secret"].as_str().unwrap();
    for case in vectors["cases"].as_array().unwrap() {
        let body =
            base64::engine::general_purpose::STANDARD.decode(case["body_base64"].as_str().unwrap()).unwrap();
        let outcome = verify(&[secret], &body, case["header"].as_str());
        match case["valid"].as_bool() {
            Some(valid) => assert_eq!(outcome.is_ok(), valid, "{}", case["name"]),
            None => {
                assert_eq!(outcome, Ok(()), "{}: we take hexadecimal digits of either case", case["name"])
            }
        }
    }
}

#[test]
fn signatures_are_refused_for_the_right_reason() {
    let none: [&str; 0] = [];
    assert_eq!(verify(&none, b"{}", Some("sha256=00")), Err(SignatureError::NoSecret));
    assert_eq!(verify(&[""], b"{}", Some("sha256=00")), Err(SignatureError::NoSecret));
    assert_eq!(verify(&["s"], b"{}", None), Err(SignatureError::Missing));
    for header in [
        "",
        "sha256=",
        "sha256=00",
        &format!("sha256={}", "zz".repeat(32)),
        &format!("sha256={}", "é".repeat(32)),
    ] {
        assert_eq!(verify(&["s"], b"{}", Some(header)), Err(SignatureError::Malformed), "{header}");
    }
    let zeros = format!("sha256={}", "0".repeat(64));
    assert_eq!(verify(&["s"], b"{}", Some(&zeros)), Err(SignatureError::Mismatch));
    // HMAC under an empty key: must not pass when a secret is left empty beside a real one.
    let empty_key = "sha256=b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad";
    assert_eq!(verify(&["", "s"], b"", Some(empty_key)), Err(SignatureError::Mismatch));
}

#[test]
fn while_a_secret_is_replaced_both_are_good() {
    let index = read_json(&data().join("whatsapp/_index.json"));
    let file = &index["files"][0];
    let raw = fs::read(data().join("whatsapp").join(file["file"].as_str().unwrap())).unwrap();
    let header = file["x_hub_signature_256"].as_str();
    let secret = index["app_secret"].as_str().unwrap();
    assert!(verify(&["the-next-secret", secret], &raw, header).is_ok());
    assert_eq!(verify(&["the-next-secret"], &raw, header), Err(SignatureError::Mismatch));
}

#[test]
fn the_handshake_cases_hold() {
    for case in read_json(&data().join("whatsapp/_handshake.json"))["cases"].as_array().unwrap() {
        let answer = handshake(case["query"].as_str().unwrap(), case["configured_token"].as_str().unwrap());
        let (status, body) = match answer {
            Ok(challenge) => (200, Some(challenge)),
            Err(error) => (error.status(), None),
        };
        assert_eq!(json!(status), case["status"], "{}", case["name"]);
        if let Some(body) = body {
            assert_eq!(json!(body), case["body"], "{}", case["name"]);
        }
    }
    assert!(handshake("hub.mode=subscribe&hub.challenge=1&hub.verify_token=", "").is_err());
    let long = format!("hub.mode=subscribe&hub.verify_token=t&hub.challenge={}", "1".repeat(257));
    assert_eq!(handshake(&long, "t").unwrap_err().status(), 400);
}

#[test]
fn one_bad_part_does_not_lose_the_others() {
    let good = json!({"field": "messages", "value": {"messages": [
        {"id": "wamid.1", "type": "text", "from": "1650"}, "no object", {"type": "text"}]}});
    let body = json!({"object": "whatsapp_business_account", "entry": [
        "no object", {"id": 7, "changes": [{"value": {}}, good, {"field": "x", "value": 3}]}, {"id": "8", "changes": 5}]});
    let parsed = parse(body.to_string().as_bytes()).unwrap();
    let fields: Vec<&str> = parsed.changes.iter().map(|change| change.field.as_str()).collect();
    assert_eq!(fields, ["messages", "x"]);
    assert_eq!(parsed.changes[0].waba_id, "7");
    assert_eq!(parsed.changes[0].messages.len(), 1);
    assert_eq!(parsed.problems.len(), 5, "{:?}", parsed.problems);
    assert!(
        parsed.problems.iter().any(|problem| problem.starts_with("entry[1].changes[1].value.messages[2]"))
    );
}

#[test]
fn a_name_cut_in_the_middle_of_an_emoji_loses_nothing() {
    let body =
        br#"{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":
        {"contacts":[{"profile":{"name":"Asha \ud83d"},"wa_id":"1650"}],
         "messages":[{"id":"wamid.1","from":"1650","type":"text","text":{"body":"hi"}}]}}]}]}"#;
    let parsed = parse(body).unwrap();
    assert_eq!(parsed.problems, Vec::<String>::new());
    assert_eq!(parsed.changes[0].messages[0].profile_name.as_deref(), Some("Asha \u{fffd}"));
}

#[test]
fn template_ids_beyond_2_to_the_53_are_kept() {
    let body = r#"{"object":"whatsapp_business_account","entry":[{"id":"1","time":1739321024,"changes":
        [{"field":"message_template_status_update","value":{"event":"APPROVED","message_template_id":1689556908129832123}}]}]}"#;
    let parsed = parse(body.as_bytes()).unwrap();
    assert_eq!(parsed.changes[0].value["message_template_id"], json!(1_689_556_908_129_832_123_u64));
    assert_eq!(parsed.changes[0].time, Some(1_739_321_024_000));
}

#[test]
fn what_is_no_webhook_is_refused() {
    for body in ["", "null", "[]", "{}", "{\"entry\": 3}", "\u{0}", r#"{"object":"page","entry":[]}"#] {
        assert!(parse(body.as_bytes()).is_err(), "{body}");
    }
    let deep = format!("{{\"entry\":[{}{}]}}", "[".repeat(100_000), "]".repeat(100_000));
    let parsed = parse(deep.as_bytes());
    assert!(parsed.is_err() || !parsed.unwrap().problems.is_empty());
}

/// Any JSON, with the names that webhooks use, so that the reader is led far in.
fn any_json() -> impl Strategy<Value = Value> {
    let names = prop::sample::select(vec![
        "object",
        "entry",
        "id",
        "time",
        "changes",
        "field",
        "value",
        "metadata",
        "phone_number_id",
        "messages",
        "type",
        "from",
        "text",
        "body",
        "interactive",
        "statuses",
        "status",
        "errors",
        "code",
        "contacts",
        "profile",
        "name",
        "history",
        "threads",
        "message_echoes",
        "user_preferences",
        "timestamp",
        "context",
        "referral",
        "system",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        names.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
            prop::collection::vec((names.clone(), inner), 0..6).prop_map(|fields| Value::Object(
                fields.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()
            )),
        ]
    })
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = parse(&bytes);
        let _ = verify(&["secret"], &bytes, Some(&String::from_utf8_lossy(&bytes)));
        let _ = handshake(&String::from_utf8_lossy(&bytes), "token");
    }

    #[test]
    fn no_json_makes_the_reader_panic(value in any_json(), field in "messages|history|user_preferences|[a-z_]{0,9}") {
        let body = json!({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [
            {"field": field, "value": value}]}]});
        for change in parse(body.to_string().as_bytes()).unwrap().changes {
            change.summary();
        }
        let _ = parse(value.to_string().as_bytes());
    }

    #[test]
    fn a_body_cut_off_or_changed_does_not_make_the_reader_panic(cut in 0usize..1200, byte in any::<u8>()) {
        let mut raw = fs::read(data().join("whatsapp/batch_several_entries_and_changes.json")).unwrap();
        let at = cut.min(raw.len() - 1);
        let _ = parse(&raw[..at]);
        raw[at] = byte;
        let _ = parse(&raw);
    }
}
