//! What a server answers to a request that the host sends.

mod answer;
mod body;
mod step;

use std::collections::BTreeMap;

use evenkeel_engine::{
    Cause, Change, Done, Late, Map, Module, Nature, NotYet, Plan, Probes, Refusal, Seen, Stop,
    Text, Thing, Touches, Value,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use body::Format;

use crate::{
    args::is_default,
    command::{Decision, Guards, shown},
    download::{self, Request},
    look::Look,
    many::{comma_list, one_or_many},
    mode::Mode,
    paths,
};

/// The module `uri`.
#[derive(Debug)]
pub struct Uri;

/// Which redirects are followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Follow {
    /// Those of `GET` and `HEAD`.
    #[default]
    #[serde(alias = "urllib2")]
    Safe,
    /// All.
    #[serde(alias = "yes")]
    All,
    /// None: the redirect is the answer.
    #[serde(alias = "no")]
    None,
}

/// Arguments of `uri`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The address: `https://` or `http://`.
    pub url: Late<Text>,
    /// The method, in any case; `GET` if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// What is sent: a text, or what `body_format` makes one of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<serde_json::Value>")]
    pub body: Option<Late<Value>>,
    /// What the body is: `raw` (the default), `json`, `form-urlencoded` or `form-multipart`. All but `raw` set
    /// `Content-Type` if `headers` does not.
    #[serde(default, skip_serializing_if = "is_default")]
    pub body_format: Format,
    /// A file of the host to be sent instead of `body`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub src: Option<String>,
    /// Must be set with `src`: files of the controller are not sent.
    #[serde(default, skip_serializing_if = "is_default")]
    pub remote_src: bool,
    /// The answers that are good: a number, several with commas, or a list; 200 if unset. -1 stands for no answer.
    #[serde(
        default,
        deserialize_with = "comma_list",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub status_code: Vec<String>,
    /// Headers of the request.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, Late<Text>>,
    /// Whether what was answered is in the result as `content`; of JSON it always is, as `json`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub return_content: bool,
    /// Sends nothing if these paths of the host exist; patterns are allowed.
    #[serde(
        default,
        deserialize_with = "one_or_many",
        skip_serializing_if = "is_default"
    )]
    pub creates: Vec<String>,
    /// Sends nothing if none of these paths of the host exists; patterns are allowed.
    #[serde(
        default,
        deserialize_with = "one_or_many",
        skip_serializing_if = "is_default"
    )]
    pub removes: Vec<String>,
    /// A file of the host for the answer, or a directory that is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dest: Option<String>,
    /// Owner of `dest`: name or number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Group of `dest`: name or number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Permission bits of `dest`: `"0644"` or `u=rw,go=r`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// Which redirects are followed: `safe` (the default), `all` or `none`.
    #[serde(
        default,
        deserialize_with = "follow",
        skip_serializing_if = "is_default"
    )]
    pub follow_redirects: Follow,
    /// How many seconds a connection, and a pause in the answer, may take; 30 if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u32>,
    /// Who logs in.
    #[serde(
        default,
        alias = "user",
        alias = "username",
        skip_serializing_if = "Option::is_none"
    )]
    pub url_username: Option<Late<Text>>,
    /// The password.
    #[serde(default, alias = "password", skip_serializing_if = "Option::is_none")]
    pub url_password: Option<Late<Text>>,
    /// The login is always sent with the first request.
    #[serde(default, skip_serializing_if = "is_default")]
    pub force_basic_auth: bool,
    /// Whether the certificate of the server must be good (the default).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validate_certs: Option<bool>,
    /// A file of the host with certificates of authorities.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_path: Option<String>,
    /// A file of the host with the client's certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_cert: Option<String>,
    /// A file of the host with its key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_key: Option<String>,
    /// What the client calls itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_agent: Option<String>,
    /// A socket of the host through which the server is reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unix_socket: Option<String>,
    /// Whether a proxy of the environment is used (the default).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub use_proxy: Option<bool>,
}

