//! Copies everything from one database to another, between engines in either direction, and proves it: counts and
//! checksums of every table are compared afterwards. Knows tables by the catalogue only, never by their meaning.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::{Arg, ArgType, Db, DbError, Dialect, Row, placeholders};

/// Rows read and written at a time.
const BATCH: i64 = 200;

/// What was copied of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopiedTable {
    pub name: String,
    pub rows: u64,
    /// Of all rows in any order; equal on both sides.
    pub checksum: u64,
}

/// Why a copy is not there.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    #[error("a database failed while copying")]
    Db(#[from] DbError),
    /// Copying into a filled database would mix two installations.
    #[error("the table {0} of the destination has rows already; copy into an empty database")]
    NotEmpty(String),
    /// Something wrote to a database meanwhile, or the copy is damaged.
    #[error(
        "the table {0} differs between source and destination after copying; stop every process that uses them, \
         empty the destination and copy again"
    )]
    Different(String),
}

/// A table as the catalogue describes it.
struct Table {
    name: String,
    columns: Vec<(String, ArgType)>,
    key: Vec<usize>,
}

/// Copies all tables. Both databases must be migrated, the destination must be empty, and nobody may write meanwhile.
///
/// # Errors
/// See [`CopyError`]. The destination may then hold a part; empty it before the next try.
pub async fn copy_all(from: &Db, to: &Db) -> Result<Vec<CopiedTable>, CopyError> {
    let tables = tables_of(from).await?;
    for table in &tables {
        let sql = format!("select 1 as found from {} limit 1", table.name);
        if to.query(sql).optional().await?.is_some() {
            return Err(CopyError::NotEmpty(table.name.clone()));
        }
    }
    let mut copied = Vec::with_capacity(tables.len());
    for table in &tables {
        let sent = each_row(from, table, Some(to)).await?;
        let arrived = each_row(to, table, None).await?;
        if sent != arrived {
            return Err(CopyError::Different(table.name.clone()));
        }
        copied.push(CopiedTable { name: table.name.clone(), rows: sent.0, checksum: sent.1 });
    }
    Ok(copied)
}

/// Walks through a table in the order of its key, writes the rows to `to`, and gives their count and checksum.
async fn each_row(db: &Db, table: &Table, to: Option<&Db>) -> Result<(u64, u64), DbError> {
    let (mut count, mut checksum) = (0_u64, 0_u64);
    let mut after: Option<Vec<Arg>> = None;
    loop {
        let rows = page(db, table, after.as_deref()).await?;
        let Some(last) = rows.last() else { return Ok((count, checksum)) };
        after = Some(table.key.iter().map(|at| last[*at].clone()).collect());
        for row in &rows {
            count += 1;
            checksum = checksum.wrapping_add(digest(row));
        }
        if let Some(to) = to {
            write(to, table, rows).await?;
        }
    }
}

async fn page(db: &Db, table: &Table, after: Option<&[Arg]>) -> Result<Vec<Vec<Arg>>, DbError> {
    let names: Vec<&str> = table.columns.iter().map(|(name, _)| name.as_str()).collect();
    let key: Vec<&str> = table.key.iter().map(|at| names[*at]).collect();
    let key = key.join(", ");
    let size = table.key.len();
    let beyond = match after {
        Some(_) => format!("where ({key}) > ({})", placeholders(2, size)),
        None => String::new(),
    };
    let sql = format!("select {} from {} {beyond} order by {key} limit $1", names.join(", "), table.name);
    let rows = db.query(sql).bind(BATCH).bind_all(after.unwrap_or_default().iter().cloned()).all().await?;
    rows.iter().map(|row| read(row, table)).collect()
}

