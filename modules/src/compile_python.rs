//! An interpreter of Python, compiled from its source.

mod built;
mod decide;
mod explain;
mod share;

use evenkeel_engine::{Done, Module, Plan, Probes, Refusal, Seen, Stop, Text, Touches};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use built::{Built, Interpreter};

use crate::{
    args::is_default,
    copy::Src,
    download::{Request, is_web},
    look::Look,
    many::comma_list,
    package::{self, Package},
};

/// The module `compile-python`.
#[derive(Debug)]
pub struct CompilePython;

/// Arguments of `compile-python`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The version, with three numbers: `3.9.16`.
    pub version: String,
    /// The archive: an address, a file of this machine, or with `remote_src` a path of the host.
    pub source: Src,
    /// The SHA-256 of the archive.
    pub sha256: String,
    /// Whether `source` is a path of the host.
    #[serde(default, skip_serializing_if = "is_default")]
    pub remote_src: bool,
    /// Where it is installed (`make altinstall`); `/usr/local` if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// Whether it is compiled with `--enable-optimizations` (the default), which takes several times as long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub optimizations: Option<bool>,
    /// More options for `configure`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub configure: Vec<String>,
    /// What it must be able to import; `ssl`, `sqlite3`, `bz2`, `zlib`, `ctypes` and `lzma` if unset. What they are
    /// compiled with has to be installed on the host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modules: Option<Vec<String>>,
    /// The version of its pip; whichever comes with the source if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pip: Option<String>,
    /// Packages that it is built with: a compiler, `make`, headers. Those that are missing are installed (by apt or
    /// dnf, as by `package`) where it is to be built, and not looked at where it is not. None if unset.
    #[serde(
        default,
        deserialize_with = "comma_list",
        skip_serializing_if = "is_default"
    )]
    pub packages: Vec<String>,
    /// Fetches the lists of packages anew before any of `packages` is installed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub update_cache: bool,
    /// A directory of the machine that runs the playbook, beside the playbook if it is no whole path. What a host has
    /// compiled is kept there, and hosts like it (the same distribution, release, architecture and C library) get it from
    /// there instead of compiling it. `serial: [1, 100%]` in the play has one host go first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share_build: Option<String>,
    /// How many compilers run at once; as many as the host has processors if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jobs: Option<u32>,
    /// Where it is compiled, and the log is kept: a directory of its own, in one that exists. If unset,
    /// `evenkeel-python-VERSION` in `/usr/local/src`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build_dir: Option<String>,
}

/// What `register` gives.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Output {
    /// The interpreter.
    pub python: String,
    /// Its version.
    pub version: Option<String>,
    /// The version of its pip.
    pub pip: Option<String>,
    /// What was printed while it was compiled.
    pub log: String,
}

impl Module for CompilePython {
    const NAME: &'static str = "compile-python";
    const ALIASES: &'static [&'static str] = &["compile_python"];
    const ABOUT: &'static str = "keeps an interpreter of Python compiled from its source";
    const EXAMPLE: &'static str = "\
- name: Python for Airflow
  compile-python:
    version: 3.9.16
    source: https://www.python.org/ftp/python/3.9.16/Python-3.9.16.tar.xz
    sha256: 22dddc099246dd2760665561e8adb7394ea0cc43a72684c6480f9380f7786439
    pip: 22.0.4
    packages:
      - gcc
      - make
      - xz
      - openssl-devel
      - sqlite-devel
      - bzip2-devel
      - zlib-devel
      - libffi-devel
      - xz-devel
