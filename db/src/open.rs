//! Opening and closing: pools, pragmas, what a URL means.

use std::collections::HashSet;
use std::ops::RangeInclusive;
use std::path::Path;
use std::str::FromStr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{Connection as _, Executor as _};

use crate::error::classify;
use crate::options::without_password;
use crate::{DbError, DbOptions, Dialect, Synchronous};

/// Prepared statements kept per connection. The program has a few hundred texts; the driver's default of 100 would
/// prepare some of them again and again.
const CACHED_STATEMENTS: usize = 512;

/// What is read is in memory or on a disk without heads. The server's default, of the time of turning disks, makes its
/// planner read tables of some thousand rows whole in place of looking up a few by their key.
const PLANNING: &str = "set random_page_cost = 1.1";

/// Writing transactions at once on PostgreSQL: one for each core of this machine, in these bounds. More would each carry
/// less, and a statement costs the server more than the rows in it; with one it would wait while we prepare the next.
const WRITERS: RangeInclusive<usize> = 2..=4;
/// What SQLite's log may keep on the disk once it was folded back into the file, bytes. It may be longer for a while.
const LONGEST_LOG: &str = "67108864";

/// How long a connection to PostgreSQL that nobody uses is taken to be still there.
const TRUSTED: Duration = Duration::from_secs(1);

/// How long to wait before a file is opened again that somebody else holds.
const ASK_AGAIN: Duration = Duration::from_millis(10);

/// An open database. Cloning is cheap and shares the connections.
#[derive(Clone)]
pub struct Db {
    shared: Arc<Shared>,
    /// The workspace whose rows alone are seen; see [`Db::within`].
    within: Option<Arc<str>>,
}

struct Shared {
    pools: Pools,
    /// The URL without its password, for messages.
    place: String,
    /// What somebody in this process does alone now; on SQLite, where one process drives a database.
    alone: Alone,
    /// How many wait for the only writing connection, or have it without keeping it.
    wanting: AtomicUsize,
}

/// Somebody who wants the only writing connection.
pub(crate) struct Wanting<'a>(&'a AtomicUsize);

impl Drop for Wanting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Names that are held.
pub(crate) type Alone = Arc<Mutex<HashSet<String>>>;

pub(crate) enum Pools {
    /// One writing connection, because SQLite has one write lock: waiting in our queue is fair, waiting on the lock is
    /// not. Readers see the last commit and never wait (WAL).
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
    },
    Postgres(PgPool),
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Db").field(&self.shared.place).finish()
    }
}

impl Db {
    /// Opens the database, creating an SQLite file that is not there yet (its folder must exist). Does not migrate.
    ///
    /// # Errors
    /// `Unreachable` (missing folder, no server, wrong login), `ReadOnly`, `Corrupt` (not a database file), `Other` for
    /// a URL that is neither `sqlite:` nor `postgres:`.
    pub async fn open(options: DbOptions) -> Result<Db, DbError> {
        let place = without_password(&options.url);
        let pools = if let Some(path) = options.url.strip_prefix("sqlite:") {
            open_sqlite(path.strip_prefix("//").unwrap_or(path), &options).await?
        } else if options.url.starts_with("postgres:") || options.url.starts_with("postgresql:") {
            open_postgres(&options).await?
        } else {
            return Err(DbError::other(format!(
                "the database URL {place:?} is not understood; write sqlite:PATH, sqlite::memory: or postgres://USER:PASSWORD@HOST/NAME"
            )));
        };
        Ok(Db {
            shared: Arc::new(Shared { pools, place, alone: Alone::default(), wanting: AtomicUsize::new(0) }),
            within: None,
        })
    }

    /// The same database as one workspace sees it: on PostgreSQL the server itself hides every other workspace's rows,
    /// whatever a statement asks for (the policies of migration `row_security`; a superuser is not bound by them). SQLite
    /// has no such wall; there the statements alone keep workspaces apart.
    ///
    /// Each statement becomes a short transaction of its own: for requests of people and keys, not for the engine.
    pub fn within(&self, workspace_id: &str) -> Db {
        Db { shared: self.shared.clone(), within: Some(workspace_id.into()) }
    }

    pub(crate) fn workspace(&self) -> Option<&str> {
        self.within.as_deref()
    }

