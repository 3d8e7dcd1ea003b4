//! The statements that meet millions of runs use the indexes that were made for them. Only SQLite is asked: on
//! a small table PostgreSQL rightly prefers to read it whole.

use super::*;
use sluice_db::{Arg, Db};

async fn plan(db: &Db, sql: String, args: Vec<Arg>) -> Vec<String> {
    let rows = db.query(format!("explain query plan {sql}")).bind_all(args).all().await.unwrap();
    rows.iter().map(|row| row.text("detail").unwrap()).collect()
}

fn on_sqlite(test: impl AsyncFnOnce(Db)) {
    sluice_db::contract::on_sqlite(async |db| test(db).await);
}

#[test]
fn every_list_reads_ranges_of_an_index() {
    on_sqlite(async |db| {
        for workflow_id in [None, Some("wf_1".to_owned())] {
            for status in [None, Some(RunStatus::Failed)] {
                let index = if workflow_id.is_some() { "runs_by_workflow" } else { "runs_by_status" };
                let filter = RunFilter { workflow_id: workflow_id.clone(), status, ..RunFilter::default() };
                let plan = plan(&db, query::list_text(&filter), Vec::new()).await;
                let searches = plan.iter().filter(|step| step.contains("SEARCH runs USING INDEX")).count();
                assert_eq!(searches, if status.is_some() { 1 } else { 6 }, "{plan:#?}");
                assert!(
                    plan.iter().filter(|step| step.contains("SEARCH runs")).all(|step| step.contains(index)),
                    "{plan:#?}"
                );
                assert!(!plan.iter().any(|step| step.contains("SCAN runs")), "{plan:#?}");
            }
        }
    });
}

#[test]
fn the_list_of_runs_that_need_a_person_reads_an_index_of_its_own() {
    on_sqlite(async |db| {
        for workflow_id in [None, Some("wf_1".to_owned())] {
            for status in [None, Some(RunStatus::Failed)] {
                let filter = RunFilter {
                    attention: true,
                    workflow_id: workflow_id.clone(),
                    status,
                    ..RunFilter::default()
                };
                let plan = plan(&db, query::list_text(&filter), Vec::new()).await;
                assert!(plan.iter().any(|step| step.contains("runs_for_attention")), "{plan:#?}");
                assert!(!plan.iter().any(|step| step.contains("SCAN runs")), "{plan:#?}");
            }
        }
    });
}

#[test]
fn what_the_driver_asks_reads_an_index() {
    on_sqlite(async |db| {
        for (sql, index) in [
            (runs::DUE_WAKES, "runs_due"),
            (runs::NEXT_WAKE, "runs_due"),
            (runs::LANE_HAS_ACTIVE, "runs_in_lane"),
            (prune::ENDED, "runs_ended"),
            (prune::RETENTIONS, "workflows_with_retention"),
            (super::super::claims::DUE_OF, "runs_due"),
            (super::super::claims::DRIVEN_BY, "runs_active"),
            (super::super::claims::COUNT_UNOWNED, "runs_unowned"),
            (super::super::claims::ALL, "runs_active"),
            (super::super::runners::NEXT, "runs_active"),
            (query::RUNS_OF_INBOUND, "runs_by_inbound"),
            (receipts::STARTED_BY, "runs_by_dedupe_key"),
            (receipts::RECEIPTS, "USING PRIMARY KEY"),
            (query::COUNT_BY_STATUS, "runs_by_status"),
            (query::COUNT_ACTIVE, "runs_active"),
            (schedules::DUE, "workflow_schedules_due"),
            (schedules::NEXT, "workflow_schedules_due"),
            (triggers::WEBHOOK, "workflow_triggers_by_key"),
            (triggers::TRIGGERS_FOR, "workflow_triggers_by_key"),
            (super::super::events::SINCE, "SEARCH run_events USING PRIMARY KEY (workspace_id=? AND run_id=?"),
            (super::super::events::SINCE, "SEARCH runs USING INDEX sqlite_autoindex_runs_1"),
            (
                super::super::erase::EVENTS_AFTER,
                "SEARCH run_events USING PRIMARY KEY (workspace_id=? AND run_id=?",
            ),
            (super::super::erase::EVENTS_AFTER, "SEARCH runs USING INDEX sqlite_autoindex_runs_1"),
            (
                super::super::erase::REFERENCES,
                "SEARCH run_events USING PRIMARY KEY (workspace_id=? AND run_id=?",
            ),
            (super::super::erase::REFERENCES, "SEARCH runs USING INDEX sqlite_autoindex_runs_1"),
            (
                prune::EVENTS_AT,
                "SEARCH run_events USING PRIMARY KEY (workspace_id=? AND run_id=? AND first_seq=?",
            ),
            (prune::EVENTS_AT, "SEARCH runs USING INDEX sqlite_autoindex_runs_1"),
        ] {
            let plan = plan(&db, sql.to_owned(), Vec::new()).await;
            assert!(plan.iter().any(|step| step.contains(index)), "{sql}: {plan:#?}");
            let whole = |step: &&String| step.contains("SCAN runs") && !step.contains("USING");
            assert!(!plan.iter().any(|step| whole(&step)), "{sql}: {plan:#?}");
        }
        for (sql, index) in [
            (super::super::claims::unowned_text(Wanted::Sound(2)), "runs_unowned"),
            (super::super::claims::due_text(), "runs_due"),
            (super::super::waits::waiting_for_text(), "run_waits_by_signal"),
            (super::super::waits::approvals_text(), "run_waits_for_approval"),
        ] {
            let plan = plan(&db, sql.clone(), Vec::new()).await;
            assert!(plan[0].contains(index), "{sql}: {plan:#?}");
        }
    });
}

