//! RPM packages, by dnf or yum.

mod decide;
mod dnf;
mod probes;
mod resolve;
mod spec;
mod version;
mod would;

use std::collections::BTreeMap;

use evenkeel_engine::{Done, Module, Plan, Probes, Refusal, Seen, Stop, Touches};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    args::is_default,
    look::Look,
    many::{comma_list, is_yes, yes},
};
pub use probes::{Matching, Nevra, Package, Provides};
pub use resolve::{Resolve, Said, Unless};
pub use version::Evr;

/// The module `yum`.
#[derive(Debug)]
pub struct Yum;

/// Arguments of `yum`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// Packages: `name`, `name-1.2-3`, `name >= 1.2`, a file that one owns, an archive or its
    /// address, `@group`, `@module:stream`, a pattern. A text with commas is a list.
    #[serde(
        default,
        alias = "pkg",
        deserialize_with = "comma_list",
        skip_serializing_if = "is_default"
    )]
    pub name: Vec<String>,
    /// Whether they are there.
    #[serde(default, skip_serializing_if = "is_default")]
    pub state: State,
    /// Fetches the lists of packages anew before anything is installed.
    #[serde(default, alias = "expire-cache", skip_serializing_if = "is_default")]
    pub update_cache: bool,
    /// With `state: latest`: does not install what is not there.
    #[serde(default, skip_serializing_if = "is_default")]
    pub update_only: bool,
    /// Repositories to switch on.
    #[serde(
        default,
        deserialize_with = "comma_list",
        skip_serializing_if = "is_default"
    )]
    pub enablerepo: Vec<String>,
    /// Repositories to switch off.
    #[serde(
        default,
        deserialize_with = "comma_list",
        skip_serializing_if = "is_default"
    )]
    pub disablerepo: Vec<String>,
    /// Packages to leave alone.
    #[serde(
        default,
        deserialize_with = "comma_list",
        skip_serializing_if = "is_default"
    )]
    pub exclude: Vec<String>,
    /// Ignores what the configuration excludes: `all`, `main` or a repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disable_excludes: Option<String>,
    /// Plugins to switch off.
    #[serde(
        default,
        deserialize_with = "comma_list",
        skip_serializing_if = "is_default"
    )]
    pub disable_plugin: Vec<String>,
    /// Plugins to switch on.
    #[serde(
        default,
        deserialize_with = "comma_list",
        skip_serializing_if = "is_default"
    )]
    pub enable_plugin: Vec<String>,
    /// Does not check signatures.
    #[serde(default, skip_serializing_if = "is_default")]
    pub disable_gpg_check: bool,
    /// Puts an older version in the place of a newer one.
    #[serde(default, skip_serializing_if = "is_default")]
    pub allow_downgrade: bool,
    /// Removes what was only installed as a dependency, too. Alone: all that nothing needs.
    #[serde(default, skip_serializing_if = "is_default")]
    pub autoremove: bool,
    /// Removes packages that are in the way.
    #[serde(default, skip_serializing_if = "is_default")]
    pub allowerasing: bool,
    /// With `state: latest`: only updates that close security holes.
    #[serde(default, skip_serializing_if = "is_default")]
    pub security: bool,
    /// With `state: latest`: only updates that mend bugs.
    #[serde(default, skip_serializing_if = "is_default")]
    pub bugfix: bool,
    /// Takes lists of packages as they are on the host.
    #[serde(default, skip_serializing_if = "is_default")]
    pub cacheonly: bool,
    /// Installs packages that are only recommended, too (the default).
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub install_weak_deps: bool,
    /// Takes an older version if the best cannot be installed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub nobest: bool,
    /// Leaves out packages that cannot be installed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub skip_broken: bool,
    /// Another configuration file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conf_file: Option<String>,
    /// Another release of the distribution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub releasever: Option<String>,
    /// Checks certificates of servers (the default).
    #[serde(default = "yes", alias = "sslverify", skip_serializing_if = "is_yes")]
    pub validate_certs: bool,
    /// How many seconds it waits for another dnf to end; 30 if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock_timeout: Option<u64>,
    /// Fetches the archives, and installs nothing.
    #[serde(default, skip_serializing_if = "is_default")]
    pub download_only: bool,
    /// With `download_only`: the directory they come to. Without it they are fetched each time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub download_dir: Option<String>,
    /// What Ansible works through. Here that is the host's `dnf` whatever is said, so it counts for nothing.
    #[serde(default, skip_serializing)]
    pub use_backend: Option<Backend>,
}

