//! Noting what became of bodies, as many in one transaction as came to their end while the one before was written. Must
//! not know how they were handled.

use crate::state::ApiState;
use sluice_records::{HandledInbound, RecordError};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// Bodies noted in one transaction.
const MOST: usize = 64;

/// Bodies to be noted.
#[derive(Default)]
pub(super) struct Finishing(Mutex<Queue>);

#[derive(Default)]
struct Queue {
    waiting: Vec<Waiting>,
    is_writing: bool,
}

struct Waiting {
    body: HandledInbound,
    done: oneshot::Sender<Result<(), RecordError>>,
}

impl Finishing {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self) -> Vec<Waiting> {
        let mut queue = self.queue();
        let count = queue.waiting.len().min(MOST);
        queue.is_writing = count > 0;
        queue.waiting.drain(..count).collect()
    }
}

/// Notes what became of a body; comes back when that is durable.
///
/// # Errors
/// When the database fails; another's failure is not this one's.
pub(super) async fn finish(state: &ApiState, body: HandledInbound) -> Result<(), RecordError> {
    let (done, told) = oneshot::channel();
    {
        let mut queue = state.inbox.0.finishing.queue();
        queue.waiting.push(Waiting { body: body.clone(), done });
        if !queue.is_writing {
            queue.is_writing = true;
            tokio::spawn(write_all(state.clone()));
        }
    }
    match told.await {
        Ok(done) => done,
        // The writer came to grief.
        Err(_) => one(state, &body).await,
    }
}

async fn write_all(state: ApiState) {
    loop {
        let batch = state.inbox.0.finishing.next();
        if batch.is_empty() {
            return;
        }
        let (bodies, told): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|waiting| (waiting.body, waiting.done)).unzip();
        let together = state.records.finish_all_inbound(&bodies).await;
        for (body, done) in bodies.iter().zip(told) {
            let result = match &together {
                Ok(_) => Ok(()),
                Err(_) => one(&state, body).await,
            };
            // Whoever no longer waits is stopping.
            let _ = done.send(result);
        }
    }
}

async fn one(state: &ApiState, body: &HandledInbound) -> Result<(), RecordError> {
    state.records.finish_all_inbound(std::slice::from_ref(body)).await.map(drop)
}
