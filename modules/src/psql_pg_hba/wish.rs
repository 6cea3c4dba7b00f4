//! The rules that a task asks for.

use std::net::IpAddr;

use evenkeel_engine::{Refusal, Text, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use super::{
    Args,
    address::{Net, Source},
    line::{self, Kind, Rule, Token},
};
use crate::{args::is_default, psql::quote};

pub use crate::presence::State;

/// One rule of `rules`; what it does not say is as for a single rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// As for a single rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contype: Option<Kind>,
    /// As for a single rule.
    #[serde(
        default,
        deserialize_with = "names",
        skip_serializing_if = "Option::is_none"
    )]
    pub databases: Option<Vec<String>>,
    /// As for a single rule.
    #[serde(
        default,
        deserialize_with = "names",
        skip_serializing_if = "Option::is_none"
    )]
    pub users: Option<Vec<String>>,
    /// As for a single rule.
    #[serde(
        default,
        alias = "source",
        alias = "src",
        skip_serializing_if = "Option::is_none"
    )]
    pub address: Option<String>,
    /// As for a single rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub netmask: Option<String>,
    /// As for a single rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<Method>,
    /// As for a single rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<Text>,
    /// As for a single rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// As for a single rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
}

/// How somebody shows who he is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// Not at all.
    Trust,
    /// He is turned away.
    Reject,
    /// By a password; its hash must be SCRAM.
    #[serde(rename = "scram-sha-256")]
    Scram,
    /// By a password, whatever its hash is.
    #[default]
    Md5,
    /// By a password that goes over the wire as it is.
    Password,
    /// By Kerberos.
    Gss,
    /// By Windows.
    Sspi,
    /// By the ident server of the other host.
    Ident,
    /// He is the user of that name on the host; for `local`.
    Peer,
    /// By a password that a directory knows.
    Ldap,
    /// By a password that a RADIUS server knows.
    Radius,
    /// By a certificate; for `hostssl`.
    Cert,
    /// By a password that PAM takes.
    Pam,
    /// By BSD Authentication.
    Bsd,
    /// By OAuth.
    Oauth,
}

impl Method {
    fn word(self) -> String {
        let value = serde_json::to_value(self).unwrap_or_default();
        value.as_str().unwrap_or_default().to_owned()
    }
}

/// A text with commas, or a list of names.
pub(super) fn names<'de, D>(deserializer: D) -> Result<Option<Vec<String>>, D::Error>
where
    D: Deserializer<'de>,
{
    let text = |value: &Value| {
        let text = value.as_text();
        text.ok_or_else(|| D::Error::custom("a name is no text"))
    };
    Ok(match Value::deserialize(deserializer)? {
        Value::Null => None,
        Value::Seq(items) => Some(items.iter().map(text).collect::<Result<_, _>>()?),
        one => Some(split(&text(&one)?)),
    })
}

/// Commas within quotes are none.
fn split(text: &str) -> Vec<String> {
    let (mut all, mut one, mut inside) = (Vec::new(), String::new(), false);
    for c in text.chars() {
        match c {
            ',' if !inside => all.push(std::mem::take(&mut one)),
            c => {
                inside ^= c == '"';
                one.push(c);
            }
        }
    }
    all.push(one);
    all.iter().map(|one| one.trim().to_owned()).collect()
}

/// A rule that is to be there or not.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    pub(super) rule: Rule,
    pub(super) comment: Option<String>,
    pub(super) state: State,
    /// Whether its options hold a secret.
    pub(super) secret: bool,
}

impl Args {
    /// What a single rule is made of, or the defaults of all.
    fn entry(&self) -> Entry {
        Entry {
            contype: self.contype,
            databases: self.databases.clone(),
            users: self.users.clone(),
            address: self.address.clone(),
            netmask: self.netmask.clone(),
            method: self.method,
            options: self.options.clone(),
            comment: self.comment.clone(),
            state: Some(self.state).filter(|state| !is_default(state)),
        }
    }

