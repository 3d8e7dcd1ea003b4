//! The machine's own limits, as servers behind the same HTTP stack that the measured program uses: JSON parsed and
//! written back, and one-writer group commit of a number of bytes. Must not know the measured program.

use crate::fault::{Tried, While as _};
use axum::Router;
use axum::extract::{Json, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use clap::{Args, ValueEnum};
use serde_json::Value;
use sluice_db::{Arg, ArgType, Db, DbOptions, Dialect, Held, Piece};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

/// Most requests that share one commit.
const MOST_IN_BATCH: usize = 256;

/// What to serve.
#[derive(Debug, Args)]
pub(crate) struct ProbeArgs {
    /// What is done with a request.
    #[arg(long)]
    kind: ProbeKind,
    /// Address to listen on.
    #[arg(long)]
    listen: String,
    /// Where it is stored.
    #[arg(long, default_value = "")]
    database: String,
    /// Commits per request.
    #[arg(long, default_value_t = 1)]
    commits: u32,
    /// Bytes per commit.
    #[arg(long, default_value_t = 1_024)]
    bytes: usize,
    /// Tasks that commit; SQLite has one writer whatever this says.
    #[arg(long, default_value_t = 1)]
    writers: u32,
}

/// What is done with a request before it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProbeKind {
    /// Nothing.
    Echo,
    /// It is stored.
    Commit,
}

type Waiting = oneshot::Sender<bool>;

#[derive(Clone)]
struct Probe {
    writer: Option<mpsc::Sender<Waiting>>,
    commits: u32,
}

/// Serves until it is killed.
///
/// # Errors
/// When the address is taken or the database refuses.
pub(crate) async fn probe(args: ProbeArgs) -> Tried<bool> {
    let writer = match args.kind {
        ProbeKind::Echo => None,
        ProbeKind::Commit => Some(start_writers(&args).await?),
    };
    let state = Probe { writer, commits: args.commits };
    let router =
        Router::new().route("/", post(take)).route("/readyz", get(|| async { "ready" })).with_state(state);
    let listener =
        TcpListener::bind(&args.listen).await.while_trying(|| format!("listening on {}", args.listen))?;
    axum::serve(listener, router).await.while_trying(|| "serving".to_owned())?;
    Ok(true)
}

async fn take(State(probe): State<Probe>, Json(body): Json<Value>) -> Result<Json<Value>, StatusCode> {
    if let Some(writer) = &probe.writer {
        for _ in 0..probe.commits {
            let (sender, durable) = oneshot::channel();
            let gone = |_| StatusCode::INTERNAL_SERVER_ERROR;
            writer.send(sender).await.map_err(gone)?;
            if !durable.await.unwrap_or(false) {
                return Err(StatusCode::INTERNAL_SERVER_ERROR);
            }
        }
    }
    Ok(Json(body))
}

async fn start_writers(args: &ProbeArgs) -> Tried<mpsc::Sender<Waiting>> {
    let db = Db::open(DbOptions::new(args.database.as_str())).await?;
    // In SQLite only this spelling makes the key the row's own number, without an index of its own.
    let (key, bytes) =
        if db.dialect() == Dialect::Sqlite { ("integer", "blob") } else { ("bigint", "bytea") };
    let table = format!("create table if not exists probe (id {key} primary key, body {bytes} not null)");
    db.query(table).execute().await?;
    let (sender, receiver) = mpsc::channel(4_096);
    let writers = if db.dialect() == Dialect::Sqlite { 1 } else { args.writers };
    let shared = Arc::new(tokio::sync::Mutex::new(receiver));
    for number in 0..writers {
        let first = i64::from(number) << 48;
        tokio::spawn(write(db.clone(), shared.clone(), args.bytes, first));
    }
    Ok(sender)
}

/// Takes whatever has come meanwhile and commits it with one statement over a connection that is kept.
async fn write(db: Db, inbox: Arc<tokio::sync::Mutex<mpsc::Receiver<Waiting>>>, bytes: usize, mut next: i64) {
    let row = vec![b'x'; bytes];
    let mut batch = Vec::with_capacity(MOST_IN_BATCH);
    let mut line = None;
    loop {
        if inbox.lock().await.recv_many(&mut batch, MOST_IN_BATCH).await == 0 {
            return;
        }
        let stored = insert(&db, &mut line, next, &row, batch.len()).await;
        next += i64::try_from(batch.len()).unwrap_or(i64::MAX);
        let is_durable = stored.is_ok();
        if let Err(error) = stored {
            eprintln!("probe: {error}");
        }
        for waiting in batch.drain(..) {
            // Whoever has gone meanwhile does not mind.
            let _ = waiting.send(is_durable);
        }
    }
}

/// One statement, which is one commit. On PostgreSQL the rows come as lists: the plan of that is made once and kept. On SQLite, which
/// has no lists, they come in one argument, cut apart by counting in a common table expression.
async fn insert(db: &Db, line: &mut Option<Held>, first: i64, row: &[u8], count: usize) -> Tried<()> {
    let pieces = i64::try_from(count).unwrap_or(i64::MAX);
    let piece = match db.dialect() {
        Dialect::Sqlite => {
            let text = "with recursive pieces(piece) as (select 0 union all select piece + 1 from pieces where piece < $4 - 1) \
                 insert into probe (id, body) select $1 + piece, substr($2, piece * $3 + 1, $3) from pieces";
            let size = i64::try_from(row.len()).unwrap_or(i64::MAX);
            Piece { text, args: vec![first.into(), row.repeat(count).into(), size.into(), pieces.into()] }
        }
        Dialect::Postgres => {
            let ids = (first..first + pieces).map(Arg::from).collect();
            let bodies = vec![Arg::from(row); count];
            let text = "insert into probe (id, body) select unnest($1::bigint[]), unnest($2::bytea[])";
            Piece { text, args: vec![Arg::List(ArgType::Int, ids), Arg::List(ArgType::Bytes, bodies)] }
        }
    };
    let held = match line {
        Some(held) => held,
        None => line.insert(db.hold().await?),
    };
    Ok(held.write(vec![piece]).await?)
}
