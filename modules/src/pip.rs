//! Python packages, in a virtual environment or for an interpreter.

mod decide;
mod requirement;
mod site;

use std::collections::BTreeMap;

use evenkeel_engine::{
    Done, Module, Plan, Probes, Refusal, Seen, Stop, Thing, Touches, Value, hex, probes::Contents,
    sha256,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{args::is_default, look::Look, many::one_or_many};
use requirement::{Wanted, split, wanted};
pub use site::{Distributions, Env, Extras, Installed, Interpreter, Python, Release};

/// The module `pip`.
#[derive(Debug)]
pub struct Pip;

/// Arguments of `pip`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// Packages, each with versions (`flask>=2,<3`) and extras; or archives and addresses.
    #[serde(
        default,
        deserialize_with = "one_or_many",
        skip_serializing_if = "is_default"
    )]
    pub name: Vec<String>,
    /// The version of the one package in `name`: `1.2`, or conditions as `>=1,<2`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub version: String,
    /// A requirements file on the host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requirements: Option<String>,
    /// Constraints files on the host, or their addresses.
    #[serde(
        default,
        deserialize_with = "one_or_many",
        skip_serializing_if = "is_default"
    )]
    pub constraints: Vec<String>,
    /// The virtual environment; it is made if it does not exist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub virtualenv: Option<String>,
    /// What makes it; `python3 -m venv` if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub virtualenv_command: Option<String>,
    /// The interpreter it is made for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub virtualenv_python: Option<String>,
    /// Whether it sees the packages of that interpreter.
    #[serde(default, skip_serializing_if = "is_default")]
    pub virtualenv_site_packages: bool,
    /// The pip to use, without a virtual environment; `python3 -m pip` if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub executable: Option<String>,
    /// More arguments for pip.
    #[serde(default, skip_serializing_if = "is_default")]
    pub extra_args: String,
    /// Whether the packages are there.
    #[serde(default, skip_serializing_if = "is_default")]
    pub state: State,
    /// Installs in place, from a source tree or repository.
    #[serde(default, skip_serializing_if = "is_default")]
    pub editable: bool,
    /// Where relative paths start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chdir: Option<String>,
    /// File mode mask, as `"0022"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub umask: Option<String>,
    /// Changes packages that belong to the distribution.
    #[serde(default, skip_serializing_if = "is_default")]
    pub break_system_packages: bool,
    /// Does not look into any index.
    #[serde(default, skip_serializing_if = "is_default")]
    pub no_index: bool,
    /// A directory of the host, or a page, with archives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub find_links: Option<String>,
}

/// Whether packages are there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// They are, in an allowed version.
    #[default]
    Present,
    /// They are, in the newest version.
    Latest,
    /// They are not.
    Absent,
    /// They are installed again each time.
    #[serde(rename = "forcereinstall")]
    ForceReinstall,
}

/// What `register` gives.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
pub struct Output {
    /// The packages as they were given.
    pub name: Vec<String>,
    /// The requirements file.
    pub requirements: Option<String>,
    /// The virtual environment.
    pub virtualenv: Option<String>,
    /// Which version of each package in `name` is there now; nothing for those that are not.
    pub packages: BTreeMap<String, Option<String>>,
}

impl Module for Pip {
    const NAME: &'static str = "pip";
    const ALIASES: &'static [&'static str] = &["ansible.builtin.pip", "ansible.legacy.pip"];
    const ABOUT: &'static str = "keeps Python packages installed";
    const EXAMPLE: &'static str = "\
- pip:
    name:
      - apache-airflow[celery]==2.7.3
      - psycopg2-binary
    constraints: /opt/airflow/constraints.txt
    virtualenv: /opt/airflow/venv