    /// All rules it asks for, one for each database and user.
    pub(super) fn wishes(&self) -> Result<Vec<Wish>, Refusal> {
        let own = self.entry();
        let mut wishes = Vec::new();
        match &self.rules {
            None if own.contype.is_some() => wishes = own.wishes(self.trust_input)?,
            None if own != Entry::default() => {
                return Err(Refusal::new("a rule needs `contype`")
                    .help("`local` for the socket of the host, `host` or `hostssl` for TCP"));
            }
            None => {}
            Some(rules) => {
                let combine = self.rules_behavior == super::Behavior::Combine;
                if !combine && own != Entry::default() {
                    return Err(Refusal::new("`rules` excludes the arguments of a single rule")
                        .help("with `rules_behavior: combine` they are what a rule does not say itself"));
                }
                for (at, rule) in rules.iter().enumerate() {
                    let rule = rule.clone().or(&own);
                    let of = |refusal: Refusal| Refusal {
                        message: format!("rule {} of `rules`: {}", at + 1, refusal.message),
                        ..refusal
                    };
                    if rule.contype.is_none() {
                        return Err(of(Refusal::new("it needs `contype`")));
                    }
                    wishes.extend(rule.wishes(self.trust_input).map_err(of)?);
                }
            }
        }
        at_odds(&wishes)?;
        Ok(wishes)
    }
}

/// Two rules of a task for the same connections would replace each other.
fn at_odds(wishes: &[Wish]) -> Result<(), Refusal> {
    for (at, one) in wishes.iter().enumerate() {
        for other in &wishes[at + 1..] {
            let both =
                one.rule.same_connections(&other.rule) && one.rule.kind.overlaps(other.rule.kind);
            if both && (one.state == other.state || one.rule.kind == other.rule.kind) {
                let columns = |wish: &Wish| wish.rule.columns()[..4].join(" ");
                let what = format!(
                    "two rules are for the same connections: `{}` and `{}`",
                    columns(one),
                    columns(other)
                );
                return Err(Refusal::new(what).help(
                    "leave one of them; `hostssl` and `hostnossl` are two halves of `host`",
                ));
            }
        }
    }
    Ok(())
}

impl Entry {
    /// What it does not say is as in the other.
    fn or(self, other: &Self) -> Self {
        let other = other.clone();
        Self {
            contype: self.contype.or(other.contype),
            databases: self.databases.or(other.databases),
            users: self.users.or(other.users),
            address: self.address.or(other.address),
            netmask: self.netmask.or(other.netmask),
            method: self.method.or(other.method),
            options: self.options.or(other.options),
            comment: self.comment.or(other.comment),
            state: self.state.or(other.state),
        }
    }

    fn wishes(&self, trust: bool) -> Result<Vec<Wish>, Refusal> {
        let kind = self.contype.unwrap_or(Kind::Host);
        let source = self.source(kind)?;
        let method = self.method.unwrap_or_default();
        let state = self.state.unwrap_or_default();
        if state == State::Present {
            fits(kind, method)?;
        }
        let options = self.options()?;
        let comment = self
            .comment
            .as_deref()
            .map(str::trim)
            .filter(|text| !text.is_empty());
        if comment.is_some_and(|text| text.contains(['\n', '\r', '\0']) || text.ends_with('\\')) {
            return Err(
                Refusal::new("`comment` is not one line, or ends with a `\\`")
                    .help("the server would take what follows for something else"),
            );
        }
        let all = vec!["all".to_owned()];
        let tokens = |what: &str, names: &Option<Vec<String>>| {
            let names = names.as_ref().unwrap_or(&all);
            if names.is_empty() {
                return Err(Refusal::new(format!("`{what}` is empty")));
            }
            names
                .iter()
                .map(|name| token(what, name, trust))
                .collect::<Result<Vec<_>, _>>()
        };
        let users = tokens("users", &self.users)?;
        let mut wishes = Vec::new();
        for database in tokens("databases", &self.databases)? {
            wishes.extend(users.iter().map(|user| Wish {
                rule: Rule {
                    kind,
                    databases: vec![database.clone()],
                    users: vec![user.clone()],
                    source: source.clone(),
                    method: method.word(),
                    options: options.clone(),
                },
                comment: comment.map(ToOwned::to_owned),
                state,
                secret: self.options.as_ref().is_some_and(Text::is_secret),
            }));
        }
        Ok(wishes)
    }

