//! What a name of a package means.

use std::cmp::Ordering;

use evenkeel_engine::Refusal;

use super::{
    probes::Deb,
    version::{compare, without_epoch},
};

/// What a text in `name` means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Spec {
    /// A package, with what is wanted of it.
    Package(Wish),
    /// A pattern of names: only apt can say what it means.
    Pattern(String),
    /// A collection of packages, `web-server^`.
    Task(String),
    /// An archive on the host.
    File(String),
    /// The address of an archive.
    Address(Address),
}

/// A package, and which one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Wish {
    pub(super) name: String,
    pub(super) arch: Option<String>,
    /// A version or a pattern of versions.
    pub(super) version: Option<String>,
    /// The lowest version that will do.
    pub(super) least: Option<String>,
    /// `/bookworm-backports`
    pub(super) release: Option<String>,
}

/// An archive to be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) text: String,
    pub(super) name: String,
    /// Without an epoch, as names of archives are.
    pub(super) version: String,
}

/// Whether a name is a pattern.
pub(super) fn is_pattern(name: &str) -> bool {
    name.contains(['*', '?', '['])
}

/// Whether a text, with these characters more, can be what apt takes for a name, and for nothing else.
fn is_plain(text: &str, more: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || more.contains(c);
    !text.is_empty()
        && text.chars().all(fits)
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
}

/// Reads a name, or says what is wrong with it.
pub(super) fn spec(text: &str) -> Result<Spec, Refusal> {
    if text.contains("://") || text.starts_with('/') {
        return archive(text);
    }
    let odd = || Refusal::new(format!("`{text}` is no name of a package"));
    let (head, version) = match text.find(['=', '>']) {
        Some(at) => (&text[..at], Some(&text[at..])),
        None => (text, None),
    };
    let (head, release) = match head.split_once('/') {
        Some((head, release)) => (head, Some(release)),
        None => (head, None),
    };
    if release.is_some_and(|release| !is_plain(release, "-_.+")) {
        return Err(odd());
    }
    if let Some(name) = head.strip_suffix('^') {
        let fine = is_plain(name, "+-.") && version.is_none() && release.is_none();
        return if fine {
            Ok(Spec::Task(text.to_owned()))
        } else {
            Err(odd())
        };
    }
    let (head, arch) = match head.split_once(':') {
        Some((head, arch)) => (head, Some(arch)),
        None => (head, None),
    };
    if arch.is_some_and(|arch| !is_plain(arch, "-")) {
        return Err(odd());
    }
    if is_pattern(head) {
        let fits = |c: char| c.is_ascii_alphanumeric() || "+-.*?[]!^".contains(c);
        let fine =
            !head.starts_with('-') && head.chars().all(fits) && version.is_none() && arch.is_none();
        let help = "a pattern has no version and no architecture";
        return if fine {
            Ok(Spec::Pattern(head.to_owned()))
        } else {
            Err(odd().help(help))
        };
    }
    if head.ends_with('-') && is_plain(head, "+-.") {
        let why = format!("`{text}` ends in `-`: apt would take that for an order to remove it");
        return Err(Refusal::new(why).help("`state: absent` removes packages"));
    }
    if !is_plain(head, "+-.") {
        return Err(odd().help("names hold letters, digits, `+`, `-` and `.`"));
    }
    let mut wish = Wish {
        name: head.to_owned(),
        arch: arch.map(str::to_owned),
        release: release.map(str::to_owned),
        ..Wish::default()
    };
    if let Some(version) = version {
        let version = version.replace("==", "=");
        let (slot, version) = match version.strip_prefix(">=") {
            Some(version) => (&mut wish.least, version),
            None => (
                &mut wish.version,
                version.strip_prefix('=').ok_or_else(odd)?,
            ),
        };
        let version = version.trim();
        if !is_plain(version.trim_start_matches('*'), "+-.:~*?[]") && version != "*" {
            return Err(odd().help("versions are `name=1.2-3`, `name=1.2*` or `name>=1.2`"));
        }
        *slot = Some(version.to_owned());
    }
    Ok(Spec::Package(wish))
}

fn archive(text: &str) -> Result<Spec, Refusal> {
    if text.contains(['\n', '\0', '\t']) {
        return Err(Refusal::new(format!("`{text}` is no archive of a package")));
    }
    if text.starts_with('/') {
        return Ok(Spec::File(text.to_owned()));
    }
    if !["http://", "https://"]
        .iter()
        .any(|scheme| text.starts_with(scheme))
    {
        let why = format!("`{text}` cannot be fetched: only http:// and https:// can");
        return Err(Refusal::new(why).help("bring the archive to the host, and name its path"));
    }
    let file = text.split(['?', '#']).next().unwrap_or(text);
    let file = file.rsplit('/').next().unwrap_or(file);
    let mut parts = file.strip_suffix(".deb").unwrap_or("").split('_');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(name), Some(version), Some(_), None) if is_plain(name, "+-.") => {
            let version = version
                .replace("%3a", ":")
                .replace("%2b", "+")
                .replace("%7e", "~");
            Ok(Spec::Address(Address {
                text: text.to_owned(),
                name: name.to_owned(),
                version: without_epoch(&version).to_owned(),
            }))
        }
        _ => {
            let why = format!(
                "`{text}` does not say which package it is: it does not end in NAME_VERSION_ARCH.deb"
            );
            Err(Refusal::new(why)
                .help("fetch it (the module `get_url`), and name the path it has on the host"))
        }
    }
}