";
    const CHANGED_WHEN: &'static str = "\
        A package is missing, is there though it should not be, or has a version that is not asked for; \
        or the virtual environment was made.";
    const LIMITS: &'static str = "\
        It does not judge packages from addresses and archives by more than their name. `latest` has to \
        ask an index, so it starts pip.";
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        args.check_versions()?;
        if args.virtualenv.is_some() && args.executable.is_some() {
            return Err(
                Refusal::new("`virtualenv` and `executable` exclude each other")
                    .help("leave out `executable`: the environment has its own pip"),
            );
        }
        if args.virtualenv.is_none() && args.virtualenv_python.is_some() {
            return Err(Refusal::new("`virtualenv_python` without `virtualenv`"));
        }
        let venv = args
            .virtualenv_command
            .as_deref()
            .is_some_and(|c| c.contains("-m venv"));
        if venv && args.virtualenv_python.is_some() {
            let what = "`virtualenv_python` does not fit `virtualenv_command` with `-m venv`";
            return Err(Refusal::new(what).help("leave out `virtualenv_command`"));
        }
        if shlex::split(&args.extra_args).is_none() {
            return Err(Refusal::new("`extra_args`: a quote is not closed"));
        }
        if let Some(umask) = &args.umask
            && (!umask.starts_with('0') || u32::from_str_radix(umask, 8).is_err())
        {
            return Err(Refusal::new(format!("`umask: {umask}` is not octal"))
                .help("write it in quotes, with a zero in front: `\"0022\"`"));
        }
        Ok(())
    }

    fn observe(args: &Args, seen: &Seen) -> Probes {
        Look::observe(seen, |look| decide::plan(args, look))
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        decide::plan(args, &Look::new(seen))
    }

    fn output(args: &Args, after: &Seen, _: &[Done]) -> Result<Output, Stop> {
        let look = Look::new(after);
        let env = decide::env(args, &look)?;
        let mut packages = BTreeMap::new();
        for wanted in args.wanted()? {
            if let Wanted::Named { requirement, .. } = wanted {
                let name = requirement.name.clone();
                let there = after.get(&Installed {
                    env: env.clone(),
                    name: name.clone(),
                })?;
                packages.insert(name.to_string(), there.as_ref().map(|r| r.0.clone()));
            }
        }
        Ok(Output {
            name: args.name.clone(),
            requirements: args.requirements.clone(),
            virtualenv: args.virtualenv.clone(),
            packages,
        })
    }

    fn touches(args: &Args) -> Touches {
        match &args.virtualenv {
            Some(path) if path.starts_with('/') => {
                let files = args.files().into_iter().chain(args.find_links.clone());
                let local = args.name.iter().cloned();
                let absolute = files.chain(local).map(|file| args.below(&file));
                let reads = absolute
                    .filter(|file| file.starts_with('/'))
                    .map(Thing::Tree);
                Touches::writes([Thing::Tree(path.clone())])
                    .reading(reads)
                    .reading([Thing::Path("/etc/pip.conf".to_owned())])
            }
            _ => Touches::everything(),
        }
    }

    fn subject(args: &Args) -> String {
        let what = args
            .name
            .iter()
            .chain(&args.requirements)
            .cloned()
            .collect::<Vec<_>>();
        match args.virtualenv.as_ref().or(args.executable.as_ref()) {
            Some(place) => format!("{} in {place}", what.join(" ")),
            None => what.join(" "),
        }
    }

    fn witness(args: &Args, after: &Seen) -> Option<Value> {
        let mut all = Vec::new();
        for file in args.files() {
            let bytes = after.get(&Contents(args.below(&file))).ok()?.as_ref()?;
            all.extend_from_slice(&sha256(bytes));
        }
        (!all.is_empty()).then(|| hex(&sha256(&all)).into())
    }
}

impl Args {
    fn check_versions(&self) -> Result<(), Refusal> {
        if self.version.is_empty() {
            return self.wanted().map(drop);
        }
        if self.state == State::Latest {
            return Err(Refusal::new(
                "`version` and `state: latest` exclude each other",
            ));
        }
        let named: Vec<_> = self.name.iter().flat_map(|text| split(text)).collect();
        match named.as_slice() {
            [one] if requirement::bare_name(one).is_some() => self.wanted().map(drop),
            [one] => Err(
                Refusal::new(format!("`{one}` and `version` both say a version"))
                    .help("keep one of them"),
            ),
            _ => Err(
                Refusal::new("`version` needs exactly one package in `name`")
                    .help("write versions with the names: `name==1.2`"),
            ),
        }
    }

    /// What is named in the arguments themselves.
    fn wanted(&self) -> Result<Vec<Wanted>, Refusal> {
        if self.editable {
            return Ok(self
                .name
                .iter()
                .map(|name| Wanted::Opaque(format!("-e {name}")))
                .collect());
        }
        let named = self.name.iter().flat_map(|text| split(text));
        named
            .map(|name| match self.version.as_str() {
                "" => wanted(&name),
                version if version.starts_with(['<', '>', '=', '!', '~']) => {
                    wanted(&format!("{name}{version}"))
                }
                version => wanted(&format!("{name}=={version}")),
            })
            .collect()
    }

    /// Files on the host that say what is wanted.
    fn files(&self) -> Vec<String> {
        let extra = decide::Extra::of(self);
        let constraints = self.constraints.iter().cloned().chain(extra.constraints);
        let requirements = self.requirements.iter().cloned().chain(extra.requirements);
        requirements
            .chain(constraints)
            .filter(|file| !file.contains("://"))
            .collect()
    }

    /// A path, below `chdir` if it is relative.
    fn below(&self, path: &str) -> String {
        match &self.chdir {
            Some(dir) if !path.starts_with(['/', '~']) => {
                format!("{}/{path}", dir.trim_end_matches('/'))
            }
            _ => path.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
