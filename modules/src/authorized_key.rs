//! Public keys that may log in as a user.

mod line;

use evenkeel_engine::{
    Change, Done, Late, MASK, Module, NotYet, Plan, Probes, Refusal, Seen, Stop, Text, Touches,
    probes::{Stat, User},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::presence::State;
use crate::{
    accounts::Login,
    args::is_default,
    attributes::Wanted,
    look::Look,
    many::{is_yes, yes},
    mode::Mode,
    paths,
    rewrite::{Missing, Rewrite, Rewritten},
};
use line::{Key, Wrong};

/// The module `authorized_key`.
#[derive(Debug)]
pub struct AuthorizedKey;

/// Arguments of `authorized_key`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The user who may be logged in as.
    pub user: String,
    /// One public key or several, each in a line as `ssh-keygen` writes it.
    pub key: Late<Text>,
    /// The file; `.ssh/authorized_keys` in the user's home if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Whether a directory that is missing is made, as the user's own (the default).
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub manage_dir: bool,
    /// Whether the keys are to be there or gone.
    #[serde(default, skip_serializing_if = "is_default")]
    pub state: State,
    /// What restricts the keys, as `no-pty,command="…"`, instead of what their lines say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_options: Option<String>,
    /// All other keys of the file go.
    #[serde(default, skip_serializing_if = "is_default")]
    pub exclusive: bool,
    /// What the keys are called, instead of what their lines say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// If the file is a link, changes what it leads to; else a link is refused.
    #[serde(default, skip_serializing_if = "is_default")]
    pub follow: bool,
}

impl Module for AuthorizedKey {
    const NAME: &'static str = "authorized_key";
    const ALIASES: &'static [&'static str] = &["authorized-key", "ansible.posix.authorized_key"];
    const ABOUT: &'static str = "keeps the public keys that may log in as a user";
    const EXAMPLE: &'static str = "\
- name: who deploys
  authorized_key:
    user: deploy
    key: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEZFRkZFRkZFRkZFRkZFRkZFRkZFRkZFRkZFRkZFRkZF me@home
    exclusive: true
";
    const CHANGED_WHEN: &'static str = "\
        The file of keys does not hold the key with these options and comment, or holds it \
        though it should not; with `exclusive`, others too; or owner, group or mode differ.";
    const LIMITS: &'static str = "\
        It makes no keys and no users. A file that is a link to what is not the user's own is \
        refused.";
    type Args = Args;
    type Output = Rewritten;

    fn check(args: &Args) -> Result<(), Refusal> {
        if args.user.is_empty() {
            return Err(Refusal::new("`user` is empty"));
        }
        if args
            .path
            .as_deref()
            .is_some_and(|path| !paths::is_absolute(path))
        {
            return Err(Refusal::new("`path` is not absolute"));
        }
        for (name, text) in [
            ("key_options", &args.key_options),
            ("comment", &args.comment),
        ] {
            if text
                .as_deref()
                .is_some_and(|text| text.contains(['\n', '\r', '\0']))
            {
                return Err(Refusal::new(format!("`{name}` is more than one line")));
            }
        }
        match &args.key {
            Late::Known(_) => args.keys().map(drop).or_else(known),
            Late::NotYet(_) => Ok(()),
        }
    }

    fn observe(args: &Args, seen: &Seen) -> Probes {
        Look::observe(seen, |look| decide(args, look))
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        decide(args, &Look::new(seen))
    }

    fn output(args: &Args, after: &Seen, done: &[Done]) -> Result<Rewritten, Stop> {
        let path = args.path(&Look::new(after))?;
        args.rewrite(&path).output(after, done)
    }

    fn touches(_: &Args) -> Touches {
        // Where the user's home is, and what its group is called, says the host.
        Touches::everything()
    }

    fn subject(args: &Args) -> String {
        let path = args.path.as_deref().map(|path| format!(" {path}"));
        format!("{}{}", args.user, path.unwrap_or_default())
    }
}

/// A refusal, or nothing if something is only not known yet.
fn known(stop: Stop) -> Result<(), Refusal> {
    match stop {
        Stop::Refused(refusal) => Err(refusal),
        Stop::NotYet(_) => Ok(()),
    }
}

/// Where a home is, most of the time: asked with the first question, it spares a second.
fn guess(user: &str) -> String {
    if user == "root" {
        "/root".to_owned()
    } else {
        format!("/home/{user}")
    }
}

const FILE: &str = ".ssh/authorized_keys";

