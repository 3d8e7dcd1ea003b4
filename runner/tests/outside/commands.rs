//! The command line from outside: results, exit codes, and what it says when something is wrong.

use crate::support::{Sluice, command, run};
use serde_json::{Value, json};

fn folder_with(name: &str, text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(name), text).unwrap();
    folder
}

fn greeting() -> String {
    include_str!("../../../examples/workflows/greeting.json").to_owned()
}

#[test]
fn run_prints_a_table_and_with_json_the_output_of_the_documents_test() {
    let folder = folder_with("greeting.json", &greeting());
    let (code, table, _) = run(command(folder.path()).args(["run", "greeting.json"]));
    assert_eq!(code, 0, "{table}");
    assert!(table.contains("high") && table.contains("skipped") && table.contains("succeeded"), "{table}");
    let (code, text, _) = run(command(folder.path()).args(["run", "greeting.json", "--json"]));
    let view: Value = serde_json::from_str(&text).unwrap();
    let document: Value = serde_json::from_str(&greeting()).unwrap();
    assert_eq!((code, &view["output"]), (0, &document["tests"][0]["expect"]["output"]));
}

#[test]
fn the_time_of_a_run_holds_that_of_its_nodes() {
    let code = "let n = 0; for i in 0..50000 { n += i; } #{ n: n }";
    let document = json!({ "sluice": 1, "name": "Busy", "nodes": [
        { "id": "start", "type": "trigger.manual" },
        { "id": "busy", "type": "data.script", "params": { "code": code } } ],
        "edges": [{ "from": "start", "to": "busy" }] });
    let folder = folder_with("busy.json", &document.to_string());
    let (code, text, _) = run(command(folder.path()).args(["run", "busy.json", "--json"]));
    let view: Value = serde_json::from_str(&text).unwrap();
    let at = |part: &Value, name: &str| part[name].as_i64().unwrap();
    let busy = view["nodes"].as_array().unwrap().last().unwrap();
    assert!(
        at(busy, "ended_at") > at(busy, "started_at"),
        "a script that counts so far takes its time: {view}"
    );
    assert!(at(&view, "started_at") <= at(busy, "started_at"), "{view}");
    assert!(at(&view, "ended_at") >= at(busy, "ended_at"), "{view}");
    assert_eq!(code, 0);
}

#[test]
fn a_failed_run_exits_with_1_and_says_where_and_why() {
    let document = json!({ "sluice": 1, "name": "Bad", "nodes": [
        { "id": "start", "type": "trigger.manual" },
        { "id": "sum", "type": "data.set", "params": { "fields": { "x": "{{ json.a.b.c }}" } } } ],
        "edges": [{ "from": "start", "to": "sum" }] });
    let folder = folder_with("bad.json", &document.to_string());
    let (code, table, _) = run(command(folder.path()).args(["run", "bad.json"]));
    assert_eq!(code, 1, "{table}");
    for part in ["expression_undefined", "sum", "/fields/x", "json.a.b.c", "column"] {
        assert!(table.contains(part), "`{part}` is not in:\n{table}");
    }
}

#[test]
fn validate_reports_every_problem_of_a_file_at_once() {
    let document = json!({ "sluice": 1, "name": "Broken", "colour": "red", "nodes": [
        { "id": "Start", "type": "trigger.manual" }, { "id": "x", "type": "data.sett" } ],
        "edges": [{ "from": "x", "to": "nowhere" }] });
    let folder = folder_with("broken.json", &document.to_string());
    let (code, text, _) = run(command(folder.path()).args(["validate", "broken.json"]));
    assert_eq!(code, 1);
    assert!(text.contains("colour"), "{text}");
    let mut sound = document.clone();
    sound.as_object_mut().unwrap().remove("colour");
    std::fs::write(folder.path().join("broken.json"), sound.to_string()).unwrap();
    let (code, text, _) = run(command(folder.path()).args(["validate", "broken.json"]));
    assert_eq!(code, 1);
    for part in ["invalid_node_id", "unknown_node_type", "edge_to_nowhere"] {
        assert!(text.contains(part), "`{part}` is not in:\n{text}");
    }
}

#[test]
fn documents_that_are_no_documents_are_refused_with_a_place() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for (text, part) in [("{ \"sluice\": 1, ", "line"), ("\u{0}\u{1}", "line"), (deep.as_str(), "deep")] {
        let folder = folder_with("bad.json", text);
        let (code, out, error) = run(command(folder.path()).args(["validate", "bad.json"]));
        assert_eq!(code, 1, "{out}{error}");
        assert!(format!("{out}{error}").contains(part), "`{part}` is not in: {out}{error}");
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("bad.json"), [0xff, 0xfe, b'{']).unwrap();
    let (code, out, _) = run(command(folder.path()).args(["validate", "bad.json"]));
    assert!(code == 1 && out.contains("UTF-8"), "{out}");
}

#[test]
fn test_writes_junit_and_fails_when_a_test_fails() {
    let mut document: Value = serde_json::from_str(&greeting()).unwrap();
    document["tests"][0]["expect"]["output"]["high"][0]["score"] = json!(1);
    let folder = folder_with("greeting.json", &document.to_string());
    let (code, out, _) = run(command(folder.path()).args(["test", ".", "--junit", "report.xml"]));
    assert_eq!(code, 1);
    assert!(out.contains("0 passed, 1 failed"), "{out}");
    let report = std::fs::read_to_string(folder.path().join("report.xml")).unwrap();
    assert!(report.contains("failures=\"1\"") && report.contains("high score"), "{report}");
}

