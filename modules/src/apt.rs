//! Debian packages, by apt and dpkg.

mod call;
mod changes;
mod decide;
mod explain;
mod probes;
mod resolve;
mod spec;
mod version;
mod would;

use std::collections::BTreeMap;

use evenkeel_engine::{Done, Module, Plan, Probes, Refusal, Seen, Stop, Touches, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use crate::{args::is_default, look::Look, many::comma_list};
pub use probes::{Age, Archive, Begun, Deb, Found, Held, Lists, Matching, Package};
pub use resolve::{Resolve, Said};

pub(crate) use call::fetching_step;
use decide::plan;
use spec::{Spec, spec};

/// The module `apt`.
#[derive(Debug)]
pub struct Apt;

/// Arguments of `apt`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// Packages: `name`, `name=1.2-3`, `name=1.2*`, `name>=1.2`, `name:arch`, `name/release`, a
    /// pattern, a collection (`name^`), an archive on the host (`/dir/x.deb`) or its address. A text
    /// with commas is a list.
    #[serde(
        default,
        alias = "package",
        alias = "pkg",
        deserialize_with = "comma_list",
        skip_serializing_if = "is_default"
    )]
    pub name: Vec<String>,
    /// An archive on the host, or its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deb: Option<String>,
    /// Whether they are there.
    #[serde(default, skip_serializing_if = "is_default")]
    pub state: State,
    /// Fetches the lists of packages, if they were never fetched or the sources were changed since,
    /// if they are older than `cache_valid_time`, or else before anything is installed. Alone, it
    /// always does, and is a change where any of them is new.
    #[serde(default, alias = "update-cache", skip_serializing_if = "is_default")]
    pub update_cache: bool,
    /// For how many seconds lists are good. It implies `update_cache`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_valid_time: Option<u64>,
    /// How often a fetching is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update_cache_retries: Option<u32>,
    /// Removes configuration, too.
    #[serde(default, skip_serializing_if = "is_default")]
    pub purge: bool,
    /// Removes what was only installed as a dependency, too. Alone: all that nothing needs.
    #[serde(default, skip_serializing_if = "is_default")]
    pub autoremove: bool,
    /// Deletes archives that can no longer be fetched.
    #[serde(default, skip_serializing_if = "is_default")]
    pub autoclean: bool,
    /// Deletes all archives that were fetched.
    #[serde(default, skip_serializing_if = "is_default")]
    pub clean: bool,
    /// Upgrades all packages: `yes` and `safe` without removing any, `full` and `dist` however apt can.
    #[serde(
        default,
        deserialize_with = "upgrade",
        skip_serializing_if = "is_default"
    )]
    pub upgrade: Upgrade,
    /// Whether recommended packages are installed; as the host is configured if unset.
    #[serde(
        default,
        alias = "install-recommends",
        skip_serializing_if = "Option::is_none"
    )]
    pub install_recommends: Option<bool>,
    /// Does not install what is not there.
    #[serde(default, skip_serializing_if = "is_default")]
    pub only_upgrade: bool,
    /// The release that packages are taken from.
    #[serde(
        default,
        alias = "default-release",
        skip_serializing_if = "Option::is_none"
    )]
    pub default_release: Option<String>,
    /// Options of dpkg, each without its dashes.
    #[serde(
        default = "dpkg_options",
        deserialize_with = "comma_list",
        skip_serializing_if = "is_dpkg_options"
    )]
    pub dpkg_options: Vec<String>,
    /// Puts an older version in the place of a newer one.
    #[serde(
        default,
        alias = "allow-downgrade",
        alias = "allow_downgrades",
        alias = "allow-downgrades",
        skip_serializing_if = "is_default"
    )]
    pub allow_downgrade: bool,
    /// Changes packages that are held.
    #[serde(default, skip_serializing_if = "is_default")]
    pub allow_change_held_packages: bool,
    /// Does not check signatures.
    #[serde(
        default,
        alias = "allow-unauthenticated",
        skip_serializing_if = "is_default"
    )]
    pub allow_unauthenticated: bool,
    /// Allows all that is dangerous: no signatures, older versions, held and essential packages.
    #[serde(default, skip_serializing_if = "is_default")]
    pub force: bool,
    /// Fails if a package would have to be removed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub fail_on_autoremove: bool,
    /// How many seconds it waits for another apt or dpkg to end; 60 if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock_timeout: Option<u64>,
    /// What `policy-rc.d` answers meanwhile: with 101 no service is started. As the host has it if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_rc_d: Option<u8>,
    /// Without effect: it is always apt-get.
    #[serde(default, skip_serializing_if = "is_default")]
    pub force_apt_get: bool,
    /// Without effect: nothing of Python is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_install_module_deps: Option<bool>,
}

fn dpkg_options() -> Vec<String> {
    ["force-confdef", "force-confold"].map(str::to_owned).into()
}

fn is_dpkg_options(options: &[String]) -> bool {
    options == dpkg_options()
}

/// Whether packages are there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
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
    /// All is there that is needed to build them.
    BuildDep,
    /// What dpkg has begun is ended, and dependencies are there.
    Fixed,
}

/// Whether all packages are upgraded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Upgrade {
    /// They are not.
    #[default]
    No,
    /// Without removing any.
    Yes,
    /// The same.
    Safe,
    /// However apt can.
    Full,
    /// The same.
    Dist,
}