";
    const CHANGED_WHEN: &'static str = "\
The interpreter does not answer with the wanted version, cannot import what is wanted, or was not built (to the end) \
from this archive with these options; or its pip is another one. If it is to be built: one of `packages` is missing.";
    const LIMITS: &'static str = "\
Without `packages` nothing is installed but Python; what it needs and is missing is said before anything is fetched. \
Names of packages differ between distributions, and are not translated. An address in `source` is fetched as `get-url` \
does it. A build that was interrupted while it compiled starts clean. The log of a build \
stays in `build_dir` until the next build; of one that fails, the last 40 lines are told. A build that is shared is not \
made anew by the next host if it cannot be used there: what is missing is said. Hosts that are compiled at the same time each \
compile their own, and the first is kept. Paths may hold no spaces.";
    const FILES: &'static [&'static str] = &["source"];
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        let numbers: Vec<&str> = args.version.split('.').collect();
        let is_number =
            |text: &&str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if numbers.len() != 3 || !numbers.iter().all(is_number) {
            return Err(
                Refusal::new(format!("`version: {}` is not three numbers", args.version))
                    .help("write it as `3.9.16`"),
            );
        }
        if args.sha256.len() != 64 || !args.sha256.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(Refusal::new("`sha256` is not 64 hexadecimal digits"));
        }
        match &args.source {
            Src::Local(source) if source.tree().is_some() => {
                return Err(Refusal::new(format!(
                    "`source`: `{}` is a directory",
                    source.name()
                )));
            }
            Src::Local(_) if !args.remote_src => {}
            Src::Local(_) => {
                return Err(Refusal::new(
                    "`source` is a local file, but `remote_src` is set",
                ));
            }
            Src::Host(text) if is_web(text) && !args.remote_src => {
                Request::new(text.as_str()).check()?;
            }
            Src::Host(text) if args.remote_src && text.starts_with('/') => {}
            Src::Host(text) => {
                return Err(Refusal::new(format!(
                    "`source: {text}` is neither an address nor a local file"
                ))
                .help("a file of the host needs `remote_src: true` and its whole path"));
            }
        }
        for (name, path) in [("prefix", args.prefix()), ("build_dir", &args.work())] {
            if !path.starts_with('/') || path.contains(char::is_whitespace) {
                return Err(Refusal::new(format!(
                    "`{name}: {path}` has to be a whole path without spaces"
                ))
                .help("Python's own makefiles break on spaces"));
            }
        }
        let odd = |name: &&String| {
            name.is_empty()
                || !name
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"_.".contains(&b))
        };
        if let Some(name) = args.modules.iter().flatten().find(odd) {
            return Err(Refusal::new(format!(
                "`modules`: `{name}` is no name of a module"
            )));
        }
        if args.share_build.as_deref() == Some("") {
            return Err(Refusal::new("`share_build` is empty"));
        }
        if args.jobs == Some(0) {
            return Err(Refusal::new("`jobs: 0` compiles nothing"));
        }
        if args.packages.is_empty() && args.update_cache {
            return Err(Refusal::new("`update_cache` needs `packages`"));
        }
        Package::check(&args.build_packages())?;
        if let Some(option) = args
            .configure
            .iter()
            .find(|option| option.starts_with("--prefix"))
        {
            return Err(Refusal::new(format!("`{option}` in `configure`"))
                .help("`prefix` says where it is installed"));
        }
        Ok(())
    }

    fn observe(args: &Args, seen: &Seen) -> Probes {
        Look::observe(seen, |look| decide::decide(args, look))
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        decide::decide(args, &Look::new(seen))
    }

    fn output(args: &Args, after: &Seen, _: &[Done]) -> Result<Output, Stop> {
        let now = after.get(&args.built())?;
        Ok(Output {
            python: args.python(),
            version: now.version.clone(),
            pip: now.pip.clone(),
            log: format!("{}/build.log", args.work()),
        })
    }

    fn touches(_: &Args) -> Touches {
        // A compiler, headers, libraries: what it reads cannot be listed.
        Touches::everything()
    }

    fn subject(args: &Args) -> String {
        args.python()
    }
}

impl Args {
    /// What installs the packages that it is built with.
    fn build_packages(&self) -> package::Args {
        package::Args {
            name: self.packages.clone(),
            update_cache: self.update_cache,
            ..package::Args::default()
        }
    }

    fn prefix(&self) -> &str {
        self.prefix.as_deref().unwrap_or("/usr/local")
    }

    /// `3.9` of `3.9.16`.
    fn series(&self) -> &str {
        self.version
            .rsplit_once('.')
            .map_or(self.version.as_str(), |(series, _)| series)
    }

    fn python(&self) -> String {
        format!(
            "{}/bin/python{}",
            self.prefix().trim_end_matches('/'),
            self.series()
        )
    }

    fn work(&self) -> String {
        let default = || format!("/usr/local/src/evenkeel-python-{}", self.version);
        self.build_dir.clone().unwrap_or_else(default)
    }

    fn modules(&self) -> Vec<String> {
        let default = || {
            ["ssl", "sqlite3", "bz2", "zlib", "ctypes", "lzma"]
                .map(ToOwned::to_owned)
                .into()
        };
        self.modules.clone().unwrap_or_else(default)
    }

    fn options(&self) -> Vec<String> {
        let mut options = vec![format!("--prefix={}", self.prefix())];
        if self.optimizations.unwrap_or(true) {
            options.push("--enable-optimizations".to_owned());
        }
        options.extend(self.configure.clone());
        options
    }

    /// What a finished build leaves beside its library.
    fn stamp(&self) -> String {
        let lines: Vec<String> = self
            .options()
            .iter()
            .map(|option| format!("configure {option:?}"))
            .collect();
        format!(
            "evenkeel: {}\nsource {}\n{}",
            self.version,
            self.sha256.to_ascii_lowercase(),
            lines.join("\n")
        )
    }

    fn stamp_path(&self) -> String {
        format!(
            "{}/lib/python{}/evenkeel-build.txt",
            self.prefix().trim_end_matches('/'),
            self.series()
        )
    }

    fn built(&self) -> Built {
        Built {
            python: self.python(),
            stamp: self.stamp_path(),
            modules: self.modules(),
        }
    }

    /// The request, if the source is at an address.
    fn request(&self) -> Option<Request> {
        match &self.source {
            Src::Host(url) if !self.remote_src => Some(Request::new(Text::from(url.as_str()))),
            _ => None,
        }
    }
}
