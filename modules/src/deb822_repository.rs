//! Sources of Debian packages as stanzas: `/etc/apt/sources.list.d/*.sources`.

mod stanza;

use evenkeel_engine::{
    Action, Change, Content, Done, Effect, Module, Plan, Probe as _, Probes, Refusal, Seen, Step,
    Stop, Thing, Touches, Value, probes::Stat,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    apt_repository::{DIR, Sources},
    args::is_default,
    attributes::{self, Attributes, Wanted},
    download::{Request, small},
    look::Look,
    many::comma_list,
    mode::Mode,
    pgp::BEGIN as ARMOR,
    put::{Put, Target},
};
use stanza::Key;

/// The module `deb822_repository`.
#[derive(Debug)]
pub struct Deb822Repository;

/// Arguments of `deb822_repository`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// What it is called: the files are named by it.
    pub name: String,
    /// Where the packages are: `https://packages.example.com/debian`.
    #[serde(
        default,
        deserialize_with = "comma_list",
        skip_serializing_if = "is_default"
    )]
    pub uris: Vec<String>,
    /// Which releases (`bookworm`); or paths below the address, which end in `/`.
    #[serde(
        default,
        deserialize_with = "comma_list",
        skip_serializing_if = "is_default"
    )]
    pub suites: Vec<String>,
    /// Which parts of the releases (`main`); of paths none.
    #[serde(
        default,
        deserialize_with = "comma_list",
        skip_serializing_if = "is_default"
    )]
    pub components: Vec<String>,
    /// `deb` (the default), `deb-src` or both.
    #[serde(
        default,
        deserialize_with = "comma_list",
        skip_serializing_if = "is_default"
    )]
    pub types: Vec<String>,
    /// Who signs: a file of keys on the host, an address to get one from, fingerprints, or a key in armor itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<String>,
    /// Whether it is there.
    #[serde(default, skip_serializing_if = "is_default")]
    pub state: State,
    /// The mode of the file; 0644 if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// Whether apt uses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Whether it counts as good without a signature, or never does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trusted: Option<bool>,
    /// For which architectures.
    #[serde(
        default,
        deserialize_with = "comma_list",
        skip_serializing_if = "is_default"
    )]
    pub architectures: Vec<String>,
    /// Of which languages descriptions are fetched: `none` for none.
    #[serde(
        default,
        deserialize_with = "comma_list",
        skip_serializing_if = "is_default"
    )]
    pub languages: Vec<String>,
    /// Which lists are fetched.
    #[serde(
        default,
        deserialize_with = "comma_list",
        skip_serializing_if = "is_default"
    )]
    pub targets: Vec<String>,
    /// Whether lists are fetched by names that are checksums.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_hash: Option<bool>,
    /// Whether lists are brought up to date by differences.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pdiffs: Option<bool>,
    /// Whether a source may lose its signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_downgrade_to_insecure: Option<bool>,
    /// Whether it may be without a signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_insecure: Option<bool>,
    /// Whether a weak signature is enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_weak: Option<bool>,
    /// Whether the clock of the host is believed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check_date: Option<bool>,
    /// Whether lists that are too old are refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check_valid_until: Option<bool>,
    /// How many seconds lists may be from the future.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date_max_future: Option<i64>,
    /// Where its `InRelease` is, if not where it should be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inrelease_path: Option<String>,
    /// Without effect: nothing of Python is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub install_python_debian: Option<bool>,
}

/// Whether it is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is.
    #[default]
    Present,
    /// Neither it is, nor the key that was got for it.
    Absent,
}

/// What `register` gives.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
pub struct Output {
    /// The file.
    pub dest: String,
    /// The file of the key that was got; null if none was.
    pub key_filename: Option<String>,
    /// The stanza; null of one that is gone.
    pub repo: Option<String>,
    /// State, owner, group, mode.
    #[serde(flatten)]
    pub attributes: Attributes,
}

/// Where keys are kept that are got.
const KEYRINGS: &str = "/etc/apt/keyrings";

impl Module for Deb822Repository {
    const NAME: &'static str = "deb822_repository";
    const ALIASES: &'static [&'static str] = &[
        "ansible.builtin.deb822_repository",
        "ansible.legacy.deb822_repository",
    ];
    const ABOUT: &'static str = "keeps sources of Debian packages configured, as stanzas";
    const EXAMPLE: &'static str = "\
- deb822_repository:
    name: tools
    uris: https://packages.example.com/debian
    suites: stable
    components: main
    signed_by: https://packages.example.com/key.asc
