//! Who may be read when: bodies come in one order and are read at once as far as they do not concern the same people.
//! Pure; must not know how bodies are read, nor how many at once.

use sluice_records::whatsapp::Order;
use std::collections::{BTreeMap, BTreeSet};

/// The number of a body that was let begin.
pub(super) type Turn = u64;

/// Bodies that have not been read to the end, in the order in which they came.
pub(super) struct Turns<T> {
    next: Turn,
    bodies: BTreeMap<Turn, Body<T>>,
}

struct Body<T> {
    order: Order,
    /// Earlier ones that it waits for.
    behind: BTreeSet<Turn>,
    /// None once it has begun.
    item: Option<T>,
}

impl<T> Default for Turns<T> {
    fn default() -> Self {
        Self { next: 0, bodies: BTreeMap::new() }
    }
}

impl<T> Turns<T> {
    /// How many have not ended.
    pub(super) fn len(&self) -> usize {
        self.bodies.len()
    }

    /// Adds the next in order.
    pub(super) fn push(&mut self, order: Order, item: T) {
        let binding = self.bodies.iter().filter(|(_, earlier)| earlier.order.binds(&order));
        let behind = binding.map(|(turn, _)| *turn).collect();
        self.bodies.insert(self.next, Body { order, behind, item: Some(item) });
        self.next += 1;
    }

    /// The first that may begin now.
    pub(super) fn begin(&mut self) -> Option<(Turn, T)> {
        let mut free = self.bodies.iter_mut().filter(|(_, body)| body.behind.is_empty());
        free.find_map(|(turn, body)| Some((*turn, body.item.take()?)))
    }

    /// It was read to the end, however that was.
    pub(super) fn end(&mut self, turn: Turn) {
        self.bodies.remove(&turn);
        for (_, later) in self.bodies.range_mut(turn..) {
            later.behind.remove(&turn);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sluice_records::whatsapp::Tie;

    /// Letters name ties; a dash stands alone.
    fn order(letters: &str) -> Order {
        match letters {
            "-" => Order::Alone,
            _ => Order::Tied(letters.chars().map(|letter| Tie::new(letter.to_string())).collect()),
        }
    }

    fn all<'a>(bodies: &[&'a str]) -> Turns<&'a str> {
        let mut turns = Turns::default();
        bodies.iter().for_each(|body| turns.push(order(body), *body));
        turns
    }

    fn begun<T>(turns: &mut Turns<T>) -> Vec<(Turn, T)> {
        std::iter::from_fn(|| turns.begin()).collect()
    }

    #[test]
    fn those_of_one_tie_begin_one_after_the_other_and_others_at_once() {
        for (bodies, at_once) in [
            (&["a", "b", "c"][..], &[0, 1, 2][..]),
            (&["a", "a", "b"], &[0, 2]),
            (&["a", "ab", "b", "c"], &[0, 3]),
            (&["a", "-", "b"], &[0]),
            (&["-", "a", "b"], &[0]),
            (&["-", "-"], &[0]),
            (&[], &[]),
        ] {
            let turns = begun(&mut all(bodies));
            assert_eq!(turns.iter().map(|(turn, _)| *turn).collect::<Vec<_>>(), at_once, "{bodies:?}");
        }
    }

    #[test]
    fn the_end_of_one_lets_those_begin_that_waited_for_it_alone() {
        let mut turns = all(&["a", "b", "ab", "a", "-", "c"]);
        assert_eq!(begun(&mut turns), [(0, "a"), (1, "b")]);
        turns.end(0);
        assert_eq!(begun(&mut turns), []);
        turns.end(1);
        assert_eq!(begun(&mut turns), [(2, "ab")]);
        turns.end(2);
        assert_eq!(begun(&mut turns), [(3, "a")]);
        turns.end(3);
        assert_eq!(begun(&mut turns), [(4, "-")]);
        turns.push(order("d"), "d");
        turns.end(4);
        assert_eq!(begun(&mut turns), [(5, "c"), (6, "d")]);
        turns.end(6);
        turns.end(5);
        assert_eq!(turns.len(), 0);
    }

    proptest! {
        /// Whatever ends when: nothing begins before an earlier one that binds it has ended, and everything begins.
        #[test]
        fn order_is_kept_and_nobody_waits_for_ever(
            bodies in prop::collection::vec("-|[a-e]{1,3}", 0..40),
            room in 1_usize..8,
            choices in prop::collection::vec(any::<prop::sample::Index>(), 80),
        ) {
            let (mut turns, mut reading, mut ended) = (Turns::default(), Vec::new(), Vec::new());
            let mut left = bodies.iter().enumerate();
            // Each round takes at least one in and ends one.
            for choice in choices {
                for (number, body) in left.by_ref().take(1 + choice.index(4)) {
                    turns.push(order(body), number);
                }
                while reading.len() < room && let Some((turn, number)) = turns.begin() {
                    let binds = |earlier: &usize| order(&bodies[*earlier]).binds(&order(&bodies[number]));
                    prop_assert!((0..number).filter(binds).all(|earlier| ended.contains(&earlier)));
                    reading.push((turn, number));
                }
                prop_assert!(!reading.is_empty() || turns.len() == 0);
                if !reading.is_empty() {
                    let (turn, number) = reading.swap_remove(choice.index(reading.len()));
                    turns.end(turn);
                    ended.push(number);
                }
            }
            prop_assert_eq!(ended.len(), bodies.len());
        }
    }
}
