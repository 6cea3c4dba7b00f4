//! Filters of paths. They look at the text only.

use minijinja::{Environment, Error, value::Value as Jinja};

use super::data::items;

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
