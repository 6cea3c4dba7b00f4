//! Shell patterns over the paths of a fake host.

use super::World;

/// The first existing path that matches, in the order of bytes.
pub(super) fn first(world: &World, pattern: &str) -> Option<String> {
    let parts: Vec<&str> = pattern.split('/').filter(|part| !part.is_empty()).collect();
    if !pattern.starts_with('/') {
        return None;
    }
    below(world, "", &parts)
}

fn below(world: &World, dir: &str, parts: &[&str]) -> Option<String> {
    let Some((part, rest)) = parts.split_first() else {
        let path = if dir.is_empty() { "/" } else { dir };
        return world.exists(path).then(|| path.to_owned());
    };
    if !part.contains(['*', '?', '[']) {
        return below(world, &format!("{dir}/{part}"), rest);
    }
    let here = if dir.is_empty() { "/" } else { dir };
    world
        .children(here)
        .into_iter()
        .filter(|name| !name.starts_with('.') || part.starts_with('.'))
        .filter(|name| matches(part, name))
        .find_map(|name| below(world, &format!("{dir}/{name}"), rest))
}

/// Whether a name matches a pattern of `*`, `?` and `[…]`.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    fits(&pattern, &name)
}

fn fits(pattern: &[char], name: &[char]) -> bool {
    match (pattern.split_first(), name.split_first()) {
        (None, _) => name.is_empty(),
        (Some(('*', rest)), _) => (0..=name.len()).any(|skip| fits(rest, &name[skip..])),
        (Some(_), None) => false,
        (Some(('?', rest)), Some((_, tail))) => fits(rest, tail),
        (Some(('[', rest)), Some((letter, tail))) => match class(rest, *letter) {
            Some((hit, rest)) => hit && fits(rest, tail),
            None => *letter == '[' && fits(rest, tail),
        },
        (Some((wanted, rest)), Some((letter, tail))) => wanted == letter && fits(rest, tail),
    }
}

/// Reads a class behind its `[`: whether it has the letter, and what follows it.
fn class(pattern: &[char], letter: char) -> Option<(bool, &[char])> {
    let (not, body) = match pattern.first()? {
        '!' | '^' => (true, &pattern[1..]),
        _ => (false, pattern),
    };
    // A `]` that comes first stands for itself.
    let end = 1 + body.iter().skip(1).position(|c| *c == ']')?;
    let (set, mut hit, mut at) = (&body[..end], false, 0);
    while at < set.len() {
        if at + 2 < set.len() && set[at + 1] == '-' {
            hit |= (set[at]..=set[at + 2]).contains(&letter);
            at += 3;
        } else {
            hit |= set[at] == letter;
            at += 1;
        }
    }
    Some((hit != not, &body[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, name, fits) in [
            ("*.conf", "a.conf", true),
            ("*.conf", "a.conf.bak", false),
            ("a?c", "abc", true),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]]x", "]x", true),
            ("[x", "[x", true),
            ("*a*b*", "xxaxxbxx", true),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }

    #[test]
    fn first_in_order_and_no_hidden_names() {
        let mut world = World::new();
        world.write("/d/.hidden", "");
        world.write("/d/b/bin/x", "");
        world.write("/d/a/y", "");
        assert_eq!(first(&world, "/d/*"), Some("/d/a".into()));
        assert_eq!(first(&world, "/d/*/bin/x"), Some("/d/b/bin/x".into()));
        assert_eq!(first(&world, "/d/.h*"), Some("/d/.hidden".into()));
        assert_eq!(first(&world, "/none/*"), None);
    }
}
