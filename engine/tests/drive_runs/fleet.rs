//! Several engines over one database: who takes in work, who does it, and what happens when one dies, stands still,
//! or is brought down by what it drives. Each test runs on both databases.

use crate::home::{WS, doc, engine_with, given, key, node, one, request, with};
use crate::world::{Act, World};
use serde_json::{Value, json};
use sluice_db::{Db, Dialect};
use sluice_engine::core::RunStatus;
use sluice_engine::document::Document;
use sluice_engine::drive::{
    Engine, EngineConfig, EngineError, FaultPlan, OutsideEvent, StartRequest, WaitFor,
};
use sluice_engine::store::{Attention, RunFilter, RunKey};
use sluice_node_sdk::error::ErrorKind;
use sluice_node_sdk::testkit::{SimClock, TEST_NOW_MS};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval};

sluice_db::contract_tests! {
    one_takes_in_what_another_does,
    pure_work_is_done_where_it_comes_in,
    a_lane_keeps_its_order_over_all,
    a_pause_keeps_its_lane_when_its_process_dies,
    a_pause_ends_also_when_the_clock_was_set_back,
    the_dead_are_replaced,
    a_caller_hears_of_a_child_whose_process_died_before_it_could_tell,
    who_was_given_up_changes_nothing_more,
    who_is_not_sure_of_itself_asks_nobody_outside,
    a_message_finds_whoever_drives_the_run,
    a_reply_that_nobody_takes_in_time_is_given_to_nobody_else,
    timers_are_fired_once,
    what_brings_its_process_down_is_given_up,
    an_orderly_end_leaves_the_rest_to_others,
    a_lost_answer_of_the_store_loses_no_run,
    a_trace_is_followed_from_elsewhere,
}

const PATIENCE: Duration = Duration::from_secs(60);

struct Fleet {
    db: Db,
    clock: Arc<SimClock>,
    world: Arc<World>,
}

impl Fleet {
    fn new(db: Db) -> Self {
        Self { db, clock: Arc::new(SimClock::at(TEST_NOW_MS)), world: Arc::new(World::default()) }
    }

    fn config(&self, drives: bool) -> EngineConfig {
        EngineConfig {
            is_alone: false,
            drives,
            lease: Duration::from_secs(2),
            poll: Duration::from_millis(5),
            ..EngineConfig::default()
        }
    }

    fn idle(&self, drives: bool, faults: FaultPlan) -> Engine {
        let config = EngineConfig { faults, ..self.config(drives) };
        engine_with(&self.db, &self.clock, &self.world, config, "")
    }

    async fn engine(&self, drives: bool, faults: FaultPlan) -> Engine {
        let engine = self.idle(drives, faults);
        if drives {
            engine.recover().await.unwrap();
        }
        engine.spawn_loops();
        engine
    }

    async fn runner(&self) -> Engine {
        self.engine(true, FaultPlan::default()).await
    }
}

async fn publish(engine: &Engine, document: Document) -> String {
    let row = engine.create_workflow(WS, document).await.unwrap();
    engine.publish(WS, &row.id, None).await.unwrap();
    row.id
}

/// Looks again and again until something holds.
async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let end = Instant::now() + PATIENCE;
    let mut pace = interval(Duration::from_millis(5));
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !holds().await {
        assert!(Instant::now() < end, "it did not come true in time: {what}");
        pace.tick().await;
    }
}

async fn until_status(engine: &Engine, run: &RunKey, status: RunStatus) {
    until(&format!("{} is {status:?}", run.run_id), async || {
        engine.run_view(run).await.unwrap().is_some_and(|view| view.status == status)
    })
    .await;
}

