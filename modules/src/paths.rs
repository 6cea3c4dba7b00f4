//! Paths of hosts, as texts.

use evenkeel_engine::{
    NotYet,
    probes::{Kind, Stat, Whoami},
};

use crate::look::Look;

/// The directory a path stands in; `/` stands in none.
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

/// The last part of a path.
pub(crate) fn name(path: &str) -> &str {
    path.trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or(path)
}

/// A path below a directory.
pub(crate) fn join(dir: &str, below: &str) -> String {
    format!("{}/{below}", dir.trim_end_matches('/'))
}

/// Without empty and `.` parts, and without the slash at the end.
pub(crate) fn clean(path: &str) -> String {
    let parts: Vec<&str> = path
        .split('/')
        .filter(|part| !part.is_empty() && *part != ".")
        .collect();
    format!("/{}", parts.join("/"))
}

/// What a link that stands at `path` and holds `target` leads to, `.` and `..` taken as text.
pub(crate) fn joined(path: &str, target: &str) -> String {
    let whole = if target.starts_with('/') {
        target.to_owned()
    } else {
        join(parent(path).unwrap_or("/"), target)
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

/// Whether it can be known without asking the host where a path is.
pub(crate) fn is_absolute(path: &str) -> bool {
    path.starts_with('/')
}

/// The absolute path of an argument: `~` is the home of who acts; relative paths start there too, on the machine that
/// we run on where it was started.
pub(crate) fn absolute(path: &str, look: &Look<'_>) -> Result<String, NotYet> {
    if is_absolute(path) {
        return Ok(clean(path));
    }
    let me = look.get(&Whoami)?;
    let (home, dir) = (me.home.clone(), me.dir.clone());
    let below = match path.strip_prefix('~') {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => rest,
        Some(_) => {
            let why = format!("the home that `{path}` starts with (only `~/` is known)");
            return Err(NotYet(why));
        }
        None => return Ok(clean(&join(&dir, path))),
    };
    Ok(clean(&join(&home, below)))
}

/// Links are followed so far.
const MAX_LINKS: usize = 8;

/// Where a path leads, its last part followed.
pub(crate) fn follow(path: &str, look: &Look<'_>) -> Result<String, NotYet> {
    follow_asking(path, look, |_| {})
}

/// The same; asks, together with what stands at the end of a link, what else has to be known of it.
pub(crate) fn follow_asking(
    path: &str,
    look: &Look<'_>,
    ask: impl Fn(&str),
) -> Result<String, NotYet> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        match look
            .get(&Stat(path.clone()))?
            .as_ref()
            .map(|stat| &stat.kind)
        {
            Some(Kind::Link(target)) => {
                path = joined(&path, target);
                ask(&path);
            }
            _ => return Ok(path),
        }
    }
    Err(NotYet(format!("the end of the links from `{path}`")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        assert_eq!(clean("/a//b/./c/"), "/a/b/c");
        assert_eq!(clean("/"), "/");
        assert_eq!(parent("/"), None);
        assert_eq!(parent("/a"), Some("/"));
        assert_eq!(ancestors("/a/b/c").collect::<Vec<_>>(), ["/a/b", "/a", "/"]);
        assert_eq!(join("/", "a"), "/a");
        assert_eq!(joined("/a/b", "../c/./d"), "/c/d");
        assert_eq!(name("files/app/"), "app");
    }
}
