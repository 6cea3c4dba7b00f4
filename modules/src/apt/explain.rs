//! Why apt cannot, and what to do: for each way to fail that is known.

use evenkeel_engine::{Done, Refusal};

/// What stands between two texts.
fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after).map(|(found, _)| found)
}

/// What stands behind a text, each time, up to the end of its line.
fn behind<'a>(text: &'a str, before: &str) -> Vec<&'a str> {
    let ends = text.lines().filter_map(|line| line.split_once(before));
    let mut all: Vec<&str> = ends.map(|(_, rest)| rest.trim()).collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn ticked(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

/// The errors, or else the last lines that say something.
pub(super) fn told(text: &str) -> String {
    let errors: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("E: "))
        .collect();
    if !errors.is_empty() {
        return errors.join("; ");
    }
    let lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('!'));
    let lines: Vec<&str> = lines.collect();
    lines[lines.len().saturating_sub(4)..].join("; ")
}

/// What a call that failed means.
pub(super) fn explain(done: &Done) -> Option<Refusal> {
    let mut text = String::from_utf8_lossy(&done.stdout).into_owned();
    text.push('\n');
    text.push_str(&String::from_utf8_lossy(&done.stderr));
    why(&text)
}

/// Why it cannot, if that is known.
pub(super) fn why(text: &str) -> Option<Refusal> {
    const KNOWN: [fn(&str) -> Option<Refusal>; 9] = [
        lock,
        root,
        interrupted,
        space,
        script,
        signature,
        fetch,
        names,
        rules,
    ];
    KNOWN
        .iter()
        .find_map(|known| known(text))
        .or_else(|| conflict(text))
}

fn lock(text: &str) -> Option<Refusal> {
    let rest = behind(text, "Could not get lock ");
    let line = rest
        .iter()
        .find(|line| line.contains("held by"))
        .or(rest.first())?;
    let file = line
        .split(['.', ' '])
        .next()
        .unwrap_or_default()
        .trim_end_matches('.');
    let why = match between(line, "held by process ", ")").and_then(|who| who.split_once(" (")) {
        Some((pid, name)) => Refusal::new(format!(
            "the process {pid} (`{name}`) holds the lock `{file}`, longer than was waited"
        )),
        None if line.contains("Permission denied") => return root("are you root?"),
        None => Refusal::new(format!(
            "another program holds the lock `{file}`, longer than was waited"
        )),
    };
    Some(why.help("wait for its end, or give more time with `lock_timeout`"))
}

fn root(text: &str) -> Option<Refusal> {
    let is = [
        "are you root?",
        "requested operation requires superuser privilege",
    ];
    let why = Refusal::new("only root may change packages");
    is.iter()
        .any(|word| text.contains(word))
        .then(|| why.help("set `become: true` for this task"))
}

/// dpkg has begun something, and has not ended it.
pub(super) fn is_interrupted() -> Refusal {
    let why = Refusal::new("dpkg was interrupted, and what it had begun is not done");
    why.help("a task `apt: {state: fixed}` before this one ends it, as `dpkg --configure -a` does")
}

fn interrupted(text: &str) -> Option<Refusal> {
    text.contains("dpkg was interrupted").then(is_interrupted)
}

fn space(text: &str) -> Option<Refusal> {
    let full = |line: &&str| {
        line.contains("No space left on device")
            || line.contains("enough free space")
            || line.contains("write error (28")
    };
    let line = text.lines().find(full)?;
    let line = line.trim().trim_start_matches("E: ");
    Some(
        Refusal::new(format!("the disk of the host is full: {line}"))
            .help("make room, and run again"),
    )
}

