//! `flow.loop`: runs the nodes after `each` again and again, over batches of items or until something is
//! reached. Must not know the engine: what it must remember travels in the loop state.

use crate::values::condition;
use serde::Serialize;
use sluice_node_sdk::outcome::Output;
use sluice_node_sdk::prelude::*;

/// The node.
pub struct Loop;

/// How to loop.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoopParams {
    /// What is gone through.
    #[serde(default)]
    pub mode: Mode,
    /// Items per iteration (mode `items`).
    #[serde(default = "one")]
    #[schemars(range(min = 1))]
    pub batch_size: u32,
    /// Goes on only while this holds (mode `repeat`). It is looked at after each iteration and usually
    /// asks a node of the body, for example `{{ node("Fetch").json.has_more }}`.
    #[serde(default, rename = "while")]
    pub condition: Option<bool>,
    /// How many iterations to make (mode `repeat`); as many as items come back when missing.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub times: Option<u32>,
    /// The node fails with `loop_limit` in place of making more iterations than this.
    #[serde(default = "thousand")]
    #[schemars(range(min = 1, max = 100_000))]
    pub max_iterations: u32,
}

/// What is gone through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The items, batch by batch. `done` gives what all iterations sent back.
    #[default]
    Items,
    /// The same nodes over and over: what an iteration sends back is what the next one starts with.
    /// `done` gives what the last one sent back.
    Repeat,
}

fn one() -> u32 {
    1
}

fn thousand() -> u32 {
    1_000
}

/// What is remembered from one iteration to the next.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Progress {
    /// Iterations started so far.
    started: u32,
}

impl Node for Loop {
    const TYPE: &'static str = "flow.loop";
    type Params = LoopParams;

    fn spec(&self) -> NodeSpec {
        let three = || vec![json!({ "id": 1 }), json!({ "id": 2 }), json!({ "id": 3 })];
        NodeSpec::new("Loop", "Repeats the nodes after `each`, then goes on at `done`")
            .docs(
                "Connect the nodes to repeat after `each` and lead the last of them back to the loop. Mode \
                 `items` sends the items round in batches, one by one unless `batch_size` says otherwise; \
                 when all have been round, everything that came back leaves at `done`. Mode `repeat` sends \
                 round what came back, until nothing comes back, `while` no longer holds, or it was `times` \
                 round; what came back last leaves at `done`.\n\n\
                 To leave early, let the body end in a `flow.if` of which only one side leads back.",
            )
            .outputs(Ports::fixed(&[
                ("each", "Items of one iteration"),
                ("done", "Items that came back, when the loop is over"),
            ]))
            .loop_entry()
            .example(
                Example::new("One at a time", json!({}))
                    .input(three())
                    .output_port("each", vec![json!({ "id": 1 })]),
            )
            .example(
                Example::new("In batches of two", json!({ "batch_size": 2 }))
                    .input(three())
                    .output_port("each", vec![json!({ "id": 1 }), json!({ "id": 2 })]),
            )
            .example(
                Example::new("Ask until it is ready", json!({ "mode": "repeat", "times": 20 }))
                    .input(vec![json!({ "job": 7 })])
                    .output_port("each", vec![json!({ "job": 7 })]),
            )
            .example(
                Example::new("More items than iterations allowed", json!({ "max_iterations": 2 }))
                    .input(three())
                    .error("loop_limit"),
            )
    }

    async fn run(&self, ctx: &Context<'_, LoopParams>, input: Input) -> Result<Outcome, NodeError> {
        let mode = ctx.params.resolve_at("/mode", 0)?;
        let limit = count(ctx, "/max_iterations", thousand())?;
        let progress = match &ctx.loop_state {
            None | Some(Value::Null) => None,
            Some(state) => Some(Progress::deserialize(state).map_err(|error| {
                NodeError::bug(format!("The loop cannot read where it was: {error}")).code("loop_state")
            })?),
        };
        match mode.as_str() {
            None | Some("items") => items_round(&input, progress, count(ctx, "/batch_size", one())?, limit),
            Some("repeat") => repeat_round(ctx, &input, progress, limit),
            Some(other) => {
                let message = format!("A loop has the modes `items` and `repeat`, not `{other}`");
                Err(NodeError::invalid_params(message).at("/mode"))
            }
        }
    }
}

