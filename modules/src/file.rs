//! A path in a state: file, directory, link, hard link, touched, absent.

mod link;
mod times;

use evenkeel_engine::{
    Action, Cause, Change, Done, Module, NotYet, Plan, Probes, Refusal, Seen, Stop, Thing, Touches,
    Write,
    probes::{FileStat, Kind, Stat},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use times::Moment;

use crate::{
    args::{Unsupported, is_default},
    attributes::{self, Attributes, Wanted, kind_name},
    look::Look,
    mode::Mode,
    paths, tree,
};

/// The module `file`.
#[derive(Debug)]
pub struct File;

/// Arguments of `file`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The path; `~` is the home of who acts, and relative paths start there.
    #[serde(alias = "dest", alias = "name")]
    pub path: String,
    /// What is to be there. Left out: what is there already, or a directory with `recurse`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// Owner: name or number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Group: name or number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Permission bits: `"0644"` or `u=rw,go=r`. Every directory that is made gets them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// What a link points to, as it is to be written; for a hard link, the existing file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub src: Option<String>,
    /// Replaces what stands where a link is to be, and makes links to what does not exist.
    #[serde(default, skip_serializing_if = "is_default")]
    pub force: bool,
    /// Whether attributes are those of what a link points to (the default) or of the link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follow: Option<bool>,
    /// Owner, group and mode also of all that is below a directory.
    #[serde(default, skip_serializing_if = "is_default")]
    pub recurse: bool,
    /// `preserve`, `now` or a time in UTC as `YYYYMMDDhhmm.ss`; `now` if touched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modification_time: Option<Moment>,
    /// The same for the time of the last access.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_time: Option<Moment>,
    /// Not supported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub seuser: Option<Unsupported>,
    /// Not supported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub serole: Option<Unsupported>,
    /// Not supported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub setype: Option<Unsupported>,
    /// Not supported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub selevel: Option<Unsupported>,
    /// Not supported.
    #[serde(default, alias = "attr", skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub attributes: Option<Unsupported>,
    /// Not supported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub unsafe_writes: Option<Unsupported>,
}

/// What is to be at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// A file that is there already, with these attributes.
    File,
    /// A directory; what is missing above it is made too.
    Directory,
    /// A symbolic link.
    Link,
    /// A hard link.
    Hard,
    /// A file, empty if it is new; its times are set to now.
    Touch,
    /// Nothing; a directory goes with all that is in it.
    Absent,
}

/// What `register` gives.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Output {
    /// The path.
    pub path: String,
    /// The same.
    pub dest: String,
    /// What a link points to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub src: Option<String>,
    /// State, owner, group, mode.
    #[serde(flatten)]
    pub attributes: Attributes,
}

impl Module for File {
    const NAME: &'static str = "file";
    const ALIASES: &'static [&'static str] = &["ansible.builtin.file", "ansible.legacy.file"];
    const ABOUT: &'static str = "keeps a path in a state: file, directory, link or absent";
    const EXAMPLE: &'static str = "\
- name: a directory for the application
  file:
    path: /srv/app/releases
    state: directory
    mode: \"0755\"
