//! `url`: what a server answers, asked by this machine when a task's turn has come.

use std::{fmt::Display, time::Duration};

use evenkeel_download::{Bounds, answer};
use evenkeel_engine::{Text, Value, download::Order};
use minijinja::{
    Error, State,
    value::{Kwargs, Value as Jinja, ValueKind},
};

use super::{refuse, runs::at_turn};
use crate::template::{session, value::read};

/// How long an answer may take as a whole; `timeout` bounds each pause in it.
const BOUND: Duration = Duration::from_secs(120);

/// How many bytes it may have.
const MOST: usize = 64 << 20;

/// Options that need what is not here, with what to do instead.
const MISSING: [(&str, &str); 5] = [
    ("ca_path", "add the authority to those of this machine"),
    (
        "ciphers",
        "leave it away: TLS 1.2 and 1.3 are spoken, with their safe ciphers",
    ),
    ("unix_socket", "`lookup('pipe', 'curl --unix-socket …')`"),
    ("unredirected_headers", "`follow_redirects='none'`"),
    ("use_gssapi", "`lookup('pipe', 'curl --negotiate …')`"),
];

/// What is asked of each address.
struct Asked {
    order: Order,
    bounds: Bounds,
    by_lines: bool,
}

/// The lines of each answer, or all of it as one text.
pub(super) fn of(
    state: &State<'_, '_>,
    terms: &[Jinja],
    kwargs: &Kwargs,
) -> Result<Vec<Jinja>, Error> {
    let asked = Asked::of(state, kwargs)?;
    kwargs.assert_all_used()?;
    let mut found = Vec::new();
    for term in terms {
        let url = term.to_string();
        let scheme = url
            .split_once("://")
            .map(|(scheme, _)| scheme.to_lowercase());
        if !matches!(scheme.as_deref(), Some("http" | "https")) {
            return Err(wrong(format!(
                "an address begins with `https://` or `http://`, and {} does not",
                shown(&url)
            )));
        }
        at_turn("url", "gets")?;
        let order = Order {
            url: Text::from(url.clone()),
            ..asked.order.clone()
        };
        let bytes = answer(&order, asked.bounds)
            .map_err(|error| wrong(format!("{}: {error}", shown(&url))))?;
        let text = String::from_utf8_lossy(&bytes);
        if asked.by_lines {
            found.extend(lines(&text).map(Jinja::from));
        } else {
            found.push(Jinja::from(text.as_ref()));
        }
    }
    Ok(found)
}

impl Asked {
    fn of(state: &State<'_, '_>, kwargs: &Kwargs) -> Result<Self, Error> {
        let given = |name: &str| -> Result<Option<Jinja>, Error> {
            let named = kwargs.get::<Option<Jinja>>(name)?;
            let variable = match name {
                "http_agent" => "agent",
                "unredirected_headers" => "unredir_headers",
                // For these Ansible reads no variable.
                "validate_certs" | "split_lines" | "use_proxy" | "username" | "password"
                | "headers" => return Ok(named),
                other => other,
            };
            let variable = || state.lookup(&format!("ansible_lookup_url_{variable}"));
            let value = named.or_else(variable);
            Ok(value.filter(|value| !value.is_undefined() && !value.is_none()))
        };
        let flag = |name: &str, default: bool| match given(name)? {
            None => Ok(default),
            Some(value) => truth(&value)
                .ok_or_else(|| wrong(format!("`{name}` is true or false, not `{value}`"))),
        };
        for (name, instead) in MISSING {
            let value = given(name)?;
            if value.is_some_and(|value| value.is_true() && truth(&value) != Some(false)) {
                return Err(wrong(format!("there is no `{name}` here: {instead}")));
            }
        }
        // A login is sent with the first request, and none is taken of `~/.netrc`.
        flag("force_basic_auth", false)?;
        if kwargs.has("use_netrc") && flag("use_netrc", false)? {
            return Err(wrong(
                "`~/.netrc` is not read: give `username` and `password`",
            ));
        }
        let mut order = Order::new("");
        order.verify = flag("validate_certs", true)?;
        order.proxy = flag("use_proxy", true)?;
        let agent = given("http_agent")?.map(|agent| agent.to_string());
        order.agent = Some(agent.unwrap_or_else(|| "ansible-httpget".to_owned()));
        if let Some(timeout) = given("timeout")? {
            let seconds = timeout.to_string().parse::<f64>().ok();
            let seconds = seconds.filter(|seconds| (0.0..=3600.0).contains(seconds));
            let seconds = seconds.ok_or_else(|| {
                wrong(format!(
                    "`timeout` is a number of seconds, up to 3600, not `{timeout}`"
                ))
            })?;
            // As whole seconds, and at least one: without time there is no answer.
            order.timeout = Duration::from_secs_f64(seconds.ceil().max(1.0))
                .as_secs()
                .try_into()
                .unwrap_or(u32::MAX);
        }
        if let Some(user) = given("username")? {
            let password = given("password")?.map_or_else(String::new, |it| it.to_string());
            order.login = Some((Text::from(user.to_string()), Text::from(password)));
        } else {
            given("password")?;
        }
        order.headers = headers(given("headers")?)?;
        if flag("force", false)? {
            let no_cache = Text::from("no-cache".to_owned());
            order.headers.push(("cache-control".to_owned(), no_cache));
        }
        let redirects = given("follow_redirects")?.map(|it| it.to_string().to_lowercase());
        let redirects = match redirects.as_deref() {
            None | Some("urllib2" | "safe" | "all" | "yes" | "true") => true,
            Some("none" | "no" | "false") => false,
            Some(other) => {
                return Err(wrong(format!(
                    "`follow_redirects` is `safe`, `all` or `none`, not `{other}`"
                )));
            }
        };
        Ok(Self {
            bounds: Bounds {
                time: BOUND.max(Duration::from_secs(order.timeout.into())),
                bytes: MOST,
                redirects,
            },
            order,
            by_lines: flag("split_lines", true)?,
        })
    }
}

