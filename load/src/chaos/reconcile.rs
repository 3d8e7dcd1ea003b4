//! The judgement over three logs: what clients were told, what the store says, what the providers were given. A pure
//! function; must not know where the logs come from.

use std::collections::{BTreeMap, BTreeSet, HashMap};

/// An input that a client was told is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Acknowledged {
    /// What the client wrote into it, unlike all others.
    pub(super) token: String,
    /// The run that the answer named.
    pub(super) run: Option<String>,
    /// SHA-256 of the delivered bytes, where these must be stored as they came.
    pub(super) digest: Option<String>,
}

/// A run, as the store shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct StoredRun {
    /// `run_…`.
    pub(super) id: String,
    /// The token of the input that started it, where it was read.
    pub(super) token: Option<String>,
    /// `succeeded`, `failed`, …
    pub(super) status: String,
    /// It is listed among those that people must look at.
    pub(super) needs_attention: bool,
    /// Its nodes with outside effects.
    pub(super) effects: Vec<StoredEffect>,
}

/// A node with an outside effect, as its run shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct StoredEffect {
    /// `run/node/iteration`.
    pub(super) id: String,
    /// `succeeded`, `failed`, …
    pub(super) status: String,
    /// Attempts that the run shows.
    pub(super) attempt: u32,
    /// Its provider recognises a repetition.
    pub(super) is_idempotent: bool,
    /// The run says of it that its outcome is, or was, unknown.
    pub(super) says_unknown: bool,
}

/// A request that a provider carried out, in the order in which it did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Delivered {
    /// `run/node/iteration`.
    pub(super) effect: String,
    /// Conversation, and the number of the message that is answered.
    pub(super) lane: Option<(String, u64)>,
}

/// What the three logs say together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Acknowledged, and the store does not know of it.
    pub(super) lost: Vec<String>,
    /// Acknowledged, and neither finished nor shown to people.
    pub(super) unfinished: Vec<String>,
    /// One input, several runs.
    pub(super) started_twice: Vec<String>,
    /// The store says done, and the provider was never asked.
    pub(super) missing: Vec<String>,
    /// The provider was given it several times, and the run does not show it.
    pub(super) doubled: Vec<String>,
    /// Given several times, and the run shows it.
    pub(super) doubled_marked: u64,
    /// Replies of one conversation that came in another order than its messages.
    pub(super) out_of_order: Vec<String>,
    /// Effects without a run in the store.
    pub(super) unknown_to_store: Vec<String>,
}

