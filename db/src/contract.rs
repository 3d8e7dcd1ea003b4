//! Contract tests: async functions that take a fresh, migrated [`Db`] and are run on both engines.
//!
//! ```text
//! async fn a_row_comes_back(db: Db) { … }
//! sluice_db::contract_tests! { a_row_comes_back }
//! ```
//! Each name becomes a module with the tests `sqlite` and `postgres`. PostgreSQL runs when
//! `SLUICE_TEST_POSTGRES_URL` is set (`scripts/with-postgres.sh` sets it); otherwise the test says that it was skipped.

use std::future::Future;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::{Db, DbOptions, Synchronous};

/// Names a server on which the tests may create and drop schemas.
pub const POSTGRES_URL: &str = "SLUICE_TEST_POSTGRES_URL";

/// Makes two tests, `sqlite` and `postgres`, of every named `async fn(Db)`.
#[macro_export]
macro_rules! contract_tests {
    ($($name:ident),* $(,)?) => {$(
        mod $name {
            #[test]
            fn sqlite() {
                $crate::contract::on_sqlite(super::$name);
            }

            #[test]
            fn postgres() {
                $crate::contract::on_postgres(stringify!($name), super::$name);
            }
        }
    )*};
}

/// Runs `test` on a fresh SQLite file, which is deleted afterwards.
pub fn on_sqlite<F: Future<Output = ()>>(test: impl FnOnce(Db) -> F) {
    let folder = TestFolder::new();
    run(async {
        let mut options = DbOptions::new(format!("sqlite:{}", folder.0.join("test.sqlite").display()));
        // What is tested is logic; power cuts have tests of their own.
        options.synchronous = Synchronous::Normal;
        let db = Db::open(options).await.expect("a fresh SQLite file opens");
        db.migrate().await.expect("a fresh SQLite file migrates");
        test(db.clone()).await;
        db.close().await;
    });
}

/// Runs `test` in a fresh schema of the PostgreSQL server named by [`POSTGRES_URL`], or says that it is skipped.
pub fn on_postgres<F: Future<Output = ()>>(name: &str, test: impl FnOnce(Db) -> F) {
    let Some(url) = std::env::var(POSTGRES_URL).ok().filter(|url| !url.is_empty()) else {
        // Past the test harness's capture, which would hide it: a skipped test must be seen.
        let line = format!(
            "SKIPPED {name} on PostgreSQL: {POSTGRES_URL} is not set (run scripts/with-postgres.sh)\n"
        );
        let _ = std::io::stderr().write_all(line.as_bytes());
        return;
    };
    run(async {
        let schema = format!("test_{}", unique());
        let admin = Db::open(few_connections(url.clone(), 1)).await.expect("the test server answers");
        admin.query(MAKE_ROLE).execute().await.expect("the role is made");
        let make = format!("create schema {schema} authorization {ROLE}");
        admin.query(make).execute().await.expect("the schema is created");
        let joint = if url.contains('?') { '&' } else { '?' };
        let url = format!("{url}{joint}options[search_path]={schema}&options[role]={ROLE}");
        let db = Db::open(few_connections(url, 4)).await.expect("the test server answers");
        db.migrate().await.expect("a fresh schema migrates");
        test(db.clone()).await;
        db.close().await;
        admin.query(format!("drop schema {schema} cascade")).execute().await.expect("the schema is dropped");
        admin.close().await;
    });
}

/// Tests work as somebody whom row-level security binds, as a service should: superusers see everything.
const ROLE: &str = "sluice_contract";

/// Makes the role when it is missing; tests that start together may both try.
const MAKE_ROLE: &str = "do $$ begin create role sluice_contract nologin nosuperuser; \
     exception when duplicate_object or unique_violation then null; end $$";

fn few_connections(url: String, count: u32) -> DbOptions {
    let mut options = DbOptions::new(url);
    options.max_connections = count;
    options
}

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime starts")
        .block_on(test);
}

fn unique() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let since_epoch = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| since.as_nanos());
    format!("{}_{}_{}", std::process::id(), since_epoch, COUNT.fetch_add(1, Ordering::Relaxed))
}

/// A folder that disappears with the test.
struct TestFolder(PathBuf);

impl TestFolder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("sluice-db-{}", unique()));
        std::fs::create_dir_all(&path).expect("the temporary folder can be written");
        Self(path)
    }
}

impl Drop for TestFolder {
    fn drop(&mut self) {
        // Best effort: a left-over folder in the temporary directory harms nobody.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