/// A word, or yes or no.
fn follow<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Follow, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(Follow::Safe),
        Value::Bool(true) => Ok(Follow::All),
        Value::Bool(false) => Ok(Follow::None),
        other => Follow::deserialize(&other).map_err(serde::de::Error::custom),
    }
}

impl Module for Uri {
    const NAME: &'static str = "uri";
    const ALIASES: &'static [&'static str] = &["ansible.builtin.uri", "ansible.legacy.uri"];
    /// What it asks may depend on all before it, and what it sends may change anything.
    const NATURE: Nature = Nature::Command;
    const ABOUT: &'static str = "sends a request to a web server";
    const EXAMPLE: &'static str = "\
- name: the scheduler is healthy
  uri:
    url: http://localhost:8080/health
    status_code: [200, 204]
    return_content: true
  register: health
";
    const CHANGED_WHEN: &'static str = "\
`dest` did not hold what was answered, or its owner, group or mode differed. Without `dest` never, whatever the \
method: only you know what a request does (say it with `changed_when`).";
    const LIMITS: &'static str = "\
The host sends the request, with its `curl`, else its `wget`; addresses are `http` and `https`. In check mode nothing \
is sent, not even a `GET`: the server may be one that an earlier task starts, so the result is unknown. Of an answer \
the result holds at most 700000 bytes; a longer one with `return_content` fails: use `dest`. `dest` is compared with \
what comes; `If-Modified-Since` is not sent. wget knows no `unix_socket`. Only files of the host are sent with `src`.";
    type Args = Args;
    type Output = Map;

    fn check(args: &Args) -> Result<(), Refusal> {
        args.check()
    }

    fn observe(args: &Args, seen: &Seen) -> Probes {
        let mut probes = args.guards().observe(seen);
        probes.extend(Look::observe(seen, |look| args.plan(look, Cause::Act)));
        probes
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        match args.guards().decide(seen)? {
            Decision::Rest(guard, _) => Ok(Plan::guarded(guard)),
            Decision::Run(cause) => args.plan(&Look::new(seen), cause),
        }
    }

    fn output(args: &Args, after: &Seen, done: &[Done]) -> Result<Map, Stop> {
        let Some(done) = done.last() else {
            return match args.guards().decide(after)? {
                Decision::Rest(_, why) => {
                    Ok(Map::from_iter([("msg".to_owned(), why.message().into())]))
                }
                Decision::Run(_) => Err(NotYet::new("what the server answers").into()),
            };
        };
        let mut result = answer::result(done);
        if args.dest.is_some() {
            let dest = args.dest(&Look::new(after))?;
            result.insert("path".to_owned(), dest.map_or(Value::Null, Value::from));
        }
        Ok(result)
    }

    fn touches(args: &Args) -> Touches {
        if args.dest.is_none() && args.only_reads() {
            return Touches::nothing().reading([Thing::Everything]);
        }
        Touches::everything()
    }

    fn subject(args: &Args) -> String {
        let url = match &args.url {
            Late::Known(url) => Request::new(url.clone()).shown(),
            url @ Late::NotYet(_) => shown(url),
        };
        format!("{} {url}", args.method())
    }
}

impl Args {
    fn method(&self) -> String {
        self.method.as_deref().unwrap_or("GET").to_ascii_uppercase()
    }

    fn only_reads(&self) -> bool {
        matches!(self.method().as_str(), "GET" | "HEAD" | "OPTIONS")
    }

