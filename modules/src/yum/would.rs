//! What dnf says, as data: the transaction it resolved, or why it cannot.

use evenkeel_engine::{Done, Refusal};

use super::{probes::Nevra, resolve::Said, version::Evr};

/// What would be done.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Would {
    /// Nothing.
    Nothing,
    /// This; the rows are of other questions as well if it was asked together with them.
    This { rows: Vec<Row>, merged: bool },
    /// It cannot be known now: another dnf holds the lock, or it did not end.
    Unknown,
    /// It cannot be done.
    Cannot(Refusal),
}

/// A line of dnf's table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) what: What,
    /// Whether nobody has asked for it.
    pub(super) drawn: bool,
    pub(super) package: Nevra,
}

/// What becomes of a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Installed,
    Upgraded,
    Downgraded,
    Removed,
}

/// What stands over a part of the table, and whether its packages were not asked for.
const PARTS: [(&str, What, bool); 16] = [
    ("Installing:", What::Installed, false),
    ("Installing group/module packages:", What::Installed, false),
    ("Installing dependencies:", What::Installed, true),
    ("Installing for dependencies:", What::Installed, true),
    ("Installing weak dependencies:", What::Installed, true),
    ("Upgrading:", What::Upgraded, false),
    ("Updating:", What::Upgraded, false),
    ("Updating for dependencies:", What::Upgraded, true),
    ("Reinstalling:", What::Installed, false),
    ("Downgrading:", What::Downgraded, false),
    ("Removing:", What::Removed, false),
    ("Removing dependent packages:", What::Removed, true),
    ("Removing for dependencies:", What::Removed, true),
    ("Removing unused dependencies:", What::Removed, true),
    ("Removing group/module packages:", What::Removed, false),
    ("Removing unused packages:", What::Removed, true),
];

impl Said {
    pub(super) fn would(&self, verb: &str) -> Would {
        match self.status {
            0 => Would::Nothing,
            1 if only_notes(&self.text) => Would::Nothing,
            1 => Would::This {
                rows: rows(&self.text),
                merged: self.merged,
            },
            124 | 200 => Would::Unknown,
            _ => Would::Cannot(why(&self.text).unwrap_or_else(|| {
                let said = told(&self.text);
                Refusal::new(format!("dnf cannot {verb} it: {said}"))
            })),
        }
    }
}

/// Whether a transaction is about no package, but only notes once more that a group is there: dnf
/// does that each time it is told to install one.
fn only_notes(text: &str) -> bool {
    const NOTES: [&str; 2] = ["Installing Groups:", "Installing Environment Groups:"];
    let is_head =
        |line: &&str| line.starts_with(|c: char| c.is_ascii_uppercase()) && line.ends_with(':');
    let heads = text.lines().map(str::trim_end).filter(is_head);
    let mut heads = heads.peekable();
    heads.peek().is_some() && heads.all(|head| NOTES.contains(&head))
}

/// The lines that say something.
fn told(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let lines: Vec<&str> = lines.collect();
    lines[lines.len().saturating_sub(4)..].join("; ")
}

/// The packages of a transaction. A row begins with one blank; what is too wide goes on in the next line, below its
/// column.
fn rows(text: &str) -> Vec<Row> {
    let mut part = None;
    let mut rows: Vec<(What, bool, Vec<String>)> = Vec::new();
    for line in text.lines() {
        if !line.starts_with(' ') {
            part = PARTS.iter().find(|(head, ..)| *head == line.trim_end());
            continue;
        }
        let Some((_, what, drawn)) = part else {
            continue;
        };
        let words = line.split_whitespace().map(str::to_owned);
        if line.starts_with("  ") {
            if let Some((.., row)) = rows.last_mut() {
                row.extend(words);
            }
        } else {
            rows.push((*what, *drawn, words.collect()));
        }
    }
    let row = |(what, drawn, words): (What, bool, Vec<String>)| {
        let [name, arch, evr, ..] = &words[..] else {
            return None;
        };
        Some(Row {
            what,
            drawn,
            package: Nevra {
                name: name.clone(),
                evr: Evr::parse(evr)?,
                arch: arch.clone(),
            },
        })
    };
    rows.into_iter().filter_map(row).collect()
}

