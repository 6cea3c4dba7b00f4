//! The stanza of a source, and what apt could not read of it.

use evenkeel_engine::Refusal;

use super::{Args, Signer, State};
use crate::{download::Request, pgp::BEGIN as ARMOR};

/// Who signs, as it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// A file of the host, or fingerprints.
    Named(String),
    /// The key itself.
    Armor(String),
    /// An address to get it from.
    At(String),
}

/// Who signs.
pub(super) fn key(args: &Args) -> Option<Key> {
    let text = args.signed_by.as_deref()?.trim();
    if text.is_empty() {
        return None;
    }
    Some(if text.contains(ARMOR) {
        Key::Armor(text.to_owned())
    } else if text.contains("://") {
        Key::At(text.to_owned())
    } else {
        Key::Named(text.to_owned())
    })
}

/// What files are named by, as Ansible names them: lower-case letters, digits and `-`.
pub(super) fn slug(name: &str) -> String {
    let mut slug = String::new();
    let mut gap = false;
    for c in name.chars() {
        let blank = c == '_' || c.is_whitespace();
        if c.is_ascii_alphanumeric() || c == '-' {
            slug.push(c.to_ascii_lowercase());
        } else if blank && !gap {
            slug.push('-');
        }
        gap = blank;
    }
    slug
}

/// The stanza; its fields in the order of Ansible's, so that a file that one of both wrote is as the other wants it.
pub(super) fn text(args: &Args, signer: Option<&Signer>) -> String {
    let truth = |truth: Option<bool>| truth.map(|yes| if yes { "yes" } else { "no" }.to_owned());
    let list = |list: &[String]| (!list.is_empty()).then(|| list.join(" "));
    let signed = signer.map(|signer| match signer {
        Signer::Got { path, .. } => path.clone(),
        Signer::Said(Key::Named(text) | Key::At(text)) => text.clone(),
        Signer::Said(Key::Armor(text)) => text.lines().fold(String::new(), |all, line| {
            let line = line.trim();
            all + "\n    " + if line.is_empty() { "." } else { line }
        }),
    });
    let types = list(&args.types).or_else(|| Some("deb".to_owned()));
    let fields = [
        (
            "Allow-Downgrade-To-Insecure",
            truth(args.allow_downgrade_to_insecure),
        ),
        ("Allow-Insecure", truth(args.allow_insecure)),
        ("Allow-Weak", truth(args.allow_weak)),
        ("Architectures", list(&args.architectures)),
        ("By-Hash", truth(args.by_hash)),
        ("Check-Date", truth(args.check_date)),
        ("Check-Valid-Until", truth(args.check_valid_until)),
        ("Components", list(&args.components)),
        (
            "Date-Max-Future",
            args.date_max_future.map(|seconds| seconds.to_string()),
        ),
        ("Enabled", truth(args.enabled)),
        ("Inrelease-Path", args.inrelease_path.clone()),
        ("Languages", list(&args.languages)),
        ("X-Repolib-Name", Some(args.name.clone())),
        ("Pdiffs", truth(args.pdiffs)),
        ("Signed-By", signed),
        ("Suites", list(&args.suites)),
        ("Targets", list(&args.targets)),
        ("Trusted", truth(args.trusted)),
        ("Types", types),
        ("URIs", list(&args.uris)),
    ];
    let mut text = String::new();
    for (name, value) in fields {
        if let Some(value) = value {
            let space = if value.starts_with('\n') { "" } else { " " };
            text.extend([name, ":", space, &value, "\n"]);
        }
    }
    text
}