";
    const CHANGED_WHEN: &'static str = "\
        What is at the path is not of the kind, or has not the owner, group, mode or times that it says.";
    const LIMITS: &'static str = "\
        It writes no content (see `copy`, `file-template`). It replaces a file or a directory that is \
        not empty by a link only with `force`.";
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        if args.mode.as_ref().is_some_and(Mode::is_preserve) {
            return Err(Refusal::new("`mode: preserve` is for copies only"));
        }
        if args.path.is_empty() {
            return Err(Refusal::new("`path` is empty"));
        }
        if args.recurse && !matches!(args.state, None | Some(State::Directory)) {
            return Err(Refusal::new("`recurse` goes with `state: directory` only"));
        }
        if args.src.is_some() && !matches!(args.state, Some(State::Link | State::Hard)) {
            return Err(
                Refusal::new("`src` goes with `state: link` and `state: hard` only")
                    .help("to copy a file, use `copy`"),
            );
        }
        if args.state == Some(State::Hard)
            && args
                .src
                .as_ref()
                .is_some_and(|src| !paths::is_absolute(src))
        {
            return Err(Refusal::new(
                "`src` of a hard link must be an absolute path",
            ));
        }
        if times::named(args)
            && matches!(args.state, Some(State::Absent | State::Link | State::Hard))
        {
            return Err(Refusal::new("times go with files and directories only"));
        }
        if args.state == Some(State::Absent) && paths::clean(&args.path) == "/" {
            return Err(Refusal::new("`/` cannot be removed"));
        }
        Ok(())
    }

    fn doubts(args: &Args) -> Vec<Refusal> {
        let path = paths::clean(&args.path);
        let below = path
            .strip_prefix("/run/")
            .or_else(|| path.strip_prefix("/var/run/"));
        let Some(below) = below.filter(|_| args.state == Some(State::Directory)) else {
            return Vec::new();
        };
        let what = format!("`{path}` is gone after the next boot: `/run` is emptied then");
        let help = format!(
            "`RuntimeDirectory={below}` in its unit makes it at each start; a file in `/etc/tmpfiles.d` at each boot"
        );
        vec![Refusal::new(what).help(help)]
    }

    fn observe(args: &Args, seen: &Seen) -> Probes {
        Look::observe(seen, |look| decide(args, look))
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        decide(args, &Look::new(seen))
    }

    fn output(args: &Args, after: &Seen, _: &[Done]) -> Result<Output, Stop> {
        let look = Look::new(after);
        let path = paths::absolute(&args.path, &look)?;
        let stat = look.get(&Stat(path.clone()))?.as_ref();
        let src = match stat.map(|stat| &stat.kind) {
            Some(Kind::Link(target)) => Some(target.clone()),
            _ => args.src.clone(),
        };
        Ok(Output {
            attributes: Attributes::of(stat),
            dest: path.clone(),
            path,
            src,
        })
    }

    fn touches(args: &Args) -> Touches {
        if !paths::is_absolute(&args.path) {
            return Touches::everything();
        }
        let path = paths::clean(&args.path);
        let below = args.recurse || matches!(args.state, Some(State::Absent | State::Link));
        let mut writes = vec![if below {
            Thing::Tree(path.clone())
        } else {
            Thing::Path(path.clone())
        }];
        if matches!(args.state, None | Some(State::Directory)) {
            let above = paths::ancestors(&path).filter(|dir| *dir != "/");
            writes.extend(above.map(|dir| Thing::Path(dir.to_owned())));
        }
        let touches = Touches::writes(writes);
        match &args.src {
            Some(src) if args.state == Some(State::Link) => touches.linking(path, src),
            _ => touches,
        }
    }

    fn subject(args: &Args) -> String {
        args.path.clone()
    }
}

impl Args {
    fn wanted(&self) -> Wanted<'_> {
        Wanted {
            owner: self.owner.as_deref(),
            group: self.group.as_deref(),
            mode: self.mode.as_ref(),
        }
    }

    fn follows(&self) -> bool {
        self.follow.unwrap_or(true)
    }
}

fn decide(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    args.wanted().ask(look);
    let path = paths::absolute(&args.path, look)?;
    look.ask(&Stat(path.clone()));
    attributes::ask_parent(look, &path);
    if matches!(args.state, None | Some(State::Directory)) {
        paths::ancestors(&path).for_each(|dir| look.ask(&Stat(dir.to_owned())));
    }
    if args.recurse {
        look.ask(&tree::Below(path.clone()));
    }
    times::ask(args, look, &path);
    link::ask(args, look, &path);
    let stat = look.get(&Stat(path.clone()))?.as_ref();
    let state = match (args.state, stat.map(|stat| &stat.kind)) {
        (Some(state), _) => state,
        (None, _) if args.recurse => State::Directory,
        (None, Some(Kind::Directory)) => State::Directory,
        (None, Some(Kind::Link(_))) => State::Link,
        (None, _) => State::File,
    };
    let changes = match state {
        State::Absent => stat.map_or_else(Vec::new, |stat| vec![removed(&path, &stat.kind)]),
        State::Directory => directory(args, look, &path)?,
        State::File => file(args, look, &path)?,
        State::Touch => touch(args, look, &path)?,
        State::Link if times::named(args) => {
            let why = format!("`{path}` is a link: the times of links are not set");
            return Err(Refusal::new(why).into());
        }
        State::Link => link::symbolic(args, look, &path, stat)?,
        State::Hard => link::hard(args, look, &path, stat)?,
    };
    Ok(changes.into())
}

