//! Requests to the store and its replies, and how a trace tells of them.

use crate::claims::{Claim, Claimed};
use crate::runner::About;
use crate::store::{Message, MessageId, Reception, RunId, RunnerId, Turn};
use sluice_engine::core::RunStatus;
use sluice_engine::core::fold::{name, node_of};
use sluice_engine::store::Commit;

/// What is asked of the store.
#[derive(Clone, Debug)]
pub(crate) enum Request {
    Commit(Box<Turn>),
    Claim(Claim),
    GiveBack {
        run: RunId,
        version: i64,
        owner: RunnerId,
    },
    Settle(RunId),
    Register(RunnerId),
    Beat(RunnerId),
    /// Ends a runner whose beat stands still.
    Bury {
        runner: RunnerId,
        beat: u64,
    },
    Post {
        to: Option<RunId>,
        message: Message,
    },
    Answer {
        run: RunId,
        message: MessageId,
        reception: Reception,
    },
}

/// What the store says.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    Commit(Commit),
    Claimed(Box<Claimed>),
    /// Version and owner of a run, if there is one.
    Settled(Option<(i64, Option<RunnerId>, RunStatus)>),
    /// Yes or no, where that is all there is to say.
    Fact(bool),
}

/// Who asked.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Address {
    Runner {
        slot: usize,
        life: u64,
        about: About,
    },
    /// A client's action.
    Client(usize),
}

impl Address {
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Runner { slot, about, .. } => format!("runner {slot} {about:?}"),
            Self::Client(action) => format!("client {action}"),
        }
    }
}

impl Request {
    pub(crate) fn text(&self) -> String {
        let Self::Commit(turn) = self else { return format!("{self:?}") };
        let events: Vec<String> = turn
            .events
            .iter()
            .map(|event| {
                let node = node_of(&event.kind);
                let node = node.map(|node| format!(" {node}")).unwrap_or_default();
                format!("{}{node}", name(&event.kind))
            })
            .collect();
        let (run, expected, status) = (turn.run, turn.expected, turn.status);
        format!("commit run {run} at {expected}, {status:?}, owner {:?}: {}", turn.owner, events.join(", "))
    }
}

/// What happens every second and leads to nothing is left out of the trace.
pub(crate) fn is_idle(request: &Request, reply: Option<&Reply>) -> bool {
    match (request, reply) {
        (Request::Beat(_), Some(Reply::Fact(true))) => true,
        (Request::Claim(_), Some(Reply::Claimed(claimed))) => claimed.runs.is_empty(),
        _ => false,
    }
}

pub(crate) fn reply_text(reply: Option<&Reply>) -> String {
    match reply {
        None => "error".to_owned(),
        Some(Reply::Claimed(claimed)) => {
            let runs = claimed.runs.iter().map(|row| (row.facts.id, row.turns, row.status, row.claims));
            format!("{:?}, messages {:?}", runs.collect::<Vec<_>>(), claimed.messages)
        }
        Some(other) => format!("{other:?}"),
    }
}
