//! `trigger.schedule`: a time plan starts the workflow. The host reads the plan and tells the time; this
//! node must not know cron.

use sluice_node_sdk::prelude::*;

/// The node.
pub struct Schedule;

/// The time plan.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduleParams {
    /// When to start: five fields `minute hour day month weekday`, six with seconds in front, or one of
    /// `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`. For example `0 9 * * mon-fri`.
    #[schemars(length(min = 1, max = 200))]
    pub cron: String,
    /// IANA time zone in which the plan is read, such as `Asia/Kolkata`; the workflow's own when missing.
    #[serde(default)]
    pub timezone: Option<String>,
    /// What to do about starts that were missed while the service was down.
    #[serde(default)]
    pub catch_up: CatchUp,
}

/// What to do about missed starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CatchUp {
    /// Forget them.
    #[default]
    Skip,
    /// Start once, for the last one missed.
    Once,
    /// Start once for each, oldest first.
    All,
}

impl Node for Schedule {
    const TYPE: &'static str = "trigger.schedule";
    type Params = ScheduleParams;

    fn spec(&self) -> NodeSpec {
        let event = json!({ "scheduled_at": "2026-01-05T09:00:00Z", "fired_at": "2026-01-05T09:00:00.012Z" });
        NodeSpec::new("Schedule", "Starts at times given by a plan (cron)")
            .docs(
                "Starts the workflow by the clock. The item is `{ scheduled_at, fired_at }`: the planned \
                 time and the time at which it really started. When clocks go forward a start inside the \
                 missing hour happens right after it; when they go back a start happens once.",
            )
            .trigger(TriggerSource::Schedule, false)
            .example(
                Example::new(
                    "Weekday mornings in India",
                    json!({ "cron": "0 9 * * mon-fri", "timezone": "Asia/Kolkata", "catch_up": "once" }),
                )
                .input(vec![event.clone()])
                .output(vec![event.clone()]),
            )
            .example(
                Example::new("Every midnight", json!({ "cron": "@daily" }))
                    .input(vec![event.clone()])
                    .output(vec![event]),
            )
            .example(
                Example::new("A plan is needed", json!({})).input(vec![json!({})]).error("invalid_params"),
            )
    }

    async fn run(&self, ctx: &Context<'_, ScheduleParams>, input: Input) -> Result<Outcome, NodeError> {
        let _plan = ctx.params(0)?; // refuses what validation did not see
        Ok(input.items().to_vec().into())
    }
}