/// YAML may take `yes` and `no` for truth values.
fn upgrade<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Upgrade, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Bool(true) => Ok(Upgrade::Yes),
        Value::Bool(false) | Value::Null => Ok(Upgrade::No),
        other => Upgrade::deserialize(&other).map_err(D::Error::custom),
    }
}

/// What `register` gives.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
pub struct Output {
    /// The packages in `name` that are installed now, each with its version.
    pub packages: BTreeMap<String, String>,
    /// What was done, such as `Installed: vim (9.0-1)`; what many tasks did at once is told by each.
    /// Empty in check mode: the changes say what would be done.
    pub results: Vec<String>,
    /// What apt printed.
    pub stdout: String,
    /// What it complained of.
    pub stderr: String,
}

impl Module for Apt {
    const NAME: &'static str = "apt";
    const ALIASES: &'static [&'static str] =
        &["apt-get", "ansible.builtin.apt", "ansible.legacy.apt"];
    const ABOUT: &'static str = "keeps Debian packages installed";
    const EXAMPLE: &'static str = "\
- apt:
    name:
      - nginx
      - libpq-dev
      - postgresql=15*
    update_cache: true
    cache_valid_time: 3600
";
    const CHANGED_WHEN: &'static str = "\
        A package is not as `state` says, or lists of packages are fetched; where nothing else is asked for and they were \
        good enough, if any of them is new, which only the fetching tells. What apt would install, upgrade and \
        remove, and in which versions, is foretold by asking it (`apt-get -s`), from the lists that the host has.";
    const LIMITS: &'static str = "\
        With `state: present` and `update_cache` but without `cache_valid_time`, lists are fetched only where \
        something is to be installed, or where they are older than the sources. The address of an archive has to \
        end in NAME_VERSION_ARCH.deb. It does not mark packages as installed by hand that are there already.";
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        args.check()
    }

    fn observe(args: &Args, seen: &Seen) -> Probes {
        Look::observe(seen, |look| plan(args, look))
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        plan(args, &Look::new(seen))
    }

    fn output(args: &Args, after: &Seen, done: &[Done]) -> Result<Output, Stop> {
        let text = |of: fn(&Done) -> &Vec<u8>| {
            let all: Vec<u8> = done.iter().flat_map(|done| of(done).clone()).collect();
            String::from_utf8_lossy(&all).into_owned()
        };
        Ok(Output {
            packages: args.packages(after)?,
            results: would::results(done),
            stdout: text(|done| &done.stdout),
            stderr: text(|done| &done.stderr),
        })
    }

    fn touches(_: &Args) -> Touches {
        Touches {
            commutes: Some("packages"),
            ..Touches::everything()
        }
    }

    fn subject(args: &Args) -> String {
        args.names()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(",")
    }
}

impl Args {
    /// All that is named.
    fn names(&self) -> impl Iterator<Item = &String> {
        self.name.iter().chain(&self.deb)
    }

    /// Whether lists may be fetched.
    fn updates(&self) -> bool {
        self.update_cache || self.cache_valid_time.is_some_and(|seconds| seconds > 0)
    }

    /// Which of the named packages are installed.
    pub(crate) fn packages(&self, after: &Seen) -> Result<BTreeMap<String, String>, Stop> {
        let mut packages = BTreeMap::new();
        for name in self.names() {
            if let Ok(Spec::Package(wish)) = spec(name) {
                let found = after.get(&Package(wish.name.clone()))?;
                let deb = found.debs.iter().find(|deb| wish.is_of(deb));
                packages.extend(deb.map(|deb| (wish.name, deb.version.clone())));
            }
        }
        Ok(packages)
    }

    fn check(&self) -> Result<(), Refusal> {
        let refuse = |why: &str| Err(Refusal::new(why));
        for name in self.names() {
            // `*` with `latest` is all that is installed.
            if name != "*" || self.state != State::Latest {
                spec(name)?;
            }
        }
        if let Some(deb) = &self.deb
            && !matches!(spec(deb)?, Spec::File(_) | Spec::Address(_))
        {
            let why = Refusal::new(format!(
                "`deb: {deb}` is neither an absolute path nor an address"
            ));
            return Err(why.help("archives are on the host; `copy` brings one there"));
        }
        let words = self.dpkg_options.iter().chain(&self.default_release);
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.,=/+:~".contains(c);
        for word in words {
            if word.starts_with('-') || !word.chars().all(fits) {
                return Err(Refusal::new(format!("`{word}` is no option or release")));
            }
        }
        let named = self.names().next().is_some();
        match self.state {
            State::Absent | State::BuildDep if self.deb.is_some() => refuse(
                "`deb` names what is to be installed; `name` names what is to be removed or built",
            ),
            State::Absent | State::BuildDep if self.names().any(|name| is_archive(name)) => {
                refuse("what is in an archive is named by the name of its package here")
            }
            State::Fixed if named => {
                refuse("`state: fixed` is about all packages: it has no names")
            }
            State::BuildDep if !named => refuse("`state: build-dep` needs `name`"),
            _ if self.upgrade != Upgrade::No && named => {
                refuse("`upgrade` is about all packages: it excludes `name` and `deb`")
            }
            _ => Ok(()),
        }
    }
}

fn is_archive(name: &str) -> bool {
    matches!(spec(name), Ok(Spec::File(_) | Spec::Address(_)))
}
