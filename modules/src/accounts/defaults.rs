//! What the programs do where nothing is said: `/etc/login.defs` and `/etc/default/useradd`.

use std::collections::BTreeMap;

use evenkeel_engine::{NotYet, probes::Contents};

use crate::look::Look;

const LOGIN_DEFS: &str = "/etc/login.defs";
const USERADD: &str = "/etc/default/useradd";

/// The settings of the host's programs, as far as what they do can be foretold from them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Defaults {
    login: BTreeMap<String, String>,
    useradd: BTreeMap<String, String>,
}

impl Defaults {
    /// Both files; one that is not there says nothing.
    pub(crate) fn seen(look: &Look<'_>) -> Result<Self, NotYet> {
        look.ask(&Contents(LOGIN_DEFS.to_owned()));
        look.ask(&Contents(USERADD.to_owned()));
        let read = |path: &str, separator: fn(char) -> bool| -> Result<_, NotYet> {
            let bytes = look.get(&Contents(path.to_owned()))?;
            let text = String::from_utf8_lossy(bytes.as_deref().unwrap_or_default());
            Ok(settings(&text, separator))
        };
        Ok(Self {
            login: read(LOGIN_DEFS, char::is_whitespace)?,
            useradd: read(USERADD, |c| c == '=')?,
        })
    }

    fn number(&self, name: &str) -> Option<u32> {
        parse(self.login.get(name)?)
    }

    /// From which number to which `UID` or `GID` goes.
    pub(crate) fn range(&self, what: &str, system: bool) -> (u32, u32) {
        let min = self.number(&format!("{what}_MIN"));
        let get = |name: &str, default| self.number(&format!("{what}_{name}")).unwrap_or(default);
        if system {
            let system_max = min.unwrap_or(1000).saturating_sub(1);
            let name = |end: &str| format!("SYS_{what}_{end}");
            let sys = |end: &str, default| self.number(&name(end)).unwrap_or(default);
            (sys("MIN", 101), sys("MAX", system_max))
        } else {
            (get("MIN", 1000), get("MAX", 60000))
        }
    }

    /// Whether a user gets a group of its own.
    pub(crate) fn own_groups(&self) -> bool {
        self.login
            .get("USERGROUPS_ENAB")
            .is_some_and(|text| text.eq_ignore_ascii_case("yes"))
    }

    /// The primary group of users that get none of their own: name or number.
    pub(crate) fn group(&self) -> String {
        self.useradd
            .get("GROUP")
            .filter(|text| !text.is_empty())
            .cloned()
            .unwrap_or_else(|| "100".to_owned())
    }

    pub(crate) fn shell(&self) -> String {
        self.useradd.get("SHELL").cloned().unwrap_or_default()
    }

    /// The home of a user of whom nothing is said.
    pub(crate) fn home(&self, user: &str) -> String {
        let base = self.useradd.get("HOME").filter(|text| !text.is_empty());
        format!(
            "{}/{user}",
            base.map_or("/home", |dir| dir.trim_end_matches('/'))
        )
    }

    pub(crate) fn skeleton(&self) -> String {
        self.useradd
            .get("SKEL")
            .filter(|text| !text.is_empty())
            .cloned()
            .unwrap_or_else(|| "/etc/skel".to_owned())
    }

    /// Whether the mode of new homes is said apart from the mask.
    pub(crate) fn has_home_mode(&self) -> bool {
        self.number("HOME_MODE").is_some()
    }

    /// The mode of a new home.
    pub(crate) fn home_mode(&self, umask: Option<u32>) -> u32 {
        let of_mask = |mask: u32| 0o777 & !mask;
        match (umask, self.number("HOME_MODE")) {
            (Some(mask), _) => of_mask(mask),
            (None, Some(mode)) => mode & 0o7777,
            (None, None) => of_mask(self.number("UMASK").unwrap_or(0o022)),
        }
    }

    /// Days for the shadow entry of a new user: at least, at most, warning.
    pub(crate) fn days(&self) -> [Option<i64>; 3] {
        ["PASS_MIN_DAYS", "PASS_MAX_DAYS", "PASS_WARN_AGE"].map(|name| {
            let text = self.login.get(name)?;
            text.parse().ok().filter(|days| *days >= 0)
        })
    }

    /// Days after which a password that ran out closes a new account.
    pub(crate) fn inactive(&self) -> Option<i64> {
        self.useradd
            .get("INACTIVE")?
            .parse()
            .ok()
            .filter(|days| *days >= 0)
    }
}

/// A number as the programs read it: octal behind a zero, hexadecimal behind `0x`.
fn parse(text: &str) -> Option<u32> {
    match (text.strip_prefix("0x"), text.strip_prefix('0')) {
        (Some(hex), _) => u32::from_str_radix(hex, 16).ok(),
        (None, Some(octal)) if !octal.is_empty() => u32::from_str_radix(octal, 8).ok(),
        _ => text.parse().ok(),
    }
}

/// Lines of a name and a value; the last one of a name counts.
fn settings(text: &str, separator: fn(char) -> bool) -> BTreeMap<String, String> {
    let lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#'));
    let pairs = lines.filter_map(|line| line.split_once(separator));
    pairs
        .map(|(name, value)| {
            (
                name.trim().to_owned(),
                value.trim().trim_matches('"').to_owned(),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_are_read() {
        let defaults = Defaults {
            login: settings(
                "# UID_MIN 5\nUID_MIN\t\t 1000\nUMASK 022\nHOME_MODE 0700\n",
                char::is_whitespace,
            ),
            useradd: settings("SHELL=/bin/bash\nGROUP=100\n# HOME=/x\n", |c| c == '='),
        };
        assert_eq!(defaults.range("UID", false), (1000, 60000));
        assert_eq!(defaults.range("UID", true), (101, 999));
        assert_eq!(defaults.home_mode(None), 0o700);
        assert_eq!(defaults.home_mode(Some(0o027)), 0o750);
        assert_eq!(
            (defaults.shell().as_str(), defaults.home("a").as_str()),
            ("/bin/bash", "/home/a")
        );
    }
}