fn read(row: &Row, table: &Table) -> Result<Vec<Arg>, DbError> {
    let value = |(at, (_, kind)): (usize, &(String, ArgType))| {
        Ok(match kind {
            ArgType::Text => row.opt_text(at)?.into(),
            ArgType::Int => row.opt_int(at)?.into(),
            ArgType::Bool => row.opt_bool(at)?.into(),
            ArgType::Float => row.opt_float(at)?.into(),
            ArgType::Bytes => row.opt_bytes(at)?.into(),
        })
    };
    table.columns.iter().enumerate().map(value).collect()
}

async fn write(to: &Db, table: &Table, rows: Vec<Vec<Arg>>) -> Result<(), DbError> {
    let names: Vec<&str> = table.columns.iter().map(|(name, _)| name.as_str()).collect();
    let sql = format!(
        "insert into {} ({}) values ({})",
        table.name,
        names.join(", "),
        placeholders(1, table.columns.len())
    );
    let mut tx = to.begin().await?;
    for row in rows {
        tx.query(sql.clone()).bind_all(row).execute().await?;
    }
    tx.commit().await
}

fn digest(row: &[Arg]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for (at, value) in row.iter().enumerate() {
        at.hash(&mut hasher);
        match value {
            Arg::Null(_) => 0_u8.hash(&mut hasher),
            Arg::Text(text) => text.hash(&mut hasher),
            Arg::Int(number) => number.hash(&mut hasher),
            Arg::Bool(yes) => yes.hash(&mut hasher),
            Arg::Float(number) => number.to_bits().hash(&mut hasher),
            Arg::Bytes(bytes) => bytes.hash(&mut hasher),
            Arg::List(_, values) => digest(values).hash(&mut hasher),
        }
    }
    hasher.finish()
}

/// Every table with its columns in order and its key. Names that begin with `_` belong to the migration runner.
async fn tables_of(db: &Db) -> Result<Vec<Table>, DbError> {
    let sql = match db.dialect() {
        Dialect::Sqlite => {
            "select t.name as tab, c.name as col, lower(c.type) as kind, c.pk as place \
             from sqlite_master t join pragma_table_info(t.name) c where t.type = 'table' \
             and t.name not like '\\_%' escape '\\' and t.name not like 'sqlite\\_%' escape '\\' order by t.name, c.cid"
        }
        Dialect::Postgres => {
            "select c.table_name::text as tab, c.column_name::text as col, c.data_type::text as kind, \
             coalesce((select k.ordinal_position from information_schema.table_constraints t \
               join information_schema.key_column_usage k on k.constraint_name = t.constraint_name \
                and k.table_schema = t.table_schema and k.table_name = t.table_name \
               where t.constraint_type = 'PRIMARY KEY' and t.table_schema = c.table_schema \
                and t.table_name = c.table_name and k.column_name = c.column_name), 0)::bigint as place \
             from information_schema.columns c where c.table_schema = current_schema() \
             and c.table_name not like '\\_%' order by c.table_name, c.ordinal_position"
        }
    };
    let mut tables: BTreeMap<String, (Table, BTreeMap<i64, usize>)> = BTreeMap::new();
    for row in db.query(sql).all().await? {
        let name = row.text("tab")?;
        let fresh = || (Table { name: name.clone(), columns: Vec::new(), key: Vec::new() }, BTreeMap::new());
        let (table, key) = tables.entry(name.clone()).or_insert_with(fresh);
        if row.int("place")? > 0 {
            key.insert(row.int("place")?, table.columns.len());
        }
        table.columns.push((row.text("col")?, kind_of(&row.text("kind")?)));
    }
    Ok(tables.into_values().map(|(table, key)| Table { key: key.into_values().collect(), ..table }).collect())
}

/// The sort of value in a column of a declared type; the migrations use no others.
fn kind_of(declared: &str) -> ArgType {
    match declared {
        "boolean" | "bool" => ArgType::Bool,
        "blob" | "bytea" => ArgType::Bytes,
        "real" | "double precision" | "double" => ArgType::Float,
        kind if kind.contains("int") => ArgType::Int,
        _ => ArgType::Text,
    }
}
