//! Packages, by whichever program the host has for them.

use std::collections::BTreeMap;

use evenkeel_engine::{
    Done, Map, Module, NotYet, Plan, Probes, Refusal, Seen, Stop, Touches, Value, ask,
    probes::{Contents, Which},
};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};

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
    #[serde(
        default,
        alias = "update-cache",
        alias = "expire-cache",
        skip_serializing_if = "is_default"
    )]
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
    /// How many seconds it waits for another apt, dpkg or dnf to end; 60 with apt and 30 with dnf if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock_timeout: Option<u64>,
    /// apt: For how many seconds lists are good. It implies `update_cache`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_valid_time: Option<u64>,
    /// apt: How often a fetching is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update_cache_retries: Option<u32>,
    /// apt: Removes configuration, too.
    #[serde(default, skip_serializing_if = "is_default")]
    pub purge: bool,
    /// apt: Whether recommended packages are installed; as the host is configured if unset.
    #[serde(
        default,
        alias = "install-recommends",
        skip_serializing_if = "Option::is_none"
    )]
    pub install_recommends: Option<bool>,
    /// apt: Does not install what is not there.
    #[serde(default, skip_serializing_if = "is_default")]
    pub only_upgrade: bool,
    /// apt: The release that packages are taken from.
    #[serde(
        default,
        alias = "default-release",
        skip_serializing_if = "Option::is_none"
    )]
    pub default_release: Option<String>,
    /// apt: Options of dpkg, each without its dashes.
    #[serde(
        default,
        deserialize_with = "some_list",
        skip_serializing_if = "Option::is_none"
    )]
    pub dpkg_options: Option<Vec<String>>,
    /// apt: Changes packages that are held.
    #[serde(default, skip_serializing_if = "is_default")]
    pub allow_change_held_packages: bool,
    /// apt: Does not check signatures.
    #[serde(
        default,
        alias = "allow-unauthenticated",
        skip_serializing_if = "is_default"
    )]
    pub allow_unauthenticated: bool,
    /// apt: Allows all that is dangerous: no signatures, older versions, held and essential packages.
    #[serde(default, skip_serializing_if = "is_default")]
    pub force: bool,
    /// apt: Fails if a package would have to be removed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub fail_on_autoremove: bool,
    /// apt: What `policy-rc.d` answers meanwhile: with 101 no service is started. As the host has it if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_rc_d: Option<u8>,
    /// apt: Without effect: it is always apt-get.
    #[serde(default, skip_serializing_if = "is_default")]
    pub force_apt_get: bool,
    /// dnf: With `state: latest`: does not install what is not there.
    #[serde(default, skip_serializing_if = "is_default")]
    pub update_only: bool,
    /// dnf: Repositories to switch on.
    #[serde(
        default,
        deserialize_with = "comma_list",
        skip_serializing_if = "is_default"
    )]
    pub enablerepo: Vec<String>,
    /// dnf: Repositories to switch off.
    #[serde(
        default,
        deserialize_with = "comma_list",
        skip_serializing_if = "is_default"
    )]
    pub disablerepo: Vec<String>,
    /// dnf: Packages to leave alone.
    #[serde(
        default,
        deserialize_with = "comma_list",
        skip_serializing_if = "is_default"
    )]
    pub exclude: Vec<String>,
    /// dnf: Ignores what the configuration excludes: `all`, `main` or a repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disable_excludes: Option<String>,
    /// dnf: Plugins to switch off.
    #[serde(
        default,
        deserialize_with = "comma_list",
        skip_serializing_if = "is_default"
    )]
    pub disable_plugin: Vec<String>,
    /// dnf: Plugins to switch on.
    #[serde(
        default,
        deserialize_with = "comma_list",
        skip_serializing_if = "is_default"
    )]
    pub enable_plugin: Vec<String>,
    /// dnf: Does not check signatures.
    #[serde(default, skip_serializing_if = "is_default")]
    pub disable_gpg_check: bool,
    /// dnf: Removes packages that are in the way.
    #[serde(default, skip_serializing_if = "is_default")]
    pub allowerasing: bool,
    /// dnf: With `state: latest`: only updates that close security holes.
    #[serde(default, skip_serializing_if = "is_default")]
    pub security: bool,
    /// dnf: With `state: latest`: only updates that mend bugs.
    #[serde(default, skip_serializing_if = "is_default")]
    pub bugfix: bool,
    /// dnf: Takes lists of packages as they are on the host.
    #[serde(default, skip_serializing_if = "is_default")]
    pub cacheonly: bool,
    /// dnf: Installs packages that are only recommended, too (the default).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub install_weak_deps: Option<bool>,
    /// dnf: Takes an older version if the best cannot be installed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub nobest: bool,
    /// dnf: Leaves out packages that cannot be installed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub skip_broken: bool,
    /// dnf: Another configuration file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conf_file: Option<String>,
    /// dnf: Another release of the distribution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub releasever: Option<String>,
    /// dnf: Checks certificates of servers (the default).
    #[serde(default, alias = "sslverify", skip_serializing_if = "Option::is_none")]
    pub validate_certs: Option<bool>,
    /// dnf: Fetches the archives, and installs nothing.
    #[serde(default, skip_serializing_if = "is_default")]
    pub download_only: bool,
    /// dnf: With `download_only`: the directory they come to. Without it they are fetched each time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub download_dir: Option<String>,
}

