//! Room for effects: so many may be under way in a process, so many of one workspace, and workspaces that wait are
//! served in turn, so that one with very many does not keep the others waiting. Must not know what runs.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// All room of a process. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Slots(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    free: usize,
    /// Most that one workspace may hold.
    share: usize,
    workspaces: HashMap<Arc<str>, Workspace>,
    /// Workspaces that have someone waiting and may take one more, in the order in which they are served.
    turns: VecDeque<Arc<str>>,
}

#[derive(Debug, Default)]
struct Workspace {
    held: usize,
    waiting: VecDeque<oneshot::Sender<Slot>>,
    /// Whether it stands in `turns`.
    is_queued: bool,
}

/// Room for one effect, given up when dropped.
#[derive(Debug)]
pub(super) struct Slot {
    slots: Slots,
    workspace: Arc<str>,
}

impl Slots {
    /// `count` in all, at most `share` for one workspace.
    pub(super) fn new(count: usize, share: usize) -> Self {
        let state = State {
            free: count.max(1),
            share: share.max(1),
            workspaces: HashMap::new(),
            turns: VecDeque::new(),
        };
        Self(Arc::new(Mutex::new(state)))
    }

    /// Waits for room. Whoever stops waiting gives up its place.
    pub(super) async fn take(&self, workspace: &Arc<str>) -> Slot {
        let (sender, receiver) = oneshot::channel();
        let granted = {
            let mut state = self.state();
            state.workspaces.entry(workspace.clone()).or_default().waiting.push_back(sender);
            state.queue(workspace);
            state.grant(self)
        };
        hand_over(granted);
        match receiver.await {
            Ok(slot) => slot,
            // The sender is kept until it is used, because this place is still waited for.
            Err(_) => std::future::pending().await,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Outside the lock: a slot that nobody takes any more is dropped here, and its drop takes the lock.
fn hand_over(granted: Vec<(oneshot::Sender<Slot>, Slot)>) {
    for (sender, slot) in granted {
        drop(sender.send(slot));
    }
}

impl State {
    fn queue(&mut self, workspace: &Arc<str>) {
        let share = self.share;
        let Some(entry) = self.workspaces.get_mut(workspace) else { return };
        if !entry.is_queued && !entry.waiting.is_empty() && entry.held < share {
            entry.is_queued = true;
            self.turns.push_back(workspace.clone());
        }
    }

    fn grant(&mut self, slots: &Slots) -> Vec<(oneshot::Sender<Slot>, Slot)> {
        let mut granted = Vec::new();
        while self.free > 0 {
            let Some(workspace) = self.turns.pop_front() else { break };
            let Some(entry) = self.workspaces.get_mut(&workspace) else { continue };
            entry.is_queued = false;
            if let Some(sender) = entry.waiting.pop_front() {
                entry.held += 1;
                self.free -= 1;
                granted.push((sender, Slot { slots: slots.clone(), workspace: workspace.clone() }));
            }
            self.queue(&workspace);
        }
        granted
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let granted = {
            let mut state = self.slots.state();
            state.free += 1;
            if let Some(entry) = state.workspaces.get_mut(&self.workspace) {
                entry.held -= 1;
                if entry.held == 0 && entry.waiting.is_empty() {
                    state.workspaces.remove(&self.workspace);
                }
            }
            state.queue(&self.workspace);
            state.grant(&self.slots)
        };
        hand_over(granted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    fn name(workspace: &str) -> Arc<str> {
        workspace.into()
    }

    #[tokio::test]
    async fn workspaces_are_served_in_turn() {
        let slots = Slots::new(1, 1);
        let (big, small) = (name("big"), name("small"));
        let held = slots.take(&big).await;
        let mut first = Box::pin(slots.take(&big));
        let mut second = Box::pin(slots.take(&big));
        let mut other = Box::pin(slots.take(&small));
        assert!((&mut first).now_or_never().is_none());
        assert!((&mut second).now_or_never().is_none());
        assert!((&mut other).now_or_never().is_none());
        drop(held);
        let other =
            (&mut other).now_or_never().expect("it has waited for less, but the other has had its turn");
        assert!((&mut first).now_or_never().is_none());
        drop(other);
        let first = (&mut first).now_or_never().expect("the next of the big one");
        drop((first, second));
        assert!(slots.state().workspaces.is_empty());
        assert_eq!(slots.state().free, 1);
    }

    #[tokio::test]
    async fn no_workspace_takes_more_than_its_share() {
        let slots = Slots::new(3, 2);
        let (big, small) = (name("big"), name("small"));
        let held = (slots.take(&big).await, slots.take(&big).await);
        let mut third = Box::pin(slots.take(&big));
        assert!((&mut third).now_or_never().is_none());
        let other = slots.take(&small).await;
        drop(held.0);
        assert!((&mut third).now_or_never().is_some());
        drop((held.1, other));
    }

    #[tokio::test]
    async fn a_place_given_up_is_passed_on() {
        let slots = Slots::new(1, 1);
        let one = name("one");
        let held = slots.take(&one).await;
        let mut gone = Box::pin(slots.take(&one));
        assert!((&mut gone).now_or_never().is_none());
        let mut next = Box::pin(slots.take(&one));
        assert!((&mut next).now_or_never().is_none());
        drop(gone);
        drop(held);
        assert!((&mut next).now_or_never().is_some());
    }
}
