//! What becomes of a commit: done, refused, known before, or in doubt because its answer was lost. It must not look
//! into the store.

use crate::drive::Drive;
use crate::requests::Request;
use crate::runner::{About, Inner};
use crate::setup::Defect;
use crate::store::{Reception, RunId, RunnerId};
use crate::world::World;
use sluice_engine::core::RunStatus;
use sluice_engine::store::Commit;

impl World {
    pub(crate) fn commit_answered(&mut self, slot: usize, run: RunId, serial: u64, answer: Option<Commit>) {
        let Some(mut drive) = self.take_drive(slot, run, serial) else { return };
        let Some(under_way) = &mut drive.under_way else { return };
        let is_new = under_way.turn.new_run.is_some();
        let settles = !self.setup.has(Defect::DoubtIsLoss);
        match answer {
            Some(Commit::Done) => return self.committed(slot, drive),
            None if is_new && !settles => return self.tell_starter(&mut drive, false),
            None => {
                under_way.in_doubt = true;
                self.tell_starter(&mut drive, false);
                self.inner(slot, self.now + 200, Inner::Again { run, drive: serial });
            }
            Some(answer) if under_way.in_doubt && settles => {
                under_way.was_duplicate = answer == Commit::Duplicate;
                self.ask_as(slot, About::Settle { run, drive: serial }, Request::Settle(run));
            }
            Some(Commit::Duplicate) => return self.taken_before(slot, drive),
            Some(Commit::Stale) => {
                self.note(|_| format!("runner {slot} abandons run {run}"));
                return self.tell_starter(&mut drive, false);
            }
        }
        self.runners[slot].drives.insert(run, drive);
    }

    fn take_drive(&mut self, slot: usize, run: RunId, serial: u64) -> Option<Drive> {
        let drives = &mut self.runners[slot].drives;
        drives.get(&run).filter(|drive| drive.serial == serial)?;
        drives.remove(&run)
    }

    /// After a lost answer. A first turn is only looked for: its client was told that it failed.
    pub(crate) fn ask_again(&mut self, slot: usize, run: RunId, serial: u64) {
        let found = self.runners[slot].drives.get(&run).filter(|drive| drive.serial == serial);
        let Some(under_way) = found.and_then(|drive| drive.under_way.as_ref()) else { return };
        if under_way.turn.new_run.is_some() {
            return self.ask_as(slot, About::Settle { run, drive: serial }, Request::Settle(run));
        }
        let request = Request::Commit(Box::new(under_way.turn.clone()));
        self.ask_as(slot, About::Commit { run, drive: serial }, request);
    }

    /// What the store holds after a doubt: the turn was written when the run is ours and one version further.
    pub(crate) fn settled(
        &mut self,
        slot: usize,
        run: RunId,
        serial: u64,
        found: Option<(i64, Option<RunnerId>, RunStatus)>,
    ) {
        let Some(drive) = self.take_drive(slot, run, serial) else { return };
        let Some(under_way) = &drive.under_way else { return };
        let Some((version, owner, _)) = found else { return };
        let is_ours = owner == self.runners[slot].id;
        if is_ours && version == under_way.turn.expected + 1 {
            self.committed(slot, drive);
        } else if is_ours && version == under_way.turn.expected && under_way.was_duplicate {
            self.taken_before(slot, drive);
        }
    }

    /// The start or the signal was heard before; nothing was written. The run goes on from before the signal, with
    /// what is under way: to let go of it would make the outcome of its effects unknown.
    fn taken_before(&mut self, slot: usize, mut drive: Drive) {
        let Some(under_way) = drive.under_way.take() else { return };
        let run = drive.facts.id;
        self.tell_starter(&mut drive, true);
        self.answer_message(slot, run, under_way.message, Reception::TakenBefore);
        let is_kept = !self.setup.has(Defect::DuplicateIsLoss);
        if let Some(before) = under_way.before.filter(|_| is_kept) {
            drive.machine = *before;
            self.runners[slot].drives.insert(run, drive);
            self.advance(slot, run);
        }
    }

    fn tell_starter(&mut self, drive: &mut Drive, is_done: bool) {
        if let Some(action) = drive.starter.take() {
            self.client_is_told(action, is_done);
        }
    }

    fn committed(&mut self, slot: usize, mut drive: Drive) {
        let Some(under_way) = drive.under_way.take() else { return };
        let run = drive.facts.id;
        drive.version += 1;
        drive.claims = 0;
        self.tell_starter(&mut drive, true);
        self.answer_message(slot, run, under_way.message, Reception::Taken);
        if under_way.turn.owner.is_some() {
            self.start_effects(slot, &mut drive, under_way.effects);
            self.runners[slot].drives.insert(run, drive);
            self.advance(slot, run);
        }
    }
}