#[test]
fn a_child_is_looked_up_by_its_key() {
    on_sqlite(async |db| {
        let plan = plan(&db, runs::MISSED_CHILDREN.to_owned(), Vec::new()).await;
        let by_key = "SEARCH c USING INDEX sqlite_autoindex_runs_1 (workspace_id=? AND run_id=?)";
        assert!(plan.iter().any(|step| step == by_key), "{plan:#?}");
    });
}

#[test]
fn runs_that_are_read_together_are_found_by_key() {
    on_sqlite(async |db| {
        for count in [1, 64] {
            for (sql, index) in [
                (
                    runs::many_runs_text(count),
                    "SEARCH runs USING INDEX sqlite_autoindex_runs_1 (workspace_id=? AND run_id=?)",
                ),
                (runs::many_events_text(count), "SEARCH e USING PRIMARY KEY (workspace_id=? AND run_id=?)"),
            ] {
                let plan = plan(&db, sql.clone(), Vec::new()).await;
                assert!(plan.iter().any(|step| step == index), "{sql}: {plan:#?}");
            }
        }
    });
}

#[test]
fn later_turns_find_their_runs_by_key() {
    on_sqlite(async |db| {
        for (statement, index) in [
            (
                &rows::UPDATE_RUNS,
                "SEARCH runs USING INDEX sqlite_autoindex_runs_1 (workspace_id=? AND run_id=?)",
            ),
            (&rows::DELETE_WAITS, "SEARCH run_waits USING PRIMARY KEY (workspace_id=? AND run_id=?)"),
        ] {
            for size in [0, 6] {
                let plan = plan(&db, statement.text(db.dialect(), size).to_owned(), Vec::new()).await;
                assert!(plan.iter().any(|step| step.contains(index)), "{plan:#?}");
                assert!(!plan.iter().any(|step| step.contains("SCAN run")), "{plan:#?}");
            }
        }
    });
}

#[test]
fn what_is_forgotten_is_found_by_an_index() {
    on_sqlite(async |db| {
        for (sql, inner, outer) in [
            (prune::ANSWERED, "run_messages_answered", "SEARCH run_messages USING"),
            (prune::RECEIPTS, "signal_receipts_by_time", "SEARCH signal_receipts USING"),
        ] {
            let plan = plan(&db, sql.to_owned(), Vec::new()).await;
            assert!(plan.iter().any(|step| step.contains(inner)), "{sql}: {plan:#?}");
            assert!(plan[0].contains(outer), "{sql}: {plan:#?}");
        }
    });
}
