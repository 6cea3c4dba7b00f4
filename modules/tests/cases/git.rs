//! `git`.

use evenkeel_engine::{
    Done,
    fake::{self, Call, FakeHost, World},
};
use evenkeel_modules::git::{Checkout, Far, Kind, State};

use crate::support::{Expect, case};

/// Together, these set every argument there is, none to its default.
pub(crate) const SAMPLES: &[&str] = &[
    "git: {repo: /r, dest: /d, version: v, remote: up, refspec: r, force: true, depth: 3, update: false, clone: false, \
     bare: true, key_file: /k, accept_hostkey: true, accept_newhostkey: true, ssh_opts: -v, recursive: false, \
     single_branch: true, umask: '0022', executable: /usr/bin/git}",
];

/// Commits of the repository.
const OLD: &str = "1111111111111111111111111111111111111111";
const NEW: &str = "2222222222222222222222222222222222222222";

fn note(dest: &str, what: &str) -> String {
    format!("{what} of {dest}")
}

/// What the world notes of a working copy, as the host would see it.
fn look(world: &World, asked: &Checkout) -> State {
    let text = |what: &str| {
        world
            .noted(&note(&asked.dest, what))
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    let head = text("head");
    let kind = match text("kind").as_deref() {
        Some("copy") => Kind::Copy,
        Some("bare") => Kind::Bare,
        _ if world.exists(&asked.dest) => Kind::Other,
        _ => Kind::Missing,
    };
    let commit = asked.version.len() == 40;
    let there = kind != Kind::Missing && kind != Kind::Other;
    let tag = asked.version == "v1"
        && head.as_deref() == Some(OLD)
        && text("url").as_ref() == Some(&asked.repo);
    let asks = kind != Kind::Other
        && if there {
            asked.update && !tag
        } else {
            asked.clone
        };
    let far = match asked.version.as_str() {
        _ if !asks || commit => Far::NotAsked,
        _ if asked.repo.contains("gone") => Far::Failed("repository not found".to_owned()),
        "HEAD" | "main" => Far::Branch("main".to_owned(), NEW.to_owned()),
        "v1" => Far::Commit(OLD.to_owned()),
        _ => Far::Unknown,
    };
    State {
        kind,
        head,
        url: text("url"),
        dirty: text("dirty").map_or(0, |count| count.parse().expect("a number")),
        stale: text("stale").is_some(),
        far,
    }
}

/// The part of the script.
fn take(world: &mut World, call: &Call) -> Done {
    let args = call.args();
    let [
        "-c",
        _,
        "git",
        _,
        dest,
        repo,
        _remote,
        _git,
        kind,
        _name,
        commit,
        ..,
    ] = args[..]
    else {
        return fake::failed(2, "not git");
    };
    let (dest, repo, commit) = (dest.to_owned(), repo.to_owned(), commit.to_owned());
    let before = world
        .noted(&note(&dest, "head"))
        .unwrap_or_default()
        .to_owned();
    let bare = args[14] == "1";
    assert!(["branch", "tag", "commit"].contains(&kind));
    world.note(note(&dest, "kind"), if bare { "bare" } else { "copy" });
    world.note(note(&dest, "head"), commit);
    world.note(note(&dest, "url"), repo);
    world.note(note(&dest, "dirty"), "");
    world.note(note(&dest, "stale"), "");
    fake::ok(format!("{before}\n"))
}

fn host() -> FakeHost {
    FakeHost::new()
        .dir("/srv")
        .program("git", |_, _| fake::ok(""))
        .program("sh", take)
        .model(|world, asked: &Checkout| Ok(look(world, asked)))
}

/// A host with a working copy of `/srv/r.git` at a commit.
fn at(head: &str, more: &[(&str, &str)]) -> FakeHost {
    let host = host();
    host.change(|world| {
        for (what, text) in [("kind", "copy"), ("head", head), ("url", "/srv/r.git")]
            .iter()
            .chain(more)
        {
            world.note(note("/srv/d", what), *text);
        }
    });
    host
}

pub(crate) fn cases() -> Vec<Expect> {
    let mut cases = kept();
    cases.extend(refusals());
    cases
}

fn kept() -> Vec<Expect> {
    let of = |more: &str| format!("git: {{repo: /srv/r.git, dest: /srv/d{more}}}");
    vec![
        case("GIT-01 a first clone", &of(""))
            .on(host())
            .changes([&format!("commit: null -> \"{NEW}\"")])
            .gives("before", "null")
            .gives("after", &format!("\"{NEW}\"")),
        case(
            "GIT-01 what the branch has is there",
            &of(", version: main"),
        )
        .on(at(NEW, &[]))
        .gives("before", &format!("\"{NEW}\"")),
        case("GIT-02 the branch has gone on", &of(", version: main"))
            .on(at(OLD, &[]))
            .changes([&format!("commit: \"{OLD}\" -> \"{NEW}\"")])
            .gives("after", &format!("\"{NEW}\"")),
        case("GIT-03 a tag that is checked out", &of(", version: v1")).on(at(OLD, &[])),
        case("GIT-03 another tag", &of(", version: v1"))
            .on(at(NEW, &[]))
            .changes(["commit"]),
        case(
            "GIT-04 a commit that is checked out",
            &of(&format!(", version: '{OLD}'")),
        )
        .on(at(OLD, &[])),
        case("GIT-04 another commit", &of(&format!(", version: '{OLD}'")))
            .on(at(NEW, &[]))
            .changes(["commit"]),
        case(
            "GIT-06 uncommitted changes are thrown away",
            &of(", force: true"),
        )
        .on(at(NEW, &[("dirty", "2")]))
        .changes(["uncommitted changes: \"2 files\" -> null"]),
        case("GIT-07 another address", &of(""))
            .on(at(NEW, &[("url", "/srv/old.git")]))
            .changes(["address of `origin`: \"/srv/old.git\" -> \"/srv/r.git\""]),
        case("GIT-08 a submodule is not at its commit", &of(""))
            .on(at(NEW, &[("stale", "1")]))
            .changes(["submodules"]),
        case("GIT-09 what is there stays", &of(", update: false")).on(at(OLD, &[])),
        case(
            "GIT-09 what is not there is not made",
            &of(", clone: false"),
        )
        .on(host()),
        case("GIT-10 without a working copy", &of(", bare: true"))
            .on(host())
            .changes(["commit"]),
    ]
}

fn refusals() -> Vec<Expect> {
    let of = |more: &str| format!("git: {{repo: /srv/r.git, dest: /srv/d{more}}}");
    vec![
        case("GIT-05 uncommitted changes", &of(""))
            .on(at(OLD, &[("dirty", "1")]))
            .refused("`/srv/d` has 1 file changed and not committed"),
        case("GIT-10 it has a working copy", &of(", bare: true"))
            .on(at(NEW, &[]))
            .refused("has a working copy"),
        case("GIT-11 something else is there", &of(""))
            .on(host().dir("/srv/d"))
            .refused("is no working copy of git"),
        case("GIT-11 no such version", &of(", version: nope"))
            .on(host())
            .refused("the repository `/srv/r.git` has no branch and no tag `nope`"),
        case(
            "GIT-11 no repository",
            "git: {repo: 'https://me:pw@h/gone.git', dest: /srv/d}",
        )
        .on(host())
        .not_yet("what the repository `https://***@h/gone.git` has: repository not found"),
        case(
            "GIT-12 an address that is an option",
            "git: {repo: '--upload-pack=x', dest: /d}",
        )
        .refused("would be an option of git"),
        case("GIT-12 a version that is an option", &of(", version: '-f'"))
            .refused("would be an option of git"),
        case("GIT-12 a version that is a pattern", &of(", version: 'a*'"))
            .refused("no name that git knows"),
        case("GIT-12 a command", "git: {repo: 'ext::sh -c x', dest: /d}").refused("is a command"),
        case("GIT-12 no mask", &of(", umask: '9'")).refused("is no mask"),
    ]
}
