//! The audit trail verifies whoever writes at the same time, and every tampering by somebody who can write to the
//! database is found.

use std::collections::BTreeMap;

use sluice_db::{Arg, Db};
use sluice_records::Records;
use sluice_records::audit::{PLATFORM, Witness};

use crate::audit::{disarm, fault, thing, verify, write};
use crate::ground::Ground;

/// Writes that run at once, and how many there are altogether.
const WRITERS: usize = 20;
const WRITES: usize = 10_000;

async fn ten_thousand_concurrent_writes_verify(db: Db) {
    let ground = Ground::bare(db.clone()).await;
    let tasks: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let records = ground.records.clone();
            tokio::spawn(async move {
                for number in 0..WRITES / WRITERS / 2 {
                    // One chain that all write to, one for each pair, and sometimes that of the platform.
                    let own = format!("ws_{:02}", writer / 2);
                    let mut changes = vec![thing("ws_all", number), thing(&own, number)];
                    if number % 10 == 0 {
                        changes.push(thing(PLATFORM, number));
                        changes.rotate_left(writer % 3);
                    }
                    write(&records, changes).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let (mut chain, mut entries) = (String::new(), 0);
    while let Some(next) = ground.records.next_audit_chain(&chain).await.unwrap() {
        let report = verify(&ground.records, &next).await;
        assert_eq!(report.fault, None, "{next}");
        if next == "ws_all" {
            assert_eq!(report.entries as usize, WRITES / 2);
        }
        entries += report.entries as usize;
        chain = next;
    }
    assert!(entries > WRITES, "{entries}");
    for seq in [1, WRITES as i64 / 4, WRITES as i64 / 2] {
        every_column_counts(&ground.records, "ws_all", seq).await;
    }
    assert_eq!(verify(&ground.records, "ws_all").await.fault, None, "everything was put back");
}

/// Changes every column of an entry, one after the other, and expects the entry to be named.
async fn every_column_counts(records: &Records, chain: &str, seq: i64) {
    let db = records.db();
    if seq == 1 {
        disarm(db).await;
    }
    for column in COLUMNS {
        let old = value(db, chain, seq, column).await;
        for new in changed(&old) {
            set(db, (chain, seq), column, new.clone()).await;
            let report = verify(records, chain).await;
            // A number that was taken by nobody, or a chain that was left: the entry is missing in its place.
            let named = report.fault.and_then(|fault| fault.seq);
            assert_eq!(named, Some(seq), "{column} of {seq} from {old:?} to {new:?}");
            let (chain_now, seq_now) = match (column, &new) {
                ("chain", Arg::Text(chain)) => (chain.as_str(), seq),
                ("seq", Arg::Int(seq)) => (chain, *seq),
                _ => (chain, seq),
            };
            set(db, (chain_now, seq_now), column, old.clone()).await;
        }
    }
}

const COLUMNS: [&str; 18] = [
    "chain",
    "seq",
    "at",
    "actor_kind",
    "actor_id",
    "actor_name",
    "impersonated_by",
    "address",
    "request_id",
    "action",
    "target_kind",
    "target_id",
    "target_name",
    "value_before",
    "value_after",
    "key_id",
    "prev_hash",
    "hash",
];

async fn value(db: &Db, chain: &str, seq: i64, column: &'static str) -> Arg {
    let sql = format!("select {column} from audit_entries where chain = $1 and seq = $2");
    let row = db.query(sql).bind(chain).bind(seq).one().await.unwrap();
    match column {
        "seq" | "at" => row.int(0).unwrap().into(),
        "prev_hash" | "hash" => row.bytes(0).unwrap().into(),
        _ => row.opt_text(0).unwrap().into(),
    }
}

async fn set(db: &Db, (chain, seq): (&str, i64), column: &str, value: Arg) {
    let sql = format!("update audit_entries set {column} = $3 where chain = $1 and seq = $2");
    assert_eq!(db.query(sql).bind(chain).bind(seq).bind(value).execute().await.unwrap(), 1);
}

/// Other values: with one byte changed, with one more, with one less, and null where that may be.
fn changed(value: &Arg) -> Vec<Arg> {
    match value {
        Arg::Int(number) => vec![(number + 1_000_000).into(), (number ^ (1 << 40)).into()],
        Arg::Text(text) => {
            let mut other = text.clone().into_bytes();
            if let Some(last) = other.last_mut() {
                *last ^= 1;
            }
            let other = String::from_utf8(other).unwrap();
            [other, format!("{text} "), text.chars().skip(1).collect()].into_iter().map(Arg::from).collect()
        }
        Arg::Bytes(bytes) => {
            let mut other = bytes.clone();
            other[7] ^= 1;
            vec![other.into(), bytes[1..].into()]
        }
        _ => vec!["".into(), "x".into()],
    }
}

async fn every_byte_of_a_short_chain_counts(db: Db) {
    let ground = Ground::bare(db.clone()).await;
    let records = &ground.records;
    for number in 0..3 {
        write(records, vec![thing("ws_s", number)]).await;
    }
    disarm(&db).await;
    for seq in 1..=3 {
        for column in COLUMNS {
            let old = value(&db, "ws_s", seq, column).await;
            let others: Vec<Arg> = match &old {
                Arg::Int(number) => (0..63).map(|bit| (number ^ (1_i64 << bit)).into()).collect(),
                Arg::Bytes(bytes) => (0..bytes.len())
                    .map(|at| {
                        let mut other = bytes.clone();
                        other[at] ^= 0x80;
                        other.into()
                    })
                    .collect(),
                Arg::Text(text) => (0..text.len())
                    .map(|at| {
                        let mut other = text.clone().into_bytes();
                        other[at] ^= 1;
                        String::from_utf8(other).unwrap().into()
                    })
                    .collect(),
                other => panic!("{column} holds {other:?}"),
            };
            for new in others {
                // Two entries under one number the database itself refuses.
                let sql = format!("update audit_entries set {column} = $3 where chain = $1 and seq = $2");
                let query = db.query(sql).bind("ws_s").bind(seq).bind(new.clone());
                if query.execute().await.is_err() {
                    assert_eq!(column, "seq");
                    continue;
                }
                let (named, reason) = fault(records, "ws_s").await;
                match (column, &new) {
                    ("seq", Arg::Int(moved)) => {
                        assert_eq!(
                            named,
                            Some(seq.min(*moved).max(i64::from(*moved >= 1))),
                            "{new:?}: {reason}"
                        );
                        set(&db, ("ws_s", *moved), "seq", old.clone()).await;
                    }
                    ("chain", Arg::Text(moved)) => {
                        assert_eq!(named, Some(seq), "{reason}");
                        assert!(fault(records, moved).await.0.is_some());
                        set(&db, (moved, seq), "chain", old.clone()).await;
                    }
                    _ => {
                        assert_eq!(named, Some(seq), "{column} {new:?}: {reason}");
                        set(&db, ("ws_s", seq), column, old.clone()).await;
                    }
                }
            }
        }
    }
    assert_eq!(verify(records, "ws_s").await.fault, None);
    every_byte_of_the_head_counts(records, "ws_s").await;
}

async fn every_byte_of_the_head_counts(records: &Records, chain: &str) {
    let db = records.db();
    let sql = "select entries, last_hash, key_id, seal from audit_heads where chain = $1";
    let row = db.query(sql).bind(chain).one().await.unwrap();
    let flipped = |bytes: Vec<u8>, at: usize| {
        let mut bytes = bytes;
        bytes[at] ^= 1;
        bytes
    };
    let (last_hash, seal) = (row.bytes("last_hash").unwrap(), row.bytes("seal").unwrap());
    let key_id = row.text("key_id").unwrap();
    let mut tries: Vec<(&str, Arg, Arg)> = Vec::new();
    let entries = row.int("entries").unwrap();
    tries.extend((0..63).map(|bit| ("entries", (entries ^ (1 << bit)).into(), entries.into())));
    for at in 0..32 {
        tries.push(("last_hash", flipped(last_hash.clone(), at).into(), last_hash.clone().into()));
        tries.push(("seal", flipped(seal.clone(), at).into(), seal.clone().into()));
    }
    for at in 0..key_id.len() {
        let other = String::from_utf8(flipped(key_id.clone().into_bytes(), at)).unwrap();
        tries.push(("key_id", other.into(), key_id.clone().into()));
    }
    for (column, new, old) in tries {
        let sql = format!("update audit_heads set {column} = $2 where chain = $1");
        db.query(sql.clone()).bind(chain).bind(new.clone()).execute().await.unwrap();
        assert!(verify(records, chain).await.fault.is_some(), "{column} {new:?}");
        db.query(sql).bind(chain).bind(old).execute().await.unwrap();
    }
    assert_eq!(verify(records, chain).await.fault, None);
}

async fn entries_that_go_come_or_change_places_are_found(db: Db) {
    let ground = Ground::bare(db.clone()).await;
    let records = &ground.records;
    for number in 0..5 {
        write(records, vec![thing("ws_x", number), thing("ws_y", number)]).await;
    }
    for sql in [
        "update audit_entries set action = 'x'",
        "delete from audit_entries",
        "delete from audit_entries where chain = 'ws_x' and seq = 5",
    ] {
        assert!(db.query(sql).execute().await.is_err(), "{sql} is refused while the guards stand");
    }
    disarm(&db).await;
    let run = async |sql: &str| db.query(sql.to_owned()).execute().await.unwrap();
    let columns = COLUMNS.join(", ");
    run("create table kept as select * from audit_entries").await;
    let restore = async || {
        run("delete from audit_entries").await;
        run(&format!("insert into audit_entries ({columns}) select {columns} from kept")).await;
        assert_eq!(verify(records, "ws_x").await.fault, None);
    };

    run("delete from audit_entries where chain = 'ws_x' and seq = 3").await;
    assert_eq!(fault(records, "ws_x").await.0, Some(3), "one in the middle is gone");
    restore().await;
    run("delete from audit_entries where chain = 'ws_x' and seq = 1").await;
    assert_eq!(fault(records, "ws_x").await.0, Some(1), "the first is gone");
    restore().await;
    run("delete from audit_entries where chain = 'ws_x' and seq > 3").await;
    assert_eq!(fault(records, "ws_x").await.0, Some(4), "the newest are gone");
    restore().await;
    run("delete from audit_entries where chain = 'ws_x'").await;
    assert_eq!(fault(records, "ws_x").await.0, Some(1), "all are gone");
    restore().await;
    let others: Vec<String> =
        COLUMNS.iter().map(|column| if *column == "seq" { "6".into() } else { (*column).into() }).collect();
    let copy = |seq: i64| {
        let others = others.iter().map(|column| if column == "6" { seq.to_string() } else { column.clone() });
        let others: Vec<_> = others.collect();
        format!(
            "insert into audit_entries ({columns}) select {} from kept where chain = 'ws_x' and seq = 5",
            others.join(", ")
        )
    };
    for (seq, named) in [(6, 6), (7, 6), (0, 0), (-5, -5), (i64::MIN + 1, i64::MIN + 1)] {
        run(&copy(seq)).await;
        assert_eq!(fault(records, "ws_x").await.0, Some(named), "one was put in at {seq}");
        restore().await;
    }
    run("update audit_entries set seq = -1 where chain = 'ws_x' and seq = 2").await;
    run("update audit_entries set seq = 2 where chain = 'ws_x' and seq = 3").await;
    run("update audit_entries set seq = 3 where chain = 'ws_x' and seq = -1").await;
    assert_eq!(fault(records, "ws_x").await.0, Some(2), "two have changed places");
    restore().await;
    run("delete from audit_entries where chain = 'ws_x'").await;
    run(&format!(
        "insert into audit_entries ({columns}) select {} from kept where chain = 'ws_y'",
        columns.replacen("chain", "'ws_x'", 1)
    ))
    .await;
    assert_eq!(fault(records, "ws_x").await.0, Some(1), "another chain took its place");
    restore().await;
}

async fn a_chain_that_was_tampered_with_is_never_made_good_by_what_follows(db: Db) {
    let ground = Ground::bare(db.clone()).await;
    let records = &ground.records;
    let chains = ["ws_cut", "ws_headless", "ws_gone", "ws_reset"];
    for number in 0..4 {
        write(records, chains.iter().map(|chain| thing(chain, number)).collect()).await;
    }
    disarm(&db).await;
    for sql in [
        "delete from audit_entries where chain = 'ws_cut' and seq = 4",
        "update audit_heads set entries = 3, last_hash = (select hash from audit_entries where chain = 'ws_cut' \
         and seq = 3) where chain = 'ws_cut'",
        "delete from audit_heads where chain = 'ws_headless'",
        "delete from audit_entries where chain = 'ws_gone'",
        "delete from audit_heads where chain = 'ws_gone'",
        "delete from audit_entries where chain = 'ws_reset' and seq = 4",
    ] {
        db.query(sql).execute().await.unwrap();
    }
    assert!(fault(records, PLATFORM).await.1.contains("ws_"), "the platform misses a chain");
    for chain in chains {
        assert!(verify(records, chain).await.fault.is_some(), "{chain}");
        // Work goes on, and what was done stays visible.
        write(records, vec![thing(chain, 9)]).await;
        write(records, vec![thing(chain, 9)]).await;
        assert!(verify(records, chain).await.fault.is_some(), "{chain}");
    }
}

async fn a_witness_finds_a_chain_that_was_set_back_as_a_whole(db: Db) {
    let ground = Ground::bare(db.clone()).await;
    let records = &ground.records;
    for number in 0..3 {
        write(records, vec![thing("ws_w", number)]).await;
    }
    disarm(&db).await;
    db.query("create table kept as select * from audit_heads").execute().await.unwrap();
    write(records, vec![thing("ws_w", 3)]).await;
    let report = verify(records, "ws_w").await;
    assert_eq!((report.entries, report.head.len()), (4, 64));
    let witness: Witness = BTreeMap::from([("ws_w".to_owned(), (report.entries, report.head))]);
    let seen = async || records.verify_audit_chain("ws_w", &witness).await.unwrap().fault;
    assert_eq!(seen().await, None);
    // Entry and head of an earlier moment fit each other: without a witness nobody can know.
    for sql in [
        "delete from audit_entries where chain = 'ws_w' and seq = 4",
        "delete from audit_heads",
        "insert into audit_heads select * from kept",
    ] {
        db.query(sql).execute().await.unwrap();
    }
    assert_eq!(verify(records, "ws_w").await.fault, None);
    assert_eq!(seen().await.unwrap().seq, Some(4));
    write(records, vec![thing("ws_w", 77)]).await;
    assert_eq!(verify(records, "ws_w").await.fault, None);
    assert_eq!(seen().await.unwrap().seq, Some(4), "another entry has its number now");
    for table in ["audit_entries", "audit_heads"] {
        db.query(format!("delete from {table} where chain = 'ws_w'")).execute().await.unwrap();
    }
    let missing = records.missing_audit_chains(&witness).await.unwrap();
    assert_eq!(missing.len(), 1);
    assert_eq!(missing[0].chain, "ws_w");
}

sluice_db::contract_tests! {
    ten_thousand_concurrent_writes_verify,
    every_byte_of_a_short_chain_counts,
    entries_that_go_come_or_change_places_are_found,
    a_chain_that_was_tampered_with_is_never_made_good_by_what_follows,
    a_witness_finds_a_chain_that_was_set_back_as_a_whole,
}