async fn one_takes_in_what_another_does(db: Db) {
    let fleet = Fleet::new(db);
    let door = fleet.engine(false, FaultPlan::default()).await;
    let workflow = publish(&door, one("idem", json!({}))).await;
    let asked = StartRequest { watch: Some(WaitFor::Over), ..request(&workflow, json!({ "n": 1 })) };
    let started = door.start(asked).await.unwrap();
    assert!(started.outcome.is_none());
    until_status(&door, &started.key, RunStatus::Queued).await;
    assert!(fleet.world.calls().is_empty());
    let _runner = fleet.runner().await;
    let outcome = tokio::time::timeout(PATIENCE, started.later.unwrap()).await.unwrap().unwrap();
    assert_eq!(
        (outcome.status, given(&outcome)),
        (RunStatus::Succeeded, vec![json!({ "n": 1, "done": true })])
    );
    assert_eq!(fleet.world.calls().len(), 1);
}

async fn pure_work_is_done_where_it_comes_in(db: Db) {
    let fleet = Fleet::new(db);
    let door = fleet.engine(false, FaultPlan::default()).await;
    let workflow = publish(&door, one("set", json!({}))).await;
    let asked = StartRequest { watch: Some(WaitFor::Over), ..request(&workflow, json!({})) };
    let outcome = door.start(asked).await.unwrap().outcome.unwrap();
    assert_eq!(outcome.status, RunStatus::Succeeded);
}

async fn a_lane_keeps_its_order_over_all(db: Db) {
    let fleet = Fleet::new(db);
    let doors =
        [fleet.engine(false, FaultPlan::default()).await, fleet.engine(false, FaultPlan::default()).await];
    let nodes = json!([
        { "id": "start", "type": "start" },
        { "id": "first", "type": "idem" },
        { "id": "second", "type": "idem" },
    ]);
    let settings = json!({ "lane": "{{ json.who }}" });
    let document = with("Laned", nodes, &["start > first", "first > second"], settings);
    let workflow = publish(&doors[0], document).await;
    let mut accepted: Vec<Vec<RunKey>> = vec![Vec::new(), Vec::new()];
    for n in 0..12 {
        let (door, lane) = (&doors[n % 2], n % 2);
        fleet.clock.advance(1);
        accepted[lane].push(door.start(request(&workflow, json!({ "who": lane }))).await.unwrap().key);
    }
    let runners = [fleet.runner().await, fleet.runner().await, fleet.runner().await];
    for run in accepted.iter().flatten() {
        until_status(&runners[0], run, RunStatus::Succeeded).await;
    }
    let calls = fleet.world.calls();
    for lane in accepted {
        let of = |effect: &str| effect.split('/').next().unwrap().to_owned();
        let is_ours = |effect: &str| lane.iter().any(|run| *run.run_id == *of(effect));
        let order: Vec<String> =
            calls.iter().filter(|call| is_ours(&call.effect_id)).map(|call| of(&call.effect_id)).collect();
        // Both nodes of a run before the first of the next.
        let expected: Vec<String> =
            lane.iter().flat_map(|run| [run.run_id.to_string(), run.run_id.to_string()]).collect();
        assert_eq!(order, expected);
    }
}

/// Two runs of one lane, of which the first pauses between two attempts.
struct Pausing([RunKey; 2]);

impl Pausing {
    /// Runs that `engine` drives, until the first pauses and the second is queued behind it.
    async fn begin(fleet: &Fleet, engine: &Engine) -> Self {
        let settings = json!({ "retry": { "max_attempts": 2, "initial": "30s" } });
        let nodes = json!([{ "id": "start", "type": "start" }, { "id": "act", "type": "idem", "settings": settings }]);
        let document = with("Pausing", nodes, &["start > act"], json!({ "lane": "one" }));
        let workflow = publish(engine, document).await;
        fleet.world.plan("act", [Act::Fail(ErrorKind::Unavailable)]);
        let first = engine.start(request(&workflow, json!({}))).await.unwrap().key;
        until_status(engine, &first, RunStatus::Waiting).await;
        let second = engine.start(request(&workflow, json!({}))).await.unwrap().key;
        until_status(engine, &second, RunStatus::Queued).await;
        Self([first, second])
    }

    /// Both come to their end, one after the other.
    async fn end(&self, fleet: &Fleet, engine: &Engine) {
        for run in &self.0 {
            until_status(engine, run, RunStatus::Succeeded).await;
        }
        let calls = fleet.world.calls();
        let begun: Vec<_> = calls.iter().map(|call| call.effect_id.split('/').next().unwrap()).collect();
        let [first, second] = self.0.each_ref().map(|run| &*run.run_id);
        assert_eq!(begun, [first, first, second]);
    }
}

