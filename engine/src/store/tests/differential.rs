//! Random sequences of commits leave behind on both databases exactly what the model says, and so the same.

use super::model::{Begin, Model, ModelRun, Op, Step};
use super::*;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::test_runner::{TestCaseError, TestRunner};
use sluice_db::Db;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::runtime::Handle;

sluice_db::contract_tests! { random_commits_do_what_the_model_does }

const RUNS: u8 = 6;

fn step(children: impl Strategy<Value = Vec<Begin>>) -> impl Strategy<Value = Step> {
    let kind = prop_oneof![Just(WaitKind::Time), Just(WaitKind::Reply), Just(WaitKind::Approval)];
    let waits = option::of(vec((0..3_u8, kind, option::of(0..3_u8)), 0..3));
    (0..6_usize, 0..4_u8, option::of(0..5_i64), waits, children).prop_map(
        |(status, events, wake_at, waits, children)| Step {
            status: columns::STATUSES[status],
            events,
            wake_at,
            waits,
            children,
        },
    )
}

fn begin(step: impl Strategy<Value = Step>) -> impl Strategy<Value = Begin> {
    (0..RUNS, option::of(0..3_u8), option::of(0..2_u8), 0..4_i64, step)
        .prop_map(|(run, dedupe, lane, created_at, step)| Begin { run, dedupe, lane, created_at, step })
}

fn family() -> impl Strategy<Value = Step> {
    let grandchildren = || prop_oneof![4 => Just(Vec::new()), 1 => vec(begin(step(Just(Vec::new()))), 1..3)];
    step(prop_oneof![3 => Just(Vec::new()), 1 => vec(begin(step(grandchildren())), 1..3)])
}

fn op() -> impl Strategy<Value = Op> {
    let off = prop_oneof![4 => Just(0_i64), 1 => Just(-1), 1 => Just(1)];
    prop_oneof![
        begin(family()).prop_map(Op::Begin),
        (0..RUNS, off, family()).prop_map(|(run, off, step)| Op::GoOn { run, off, step }),
    ]
}

async fn random_commits_do_what_the_model_does(db: Db) {
    let store = Store::new(db);
    let config = ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() };
    let rng = proptest::test_runner::TestRng::deterministic_rng(config.rng_algorithm);
    let case = AtomicU32::new(0);
    // Commits of up to four turns each.
    let outcome = TestRunner::new_with_rng(config, rng).run(&vec(vec(op(), 1..5), 1..10), |commits| {
        // A workspace per case, so that one database serves all.
        let workspace = format!("ws_{}", case.fetch_add(1, Ordering::Relaxed));
        let run = check(&store, &workspace, &commits);
        tokio::task::block_in_place(|| Handle::current().block_on(run))
    });
    outcome.unwrap();
}

async fn check(store: &Store, workspace: &str, commits: &[Vec<Op>]) -> Result<(), TestCaseError> {
    let mut model = Model::new(workspace);
    for ops in commits {
        let (turns, expected): (Vec<_>, Vec<_>) = ops.iter().map(|op| model.apply(op)).unzip();
        prop_assert_eq!(store.commit(turns).await.unwrap(), expected);
        prop_assert_eq!(observed(store, workspace).await, predicted(&model));
    }
    Ok(())
}

/// Everything that can be seen of a workspace, as lines.
async fn observed(store: &Store, workspace: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for run in 0..RUNS {
        let key = RunKey { workspace_id: workspace.into(), run_id: format!("run_{run}").into() };
        if let Some(stored) = store.load(&key).await.unwrap() {
            let events = store.events_since(&key, 2).await.unwrap();
            lines.push(format!("{stored:?} {events:?}"));
            let together = store.load_many(std::slice::from_ref(&key)).await.unwrap();
            assert_eq!(format!("{stored:?}"), format!("{:?}", together[&key]));
        }
    }
    // Runs of one moment come in no certain order.
    let mut due = store.due_wakes(i64::MIN, 3, u32::MAX).await.unwrap();
    due.retain(|(key, _)| &*key.workspace_id == workspace);
    due.sort_unstable();
    lines.extend(due.iter().map(|(run, _)| format!("due {}", run.run_id)));
    for signal in ["s0", "s1", "s2"] {
        for found in store.waiting_for(workspace, signal).await.unwrap() {
            lines.push(format!("{signal} {} {} {:?}", found.key.run_id, found.node, found.wait));
        }
    }
    for found in store.approvals(workspace, None, 200).await.unwrap().items {
        lines.push(format!("approval {} {} {:?}", found.key.run_id, found.node, found.wait));
    }
    for lane in ["l0", "l1"] {
        let busy = store.lane_has_active(workspace, lane, "run_0").await.unwrap();
        lines.push(format!("{lane} {busy}"));
    }
    lines.extend(observed_lists(store, workspace).await);
    lines
}