impl Verdict {
    /// The rules with what broke each.
    pub(super) fn rules(&self) -> [(&'static str, &[String]); 7] {
        [
            ("acknowledged inputs lost", &self.lost),
            ("acknowledged inputs not finished", &self.unfinished),
            ("inputs that started two runs", &self.started_twice),
            ("effects claimed and never made", &self.missing),
            ("effects doubled without being marked", &self.doubled),
            ("effects that no run shows", &self.unknown_to_store),
            ("lanes out of order", &self.out_of_order),
        ]
    }

    /// Whether every rule held.
    pub(super) fn holds(&self) -> bool {
        self.rules().iter().all(|(_, broken)| broken.is_empty())
    }
}

/// Compares the logs. `bodies` are the digests of all delivered bytes that the store still has.
pub(super) fn reconcile(
    acknowledged: &[Acknowledged],
    runs: &[StoredRun],
    bodies: &BTreeSet<String>,
    delivered: &[Delivered],
) -> Verdict {
    let mut verdict = Verdict::default();
    inputs(&mut verdict, acknowledged, runs, bodies);
    effects(&mut verdict, runs, delivered);
    lanes(&mut verdict, delivered);
    verdict
}

fn inputs(
    verdict: &mut Verdict,
    acknowledged: &[Acknowledged],
    runs: &[StoredRun],
    bodies: &BTreeSet<String>,
) {
    let by_id: HashMap<&str, &StoredRun> = runs.iter().map(|run| (&*run.id, run)).collect();
    let mut by_token: HashMap<&str, Vec<&StoredRun>> = HashMap::new();
    for run in runs {
        if let Some(token) = &run.token {
            by_token.entry(token).or_default().push(run);
        }
    }
    for (token, runs) in &by_token {
        if let [_, _, ..] = runs.as_slice() {
            let ids: Vec<&str> = runs.iter().map(|run| &*run.id).collect();
            verdict.started_twice.push(format!("{token}: {}", ids.join(", ")));
        }
    }
    verdict.started_twice.sort_unstable();
    for input in acknowledged {
        if let Some(digest) = input.digest.as_ref().filter(|digest| !bodies.contains(*digest)) {
            verdict.lost.push(format!("{}: the body {digest} is not stored", input.token));
            continue;
        }
        let named = input.run.as_deref().and_then(|id| by_id.get(id));
        let Some(run) = named.or_else(|| by_token.get(&*input.token).and_then(|runs| runs.first())) else {
            match (&input.run, &input.digest) {
                (None, Some(_)) => {
                    verdict.unfinished.push(format!("{}: stored, and no run yet", input.token))
                }
                (run, _) => {
                    let run = run.as_deref().unwrap_or("none");
                    verdict.lost.push(format!("{}: no run (the answer named {run})", input.token));
                }
            }
            continue;
        };
        let is_over = matches!(&*run.status, "succeeded" | "failed" | "cancelled");
        if !is_over && !run.needs_attention {
            verdict.unfinished.push(format!("{}: {} is {}", input.token, run.id, run.status));
        }
    }
}

fn effects(verdict: &mut Verdict, runs: &[StoredRun], delivered: &[Delivered]) {
    let mut times: BTreeMap<&str, u32> = BTreeMap::new();
    for request in delivered {
        *times.entry(&request.effect).or_default() += 1;
    }
    let stored: HashMap<&str, (&StoredRun, &StoredEffect)> = runs
        .iter()
        .flat_map(|run| run.effects.iter().map(move |effect| (&*effect.id, (run, effect))))
        .collect();
    for (id, count) in &times {
        let Some((run, effect)) = stored.get(id) else {
            verdict.unknown_to_store.push(format!("{id}: given {count} times"));
            continue;
        };
        if *count < 2 {
            continue;
        }
        let repeated = effect.is_idempotent && effect.attempt > 1;
        if repeated || effect.says_unknown || run.needs_attention {
            verdict.doubled_marked += 1;
        } else {
            let attempt = effect.attempt;
            verdict
                .doubled
                .push(format!("{id}: given {count} times, shown as {} at attempt {attempt}", effect.status));
        }
    }
    let claimed = stored.values().filter(|(_, effect)| effect.status == "succeeded");
    let missing = claimed.filter(|(_, effect)| !times.contains_key(&*effect.id));
    verdict.missing = missing.map(|(_, effect)| effect.id.clone()).collect();
    verdict.missing.sort_unstable();
}

/// A repetition does not count again: what matters is when a reply came first.
fn lanes(verdict: &mut Verdict, delivered: &[Delivered]) {
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let mut last: BTreeMap<&str, u64> = BTreeMap::new();
    for request in delivered {
        let Some((lane, number)) = &request.lane else { continue };
        if !seen.insert(&request.effect) {
            continue;
        }
        match last.get(&**lane) {
            Some(before) if before >= number => {
                verdict.out_of_order.push(format!("{lane}: {number} after {before} ({})", request.effect));
            }
            _ => {
                last.insert(lane, *number);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(token: &str) -> Acknowledged {
        Acknowledged { token: token.to_owned(), run: None, digest: None }
    }

    fn run(id: &str, token: &str, status: &str) -> StoredRun {
        let (id, token, status) = (id.to_owned(), Some(token.to_owned()), status.to_owned());
        StoredRun { id, token, status, ..StoredRun::default() }
    }

    fn effect(id: &str, status: &str, attempt: u32, is_idempotent: bool, says_unknown: bool) -> StoredEffect {
        StoredEffect { id: id.to_owned(), status: status.to_owned(), attempt, is_idempotent, says_unknown }
    }

    fn given(effect: &str) -> Delivered {
        Delivered { effect: effect.to_owned(), lane: None }
    }

    fn reply(effect: &str, lane: &str, number: u64) -> Delivered {
        Delivered { effect: effect.to_owned(), lane: Some((lane.to_owned(), number)) }
    }

    fn judge(inputs: &[Acknowledged], runs: &[StoredRun], delivered: &[Delivered]) -> Verdict {
        reconcile(inputs, runs, &BTreeSet::new(), delivered)
    }

    #[test]
    fn an_acknowledged_input_must_have_a_run_that_is_over_or_shown() {
        let shown = StoredRun { needs_attention: true, ..run("r4", "d", "waiting") };
        let runs = [run("r1", "a", "succeeded"), run("r2", "b", "failed"), run("r3", "c", "running"), shown];
        let verdict = judge(&[input("a"), input("b"), input("c"), input("d"), input("e")], &runs, &[]);
        assert_eq!(verdict.lost, ["e: no run (the answer named none)"]);
        assert_eq!(verdict.unfinished, ["c: r3 is running"]);
        assert!(!verdict.holds());
    }

    #[test]
    fn the_run_that_an_answer_named_must_be_there() {
        let named = |id: &str| Acknowledged { run: Some(id.to_owned()), ..input("s1") };
        let runs = [StoredRun { token: None, ..run("r1", "", "succeeded") }];
        assert!(judge(&[named("r1")], &runs, &[]).holds());
        assert_eq!(judge(&[named("r2")], &runs, &[]).lost.len(), 1);
    }

    #[test]
    fn a_body_must_be_stored_as_it_came() {
        let acknowledged = [Acknowledged { digest: Some("d1".to_owned()), ..input("a") }];
        let runs = [run("r1", "a", "succeeded")];
        assert_eq!(judge(&acknowledged, &runs, &[]).lost, ["a: the body d1 is not stored"]);
        let stored = BTreeSet::from(["d1".to_owned()]);
        assert!(reconcile(&acknowledged, &runs, &stored, &[]).holds());
        // It can still be handled; that it was not, in all the time it had, is another rule.
        let verdict = reconcile(&acknowledged, &[], &stored, &[]);
        assert_eq!(
            (verdict.lost.len(), verdict.unfinished),
            (0, vec!["a: stored, and no run yet".to_owned()])
        );
    }

    #[test]
    fn one_input_starts_one_run() {
        let runs = [run("r1", "a", "succeeded"), run("r2", "a", "succeeded")];
        assert_eq!(judge(&[input("a")], &runs, &[]).started_twice, ["a: r1, r2"]);
    }

    #[test]
    fn a_double_is_right_only_where_the_run_shows_it() {
        // status, attempt, idempotent, says unknown, attention: whether two requests are right.
        let cases = [
            ("succeeded", 1, false, false, false, false),
            ("succeeded", 1, true, false, false, false),
            ("succeeded", 2, false, false, false, false),
            ("succeeded", 2, true, false, false, true),
            ("failed", 1, false, true, false, true),
            ("waiting", 1, false, false, true, true),
        ];
        for (status, attempt, is_idempotent, says_unknown, needs_attention, is_right) in cases {
            let effects = vec![effect("r1/x/0", status, attempt, is_idempotent, says_unknown)];
            let runs = [StoredRun { effects, needs_attention, ..run("r1", "a", "failed") }];
            let verdict = judge(&[], &runs, &[given("r1/x/0"), given("r1/x/0")]);
            let case = format!("{status} {attempt} {is_idempotent} {says_unknown} {needs_attention}");
            assert_eq!(verdict.holds(), is_right, "{case}: {verdict:?}");
            assert_eq!(verdict.doubled_marked, u64::from(is_right), "{case}");
            assert_eq!(verdict.doubled.len(), usize::from(!is_right), "{case}");
        }
    }

    #[test]
    fn what_is_claimed_was_given_and_what_was_given_is_shown() {
        let runs = [StoredRun {
            effects: vec![effect("r1/x/0", "succeeded", 1, false, false)],
            ..run("r1", "a", "succeeded")
        }];
        assert_eq!(judge(&[], &runs, &[]).missing, ["r1/x/0"]);
        assert!(judge(&[], &runs, &[given("r1/x/0")]).holds());
        assert_eq!(judge(&[], &runs, &[given("r1/x/0"), given("r9/x/0")]).unknown_to_store.len(), 1);
    }

    #[test]
    fn replies_follow_the_order_of_their_messages_in_every_conversation() {
        let order = |delivered: &[Delivered]| {
            let mut verdict = Verdict::default();
            lanes(&mut verdict, delivered);
            verdict.out_of_order.len()
        };
        assert_eq!(order(&[reply("a1", "a", 1), reply("b1", "b", 1), reply("a2", "a", 2)]), 0);
        assert_eq!(order(&[reply("a1", "a", 1), reply("a3", "a", 3)]), 0, "a reply may be missing");
        assert_eq!(order(&[reply("a2", "a", 2), reply("a1", "a", 1), reply("a3", "a", 3)]), 1);
        assert_eq!(
            order(&[reply("a1", "a", 1), reply("a2", "a", 2), reply("a1", "a", 1)]),
            0,
            "a repetition"
        );
        assert_eq!(order(&[reply("a1", "a", 1), reply("other", "a", 1)]), 1, "two replies to one message");
    }
}
