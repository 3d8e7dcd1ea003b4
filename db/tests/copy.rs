//! Copying between databases, on SQLite and from SQLite to PostgreSQL and back.

#![allow(clippy::unwrap_used)] // a test fails by panicking

use sluice_db::contract::{on_postgres, on_sqlite};
use sluice_db::{CopyError, Db, DbOptions, copy_all};

/// More rows than fit in one batch, with every type that the schema uses, nulls among them.
async fn fill(db: &Db) {
    for at in 0..450_i64 {
        let sql = "insert into contacts (workspace_id, id, display_name, attributes, created_at, updated_at) \
             values ($1, $2, $3, '{}', $4, $4)";
        let name = (at % 3 > 0).then(|| format!("Zoë {at}"));
        let query = db.query(sql).bind(format!("ws_{}", at % 7)).bind(format!("con_{at:04}")).bind(name);
        query.bind(at).execute().await.unwrap();
    }
    let sql = "insert into credentials (workspace_id, id, name, kind, public_fields, sealed, created_at, updated_at) \
         values ('ws_1', 'cred_1', 'a', 'k', '{}', $1, 1, 1)";
    db.query(sql).bind(vec![0_u8, 255, 7]).execute().await.unwrap();
}

async fn memory() -> Db {
    let db = Db::open(DbOptions::new("sqlite::memory:")).await.unwrap();
    db.migrate().await.unwrap();
    db
}

async fn there_and_back(middle: Db) {
    let from = memory().await;
    fill(&from).await;
    let there = copy_all(&from, &middle).await.unwrap();
    let count = |name: &str| there.iter().find(|table| table.name == name).unwrap().rows;
    assert_eq!((count("contacts"), count("credentials"), count("workspaces")), (450, 1, 0));
    let back = memory().await;
    assert_eq!(copy_all(&middle, &back).await.unwrap(), there);
    let again = copy_all(&from, &middle).await.unwrap_err();
    assert!(matches!(again, CopyError::NotEmpty(_)), "{again}");
}

#[test]
fn sqlite() {
    on_sqlite(there_and_back);
}

#[test]
fn postgres() {
    on_postgres("copy", there_and_back);
}
