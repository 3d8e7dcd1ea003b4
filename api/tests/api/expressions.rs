//! Expressions tried out: values, faults with their places, and the words of the language.

use crate::ground::Ground;
use serde_json::{Value, json};
use sluice_db::Db;

async fn a_text_is_tried_on_given_data(db: Db) {
    let ground = Ground::new(db).await;
    let data = json!({
        "json": { "name": "Asha", "score": 41 }, "index": 1,
        "nodes": { "lookup": [{ "id": 7 }, { "id": 8 }], "empty": [] },
        "trigger": { "contact": { "first_name": "Ash" } }, "run": { "is_test": true },
    });
    let cases = [
        ("Hello {{ json.name }}", json!("Hello Asha")),
        ("{{ json.score + 1 }}", json!(42)),
        ("{{ node(\"lookup\").json.id + node(\"lookup\").items.len() }}", json!(10)),
        ("{{ contact.first_name }} {{ item.index }} {{ run.is_test }}", json!("Ash 1 true")),
        ("{{ conversation ?? \"none\" }}", json!("none")),
        ("plain", json!("plain")),
    ];
    for (text, wanted) in cases {
        let answer = ground.post("/api/expressions/preview", json!({ "text": text, "data": data })).await;
        assert_eq!(answer.expect(200).json(), json!({ "value": wanted }), "{text}");
    }
    let faults = [
        ("a\n {{ json.name + }}", "expression_syntax", 2),
        ("{{ nobody }}", "expression_undefined", 1),
        ("{{ node(\"gone\").json }}", "expression_undefined", 1),
        ("{{ node(\"empty\").json }}", "expression_undefined", 1),
        ("{{ repeat(\"x\", 999999999) }}", "expression_limit", 1),
    ];
    for (text, code, line) in faults {
        let answer = ground
            .post("/api/expressions/preview", json!({ "text": text, "data": data }))
            .await
            .expect(200)
            .json();
        assert_eq!(
            (&answer["error"]["code"], &answer["error"]["line"]),
            (&json!(code), &json!(line)),
            "{text}: {answer}"
        );
        assert!(!answer["error"]["message"].as_str().unwrap().is_empty());
    }
    let endless = json!({ "text": "{{ 1 }}".repeat(51) });
    let refused = ground.post("/api/expressions/preview", endless).await.fails(422, "invalid_value");
    assert_eq!(refused["details"]["path"], "/text");
    let zone = |zone: &str| json!({ "text": "{{ now() }}", "timezone": zone });
    let there = ground.post("/api/expressions/preview", zone("Asia/Kolkata")).await.expect(200).json();
    assert!(there["value"].as_str().unwrap().contains("+05:30"), "{there}");
    let nowhere = ground.post("/api/expressions/preview", zone("Nowhere/Else")).await;
    assert_eq!(nowhere.fails(422, "invalid_value")["details"]["path"], "/timezone");
}

async fn the_words_of_the_language_are_listed(db: Db) {
    let ground = Ground::new(db).await;
    let language = ground.get("/api/expressions").await.expect(200).json();
    let named = |list: &Value, name: &str| list.as_array().unwrap().iter().any(|one| one["name"] == name);
    assert!(named(&language["functions"], "upper") && named(&language["functions"], "node"));
    for variable in language["variables"].as_array().unwrap() {
        let text = format!("{{{{ kind({}) }}}}", variable["name"].as_str().unwrap());
        let answer =
            ground.post("/api/expressions/preview", json!({ "text": text })).await.expect(200).json();
        assert!(answer["value"].is_string(), "{variable} is no variable: {answer}");
    }
}

sluice_db::contract_tests! { a_text_is_tried_on_given_data, the_words_of_the_language_are_listed }
