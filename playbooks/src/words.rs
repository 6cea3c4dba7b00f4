//! Words for messages: suggestions, lists, plurals.

/// The known name that `wrong` most likely means.
pub fn closest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wrong: Vec<char> = wrong.to_lowercase().chars().collect();
    // Two mistakes in a short word make any word of any other.
    let limit = match wrong.len() {
        0..=2 => return None,
        3..=5 => 1,
        6..=9 => 2,
        _ => 3,
    };
    known
        .into_iter()
        .map(|name| (distance(&wrong, &name.chars().collect::<Vec<_>>()), name))
        .filter(|(distance, _)| *distance <= limit * CHANGED)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// What a letter costs that is missing, too many, or swapped with its neighbour.
const MOVED: usize = 2;
/// What another letter costs: it happens less.
const CHANGED: usize = 3;

fn distance(one: &[char], other: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).map(|at| at * MOVED).collect();
    for (i, a) in one.iter().enumerate() {
        let mut row = vec![(i + 1) * MOVED];
        for (j, b) in other.iter().enumerate() {
            let changed = if a == b { 0 } else { CHANGED };
            let mut best = (last[j] + changed)
                .min(last[j + 1] + MOVED)
                .min(row[j] + MOVED);
            if i > 0 && j > 0 && *a == other[j - 1] && one[i - 1] == *b {
                best = best.min(before[j - 1] + MOVED);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[other.len()]
}

/// "did you mean `x`?"
pub fn did_you_mean<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    closest(wrong, known).map(|name| format!("did you mean `{name}`?"))
}

/// With a capital letter at its start.
pub fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

/// "`a`, `b` and `c`"
pub fn list<S: AsRef<str>>(names: &[S], last: &str) -> String {
    let quoted: Vec<String> = names
        .iter()
        .map(|name| format!("`{}`", name.as_ref()))
        .collect();
    match quoted.split_last() {
        None => "nothing".to_owned(),
        Some((only, [])) => only.clone(),
        Some((end, rest)) => format!("{} {last} {end}", rest.join(", ")),
    }
}

/// "1 task", "2 tasks"
pub fn count(number: usize, thing: &str) -> String {
    match number {
        1 => format!("1 {thing}"),
        _ => format!("{number} {thing}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_what_is_near() {
        let known = ["template", "file", "copy", "command", "when"];
        assert_eq!(closest("tempalte", known), Some("template"));
        assert_eq!(closest("fiel", known), Some("file"));
        assert_eq!(closest("Wehn", known), Some("when"));
        assert_eq!(closest("comand", known), Some("command"));
        assert_eq!(closest("taks", ["tags", "tasks"]), Some("tasks"));
        assert_eq!(closest("ls", known), None);
        assert_eq!(closest("service", known), None);
        assert_eq!(did_you_mean("cpoy", known).unwrap(), "did you mean `copy`?");
    }

    #[test]
    fn lists_and_plurals() {
        assert_eq!(list(&["a"], "and"), "`a`");
        assert_eq!(list(&["a", "b", "c"], "or"), "`a`, `b` or `c`");
        assert_eq!(count(1, "task"), "1 task");
        assert_eq!(count(0, "task"), "0 tasks");
    }
}
