//! What both engines promise through this crate, each run on SQLite and on PostgreSQL.

#![allow(clippy::unwrap_used)] // a test fails by panicking

use std::collections::BTreeMap;

use sluice_db::{Arg, ArgType, Db, DbError, Dialect, placeholders};

async fn scratch(db: &Db) {
    let bytes = if db.dialect() == Dialect::Sqlite { "blob" } else { "bytea" };
    db.query(format!(
        "create table scratch (id text not null primary key, n bigint, yes boolean, f double precision, b {bytes})"
    ))
    .execute()
    .await
    .expect("the scratch table is created");
}

async fn every_type_comes_back(db: Db) {
    scratch(&db).await;
    let written = db
        .query("insert into scratch (id, n, yes, f, b) values ($1, $2, $3, $4, $5)")
        .bind("a")
        .bind(i64::MAX)
        .bind(true)
        .bind(1.5)
        .bind(vec![0u8, 255])
        .execute()
        .await
        .unwrap();
    assert_eq!(written, 1);
    let row = db.query("select * from scratch where id = $1").bind("a".to_owned()).one().await.unwrap();
    assert_eq!(row.text("id").unwrap(), "a");
    assert_eq!(row.int("n").unwrap(), i64::MAX);
    assert!(row.bool("yes").unwrap());
    assert_eq!(row.float("f").unwrap(), 1.5);
    assert_eq!(row.bytes(4).unwrap(), vec![0, 255]);
    assert_eq!(row.columns(), ["id", "n", "yes", "f", "b"]);
}

async fn nulls_keep_their_type(db: Db) {
    scratch(&db).await;
    db.query("insert into scratch (id, n, yes, f, b) values ($1, $2, $3, $4, $5)")
        .bind("a")
        .bind(None::<i64>)
        .bind(Arg::Null(ArgType::Bool))
        .bind(None::<f64>)
        .bind(None::<Vec<u8>>)
        .execute()
        .await
        .unwrap();
    let row =
        db.query("select * from scratch where $1 is null or id = $1").bind(None::<&str>).one().await.unwrap();
    assert_eq!(row.opt_int("n").unwrap(), None);
    assert_eq!(row.opt_bool("yes").unwrap(), None);
    assert_eq!(row.opt_float("f").unwrap(), None);
    assert_eq!(row.opt_bytes("b").unwrap(), None);
    assert!(matches!(row.int("n"), Err(DbError::Column { .. })));
    assert!(matches!(row.text("missing"), Err(DbError::Column { .. })));
}

async fn counting_and_lists(db: Db) {
    scratch(&db).await;
    for id in ["a", "b", "c"] {
        let sql = "insert into scratch (id, n) values ($1, $2) returning n";
        assert_eq!(db.query(sql).bind(id).bind(2).one().await.unwrap().int(0).unwrap(), 2);
    }
    let row =
        db.query("select count(*) as n, cast(sum(n) as bigint) as total from scratch").one().await.unwrap();
    assert_eq!((row.int("n").unwrap(), row.int("total").unwrap()), (3, 6));
    let list = format!("select id from scratch where id in ({}) order by id", placeholders(1, 2));
    let rows = db.query(list).bind_all(["c", "a"]).all().await.unwrap();
    assert_eq!(rows.iter().map(|row| row.text("id").unwrap()).collect::<Vec<_>>(), ["a", "c"]);
    let greatest = format!("select {}(n, $1) as top from scratch limit 1", db.dialect().greatest());
    assert_eq!(db.query(greatest).bind(5).one().await.unwrap().int("top").unwrap(), 5);
    assert!(matches!(db.query("select id from scratch where id = 'z'").one().await, Err(DbError::NotFound)));
}

