//! Filters of paths. They look at the text only, but for `realpath`, which looks at this machine.

use std::path::{Component, Path, PathBuf};

use minijinja::{Environment, Error, value::Value as Jinja};

use super::{data::items, refuse};

pub(super) fn add(env: &mut Environment<'static>) {
    env.add_filter("basename", |path: String| {
        path.rsplit('/').next().unwrap_or_default().to_owned()
    });
    env.add_filter("dirname", dirname);
    env.add_filter("splitext", splitext);
    env.add_filter("normpath", |path: String| normal(&path));
    env.add_filter("expanduser", |path: String| match path.strip_prefix('~') {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => {
            format!("{}{rest}", std::env::var("HOME").unwrap_or_default())
        }
        _ => path,
    });
    env.add_filter("path_join", path_join);
    env.add_filter("relpath", |path: String, start: String| {
        relative(&path, &start)
    });
    env.add_filter("realpath", |path: String| {
        real(Path::new(&path)).to_string_lossy().into_owned()
    });
    env.add_filter("commonpath", common);
    env.add_filter("expandvars", |path: String| expand(&path));
    env.add_filter("win_basename", |path: String| {
        let rest = &path[drive(&path)..];
        rest[rest.rfind(SEPARATORS).map_or(0, |at| at + 1)..].to_owned()
    });
    env.add_filter("win_dirname", win_dirname);
    env.add_filter("win_splitdrive", |path: String| {
        let (drive, rest) = path.split_at(drive(&path));
        Jinja::from(vec![drive.to_owned(), rest.to_owned()])
    });
}

fn dirname(path: String) -> String {
    let Some(slash) = path.rfind('/') else {
        return String::new();
    };
    let dir = path[..slash].trim_end_matches('/');
    if dir.is_empty() {
        path[..=slash].to_owned()
    } else {
        dir.to_owned()
    }
}

fn splitext(path: String) -> Jinja {
    let name = path.rfind('/').map_or(0, |slash| slash + 1);
    let leading = path[name..].len() - path[name..].trim_start_matches('.').len();
    let dot = path[name + leading..]
        .rfind('.')
        .map(|dot| name + leading + dot);
    let (stem, extension) = path.split_at(dot.unwrap_or(path.len()));
    vec![stem.to_owned(), extension.to_owned()].into()
}

fn normal(path: &str) -> String {
    let root = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if root => {}
            part => parts.push(part),
        }
    }
    match (root, parts.join("/")) {
        (true, rest) => format!("/{rest}"),
        (false, rest) if rest.is_empty() => ".".to_owned(),
        (false, rest) => rest,
    }
}

fn path_join(parts: &Jinja) -> Result<String, Error> {
    let parts = match parts.as_str() {
        Some(text) => return Ok(text.to_owned()),
        None => items("path_join", parts)?,
    };
    let mut out = String::new();
    for part in parts {
        let part = part.to_string();
        if part.starts_with('/') {
            out = part;
        } else {
            if !out.is_empty() && !out.ends_with('/') {
                out.push('/');
            }
            out.push_str(&part);
        }
    }
    Ok(out)
}

fn relative(path: &str, start: &str) -> String {
    let (path, start) = (normal(path), normal(start));
    let (path, start): (Vec<&str>, Vec<&str>) = (
        path.split('/').filter(|part| !part.is_empty()).collect(),
        start.split('/').filter(|part| !part.is_empty()).collect(),
    );
    let common = path.iter().zip(&start).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..", start.len() - common);
    let parts: Vec<&str> = up.chain(path[common..].iter().copied()).collect();
    if parts.is_empty() {
        ".".to_owned()
    } else {
        parts.join("/")
    }
}

/// How many links are followed.
const LINKS: usize = 40;

/// The path without links, as far as there is something there; the rest as it is written.
fn real(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut left = LINKS;
    let mut rest: Vec<PathBuf> = parts(&path);
    let mut out = PathBuf::from("/");
    while let Some(part) = rest.pop() {
        match part.to_str() {
            Some("/") => out = PathBuf::from("/"),
            Some(".") => {}
            Some("..") => {
                out.pop();
            }
            _ => {
                let next = out.join(&part);
                match std::fs::read_link(&next) {
                    Ok(target) if left > 0 => {
                        left -= 1;
                        rest.extend(parts(&target));
                    }
                    _ => out = next,
                }
            }
        }
    }
    out
}

/// The parts of a path, the last one first.
fn parts(path: &Path) -> Vec<PathBuf> {
    let part = |part: Component<'_>| PathBuf::from(part.as_os_str());
    path.components().rev().map(part).collect()
}

/// What all paths begin with.
fn common(paths: &Jinja) -> Result<String, Error> {
    let paths: Vec<String> = items("commonpath", paths)?
        .iter()
        .map(ToString::to_string)
        .collect();
    let Some(first) = paths.first() else {
        return Err(refuse("`commonpath` of no paths"));
    };
    let root = first.starts_with('/');
    if paths.iter().any(|path| path.starts_with('/') != root) {
        return Err(refuse(
            "`commonpath` of paths of which some begin with `/`, and some do not",
        ));
    }
    let split = |path: &str| -> Vec<String> {
        let parts = path.split('/').filter(|part| !matches!(*part, "" | "."));
        parts.map(str::to_owned).collect()
    };
    let mut shared = split(first);
    for path in &paths[1..] {
        let parts = split(path);
        let same = shared.iter().zip(&parts).take_while(|(a, b)| a == b);
        shared.truncate(same.count());
    }
    Ok(format!(
        "{}{}",
        if root { "/" } else { "" },
        shared.join("/")
    ))
}

/// `$NAME` and `${NAME}` of this machine's environment; others stay.
fn expand(text: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let braced = rest[1..].strip_prefix('{').and_then(|inner| {
            inner
                .split_once('}')
                .map(|(name, _)| (name, name.len() + 3))
        });
        let plain = || {
            let name = &rest[1..];
            let word = |c: char| !c.is_alphanumeric() && c != '_';
            let end = name.find(word).unwrap_or(name.len());
            (&name[..end], end + 1)
        };
        let (name, len) = braced.unwrap_or_else(plain);
        match std::env::var(name) {
            Ok(value) if !name.is_empty() => out.push_str(&value),
            _ => out.push_str(&rest[..len]),
        }
        rest = &rest[len..];
    }
    out + rest
}

const SEPARATORS: [char; 2] = ['\\', '/'];

/// How long the drive of a path of Windows is: `C:`, or `\\\\server\\share`.
fn drive(path: &str) -> usize {
    if path.starts_with(SEPARATORS) && path[1..].starts_with(SEPARATORS) {
        let share = path[2..].find(SEPARATORS).map(|at| at + 3);
        return share.map_or(path.len(), |share| {
            path[share..]
                .find(SEPARATORS)
                .map_or(path.len(), |at| share + at)
        });
    }
    let letter = path.chars().next().map_or(0, char::len_utf8);
    if path[letter..].starts_with(':') {
        letter + 1
    } else {
        0
    }
}

fn win_dirname(path: String) -> String {
    let start = drive(&path);
    let rest = &path[start..];
    let head = &rest[..rest.rfind(SEPARATORS).map_or(0, |at| at + 1)];
    let bare = head.trim_end_matches(SEPARATORS);
    let head = if bare.is_empty() { head } else { bare };
    format!("{}{head}", &path[..start])
}