    fn source(&self, kind: Kind) -> Result<Source, Refusal> {
        if kind == Kind::Local {
            if self.address.is_some() || self.netmask.is_some() {
                return Err(Refusal::new("`contype: local` has no `address`")
                    .help("it is for the socket of the host; for TCP it is `host`"));
            }
            return Ok(Source::Socket);
        }
        let text = self.address.as_deref().unwrap_or("samehost").trim();
        let address = text.parse::<IpAddr>();
        let source = match (address, self.netmask.as_deref()) {
            (Ok(address), None) => Ok(Source::Net(Net::one(address))),
            (Ok(address), Some(mask)) => Net::masked(address, mask.trim()).map(Source::Net),
            (Err(_), Some(_)) => Err(format!(
                "`netmask` needs an IP address, and `{text}` is none"
            )),
            (Err(_), None) => match text
                .strip_prefix('"')
                .and_then(|text| text.strip_suffix('"'))
            {
                Some(name) => Source::name(name),
                None => Source::parse(text),
            },
        };
        let help = "as `10.0.0.0/8`, `2001:db8::/32`, `db.example.org`, `.example.org`, `all`";
        source.map_err(|why| Refusal::new(format!("`address`: {why}")).help(help))
    }

    fn options(&self) -> Result<Vec<Token>, Refusal> {
        let Some(options) = &self.options else {
            return Ok(Vec::new());
        };
        let text = String::from_utf8_lossy(options.bytes());
        if text.contains(['\n', '\r', '\0']) || text.ends_with('\\') {
            return Err(Refusal::new(
                "`options` is not one line, or ends with a `\\`",
            ));
        }
        let (columns, comment) = line::columns(&text);
        if comment.is_some() {
            return Err(
                Refusal::new("`options` holds a `#`, where a comment begins")
                    .help("put the option in quotes; a comment is `comment`"),
            );
        }
        let tokens: Vec<Token> = columns.into_iter().flatten().collect();
        if tokens.iter().any(|token| !token.text.contains('=')) {
            return Err(Refusal::new("`options` holds a word without `=`")
                .help("as `map=users` or `clientcert=verify-ca`, with spaces between"));
        }
        Ok(tokens)
    }
}

/// What the server refuses.
fn fits(kind: Kind, method: Method) -> Result<(), Refusal> {
    let only = match method {
        Method::Peer if kind != Kind::Local => "local",
        Method::Cert if kind != Kind::HostSsl => "hostssl",
        Method::Gss | Method::Sspi if kind == Kind::Local => "host",
        _ => return Ok(()),
    };
    let what = format!(
        "`method: {}` does not go with `contype: {}`",
        method.word(),
        kind.word()
    );
    Err(Refusal::new(what).help(format!("it is for `{only}` only")))
}

fn token(what: &str, name: &str, trust: bool) -> Result<Token, Refusal> {
    if name.is_empty() {
        return Err(Refusal::new(format!("a name in `{what}` is empty")));
    }
    if name.contains(['\n', '\r', '\0']) {
        let why = "contains the end of a line, which cannot be written there";
        return Err(Refusal::new(format!("a name in `{what}` {why}")));
    }
    if !trust {
        quote::check_trust(what, &name.into())?;
    }
    Ok(Token::said(name))
}
