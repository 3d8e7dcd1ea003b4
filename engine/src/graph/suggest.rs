//! "Did you mean": the known name that is nearest to a mistyped one. Must not know what the names are for.

/// Longer names are not compared: the cost grows with the product of the lengths.
const MAX_CHARS: usize = 64;

/// The nearest known name, when it is near enough to be what was meant.
pub(super) fn closest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted: Vec<char> = wanted.to_lowercase().chars().collect();
    if wanted.is_empty() || wanted.len() > MAX_CHARS {
        return None;
    }
    let most = (wanted.len() / 3).max(1);
    let near = known.into_iter().filter(|name| name.chars().count() <= MAX_CHARS).filter_map(|name| {
        let lower: Vec<char> = name.to_lowercase().chars().collect();
        let distance = distance(&wanted, &lower);
        (distance <= most).then_some((distance, name))
    });
    near.min().map(|(_, name)| name)
}

/// A sentence to append to a message, or nothing.
pub(super) fn hint<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    closest(wanted, known).map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

/// Edits (insert, remove, replace, swap of neighbours) that turn one name into the other.
fn distance(left: &[char], right: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=right.len()).collect();
    for (row, l) in left.iter().enumerate() {
        let mut line = vec![row + 1];
        for (column, r) in right.iter().enumerate() {
            let replaced = above[column] + usize::from(l != r);
            let mut cost = replaced.min(above[column + 1] + 1).min(line[column] + 1);
            if row > 0 && column > 0 && *l == right[column - 1] && left[row - 1] == *r {
                cost = cost.min(before[column - 1] + 1);
            }
            line.push(cost);
        }
        before = std::mem::replace(&mut above, line);
    }
    above.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let known = ["data.set", "data.sort", "flow.if", "description"];
        assert_eq!(closest("data.sett", known), Some("data.set"));
        assert_eq!(closest("DATA.SET", known), Some("data.set"));
        assert_eq!(closest("desciption", known), Some("description"));
        assert_eq!(closest("dtaa.sort", known), Some("data.sort"));
        assert_eq!(closest("whatsapp.send", known), None);
        assert_eq!(closest("", known), None);
        assert_eq!(closest(&"x".repeat(10_000), known), None);
        assert_eq!(hint("flow.fi", known), "; did you mean `flow.if`?");
    }
}
