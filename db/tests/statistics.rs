//! What PostgreSQL's planner knows of tables that grow.

#![allow(clippy::unwrap_used)] // a test fails by panicking

use sluice_db::{Db, Dialect};

sluice_db::contract_tests! { the_planner_is_told_once_of_tables_that_have_grown }

async fn fill(db: &Db, from: i64, to: i64) {
    let mut tx = db.begin().await.unwrap();
    for id in from..to {
        tx.query("insert into heap (id, body) values ($1, $2)")
            .bind(id)
            .bind("x".repeat(500))
            .execute()
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
}

async fn the_planner_is_told_once_of_tables_that_have_grown(db: Db) {
    db.query("create table heap (id bigint not null primary key, body text)").execute().await.unwrap();
    fill(&db, 0, 20).await;
    assert!(db.refresh_statistics().await.unwrap().is_empty(), "small tables are left to the server");
    fill(&db, 20, 2_000).await;
    let told = db.refresh_statistics().await.unwrap();
    if db.dialect() == Dialect::Sqlite {
        assert!(told.is_empty());
        return;
    }
    assert_eq!(told, ["heap"]);
    let row = db
        .query("select reltuples::bigint as n from pg_class where oid = 'heap'::regclass")
        .one()
        .await
        .unwrap();
    assert_eq!(row.int("n").unwrap(), 2_000);
    fill(&db, 2_000, 2_500).await;
    assert!(db.refresh_statistics().await.unwrap().is_empty(), "it has not doubled since");
}
