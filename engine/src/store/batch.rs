//! What becomes of the turns of several callers in one transaction: all at once if nothing is refused, one after the
//! other if something is, and each caller alone if something fails. Must not know statements.

use super::at_once;
use super::changes::Log;
use super::commit::{Ready, write_family};
use super::writer::Job;
use super::{Change, Commit};
use sluice_db::{Db, DbError, Held, Tx};

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

/// Where turns are written.
pub(super) struct Desk<'a> {
    pub(super) db: &'a Db,
    pub(super) log: &'a Log,
    /// The connection that the writer keeps from one group to the next.
    pub(super) line: Option<Held>,
}

impl Desk<'_> {
    /// Writes the turns of all and answers everyone.
    pub(super) async fn write(&mut self, jobs: Vec<Job>) {
        match self.together(&jobs).await {
            Ok(answers) => jobs.into_iter().zip(answers).for_each(|(job, answer)| job.answer(Ok(answer))),
            Err(failure) if failure.is_everybodys || jobs.len() == 1 => refuse(jobs, &failure.error),
            // Somebody's turns cannot be written, and the others must not suffer for it.
            Err(_) => self.each_alone(jobs).await,
        }
    }

    async fn each_alone(&mut self, jobs: Vec<Job>) {
        let mut jobs = jobs.into_iter();
        while let Some(job) = jobs.next() {
            match self.together(std::slice::from_ref(&job)).await {
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

    /// Writes everything in one transaction and gives the answers of every caller.
    async fn together(&mut self, jobs: &[Job]) -> Result<Vec<Vec<Commit>>, Failure> {
        let all = jobs.iter().flat_map(|job| &job.turns);
        if at_once::write(self.db, &mut self.line, all).await.map_err(everybodys)? {
            return Ok(jobs.iter().map(|job| vec![Commit::Done; job.turns.len()]).collect());
        }
        // On SQLite there is no other.
        self.line = None;
        let mut tx = self.db.begin().await.map_err(everybodys)?;
        let mut answers = Vec::with_capacity(jobs.len());
        for job in jobs {
            answers.push(one_by_one(&mut tx, &job.turns).await?);
        }
        self.log.write(&mut tx, changes(jobs, &answers)).await?;
        tx.commit().await.map_err(everybodys)?;
        Ok(answers)
    }
}

fn refuse(jobs: Vec<Job>, error: &DbError) {
    jobs.into_iter().for_each(|job| job.answer(Err(error.clone())));
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
