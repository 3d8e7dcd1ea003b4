//! Turns of different runs on PostgreSQL in one statement. Must not know what becomes of a group that cannot be written
//! so.

use super::bulk::{Values, columns, unnest};
use super::commit::Ready;
use super::{rows, usage, waits};
use sluice_db::{Arg, ArgType, Piece};
use std::sync::OnceLock;

/// What one table takes of a group.
struct Part {
    name: &'static str,
    kinds: &'static [ArgType],
    /// Its text, around the lists of its rows.
    text: fn(&str) -> String,
}

/// How many rows the server expects in a list of which it knows nothing. Lists by which rows are looked up are made up to
/// that with nulls, which find nothing: the plan for fewer looks so much cheaper that the server would make one for every
/// group, which takes longer than carrying it out. PostgreSQL counts so in `estimate_array_length` (selfuncs.c).
pub(super) const EXPECTED_ROWS: usize = 10;

const COUNTED: &str = "on conflict do nothing returning 1";

/// The places of the parts in [`PARTS`].
const TAKEN: usize = 0;
const BEGUN: usize = 1;
const BEGUN_IN_TURN: usize = 2;
const MOVED: usize = 3;
const EVENTS: usize = 4;
const WAITED: usize = 5;
const WAITING: usize = 6;
const USED: usize = 7;

/// The rows of the first four are counted: when some are missing, somebody is refused.
const PARTS: [Part; 8] = [
    Part {
        name: "taken",
        kinds: &rows::RECEIPT_KINDS,
        text: |lists| format!("{}select * from {lists} {COUNTED}", rows::RECEIPT_COLUMNS),
    },
    Part {
        name: "begun",
        kinds: &rows::NEW_RUN_KINDS,
        text: |lists| format!("{}select * from {lists} {COUNTED}", rows::NEW_RUN_COLUMNS),
    },
    Part {
        name: "begun_in_turn",
        kinds: &rows::NEW_RUN_KINDS,
        text: |lists| {
            let (columns, names, row) = (rows::NEW_RUN_COLUMNS, rows::NEW_RUN_NAMES, rows::NEW_RUN_IN_TURN);
            format!("{columns}{row}{lists} as v ({names}) {COUNTED}")
        },
    },
    Part {
        name: "moved",
        kinds: &rows::MOVED_RUN_KINDS,
        text: |lists| {
            let (columns, where_expected) = (rows::MOVED_RUN_COLUMNS, rows::WHERE_EXPECTED);
            format!("{}from {lists} as v {columns} {where_expected} returning 1", rows::MOVE_RUNS)
        },
    },
    Part {
        name: "event",
        kinds: &rows::EVENT_KINDS,
        text: |lists| format!("{}select * from {lists}", rows::EVENT_COLUMNS),
    },
    Part {
        name: "waited",
        kinds: &[ArgType::Text, ArgType::Text],
        text: |lists| {
            format!(
                "delete from run_waits using {lists} as v (workspace_id, run_id) \
                 where run_waits.workspace_id = v.workspace_id and run_waits.run_id = v.run_id returning 1"
            )
        },
    },
    Part {
        name: "waiting",
        kinds: &waits::KINDS,
        // A node may wait again under the same key: what it waited for goes first.
        text: |lists| {
            format!("{}select * from {lists} where (select count(*) from waited) >= 0", waits::COLUMNS)
        },
    },
    Part {
        name: "used",
        kinds: &usage::KINDS,
        text: |lists| format!("{}select * from {lists} on conflict do nothing", usage::COLUMNS),
    },
];

/// The statement that writes turns, each of another run, because it sees a run as it was before it. It fails with a
/// division by zero when one of them is refused.
pub(super) fn of(turns: &[&Ready]) -> Piece {
    let Group { parts, args } = Group::of(turns);
    Piece { text: text(parts), args }
}

/// What goes into the statement.
#[derive(Default)]
struct Group {
    /// The parts that have rows, one bit each.
    parts: usize,
    /// Their lists, and last how many rows are to be counted.
    args: Values,
}

impl Group {
    fn of(turns: &[&Ready]) -> Self {
        let (firsts, laters) = rows::firsts_and_laters(turns);
        let taking = rows::taking(turns);
        // The rows of a new run are looked for in vain; so whoever waits is in both.
        let told: Vec<_> = turns.iter().copied().filter(|ready| ready.turn.waits.is_some()).collect();
        let mut group = Self::default();
        group.add(TAKEN, &taking, rows::receipt);
        // All in one of the two, so that they keep the order of their deduplication keys.
        let is_in_turn = firsts.iter().any(|ready| rows::waits_for_lane(&ready.turn));
        group.add(if is_in_turn { BEGUN_IN_TURN } else { BEGUN }, &firsts, rows::new_run);
        group.add(MOVED, &laters, rows::moved_run);
        group.add(EVENTS, &rows::speaking(turns), rows::spoken);
        group.add(WAITED, &told, rows::key);
        group.add(WAITING, &waits::findable(turns), waits::values);
        group.add(USED, &usage::rows(turns), usage::values);
        group.args.push(Arg::Int((taking.len() + turns.len()) as i64));
        group
    }

    fn add<T>(&mut self, part: usize, rows: &[T], values: impl Fn(&T, &mut Values)) {
        if !rows.is_empty() {
            self.parts |= 1 << part;
            let mut lists = columns(rows, PARTS[part].kinds, values);
            if matches!(part, MOVED | WAITED) {
                lists.iter_mut().for_each(make_up);
            }
            self.args.extend(lists);
        }
    }
}

/// Makes a list up to what the server expects.
fn make_up(list: &mut Arg) {
    if let Arg::List(kind, values) = list {
        values.resize(values.len().max(EXPECTED_ROWS), Arg::Null(*kind));
    }
}

/// The statement of some parts.
fn text(parts: usize) -> &'static str {
    const SETS: usize = 1 << PARTS.len();
    static TEXTS: [OnceLock<String>; SETS] = [const { OnceLock::new() }; SETS];
    TEXTS[parts].get_or_init(|| {
        let (mut with, mut counts, mut next) = (Vec::new(), Vec::new(), 1);
        for (at, part) in PARTS.iter().enumerate().filter(|(at, _)| parts & (1 << at) != 0) {
            with.push(format!("{} as ({})", part.name, (part.text)(&unnest(next, part.kinds))));
            next += part.kinds.len();
            if at <= MOVED {
                counts.push(format!("(select count(*) from {})", part.name));
            }
        }
        format!("with {} select 1 / ({} = ${next})::int", with.join(", "), counts.join(" + "))
    })
}
