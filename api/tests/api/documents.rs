//! Generated documents that are committed: the API document and the page of error codes.

use std::fs;
use std::path::{Path, PathBuf};

/// Compares a committed file with what it should be, or writes it when `UPDATE_DOCUMENTS` is set.
fn check(path: PathBuf, wanted: &str) {
    if std::env::var_os("UPDATE_DOCUMENTS").is_some() {
        fs::write(&path, wanted).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    let name = path.file_name().unwrap().display();
    assert!(
        found == wanted,
        "{name} is out of date; run UPDATE_DOCUMENTS=1 cargo test -p sluice-api documents"
    );
}

#[test]
fn the_api_document_is_up_to_date() {
    let text = sluice_api::openapi().to_pretty_json().unwrap();
    check(Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json"), &(text + "\n"));
}

#[test]
fn the_page_of_error_codes_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/error-codes.md");
    check(path, &sluice_api::error::documentation());
}

#[test]
fn codes_are_unique() {
    let mut names: Vec<_> = sluice_api::error::ALL.iter().map(|code| code.code).collect();
    names.sort_unstable();
    let all = names.len();
    names.dedup();
    assert_eq!(names.len(), all);
}

#[test]
fn schemas_have_names_of_their_own() {
    // Of two with one name the document keeps one.
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut names = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            for rest in text.split("ToSchema)]").skip(1) {
                let words: Vec<_> = rest.split_ascii_whitespace().take(40).collect();
                let at = words.iter().position(|word| ["struct", "enum"].contains(word)).unwrap();
                names.push(words[at + 1].split('<').next().unwrap().to_owned());
            }
        }
    }
    assert!(names.len() > 60, "{}", names.len());
    names.sort_unstable();
    let twice: Vec<_> = names.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| &pair[0]).collect();
    assert!(twice.is_empty(), "{twice:?}");
}

#[test]
fn every_operation_is_documented_and_every_reference_leads_somewhere() {
    let document = serde_json::to_value(sluice_api::openapi()).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut ids = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let place = format!("{method} {path}");
            assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "{place}");
            assert!(operation["responses"].get("500").is_some(), "{place}");
            ids.push(operation["operationId"].as_str().unwrap().to_owned());
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                assert!(parameter["description"].as_str().is_some(), "{place}: {parameter}");
            }
        }
    }
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "operation ids are unique");
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert!(document.pointer(reference).is_some(), "{reference}");
    }
}
