//! Paths as texts, and whether two things overlap.

use crate::thing::Thing;

/// The directory a path stands in.
pub(crate) fn parent(path: &str) -> Option<&str> {
    let (dir, name) = path.rsplit_once('/')?;
    if name.is_empty() && dir.is_empty() {
        return None;
    }
    Some(if dir.is_empty() { "/" } else { dir })
}

/// The directories above a path, nearest first.
pub(crate) fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(parent(path), |dir| parent(dir))
}

/// Whether `path` is `tree` or lies below it.
pub(crate) fn below(path: &str, tree: &str) -> bool {
    let tree = tree.strip_suffix('/').unwrap_or(tree);
    path.strip_prefix(tree)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// What a link that stands at `path` and holds `target` leads to, `.` and `..` taken as text.
pub(crate) fn joined(path: &str, target: &str) -> String {
    let whole = if target.starts_with('/') {
        target.to_owned()
    } else {
        format!("{}/{target}", parent(path).unwrap_or("/"))
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    format!("/{}", parts.join("/"))
}

/// Whether the one may change what the other is about.
pub fn meets(a: &Thing, b: &Thing) -> bool {
    match (a, b) {
        (Thing::Everything, _) | (_, Thing::Everything) => true,
        (Thing::Path(path), Thing::Tree(tree)) | (Thing::Tree(tree), Thing::Path(path)) => {
            below(path, tree)
        }
        (Thing::Tree(a), Thing::Tree(b)) => below(a, b) || below(b, a),
        (a, b) => a == b,
    }
}

/// Whether `path` is among the things.
pub fn covers(things: &[Thing], path: &str) -> bool {
    things.iter().any(|thing| match thing {
        Thing::Everything => true,
        Thing::Path(known) => known == path,
        Thing::Tree(tree) => below(path, tree),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parents_and_links() {
        assert_eq!(parent("/"), None);
        assert_eq!(parent("/a"), Some("/"));
        assert_eq!(ancestors("/a/b/c").collect::<Vec<_>>(), ["/a/b", "/a", "/"]);
        assert_eq!(joined("/a/b", "../c/./d"), "/c/d");
        assert_eq!(joined("/a/b", "/x"), "/x");
    }

    #[test]
    fn trees_meet_what_is_below_and_above() {
        let (path, tree) = (
            |p: &str| Thing::Path(p.into()),
            |p: &str| Thing::Tree(p.into()),
        );
        assert!(meets(&path("/a/b"), &tree("/a")));
        assert!(!meets(&path("/ab"), &tree("/a")));
        assert!(!meets(&path("/a"), &tree("/a/b")));
        assert!(meets(&tree("/a"), &tree("/a/b")));
        assert!(meets(&path("/a"), &tree("/")));
        assert!(!meets(&path("/a"), &path("/a/b")));
        assert!(meets(&Thing::Everything, &Thing::User("x".into())));
        assert!(covers(&[tree("/")], "/a"));
    }
}
