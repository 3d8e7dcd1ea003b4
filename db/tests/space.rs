//! Work that is done alone, and space that is given back.

#![allow(clippy::unwrap_used)] // a test fails by panicking

use sluice_db::{Db, DbOptions, Dialect};

async fn one_at_a_time(db: Db) {
    let mut first = db.try_exclusive("cleaning").await.unwrap().unwrap();
    assert!(first.is_held().await);
    assert!(db.try_exclusive("cleaning").await.unwrap().is_none());
    let other = db.try_exclusive("counting").await.unwrap().unwrap();
    first.release().await;
    other.release().await;
    let again = db.try_exclusive("cleaning").await.unwrap().unwrap();
    // Dropped, not released: the server notices the end of the connection by itself.
    drop(again);
    loop {
        if let Some(got) = db.try_exclusive("cleaning").await.unwrap() {
            break got.release().await;
        }
        tokio::task::yield_now().await;
    }
}

sluice_db::contract_tests! { one_at_a_time }

async fn fill_and_empty(db: &Db) {
    db.query("create table if not exists heap (id bigint not null primary key, body blob)")
        .execute()
        .await
        .unwrap();
    let mut tx = db.begin().await.unwrap();
    for id in 0..500_i64 {
        tx.query("insert into heap (id, body) values ($1, $2)")
            .bind(id)
            .bind(vec![7_u8; 4_000])
            .execute()
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    db.query("delete from heap").execute().await.unwrap();
}

#[tokio::test]
async fn a_new_file_gives_space_back_bit_by_bit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.sqlite");
    let db = Db::open(DbOptions::new(format!("sqlite:{}", path.display()))).await.unwrap();
    fill_and_empty(&db).await;
    let before = db.space().await.unwrap().unwrap();
    assert!(before.can_shrink);
    assert!(before.free_pages >= 500, "{before:?}");
    db.give_back(100).await.unwrap();
    let between = db.space().await.unwrap().unwrap();
    assert_eq!(between.free_pages, before.free_pages - 100);
    db.give_back(10_000).await.unwrap();
    let after = db.space().await.unwrap().unwrap();
    assert_eq!((after.free_pages, after.free_bytes()), (0, 0));
    db.close().await;
    let size = i64::try_from(std::fs::metadata(&path).unwrap().len()).unwrap();
    assert!(size < before.pages * before.page_size / 4, "{size} of {before:?}");
}

#[tokio::test]
async fn an_old_file_learns_it_by_being_written_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.sqlite");
    let url = format!("sqlite:{}", path.display());
    let db = Db::open(DbOptions::new(&url)).await.unwrap();
    // As a program made it that knew nothing of this.
    db.query("pragma auto_vacuum = none").all().await.unwrap();
    fill_and_empty(&db).await;
    db.query("vacuum").execute().await.unwrap();
    db.close().await;
    let db = Db::open(DbOptions::new(&url)).await.unwrap();
    fill_and_empty(&db).await;
    let old = db.space().await.unwrap().unwrap();
    assert!(!old.can_shrink && old.free_pages >= 500, "{old:?}");
    db.vacuum().await.unwrap();
    let new = db.space().await.unwrap().unwrap();
    assert!(new.can_shrink && new.free_pages == 0, "{new:?}");
    db.close().await;
}

#[tokio::test]
async fn a_database_without_a_file_has_no_space_to_tell_of() {
    let db = Db::open(DbOptions::new("sqlite::memory:")).await.unwrap();
    assert_eq!(db.dialect(), Dialect::Sqlite);
    assert_eq!(db.space().await.unwrap(), None);
    db.close().await;
}
