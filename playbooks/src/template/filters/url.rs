//! The filter `urlsplit`.

use minijinja::{Environment, Error, value::Value as Jinja};

use super::refuse;

pub(super) fn add(env: &mut Environment<'static>) {
    env.add_filter("urlsplit", urlsplit);
}

/// What is before a colon, if it can be a scheme.
fn scheme(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = url.split_once(':')?;
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    let fits = scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.bytes().all(letter);
    fits.then_some((scheme, rest))
}

/// The parts of an address, or one of them.
fn urlsplit(url: String, wanted: Option<String>) -> Result<Jinja, Error> {
    let (scheme, rest) = scheme(&url).unwrap_or(("", &url));
    let (netloc, rest) = match rest.strip_prefix("//") {
        Some(rest) => rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len())),
        None => ("", rest),
    };
    let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (user, server) = match netloc.rsplit_once('@') {
        Some((user, server)) => (Some(user), server),
        None => (None, netloc),
    };
    let (user, password) = match user.and_then(|user| user.split_once(':')) {
        Some((user, password)) => (Some(user), Some(password)),
        None => (user, None),
    };
    // An address of IPv6 has colons of its own.
    let (name, port) = match server.strip_prefix('[').and_then(|it| it.split_once(']')) {
        Some((name, after)) => (name, after.strip_prefix(':')),
        None => match server.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (server, None),
        },
    };
    let port = match port.filter(|port| !port.is_empty()) {
        None => None,
        Some(port) => Some(
            port.parse::<u16>()
                .map_err(|_| refuse(format!("`urlsplit`: `{port}` is not the number of a port")))?,
        ),
    };
    let name = Some(name.to_lowercase()).filter(|name| !name.is_empty());
    let parts = [
        ("fragment", Jinja::from(fragment)),
        ("hostname", Jinja::from(name)),
        ("netloc", Jinja::from(netloc)),
        ("password", Jinja::from(password)),
        ("path", Jinja::from(path)),
        ("port", Jinja::from(port)),
        ("query", Jinja::from(query)),
        ("scheme", Jinja::from(scheme.to_lowercase())),
        ("username", Jinja::from(user)),
    ];
    match wanted {
        None => Ok(Jinja::from_pairs(parts)),
        Some(wanted) => parts
            .into_iter()
            .find(|(name, _)| *name == wanted)
            .map(|(_, value)| value)
            .ok_or_else(|| refuse(format!("`urlsplit`: a URL has no part `{wanted}`"))),
    }
}