/// A script of a package that failed, and what it printed last.
fn script(text: &str) -> Option<Refusal> {
    let at = text.find(" script subprocess ")?;
    let begin = text[..at].rfind('\n').map_or(0, |at| at + 1);
    let line = text[begin..].lines().next()?;
    let how = line.split_once(" script subprocess ")?.1;
    let how = how.trim_start_matches("returned ");
    let words: Vec<&str> = line[..at - begin].split_whitespace().collect();
    let script = words.last()?;
    let package = between(text, "error processing package ", " (")
        .or_else(|| between(text, "error processing archive ", " ("))
        .or_else(|| words.iter().rev().nth(2).copied())?;
    let heads = [
        "Setting up ",
        "Removing ",
        "Purging ",
        "Unpacking ",
        "Preparing to unpack ",
    ];
    let is_head = |line: &str| heads.iter().any(|head| line.starts_with(head));
    let noise = ["dpkg: ", "(Reading", "Selecting ", "Processing "];
    let lines: Vec<&str> = text[..begin].lines().map(str::trim).collect();
    let last = lines
        .iter()
        .rposition(|line| is_head(line))
        .map_or(0, |at| at + 1);
    let before = lines[last..].iter().copied();
    let before =
        before.filter(|line| !line.is_empty() && !noise.iter().any(|head| line.starts_with(head)));
    let said: Vec<&str> = before.collect();
    let said = said[said.len().saturating_sub(3)..].join("; ");
    let said = if said.is_empty() || said.starts_with("E: ") {
        String::new()
    } else {
        format!(": {said}")
    };
    let why = Refusal::new(format!(
        "the script `{script}` of `{package}` failed: {how}{said}"
    ));
    Some(why.help("the package itself is at fault, or misses something on this host; `state: fixed` tries again"))
}

fn signature(text: &str) -> Option<Refusal> {
    let keys = behind(text, "NO_PUBKEY ");
    if !keys.is_empty() {
        let keys: Vec<&str> = keys
            .iter()
            .filter_map(|key| key.split_whitespace().next())
            .collect();
        let repo =
            between(text, "GPG error: ", " ").map_or(String::new(), |repo| format!(" of `{repo}`"));
        let why = Refusal::new(format!(
            "nobody here trusts the key {} that signs the lists{repo}",
            ticked(&keys)
        ));
        return Some(why.help("put its public key below /etc/apt/keyrings, and name that file by `signed-by` in the source"));
    }
    for word in ["BADSIG", "EXPKEYSIG", "REVKEYSIG", "EXPSIG"] {
        if let Some(found) = behind(text, word).first() {
            let what = if word == "BADSIG" {
                "is wrong"
            } else {
                "is of a key that has expired or was revoked"
            };
            return Some(Refusal::new(format!(
                "the signature of the lists {what}: {found}"
            )));
        }
    }
    if let Some(repo) = between(text, "The repository '", "' is not signed") {
        let why = Refusal::new(format!("the lists of `{repo}` are not signed"));
        return Some(why.help("sign them, or take its word with `[trusted=yes]` in the source"));
    }
    if text.contains("unauthenticated packages") {
        let why = Refusal::new("packages would come from a source that nobody vouches for");
        return Some(why.help("`allow_unauthenticated: true` does without signatures"));
    }
    None
}

fn fetch(text: &str) -> Option<Refusal> {
    if let Some(repo) = between(text, "The repository '", "' does not have a Release file") {
        let why = Refusal::new(format!("there are no lists at `{repo}`"));
        return Some(why.help("look at its address and its suite, as seen from the host"));
    }
    let failed = behind(text, "Failed to fetch ");
    let first = failed.first()?;
    let (address, reason) = first.split_once(' ').unwrap_or((first, ""));
    let reason = reason.trim();
    let more = if failed.len() > 1 {
        format!(" (and {} more)", failed.len() - 1)
    } else {
        String::new()
    };
    let why = Refusal::new(format!("`{address}` cannot be fetched: {reason}{more}"));
    let help = if reason.contains("404") {
        "the lists may be older than the repository: `update_cache: true` fetches them anew"
    } else {
        "the host itself fetches it: the address has to be right as seen from there"
    };
    Some(why.help(help))
}