/// What stands between two texts.
fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after).map(|(found, _)| found)
}

/// What stands behind a text, each time, up to the end of its line.
fn behind<'a>(text: &'a str, before: &str) -> Vec<&'a str> {
    let ends = text.lines().filter_map(|line| line.split_once(before));
    let mut all: Vec<&str> = ends.map(|(_, rest)| rest.trim()).collect();
    all.dedup();
    all
}

fn ticked(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

/// Why dnf cannot, and what to do: for each way to fail that is known.
fn why(text: &str) -> Option<Refusal> {
    if text.contains("superuser privileges") || text.contains("need to be root") {
        let why = Refusal::new("only root may ask dnf to change packages");
        return Some(why.help("set `become: true` for this task"));
    }
    if text.contains("There are no enabled repositories") || text.contains("no enabled repos") {
        let why = Refusal::new("no repository is switched on");
        return Some(why.help(
            "configure one (the module `yum-repository`), or name one that is off in `enablerepo`",
        ));
    }
    if let Some(repo) = between(text, "Failed to download metadata for repo '", "'") {
        let reason = behind(text, "Failed to download metadata for repo ");
        let reason = reason
            .first()
            .and_then(|rest| rest.split_once(": "))
            .map_or("", |(_, rest)| rest);
        let why = Refusal::new(format!(
            "the lists of the repository `{repo}` cannot be fetched: {reason}"
        ));
        return Some(why.help("mend its address, or leave it out with `disablerepo`"));
    }
    if let Some(repo) = between(text, "Unknown repo: '", "'") {
        let why = Refusal::new(format!("there is no repository `{repo}`"));
        return Some(
            why.help("`dnf repolist --all` shows which there are; `yum-repository` makes one"),
        );
    }
    lock(text)
        .or_else(|| signature(text))
        .or_else(|| script(text))
        .or_else(|| space(text))
        .or_else(|| names(text))
        .or_else(|| archive(text))
        .or_else(|| conflict(text))
}

fn names(text: &str) -> Option<Refusal> {
    let excluded = behind(text, "filtered out by exclude filtering for argument: ");
    if !excluded.is_empty() {
        let why = Refusal::new(format!(
            "{} is excluded by the configuration of dnf",
            ticked(&excluded)
        ));
        return Some(why.help("`disable_excludes: all` ignores that"));
    }
    let modular = behind(text, "filtered out by modular filtering for argument: ");
    if !modular.is_empty() {
        let why = Refusal::new(format!(
            "{} belongs to a stream of a module that is not enabled",
            ticked(&modular)
        ));
        return Some(why.help("install the stream, as `@MODULE:STREAM`"));
    }
    let groups: Vec<&str> = text
        .lines()
        .filter_map(|line| between(line, "Module or Group '", "' is not available"))
        .collect();
    if !groups.is_empty() {
        let why = Refusal::new(format!(
            "no repository that is on has the group or module {}",
            ticked(&groups)
        ));
        return Some(
            why.help("`dnf group list --hidden --ids` and `dnf module list` show what there is"),
        );
    }
    let mut unknown = behind(text, "No match for argument: ");
    if unknown.is_empty() {
        let all = behind(text, "Unable to find a match: ");
        unknown = all.iter().flat_map(|names| names.split(' ')).collect();
    }
    if unknown.is_empty() {
        return None;
    }
    let why = Refusal::new(format!("no repository that is on has {}", ticked(&unknown)));
    let near = between(text, "Maybe you meant: ", "\n");
    Some(match near {
        Some(near) => why.help(format!("there is `{}`", near.trim())),
        None => why.help("look at its spelling; `dnf search WORD` looks for it, `enablerepo` switches a repository on"),
    })
}

fn archive(text: &str) -> Option<Refusal> {
    if let Some(path) = behind(text, "Could not open: ").first() {
        return Some(Refusal::new(format!(
            "`{path}` cannot be opened: is it there, and is it a package?"
        )));
    }
    if let Some(package) = between(text, "package ", " does not have a compatible architecture") {
        let package = package.rsplit("package ").next().unwrap_or(package);
        return Some(Refusal::new(format!(
            "`{package}` is for machines of another architecture"
        )));
    }
    let curl = text
        .lines()
        .rfind(|line| line.starts_with("Curl error") || line.starts_with("Status code:"))?;
    let why = Refusal::new(format!("the archive cannot be fetched: {curl}"));
    Some(why.help("the host itself fetches it: the address has to be right as seen from there"))
}

/// What the solver says.
fn conflict(text: &str) -> Option<Refusal> {
    let lines = text
        .lines()
        .skip_while(|line| !line.trim_start().starts_with("Problem"));
    let lines = lines.take_while(|line| !line.starts_with('(') && !line.starts_with("Operation"));
    let lines: Vec<&str> = lines
        .map(|line| line.trim().trim_start_matches("- "))
        .filter(|l| !l.is_empty())
        .collect();
    let first = lines.first()?;
    let first = first.split_once(": ").map_or(*first, |(_, rest)| rest);
    let rest = if lines.len() > 1 {
        format!(": {}", lines[1..].join("; "))
    } else {
        String::new()
    };
    let why = Refusal::new(format!(
        "the dependencies cannot be fulfilled: {first}{rest}"
    ));
    let hints = [
        (
            "--allowerasing",
            "`allowerasing: true` removes what is in the way",
        ),
        ("--nobest", "`nobest: true` takes an older version"),
        (
            "--skip-broken",
            "`skip_broken: true` leaves out what cannot be installed",
        ),
    ];
    let hints: Vec<&str> = hints
        .iter()
        .filter(|(word, _)| text.contains(word))
        .map(|(_, hint)| *hint)
        .collect();
    Some(if hints.is_empty() {
        why
    } else {
        why.help(hints.join("; "))
    })
}

fn lock(text: &str) -> Option<Refusal> {
    let line = text
        .lines()
        .find(|line| line.contains(" already locked by "))?;
    let pid = line.rsplit(' ').next().unwrap_or_default();
    let who =
        between(text, "The application with PID ", "\n").and_then(|rest| rest.split_once(" is: "));
    let who = who.map_or(String::new(), |(_, name)| format!(" (`{name}`)"));
    let why = Refusal::new(format!(
        "the process {pid}{who} holds the lock of dnf, longer than was waited"
    ));
    Some(why.help("wait for its end, or give more time with `lock_timeout`"))
}

fn signature(text: &str) -> Option<Refusal> {
    if !text.contains("GPG check FAILED") && !text.contains("is not signed") {
        return None;
    }
    let about: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| {
            line.contains("is not signed") || line.contains("ublic key") || line.contains("GPG key")
        })
        .collect();
    let why = Refusal::new(format!(
        "the signature of a package cannot be validated: {}",
        about.join("; ")
    ));
    Some(why.help("import the key of who made it (`rpm --import`), or set `disable_gpg_check: true` to do without"))
}

