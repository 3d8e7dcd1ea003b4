//! Turns of different runs on PostgreSQL in one statement. Must not know what becomes of a group that cannot be written
//! so.

use super::bulk::{Values, columns, select_lists, select_row};
use super::commit::Ready;
use super::{rows, usage, waits};
use sluice_db::{Arg, ArgType, Piece};
use std::sync::OnceLock;

/// What one table takes of a group.
struct Part {
    name: &'static str,
    kinds: &'static [ArgType],
    /// Its text, around the `select` of its rows.
    text: fn(&str) -> String,
}

/// How many rows the server expects in a list of which it knows nothing. Lists by which rows are looked up are made up to
/// that with nulls, which find nothing: the plan for fewer looks so much cheaper that the server would make one for every
/// group, which takes longer than carrying it out. PostgreSQL counts so in `estimate_array_length` (selfuncs.c).
pub(super) const EXPECTED_ROWS: usize = 10;

/// The places of the parts in [`PARTS`].
const TAKEN: usize = 0;
const BEGUN: usize = 1;
const BEGUN_IN_TURN: usize = 2;
const MOVED: usize = 3;
const EVENTS: usize = 4;
const WAITED: usize = 5;
const WAITING: usize = 6;
const USED: usize = 7;
/// In most groups one row says how many runs of one workflow began. Lists would be slower.
const USED_ONCE: usize = 8;

/// A run or a receipt that exists already is an error of the server. Runs that are not where their turns expect them
/// are found by counting those that moved.
const PARTS: [Part; 9] = [
    Part {
        name: "taken",
        kinds: &rows::RECEIPT_KINDS,
        text: |lists| format!("{}{lists}", rows::RECEIPT_COLUMNS),
    },
    Part {
        name: "begun",
        kinds: &rows::NEW_RUN_KINDS,
        text: |lists| format!("{}{lists}", rows::NEW_RUN_COLUMNS),
    },
    Part {
        name: "begun_in_turn",
        kinds: &rows::NEW_RUN_KINDS,
        text: |lists| {
            let (columns, names, row) = (rows::NEW_RUN_COLUMNS, rows::NEW_RUN_NAMES, rows::NEW_RUN_IN_TURN);
            format!("{columns}{row}({lists}) as v ({names})")
        },
    },
    Part {
        name: "moved",
        kinds: &rows::MOVED_RUN_KINDS,
        text: |lists| {
            let (columns, where_expected) = (rows::MOVED_RUN_COLUMNS, rows::WHERE_EXPECTED);
            format!("{}from ({lists}) as v {columns} {where_expected} returning 1", rows::MOVE_RUNS)
        },
    },
    Part {
        name: "event",
        kinds: &rows::EVENT_KINDS,
        text: |lists| format!("{}{lists}", rows::EVENT_COLUMNS),
    },
    Part {
        name: "waited",
        kinds: &[ArgType::Text, ArgType::Text],
        text: |lists| {
            format!(
                "delete from run_waits using ({lists}) as v (workspace_id, run_id) \
                 where run_waits.workspace_id = v.workspace_id and run_waits.run_id = v.run_id returning 1"
            )
        },
    },
    Part {
        name: "waiting",
        kinds: &waits::KINDS,
        // A node may wait again under the same key: what it waited for goes first.
        text: |lists| {
            format!("{}select * from ({lists}) as v where (select count(*) from waited) >= 0", waits::COLUMNS)
        },
    },
    Part { name: "used", kinds: &usage::KINDS, text: use_rows },
    Part { name: "used", kinds: &usage::KINDS, text: use_rows },
];

fn use_rows(rows: &str) -> String {
    format!("{}{rows} on conflict do nothing", usage::COLUMNS)
}

/// The statement that writes turns, each of another run, because it sees a run as it was before it. It fails when one of
/// them is refused: with a key that exists already, or a division by zero.
pub(super) fn of(turns: &[&Ready]) -> Piece {
    let Group { parts, args } = Group::of(turns);
    Piece { text: text(parts), args }
}

/// What goes into the statement.
#[derive(Default)]
struct Group {
    /// The parts that have rows, one bit each.
    parts: usize,
    /// Their lists, and last how many runs are to be moved, if any.
    args: Values,
}

impl Group {
    fn of(turns: &[&Ready]) -> Self {
        let (firsts, laters) = rows::firsts_and_laters(turns);
        // The rows of a new run are looked for in vain; so whoever waits is in both.
        let told: Vec<_> = turns.iter().copied().filter(|ready| ready.turn.waits.is_some()).collect();
        let mut group = Self::default();
        group.add(TAKEN, &rows::taking(turns), rows::receipt);
        // All in one of the two, so that they keep the order of their deduplication keys.
        let is_in_turn = firsts.iter().any(|ready| rows::waits_for_lane(&ready.turn));
        group.add(if is_in_turn { BEGUN_IN_TURN } else { BEGUN }, &firsts, rows::new_run);
        group.add(MOVED, &laters, rows::moved_run);
        group.add(EVENTS, &rows::speaking(turns), rows::spoken);
        group.add(WAITED, &told, rows::key);
        group.add(WAITING, &waits::findable(turns), waits::values);
        match &*usage::rows(turns) {
            [row] => group.add_one(USED_ONCE, row, usage::values),
            rows => group.add(USED, rows, usage::values),
        }
        if !laters.is_empty() {
            group.args.push(Arg::Int(laters.len() as i64));
        }
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

    fn add_one<T>(&mut self, part: usize, row: &T, values: impl Fn(&T, &mut Values)) {
        self.parts |= 1 << part;
        values(row, &mut self.args);
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
        let (mut with, mut next) = (Vec::new(), 1);
        for at in (0..PARTS.len()).filter(|at| parts & (1 << at) != 0) {
            let part = &PARTS[at];
            let select = if at == USED_ONCE { select_row } else { select_lists };
            with.push(format!("{} as ({})", part.name, (part.text)(&select(next, part.kinds))));
            next += part.kinds.len();
        }
        let check = match parts & (1 << MOVED) {
            0 => String::new(),
            _ => format!(" / ((select count(*) from moved) = ${next})::int"),
        };
        format!("with {} select 1{check}", with.join(", "))
    })
}