/// What apt could not read.
pub(super) fn check(args: &Args) -> Result<(), Refusal> {
    if slug(&args.name).is_empty() {
        return Err(
            Refusal::new(format!("`{}` names no file", args.name.escape_debug())).help(
                "`name` has letters and digits; the file is `/etc/apt/sources.list.d/NAME.sources`",
            ),
        );
    }
    let lists = [
        ("uris", &args.uris),
        ("suites", &args.suites),
        ("components", &args.components),
        ("architectures", &args.architectures),
        ("languages", &args.languages),
        ("targets", &args.targets),
    ];
    one_line(args, &lists)?;
    if let Some(odd) = args
        .types
        .iter()
        .find(|kind| *kind != "deb" && *kind != "deb-src")
    {
        return Err(Refusal::new(format!("`{odd}` is no type of a source"))
            .help("`types` is `deb`, `deb-src` or both"));
    }
    if args.mode.as_ref().is_some_and(crate::Mode::is_preserve) {
        return Err(Refusal::new("`mode: preserve` is for copies only"));
    }
    if args.state == State::Absent {
        return Ok(());
    }
    for (what, list) in &lists[..2] {
        if list.is_empty() {
            return Err(Refusal::new(format!("`{what}` is missing")).help(
                "a source has `uris` and `suites`: without them apt refuses to read any source of the host",
            ));
        }
    }
    if let Some(odd) = args.uris.iter().find(|uri| !uri.contains(':')) {
        return Err(Refusal::new(format!("`{odd}` is no address of a source"))
            .help("it begins with a method, such as `https://` or `file:`"));
    }
    let words = args
        .suites
        .iter()
        .flat_map(|suite| suite.split_whitespace());
    for suite in words {
        let path = suite.ends_with('/');
        if path != args.components.is_empty() {
            let why = if path {
                format!("the suite `{suite}` is a path: it has no components")
            } else {
                format!("the suite `{suite}` has no component")
            };
            return Err(Refusal::new(why).help(
                "a suite has `components` (`main`), but a path, which ends in `/`, has none",
            ));
        }
    }
    match key(args) {
        Some(Key::At(url)) => Request::new(url).check(),
        Some(Key::Named(text)) if !named(&text) => Err(Refusal::new(format!(
            "`signed_by: {}` names no key",
            text.escape_debug()
        ))
        .help("it is the whole path of a file of keys, an address, fingerprints of 40 digits, or a key in armor")),
        Some(Key::Armor(text)) if !text.contains("-----END PGP PUBLIC KEY BLOCK-----") => {
            Err(Refusal::new("the key in `signed_by` has no end")
                .help("it ends with the line `-----END PGP PUBLIC KEY BLOCK-----`"))
        }
        _ => Ok(()),
    }
}

/// Whether each text is a line.
fn one_line(args: &Args, lists: &[(&'static str, &Vec<String>)]) -> Result<(), Refusal> {
    let single = [
        ("name", Some(&args.name)),
        ("inrelease_path", args.inrelease_path.as_ref()),
    ];
    let single = single
        .into_iter()
        .filter_map(|(what, text)| Some((what, text?)));
    let all = lists
        .iter()
        .flat_map(|(what, list)| list.iter().map(move |text| (*what, text)));
    for (what, text) in single.chain(all) {
        if text.contains(['\n', '\r', '\0']) {
            return Err(Refusal::new(format!("`{what}` is more than one line"))
                .help("each address, suite or component is an item of the list"));
        }
    }
    Ok(())
}

/// Whether it is a path, or fingerprints.
fn named(text: &str) -> bool {
    let path = text.starts_with('/') && !text.contains(['\n', '\0']);
    let print = |word: &str| {
        let word = word.strip_suffix('!').unwrap_or(word);
        word.len() >= 8 && word.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    path || text
        .split([',', ' ', '\n'])
        .filter(|word| !word.is_empty())
        .all(print)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_have_the_names_that_ansible_gives_them() {
        for (name, file) in [
            ("My Repo_x.1", "my-repo-x1"),
            ("  a -- b_", "-a----b-"),
            ("Docker CE", "docker-ce"),
            ("../../x", "x"),
            ("Ünï x", "n-x"),
        ] {
            assert_eq!(slug(name), file);
        }
    }
}
