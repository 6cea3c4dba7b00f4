//! Keys by which rpm knows who signed a package.

mod probe;

use evenkeel_engine::{
    Change, Done, Effect, Module, NotYet, Plan, Probes, Refusal, Run, Seen, Step, Stop, Thing,
    Touches, Value,
    probes::{Contents, Whoami},
};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

pub use self::probe::{Imported, Keyring};
use crate::{
    args::is_default,
    download::{Fetched, Request, text, tool},
    look::Look,
    many::{comma_list, is_yes, yes},
    paths,
    pgp::{self, Key},
};

pub use crate::presence::State;

/// The module `rpm-key`.
#[derive(Debug)]
pub struct RpmKey;

/// Arguments of `rpm-key`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The key: a file of the host, an address (`https://`, `http://`), or the armored text itself, as
    /// `lookup('file', …)` reads it here. To remove one, its id (8, 16 or 40 hexadecimal digits) is enough.
    pub key: String,
    /// Whether rpm has it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub state: State,
    /// Fingerprints, of the key or of subkeys, that `key` must have; nothing is imported otherwise. Of an address
    /// whose keys are there by these fingerprints nothing is asked.
    #[serde(
        default,
        deserialize_with = "fingerprints",
        skip_serializing_if = "is_default"
    )]
    pub fingerprint: Vec<String>,
    /// Whether the certificate of the server must be good (the default).
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub validate_certs: bool,
}

/// What `register` gives.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Output {
    /// As rpm calls those that it has: `gpg-pubkey-8483c65d-5ccc5b19`.
    pub keys: Vec<String>,
}

/// As they are printed: with spaces, in either case.
fn fingerprints<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let list = comma_list(deserializer)?;
    Ok(list
        .iter()
        .map(|text| bare(text).to_ascii_uppercase())
        .collect())
}

/// Without the spaces that fingerprints are printed with.
fn bare(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_whitespace() && *c != ':')
        .collect()
}

/// Where a key comes from.
#[derive(Debug)]
enum From {
    Id(String),
    Text(Vec<u8>),
    File(String),
    Web(Request),
}

impl Args {
    fn from(&self) -> From {
        let key = self.key.trim();
        if key.contains("-----BEGIN PGP") {
            return From::Text(key.as_bytes().to_vec());
        }
        if let Some(path) = key.strip_prefix("file://") {
            return From::File(path.to_owned());
        }
        if key.contains("://") {
            return From::Web(Request {
                verify: self.validate_certs,
                ..Request::new(key)
            });
        }
        let id = bare(key).to_ascii_lowercase();
        let id = id.strip_prefix("0x").unwrap_or(&id);
        let hex = id.bytes().all(|byte| byte.is_ascii_hexdigit());
        if hex && matches!(id.len(), 8 | 16 | 40) {
            return From::Id(id.to_owned());
        }
        From::File(key.to_owned())
    }

    /// What messages call it.
    fn shown(&self) -> String {
        match self.from() {
            From::Text(_) => "the text in `key`".to_owned(),
            From::Web(request) => format!("`{}`", request.shown()),
            From::Id(_) | From::File(_) => format!("`{}`", self.key.trim()),
        }
    }

    /// The keys that it is about, or what of their ids is known without them.
    fn about(&self, look: &Look<'_>, there: &[Imported]) -> Result<About, Stop> {
        let bytes = match self.from() {
            From::Id(id) => return Ok(About::Ids(vec![id])),
            From::Text(text) => text,
            From::File(path) => {
                let path = paths::absolute(&path, look)?;
                let read = look.get(&Contents(path.clone()))?.as_ref();
                read.ok_or_else(|| NotYet(format!("the file `{path}` (a key)")))?
                    .clone()
            }
            From::Web(request) => {
                let named = |print: &String| there.iter().any(|key| key.has_id(print));
                if !self.fingerprint.is_empty() && self.fingerprint.iter().all(named) {
                    return Ok(About::Ids(self.fingerprint.clone()));
                }
                text(look, &request)?.as_bytes().to_vec()
            }
        };
        let keys = pgp::keys(&bytes).map_err(|why| {
            Refusal::new(format!("{} is no key for rpm: {why}", self.shown()))
                .help("a public key in armor begins with `-----BEGIN PGP PUBLIC KEY BLOCK-----`")
        })?;
        let all: Vec<&String> = keys.iter().flat_map(|key| &key.fingerprints).collect();
        if let Some(wrong) = self.fingerprint.iter().find(|print| !all.contains(print)) {
            let has = all
                .iter()
                .map(|print| print.as_str())
                .collect::<Vec<_>>()
                .join(", ");
            let what = format!(
                "`{wrong}` does not match any key fingerprints of {}",
                self.shown()
            );
            return Err(Refusal::new(what)
                .help(format!("it has {has}; ask its owner which is right"))
                .into());
        }
        Ok(About::Keys(keys))
    }
}

/// Which keys a task is about.
#[derive(Debug)]
enum About {
    Ids(Vec<String>),
    Keys(Vec<Key>),
}

impl About {
    fn is(&self, there: &Imported) -> bool {
        match self {
            Self::Ids(ids) => ids.iter().any(|id| there.has_id(id)),
            Self::Keys(keys) => keys.iter().any(|key| there.is(key)),
        }
    }
}

