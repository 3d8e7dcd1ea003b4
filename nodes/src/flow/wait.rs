//! `flow.wait`: waits for a length of time, until a moment, or for a signal. It only says so; the host
//! keeps the wake-up, and while waiting the run holds no memory and no task.

use crate::values::field::with_field;
use crate::values::{check, moment};
use jiff::Zoned;
use jiff::civil::Time;
use sluice_node_sdk::outcome::{Cause, Output, Resumed};
use sluice_node_sdk::prelude::*;

/// The node.
pub struct Wait;

/// What to wait for: exactly one of `for`, `until` and `signal`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaitParams {
    /// How long to wait, such as `30s`, `2h` or `1d12h`.
    #[serde(default, rename = "for")]
    pub length: Option<Duration>,
    /// Until when: a time such as `2026-01-05T09:00:00+05:30`, a local date or date-time, milliseconds
    /// since the epoch, or a time of day such as `09:00`, which means the next time it is that late.
    #[serde(default)]
    pub until: Option<Value>,
    /// Key of the signal to wait for, for example `payment:{{ json.order_id }}`. It is sent with
    /// `POST /api/signals/{key}`.
    #[serde(default)]
    #[schemars(length(min = 1, max = 200))]
    pub signal: Option<String>,
    /// How long to wait for the signal; without limit when missing.
    #[serde(default)]
    pub timeout: Option<Duration>,
    /// IANA time zone of local times in `until`; the workflow's own when missing.
    #[serde(default)]
    pub timezone: Option<String>,
}

impl Node for Wait {
    const TYPE: &'static str = "flow.wait";
    type Params = WaitParams;

    fn spec(&self) -> NodeSpec {
        let item = || vec![json!({ "id": 1 })];
        NodeSpec::new("Wait", "Waits for a time, a moment or a signal")
            .docs(
                "Waits, for seconds or for years; a waiting run costs next to nothing and survives restarts. \
                 Say exactly one of `for`, `until` and `signal`. All items wait together. A moment that has \
                 already passed does not wait at all.\n\n\
                 After a signal each item carries what came with it in the field `signal`. When `timeout` \
                 passes first, the items leave at `timeout`.",
            )
            .outputs(Ports::fixed(&[
                ("main", "Items after the wait"),
                ("timeout", "Items when the signal did not come in time"),
            ]))
            .pause_param("/for")
            .timeout_param("/timeout")
            .example(Example::new("A day and a half", json!({ "for": "1d12h" })).input(item()).waits())
            .example(
                Example::new(
                    "Until tomorrow's opening hour",
                    json!({ "until": "09:30", "timezone": "Asia/Kolkata" }),
                )
                .input(item())
                .waits(),
            )
            .example(
                Example::new(
                    "For a payment, at most two days",
                    json!({ "signal": "payment:{{ json.id }}", "timeout": "2d" }),
                )
                .input(item())
                .waits(),
            )
            .example(
                Example::new(
                    "A moment in the past does not wait",
                    json!({ "until": "2020-01-01T00:00:00Z" }),
                )
                .input(item())
                .output(item()),
            )
            .example(
                Example::new("One thing at a time", json!({ "for": "5m", "signal": "x" }))
                    .input(item())
                    .error("wait_target"),
            )
            .example(
                Example::new("Not a moment", json!({ "until": "soon" })).input(item()).error("not_a_moment"),
            )
    }

    fn check(&self, params: &Value) -> Vec<ParamProblem> {
        let targets = ["for", "until", "signal"].iter().filter(|name| check::is_set(params, name)).count();
        let zone =
            check::plain_text(params, "timezone").map(|name| moment::zone(Some(name), "UTC").map(drop));
        let target = if targets == 1 { Ok(()) } else { Err(not_one_target()) };
        let mut problems = check::problems(target.and(zone.unwrap_or(Ok(()))));
        if check::is_set(params, "timeout") && !check::is_set(params, "signal") {
            let message = "`timeout` only matters together with `signal`";
            problems.push(ParamProblem::warning("/timeout", "timeout_unused", message));
        }
        problems
    }

    async fn run(&self, ctx: &Context<'_, WaitParams>, input: Input) -> Result<Outcome, NodeError> {
        if let Some(resumed) = &ctx.resumed {
            return woken(&input, resumed);
        }
        let params = ctx.params(0)?;
        let now = ctx.now_ms();
        let until = match (&params.length, &params.until, &params.signal) {
            (Some(length), None, None) => length.after(now),
            (None, Some(until), None) => moment_ms(until, params.timezone.as_deref(), ctx)?,
            (None, None, Some(key)) => return wait_for_signal(key, params.timeout, now),
            _ => return Err(not_one_target()),
        };
        if until <= now { Ok(input.pass().into()) } else { Ok(Suspend::until(until).into()) }
    }
}

fn not_one_target() -> NodeError {
    NodeError::invalid_params("Say exactly one of `for`, `until` and `signal`").code("wait_target")
}

fn wait_for_signal(key: &str, timeout: Option<Duration>, now: i64) -> Result<Outcome, NodeError> {
    let key = key.trim();
    if key.is_empty() || key.len() > 200 {
        let message = "The key of the signal must have 1 to 200 characters";
        return Err(NodeError::invalid_params(message).code("signal_key").at("/signal"));
    }
    let wait = Suspend::for_signal(WaitKind::Signal, key).or_until(timeout.map(|limit| limit.after(now)));
    // `true` tells the resumed node that its timer is a time limit and not the wait itself.
    Ok(wait.state(Value::Bool(true)).info(json!({ "signal": key })).into())
}