fn removed(path: &str, kind: &Kind) -> Change {
    Change::new("removed", kind_name(kind), None::<String>).step(Action::Remove {
        path: path.to_owned(),
    })
}

/// The path whose attributes are meant, and what is there.
fn meant<'a>(
    args: &Args,
    look: &Look<'a>,
    path: &str,
) -> Result<(String, Option<&'a FileStat>), NotYet> {
    let end = if args.follows() {
        paths::follow(path, look)?
    } else {
        path.to_owned()
    };
    let stat = look.get(&Stat(end.clone()))?.as_ref();
    Ok((end, stat))
}

fn refuse_kind(path: &str, stat: &FileStat, wanted: &str) -> Stop {
    let kind = kind_name(&stat.kind);
    Refusal::new(format!("`{path}` is a {kind}, not a {wanted}"))
        .help("remove it with a task of its own if that is meant")
        .into()
}

fn directory(args: &Args, look: &Look<'_>, asked: &str) -> Result<Vec<Change>, Stop> {
    let (path, stat) = meant(args, look, asked)?;
    match stat {
        None => {
            for dir in paths::ancestors(&path) {
                match look.get(&Stat(dir.to_owned()))? {
                    Some(stat) if matches!(stat.kind, Kind::File | Kind::Other(_)) => {
                        return Err(refuse_kind(dir, stat, "directory"));
                    }
                    Some(_) => break,
                    None => {}
                }
            }
            let levels = std::iter::once(path.as_str()).chain(paths::ancestors(&path));
            let levels = levels.map(ToOwned::to_owned);
            Ok(attributes::missing_directories(
                look,
                levels,
                args.wanted(),
            )?)
        }
        Some(stat) if stat.kind == Kind::Directory => {
            let mut changes = args.wanted().changes(look, &path, stat)?;
            if args.recurse {
                changes.extend(tree::changes(args.wanted(), look, &path)?);
            }
            changes.extend(times::changes(args, look, asked)?);
            Ok(changes)
        }
        Some(stat) => Err(refuse_kind(&path, stat, "directory")),
    }
}

fn file(args: &Args, look: &Look<'_>, asked: &str) -> Result<Vec<Change>, Stop> {
    let (path, stat) = meant(args, look, asked)?;
    match stat {
        // An earlier task may make it.
        None => Err(NotYet(format!("the file `{path}`")).into()),
        Some(stat) if matches!(stat.kind, Kind::File) => {
            let mut changes = args.wanted().changes(look, &path, stat)?;
            changes.extend(times::changes(args, look, asked)?);
            Ok(changes)
        }
        Some(stat) => Err(refuse_kind(&path, stat, "file")),
    }
}

fn touch(args: &Args, look: &Look<'_>, asked: &str) -> Result<Vec<Change>, Stop> {
    let (path, stat) = meant(args, look, asked)?;
    let Some(stat) = stat else {
        attributes::parent_exists(look, &path)?;
        let attrs = args
            .wanted()
            .fresh(look, 0o666 & !crate::mode::UMASK, false)?;
        let mut change =
            Change::new("file", None::<String>, path.clone()).step(Action::Write(Write {
                path: path.clone(),
                attrs,
                if_was: Some(None),
                ..Write::default()
            }));
        if let Some(step) = times::of_new(args, &path) {
            change = change.step(step);
        }
        return Ok(vec![change.because(Cause::Differs)]);
    };
    if matches!(stat.kind, Kind::Link(_)) {
        return Err(refuse_kind(&path, stat, "file"));
    }
    let mut changes = args.wanted().changes(look, &path, stat)?;
    changes.extend(times::changes(args, look, asked)?);
    Ok(changes)
}