/// The next batch, or the end.
fn items_round(
    input: &Input,
    progress: Option<Progress>,
    batch_size: u32,
    limit: u32,
) -> Result<Outcome, NodeError> {
    let batch_size = usize::try_from(batch_size).unwrap_or(usize::MAX);
    let batches = input.items().len().div_ceil(batch_size);
    if batches > usize::try_from(limit).unwrap_or(usize::MAX) {
        return Err(too_many(limit, &format!("The {} items need {batches} iterations", input.items().len())));
    }
    let progress = progress.unwrap_or_default();
    let start = usize::try_from(progress.started).unwrap_or(usize::MAX).saturating_mul(batch_size);
    let batch: Vec<Item> = input
        .items()
        .iter()
        .enumerate()
        .skip(start)
        .take(batch_size)
        .map(|(index, item)| item.clone().from_input(index))
        .collect();
    if !batch.is_empty() {
        return each(batch, progress);
    }
    Ok(Output::port("done", collected(input, progress.started, batch_size == 1)).into())
}

/// What came back in all iterations, in order.
fn collected(input: &Input, started: u32, one_by_one: bool) -> Vec<Item> {
    if started == 0 {
        return Vec::new();
    }
    let rounds = input.rounds().iter().map(|round| &round[..]).chain(std::iter::once(input.returned()));
    let all = rounds.zip(0_u32..).flat_map(|(items, round)| {
        // With one item a batch, whatever came back comes from that item; with more nobody can tell.
        let origin = one_by_one.then_some(round);
        items.iter().cloned().map(move |item| Item { from: origin, ..item })
    });
    all.collect()
}

/// Another round with what came back, or the end.
fn repeat_round(
    ctx: &Context<'_, LoopParams>,
    input: &Input,
    progress: Option<Progress>,
    limit: u32,
) -> Result<Outcome, NodeError> {
    let Some(progress) = progress else {
        return each(input.pass(), Progress::default());
    };
    let origin = (input.items().len() == 1).then_some(0);
    let returned: Vec<Item> =
        input.returned().iter().cloned().map(|item| Item { from: origin, ..item }).collect();
    let times = count(ctx, "/times", u32::MAX)?;
    let goes_on = || -> Result<bool, NodeError> {
        let unconditional = ctx.params.resolve_at("/while", 0)?.is_null();
        Ok(unconditional || condition::holds(ctx, "/while", 0)?)
    };
    if returned.is_empty() || progress.started >= times || !goes_on()? {
        return Ok(Output::port("done", returned).into());
    }
    if progress.started >= limit {
        return Err(too_many(limit, "The loop wants to go on"));
    }
    each(returned, progress)
}

fn each(items: Vec<Item>, progress: Progress) -> Result<Outcome, NodeError> {
    let progress = Progress { started: progress.started.saturating_add(1) };
    let state = serde_json::to_value(progress)
        .map_err(|error| NodeError::bug(format!("The loop cannot write where it is: {error}")))?;
    Ok(Output { loop_state: Some(state), ..Output::port("each", items) }.into())
}

fn too_many(limit: u32, what: &str) -> NodeError {
    NodeError::rejected(format!(
        "{what}, but `max_iterations` allows {limit}; raise it or make the batches larger"
    ))
    .code("loop_limit")
    .at("/max_iterations")
}

