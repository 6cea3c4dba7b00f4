//! Keys by which apt knows who signed lists of packages, as the program `apt-key` keeps them.

mod ring;

use evenkeel_engine::{
    Change, Content, Done, Effect, Module, NotYet, Plan, Probe as _, Probes, Refusal, Run, Seen,
    Step, Stop, Thing, Touches, Value,
    probes::{Contents, Whoami},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::ring::{AptKeys, Keys, Ring};
use crate::{
    args::is_default,
    download::{Fetched, Request, small, tool},
    look::Look,
    many::{is_yes, yes},
    paths,
    pgp::{self, Key},
};

pub use crate::presence::State;

/// The module `apt_key`.
#[derive(Debug)]
pub struct AptKey;

/// Arguments of `apt_key`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The key's id: 8, 16 or 40 hexadecimal digits. Of an address whose key is there by it nothing is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// An address that has the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The key itself, in armor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
    /// A file of the host that has the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// A server of keys that has it by its `id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keyserver: Option<String>,
    /// The file of keys that it belongs to, `/etc/apt/trusted.gpg.d/NAME.gpg`; if unset, all that apt has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keyring: Option<String>,
    /// Whether it is there.
    #[serde(default, skip_serializing_if = "is_default")]
    pub state: State,
    /// Whether the certificate of the server must be good (the default).
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub validate_certs: bool,
}

/// What `register` gives.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Output {
    /// The id, as it was given or as the key has it.
    pub id: String,
    /// The same.
    pub fp: String,
    /// The same, without `0x`.
    pub key_id: String,
    /// Its last eight digits.
    pub short_id: String,
    /// The ids of all keys and subkeys that are there then.
    pub after: Vec<String>,
}

