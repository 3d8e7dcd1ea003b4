//! The live trace across processes: each says which workspaces its listeners follow, and tells the others what happens
//! in those that they follow. Words go by NOTIFY and may be lost with a connection, so a trace of another process is a
//! hint, as all words between processes are. Must not know who listens.

use super::engine::Engine;
use super::fleet::locked;
use super::live::LiveEvent;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// The channel on which processes tell each other of live events.
pub(super) const CHANNEL: &str = "sluice_live";

/// How often a process says what it follows.
const SAYING: Duration = Duration::from_secs(5);

/// How long what another said is believed; one that died falls silent.
const BELIEVED: Duration = Duration::from_secs(15);

/// For how long words are gathered.
const GATHERING: Duration = Duration::from_millis(20);

/// The longest word. PostgreSQL takes 8,000 bytes.
const LONGEST: usize = 7_900;

/// Words that may wait to be told; what comes beyond is not told elsewhere.
const MOST: usize = 10_000;

/// Workspaces named in one word, so that it is not too long.
const NAMES: usize = 128;

/// Words told in one statement.
const BATCH: usize = 256;

/// What one process tells the others.
#[derive(Serialize, Deserialize)]
enum Word {
    /// The workspaces that its listeners follow.
    Follows(Vec<String>),
    /// What happened in one that is followed elsewhere.
    Event { workspace_id: String, event: Box<LiveEvent> },
}

#[derive(Serialize, Deserialize)]
struct Letter {
    from: String,
    word: Word,
}

/// Who follows what, here and elsewhere.
#[derive(Debug)]
pub(super) struct Relay {
    /// This process in its letters, which come back to it too.
    me: String,
    /// How many listeners of this process follow a workspace.
    followed: Mutex<HashMap<String, usize>>,
    /// The workspaces that others follow, and until when that is believed.
    wanted: Mutex<HashMap<String, Instant>>,
    /// What happened in these.
    waiting: Mutex<Vec<LiveEvent>>,
    /// When it is to be said again what is followed here.
    says: Mutex<Instant>,
    called: Notify,
}

impl Default for Relay {
    fn default() -> Self {
        Self {
            me: uuid::Uuid::new_v4().to_string(),
            followed: Mutex::default(),
            wanted: Mutex::default(),
            waiting: Mutex::default(),
            says: Mutex::new(Instant::now()),
            called: Notify::new(),
        }
    }
}

/// Somebody follows a workspace until this is dropped.
#[derive(Debug)]
pub struct Following {
    relay: Arc<Relay>,
    workspace_id: String,
}

impl Drop for Following {
    fn drop(&mut self) {
        let mut followed = locked(&self.relay.followed);
        if let Some(count) = followed.get_mut(&self.workspace_id) {
            *count -= 1;
            if *count == 0 {
                followed.remove(&self.workspace_id);
            }
        }
    }
}

impl Relay {
    pub(super) fn follow(self: &Arc<Self>, workspace_id: &str) -> Following {
        let mut followed = locked(&self.followed);
        let count = followed.entry(workspace_id.to_owned()).or_default();
        *count += 1;
        if *count == 1 {
            *locked(&self.says) = Instant::now();
            self.called.notify_one();
        }
        Following { relay: self.clone(), workspace_id: workspace_id.to_owned() }
    }

    /// Whether anybody elsewhere follows anything.
    pub(super) fn is_heard(&self) -> bool {
        let mut wanted = locked(&self.wanted);
        if !wanted.is_empty() {
            let now = Instant::now();
            wanted.retain(|_, until| *until > now);
        }
        !wanted.is_empty()
    }

    /// Takes what others follow of these events.
    pub(super) fn take(&self, events: &[LiveEvent]) {
        let wanted = locked(&self.wanted);
        if wanted.is_empty() {
            return;
        }
        let theirs = events.iter().filter(|event| wanted.contains_key(&event.workspace_id));
        let mut waiting = locked(&self.waiting);
        let room = MOST.saturating_sub(waiting.len());
        let before = waiting.len();
        waiting.extend(theirs.take(room).cloned());
        if waiting.len() > before {
            self.called.notify_one();
        }
    }

    fn letter(&self, word: Word) -> String {
        // Strings, numbers and values that came from JSON go into JSON again.
        serde_json::to_string(&Letter { from: self.me.clone(), word }).unwrap_or_default()
    }

    /// One that is too long goes without its data, and says so.
    fn letter_of(&self, event: LiveEvent) -> String {
        let workspace_id = event.workspace_id.clone();
        let whole =
            self.letter(Word::Event { workspace_id: workspace_id.clone(), event: Box::new(event.clone()) });
        if whole.len() <= LONGEST {
            return whole;
        }
        let event = LiveEvent { data: json!({ "left_out": true }), ..event };
        self.letter(Word::Event { workspace_id, event: Box::new(event) })
    }

    /// What is to be told now.
    fn letters(&self) -> Vec<String> {
        let mut letters = Vec::new();
        let now = Instant::now();
        if now >= *locked(&self.says) {
            let followed: Vec<String> = locked(&self.followed).keys().cloned().collect();
            let parts = followed.chunks(NAMES).map(|part| self.letter(Word::Follows(part.to_vec())));
            letters.extend(parts);
            *locked(&self.says) = now + SAYING;
        }
        let waiting = std::mem::take(&mut *locked(&self.waiting));
        letters.extend(waiting.into_iter().map(|event| self.letter_of(event)));
        letters
    }
}

impl Engine {
    /// Tells the other processes what they follow, and what is followed here, until the engine stops.
    pub(super) async fn relay_for_ever(self) {
        let relay = self.0.live.relay();
        loop {
            tokio::select! {
                () = self.0.stopping.cancelled() => return,
                () = relay.called.notified() => tokio::time::sleep(GATHERING).await,
                () = tokio::time::sleep(SAYING) => {}
            }
            for batch in relay.letters().chunks(BATCH) {
                if let Err(error) = self.0.store.tell_everyone(CHANNEL, batch).await {
                    tracing::debug!(%error, "the other processes were not told of live events");
                }
            }
        }
    }

    /// Takes up what another process told.
    pub(super) fn hear_of_live(&self, text: &str) {
        let relay = self.0.live.relay();
        let Ok(Letter { from, word }) = serde_json::from_str(text) else {
            // A process of another version.
            tracing::debug!("a word of another process was not understood");
            return;
        };
        if from == relay.me {
            return;
        }
        match word {
            Word::Follows(workspaces) => {
                let until = Instant::now() + BELIEVED;
                locked(&relay.wanted).extend(workspaces.into_iter().map(|workspace| (workspace, until)));
            }
            Word::Event { workspace_id, event } => {
                if locked(&relay.followed).contains_key(&workspace_id) {
                    self.0.live.publish_here(vec![LiveEvent { is_relayed: true, workspace_id, ..*event }]);
                }
            }
        }
    }
}