    pub(crate) fn pools(&self) -> &Pools {
        &self.shared.pools
    }

    /// To be kept while the only writing connection is waited for and used.
    pub(crate) fn wanting(&self) -> Wanting<'_> {
        self.shared.wanting.fetch_add(1, Ordering::Relaxed);
        Wanting(&self.shared.wanting)
    }

    /// Whether somebody wants it. In memory it is the only one for reading too, so it counts as wanted at any time.
    pub(crate) fn is_wanted(&self) -> bool {
        self.shared.wanting.load(Ordering::Relaxed) > 0 || self.is_in_memory()
    }

    /// Whether it is an SQLite database without a file, which has one connection altogether.
    pub(crate) fn is_in_memory(&self) -> bool {
        let path =
            self.shared.place.strip_prefix("sqlite:").map(|path| path.strip_prefix("//").unwrap_or(path));
        path.is_some_and(is_in_memory)
    }

    pub(crate) fn alone(&self) -> &Alone {
        &self.shared.alone
    }

    /// Which engine this is.
    pub fn dialect(&self) -> Dialect {
        match self.shared.pools {
            Pools::Sqlite { .. } => Dialect::Sqlite,
            Pools::Postgres(_) => Dialect::Postgres,
        }
    }

    /// How many transactions may usefully write at once: one on SQLite, a part of the pool on PostgreSQL, so that
    /// readers find a connection too.
    pub fn writers(&self) -> usize {
        match self.pools() {
            Pools::Sqlite { .. } => 1,
            Pools::Postgres(pool) => {
                let cores = std::thread::available_parallelism().map_or(1, usize::from);
                let spare = pool.options().get_max_connections() as usize / 2;
                spare.clamp(1, cores.clamp(*WRITERS.start(), *WRITERS.end()))
            }
        }
    }

    /// The URL without its password, for people.
    pub fn place(&self) -> &str {
        &self.shared.place
    }

    /// Asks the database for an answer; on SQLite through the writing connection.
    pub async fn ping(&self) -> Result<(), DbError> {
        match self.pools() {
            Pools::Sqlite { writer, .. } => sqlx::query("select 1").execute(writer).await.map(|_| ()),
            Pools::Postgres(pool) => sqlx::query("select 1").execute(pool).await.map(|_| ()),
        }
        .map_err(|error| classify(self.dialect(), error))
    }

    /// Waits for running statements and closes every connection. SQLite folds its log back into the file.
    pub async fn close(&self) {
        match self.pools() {
            Pools::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Pools::Postgres(pool) => pool.close().await,
        }
    }
}

/// The path of an SQLite URL without what follows a question mark.
fn file(path: &str) -> &str {
    path.split_once('?').map_or(path, |(path, _)| path)
}

fn is_in_memory(path: &str) -> bool {
    matches!(file(path), ":memory:" | "")
}

async fn open_sqlite(path: &str, options: &DbOptions) -> Result<Pools, DbError> {
    let refused = |error| classify(Dialect::Sqlite, error);
    let mut connect = SqliteConnectOptions::new()
        .foreign_keys(true)
        .busy_timeout(options.busy_timeout)
        .statement_cache_capacity(CACHED_STATEMENTS)
        .pragma("temp_store", "memory");
    if is_in_memory(path) {
        // Every connection to `:memory:` is a database of its own, so exactly one is shared by everybody.
        let connect = connect.filename(":memory:").in_memory(true);
        let only = one_connection(options).connect_with(connect).await.map_err(refused)?;
        return Ok(Pools::Sqlite { writer: only.clone(), readers: only });
    }
    let path = file(path);
    check_folder(Path::new(path))?;
    // `auto_vacuum` takes effect in a new file, and in an old one with its next `vacuum`: see `space.rs`.
    connect = connect
        .filename(path)
        .create_if_missing(true)
        .auto_vacuum(SqliteAutoVacuum::Incremental)
        .journal_mode(SqliteJournalMode::Wal)
        .pragma("journal_size_limit", LONGEST_LOG)
        .synchronous(match options.synchronous {
            Synchronous::Full => SqliteSynchronous::Full,
            Synchronous::Normal => SqliteSynchronous::Normal,
        });
    // A transaction that SQLite ended by itself (on a full disk) leaves the driver counting one that is not there: such
    // a connection is of no use any more.
    let open_writer = || async {
        let writer = one_connection(options)
            .before_acquire(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }))
            .connect_with(writing(connect.clone()))
            .await
            .map_err(refused)?;
        check_writable(&writer).await.map(|()| writer)
    };
    let writer = patiently(options.busy_timeout, open_writer).await?;
    // `query_only` turns a statement sent to the wrong pool into a loud error instead of a second writer.
    let readers = SqlitePoolOptions::new()
        .max_connections(options.max_connections.max(1))
        .acquire_timeout(options.acquire_timeout)
        .test_before_acquire(false)
        .max_lifetime(None::<Duration>)
        .connect_lazy_with(connect.pragma("query_only", "on"));
    Ok(Pools::Sqlite { writer, readers })
}

