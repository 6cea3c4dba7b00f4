//! Packages, by whichever program the host has for them.

use std::{collections::BTreeMap, fmt::Display};

use evenkeel_engine::{
    Done, Module, NotYet, Plan, Probes, Refusal, Seen, Stop, Touches, Value, ask,
    probes::{Contents, Which},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    apt::{self, Apt},
    args::is_default,
    many::comma_list,
    yum::{self, Yum},
};

/// The module `package`.
#[derive(Debug)]
pub struct Package;

/// Arguments of `package`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// Packages, as the program of the host knows them. A text with commas is a list.
    #[serde(
        alias = "pkg",
        deserialize_with = "comma_list",
        skip_serializing_if = "is_default"
    )]
    pub name: Vec<String>,
    /// Whether they are there.
    #[serde(default, skip_serializing_if = "is_default")]
    pub state: State,
    /// Which program it is done with.
    #[serde(default, rename = "use", skip_serializing_if = "is_default")]
    pub by: By,
    /// Fetches the lists of packages anew before anything is installed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub update_cache: bool,
    /// Puts an older version in the place of a newer one.
    #[serde(
        default,
        alias = "allow-downgrade",
        alias = "allow_downgrades",
        alias = "allow-downgrades",
        skip_serializing_if = "is_default"
    )]
    pub allow_downgrade: bool,
    /// Removes what was only installed as a dependency, too.
    #[serde(default, skip_serializing_if = "is_default")]
    pub autoremove: bool,
    /// How many seconds it waits for another run of the program to end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock_timeout: Option<u64>,
    /// With apt: for how many seconds lists are good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_valid_time: Option<u64>,
    /// With apt: whether recommended packages are installed.
    #[serde(
        default,
        alias = "install-recommends",
        skip_serializing_if = "Option::is_none"
    )]
    pub install_recommends: Option<bool>,
    /// With apt: the release that packages are taken from.
    #[serde(
        default,
        alias = "default-release",
        skip_serializing_if = "Option::is_none"
    )]
    pub default_release: Option<String>,
    /// With apt: removes configuration, too.
    #[serde(default, skip_serializing_if = "is_default")]
    pub purge: bool,
    /// With dnf: repositories to switch on.
    #[serde(
        default,
        deserialize_with = "comma_list",
        skip_serializing_if = "is_default"
    )]
    pub enablerepo: Vec<String>,
    /// With dnf: repositories to switch off.
    #[serde(
        default,
        deserialize_with = "comma_list",
        skip_serializing_if = "is_default"
    )]
    pub disablerepo: Vec<String>,
    /// With dnf: does not check signatures.
    #[serde(default, skip_serializing_if = "is_default")]
    pub disable_gpg_check: bool,
}

/// What only one of the programs has.
const OF_APT: [&str; 4] = [
    "cache_valid_time",
    "install_recommends",
    "default_release",
    "purge",
];
const OF_DNF: [&str; 3] = ["enablerepo", "disablerepo", "disable_gpg_check"];

/// Whether packages are there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// They are.
    #[default]
    #[serde(alias = "installed")]
    Present,
    /// They are, in the newest version.
    Latest,
    /// They are not.
    #[serde(alias = "removed")]
    Absent,
}

/// Which program it is done with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// The one that the host has; of two, that of its distribution.
    #[default]
    Auto,
    /// apt, as by the module `apt`.
    #[serde(alias = "ansible.builtin.apt")]
    Apt,
    /// dnf or yum, as by the module `yum`.
    #[serde(
        alias = "yum",
        alias = "dnf5",
        alias = "ansible.builtin.dnf",
        alias = "ansible.builtin.yum"
    )]
    Dnf,
}

/// What `register` gives.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
pub struct Output {
    /// The packages in `name` that are installed now, each with its version.
    pub packages: BTreeMap<String, String>,
    /// What was done. Empty in check mode: the changes say what would be done.
    pub results: Vec<String>,
}

impl Module for Package {
    const NAME: &'static str = "package";
    const ALIASES: &'static [&'static str] = &["ansible.builtin.package", "ansible.legacy.package"];
    const ABOUT: &'static str = "keeps packages installed, by apt or dnf";
    const EXAMPLE: &'static str = "\
- package:
    name:
      - git
      - rsync
