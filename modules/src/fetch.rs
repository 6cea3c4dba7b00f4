//! Files of hosts, kept on the machine that runs the playbook.

use evenkeel_engine::{
    Action, Change, Done, Module, NotYet, Plan, Probes, Refusal, Seen, Sha, Stop, Thing, Touches,
    hex,
    keep::{Kept, KeptPlace},
    probes::{Digest, Kind, Length, Stat},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    args::is_default,
    attributes::kind_name,
    look::Look,
    many::{is_yes, yes},
    paths,
};

/// The module `fetch`.
#[derive(Debug)]
pub struct Fetch;

/// Arguments of `fetch`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The file on the host.
    pub src: String,
    /// The directory on this machine below which it is kept, as `DEST/HOST/SRC`; with `flat`, the
    /// file itself, or, with a `/` at its end, the directory in which it keeps its name. Relative
    /// to the directory of the playbook.
    pub dest: String,
    /// Whether `dest` is where it is kept, without the names of host and directories.
    #[serde(default, skip_serializing_if = "is_default")]
    pub flat: bool,
    /// Whether a file that is not there is a failure (the default).
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub fail_on_missing: bool,
    /// What came is always compared with what the host has; there is no way without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validate_checksum: Option<bool>,
    /// The name of the host below `dest`. A playbook need not say it: it is the host's name in the
    /// inventory; other programs that say none keep all at `DEST/SRC`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
}

/// What `register` gives.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Output {
    /// The file on the host.
    pub file: String,
    /// The file on this machine.
    pub dest: String,
    /// SHA-256 of what is kept; nothing if the host has no such file.
    pub checksum: Option<String>,
    /// SHA-256 of what the host has.
    pub remote_checksum: Option<String>,
    /// Why nothing was fetched, if the host has no such file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub msg: Option<String>,
}

impl Module for Fetch {
    const NAME: &'static str = "fetch";
    const ALIASES: &'static [&'static str] = &["ansible.builtin.fetch", "ansible.legacy.fetch"];
    const ABOUT: &'static str = "keeps a file of a host on the machine that runs the playbook";
    const EXAMPLE: &'static str = "\
- fetch:
    src: /etc/passwd
    dest: fetched
";
    const CHANGED_WHEN: &'static str = "\
        What is kept here is not there, or is not what the host has (compared by SHA-256). A check says the same, and keeps nothing.";
    const LIMITS: &'static str = "\
        It is for files, not for directories. A file comes in parts of 8 MiB, so its size does not matter; it takes its \
        place only once all of it is here, and is what the host had when it was looked at: one that is rewritten meanwhile \
        fails, what is only added to it is left for the next run. A new file gets the usual permissions, with `no_log` \
        0600; one that is there keeps its own. A link at its place is replaced. Of two hosts that \
        fetch different files to one place in a run, the second fails. Every run reads the file on the host to sum it up.";
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        for (name, value) in [("src", &args.src), ("dest", &args.dest)] {
            if value.is_empty() {
                return Err(Refusal::new(format!("`{name}` is empty")));
            }
        }
        if args.validate_checksum == Some(false) {
            return Err(Refusal::new("`validate_checksum` cannot be turned off")
                .help("leave it away: what came is always compared with what the host has"));
        }
        place(args, &args.src).map(drop)
    }

    fn observe(args: &Args, seen: &Seen) -> Probes {
        Look::observe(seen, |look| {
            drop(state(args, look)?);
            Ok(Plan::nothing())
        })
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        let look = Look::new(seen);
        let state = state(args, &look)?;
        let Some(digest) = state.there else {
            return Ok(Plan::nothing());
        };
        if state.here == Some(digest) {
            return Ok(Plan::nothing());
        }
        let length = Length(state.path.clone());
        let fetch = evenkeel_engine::Fetch {
            digest: Some(digest),
            len: seen.get(&length).ok().copied().flatten(),
            path: state.path,
            to: state.to,
            alike: false,
        };
        let change = Change::new(
            fetch.to.path(),
            state.here.as_ref().map(short),
            short(&digest),
        );
        Ok(change.step(Action::Fetch(fetch)).into())
    }

    fn output(args: &Args, after: &Seen, _: &[Done]) -> Result<Output, Stop> {
        let state = state(args, &Look::new(after))?;
        let missing = || format!("`{}` is not there, and that is borne", state.path);
        Ok(Output {
            dest: state.to.path(),
            checksum: state.there.and(state.here).map(|sha| hex(&sha)),
            remote_checksum: state.there.map(|sha| hex(&sha)),
            msg: state.there.is_none().then(missing),
            file: state.path,
        })
    }

    fn touches(args: &Args) -> Touches {
        let to = place(args, &args.src).ok();
        let writes = Touches::writes(to.map(|to| to.thing()));
        if paths::is_absolute(&args.src) {
            writes.reading([Thing::Path(paths::clean(&args.src))])
        } else {
            writes
        }
    }

    fn subject(args: &Args) -> String {
        args.src.clone()
    }
}