async fn a_pause_keeps_its_lane_when_its_process_dies(db: Db) {
    let fleet = Fleet::new(db);
    let faults = FaultPlan::counting();
    let former = fleet.engine(true, faults.clone()).await;
    let pausing = Pausing::begin(&fleet, &former).await;
    let owner = former.runner_id();
    faults.kill();
    let engine = fleet.runner().await;
    until("the run is no longer the dead one's", async || {
        engine.store().load(&pausing.0[0]).await.unwrap().unwrap().owner != Some(owner)
    })
    .await;
    fleet.clock.advance(30_000);
    pausing.end(&fleet, &engine).await;
}

async fn a_pause_ends_also_when_the_clock_was_set_back(db: Db) {
    let fleet = Fleet::new(db);
    let engine = fleet.runner().await;
    let pausing = Pausing::begin(&fleet, &engine).await;
    fleet.clock.advance(-3_600_000);
    pausing.end(&fleet, &engine).await;
}

async fn the_dead_are_replaced(db: Db) {
    let fleet = Fleet::new(db);
    let faults = FaultPlan::counting();
    let first = fleet.engine(true, faults.clone()).await;
    let workflow = publish(&first, one("idem", json!({}))).await;
    fleet.world.plan("act", [Act::Stuck]);
    let run = first.start(request(&workflow, json!({}))).await.unwrap().key;
    fleet.world.begun("act", 1).await;
    faults.kill();
    let second = fleet.runner().await;
    until_status(&second, &run, RunStatus::Succeeded).await;
    let calls = fleet.world.calls();
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[0].effect_id, calls[1].effect_id);
}

async fn a_caller_hears_of_a_child_whose_process_died_before_it_could_tell(db: Db) {
    let fleet = Fleet::new(db);
    // It lives all the time, so nothing is told because somebody starts; and it has no room for the child.
    let config = EngineConfig { max_active: 0, ..fleet.config(true) };
    let second = engine_with(&fleet.db, &fleet.clock, &fleet.world, config, "");
    second.recover().await.unwrap();
    second.spawn_loops();
    let nodes = json!([{ "id": "in", "type": "called" }, { "id": "work", "type": "idem" }]);
    publish(&second, doc("Child", nodes, &["in > work"])).await;
    let nodes = json!([
        { "id": "start", "type": "start" },
        { "id": "call", "type": "call", "params": { "workflow": "Child" } },
    ]);
    let parent = publish(&second, doc("Parent", nodes, &["start > call"])).await;
    // Its third commit is the end of the child.
    let faults = FaultPlan::stop_after(3);
    let first = fleet.engine(true, faults.clone()).await;
    let run = first.start(request(&parent, json!({}))).await.unwrap().key;
    faults.dead().await;
    until_status(&second, &run, RunStatus::Succeeded).await;
    assert_eq!(fleet.world.order(), ["work"]);
}

async fn who_was_given_up_changes_nothing_more(db: Db) {
    let fleet = Fleet::new(db);
    let first = fleet.runner().await;
    let workflow = publish(&first, one("idem", json!({}))).await;
    fleet.world.plan("act", [Act::Hold, Act::Give(json!({ "by": "the second" }))]);
    let run = first.start(request(&workflow, json!({}))).await.unwrap().key;
    fleet.world.begun("act", 1).await;
    // As if the first had stood still for longer than its lease.
    let former = first.runner_id();
    first.store().leave(former).await.unwrap();
    until("the first has begun anew", async || first.runner_id() != former).await;
    fleet.world.release("act", 1);
    let second = fleet.runner().await;
    until_status(&second, &run, RunStatus::Succeeded).await;
    let view = second.run_view(&run).await.unwrap().unwrap();
    assert_eq!(node(&view, "act").output["main"][0].json["by"], "the second");
    assert_eq!(fleet.world.calls().len(), 2);
    // It goes on with new work.
    let again = first.start(request(&workflow, json!({}))).await.unwrap().key;
    until_status(&first, &again, RunStatus::Succeeded).await;
}