/// The moment that `until` means, in milliseconds since the epoch.
fn moment_ms(until: &Value, zone: Option<&str>, ctx: &Context<'_, WaitParams>) -> Result<i64, NodeError> {
    let zone = moment::zone(zone, &ctx.run.time_zone)?;
    let now = moment::from_ms(ctx.now_ms(), &zone);
    let time_of_day = until.as_str().and_then(|text| text.trim().parse::<Time>().ok());
    let moment = match (time_of_day, now) {
        (Some(time), Some(now)) => next_time_of_day(&now, time),
        _ => moment::read(until, &zone),
    };
    moment.map(|moment| moment.timestamp().as_millisecond()).ok_or_else(|| {
        NodeError::invalid_params(format!(
            "`{}` is not a moment; write for example `2026-01-05T09:00:00+05:30`, `2026-01-05` or `09:00`",
            until.as_str().map_or_else(|| until.to_string(), ToOwned::to_owned)
        ))
        .code("not_a_moment")
        .at("/until")
    })
}

/// The first moment after `now` at which a local clock shows `time`.
fn next_time_of_day(now: &Zoned, time: Time) -> Option<Zoned> {
    let on = |date: jiff::civil::Date| date.to_datetime(time).to_zoned(now.time_zone().clone()).ok();
    on(now.date()).filter(|today| today > now).or_else(|| on(now.date().tomorrow().ok()?))
}

fn woken(input: &Input, resumed: &Resumed) -> Result<Outcome, NodeError> {
    match (&resumed.cause, resumed.state.as_bool()) {
        (Cause::Signal { payload }, _) => {
            let marked = input.items().iter().enumerate();
            let items = marked.map(|(index, item)| with_field(item, index, "signal", payload.clone()));
            Ok(items.collect::<Result<Vec<_>, _>>()?.into())
        }
        (Cause::Timer, Some(true)) => Ok(Output::port("timeout", input.pass()).into()),
        (Cause::Timer, _) => Ok(input.pass().into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sluice_node_sdk::testkit::{Bench, TEST_NOW_MS};

    const MINUTE: i64 = 60_000;

    fn input() -> Input {
        Input::main(vec![Item::new(json!({ "id": 1 }))])
    }

    async fn suspended(params: Value) -> Suspend {
        let outcome = Bench::new(node(Wait)).run(params, input()).await.unwrap();
        let Outcome::Suspend(wait) = outcome else { panic!("{outcome:?}") };
        wait
    }

    #[tokio::test]
    async fn moments_are_read_in_the_zone() {
        // The clock stands at 10:00 UTC, which is 15:30 in Kolkata.
        let table = [
            (json!({ "for": "1h30m" }), 90 * MINUTE),
            (json!({ "until": "2026-01-05T10:05:00Z" }), 5 * MINUTE),
            (json!({ "until": TEST_NOW_MS + MINUTE }), MINUTE),
            (json!({ "until": "10:30" }), 30 * MINUTE),
            (json!({ "until": "09:00" }), 23 * 60 * MINUTE),
            (json!({ "until": "16:00", "timezone": "Asia/Kolkata" }), 30 * MINUTE),
            (json!({ "until": "15:30", "timezone": "Asia/Kolkata" }), 24 * 60 * MINUTE),
            (json!({ "until": "2026-01-06", "timezone": "Asia/Kolkata" }), 510 * MINUTE),
        ];
        for (params, after) in table {
            let wait = suspended(params.clone()).await;
            assert_eq!((wait.kind, wait.until), (WaitKind::Time, Some(TEST_NOW_MS + after)), "{params}");
        }
    }

    #[tokio::test]
    async fn a_signal_or_its_time_limit() {
        let wait = suspended(json!({ "signal": "paid:7", "timeout": "1m" })).await;
        assert_eq!((wait.kind, wait.signal.as_deref()), (WaitKind::Signal, Some("paid:7")));
        assert_eq!(wait.until, Some(TEST_NOW_MS + MINUTE));
        for (cause, port) in [(Cause::Timer, "timeout"), (Cause::Signal { payload: json!(5) }, "main")] {
            let resumed = Resumed { cause, state: wait.state.clone() };
            let bench = Bench::new(node(Wait)).resumed(resumed);
            let outcome = bench.run(json!({ "signal": "paid:7" }), input()).await.unwrap();
            let Outcome::Done(output) = outcome else { panic!("{outcome:?}") };
            assert_eq!(output.ports[0].0, port);
            assert_eq!(output.ports[0].1[0].json.get("signal"), (port == "main").then_some(&json!(5)));
        }
    }

    #[tokio::test]
    async fn after_a_time_the_items_go_on() {
        let resumed = Resumed { cause: Cause::Timer, state: suspended(json!({ "for": "1m" })).await.state };
        let outcome = Bench::new(node(Wait)).resumed(resumed).run(json!({ "for": "1m" }), input()).await;
        assert_eq!(outcome.unwrap(), input().pass().into());
    }
}
