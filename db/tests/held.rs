//! A connection that is kept: its transactions are whole, others get their turn, and nothing is left open.

#![allow(clippy::unwrap_used)] // a test fails by panicking

use sluice_db::{Arg, Db, Dialect, Piece};

sluice_db::contract_tests! {
    texts_are_one_transaction,
    what_fails_in_the_middle_leaves_nothing_and_the_connection_works,
    who_waits_for_the_only_writing_connection_is_seen,
    what_is_left_in_the_middle_is_whole_or_undone,
}

async fn scratch(db: &Db) {
    db.query("create table scratch (id text not null primary key)").execute().await.unwrap();
}

const INSERT: &str = "insert into scratch (id) values ($1)";

fn insert(id: &str) -> Piece {
    Piece { text: INSERT, args: vec![Arg::from(id)] }
}

async fn stored(db: &Db) -> Vec<String> {
    let rows = db.query("select id from scratch order by id").all().await.unwrap();
    rows.iter().map(|row| row.text("id").unwrap()).collect()
}

async fn texts_are_one_transaction(db: Db) {
    scratch(&db).await;
    let mut held = db.hold().await.unwrap();
    held.write(vec![insert("a")]).await.unwrap();
    held.write(vec![insert("b"), insert("c")]).await.unwrap();
    held.write(vec![insert("d"), insert("e"), insert("f")]).await.unwrap();
    assert_eq!(stored(&db).await, ["a", "b", "c", "d", "e", "f"]);
    drop(held);
    db.query(INSERT).bind("g").execute().await.unwrap();
    assert_eq!(stored(&db).await.len(), 7);
}

async fn what_fails_in_the_middle_leaves_nothing_and_the_connection_works(db: Db) {
    scratch(&db).await;
    let mut held = db.hold().await.unwrap();
    held.write(vec![insert("a")]).await.unwrap();
    for pieces in
        [vec![insert("a")], vec![insert("b"), insert("a")], vec![insert("b"), insert("a"), insert("c")]]
    {
        let error = held.write(pieces).await.unwrap_err();
        assert!(error.is_unique(), "{error}");
    }
    assert_eq!(stored(&db).await, ["a"]);
    held.write(vec![insert("b"), insert("c")]).await.unwrap();
    drop(held);
    db.query(INSERT).bind("d").execute().await.unwrap();
    assert_eq!(stored(&db).await, ["a", "b", "c", "d"]);
}

async fn who_waits_for_the_only_writing_connection_is_seen(db: Db) {
    scratch(&db).await;
    let mut held = db.hold().await.unwrap();
    assert!(!held.is_wanted());
    let other = db.begin();
    futures::pin_mut!(other);
    if db.dialect() == Dialect::Postgres {
        // There are connections enough.
        other.await.unwrap().rollback().await.unwrap();
        assert!(!held.is_wanted());
        return;
    }
    assert!(futures::poll!(other.as_mut()).is_pending());
    assert!(held.is_wanted());
    held.write(vec![insert("a")]).await.unwrap();
    drop(held);
    let mut tx = other.await.unwrap();
    tx.query(INSERT).bind("b").execute().await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(stored(&db).await, ["a", "b"]);
    assert!(!db.hold().await.unwrap().is_wanted());
}

async fn what_is_left_in_the_middle_is_whole_or_undone(db: Db) {
    scratch(&db).await;
    let mut held = db.hold().await.unwrap();
    {
        let writing = held.write(vec![insert("a"), insert("b")]);
        futures::pin_mut!(writing);
        // Once: it is on its way. How far it got depends on who else wants the machine.
        let _ = futures::poll!(writing);
    }
    drop(held);
    db.hold().await.unwrap().write(vec![insert("c"), insert("d")]).await.unwrap();
    let stored = stored(&db).await;
    assert!(stored == ["c", "d"] || stored == ["a", "b", "c", "d"], "{stored:?}");
}