/// Where a key comes from.
#[derive(Debug)]
enum Origin<'a> {
    Data(&'a str),
    File(&'a str),
    Web(Request),
    Server(&'a str),
}

impl Args {
    fn origin(&self) -> Option<Origin<'_>> {
        let web = |url: &String| {
            Origin::Web(Request {
                verify: self.validate_certs,
                ..Request::new(url.as_str())
            })
        };
        let data = self.data.as_deref().map(Origin::Data);
        let file = self.file.as_deref().map(Origin::File);
        let server = self.keyserver.as_deref().map(Origin::Server);
        data.or(file).or(self.url.as_ref().map(web)).or(server)
    }

    /// The id in upper-case digits.
    fn bare_id(&self) -> Option<String> {
        let id = self.id.as_deref()?.trim().to_ascii_uppercase();
        let id: String = id.chars().filter(|c| !c.is_whitespace()).collect();
        Some(id.strip_prefix("0X").unwrap_or(&id).to_owned())
    }

    fn keys(&self) -> AptKeys {
        AptKeys(self.keyring.clone())
    }

    /// The keys of what names them, and as they came; nothing where only a server knows them.
    fn come(&self, look: &Look<'_>) -> Result<Option<(Vec<Key>, Content)>, Stop> {
        let (content, shown) = match self.origin() {
            None | Some(Origin::Server(_)) => return Ok(None),
            Some(Origin::Data(text)) => (Content::from(text), "the text in `data`".to_owned()),
            Some(Origin::File(path)) => {
                let path = paths::absolute(path, look)?;
                let read = look.get(&Contents(path.clone()))?.as_ref();
                let bytes = read.ok_or_else(|| NotYet(format!("the file `{path}` (a key)")))?;
                (bytes.clone().into(), format!("`{path}`"))
            }
            Some(Origin::Web(request)) => {
                let (content, _) = small(look, &request, pgp::BEGIN)?;
                (content, format!("`{}`", request.shown()))
            }
        };
        let Content::Plain(bytes) = &content else {
            let what = format!(
                "{shown} is not in armor, and the host has neither `curl` nor `wget` to get it with"
            );
            return Err(Refusal::new(what)
                .help("install one of them on the host, or name an address of the key in armor")
                .into());
        };
        let keys = pgp::keys(bytes).map_err(|why| {
            Refusal::new(format!("{shown} is no key for apt: {why}"))
                .help("a public key in armor begins with `-----BEGIN PGP PUBLIC KEY BLOCK-----`")
        })?;
        if let Some(id) = self.bare_id()
            && !keys.iter().any(|key| has(&key.fingerprints, &id))
        {
            let all: Vec<&str> = keys
                .iter()
                .map(|key| key.fingerprints[0].as_str())
                .collect();
            return Err(Refusal::new(format!("{shown} has no key `{id}`"))
                .help(format!(
                    "it has {}; ask its owner which is right",
                    all.join(", ")
                ))
                .into());
        }
        Ok(Some((keys, content)))
    }

    fn argv<'a>(&'a self, rest: &[&'a str]) -> Vec<&'a str> {
        let mut argv = vec!["apt-key"];
        if let Some(ring) = &self.keyring {
            argv.extend(["--keyring", ring]);
        }
        argv.extend(rest);
        argv
    }
}

/// Whether one of the fingerprints ends so.
fn has(prints: &[String], id: &str) -> bool {
    prints.iter().any(|print| print.ends_with(id))
}

impl Module for AptKey {
    const NAME: &'static str = "apt_key";
    const ALIASES: &'static [&'static str] = &["ansible.builtin.apt_key", "ansible.legacy.apt_key"];
    const ABOUT: &'static str = "keeps keys that apt trusts for all sources, by `apt-key`";
    const EXAMPLE: &'static str = "\
- apt_key:
    id: 3B4FE6ACC0B21F329BC04D2A5E5B8C328483C65D
    url: https://packages.example.com/key.asc
    keyring: /etc/apt/trusted.gpg.d/tools.gpg
";
    const CHANGED_WHEN: &'static str =
        "A key is not there that should be, or is there though it should not be.";
    const LIMITS: &'static str = "\
        Debian 13 and Ubuntu 26.04 have no `apt-key`: there a key is a file that its source names by `signed-by`, which \
        `get_url` brings, or `deb822_repository`. Keys of version 4 are read, which are all but the newest. An address \
        without an `id` is asked each time.";
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        let all = [
            ("data", &args.data),
            ("file", &args.file),
            ("url", &args.url),
            ("keyserver", &args.keyserver),
        ];
        let given: Vec<&str> = all
            .iter()
            .filter(|(_, text)| text.is_some())
            .map(|(name, _)| *name)
            .collect();
        if let [one, other, ..] = &given[..] {
            return Err(
                Refusal::new(format!("`{one}` and `{other}` are both given"))
                    .help("a key comes from one of `url`, `data`, `file` and `keyserver`"),
            );
        }
        if let Some(id) = args.bare_id()
            && !(matches!(id.len(), 8 | 16 | 40) && id.bytes().all(|b| b.is_ascii_hexdigit()))
        {
            return Err(Refusal::new(format!("`{id}` is no id of a key")).help(
                "it has 8, 16 or, best, 40 hexadecimal digits, as `gpg --show-keys` prints them",
            ));
        }
        if given.is_empty() && (args.state == State::Present || args.id.is_none()) {
            return Err(Refusal::new("nothing says which key").help(
                "to add one, `url`, `data`, `file` or `keyserver` has it; to remove one, its `id` is enough",
            ));
        }
        if args.keyserver.is_some() && args.id.is_none() {
            return Err(Refusal::new("`keyserver` without `id`")
                .help("a server of keys is asked by the fingerprint of a key"));
        }
        if let Some(ring) = &args.keyring
            && !paths::is_absolute(ring)
        {
            return Err(Refusal::new(format!("`keyring: {ring}` is no whole path"))
                .help("it is `/etc/apt/trusted.gpg.d/NAME.gpg`"));
        }
        match args.origin() {
            Some(Origin::Web(request)) => request.check(),
            _ => Ok(()),
        }
    }

    fn observe(args: &Args, seen: &Seen) -> Probes {
        Look::observe(seen, |look| decide(args, look))
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        decide(args, &Look::new(seen))
    }

    fn output(args: &Args, after: &Seen, _: &[Done]) -> Result<Output, Stop> {
        let look = Look::new(after);
        let Ring::Keys(keys) = look.get(&args.keys())? else {
            return Err(NotYet::new("`apt-key` on the host").into());
        };
        let bare = args.bare_id();
        let digits = bare.as_ref().map_or(16, String::len);
        let tail = |print: &str| print[print.len().saturating_sub(digits)..].to_owned();
        let key_id = match bare {
            Some(id) => id,
            None => match args.come(&look)? {
                Some((keys, _)) => tail(&keys[0].fingerprints[0]),
                None => String::new(),
            },
        };
        let short = key_id.len().saturating_sub(8);
        Ok(Output {
            id: args.id.clone().unwrap_or_else(|| key_id.clone()),
            fp: key_id.clone(),
            short_id: key_id[short..].to_owned(),
            key_id,
            after: keys.iter().flatten().map(|print| tail(print)).collect(),
        })
    }

    fn touches(args: &Args) -> Touches {
        let reads = match args.origin() {
            Some(Origin::File(path)) if !paths::is_absolute(path) => {
                return Touches::everything();
            }
            Some(Origin::File(path)) => Some(Thing::Path(paths::clean(path))),
            _ => None,
        };
        Touches::writes(args.keys().reads()).reading(reads)
    }

    fn subject(args: &Args) -> String {
        match (&args.id, args.origin()) {
            (Some(id), _) => id.clone(),
            (_, Some(Origin::Web(request))) => request.shown(),
            (_, Some(Origin::File(path))) => path.to_owned(),
            _ => String::new(),
        }
    }
}