/// A whole number of at least 1 at `pointer`, read alone so that `while` is not evaluated too early.
fn count(ctx: &Context<'_, LoopParams>, pointer: &str, default: u32) -> Result<u32, NodeError> {
    let value = ctx.params.resolve_at(pointer, 0)?;
    if value.is_null() {
        return Ok(default);
    }
    let number = value.as_u64().and_then(|number| u32::try_from(number).ok()).filter(|number| *number > 0);
    number.ok_or_else(|| {
        let message = format!("`{pointer}` must be a whole number of at least 1, not {value}");
        NodeError::invalid_params(message).at(pointer)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use sluice_node_sdk::testkit::Bench;

    /// Runs a loop whose body answers `body(items)`, and gives what left at `done`.
    async fn drive(
        params: Value,
        entry: &[i64],
        body: impl Fn(&[Item]) -> Vec<Item>,
    ) -> Result<(Vec<Value>, Vec<usize>), NodeError> {
        let items = |ids: &[i64]| ids.iter().map(|id| Item::new(json!({ "id": id }))).collect::<Vec<_>>();
        let (mut state, mut returned, mut sizes) = (None, Vec::new(), Vec::new());
        let mut rounds: Vec<sluice_node_sdk::item::Items> = Vec::new();
        for iteration in 0.. {
            let mut bench = Bench::new(node(Loop));
            if let Some(state) = state.take() {
                bench = bench.iteration(iteration, state);
            }
            let last = std::sync::Arc::new(std::mem::take(&mut returned));
            let before = std::sync::Arc::new(rounds.clone());
            let input = Input::main(items(entry)).with_returned(last.clone()).with_rounds(before);
            if iteration > 0 {
                rounds.push(last);
            }
            let Outcome::Done(output) = bench.run(params.clone(), input).await? else {
                panic!("never waits")
            };
            let (port, sent) = &output.ports[0];
            if port == "done" {
                return Ok((sent.iter().map(|item| (*item.json).clone()).collect(), sizes));
            }
            sizes.push(sent.len());
            returned = body(sent);
            state = output.loop_state;
        }
        unreachable!("the loop ends")
    }

    #[tokio::test]
    async fn items_go_round_in_batches_and_are_collected() {
        let (done, sizes) = drive(json!({ "batch_size": 2 }), &[1, 2, 3], <[Item]>::to_vec).await.unwrap();
        assert_eq!(done, vec![json!({ "id": 1 }), json!({ "id": 2 }), json!({ "id": 3 })]);
        assert_eq!(sizes, [2, 1]);
    }

    #[tokio::test]
    async fn a_body_that_sends_nothing_back_still_gets_every_item() {
        let (done, sizes) = drive(json!({}), &[1, 2], |_| Vec::new()).await.unwrap();
        assert!(done.is_empty());
        assert_eq!(sizes, [1, 1]);
    }

    #[tokio::test]
    async fn collected_items_know_their_origin() {
        let bench = Bench::new(node(Loop)).iteration(1, json!({ "started": 1 }));
        let entry = vec![Item::new(json!({ "id": 1 }))];
        let input = Input::main(entry).with_returned(vec![Item::new(json!({ "x": 1 })).from_input(9)]);
        let outcome = bench.run(json!({}), input).await.unwrap();
        assert_eq!(outcome, Output::port("done", vec![Item::new(json!({ "x": 1 })).from_input(0)]).into());
    }

    #[tokio::test]
    async fn repeating_ends_by_count_by_condition_or_when_nothing_comes_back() {
        let step = |items: &[Item]| {
            items
                .iter()
                .map(|item| Item::new(json!({ "id": item.json["id"].as_i64().unwrap() + 1 })))
                .collect()
        };
        let (done, sizes) = drive(json!({ "mode": "repeat", "times": 3 }), &[0], step).await.unwrap();
        assert_eq!((done, sizes.len()), (vec![json!({ "id": 3 })], 3));
        let (done, sizes) = drive(json!({ "mode": "repeat", "while": false }), &[0], step).await.unwrap();
        assert_eq!((done, sizes.len()), (vec![json!({ "id": 1 })], 1));
        let (done, sizes) = drive(json!({ "mode": "repeat" }), &[0], |_| Vec::new()).await.unwrap();
        assert_eq!((done.len(), sizes.len()), (0, 1));
    }

    #[tokio::test]
    async fn the_limit_is_hard() {
        let params = json!({ "mode": "repeat", "max_iterations": 5 });
        let error = drive(params, &[0], <[Item]>::to_vec).await.unwrap_err();
        assert_eq!((error.code.as_ref(), error.path.as_deref()), ("loop_limit", Some("/max_iterations")));
        let params = json!({ "mode": "repeat", "while": "yes" });
        assert_eq!(drive(params, &[0], <[Item]>::to_vec).await.unwrap_err().code, "condition_not_boolean");
    }
}