    fn guards(&self) -> Guards<'_> {
        Guards {
            creates: &self.creates,
            removes: &self.removes,
            unless: &[],
            onlyif: &[],
            chdir: None,
        }
    }

    fn check(&self) -> Result<(), Refusal> {
        let method = self.method();
        if method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Err(Refusal::new(format!("`{method}` is no method of HTTP")));
        }
        if self.body.is_some() && self.src.is_some() {
            return Err(Refusal::new("`body` and `src` exclude each other"));
        }
        if self.src.is_some() && !self.remote_src {
            let help = "set `remote_src: true` for a file of the host, or write `body: \"{{ lookup('file', …) }}\"`";
            return Err(Refusal::new("`src` is a file of the controller").help(help));
        }
        if self.url_password.is_some() && self.url_username.is_none() {
            return Err(Refusal::new("`url_password` without `url_username`"));
        }
        if self.timeout == Some(0) {
            return Err(Refusal::new("`timeout: 0` leaves no time"));
        }
        if [&self.dest, &self.src]
            .into_iter()
            .flatten()
            .any(String::is_empty)
        {
            return Err(Refusal::new("`dest` or `src` is empty"));
        }
        let attributes = self.owner.is_some() || self.group.is_some() || self.mode.is_some();
        if attributes && self.dest.is_none() {
            return Err(Refusal::new(
                "`owner`, `group` and `mode` are about a `dest`, which is not given",
            ));
        }
        let good = |code: &&String| {
            code.parse()
                .is_ok_and(|code: i32| code == -1 || (100..600).contains(&code))
        };
        if let Some(code) = self.status_code.iter().find(|code| !good(code)) {
            return Err(
                Refusal::new(format!("`status_code: {code}` is no status of an answer"))
                    .help("it is a number from 100 to 599"),
            );
        }
        // What can be said of the rest is said when it is known.
        if let Ok(request) = self.request() {
            request.check()?;
        }
        match &self.body {
            Some(Late::Known(body)) => body::encode(body, self.body_format).map(drop),
            _ => Ok(()),
        }?;
        self.guards().check()
    }

    fn request(&self) -> Result<Request, NotYet> {
        let text =
            |text: &Option<Late<Text>>| text.as_ref().map(|text| text.get().cloned()).transpose();
        let headers = self
            .headers
            .iter()
            .map(|(name, value)| Ok((name.clone(), value.get()?.clone())));
        Ok(Request {
            url: self.url.get()?.clone(),
            headers: headers.collect::<Result<_, NotYet>>()?,
            user: text(&self.url_username)?,
            password: text(&self.url_password)?,
            timeout: self.timeout.unwrap_or(30),
            verify: self.validate_certs.unwrap_or(true),
            proxy: self.use_proxy.unwrap_or(true),
            agent: self.http_agent.clone(),
            authorities: self.ca_path.clone(),
            certificate: self.client_cert.clone(),
            key: self.client_key.clone(),
        })
    }

    fn follows(&self) -> bool {
        match self.follow_redirects {
            Follow::Safe => matches!(self.method().as_str(), "GET" | "HEAD"),
            Follow::All => true,
            Follow::None => false,
        }
    }

    fn dest(&self, look: &Look<'_>) -> Result<Option<String>, NotYet> {
        self.dest
            .as_deref()
            .map(|dest| paths::absolute(dest, look))
            .transpose()
    }

    fn plan(&self, look: &Look<'_>, cause: Cause) -> Result<Plan, Stop> {
        let (dest, src) = (
            self.dest(look),
            self.src
                .as_deref()
                .map(|src| paths::absolute(src, look))
                .transpose(),
        );
        download::tool(look)?;
        let request = self.request()?;
        request.check()?;
        let body = match &self.body {
            Some(body) => Some(body::encode(body.get()?, self.body_format)?),
            None => None,
        };
        let step = step::Sent {
            args: self,
            request: &request,
            body: body.as_ref(),
            src: src?.as_deref(),
            dest: dest?.as_deref(),
        }
        .step();
        let cause = match cause {
            _ if self.dest.is_none() => Cause::Asks,
            Cause::Guard(which) => Cause::Guard(which),
            _ => Cause::Act,
        };
        let what = format!("{} {}", self.method(), request.shown());
        Ok(Change::new(what, Value::Null, Value::Null)
            .step(step)
            .because(cause)
            .into())
    }
}