/// The file here and there.
struct State {
    path: String,
    to: KeptPlace,
    there: Option<Sha>,
    here: Option<Sha>,
}

fn state(args: &Args, look: &Look<'_>) -> Result<State, Stop> {
    let path = paths::absolute(&args.src, look)?;
    let to = place(args, &path).map_err(Stop::Refused)?;
    let (stat, digest, kept) = (Stat(path.clone()), Digest(path.clone()), Kept(to.clone()));
    look.ask(&stat);
    look.ask(&digest);
    look.ask(&Length(path.clone()));
    look.ask(&kept);
    let there = *look.get(&digest)?;
    if there.is_none() {
        missing(args, &path, look)?;
    }
    let here = match look.get(&kept)? {
        Ok(here) => *here,
        Err(why) => {
            let refusal = Refusal::new(format!("nothing can be kept at `{}`: {why}", to.path()));
            let help = "with a `/` at its end, `dest` is the directory to keep it in";
            return Err(Stop::Refused(if args.flat && why.contains("directory") {
                refusal.help(help)
            } else {
                refusal
            }));
        }
    };
    Ok(State {
        path,
        to,
        there,
        here,
    })
}

/// There is no such file: whether that is borne.
fn missing(args: &Args, path: &str, look: &Look<'_>) -> Result<(), Stop> {
    let stat = Stat(path.to_owned());
    match look.get(&stat)?.as_ref().map(|stat| &stat.kind) {
        // A link may lead to what an earlier task makes.
        None | Some(Kind::File | Kind::Link(_)) if args.fail_on_missing => {
            Err(NotYet(format!("the file `{path}`")).into())
        }
        None | Some(Kind::File | Kind::Link(_)) => Ok(()),
        Some(kind) => {
            let kind = kind_name(kind);
            Err(Stop::Refused(
                Refusal::new(format!("`{path}` is not a file: {kind}"))
                    .help("`find` lists the files below a directory: fetch them in a loop"),
            ))
        }
    }
}

/// Where a file of a host is kept.
fn place(args: &Args, src: &str) -> Result<KeptPlace, Refusal> {
    let odd = |name: &str| matches!(name, "" | "." | "..") || name.contains('\0');
    let name = paths::name(src);
    if odd(name) || src.ends_with('/') {
        return Err(Refusal::new(format!("`src` names no file: `{src}`")));
    }
    if args.flat {
        if args.dest.ends_with('/') {
            return Ok(kept(&args.dest, name));
        }
        let (dir, name) = match args.dest.rsplit_once('/') {
            Some(("", name)) => ("/", name),
            Some((dir, name)) => (dir, name),
            None => (".", args.dest.as_str()),
        };
        if odd(name) {
            let refusal = Refusal::new(format!("`dest` names no file: `{}`", args.dest));
            return Err(refusal.help("with a `/` at its end, it is the directory to keep it in"));
        }
        return Ok(kept(dir, name));
    }
    if let Some(host) = args
        .host
        .as_deref()
        .filter(|host| odd(host) || host.contains('/'))
    {
        return Err(Refusal::new(format!("`{host}` is no name of a directory"))
            .help("say `flat: true` and a `dest` of its own for this host"));
    }
    if src.split('/').any(|part| part == "..") {
        return Err(Refusal::new(format!("`src` has a `..` in it: `{src}`"))
            .help("write the path that it leads to"));
    }
    let host = args.host.as_deref().unwrap_or_default();
    let below = format!("{host}{}", paths::clean(src));
    Ok(kept(&args.dest, below.trim_start_matches('/')))
}

fn kept(dir: &str, name: &str) -> KeptPlace {
    let dir = match dir.trim_end_matches('/') {
        "" => "/",
        dir => dir,
    };
    KeptPlace {
        dir: dir.to_owned(),
        name: name.to_owned(),
    }
}

/// So much of a digest tells files apart for people.
fn short(digest: &Sha) -> String {
    hex(&digest[..6])
}