impl Module for RpmKey {
    const NAME: &'static str = "rpm-key";
    const ALIASES: &'static [&'static str] = &[
        "rpm_key",
        "ansible.builtin.rpm_key",
        "ansible.legacy.rpm_key",
    ];
    const ABOUT: &'static str = "keeps the keys by which rpm knows who signed a package";
    const EXAMPLE: &'static str = "\
- rpm-key:
    key: https://packages.example.com/RPM-GPG-KEY-tools
    fingerprint: 3B4F E6AC C0B2 1F32 9BC0  4D2A 5E5B 8C32 8483 C65D
";
    const CHANGED_WHEN: &'static str = "\
        rpm does not have a key that it should have, or has one that it should not have.";
    const LIMITS: &'static str = "\
        The host needs no gpg: keys are read and their fingerprints made here. At an address a key must be in armor. \
        rpm tells keys apart by the end of their fingerprint and the time they were made, and so does this. \
        Keys of version 4 are read, which are all but the newest.";
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        if args.key.trim().is_empty() {
            return Err(Refusal::new("`key` is empty"));
        }
        let odd = |print: &&String| {
            print.len() != 40 || !print.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        if let Some(print) = args.fingerprint.iter().find(odd) {
            return Err(Refusal::new(format!("`{print}` is no fingerprint"))
                .help("it has 40 hexadecimal digits, as `gpg --show-keys` prints it"));
        }
        match (args.from(), args.state) {
            (From::Id(id), State::Present) => Err(Refusal::new(format!(
                "`{id}` is only the id of a key"
            ))
            .help("to import one, `key` is a file of the host, an address, or the key itself")),
            (From::Id(_), State::Absent) if !args.fingerprint.is_empty() => {
                Err(Refusal::new("`fingerprint` is not held against an id"))
            }
            (From::Web(request), _) => request.check(),
            (From::Text(text), _) => match pgp::keys(&text) {
                Ok(_) => Ok(()),
                Err(why) => Err(Refusal::new(format!(
                    "the text in `key` is no key for rpm: {why}"
                ))),
            },
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
        let there = look.get(&Keyring)?;
        let about = args.about(&look, there)?;
        let its = there.iter().filter(|key| about.is(key));
        Ok(Output {
            keys: its.map(Imported::package).collect(),
        })
    }

    fn touches(args: &Args) -> Touches {
        let reads = match args.from() {
            From::File(path) if !paths::is_absolute(&path) => return Touches::everything(),
            From::File(path) => Some(Thing::Path(paths::clean(&path))),
            _ => None,
        };
        Touches::writes(probe::database()).reading(reads)
    }

    fn subject(args: &Args) -> String {
        match args.from() {
            From::Text(_) => String::new(),
            From::Web(request) => request.shown(),
            From::Id(_) | From::File(_) => args.key.trim().to_owned(),
        }
    }
}

/// `rpm --import` reads only files.
const IMPORT: &str = r#"
ek_key=$(mktemp) || exit 1
trap 'rm -f -- "$ek_key"' EXIT
cat >"$ek_key" && rpm --import "$ek_key"
"#;

fn decide(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    look.ask(&Keyring);
    look.ask(&Whoami);
    match args.from() {
        From::File(path) => look.ask(&Contents(paths::absolute(&path, look)?)),
        From::Web(request) if args.fingerprint.is_empty() => {
            look.ask(&Fetched(request));
            drop(tool(look));
        }
        _ => {}
    }
    let there = look.get(&Keyring)?;
    let about = args.about(look, there)?;
    let mut now = there.clone();
    let mut changes = Vec::new();
    match (args.state, &about) {
        (State::Present, About::Ids(_)) => {}
        (State::Present, About::Keys(keys)) => {
            for key in keys
                .iter()
                .filter(|key| !there.iter().any(|known| known.is(key)))
            {
                let new = Imported::of(key);
                if now.contains(&new) {
                    continue;
                }
                let change = Change::new(
                    format!("key `{}`", key.fingerprints[0]),
                    Value::Null,
                    new.package(),
                );
                now.push(new);
                now.sort();
                let run = Run {
                    stdin: key.armor().as_str().into(),
                    explain: Some(explain),
                    ..Run::new(["sh", "-c", IMPORT])
                };
                changes
                    .push(change.step(Step::from(run).effect(Effect::new(Keyring, now.clone()))));
            }
        }
        (State::Absent, about) => {
            for key in there.iter().filter(|key| about.is(key)) {
                now.retain(|other| other != key);
                let name = key.package();
                let change =
                    Change::new(format!("key `{}`", key.version), name.as_str(), Value::Null);
                let run = Run {
                    explain: Some(explain),
                    ..Run::new(["rpm", "-e", "--allmatches", &name])
                };
                changes
                    .push(change.step(Step::from(run).effect(Effect::new(Keyring, now.clone()))));
            }
        }
    }
    if !changes.is_empty() && look.get(&Whoami)?.account.uid != 0 {
        return Err(Refusal::new("only root may change the keys of rpm")
            .help("`become: true`")
            .into());
    }
    Ok(changes.into())
}

/// What rpm said when it did not do it.
fn explain(done: &Done) -> Option<Refusal> {
    let text = String::from_utf8_lossy(&done.stderr);
    if text.contains("import failed") {
        let help = "it may be expired, or of a kind that the crypto policy of the host forbids (SHA-1, a short RSA key): \
                    see `update-crypto-policies --show`";
        return Some(Refusal::new("rpm does not take the key").help(help));
    }
    let locked = text.contains(".rpm.lock");
    locked.then(|| {
        Refusal::new("the database of rpm is locked")
            .help("another rpm or dnf is at work: run it again")
    })
}