";
    const CHANGED_WHEN: &'static str = "\
        The file is not there, says something else or has another mode; the key of an address is not there, or the \
        server has another one; or they are there though they should not be.";
    const LIMITS: &'static str = "\
        It fetches no lists of packages: `apt` with `update_cache` does. The key of an address is asked for each time, \
        and kept in `/etc/apt/keyrings`; what apt cannot read is refused before it is written.";
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        stanza::check(args)
    }

    fn observe(args: &Args, seen: &Seen) -> Probes {
        Look::observe(seen, |look| decide(args, look))
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        decide(args, &Look::new(seen))
    }

    fn output(args: &Args, after: &Seen, _: &[Done]) -> Result<Output, Stop> {
        let look = Look::new(after);
        let dest = args.dest();
        if args.state == State::Absent {
            return Ok(Output {
                attributes: Attributes::of(None),
                key_filename: None,
                repo: None,
                dest,
            });
        }
        let signer = args.signer(&look)?;
        Ok(Output {
            repo: Some(stanza::text(args, signer.as_ref()).trim_end().to_owned()),
            attributes: Attributes::of(look.get(&Stat(dest.clone()))?.as_ref()),
            key_filename: match signer {
                Some(Signer::Got { path, .. }) => Some(path),
                _ => None,
            },
            dest,
        })
    }

    fn touches(args: &Args) -> Touches {
        let paths = [args.dest(), args.keyring("asc"), args.keyring("gpg")];
        let writes = paths.into_iter().chain([KEYRINGS.to_owned()]);
        let reads = Sources
            .reads()
            .into_iter()
            .chain([Thing::Path(DIR.to_owned())]);
        Touches::writes(writes.map(Thing::Path)).reading(reads)
    }

    fn subject(args: &Args) -> String {
        args.name.clone()
    }
}

/// Who signs, as it is written.
#[derive(Debug)]
enum Signer {
    /// As it was given.
    Said(Key),
    /// A key that was got, and where it is kept.
    Got { path: String, content: Content },
}

impl Args {
    fn dest(&self) -> String {
        format!("{DIR}/sources.list.d/{}.sources", stanza::slug(&self.name))
    }

    fn keyring(&self, end: &str) -> String {
        format!("{KEYRINGS}/{}.{end}", stanza::slug(&self.name))
    }

    fn signer(&self, look: &Look<'_>) -> Result<Option<Signer>, Stop> {
        Ok(match stanza::key(self) {
            None => None,
            Some(Key::At(url)) => {
                let (content, armored) = small(look, &Request::new(url), ARMOR)?;
                let path = self.keyring(if armored { "asc" } else { "gpg" });
                Some(Signer::Got { path, content })
            }
            Some(said) => Some(Signer::Said(said)),
        })
    }
}

fn decide(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    let dest = args.dest();
    look.ask(&Sources);
    Put::ask(look, &dest);
    let signer = match args.state {
        State::Present => args.signer(look),
        State::Absent => Ok(None),
    };
    if args.state == State::Absent || matches!(stanza::key(args), Some(Key::At(_))) {
        Put::ask(look, &args.keyring("asc"));
        Put::ask(look, &args.keyring("gpg"));
        attributes::ask_parent(look, KEYRINGS);
    }
    let mut changes = Vec::new();
    let mut after = look.get(&Sources)?.clone();
    if args.state == State::Absent {
        for path in [dest.clone(), args.keyring("asc"), args.keyring("gpg")] {
            if look.get(&Stat(path.clone()))?.is_some() {
                let what = if path == dest { "file" } else { "key" };
                let change = Change::new(what, path.as_str(), Value::Null);
                changes.push(change.step(Action::Remove { path }));
            }
        }
        after.remove(&dest);
    } else {
        let signer = signer?;
        if let Some(Signer::Got { path, content }) = &signer {
            changes.extend(keep_key(look, path, content)?);
        }
        let text = stanza::text(args, signer.as_ref());
        after.insert(dest.clone(), text.clone());
        let mode = args.mode.clone().unwrap_or_else(|| Mode::bits(0o644));
        changes.extend(put(look, &dest, text.into_bytes().into(), &mode)?);
    }
    for step in changes.iter_mut().flat_map(|change| &mut change.steps) {
        if writes(step, &dest) {
            step.effects.push(Effect::new(Sources, after.clone()));
        }
    }
    Ok(changes.into())
}

fn writes(step: &Step, to: &str) -> bool {
    match &step.action {
        Action::Write(write) => write.path == to,
        Action::Remove { path } => path == to,
        _ => false,
    }
}

/// The key that was got, in its place.
fn keep_key(look: &Look<'_>, path: &str, content: &Content) -> Result<Vec<Change>, Stop> {
    let mut changes = Vec::new();
    if look.get(&Stat(KEYRINGS.to_owned()))?.is_none() {
        let attrs = evenkeel_engine::Attrs {
            mode: Some(0o755),
            ..Default::default()
        };
        let path = KEYRINGS.to_owned();
        let change = Change::new("directory", Value::Null, KEYRINGS);
        changes.push(change.step(Action::Directory { path, attrs }));
    }
    let missing = (!changes.is_empty()).then(|| KEYRINGS.to_owned());
    let target = Target {
        path: path.to_owned(),
        asked: path.to_owned(),
        missing: missing.into_iter().collect(),
    };
    let mode = Mode::bits(0o644);
    let put = file(&mode);
    let mut key = put.changes(look, &target, &Ok(content.clone()))?;
    for change in key.iter_mut().filter(|change| change.what == "content") {
        "key".clone_into(&mut change.what);
    }
    changes.extend(key);
    Ok(changes)
}

fn file(mode: &Mode) -> Put<'_> {
    Put {
        wanted: Wanted {
            mode: Some(mode),
            ..Wanted::default()
        },
        force: true,
        backup: false,
        validate: None,
    }
}

fn put(look: &Look<'_>, path: &str, content: Content, mode: &Mode) -> Result<Vec<Change>, Stop> {
    let target = Target {
        path: path.to_owned(),
        asked: path.to_owned(),
        missing: Vec::new(),
    };
    file(mode).changes(look, &target, &Ok(content))
}