/// What Ansible works through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Backend {
    /// Whatever there is.
    Auto,
    /// The first yum.
    Yum,
    /// dnf by its other name.
    Yum4,
    /// Any dnf.
    Dnf,
    /// The Python of dnf 4.
    Dnf4,
    /// dnf 5.
    Dnf5,
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

/// What `register` gives.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
pub struct Output {
    /// The packages in `name` that are installed now, each with its version.
    pub packages: BTreeMap<String, String>,
    /// What dnf did, such as `Installed: vim-9.0-1.el9.x86_64`; what many tasks did at once is told
    /// by each. Empty in check mode: the changes say what would be done.
    pub results: Vec<String>,
    /// The status of dnf.
    pub rc: i32,
    /// In short.
    pub msg: String,
}

impl Module for Yum {
    const NAME: &'static str = "yum";
    const ALIASES: &'static [&'static str] = &[
        "dnf",
        "ansible.builtin.dnf",
        "ansible.builtin.dnf5",
        "ansible.builtin.yum",
        "ansible.legacy.dnf",
        "ansible.legacy.dnf5",
        "ansible.legacy.yum",
    ];
    const ABOUT: &'static str = "keeps RPM packages installed";
    const EXAMPLE: &'static str = "\
- yum:
    name:
      - gcc
      - libpq-devel
      - openssl >= 3.0
";
    const CHANGED_WHEN: &'static str =
        "Packages would be installed, upgraded, downgraded or removed.";
    const LIMITS: &'static str = "\
        It edits no repositories (see `yum-repository`). It never asks; what dnf would ask is answered \
        with yes.";
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        let odd = |name: &&String| name.starts_with('-') || name.contains(['\n', '\0']);
        if let Some(name) = args.name.iter().find(odd) {
            return Err(Refusal::new(format!("`{name}` is no name of a package")));
        }
        let upgrades = args.security || args.bugfix || args.update_only;
        if upgrades && args.state != State::Latest {
            return Err(Refusal::new(
                "`security`, `bugfix` and `update_only` need `state: latest`",
            ));
        }
        let lists = [&args.enablerepo, &args.disablerepo, &args.exclude];
        let plugins = [&args.enable_plugin, &args.disable_plugin];
        let odd = |word: &&String| word.contains(['\n', '\0']);
        if let Some(word) = lists.into_iter().chain(plugins).flatten().find(odd) {
            return Err(Refusal::new(format!("`{word}` holds the end of a line")));
        }
        if args.download_dir.is_some() && !args.download_only {
            return Err(Refusal::new("`download_dir` needs `download_only`"));
        }
        if args
            .download_dir
            .as_ref()
            .is_some_and(|dir| !dir.starts_with('/'))
        {
            return Err(Refusal::new("`download_dir` has to be an absolute path"));
        }
        if args.download_only && args.state == State::Absent {
            return Err(Refusal::new(
                "`download_only` does not go with `state: absent`",
            ));
        }
        if args.autoremove && args.state != State::Absent {
            return Err(Refusal::new("`autoremove` needs `state: absent`"));
        }
        Ok(())
    }

    fn observe(args: &Args, seen: &Seen) -> Probes {
        Look::observe(seen, |look| decide::plan(args, look))
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        decide::plan(args, &Look::new(seen))
    }

    fn output(args: &Args, after: &Seen, done: &[Done]) -> Result<Output, Stop> {
        let mut packages = BTreeMap::new();
        for name in &args.name {
            let spec::Spec::Package(readings) = spec::spec(name) else {
                continue;
            };
            for reading in readings {
                for there in after.get(&Package(reading.name))? {
                    packages.insert(there.name.clone(), there.evr.to_string());
                }
            }
        }
        let results = would::results(done);
        let msg = if results.is_empty() {
            "Nothing to do"
        } else {
            ""
        };
        Ok(Output {
            packages,
            results,
            rc: done.last().map_or(0, |done| done.status),
            msg: msg.to_owned(),
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

#[cfg(test)]
mod tests;
