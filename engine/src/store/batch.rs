//! What becomes of the turns of several callers in one transaction: all at once if nothing is refused, one after the
//! other if something is, and each caller alone if something fails. Must not know statements.

use super::changes::Log;
use super::commit::{Ready, write_at_once, write_family};
use super::one_trip::{self, Trip};
use super::writer::Job;
use super::{Change, Commit};
use sluice_db::{Db, DbError, Tx};

/// Why a transaction failed.
struct Failure {
    error: DbError,
    /// The database cannot be used, whoever asks.
    is_everybodys: bool,
}

impl From<DbError> for Failure {
    /// Of a statement: what it says may be at fault.
    fn from(error: DbError) -> Self {
        let is_everybodys = error.is_everybodys();
        Self { error, is_everybodys }
    }
}

/// Of the begin or the end of a transaction: nobody's turns are at fault.
fn everybodys(error: DbError) -> Failure {
    Failure { error, is_everybodys: true }
}

/// Writes the turns of all and answers everyone.
pub(super) async fn write(db: &Db, log: &Log, jobs: Vec<Job>) {
    match together(db, log, &jobs).await {
        Ok(answers) => jobs.into_iter().zip(answers).for_each(|(job, answer)| job.answer(Ok(answer))),
        Err(failure) if failure.is_everybodys || jobs.len() == 1 => refuse(jobs, &failure.error),
        // Somebody's turns cannot be written, and the others must not suffer for it.
        Err(_) => each_alone(db, log, jobs).await,
    }
}

async fn each_alone(db: &Db, log: &Log, jobs: Vec<Job>) {
    let mut jobs = jobs.into_iter();
    while let Some(job) = jobs.next() {
        match together(db, log, std::slice::from_ref(&job)).await {
            Ok(mut answers) => job.answer(Ok(answers.pop().unwrap_or_default())),
            Err(failure) => {
                job.answer(Err(failure.error.clone()));
                if failure.is_everybodys {
                    refuse(jobs.collect(), &failure.error);
                    return;
                }
            }
        }
    }
}

fn refuse(jobs: Vec<Job>, error: &DbError) {
    jobs.into_iter().for_each(|job| job.answer(Err(error.clone())));
}

/// Writes everything in one transaction and gives the answers of every caller.
async fn together(db: &Db, log: &Log, jobs: &[Job]) -> Result<Vec<Vec<Commit>>, Failure> {
    let all = jobs.iter().flat_map(|job| &job.turns);
    let done = || jobs.iter().map(|job| vec![Commit::Done; job.turns.len()]).collect::<Vec<_>>();
    match one_trip::write(db, all.clone()).await.map_err(everybodys)? {
        Trip::Done => return Ok(done()),
        Trip::Refused => {}
        Trip::NotTried => {
            let mut tx = db.begin().await.map_err(everybodys)?;
            match write_at_once(&mut tx, all).await {
                Ok(true) => {
                    let answers = done();
                    log.write(&mut tx, changes(jobs, &answers)).await?;
                    tx.commit().await.map_err(everybodys)?;
                    return Ok(answers);
                }
                Ok(false) => {}
                // Of a run that is refused the events meet those that are there.
                Err(error) if error.is_unique() => {}
                Err(error) => return Err(error.into()),
            }
            tx.rollback().await.map_err(everybodys)?;
        }
    }
    let mut tx = db.begin().await.map_err(everybodys)?;
    let mut answers = Vec::with_capacity(jobs.len());
    for job in jobs {
        answers.push(one_by_one(&mut tx, &job.turns).await?);
    }
    log.write(&mut tx, changes(jobs, &answers)).await?;
    tx.commit().await.map_err(everybodys)?;
    Ok(answers)
}

/// What people and programs did by the turns that were not refused.
fn changes(jobs: &[Job], answers: &[Vec<Commit>]) -> Vec<Change> {
    let turns = jobs.iter().zip(answers).flat_map(|(job, answers)| job.turns.iter().zip(answers));
    let done = turns.filter(|(_, answer)| **answer == Commit::Done);
    done.filter_map(|(ready, _)| ready.turn.change.as_deref().cloned()).collect()
}

async fn one_by_one(tx: &mut Tx, turns: &[Ready]) -> Result<Vec<Commit>, DbError> {
    let mut answers = Vec::with_capacity(turns.len());
    for turn in turns {
        answers.push(write_family(tx, turn).await?);
    }
    Ok(answers)
}
