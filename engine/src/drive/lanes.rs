//! Lanes: whoever holds a lane works alone on it; others follow in the order in which they asked. Used for
//! conversations (one message at a time, in order) and for the `lane` setting of workflows.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;

type Queues = Mutex<HashMap<String, VecDeque<oneshot::Sender<()>>>>;

/// All lanes of a process.
#[derive(Clone, Debug, Default)]
pub struct Lanes(Arc<Queues>);

/// A place in the queue of a lane.
#[derive(Debug)]
pub struct LaneTicket {
    guard: LaneGuard,
    turn: Option<oneshot::Receiver<()>>,
}

/// The right to work on a lane, given up when dropped.
#[derive(Debug)]
pub struct LaneGuard {
    lanes: Lanes,
    key: String,
    held: bool,
}

impl Lanes {
    /// Takes a place in the queue of a lane; the order of calls is the order of work.
    pub fn enter(&self, key: &str) -> LaneTicket {
        let mut queues = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = match queues.get_mut(key) {
            Some(queue) => {
                let (sender, receiver) = oneshot::channel();
                queue.push_back(sender);
                Some(receiver)
            }
            None => {
                queues.insert(key.to_owned(), VecDeque::new());
                None
            }
        };
        let guard = LaneGuard { lanes: self.clone(), key: key.to_owned(), held: turn.is_none() };
        LaneTicket { guard, turn }
    }

    fn leave(&self, key: &str) {
        let mut queues = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(queue) = queues.get_mut(key) else { return };
        while let Some(next) = queue.pop_front() {
            if next.send(()).is_ok() {
                return;
            }
        }
        queues.remove(key);
    }
}

impl LaneTicket {
    /// The lane at once, if nobody is before; else the place in its queue is kept.
    pub fn held_now(mut self) -> Result<LaneGuard, Self> {
        if self.guard.held { Ok(self.take_guard()) } else { Err(self) }
    }

    /// Waits until everyone who asked before has left.
    pub async fn wait(mut self) -> LaneGuard {
        self.ready().await;
        self.take_guard()
    }

    /// The same, and stays a ticket: [`LaneTicket::wait`] then comes back at once. May be given up and called again.
    pub async fn ready(&mut self) {
        if let Some(turn) = self.turn.as_mut().filter(|_| !self.guard.held) {
            // The sender lives in the queue until it is used, so this cannot fail while the lane exists.
            let _ = turn.await;
            self.guard.held = true;
        }
    }

    fn take_guard(&mut self) -> LaneGuard {
        let key = std::mem::take(&mut self.guard.key);
        let held = std::mem::take(&mut self.guard.held);
        LaneGuard { lanes: self.guard.lanes.clone(), key, held }
    }
}

impl Drop for LaneTicket {
    fn drop(&mut self) {
        // A turn that was handed over and never taken up is passed on. Closed first, or it could be handed
        // over between our look and our end, and the lane would be stuck for ever.
        if let Some(turn) = &mut self.turn
            && !self.guard.held
        {
            turn.close();
            self.guard.held = turn.try_recv().is_ok();
        }
    }
}

impl LaneGuard {
    /// The lane.
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// The right to work on a lane, offered together with a message: who takes the message on takes the lane along,
/// else it stays with whoever offered it.
#[derive(Clone, Debug, Default)]
pub struct LaneLoan(Arc<Mutex<Option<LaneGuard>>>);

impl LaneLoan {
    /// Offers a lane, if there is one.
    pub fn new(lane: Option<LaneGuard>) -> Self {
        Self(Arc::new(Mutex::new(lane)))
    }

    /// Takes the lane.
    pub fn take(&self) -> Option<LaneGuard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Whether this lane is offered.
    pub fn is_of(&self, key: &str) -> bool {
        let lane = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lane.as_ref().is_some_and(|lane| lane.key == key)
    }
}

impl Drop for LaneGuard {
    fn drop(&mut self) {
        if self.held {
            self.lanes.leave(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn places_are_taken_in_order_and_given_up_places_are_passed_over() {
        let lanes = Lanes::default();
        let first = lanes.enter("a").held_now().unwrap();
        let (second, third, fourth) = (lanes.enter("a"), lanes.enter("a"), lanes.enter("a"));
        let other = lanes.enter("b").wait().await;
        drop(second);
        drop(first);
        let third = third.wait().await;
        let mut fourth = fourth.held_now().unwrap_err();
        assert!(futures::poll!(Box::pin(fourth.ready())).is_pending());
        drop(third);
        fourth.ready().await;
        fourth.ready().await;
        drop(fourth.held_now().unwrap());
        drop(other);
        assert!(lanes.0.lock().unwrap().is_empty());
    }
}