/// What the writing connection does otherwise than SQLite would by itself. The log is folded back into the file every
/// 16 MB, not every 4: a page that is written again and again reaches the file once. The cache holds the upper pages of
/// the indexes of some million runs.
fn writing(connect: SqliteConnectOptions) -> SqliteConnectOptions {
    connect.pragma("wal_autocheckpoint", "4000").pragma("cache_size", "-16384")
}

fn one_connection(options: &DbOptions) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(1)
        .min_connections(1)
        .acquire_timeout(options.acquire_timeout)
        .idle_timeout(None::<Duration>)
        .max_lifetime(None::<Duration>)
        .test_before_acquire(false)
}

/// Does `open` again while somebody else holds the file, for at most `patience`. SQLite waits for locks by itself, but not
/// for the one with which it turns a new file over to WAL, nor while another process recovers or folds back the log.
async fn patiently<T, F: Future<Output = Result<T, DbError>>>(
    patience: Duration,
    open: impl Fn() -> F,
) -> Result<T, DbError> {
    let ends = tokio::time::Instant::now() + patience;
    loop {
        match open().await {
            Err(DbError::Busy { .. }) if tokio::time::Instant::now() < ends => {
                tokio::time::sleep(ASK_AGAIN).await;
            }
            opened => return opened,
        }
    }
}

fn check_folder(path: &Path) -> Result<(), DbError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if folder.is_dir() {
        return Ok(());
    }
    Err(DbError::Unreachable {
        message: format!("the folder {} does not exist; create it or choose another path", folder.display()),
    })
}

/// SQLite opens a read-only file without a word and fails at the first write; say it at once instead.
async fn check_writable(writer: &SqlitePool) -> Result<(), DbError> {
    let refused = |error| classify(Dialect::Sqlite, error);
    let tx = writer.begin_with(Dialect::Sqlite.begin()).await.map_err(refused)?;
    tx.rollback().await.map_err(refused)
}

async fn open_postgres(options: &DbOptions) -> Result<Pools, DbError> {
    let refused = |error: sqlx::Error| match error {
        sqlx::Error::PoolTimedOut => DbError::Unreachable {
            message: format!(
                "{} does not answer; check that the server runs",
                without_password(&options.url)
            ),
        },
        sqlx::Error::Configuration(source) => DbError::other(format!(
            "the database URL {:?} is not valid: {source}",
            without_password(&options.url)
        )),
        other => classify(Dialect::Postgres, other),
    };
    let mut connect = PgConnectOptions::from_str(&options.url)
        .map_err(refused)?
        .application_name("sluice")
        .statement_cache_capacity(CACHED_STATEMENTS);
    if let Some(timeout) = options.statement_timeout {
        connect = connect.options([("statement_timeout", timeout.as_millis().to_string())]);
    }
    let pool = PgPoolOptions::new()
        .max_connections(options.max_connections.max(1))
        .acquire_timeout(options.acquire_timeout)
        // Asked whether it is still there when it was given back, so not again right after.
        .test_before_acquire(false)
        .before_acquire(|connection, now| {
            Box::pin(async move {
                if now.idle_for > TRUSTED {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .after_connect(|connection, _| Box::pin(async { connection.execute(PLANNING).await.map(drop) }))
        .connect_with(connect)
        .await
        .map_err(refused)?;
    Ok(Pools::Postgres(pool))
}
