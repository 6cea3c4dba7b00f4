//! What dpkg is to do with a package: keep it as it is, for one.

use evenkeel_engine::{
    Change, Done, Effect, Module, NotYet, Plan, Probes, Refusal, Run, Seen, Step, Stop, Thing,
    Touches, ask,
    probes::{Answered, Ask},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The module `dpkg_selections`.
#[derive(Debug)]
pub struct DpkgSelections;

/// Arguments of `dpkg_selections`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The package, with its architecture if there are several: `libc6:i386`.
    pub name: String,
    /// What is to be done with it.
    pub selection: Selection,
}

/// What is to be done with a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Selection {
    /// It is to be there.
    Install,
    /// Its version is to stay as it is.
    Hold,
    /// It is to go when somebody orders what is selected.
    Deinstall,
    /// The same, with its configuration.
    Purge,
}

impl Selection {
    fn word(self) -> &'static str {
        match self {
            Self::Install => "install",
            Self::Hold => "hold",
            Self::Deinstall => "deinstall",
            Self::Purge => "purge",
        }
    }
}

/// What `register` gives.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
pub struct Output {
    /// The package.
    pub name: String,
    /// What is selected for it.
    pub after: String,
}

/// What is selected for a package: `install`, `hold` …
pub fn selected(name: &str) -> Ask {
    Ask::new(["dpkg-query", "-W", "-f", "${db:Status-Want}", name])
        .reading([Thing::Tree("/var/lib/dpkg".to_owned())])
}

impl Module for DpkgSelections {
    const NAME: &'static str = "dpkg_selections";
    const ALIASES: &'static [&'static str] = &[
        "ansible.builtin.dpkg_selections",
        "ansible.legacy.dpkg_selections",
    ];
    const ABOUT: &'static str = "keeps what dpkg is to do with a package, such as holding it";
    const EXAMPLE: &'static str = "\
- name: the database stays as it is
  dpkg_selections:
    name: postgresql-15
    selection: hold
";
    const CHANGED_WHEN: &'static str = "Something else is selected for the package.";
    const LIMITS: &'static str = "\
        It installs and removes nothing by itself: see `apt`. A package that dpkg has never heard of is waited for.";
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        let fits = |c: char| c.is_ascii_alphanumeric() || "+-.:".contains(c);
        let name = &args.name;
        if name.is_empty() || name.starts_with('-') || !name.chars().all(fits) {
            return Err(Refusal::new(format!(
                "`{}` is no name of a package",
                name.escape_debug()
            )));
        }
        Ok(())
    }

    fn observe(args: &Args, _: &Seen) -> Probes {
        vec![ask(selected(&args.name))]
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        let asked = selected(&args.name);
        let now = seen.get(&asked)?;
        if now.status == 127 {
            return Err(NotYet::new("`dpkg-query` (it belongs to Debian's systems)").into());
        }
        // One line for each architecture would be one word here.
        let known = ["install", "hold", "deinstall", "purge"].contains(&now.stdout.as_str());
        if now.status != 0 || !known {
            return Err(NotYet(format!("the package `{}`", args.name)).into());
        }
        let wanted = args.selection.word();
        if now.stdout == wanted {
            return Ok(Plan::nothing());
        }
        let run = Run {
            stdin: format!("{} {wanted}\n", args.name).into_bytes().into(),
            explain: Some(explain),
            ..Run::new(["dpkg", "--set-selections"])
        };
        let then = Answered {
            status: 0,
            stdout: wanted.to_owned(),
        };
        let step = Step::from(run).effect(Effect::new(asked, then));
        Ok(Change::new("selection", now.stdout.clone(), wanted)
            .step(step)
            .into())
    }

    fn output(args: &Args, _: &Seen, _: &[Done]) -> Result<Output, Stop> {
        Ok(Output {
            name: args.name.clone(),
            after: args.selection.word().to_owned(),
        })
    }

    fn touches(_: &Args) -> Touches {
        // What apt does afterwards depends on it.
        Touches::everything()
    }

    fn subject(args: &Args) -> String {
        args.name.clone()
    }
}

fn explain(done: &Done) -> Option<Refusal> {
    let said = String::from_utf8_lossy(&done.stderr);
    if said.contains("is locked") || said.contains("lock") && said.contains("another process") {
        return Some(
            Refusal::new("another program is at work on packages there")
                .help("run again when it has ended"),
        );
    }
    (said.contains("superuser") || said.contains("ermission denied"))
        .then(|| Refusal::new("only root may select packages").help("`become: true`"))
}