#[test]
fn a_key_is_alone_on_the_last_line_and_a_missing_workspace_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (code, _, error) = run(command(folder.path()).args(["key", "create", "--workspace", "shop"]));
    assert!(code == 2 && error.contains("shop") && error.contains("--create"), "{error}");
    let (code, out, _) =
        run(command(folder.path()).args(["key", "create", "--workspace", "shop", "--create"]));
    assert_eq!(code, 0);
    assert!(out.lines().last().unwrap().starts_with("sk_"), "{out}");
    let (code, out, _) = run(command(folder.path()).args(["doctor"]));
    assert_eq!(code, 0, "{out}");
    for line in
        ["ok    space: 0 MiB of", "can be written and read; bodies over 65536 bytes", "finished runs 90d"]
    {
        assert!(out.contains(line), "`{line}` is not in {out}");
    }
}

#[test]
fn an_old_file_is_named_by_the_doctor_and_cured_by_vacuum() {
    let folder = tempfile::tempdir().unwrap();
    let (code, ..) = run(command(folder.path()).args(["migrate"]));
    assert_eq!(code, 0);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let url = format!("sqlite:{}", folder.path().join("data/sluice.db").display());
        let db = sluice_db::Db::open(sluice_db::DbOptions::new(url)).await.unwrap();
        for sql in ["pragma auto_vacuum = none", "vacuum"] {
            db.query(sql).all().await.unwrap();
        }
        db.close().await;
    });
    let (code, out, _) = run(command(folder.path()).args(["doctor"]));
    assert!(code == 0 && out.contains("warn  space:") && out.contains("`sluice vacuum`"), "{out}");
    let (code, out, error) = run(command(folder.path()).args(["vacuum"]));
    assert!(code == 0 && out.contains("space is given back"), "{out}{error}");
    let (_, out, _) = run(command(folder.path()).args(["doctor"]));
    assert!(out.contains("ok    space:"), "{out}");
}

#[test]
fn payload_settings_that_cannot_be_right_are_refused_and_no_secret_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let doctor = |arguments: &[&str]| run(command(folder.path()).arg("doctor").args(arguments));
    let (code, _, error) = doctor(&["--payloads", "gs://box"]);
    assert!(code == 2 && error.contains("`payloads`") && error.contains("s3://"), "{error}");
    let (code, _, error) = doctor(&["--inbound-retention", "1d"]);
    assert!(code == 2 && error.contains("7d"), "{error}");
    // Nobody listens there, so the probe fails, and says where.
    let endpoint = "http://127.0.0.1:9";
    let access = ["--payloads-key-id", "id", "--payloads-secret", "s3cret", "--payloads-region", "x"];
    let place = ["--payloads", "s3://box/here", "--payloads-endpoint", endpoint];
    let (code, out, error) = doctor(&[&place[..], &access[..]].concat());
    assert!(code == 1 && out.contains("FAIL  payloads: s3://box/here"), "{out}{error}");
    assert!(!format!("{out}{error}").contains("s3cret"), "{out}{error}");
}

#[test]
fn workflows_survive_import_and_export_byte_for_byte() {
    let folder = folder_with("in.json", &greeting());
    let (code, ..) = run(command(folder.path()).args(["key", "create", "--workspace", "shop", "--create"]));
    assert_eq!(code, 0);
    let (code, _, error) = run(command(folder.path()).args(["import", "in.json", "--workspace", "shop"]));
    assert_eq!(code, 0, "{error}");
    let (code, _, error) = run(command(folder.path()).args(["export", "first", "--workspace", "shop"]));
    assert_eq!(code, 0, "{error}");
    let (code, _, error) =
        run(command(folder.path()).args(["import", "first", "--workspace", "shop", "--replace"]));
    assert_eq!(code, 0, "{error}");
    let (code, _, error) = run(command(folder.path()).args(["export", "second", "--workspace", "shop"]));
    assert_eq!(code, 0, "{error}");
    let read = |name: &str| std::fs::read(folder.path().join(name).join("greeting.json")).unwrap();
    assert_eq!(read("first"), read("second"));
}

#[test]
fn a_service_that_cannot_start_says_why_and_what_to_do() {
    let folder = folder_with("sluice.toml", "lissen = \"127.0.0.1:0\"\n");
    let (code, _, error) = run(command(folder.path()).args(["serve", "--config", "sluice.toml"]));
    assert!(code == 2 && error.contains("lissen"), "{error}");

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, _, error) = run(command(folder.path()).args(["serve", "--listen", &address]));
    assert!(code == 2 && error.contains(&address) && error.contains("--listen"), "{error}");

    std::fs::write(
        folder.path().join("text.db"),
        "this is no database, but it is long enough to look like a file",
    )
    .unwrap();
    let (code, _, error) = run(command(folder.path()).args([
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--database",
        "sqlite:text.db",
    ]));
    assert!(code == 2 && error.contains("database"), "{error}");

    let (code, _, error) = run(command(folder.path()).args([
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--database",
        "postgres://nobody@127.0.0.1:1/none",
    ]));
    assert!(code == 2 && error.contains("127.0.0.1"), "{error}");
    assert!(!error.contains("panicked"), "{error}");
}

#[test]
fn a_service_starts_on_an_empty_folder_and_answers_health_checks() {
    let folder = tempfile::tempdir().unwrap();
    let mut service = Sluice::start(command(folder.path()).args(["serve", "--listen", "127.0.0.1:0"]));
    let port = service.port();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for path in ["healthz", "readyz", "metrics", "api/openapi.json"] {
        let answer = runtime.block_on(reqwest::get(format!("http://127.0.0.1:{port}/{path}"))).unwrap();
        assert_eq!(answer.status().as_u16(), 200, "{path}");
    }
    assert_eq!(service.terminate(), 0);
}