fn headers(given: Option<Jinja>) -> Result<Vec<(String, Text)>, Error> {
    let Some(given) = given else {
        return Ok(Vec::new());
    };
    let map = match (given.kind(), read(&given)?) {
        (ValueKind::Map, Value::Map(map)) => map,
        (kind, _) => {
            return Err(wrong(format!("`headers` is a map, not a {kind}")));
        }
    };
    let one = |(name, value): (String, Value)| {
        let value = match &value {
            Value::Secret(secret) => Text::Secret(secret.clone()),
            other => Text::from(other.as_text().ok_or_else(|| {
                wrong(format!(
                    "the header `{name}` is a text, not {}",
                    other.kind()
                ))
            })?),
        };
        Ok((name, value))
    };
    map.into_iter().map(one).collect()
}

/// As Ansible reads what is true or false.
fn truth(value: &Jinja) -> Option<bool> {
    match value.to_string().to_lowercase().as_str() {
        "true" | "yes" | "on" | "1" | "1.0" | "y" | "t" => Some(true),
        "false" | "no" | "off" | "0" | "0.0" | "n" | "f" => Some(false),
        _ => None,
    }
}

/// An end of a line is one of those that web servers send; the last line needs none.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let text = text
        .strip_suffix("\r\n")
        .or_else(|| text.strip_suffix(['\n', '\r']))
        .map_or((text, text.is_empty()), |rest| (rest, false));
    let (text, is_empty) = text;
    let mut rest = (!is_empty).then_some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some(at) = text.find(['\n', '\r']) else {
            rest = None;
            return Some(text);
        };
        let end = at + if text[at..].starts_with("\r\n") { 2 } else { 1 };
        rest = Some(&text[end..]);
        Some(&text[..at])
    })
}

/// An address for people: without a login, and not at all if a secret may be in it.
fn shown(url: &str) -> String {
    if session::has_secret() {
        return "the address".to_owned();
    }
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("`{scheme}://***@{}`", &rest[at + 1..]),
        None => format!("`{url}`"),
    }
}

fn wrong(what: impl Display) -> Error {
    refuse(format!("`lookup('url', …)`: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_as_they_do_for_servers() {
        let all = |text| lines(text).collect::<Vec<_>>();
        assert_eq!(all("a\r\nb\rc\n\nd"), ["a", "b", "c", "", "d"]);
        assert_eq!(all("a\n"), ["a"]);
        assert_eq!(all("\n"), [""]);
        assert_eq!(all(""), [""; 0]);
        assert_eq!(all("a\n\n"), ["a", ""]);
    }

    #[test]
    fn an_address_is_shown_without_a_login() {
        assert_eq!(shown("http://u:p@h/x@y"), "`http://***@h/x@y`");
        assert_eq!(shown("http://h/x@y"), "`http://h/x@y`");
    }
}