async fn who_is_not_sure_of_itself_asks_nobody_outside(db: Db) {
    let fleet = Fleet::new(db);
    let engine = fleet.runner().await;
    let workflow = publish(&engine, one("idem", json!({}))).await;
    until("it leads", async || engine.is_leader()).await;
    fleet.world.plan("act", [Act::HoldAndAsk]);
    let run = engine.start(request(&workflow, json!({}))).await.unwrap().key;
    fleet.world.begun("act", 1).await;
    // It cannot beat.
    let mut tx = fleet.db.begin().await.unwrap();
    tx.query("update runners set name = name").execute().await.unwrap();
    until("it is not sure", async || !engine.is_leader()).await;
    fleet.world.release("act", 1);
    until("the node goes on", async || fleet.world.asking() == 1).await;
    tokio::task::yield_now().await;
    assert_eq!(fleet.world.asked(), 0);
    tx.rollback().await.unwrap();
    until_status(&engine, &run, RunStatus::Succeeded).await;
    assert_eq!(fleet.world.asked(), 1);
}

async fn a_message_finds_whoever_drives_the_run(db: Db) {
    let fleet = Fleet::new(db);
    let (first, second) = (fleet.runner().await, fleet.runner().await);
    let door = fleet.engine(false, FaultPlan::default()).await;
    let busy = publish(&first, one("idem", json!({}))).await;
    fleet.world.plan("act", [Act::Hold]);
    let run = first.start(request(&busy, json!({}))).await.unwrap().key;
    fleet.world.begun("act", 1).await;
    second.cancel(&run).await.unwrap();
    until_status(&door, &run, RunStatus::Cancelled).await;
    assert!(matches!(door.cancel(&run).await, Err(EngineError::Refused(_))));
    assert!(matches!(door.cancel(&key("run_none")).await, Err(EngineError::NotFound { .. })));
    door.retry(&run).await.unwrap();
    until_status(&door, &run, RunStatus::Succeeded).await;

    let nodes = json!([
        { "id": "start", "type": "start" },
        { "id": "wait", "type": "wait", "params": { "signal": "paid" } },
        { "id": "act", "type": "idem" },
    ]);
    let waiting = with("Waiting", nodes, &["start > wait", "wait > act"], json!({}));
    let waiting = publish(&first, waiting).await;
    let run = first.start(request(&waiting, json!({}))).await.unwrap().key;
    until_status(&door, &run, RunStatus::Waiting).await;
    assert_eq!(door.signal(WS, "paid", json!(7)).await.unwrap(), std::slice::from_ref(&run));
    until_status(&door, &run, RunStatus::Succeeded).await;
    assert!(matches!(door.signal(WS, "paid", json!(7)).await, Err(EngineError::NotWaiting(_))));
}

/// Else the run that waits and a new one would both answer the customer.
async fn a_reply_that_nobody_takes_in_time_is_given_to_nobody_else(db: Db) {
    let fleet = Fleet::new(db);
    let runner = fleet.runner().await;
    let nodes = json!([
        { "id": "in", "type": "event", "params": { "event": "msg" } },
        { "id": "ask", "type": "wait", "params": { "signal": "conversation:1" } },
    ]);
    let workflow = publish(&runner, doc("Greet", nodes, &["in > ask"])).await;
    let message = |text: &str| OutsideEvent {
        workspace_id: WS.to_owned(),
        topic: "msg".to_owned(),
        data: json!({ "text": text }),
        lane: Some("conversation:1".to_owned()),
        reply_key: Some("conversation:1".to_owned()),
        dedupe_key: Some(format!("msg/{text}")),
        ..OutsideEvent::default()
    };
    let run = runner.dispatch(message("hi"), None).await.unwrap().started.remove(0);
    until_status(&runner, &run, RunStatus::Waiting).await;
    runner.shut_down(PATIENCE).await;

    let config = EngineConfig { patience: Duration::from_millis(20), ..fleet.config(false) };
    let door = engine_with(&fleet.db, &fleet.clock, &fleet.world, config, "");
    let unanswered = door.dispatch(message("my name is Asha"), None).await.unwrap_err();
    assert!(unanswered.is_passing(), "{unanswered}");
    let one = fleet.runner().await;
    until_status(&one, &run, RunStatus::Succeeded).await;
    let again = one.dispatch(message("my name is Asha"), None).await.unwrap();
    assert_eq!((again.woken.as_ref(), again.started.len()), (Some(&run), 0));
    let runs = RunFilter { workflow_id: Some(workflow), limit: 10, ..RunFilter::default() };
    assert_eq!(one.store().list_runs(WS, &runs).await.unwrap().items.len(), 1);
}

