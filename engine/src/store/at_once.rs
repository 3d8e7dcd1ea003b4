//! A group of turns in one transaction of few trips, on the assumption that none of them is refused: on PostgreSQL one
//! statement, on SQLite a few texts of several. Each fails when somebody is refused, which undoes it all. Must not know
//! what becomes of a group that cannot be written so.

use super::bulk::Script;
use super::commit::{Ready, rounds};
use super::{one_statement, rows, usage, waits};
use sluice_db::{Db, DbError, Dialect, Held, Piece};

static RECEIPTS: Script = Script::counted(&rows::INSERT_RECEIPTS);
static FIRSTS: Script = Script::counted(&rows::INSERT_RUNS);
static SILENT_FIRSTS: Script = Script::counted(&rows::INSERT_RUNS_IN_TURN);
static LONG_FIRSTS: Script = Script::counted_then(&rows::INSERT_RUNS_IN_TURN, &rows::INSERT_EVENTS);
static LATERS: Script = Script::counted_then(&rows::UPDATE_RUNS, &rows::INSERT_EVENTS);
static SILENT_LATERS: Script = Script::counted(&rows::UPDATE_RUNS);
static NO_WAITS: Script = Script::new(&rows::DELETE_WAITS);
static WAITS: Script = Script::new(&waits::INSERT);

/// Writes turns and all their children over `line`, the connection that the writer keeps; whether it did. If not,
/// nothing is written: somebody is refused, says what cannot be stored, or writes what only others know how to write.
///
/// # Errors
/// When the database cannot be used, whoever asks.
pub(super) async fn write<'a>(
    db: &Db,
    line: &mut Option<Held>,
    turns: impl Iterator<Item = &'a Ready>,
) -> Result<bool, DbError> {
    let mut all = Vec::new();
    turns.for_each(|turn| turn.family(&mut all));
    if all.iter().any(|ready| ready.turn.change.is_some()) {
        return Ok(false);
    }
    let mut pieces = Vec::new();
    for round in rounds(all) {
        match db.dialect() {
            Dialect::Sqlite => add_scripts(&round, &mut pieces),
            Dialect::Postgres => pieces.push(one_statement::of(&round)),
        }
    }
    if line.as_ref().is_some_and(Held::is_wanted) {
        *line = None;
    }
    let held = match line {
        Some(held) => held,
        None => line.insert(db.hold().await?),
    };
    match held.write(pieces).await {
        Ok(()) => Ok(true),
        Err(error) if error.is_everybodys() || is_locked(db, &error) => {
            *line = None;
            Err(error)
        }
        Err(_) => Ok(false),
    }
}

/// Whether another process has held the lock on an SQLite file for too long: nobody's turns are at fault. On PostgreSQL
/// only those who meet are in each other's way.
fn is_locked(db: &Db, error: &DbError) -> bool {
    db.dialect() == Dialect::Sqlite && error.is_transient()
}

/// Adds what writes turns of different runs to SQLite.
fn add_scripts(turns: &[&Ready], pieces: &mut Vec<Piece>) {
    let (firsts, laters) = rows::firsts_and_laters(turns);
    let has_row = |ready: &&Ready| ready.beside().is_some();
    let (long_firsts, firsts): (Vec<&Ready>, Vec<&Ready>) = firsts.into_iter().partition(has_row);
    let (firsts, silent_firsts): (Vec<&Ready>, Vec<&Ready>) =
        firsts.into_iter().partition(|ready| ready.inside().is_some());
    let (laters, silent_laters): (Vec<&Ready>, Vec<&Ready>) = laters.into_iter().partition(has_row);
    // Every turn is in one of five, so what was used finds something to go along with.
    let used = &mut usage::RIDER.with(&usage::rows(turns), usage::values);
    RECEIPTS.add(pieces, &rows::taking(turns), &[&rows::receipt], &mut None);
    FIRSTS.add(pieces, &firsts, &[&rows::new_run], used);
    SILENT_FIRSTS.add(pieces, &silent_firsts, &[&rows::new_run], used);
    LONG_FIRSTS.add(pieces, &long_firsts, &[&rows::new_run, &rows::spoken], used);
    LATERS.add(pieces, &laters, &[&rows::moved_run, &rows::spoken], used);
    SILENT_LATERS.add(pieces, &silent_laters, &[&rows::moved_run], used);
    NO_WAITS.add(pieces, &rows::replacing(turns), &[&rows::key], &mut None);
    WAITS.add(pieces, &waits::findable(turns), &[&waits::values], &mut None);
}