fn names(text: &str) -> Option<Refusal> {
    let unknown = behind(text, "E: Unable to locate package ");
    let patterns = [
        behind(text, "E: Couldn't find any package by glob "),
        behind(text, "E: Couldn't find any package by regex "),
        behind(text, "E: Couldn't find task "),
        behind(text, "E: Unable to find a source package for "),
    ];
    let patterns: Vec<&str> = patterns
        .concat()
        .into_iter()
        .map(|name| name.trim_matches('\''))
        .collect();
    let all: Vec<&str> = unknown.iter().copied().chain(patterns).collect();
    let never = text.contains("!never");
    let fetch = if never {
        "lists of packages were never fetched on this host: `update_cache: true` fetches them"
    } else {
        "look at its spelling; if it is new, `update_cache: true` fetches the lists anew"
    };
    if let Some(first) = all.first() {
        let near = near(first, &behind(text, "!near "));
        let mut all: Vec<&str> = all.clone();
        all.sort_unstable();
        all.dedup();
        let why = Refusal::new(format!("no source of packages has {}", ticked(&all)));
        return Some(match near {
            Some(near) if !never => why.help(format!(
                "did you mean `{near}`? If it is new, `update_cache: true` fetches the lists anew"
            )),
            _ => why.help(fetch),
        });
    }
    if let Some(version) = between(text, "E: Version '", "' was not found") {
        let (version, name) = version.split_once("' for '").unwrap_or((version, ""));
        let why = Refusal::new(format!(
            "no source of packages has version `{version}` of `{name}`"
        ));
        return Some(why.help(format!("`apt-cache policy {name}` shows which there are; `update_cache: true` fetches the lists anew")));
    }
    if let Some(release) = between(
        text,
        "E: The value '",
        "' is invalid for APT::Default-Release",
    ) {
        return Some(Refusal::new(format!(
            "no source of packages is of the release `{release}`"
        )));
    }
    if let Some(release) = between(text, "E: Release '", "' was not found") {
        let (release, name) = release.split_once("' for '").unwrap_or((release, ""));
        return Some(Refusal::new(format!(
            "no source of packages has `{name}` in the release `{release}`"
        )));
    }
    if text.contains("You must put some 'deb-src' URIs") {
        let why = Refusal::new("no source of source packages is configured");
        return Some(why.help("add a line `deb-src …` (the module `apt-repository`)"));
    }
    let name = between(text, "E: Package '", "' has no installation candidate")?;
    let providers = text
        .lines()
        .skip_while(|line| !line.contains("is a virtual package provided by:"))
        .skip(1);
    let providers: Vec<&str> = providers
        .take_while(|line| line.starts_with("  "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    if providers.is_empty() {
        let why = Refusal::new(format!(
            "no source of packages has `{name}`, though others know of it"
        ));
        return Some(why.help(fetch));
    }
    let why = Refusal::new(format!(
        "`{name}` is provided by several packages: {}",
        ticked(&providers)
    ));
    Some(why.help("name one of them"))
}

/// What apt would only do if it were told to.
fn rules(text: &str) -> Option<Refusal> {
    // The names that stand below a line.
    let below = |head: &str| {
        let lines = text.lines().skip_while(|line| *line != head).skip(1);
        let lines = lines.take_while(|line| line.starts_with("  "));
        ticked(&lines.flat_map(str::split_whitespace).collect::<Vec<_>>())
    };
    let (why, help) = if text.contains("Held packages were changed") {
        let names = below("The following held packages will be changed:");
        let help = "`allow_change_held_packages: true` changes it all the same; `apt-mark unhold` ends that";
        (format!("{names} is held: it is to stay as it is"), help)
    } else if text.contains("Packages were downgraded") {
        let names = below("The following packages will be DOWNGRADED:");
        let why =
            format!("an older version of {names} would take the place of the one that is there");
        (why, "`allow_downgrade: true` lets it")
    } else if text.contains("Essential packages were removed") {
        let why = "a package would be removed that the system cannot do without";
        (why.to_owned(), "look at what would go with it")
    } else if text.contains("Packages need to be removed but remove is disabled") {
        (
            "a package would have to be removed".to_owned(),
            "`fail_on_autoremove` forbids that",
        )
    } else {
        return None;
    };
    Some(Refusal::new(why).help(help))
}

/// What the solver says.
fn conflict(text: &str) -> Option<Refusal> {
    let lines = text
        .lines()
        .skip_while(|line| !line.contains("have unmet dependencies"));
    let lines = lines.skip(1).take_while(|line| line.starts_with(' '));
    let mut all: Vec<String> = Vec::new();
    for line in lines {
        let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
        match line.split_once(" : ") {
            Some((name, rest)) => all.push(format!("{name}: {rest}")),
            None => all.push(line),
        }
    }
    if all.is_empty() {
        return None;
    }
    let why = Refusal::new(format!(
        "the dependencies cannot be fulfilled: {}",
        all.join("; ")
    ));
    Some(why.help(
        "`apt-cache policy NAME` shows which versions there are; `apt-mark showhold` what is held",
    ))
}

/// Which of the names that there are is most like this one.
fn near<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let distances = known.iter().map(|known| (distance(name, known), *known));
    let (distance, known) = distances.min()?;
    (distance <= 1 + name.len() / 5).then_some(known)
}

/// How many letters are to be changed, put in or left out.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let cost = corner + usize::from(x != *y);
            corner = row[j + 1];
            row[j + 1] = cost.min(row[j] + 1).min(corner + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_it_cannot_is_said() {
        let cases = [
            (
                "E: Unable to locate package nosuch",
                "no source of packages has `nosuch`",
            ),
            (
                "E: Version '9' for 'apple' was not found",
                "no source of packages has version `9` of `apple`",
            ),
            (
                "Some packages could not be installed.\nThe following packages have unmet dependencies:\n lacking : Depends: \
                 x (>= 2) but it is not installable\n           Depends: y\nE: Unable to correct problems, you have held broken packages.",
                "the dependencies cannot be fulfilled: lacking: Depends: x (>= 2) but it is not installable; Depends: y",
            ),
            (
                "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 12 (apt-get)\nE: Unable to acquire",
                "the process 12 (`apt-get`) holds the lock `/var/lib/dpkg/lock-frontend`, longer than was waited",
            ),
            (
                "E: Could not open lock file /var/lib/dpkg/lock-frontend - open (13: Permission denied)\nE: Unable to \
                 acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), are you root?",
                "only root may change packages",
            ),
            (
                "E: dpkg was interrupted, you must manually run 'dpkg --configure -a' to correct the problem.",
                "dpkg was interrupted, and what it had begun is not done",
            ),
            (
                "Get:1 file: x\nSetting up sick (1.0) ...\nno such database\ndpkg: error processing package sick (--configure):\n installed sick \
                 package post-installation script subprocess returned error exit status 3\nErrors were encountered",
                "the script `post-installation` of `sick` failed: error exit status 3: no such database",
            ),
            (
                "W: GPG error: http://10.0.0.1 ./ InRelease: The following signatures couldn't be verified because the public \
                 key is not available: NO_PUBKEY 00FF\nE: The repository 'http://10.0.0.1 ./ InRelease' is not signed.",
                "nobody here trusts the key `00FF` that signs the lists of `http://10.0.0.1`",
            ),
            (
                "E: Failed to fetch http://10.0.0.1/a.deb  404  Not Found",
                "`http://10.0.0.1/a.deb` cannot be fetched: 404  Not Found",
            ),
            (
                "E: You don't have enough free space in /var/cache/apt/archives/.",
                "the disk of the host is full: You don't have enough free space in /var/cache/apt/archives/.",
            ),
            (
                "The following packages will be DOWNGRADED:\n  apple\n0 upgraded\nE: Packages were downgraded and -y was used without \
                 --allow-downgrades.",
                "an older version of `apple` would take the place of the one that is there",
            ),
            (
                "The following held packages will be changed:\n  apple pear\n1 upgraded\nE: Held packages were changed and -y",
                "`apple`, `pear` is held: it is to stay as it is",
            ),
            (
                "Package mta is a virtual package provided by:\n  exim 1\n  postfix 2\nYou should\n\nE: Package 'mta' has no installation candidate",
                "`mta` is provided by several packages: `exim`, `postfix`",
            ),
        ];
        for (text, wanted) in cases {
            assert_eq!(why(text).unwrap().message, wanted);
        }
        assert_eq!(why("E: something new"), None);
        assert_eq!(
            told("x\nE: something new\nE: and more"),
            "something new; and more"
        );
    }

    #[test]
    fn the_nearest_name_is_found() {
        let help = |text: &str| why(text).unwrap().help.unwrap();
        assert!(
            help("E: Unable to locate package ngnix\n!near nginx\n!near nano").contains("`nginx`")
        );
        assert!(!help("E: Unable to locate package ngnix\n!near nano").contains("mean"));
        assert!(help("E: Unable to locate package ngnix\n!never").contains("never fetched"));
    }
}
