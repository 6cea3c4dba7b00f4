//! Other names that paths get by links which tasks say they make: known before any host was asked.
//! Pure.
//!
//! A link counts as soon as a task may make it, whatever is there now: to hold two things for one
//! makes a task wait; to hold one for two would be an error.

use std::collections::BTreeSet;

use crate::{
    effects::paths::{below, joined},
    graph::Shape,
    task::TaskList,
    thing::Thing,
};

/// So many other names a path has at most; a ring of links has no end.
const MAX_NAMES: usize = 40;

/// Adds, by host, the other names of what its tasks touch.
pub(super) fn add(list: &TaskList, shapes: &mut [Shape]) {
    let mut links = vec![BTreeSet::new(); list.hosts.len()];
    for (task, shape) in list.tasks.iter().zip(&*shapes) {
        let made = shape.touches.iter().flat_map(|touches| &touches.links);
        links[task.host.index()]
            .extend(made.map(|(path, target)| (joined("/", path), joined(path, target))));
    }
    for (task, shape) in list.tasks.iter().zip(shapes) {
        let links = &links[task.host.index()];
        let Some(touches) = shape.touches.as_mut().filter(|_| !links.is_empty()) else {
            continue;
        };
        for things in [&mut touches.reads, &mut touches.writes] {
            let more: Vec<Thing> = things
                .iter()
                .flat_map(|thing| others(links, thing))
                .collect();
            things.extend(more);
        }
    }
}

/// A link and what it leads to, both as whole paths.
type Links = BTreeSet<(String, String)>;

fn others(links: &Links, thing: &Thing) -> Vec<Thing> {
    match thing {
        Thing::Path(path) => names(links, path).into_iter().map(Thing::Path).collect(),
        Thing::Tree(path) => names(links, path).into_iter().map(Thing::Tree).collect(),
        _ => Vec::new(),
    }
}

fn names(links: &Links, path: &str) -> Vec<String> {
    let mut names = vec![joined("/", path)];
    let mut at = 0;
    while at < names.len() && names.len() <= MAX_NAMES {
        let name = names[at].clone();
        let ways = links
            .iter()
            .filter(|(link, to)| below(&name, link) && !below(to, link));
        for (link, to) in ways {
            let other = joined("/", &format!("{to}/{}", &name[link.len()..]));
            if !names.contains(&other) {
                names.push(other);
            }
        }
        at += 1;
    }
    names.split_off(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(links: &[(&str, &str)], path: &str) -> Vec<String> {
        let links = links.iter();
        let links = links.map(|(link, to)| ((*link).to_owned(), (*to).to_owned()));
        names(&links.collect(), path)
    }

    #[test]
    fn names_by_links_on_the_way_and_by_the_last() {
        assert_eq!(of(&[("/here", "/var/run")], "/here/x"), ["/var/run/x"]);
        assert_eq!(of(&[("/here", "/var/run")], "/hereby/x"), [""; 0]);
        let chain = [("/a", "/b/c"), ("/b", "/d")];
        assert_eq!(of(&chain, "/a/x"), ["/b/c/x", "/d/c/x"]);
        // One link with two targets: made anew within the run.
        assert_eq!(of(&[("/a", "/b"), ("/a", "/c")], "/a"), ["/b", "/c"]);
    }

    #[test]
    fn a_ring_has_an_end() {
        assert_eq!(of(&[("/a", "/b"), ("/b", "/a")], "/a/x"), ["/b/x"]);
        let growing = of(&[("/a", "/b/x"), ("/b", "/a/x")], "/a");
        assert!(growing.len() <= MAX_NAMES + 2, "{growing:?}");
        assert_eq!(of(&[("/a", "/a/b")], "/a/x"), [""; 0]);
    }
}
