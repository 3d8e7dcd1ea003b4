//! The second wall between workspaces on PostgreSQL: a transaction that names a workspace sees no other one's rows.

#![allow(clippy::unwrap_used)] // a test fails by panicking

use sluice_db::{Db, Dialect, contract};

const INSERT: &str =
    "insert into contacts (workspace_id, id, attributes, created_at, updated_at) values ($1, $2, '{}', 0, 0)";

#[test]
fn a_workspace_sees_and_writes_its_own_rows_only() {
    contract::on_postgres("a_workspace_sees_and_writes_its_own_rows_only", |db| async move {
        for workspace in ["ws_a", "ws_b"] {
            db.query(INSERT).bind(workspace).bind("con_1").execute().await.unwrap();
        }
        let count =
            async |db: &Db| db.query("select count(*) from contacts").one().await.unwrap().int(0).unwrap();
        assert_eq!(count(&db).await, 2, "the service itself works for all");
        let a = db.within("ws_a");
        assert_eq!(count(&a).await, 1);
        let row = a.query("select workspace_id from contacts").one().await.unwrap();
        assert_eq!(row.text(0).unwrap(), "ws_a");
        assert!(
            a.query(INSERT).bind("ws_b").bind("con_2").execute().await.is_err(),
            "nothing is planted elsewhere"
        );
        a.query(INSERT).bind("ws_a").bind("con_2").execute().await.unwrap();
        assert_eq!(a.query("update contacts set display_name = 'x'").execute().await.unwrap(), 2);
        assert_eq!(a.query("delete from contacts where workspace_id = 'ws_b'").execute().await.unwrap(), 0);
        let mut tx = a.begin().await.unwrap();
        let rows = tx.query("select workspace_id from contacts").all().await.unwrap();
        assert_eq!(rows.len(), 2);
        tx.commit().await.unwrap();
        // No connection keeps the name: all are used again and again here.
        for _ in 0..20 {
            assert_eq!(count(&db).await, 3);
        }
    });
}

#[test]
fn every_table_of_workspaces_has_the_wall() {
    contract::on_postgres("every_table_of_workspaces_has_the_wall", |db| async move {
        assert_eq!(db.dialect(), Dialect::Postgres);
        let sql = "select c.table_name from information_schema.columns c \
                   join pg_class k on k.relname = c.table_name and k.relnamespace = current_schema()::regnamespace \
                   where c.table_schema = current_schema() and c.column_name = 'workspace_id' and k.relkind = 'r' \
                   and not (k.relrowsecurity and k.relforcerowsecurity and exists ( \
                       select 1 from pg_policies p where p.schemaname = current_schema() \
                       and p.tablename = c.table_name and p.policyname = 'workspace_wall'))";
        let open: Vec<_> =
            db.query(sql).all().await.unwrap().iter().map(|row| row.text(0).unwrap()).collect();
        assert!(open.is_empty(), "tables without the policy workspace_wall: {open:?}");
        let superuser =
            db.query("select rolsuper from pg_roles where rolname = current_user").one().await.unwrap();
        assert!(!superuser.bool(0).unwrap(), "or the wall would not be tested");
    });
}
