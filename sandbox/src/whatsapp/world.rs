//! Everything the stand-in remembers apart from messages: files, templates, profiles, subscriptions, open windows.
//!
//! It must not know HTTP.

use super::media::Media;
use super::people::{People, Person};
use super::template_store::TemplateStore;
use crate::config::{Number, SandboxConfig};
use crate::faults::RateLimits;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};

/// A customer service window lasts 24 hours (Meta's send-messages page).
pub(crate) const WINDOW_MS: i64 = 24 * 60 * 60 * 1000;
/// A free entry point lasts 72 hours (Meta's pricing page).
const ENTRY_POINT_MS: i64 = 72 * 60 * 60 * 1000;

/// Subscription of the app to one WhatsApp Business Account.
#[derive(Debug, Clone, Default)]
pub(crate) struct Subscription {
    pub(crate) active: bool,
    pub(crate) override_url: Option<String>,
}

/// The state that `POST /_sandbox/reset` throws away.
pub(crate) struct World {
    pub(crate) app_callback: Option<String>,
    pub(crate) subscriptions: HashMap<String, Subscription>,
    pub(crate) number_callbacks: HashMap<String, String>,
    pub(crate) people: People,
    pub(crate) media: HashMap<String, Media>,
    pub(crate) templates: TemplateStore,
    pub(crate) profiles: HashMap<String, Map<String, Value>>,
    /// Blocked users per number: name as given, and the person.
    pub(crate) blocked: HashMap<String, BTreeMap<String, Person>>,
    pub(crate) limits: RateLimits,
    windows: HashMap<(String, String), i64>,
    entry_points: HashMap<(String, String), i64>,
}

impl World {
    pub(crate) fn new(config: &SandboxConfig) -> Self {
        let subscribed = Subscription { active: true, override_url: None };
        Self {
            app_callback: config.webhook_url.clone(),
            subscriptions: config.numbers.iter().map(|n| (n.waba_id.clone(), subscribed.clone())).collect(),
            number_callbacks: HashMap::new(),
            people: People::default(),
            media: HashMap::new(),
            templates: TemplateStore::seeded(config),
            profiles: HashMap::new(),
            blocked: HashMap::new(),
            limits: RateLimits::real(),
            windows: HashMap::new(),
            entry_points: HashMap::new(),
        }
    }

    /// Where webhooks of this number go: the number's callback, else the account's, else the app's. `None` when the app is not
    /// subscribed or nothing is connected.
    pub(crate) fn callback(&self, number: &Number) -> Option<String> {
        let subscription = self.subscriptions.get(&number.waba_id).filter(|s| s.active)?;
        let own = self.number_callbacks.get(&number.phone_number_id);
        own.or(subscription.override_url.as_ref()).or(self.app_callback.as_ref()).cloned()
    }

    /// The user wrote: a window opens, and a free entry point if an advertisement led here.
    pub(crate) fn user_wrote(&mut self, number: &Number, person: &Person, at_ms: i64, from_ad: bool) {
        let key = (number.phone_number_id.clone(), person.user_id.clone());
        if from_ad {
            self.entry_points.insert(key.clone(), at_ms + ENTRY_POINT_MS);
        }
        let until = self.windows.entry(key).or_insert(at_ms + WINDOW_MS);
        *until = (*until).max(at_ms + WINDOW_MS);
    }

    pub(crate) fn window_is_open(&self, number: &Number, person: &Person, now_ms: i64) -> bool {
        open(&self.windows, number, person, now_ms)
    }

    pub(crate) fn entry_point_is_open(&self, number: &Number, person: &Person, now_ms: i64) -> bool {
        open(&self.entry_points, number, person, now_ms)
    }
}

fn open(until: &HashMap<(String, String), i64>, number: &Number, person: &Person, now_ms: i64) -> bool {
    let key = (number.phone_number_id.clone(), person.user_id.clone());
    until.get(&key).is_some_and(|until| now_ms < *until)
}