impl Args {
    fn keys(&self) -> Result<Vec<Key>, Stop> {
        let text = self.key.get()?;
        let Ok(lines) = std::str::from_utf8(text.bytes()) else {
            return Err(Stop::refused("`key` is not a text"));
        };
        let mut keys: Vec<Key> = Vec::new();
        for line in lines.lines().map(str::trim) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let mut key = Key::read(line).map_err(|wrong| wrong_key(line, wrong))?;
            if self.key_options.is_some() {
                key.options.clone_from(&self.key_options);
                key.options = key.options.filter(|options| !options.is_empty());
            }
            if let Some(comment) = &self.comment {
                key.comment.clone_from(comment);
            }
            // What is written must be read as the same key.
            if Key::read(&key.line()).ok().as_ref() != Some(&key) {
                return Err(
                    Refusal::new("`key_options` or `comment` would not be read back")
                        .help("a `\"` in it is not closed, or it has spaces outside of quotes")
                        .into(),
                );
            }
            keys.retain(|known| known.data != key.data);
            keys.push(key);
        }
        if keys.is_empty() {
            return Err(Stop::refused("`key` holds no key"));
        }
        Ok(keys)
    }

    fn path(&self, look: &Look<'_>) -> Result<String, NotYet> {
        if let Some(path) = &self.path {
            return Ok(path.clone());
        }
        let login = Login {
            name: self.user.clone(),
            local: false,
        };
        let entry = look.get(&login)?.as_ref();
        let entry = entry.ok_or_else(|| NotYet(format!("the user `{}`", self.user)))?;
        Ok(paths::join(&entry.home, FILE))
    }

    fn rewrite<'a>(&self, path: &'a str) -> Rewrite<'a> {
        Rewrite {
            missing: match self.state {
                State::Present => Missing::Create,
                State::Absent => Missing::Fine,
            },
            secret: self.key.get().map_or(true, Text::is_secret),
            ..Rewrite::new(path)
        }
    }
}

fn wrong_key(line: &str, wrong: Wrong) -> Stop {
    if line.contains("PRIVATE KEY") {
        return Refusal::new("`key` is a private key")
            .help("give the public one, of the file that ends in `.pub`")
            .into();
    }
    if line.starts_with("http://") || line.starts_with("https://") {
        return Refusal::new("`key` is an address")
            .help("give the keys themselves: `lookup('file', …)`, or a result of `command: curl …`")
            .into();
    }
    let why = match wrong {
        Wrong::Kind => "a line of `key` is no public key: no word of it is a kind of keys",
        Wrong::Data => "a line of `key` is no public key: what follows its kind is not whole",
    };
    Refusal::new(why)
        .help("a line is `ssh-ed25519 AAAA… comment`, as in the file that ends in `.pub`")
        .into()
}

fn decide(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    look.ask(&User(args.user.clone()));
    let ask = |path: &str| {
        let rewrite = args.rewrite(path);
        drop(rewrite.plan(look, |_| Ok(None)));
        paths::ancestors(path).for_each(|dir| look.ask(&Stat(dir.to_owned())));
    };
    if args.path.is_none() {
        ask(&paths::join(&guess(&args.user), FILE));
    }
    let path = args.path(look)?;
    ask(&path);
    let dir = paths::parent(&path).unwrap_or("/").to_owned();
    let above = paths::parent(&dir).unwrap_or("/").to_owned();
    let user = look.get(&User(args.user.clone()))?.as_ref();
    let user = user.ok_or_else(|| NotYet(format!("the user `{}`", args.user)))?;
    let there = look.get(&Stat(path.clone()))?;
    if !args.follow
        && let Some(stat) = there
        && let evenkeel_engine::probes::Kind::Link(target) = &stat.kind
    {
        let why = format!("`{path}` is a link to `{target}`");
        return Err(Refusal::new(why)
            .help("`follow: true` changes what it leads to")
            .into());
    }
    let missing = look.get(&Stat(dir.clone()))?.is_none() && args.state == State::Present;
    if missing && (!args.manage_dir || look.get(&Stat(above.clone()))?.is_none()) {
        let what = if args.manage_dir { above } else { dir };
        return Err(NotYet(format!("the directory `{what}`")).into());
    }
    let (mode, open) = (Mode::bits(0o600), Mode::bits(0o700));
    let owned = |mode| Wanted {
        owner: Some(&args.user),
        group: Some(&user.group),
        mode: Some(mode),
    };
    let mut told = Vec::new();
    let rewrite = Rewrite {
        // What is there keeps its owner and mode.
        wanted: if there.is_none() && args.state == State::Present {
            owned(&mode)
        } else {
            Wanted::default()
        },
        above: owned(&open),
        ..args.rewrite(&path)
    };
    rewrite.wanted.ask(look);
    let mut plan = rewrite.plan(look, |before| {
        let wanted = line::Wanted {
            keys: args.keys()?,
            absent: args.state == State::Absent,
            exclusive: args.exclusive && args.state == State::Present,
        };
        let (after, what) = wanted.edit(before);
        told = what;
        Ok((!told.is_empty()).then_some(after))
    })?;
    let secret = rewrite.secret;
    let shown = |line: Option<String>| line.map(|line| if secret { MASK.to_owned() } else { line });
    let changes = told.into_iter().map(|(name, before, after)| {
        let name = if secret { "key".to_owned() } else { name };
        Change::new(name, shown(before), shown(after))
    });
    let at = plan
        .changes
        .iter()
        .position(|change| change.what == "content");
    let at = at.map_or(plan.changes.len(), |at| at + 1);
    plan.changes.splice(at..at, changes);
    Ok(plan)
}