impl Wish {
    /// Whether something installed is what is wished.
    pub(super) fn fits(&self, deb: &Deb) -> bool {
        let version = match (&self.version, &self.least) {
            (Some(version), _) => glob(version.as_bytes(), deb.version.as_bytes()),
            (None, Some(least)) => compare(&deb.version, least) != Ordering::Less,
            (None, None) => true,
        };
        self.is_of(deb) && deb.is_whole() && version
    }

    /// Whether it is the package, in whatever version.
    pub(super) fn is_of(&self, deb: &Deb) -> bool {
        match &self.arch {
            Some(arch) => *arch == deb.arch || deb.arch == "all",
            None => deb.native,
        }
    }

    /// Whether any version will do.
    pub(super) fn is_any(&self) -> bool {
        self.version.is_none() && self.least.is_none()
    }

    /// As apt is told.
    pub(super) fn word(&self) -> String {
        let mut word = self.name.clone();
        let more = [
            (':', &self.arch),
            ('=', &self.version),
            ('/', &self.release),
        ];
        for (mark, text) in more {
            if let Some(text) = text {
                word.push(mark);
                word.push_str(text);
            }
        }
        word
    }

    /// As apt is told to remove it.
    pub(super) fn bare(&self) -> String {
        match &self.arch {
            Some(arch) => format!("{}:{arch}", self.name),
            None => self.name.clone(),
        }
    }
}

/// Whether a pattern with `*` and `?` matches a whole text.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some((b'*', rest)) => (0..=text.len()).any(|at| glob(rest, &text[at..])),
        Some((b'?', rest)) => !text.is_empty() && glob(rest, &text[1..]),
        Some((byte, rest)) => text.first() == Some(byte) && glob(rest, &text[1..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deb(version: &str) -> Deb {
        Deb {
            state: "ii".to_owned(),
            arch: "amd64".to_owned(),
            version: version.to_owned(),
            native: true,
        }
    }

    #[test]
    fn a_text_may_mean_many_things() {
        let Ok(Spec::Package(wish)) = spec("libc6:i386=2.3*") else {
            panic!()
        };
        assert_eq!(wish.word(), "libc6:i386=2.3*");
        assert_eq!(wish.bare(), "libc6:i386");
        assert!(matches!(spec("g++"), Ok(Spec::Package(_))));
        assert!(matches!(spec("python3*"), Ok(Spec::Pattern(_))));
        assert!(matches!(spec("web-server^"), Ok(Spec::Task(_))));
        assert!(matches!(spec("/srv/a b.deb"), Ok(Spec::File(_))));
        let Ok(Spec::Address(address)) = spec("https://x.example/a/tool_1%3a2.0-1_all.deb?x=1")
        else {
            panic!()
        };
        assert_eq!(
            (address.name.as_str(), address.version.as_str()),
            ("tool", "2.0-1")
        );
    }

    #[test]
    fn what_apt_would_take_for_something_else_is_refused() {
        let odd = [
            "",
            "-y",
            "--simulate",
            "foo-",
            "foo bar",
            "foo;id",
            "$(id)",
            "`id`",
            "foo\nbar",
            "foo=",
            "foo=1 2",
            "foo=$(id)",
            "foo/$(id)",
            "'",
            "\"",
            "../x",
            "ünicode",
            "foo<1",
            "*^",
            "https://x.example/y",
            "ftp://x/a_1_all.deb",
            "?upgradable;",
            "foo:amd64;",
        ];
        for text in odd {
            assert!(spec(text).is_err(), "`{text}`");
        }
    }

    #[test]
    fn versions_decide() {
        let fits = |text: &str, version: &str| match spec(text) {
            Ok(Spec::Package(wish)) => wish.fits(&deb(version)),
            other => panic!("{other:?}"),
        };
        assert!(fits("a=1.2*", "1.2-3"));
        assert!(!fits("a=1.2", "1.2-3"));
        assert!(fits("a==1.2-3", "1.2-3"));
        assert!(fits("a>=1.2", "1.10"));
        assert!(!fits("a>=1.2", "1.2~rc1"));
        assert!(!fits("a:i386", "1"));
        assert!(fits("a/stable", "1"));
    }
}