async fn columns_of_values(db: Db) {
    scratch(&db).await;
    let sql = "insert into scratch (id, n, yes, f, b) \
               select * from unnest($1::text[], $2::bigint[], $3::boolean[], $4::double precision[], $5::bytea[])";
    let columns = [
        Arg::List(ArgType::Text, vec!["a".into(), "b".into()]),
        Arg::List(ArgType::Int, vec![7.into(), Arg::Null(ArgType::Int)]),
        Arg::List(ArgType::Bool, vec![true.into(), false.into()]),
        Arg::List(ArgType::Float, vec![Arg::Null(ArgType::Float), 1.5.into()]),
        Arg::List(ArgType::Bytes, vec![vec![0_u8].into(), Arg::Null(ArgType::Bytes)]),
    ];
    let written = db.query(sql).bind_all(columns).execute().await;
    if db.dialect() == Dialect::Sqlite {
        assert!(matches!(written, Err(DbError::Other(_))), "{written:?}");
        return;
    }
    assert_eq!(written.unwrap(), 2);
    let rows = db.query("select * from scratch order by id").all().await.unwrap();
    assert_eq!((rows[0].int("n").unwrap(), rows[1].opt_int("n").unwrap()), (7, None));
    assert_eq!((rows[0].bool("yes").unwrap(), rows[1].bool("yes").unwrap()), (true, false));
    assert_eq!((rows[0].opt_float("f").unwrap(), rows[1].opt_float("f").unwrap()), (None, Some(1.5)));
    assert_eq!((rows[0].bytes("b").unwrap(), rows[1].opt_bytes("b").unwrap()), (vec![0], None));
}

async fn a_duplicate_is_a_value(db: Db) {
    scratch(&db).await;
    let insert = "insert into scratch (id) values ($1)";
    db.query(insert).bind("a").execute().await.unwrap();
    let error = db.query(insert).bind("a").execute().await.unwrap_err();
    assert!(error.is_unique(), "{error:?}");
    assert!(error.to_string().contains("scratch"), "{error}");
    let error = db
        .query("insert into scratch (id, n) values ($1, 1)")
        .bind(None::<&str>)
        .execute()
        .await
        .unwrap_err();
    assert!(matches!(error, DbError::Constraint { .. }), "{error:?}");
    assert!(matches!(db.query("select nonsense from nowhere").all().await, Err(DbError::Other(_))));
}

async fn a_transaction_is_all_or_nothing(db: Db) {
    scratch(&db).await;
    let mut tx = db.begin().await.unwrap();
    tx.query("insert into scratch (id) values ('a')").execute().await.unwrap();
    assert_eq!(tx.query("select id from scratch").all().await.unwrap().len(), 1);
    drop(tx);
    let mut tx = db.begin().await.unwrap();
    assert!(tx.query("select id from scratch").optional().await.unwrap().is_none());
    tx.query("insert into scratch (id) values ('b')").execute().await.unwrap();
    tx.rollback().await.unwrap();
    let mut tx = db.begin().await.unwrap();
    let lock = format!("select id from scratch{}", tx.dialect().for_update_skip_locked());
    assert!(tx.query(lock).all().await.unwrap().is_empty());
    tx.query("insert into scratch (id) values ('c')").execute().await.unwrap();
    tx.commit().await.unwrap();
    let rows = db.query("select id from scratch").all().await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].text("id").unwrap(), "c");
}

async fn readers_do_not_wait_for_the_writer(db: Db) {
    scratch(&db).await;
    let mut tx = db.begin().await.unwrap();
    tx.query("insert into scratch (id) values ('a')").execute().await.unwrap();
    assert!(db.query("select id from scratch").all().await.unwrap().is_empty());
    tx.commit().await.unwrap();
    assert_eq!(db.query("select id from scratch").all().await.unwrap().len(), 1);
}

async fn migrating_again_changes_nothing(db: Db) {
    let before = db.schema_version().await.unwrap();
    assert_eq!(before, Some(db.known_schema()));
    let all = (0..4).map(|_| {
        let db = db.clone();
        tokio::spawn(async move { db.migrate().await })
    });
    for one in all.collect::<Vec<_>>() {
        one.await.unwrap().unwrap();
    }
    assert_eq!(db.schema_version().await.unwrap(), before);
    db.ping().await.unwrap();
}

async fn a_newer_schema_is_refused(db: Db) {
    db.query("update _sqlx_migrations set version = 9999 where version = $1")
        .bind(db.known_schema())
        .execute()
        .await
        .unwrap();
    let error = db.migrate().await.unwrap_err();
    let known = db.known_schema();
    assert!(matches!(error, DbError::NewerSchema { found: 9999, known: k } if k == known), "{error:?}");
    assert!(error.to_string().contains("newer version"));
}

