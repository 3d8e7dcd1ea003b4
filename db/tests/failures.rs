//! How a database that cannot be used says so.

#![allow(clippy::unwrap_used)] // a test fails by panicking

use std::fs;
use std::time::Duration;

use sluice_db::{Db, DbError, DbOptions};
use sqlx::{ConnectOptions, Connection};

async fn open(path: &std::path::Path) -> Result<Db, DbError> {
    Db::open(DbOptions::new(format!("sqlite:{}", path.display()))).await
}

#[tokio::test]
async fn a_missing_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = open(&folder.path().join("not-here/x.sqlite")).await.unwrap_err();
    assert!(matches!(error, DbError::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().contains("not-here"), "{error}");
}

#[tokio::test]
async fn another_kind_of_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    fs::write(&path, "these are notes, not a database ".repeat(200)).unwrap();
    let error = open(&path).await.unwrap_err();
    assert!(matches!(error, DbError::Corrupt { .. }), "{error:?}");
}

#[tokio::test]
async fn an_unknown_url_is_refused_without_its_password() {
    let error = Db::open(DbOptions::new("mysql://asha:s3cret@host/db")).await.unwrap_err();
    let DbError::Other(source) = &error else { panic!("{error:?}") };
    assert!(source.to_string().contains("sqlite:PATH"));
    assert!(!source.to_string().contains("s3cret"));
}

#[tokio::test]
async fn a_silent_server_is_unreachable() {
    let mut options = DbOptions::new("postgres://asha@127.0.0.1:1/db");
    options.acquire_timeout = std::time::Duration::from_secs(2);
    let error = Db::open(options).await.unwrap_err();
    assert!(matches!(error, DbError::Unreachable { .. }), "{error:?}");
}

#[tokio::test]
async fn a_database_in_memory_is_one_database() {
    let db = Db::open(DbOptions::new("sqlite::memory:")).await.unwrap();
    db.migrate().await.unwrap();
    db.query("create table t (n bigint)").execute().await.unwrap();
    let insert = |n: i64| {
        let db = db.clone();
        tokio::spawn(async move { db.query("insert into t values ($1)").bind(n).execute().await })
    };
    for one in (0..20).map(insert).collect::<Vec<_>>() {
        one.await.unwrap().unwrap();
    }
    assert_eq!(db.query("select count(*) from t").one().await.unwrap().int(0).unwrap(), 20);
}

#[tokio::test]
async fn a_second_process_that_holds_the_lock_makes_us_busy() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.sqlite");
    let ours = open(&path).await.unwrap();
    let mut options = DbOptions::new(format!("sqlite:{}", path.display()));
    options.busy_timeout = std::time::Duration::from_millis(1);
    let theirs = Db::open(options).await.unwrap();
    let tx = ours.begin().await.unwrap();
    let Err(error) = theirs.begin().await else { panic!("two writers at once") };
    assert!(matches!(error, DbError::Busy { .. }), "{error:?}");
    drop(tx);
}

#[tokio::test]
async fn a_full_disk_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(&folder.path().join("x.sqlite")).await.unwrap();
    db.query("create table t (b blob)").execute().await.unwrap();
    // SQLite reports a reached page limit exactly as it reports a full disk.
    db.query("pragma max_page_count = 4").execute().await.unwrap();
    let error = db.query("insert into t values ($1)").bind(vec![7u8; 100_000]).execute().await.unwrap_err();
    assert!(matches!(error, DbError::Full), "{error:?}");
}

#[tokio::test]
async fn a_full_disk_in_the_middle_of_a_transaction_is_got_over() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(&folder.path().join("x.sqlite")).await.unwrap();
    db.query("create table t (b blob)").execute().await.unwrap();
    db.query("pragma max_page_count = 4").execute().await.unwrap();
    let mut tx = db.begin().await.unwrap();
    let error = tx.query("insert into t values ($1)").bind(vec![7u8; 100_000]).execute().await.unwrap_err();
    assert!(matches!(error, DbError::Full), "{error:?}");
    assert!(tx.commit().await.is_err());
    let _ = db.query("pragma max_page_count = 100000").execute().await;
    let mut tx = db.begin().await.unwrap();
    tx.query("insert into t values ($1)").bind(vec![7u8; 100_000]).execute().await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_reader_cannot_write() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(&folder.path().join("x.sqlite")).await.unwrap();
    db.query("create table t (n bigint)").execute().await.unwrap();
    // A statement that is taken for a read and is none would be a second writer.
    let error = db.query("select 1; insert into t values (1)").all().await.unwrap_err();
    assert!(matches!(error, DbError::ReadOnly), "{error:?}");
}

/// SQLite itself waits for no lock when it turns a new file over to WAL.
#[tokio::test]
async fn a_new_file_that_somebody_holds_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.sqlite");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let mut other = options.connect().await.unwrap();
    sqlx::query("create table t (n integer)").execute(&mut other).await.unwrap();
    let held = other.begin_with("begin immediate").await.unwrap();
    let mut opening = tokio::spawn(async move { open(&path).await });
    let early = tokio::time::timeout(Duration::from_millis(200), &mut opening).await;
    assert!(early.is_err(), "answered while the file was held: {early:?}");
    held.rollback().await.unwrap();
    opening.await.unwrap().unwrap();
}

/// As when an operator starts several processes on one folder.
#[tokio::test(flavor = "multi_thread")]
async fn many_may_start_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.sqlite");
    let start = |_| {
        let path = path.clone();
        tokio::spawn(async move {
            let db = open(&path).await?;
            db.migrate().await?;
            db.schema_version().await
        })
    };
    for one in (0..8).map(start).collect::<Vec<_>>() {
        assert!(one.await.unwrap().unwrap().is_some());
    }
}

#[test]
fn both_engines_have_the_same_migrations() {
    let names = |engine: &str| {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations").join(engine);
        let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names("sqlite"), names("postgres"));
}