async fn timers_are_fired_once(db: Db) {
    let fleet = Fleet::new(db);
    let (first, second) = (fleet.runner().await, fleet.runner().await);
    let nodes = json!([
        { "id": "start", "type": "start" },
        { "id": "wait", "type": "wait", "params": { "ms": 1_000 } },
        { "id": "act", "type": "once" },
    ]);
    let document = with("Timed", nodes, &["start > wait", "wait > act"], json!({}));
    let workflow = publish(&first, document).await;
    let mut runs = Vec::new();
    for _ in 0..20 {
        runs.push(first.start(request(&workflow, json!({}))).await.unwrap().key);
    }
    for run in &runs {
        until_status(&second, run, RunStatus::Waiting).await;
    }
    fleet.clock.advance(1_000);
    for run in &runs {
        until_status(&second, run, RunStatus::Succeeded).await;
    }
    assert_eq!(fleet.world.calls().len(), 20);
}

async fn what_brings_its_process_down_is_given_up(db: Db) {
    let fleet = Fleet::new(db);
    let door = fleet.engine(false, FaultPlan::default()).await;
    let poison = publish(&door, one("idem", json!({}))).await;
    let harmless = publish(
        &door,
        with(
            "Harmless",
            json!([
                { "id": "start", "type": "start" }, { "id": "good", "type": "idem" },
            ]),
            &["start > good"],
            json!({}),
        ),
    )
    .await;
    let bad = door.start(request(&poison, json!({}))).await.unwrap().key;
    let mut good = Vec::new();
    for _ in 0..3 {
        fleet.clock.advance(1);
        good.push(door.start(request(&harmless, json!({}))).await.unwrap().key);
    }
    // Every process dies as soon as the node begins, before anything beside it comes to a commit.
    for _ in 0..10 {
        let begun = fleet.world.order().iter().filter(|node| *node == "act").count();
        fleet.world.plan("act", [Act::Stuck]);
        let faults = FaultPlan::counting();
        let runner = fleet.engine(true, faults.clone()).await;
        let view = || async { runner.run_view(&bad).await.unwrap().unwrap() };
        until("the node brings the process down, or the run is given up", async || {
            let calls = fleet.world.order().iter().filter(|node| *node == "act").count();
            calls > begun || view().await.status.is_over()
        })
        .await;
        let is_over = view().await.status.is_over();
        if is_over {
            break;
        }
        faults.kill();
    }
    let runner = fleet.runner().await;
    for run in &good {
        until_status(&runner, run, RunStatus::Succeeded).await;
    }
    let view = runner.run_view(&bad).await.unwrap().unwrap();
    assert_eq!((view.status, crate::home::code(&view)), (RunStatus::Failed, "run_poisoned"));
    let stored = runner.store().load(&bad).await.unwrap().unwrap();
    assert_eq!(stored.attention, Some(Attention::Poisoned));
}