fn script(text: &str) -> Option<Refusal> {
    let line = text
        .lines()
        .find(|line| line.contains("scriptlet failed, "))?;
    let (script, package) = line.split_once('%')?.1.split_once('(')?;
    let (package, how) = package.split_once(')')?;
    let how = how.trim().trim_start_matches("scriptlet failed, ");
    let why = Refusal::new(format!(
        "the script `%{script}` of `{package}` failed: {how}"
    ));
    Some(why.help("the package itself is at fault, or misses something on this host"))
}

fn space(text: &str) -> Option<Refusal> {
    let line = text.lines().find(|line| {
        line.contains("more space needed on")
            || line.contains("No space left on device")
            || line.contains("needs ") && line.contains(" more on the ")
    })?;
    Some(
        Refusal::new(format!("the disk of the host is full: {}", line.trim()))
            .help("make room, and run again"),
    )
}

/// What a transaction that failed means.
pub(super) fn explain(done: &Done) -> Option<Refusal> {
    let mut text = String::from_utf8_lossy(&done.stderr).into_owned();
    text.push('\n');
    text.push_str(&String::from_utf8_lossy(&done.stdout));
    why(&text)
}

/// What dnf says that it has done, as `Installed: apple-1.1-1.el9.noarch`.
pub(super) fn results(done: &[Done]) -> Vec<String> {
    const HEADS: [&str; 7] = [
        "Installed:",
        "Upgraded:",
        "Updated:",
        "Downgraded:",
        "Removed:",
        "Reinstalled:",
        "Failed:",
    ];
    let mut results = Vec::new();
    for done in done {
        let text = String::from_utf8_lossy(&done.stdout);
        let mut head = None;
        for line in text.lines() {
            if line.starts_with("  ") {
                let Some(head) = head else { continue };
                results.extend(line.split_whitespace().map(|name| format!("{head} {name}")));
            } else {
                head = HEADS.iter().find(|head| **head == line.trim_end());
            }
        }
    }
    results
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
Dependencies resolved.
================================================================================
 Package              Architecture     Version             Repository      Size
================================================================================
Installing:
 apple                noarch           1.1-1.el9           shop           5.9 k
     replacing  pear.noarch 1.0-1.el9
 a-name-that-is-wider-than-its-column-and-so-on
                      x86_64           2:3.0-1.el9         shop           4  
Removing dependent packages:
 parent               noarch           1.0-1.el9           @shop             4  
Skipping packages with broken dependencies:
 better               noarch           2.0-1.el9           shop            5.9 k

Transaction Summary
================================================================================
Install  2 Packages
Operation aborted.
";

    #[test]
    fn the_table_is_read() {
        let said = Said {
            status: 1,
            merged: false,
            text: TABLE.to_owned(),
        };
        let Would::This { rows, merged } = said.would("install") else {
            panic!()
        };
        let rows: Vec<String> = rows
            .iter()
            .map(|row| {
                let Nevra { name, evr, arch } = &row.package;
                format!("{:?} {} {name} {evr} {arch}", row.what, row.drawn)
            })
            .collect();
        assert_eq!(
            rows,
            [
                "Installed false apple 1.1-1.el9 noarch",
                "Installed false a-name-that-is-wider-than-its-column-and-so-on 2:3.0-1.el9 x86_64",
                "Removed true parent 1.0-1.el9 noarch",
            ]
        );
        assert!(!merged);
    }

    #[test]
    fn why_it_cannot_is_said() {
        let cases = [
            (
                "No match for argument: nosuch\nError: Unable to find a match: nosuch",
                "no repository that is on has `nosuch`",
            ),
            (
                "All matches were filtered out by exclude filtering for argument: berry\nError: Unable to find a match: berry",
                "`berry` is excluded by the configuration of dnf",
            ),
            (
                "Module or Group 'nope' is not available.\nError: Nothing to do.",
                "no repository that is on has the group or module `nope`",
            ),
            (
                "Error: \n Problem: conflicting requests\n  - nothing provides x >= 2 needed by lacking-1.0\n(try to add '--skip-broken')",
                "the dependencies cannot be fulfilled: conflicting requests: nothing provides x >= 2 needed by lacking-1.0",
            ),
            (
                "Error: \n Problem: conflicting requests\n  - package far-1.0-1.el9.s390x does not have a compatible architecture",
                "`far-1.0-1.el9.s390x` is for machines of another architecture",
            ),
            (
                "Error: This command has to be run with superuser privileges (under the root user on most systems).",
                "only root may ask dnf to change packages",
            ),
            (
                "Error: something new",
                "dnf cannot install it: Error: something new",
            ),
        ];
        for (text, wanted) in cases {
            let said = Said {
                status: 2,
                merged: false,
                text: text.to_owned(),
            };
            let Would::Cannot(why) = said.would("install") else {
                panic!("{text}")
            };
            assert_eq!(why.message, wanted);
        }
    }

    #[test]
    fn what_was_done_is_read() {
        let done = Done {
            stdout: b"Running\n\nInstalled:\n  a-1-1.noarch   b-1-1.noarch \n  c-1-1.noarch\nRemoved:\n  d-1-1.noarch\n\nComplete!\n".to_vec(),
            ..Done::default()
        };
        let wanted = [
            "Installed: a-1-1.noarch",
            "Installed: b-1-1.noarch",
            "Installed: c-1-1.noarch",
            "Removed: d-1-1.noarch",
        ];
        assert_eq!(results(&[done]), wanted);
    }
}