fn decide(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    let (probe, id) = (args.keys(), args.bare_id());
    look.ask(&probe);
    look.ask(&Whoami);
    match args.origin() {
        Some(Origin::File(path)) => look.ask(&Contents(paths::absolute(path, look)?)),
        Some(Origin::Web(request)) if id.is_none() => {
            look.ask(&Fetched(request));
            drop(tool(look));
        }
        _ => {}
    }
    let there = match look.get(&probe)? {
        Ring::Keys(keys) => keys,
        Ring::NoGpg => return Err(NotYet::new("`gpg` on the host (the package `gnupg`)").into()),
        Ring::NoAptKey => return Err(no_apt_key().into()),
    };
    let changes = match args.state {
        State::Present
            if id
                .as_ref()
                .is_some_and(|id| there.iter().any(|key| has(key, id))) =>
        {
            Vec::new()
        }
        State::Present => add(args, look, there)?,
        State::Absent => remove(args, look, there)?,
    };
    if !changes.is_empty() && look.get(&Whoami)?.account.uid != 0 {
        return Err(Refusal::new("only root may change the keys of apt")
            .help("`become: true`")
            .into());
    }
    Ok(changes.into())
}

fn no_apt_key() -> Refusal {
    Refusal::new("the host has no `apt-key`: its apt trusts keys only for the sources that name them").help(
        "bring the key by `get_url` with `dest: /etc/apt/keyrings/NAME.asc`, and name it in the source: `apt_repository` with \
         `repo: deb [signed-by=/etc/apt/keyrings/NAME.asc] …`, or `deb822_repository` with `signed_by`, which brings it itself",
    )
}

fn add(args: &Args, look: &Look<'_>, there: &Keys) -> Result<Vec<Change>, Stop> {
    if let (Some(Origin::Server(server)), Some(id)) = (args.origin(), args.bare_id()) {
        let argv = args.argv(&["adv", "--no-tty", "--keyserver", server, "--recv", &id]);
        let run = Run {
            seconds: Some(120),
            ..run(&argv)
        };
        let why = format!("which keys `{server}` has by `{id}`");
        let step = Step::from(run).effect(Effect::unknown(args.keys(), why));
        let change = Change::new(format!("key `{id}`"), Value::Null, format!("of `{server}`"));
        return Ok(vec![change.step(step)]);
    }
    let Some((keys, content)) = args.come(look)? else {
        return Ok(Vec::new());
    };
    let known = |key: &&Key| !there.iter().any(|other| other[0] == key.fingerprints[0]);
    let new: Vec<&Key> = keys.iter().filter(known).collect();
    if new.is_empty() {
        return Ok(Vec::new());
    }
    let mut after = there.clone();
    after.extend(new.iter().map(|key| key.fingerprints.clone()));
    after.sort();
    after.dedup();
    let run = Run {
        stdin: content,
        ..run(&args.argv(&["add", "-"]))
    };
    // All keys of a text come by one call.
    let mut step = Some(Step::from(run).effect(Effect::new(args.keys(), Ring::Keys(after))));
    let change = |key: &&Key| {
        let print = &key.fingerprints[0];
        let change = Change::new(format!("key `{print}`"), Value::Null, "trusted");
        match step.take() {
            Some(step) => change.step(step),
            None => change,
        }
    };
    Ok(new.iter().map(change).collect())
}

fn remove(args: &Args, look: &Look<'_>, there: &Keys) -> Result<Vec<Change>, Stop> {
    let ids = match args.bare_id() {
        Some(id) => vec![id],
        None => match args.come(look)? {
            Some((keys, _)) => keys.iter().map(|key| key.fingerprints[0].clone()).collect(),
            None => Vec::new(),
        },
    };
    let mut now = there.clone();
    let mut changes = Vec::new();
    for key in there.iter().filter(|key| ids.iter().any(|id| has(key, id))) {
        let print = &key[0];
        now.retain(|other| other != key);
        let step = Step::from(run(&args.argv(&["del", print])))
            .effect(Effect::new(args.keys(), Ring::Keys(now.clone())));
        let change = Change::new(format!("key `{print}`"), "trusted", Value::Null);
        changes.push(change.step(step));
    }
    Ok(changes)
}

fn run(argv: &[&str]) -> Run {
    let env = [
        ("LC_ALL", "C"),
        ("APT_KEY_DONT_WARN_ON_DANGEROUS_USAGE", "1"),
    ];
    Run {
        env: env
            .map(|(name, value)| (name.to_owned(), value.into()))
            .into(),
        explain: Some(explain),
        ..Run::new(argv.iter().copied())
    }
}

/// What apt-key said when it did not do it.
fn explain(done: &Done) -> Option<Refusal> {
    let text = String::from_utf8_lossy(&done.stderr);
    text.contains("keyserver receive failed").then(|| {
        Refusal::new("the server of keys does not give the key")
            .help("whether it has the key, and whether the host may ask it (port 11371, or `hkps://`), is to be seen; `url` is surer")
    })
}
