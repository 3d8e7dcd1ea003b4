//! The bucket against a small S3-compatible server of our own: objects, lists in pages, refusals and faults.

use super::super::payloads::{Bucket, BucketSettings, PayloadPlace};
use super::payloads::{large_turn, listed, with_place};
use super::*;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use sluice_db::{Db, DbOptions};
use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

/// Objects per page of a list.
const PAGE: usize = 2;

/// The server.
#[derive(Default)]
struct Server {
    objects: Mutex<BTreeMap<String, Bytes>>,
    /// Statuses to be answered before anything is done.
    faults: Mutex<Vec<u16>>,
    asked: Mutex<Vec<String>>,
}

async fn answer(
    State(server): State<Arc<Server>>,
    method: Method,
    uri: Uri,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    server.asked.lock().unwrap().push(format!("{method} {}", uri.path()));
    if let Some(status) = server.faults.lock().unwrap().pop() {
        return StatusCode::from_u16(status).unwrap().into_response();
    }
    let signature = headers.get("authorization").and_then(|text| text.to_str().ok()).unwrap_or_default();
    if !signature.starts_with("AWS4-HMAC-SHA256 Credential=reader/") {
        return StatusCode::FORBIDDEN.into_response();
    }
    let Some(path) = uri.path().strip_prefix("/box") else { return StatusCode::NOT_FOUND.into_response() };
    let name = path.trim_start_matches('/').to_owned();
    let mut objects = server.objects.lock().unwrap();
    let tags = [("etag", "\"1\""), ("last-modified", "Thu, 01 Jan 2026 10:00:00 GMT")];
    match method {
        Method::PUT => {
            objects.insert(name, body);
            tags.into_response()
        }
        Method::GET if query.contains_key("list-type") => list(&objects, &query).into_response(),
        Method::GET => match objects.get(&name) {
            Some(body) => (tags, body.clone()).into_response(),
            None => (StatusCode::NOT_FOUND, "<Error><Code>NoSuchKey</Code></Error>").into_response(),
        },
        Method::DELETE => {
            objects.remove(&name);
            StatusCode::NO_CONTENT.into_response()
        }
        _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
    }
}

fn list(objects: &BTreeMap<String, Bytes>, query: &HashMap<String, String>) -> String {
    let (prefix, after) = (query.get("prefix"), query.get("continuation-token"));
    let fits = |name: &&String| {
        prefix.is_none_or(|prefix| name.starts_with(prefix)) && after.is_none_or(|after| *name > after)
    };
    let names: Vec<&String> = objects.keys().filter(fits).collect();
    let page = &names[..names.len().min(PAGE)];
    let more = names.len() > PAGE;
    let next = page.last().filter(|_| more);
    let next = next.map(|name| format!("<NextContinuationToken>{name}</NextContinuationToken>"));
    let contents: String = page
        .iter()
        .map(|name| {
            format!(
                "<Contents><Key>{name}</Key><LastModified>2026-01-01T10:00:00.000Z</LastModified>\
                 <ETag>\"1\"</ETag><Size>{}</Size></Contents>",
                objects[*name].len()
            )
        })
        .collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListBucketResult><Name>box</Name><IsTruncated>{more}</IsTruncated>\
         {}{contents}</ListBucketResult>",
        next.unwrap_or_default()
    )
}

/// A server, and the settings of somebody who may use it.
async fn serve() -> (Arc<Server>, BucketSettings) {
    let server = Arc::new(Server::default());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(answer).with_state(server.clone());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let settings = BucketSettings {
        bucket: "box".into(),
        prefix: "sluice/one".into(),
        endpoint: Some(endpoint),
        region: Some("eu-central-1".into()),
        key_id: Some("reader".into()),
        secret: Some("hidden".into()),
    };
    (server, settings)
}

fn bucket(settings: &BucketSettings) -> Arc<dyn PayloadPlace> {
    Arc::new(Bucket::new(settings).unwrap())
}

#[tokio::test]
async fn objects_are_written_read_listed_and_deleted() {
    let (server, settings) = serve().await;
    let place = bucket(&settings);
    assert_eq!(place.name(), "s3://box/sluice/one");
    for number in 0..5 {
        place.put(&format!("ws/run/{number}-a"), format!("body {number}").into()).await.unwrap();
    }
    server.objects.lock().unwrap().insert("elsewhere/1".into(), Bytes::new());
    let mut found = listed(&place).await;
    found.sort_by(|a, b| a.key.cmp(&b.key));
    assert_eq!(found.len(), 5);
    assert_eq!((found[4].key.as_str(), found[4].written_at), ("ws/run/4-a", 1_767_261_600_000));
    assert_eq!(place.get("ws/run/3-a").await.unwrap().unwrap(), "body 3");
    assert_eq!(place.get("ws/run/9-a").await.unwrap(), None);
    place.delete("ws/run/3-a").await.unwrap();
    place.delete("ws/run/3-a").await.unwrap();
    assert_eq!(place.get("ws/run/3-a").await.unwrap(), None);
    assert!(server.objects.lock().unwrap().contains_key("sluice/one/ws/run/4-a"));
}

#[tokio::test]
async fn a_passing_fault_is_tried_again_and_a_refusal_is_not() {
    let (server, settings) = serve().await;
    let place = bucket(&settings);
    *server.faults.lock().unwrap() = vec![503, 500];
    place.put("ws/run/0-a", "body".into()).await.unwrap();
    assert_eq!(server.asked.lock().unwrap().len(), 3);
    *server.faults.lock().unwrap() = vec![503];
    assert_eq!(place.get("ws/run/0-a").await.unwrap().unwrap(), "body");
    let stranger = BucketSettings { key_id: Some("stranger".into()), ..settings };
    let asked = server.asked.lock().unwrap().len();
    let error = bucket(&stranger).put("ws/run/1-a", "body".into()).await.unwrap_err();
    assert_eq!(server.asked.lock().unwrap().len(), asked + 1);
    assert!(error.to_string().contains("s3://box/sluice/one"), "{error}");
    assert!(!format!("{error:?} {stranger:?}").contains("hidden"));
}

#[tokio::test]
async fn a_store_that_fails_for_good_fails_the_commit_and_nothing_refers_to_it() {
    let (server, settings) = serve().await;
    let place = bucket(&settings);
    let db = Db::open(DbOptions::new("sqlite::memory:")).await.unwrap();
    db.migrate().await.unwrap();
    let store = with_place(&db, &place);
    let turn = large_turn(facts("run_1", 1), RunStatus::Running);
    *server.faults.lock().unwrap() = vec![400; 1];
    let error = store.commit(vec![turn.clone()]).await.unwrap_err();
    assert!(matches!(error, StoreError::Payloads(_)), "{error:?}");
    assert!(store.load(&key("run_1")).await.unwrap().is_none());
    commit_all(&store, vec![turn.clone()]).await;
    assert_eq!(store.load(&key("run_1")).await.unwrap().unwrap().events, turn.events);
    assert_eq!(server.objects.lock().unwrap().len(), 1);
    // What cannot be asked for now is not called damaged.
    *server.faults.lock().unwrap() = vec![400; 1];
    let error = store.load(&key("run_1")).await.unwrap_err();
    assert!(matches!(error, StoreError::Payloads(_)), "{error:?}");
    server.objects.lock().unwrap().clear();
    let error = store.load(&key("run_1")).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");
}

#[test]
fn settings_that_cannot_be_right_are_refused() {
    let settings =
        BucketSettings { bucket: "box".into(), prefix: "a//b".into(), ..BucketSettings::default() };
    assert!(Bucket::new(&settings).is_err());
}