sluice_db::contract_tests! {
    every_type_comes_back, nulls_keep_their_type, counting_and_lists, columns_of_values, a_duplicate_is_a_value,
    a_transaction_is_all_or_nothing, readers_do_not_wait_for_the_writer, migrating_again_changes_nothing,
    a_newer_schema_is_refused,
    whoever_goes_away_while_a_transaction_begins_leaves_none_open,
}

/// `table.column` to (may be null, part of the primary key).
type Schema = BTreeMap<String, (bool, bool)>;

async fn schema_of(db: &Db) -> Schema {
    let rows = match db.dialect() {
        Dialect::Sqlite => {
            "select t.name as tab, c.name as col, c.\"notnull\" = 0 as nullable, c.pk > 0 as keyed \
             from sqlite_master t join pragma_table_info(t.name) c where t.type = 'table' and t.name not like '\\_%' escape '\\' \
             and t.name not like 'sqlite\\_%' escape '\\'"
        }
        Dialect::Postgres => {
            "select c.table_name::text as tab, c.column_name::text as col, c.is_nullable = 'YES' as nullable, \
             exists (select 1 from information_schema.table_constraints t \
               join information_schema.key_column_usage k on k.constraint_name = t.constraint_name \
                and k.table_schema = t.table_schema and k.table_name = t.table_name \
               where t.constraint_type = 'PRIMARY KEY' and t.table_schema = c.table_schema \
                and t.table_name = c.table_name and k.column_name = c.column_name) as keyed \
             from information_schema.columns c where c.table_schema = current_schema() and c.table_name not like '\\_%'"
        }
    };
    let read = |row: &sluice_db::Row| -> Result<(String, (bool, bool)), DbError> {
        let name = format!("{}.{}", row.text("tab")?, row.text("col")?);
        Ok((name, (row.bool("nullable")?, row.bool("keyed")?)))
    };
    db.query(rows).all().await.unwrap().iter().map(|row| read(row).unwrap()).collect()
}

#[test]
fn both_engines_have_the_same_schema() {
    sluice_db::contract::on_sqlite(|sqlite| async move {
        let ours = schema_of(&sqlite).await;
        assert!(ours.contains_key("workspaces.id"));
        // The other engine brings its own runtime, hence the thread.
        std::thread::spawn(move || {
            sluice_db::contract::on_postgres("both_engines_have_the_same_schema", |postgres| async move {
                let theirs = schema_of(&postgres).await;
                let differs = |one: &BTreeMap<String, (bool, bool)>,
                               other: &BTreeMap<String, (bool, bool)>| {
                    let odd = one.iter().filter(|(name, kind)| other.get(*name) != Some(*kind));
                    odd.map(|(name, (nullable, keyed))| format!("{name}: nullable {nullable}, keyed {keyed}"))
                        .collect::<Vec<_>>()
                };
                assert_eq!(differs(&ours, &theirs), differs(&theirs, &ours), "SQLite on the left");
            });
        })
        .join()
        .expect("the schemas are equal");
    });
}

/// Whoever had the connection next would write into that transaction, which nobody ends.
async fn whoever_goes_away_while_a_transaction_begins_leaves_none_open(db: Db) {
    const ROWS: i64 = 20;
    scratch(&db).await;
    for looks in 1..=ROWS {
        let beginning = db.begin();
        futures::pin_mut!(beginning);
        for _ in 0..looks {
            if futures::poll!(beginning.as_mut()).is_ready() {
                break;
            }
        }
    }
    for n in 0..ROWS {
        db.query("insert into scratch (id) values ($1)").bind(n.to_string()).execute().await.unwrap();
    }
    // Over all connections, each of which sees what the others have stored for good.
    let counts = (0..ROWS).map(|_| async { db.query("select count(*) from scratch").one().await });
    for row in futures::future::join_all(counts).await {
        assert_eq!(row.unwrap().int(0).unwrap(), ROWS);
    }
}