async fn an_orderly_end_leaves_the_rest_to_others(db: Db) {
    let fleet = Fleet::new(db);
    let first = fleet.runner().await;
    let nodes = json!([
        { "id": "start", "type": "start" },
        { "id": "act", "type": "idem" },
        { "id": "then", "type": "once" },
    ]);
    let workflow = publish(&first, with("Two", nodes, &["start > act", "act > then"], json!({}))).await;
    fleet.world.plan("act", [Act::Hold]);
    let run = first.start(request(&workflow, json!({}))).await.unwrap().key;
    fleet.world.begun("act", 1).await;
    let stopping = first.clone();
    let stopped = tokio::spawn(async move { stopping.shut_down(PATIENCE).await });
    until("it takes no more work", async || {
        matches!(first.start(request("wf_none", Value::Null)).await, Err(EngineError::ShuttingDown))
    })
    .await;
    // Its work takes longer than the lease, and nobody takes it away meanwhile.
    let second = fleet.runner().await;
    let began = Instant::now();
    until("more than a lease has passed", async || began.elapsed() > Duration::from_secs(3)).await;
    fleet.world.release("act", 1);
    stopped.await.unwrap();
    assert_eq!(fleet.world.order()[0], "act");
    until_status(&second, &run, RunStatus::Succeeded).await;
    assert_eq!(fleet.world.order(), ["act", "then"]);
}

async fn a_lost_answer_of_the_store_loses_no_run(db: Db) {
    let fleet = Fleet::new(db);
    for commit in 1..=3 {
        let engine = fleet.engine(true, FaultPlan::losing_answer(commit)).await;
        let workflow = publish(&engine, {
            let mut document = one("once", json!({}));
            document.name = format!("Run {commit}");
            document
        })
        .await;
        let begun = fleet.world.calls().len();
        // Whoever starts a run whose first commit is in doubt is told that it failed; the run is there all the same.
        let started = engine.start(request(&workflow, json!({}))).await;
        assert_eq!(started.is_err(), commit == 1);
        let filter = sluice_engine::store::RunFilter {
            workflow_id: Some(workflow.clone()),
            limit: 10,
            ..Default::default()
        };
        until("the run is over, or asks", async || {
            let page = engine.store().list_runs(WS, &filter).await.unwrap();
            let run = &page.items[0];
            run.status.is_over() || run.status == RunStatus::Waiting
        })
        .await;
        // The first commit announced the node, and nobody knows that it never began: it is not done unasked.
        assert_eq!(fleet.world.calls().len() - begun, usize::from(commit != 1));
    }
}

/// What happens in one process is told to whoever follows the workspace in another.
async fn a_trace_is_followed_from_elsewhere(db: Db) {
    if db.dialect() == Dialect::Sqlite {
        // Nobody hears anything there: one process has the file.
        return;
    }
    let fleet = Fleet::new(db);
    let door = fleet.engine(false, FaultPlan::default()).await;
    let runner = fleet.runner().await;
    let _others = door.live().follow("ws_other");
    let _following = door.live().follow(WS);
    let mut heard = door.live().subscribe();
    let nodes = json!([{ "id": "start", "type": "start" }, { "id": "act", "type": "idem" }, { "id": "big", "type": "set",
        "params": { "value": { "text": "x".repeat(9_000) } } }]);
    let workflow = publish(&runner, doc("Followed", nodes, &["start > act", "act > big"])).await;
    let mut told = Vec::new();
    // What the runner is told of who listens takes a moment; what happened before it heard of it is not told.
    let end = Instant::now() + PATIENCE;
    while !told.iter().any(|name| name == "run.succeeded") {
        assert!(Instant::now() < end, "{told:?}");
        let run = door.start(request(&workflow, json!({}))).await.unwrap();
        told.clear();
        while let Ok(Ok(event)) = tokio::time::timeout(Duration::from_millis(500), heard.recv()).await {
            if *event.run_id != *run.key.run_id {
                continue;
            }
            assert_eq!((&*event.workspace_id, event.is_relayed), (WS, true));
            if event.event == "node.succeeded" && event.node.as_deref() == Some("big") {
                assert_eq!(event.data, json!({ "left_out": true }));
            }
            told.push(event.event.clone());
            if event.event == "run.succeeded" {
                break;
            }
        }
    }
    assert_eq!(told.iter().filter(|name| *name == "run.succeeded").count(), 1);
    assert!(told.iter().any(|name| name == "node.succeeded"), "{told:?}");
}
