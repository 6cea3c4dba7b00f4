//! What differs, and the step that closes it.

use evenkeel_engine::{
    Change, Content, Done, Effect, NotYet, Plan, Refusal, Run, Step, Stop, Value,
};

use super::{
    Args, is_commit,
    probe::{Checkout, Far, Kind, State},
};
use crate::{download, look::Look};

/// A step may fetch a large repository.
const LIMIT: u64 = 3600;

const SCRIPT: &str = include_str!("take.sh");

/// The commit that is wanted, and under what it is known.
struct Wanted {
    /// `branch`, `tag`, `ref` or `commit`.
    kind: &'static str,
    name: String,
    commit: String,
}

pub(super) fn decide(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    let asked = args.question(look)?;
    let now = look.get(&asked)?;
    let dest = &asked.dest;
    match (now.kind, args.bare) {
        (Kind::Other, _) => {
            let what = format!("`{dest}` is there, and is no working copy of git");
            return Err(Refusal::new(what)
                .help("give it another `dest`, or move away what is there")
                .into());
        }
        (Kind::Refused, _) => {
            let why = now.url.as_deref().unwrap_or_default();
            let what = format!("git does not read `{dest}`: {why}");
            return Err(Refusal::new(what)
                .help("run the task as the user who owns it: `become_user`")
                .into());
        }
        (Kind::Missing, _) if !args.clone => return Ok(Plan::nothing()),
        (Kind::Copy | Kind::Bare, _) if !args.update => return Ok(Plan::nothing()),
        (Kind::Copy, true) => {
            return Err(Stop::refused(format!(
                "`{dest}` has a working copy, though it is to be `bare`"
            )));
        }
        (Kind::Bare, false) => {
            return Err(Stop::refused(format!(
                "`{dest}` has no working copy: it is bare"
            )));
        }
        (Kind::Missing | Kind::Copy | Kind::Bare, _) => {}
    }
    if now.dirty > 0 && !args.force {
        let what = format!(
            "`{dest}` has {} changed and not committed",
            files(now.dirty)
        );
        let help =
            "commit or undo them (`git status` names them), or throw them away with `force: true`";
        return Err(Refusal::new(what).help(help).into());
    }
    let Some(wanted) = wanted(args, now)? else {
        return Ok(Plan::nothing());
    };
    let mut changes = Vec::new();
    if now.head.as_deref() != Some(&wanted.commit) {
        changes.push(Change::new(
            "commit",
            now.head.clone(),
            wanted.commit.as_str(),
        ));
    }
    if now.kind != Kind::Missing && now.url.as_deref() != Some(&args.repo) {
        changes.push(Change::new(
            format!("address of `{}`", asked.remote),
            now.url.clone(),
            args.repo.as_str(),
        ));
    }
    if now.dirty > 0 {
        changes.push(Change::new(
            "uncommitted changes",
            files(now.dirty),
            Value::Null,
        ));
    }
    if now.stale && now.dirty == 0 {
        changes.push(Change::new(
            "submodules",
            "not at their commits",
            "at their commits",
        ));
    }
    if let Some(first) = changes.first_mut() {
        first.steps.push(step(args, &asked, &wanted, now)?);
        if now.head.is_none() {
            first.tells.push(("before", Value::Null));
        }
    }
    Ok(changes.into())
}

fn files(count: u32) -> String {
    format!("{count} file{}", if count == 1 { "" } else { "s" })
}

/// What is wanted; nothing if what is there was found to be it without asking.
fn wanted(args: &Args, now: &State) -> Result<Option<Wanted>, Stop> {
    let version = args.version();
    let of = |kind: &'static str, name: &str, commit: &str| {
        Ok(Some(Wanted {
            kind,
            name: name.to_owned(),
            commit: commit.to_owned(),
        }))
    };
    if is_commit(version) {
        return of("commit", "", &version.to_ascii_lowercase());
    }
    match &now.far {
        Far::Branch(name, commit) => of("branch", name, commit),
        Far::Commit(commit) if version.starts_with("refs/") => of("ref", version, commit),
        Far::Commit(commit) if version == "HEAD" => of("commit", "", commit),
        Far::Commit(commit) => of("tag", version, commit),
        Far::NotAsked => match &now.head {
            Some(head) => of("tag", version, head),
            None => Ok(None),
        },
        Far::Unknown if version == "HEAD" => Err(Stop::refused(format!(
            "the repository `{}` is empty",
            shown(&args.repo)
        ))),
        Far::Unknown => {
            let what = format!(
                "the repository `{}` has no branch and no tag `{version}`",
                shown(&args.repo)
            );
            Err(Refusal::new(what)
                .help("a commit is named by all its 40 digits")
                .into())
        }
        // An earlier task may make it, or the server that has it.
        Far::Failed(why) => Err(NotYet(format!(
            "what the repository `{}` has: {why}",
            shown(&args.repo)
        ))
        .into()),
    }
}

/// An address without a login's password.
fn shown(repo: &str) -> String {
    let Some((scheme, rest)) = repo.split_once("://") else {
        return repo.to_owned();
    };
    let end = rest.find('/').unwrap_or(rest.len());
    match rest[..end].rsplit_once('@') {
        Some((login, _)) if login.contains(':') => {
            format!("{scheme}://***{}", &rest[login.len()..])
        }
        _ => repo.to_owned(),
    }
}

fn step(args: &Args, asked: &Checkout, wanted: &Wanted, now: &State) -> Result<Step, Stop> {
    let flag = |yes: bool, text: &str| if yes { text } else { "" }.to_owned();
    let words = [
        asked.dest.clone(),
        asked.repo.clone(),
        asked.remote.clone(),
        asked.program.clone(),
        wanted.kind.to_owned(),
        wanted.name.clone(),
        wanted.commit.clone(),
        args.depth
            .map(|depth| depth.to_string())
            .unwrap_or_default(),
        flag(args.depth.is_some() || args.single_branch, "1"),
        flag(args.force, "--force"),
        flag(args.bare, "1"),
        flag(asked.submodules, "1"),
        args.refspec.clone().unwrap_or_default(),
    ];
    let (argv, stdin) = download::script("git", SCRIPT, words, &Content::default());
    let env = [
        ("LC_ALL", "C"),
        ("GIT_TERMINAL_PROMPT", "0"),
        ("GIT_SSH_COMMAND", asked.ssh.as_str()),
    ];
    let run = Run {
        stdin,
        seconds: Some(LIMIT),
        env: env
            .map(|(name, value)| (name.to_owned(), value.into()))
            .into(),
        umask: args.umask()?,
        explain: Some(explain),
        ..Run::new(argv)
    };
    let after = State {
        kind: if args.bare { Kind::Bare } else { Kind::Copy },
        head: Some(wanted.commit.clone()),
        url: Some(args.repo.clone()),
        dirty: 0,
        stale: false,
        far: if wanted.kind == "tag" {
            Far::NotAsked
        } else {
            now.far.clone()
        },
    };
    Ok(Step::from(run).effect(Effect::new(asked.clone(), after)))
}

/// Git says in its last lines what was wrong.
fn explain(done: &Done) -> Option<Refusal> {
    let said = String::from_utf8_lossy(&done.stderr);
    let lines: Vec<&str> = said
        .lines()
        .map(|line| line.trim_start_matches("fatal: "))
        .filter(|line| !line.is_empty())
        .collect();
    let last = lines.last()?;
    Some(Refusal::new(format!("git: {last}")))
}