async fn observed_lists(store: &Store, workspace: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for workflow_id in [None, Some("wf_1".to_owned())] {
        let mut filter = RunFilter { workflow_id, limit: 2, ..RunFilter::default() };
        loop {
            let page = store.list_runs(workspace, &filter).await.unwrap();
            lines.extend(page.items.iter().map(|run| format!("listed {} {:?}", run.id, run.status)));
            filter.cursor = page.next;
            if filter.cursor.is_none() {
                break;
            }
        }
    }
    for count in store.count_by_status(workspace).await.unwrap() {
        lines.push(format!("{:?} {}", count.status, count.runs));
    }
    lines
}

/// The same lines, from the model.
fn predicted(model: &Model) -> Vec<String> {
    let runs: Vec<(&String, &ModelRun)> = model.runs.iter().collect();
    let sorted = |mut rows: Vec<(i64, &str)>| {
        rows.sort_unstable();
        rows.into_iter().map(|(_, id)| id.to_owned()).collect::<Vec<_>>()
    };
    let mut lines = Vec::new();
    for (_, run) in &runs {
        let events: Vec<_> = (0_i64..).zip(run.stored.events.iter().cloned()).skip(2).collect();
        lines.push(format!("{:?} {events:?}", run.stored));
    }
    let due = runs.iter().filter_map(|(id, run)| run.wake_at.filter(|at| *at <= 3).map(|_| (0, id.as_str())));
    lines.extend(sorted(due.collect()).iter().map(|id| format!("due {id}")));
    let active = |run: &ModelRun| matches!(run.stored.status, RunStatus::Queued | RunStatus::Running);
    let mut waits: Vec<_> =
        runs.iter().flat_map(|(id, run)| run.waits.iter().map(move |row| (row.since, *id, row))).collect();
    waits.sort_by_key(|(since, id, row)| (*since, (*id).clone(), row.node.clone()));
    for signal in ["s0", "s1", "s2"] {
        let found = waits.iter().filter(|(_, _, row)| row.wait.signal.as_deref() == Some(signal));
        lines.extend(found.map(|(_, id, row)| format!("{signal} {id} {} {:?}", row.node, row.wait)));
    }
    let approvals = waits.iter().filter(|(_, _, row)| row.wait.kind == WaitKind::Approval);
    lines.extend(approvals.map(|(_, id, row)| format!("approval {id} {} {:?}", row.node, row.wait)));
    for lane in ["l0", "l1"] {
        let mut ours = runs.iter().filter(|(_, run)| run.stored.run.lane.as_deref() == Some(lane));
        let busy = ours.any(|(id, run)| active(run) && *id != "run_0");
        lines.push(format!("{lane} {busy}"));
    }
    lines.extend(predicted_lists(&runs));
    lines
}

fn predicted_lists(runs: &[(&String, &ModelRun)]) -> Vec<String> {
    let mut newest: Vec<_> = runs.to_vec();
    newest.sort_by_key(|(id, run)| std::cmp::Reverse((run.stored.run.created_at, (*id).clone())));
    let line = |(id, run): &(&String, &ModelRun)| format!("listed {id} {:?}", run.stored.status);
    let mut lines: Vec<_> = newest.iter().map(line).collect();
    lines.extend(newest.iter().filter(|(_, run)| run.stored.run.workflow_id == "wf_1").map(line));
    for status in columns::STATUSES {
        let count = runs.iter().filter(|(_, run)| run.stored.status == status).count();
        if count > 0 {
            lines.push(format!("{status:?} {count}"));
        }
    }
    lines
}