";
    const CHANGED_WHEN: &'static str = "A package is not as `state` says.";
    const LIMITS: &'static str = "\
        Names of packages differ between distributions, and are not translated. An argument that only \
        one program has is refused on a host that has the other; the modules `apt` and `yum` have more \
        of them.";
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        // Of names that only one program can take, it is judged when the program is known.
        match args.by {
            By::Apt => Apt::check(&args.of(By::Apt)?),
            By::Dnf => Yum::check(&args.of(By::Dnf)?),
            By::Auto => {
                let odd = |name: &&String| name.starts_with('-') || name.contains(['\n', '\0']);
                match args.name.iter().find(odd) {
                    Some(name) => Err(Refusal::new(format!("`{name}` is no name of a package"))),
                    None => Ok(()),
                }
            }
        }
    }

    fn observe(args: &Args, seen: &Seen) -> Probes {
        let mut probes = Vec::new();
        if args.by == By::Auto {
            probes.extend(programs().map(ask));
            probes.push(ask(release()));
        }
        // So long as the program is not known, both are asked: that costs no exchange more.
        let program = args.program(seen);
        // One that has not got these arguments is not asked: it refuses them when it is its turn.
        if let (false, Ok(apt)) = (matches!(program, Ok(By::Dnf)), args.of(By::Apt)) {
            probes.extend(Apt::observe(&apt, seen));
        }
        if let (false, Ok(dnf)) = (matches!(program, Ok(By::Apt)), args.of(By::Dnf)) {
            probes.extend(Yum::observe(&dnf, seen));
        }
        let mut keys = Vec::new();
        probes.retain(|probe| {
            let new = !keys.contains(&probe.key());
            keys.push(probe.key());
            new
        });
        probes
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        let program = args.program(seen)?;
        if program == By::Apt {
            let args = args.of(By::Apt)?;
            Apt::check(&args)?;
            return Apt::plan(&args, seen);
        }
        let args = args.of(By::Dnf)?;
        Yum::check(&args)?;
        Yum::plan(&args, seen)
    }

    fn output(args: &Args, after: &Seen, done: &[Done]) -> Result<Output, Stop> {
        Ok(if args.program(after)? == By::Apt {
            let apt::Output {
                packages, results, ..
            } = Apt::output(&args.of(By::Apt)?, after, done)?;
            Output { packages, results }
        } else {
            let yum::Output {
                packages, results, ..
            } = Yum::output(&args.of(By::Dnf)?, after, done)?;
            Output { packages, results }
        })
    }

    fn touches(_: &Args) -> Touches {
        Touches {
            commutes: Some("packages"),
            ..Touches::everything()
        }
    }

    fn subject(args: &Args) -> String {
        args.name.join(",")
    }
}

/// What is looked for: apt, then dnf and what was there before it.
fn programs() -> [Which; 3] {
    ["apt-get", "dnf", "yum"].map(|name| Which(name.to_owned()))
}

/// What says which distribution it is.
fn release() -> Contents {
    Contents("/etc/os-release".to_owned())
}

impl Args {
    /// The program, if it is known.
    fn program(&self, seen: &Seen) -> Result<By, NotYet> {
        if self.by != By::Auto {
            return Ok(self.by);
        }
        let [apt, dnf, yum] = programs();
        let apt = seen.get(&apt)?.is_some();
        let dnf = seen.get(&dnf)?.is_some() || seen.get(&yum)?.is_some();
        match (apt, dnf) {
            (true, false) => Ok(By::Apt),
            (false, true) => Ok(By::Dnf),
            (false, false) => Err(NotYet(
                "a program for packages (`apt-get`, `dnf` or `yum`)".to_owned(),
            )),
            (true, true) => {
                let text = seen.get(&release())?.clone().unwrap_or_default();
                Ok(family(&String::from_utf8_lossy(&text)))
            }
        }
    }

    /// The arguments of the module that does it.
    fn of<T: DeserializeOwned>(&self, by: By) -> Result<T, Refusal> {
        let refused = |why: &dyn Display| Refusal::new(why.to_string());
        let Value::Map(mut map) = Value::from_typed(self).map_err(|why| refused(&why))? else {
            return Err(Refusal::new("`package` takes a map of arguments"));
        };
        map.shift_remove("use");
        let (others, name, other) = match by {
            By::Dnf => (&OF_APT[..], "dnf", "apt"),
            By::Apt | By::Auto => (&OF_DNF[..], "apt", "dnf"),
        };
        if let Some(odd) = others.iter().find(|odd| map.contains_key(**odd)) {
            let what = format!("the host has {name}, which has no `{odd}`: that is of {other}");
            let help = format!("have one task for each kind of host, this one with `use: {other}`");
            return Err(Refusal::new(what).help(help));
        }
        T::deserialize(&Value::Map(map)).map_err(|why| refused(&why))
    }
}

/// Whose distribution it is, by the text of `os-release`.
fn family(release: &str) -> By {
    let value = |key: &str| {
        let mut lines = release.lines().filter_map(|line| line.strip_prefix(key));
        let value = lines.next_back().unwrap_or_default();
        value.trim_matches(['"', '\'']).to_owned()
    };
    let all = format!("{} {}", value("ID="), value("ID_LIKE="));
    let of = [
        "rhel",
        "fedora",
        "centos",
        "suse",
        "amzn",
        "ol",
        "rocky",
        "almalinux",
    ];
    if all.split_whitespace().any(|word| of.contains(&word)) {
        By::Dnf
    } else {
        By::Apt
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_family_is_that_of_the_distribution() {
        assert_eq!(family("NAME=x\nID=ubuntu\nID_LIKE=debian\n"), By::Apt);
        assert_eq!(
            family("ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n"),
            By::Dnf
        );
        assert_eq!(family("ID=fedora\n"), By::Dnf);
        assert_eq!(family(""), By::Apt);
    }

    #[test]
    fn the_program_of_the_host_is_taken() {
        let program = |found: [bool; 3], text: &str| {
            let mut seen = Seen::default().with(&release(), Some(text.as_bytes().to_vec()));
            for (which, found) in programs().into_iter().zip(found) {
                seen = seen.with(&which, found.then(|| format!("/usr/bin/{}", which.0)));
            }
            Args::default().program(&seen)
        };
        assert_eq!(program([true, false, false], ""), Ok(By::Apt));
        assert_eq!(program([false, false, true], ""), Ok(By::Dnf));
        assert_eq!(program([true, true, true], "ID=debian\n"), Ok(By::Apt));
        assert_eq!(
            program([true, true, true], "ID=ol\nID_LIKE=fedora\n"),
            Ok(By::Dnf)
        );
        assert!(program([false; 3], "").is_err());
        assert!(Args::default().program(&Seen::default()).is_err());
    }
}