/// What only apt takes.
const OF_APT: [&str; 13] = [
    "cache_valid_time",
    "update_cache_retries",
    "purge",
    "install_recommends",
    "only_upgrade",
    "default_release",
    "dpkg_options",
    "allow_change_held_packages",
    "allow_unauthenticated",
    "force",
    "fail_on_autoremove",
    "policy_rc_d",
    "force_apt_get",
];

/// What only dnf takes.
const OF_DNF: [&str; 20] = [
    "update_only",
    "enablerepo",
    "disablerepo",
    "exclude",
    "disable_excludes",
    "disable_plugin",
    "enable_plugin",
    "disable_gpg_check",
    "allowerasing",
    "security",
    "bugfix",
    "cacheonly",
    "install_weak_deps",
    "nobest",
    "skip_broken",
    "conf_file",
    "releasever",
    "validate_certs",
    "download_only",
    "download_dir",
];

/// A list that may be left out.
fn some_list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    comma_list(deserializer).map(Some)
}

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
        one program takes is refused on hosts of the other. Upgrades of all packages and archives are for \
        `apt` and `yum`.";
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        // Of names that only one program can take, it is judged when the program is known.
        match args.by {
            By::Apt => Apt::check(&args.of(By::Apt)?),
            By::Dnf => Yum::check(&args.of(By::Dnf)?),
            By::Auto => {
                let set = args.set()?;
                let of = |list: &[&str]| set.keys().find(|name| list.contains(&name.as_str()));
                if let (Some(apt), Some(dnf)) = (of(&OF_APT), of(&OF_DNF)) {
                    return Err(Refusal::new(format!(
                        "`{apt}` is for apt and `{dnf}` for dnf: no host takes both"
                    ))
                    .help("write one task for each, with `when: ansible_facts.pkg_mgr == 'apt'` and `== 'dnf'`"));
                }
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
        if !matches!(program, Ok(By::Dnf)) {
            let args = args.of(By::Apt).ok();
            probes.extend(args.iter().flat_map(|args| Apt::observe(args, seen)));
        }
        if !matches!(program, Ok(By::Apt)) {
            let args = args.of(By::Dnf).ok();
            probes.extend(args.iter().flat_map(|args| Yum::observe(args, seen)));
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

    /// The names of the arguments that are set.
    fn set(&self) -> Result<Map, Refusal> {
        match Value::from_typed(self) {
            Ok(Value::Map(map)) => Ok(map),
            Ok(_) => Ok(Map::new()),
            Err(why) => Err(Refusal::new(why.to_string())),
        }
    }

    /// The arguments of the module that does it; those of the other program are refused.
    fn of<T: DeserializeOwned>(&self, by: By) -> Result<T, Refusal> {
        let mut map = self.set()?;
        map.shift_remove("use");
        let (its, others, other) = if by == By::Apt {
            ("apt", &OF_DNF[..], "dnf")
        } else {
            ("dnf", &OF_APT[..], "apt")
        };
        if let Some(name) = map.keys().find(|name| others.contains(&name.as_str())) {
            let what = format!("`{name}` is for {other}, and packages are kept by {its} here");
            return Err(Refusal::new(what).help(format!(
                "one task for each: `when: ansible_facts.pkg_mgr == '{other}'` at the one with `{name}`"
            )));
        }
        T::deserialize(&Value::Map(map)).map_err(|why| Refusal::new(format!("{why}")))
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
