//! What a host calls itself.

use evenkeel_engine::{
    Change, Done, Effect, Module, NotYet, Plan, Probes, Refusal, Run, Seen, Step, Stop, Thing,
    Touches, Value,
    probes::{Answered, Ask, Whoami},
};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    look::Look,
    rewrite::{Missing, Rewrite},
};

/// The module `hostname`.
#[derive(Debug)]
pub struct Hostname;

/// Arguments of `hostname`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The name: now, and after the next start.
    pub name: String,
    /// Without effect: all of these keep the name in `/etc/hostname`, and the kernel has it now.
    #[serde(default, rename = "use", skip_serializing_if = "Option::is_none")]
    pub strategy: Option<Strategy>,
}

/// How Ansible would set a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// A system with systemd.
    Systemd,
    /// Debian and what is made of it.
    Debian,
    /// Alpine.
    Alpine,
    /// Any other.
    Generic,
}

/// What `register` gives.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Output {
    /// The name.
    pub name: String,
    /// The facts that say it.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub ansible_facts: IndexMap<String, Value>,
}

const FILE: &str = "/etc/hostname";

/// What the kernel has. `hostname` needs no `/proc/sys` that can be written, which containers lack.
const SET: &str = r#"
PATH=$PATH:/usr/sbin:/sbin
if command -v hostname >/dev/null 2>&1; then exec hostname "$1"; fi
printf '%s\n' "$1" >/proc/sys/kernel/hostname
"#;

/// What is written, and facts are read of.
pub(crate) fn thing() -> Thing {
    Thing::Object("hostname".to_owned())
}

/// What the kernel says.
pub fn current() -> Ask {
    Ask::new(["uname", "-n"]).reading([thing()])
}

impl Module for Hostname {
    const NAME: &'static str = "hostname";
    const ALIASES: &'static [&'static str] =
        &["ansible.builtin.hostname", "ansible.legacy.hostname"];
    const ABOUT: &'static str = "keeps what a host calls itself";
    const EXAMPLE: &'static str = "\
- hostname:
    name: db1.example.org
";
    const CHANGED_WHEN: &'static str =
        "The kernel has another name now, or `/etc/hostname` says another one.";
    const LIMITS: &'static str = "\
        It writes no addresses into `/etc/hosts`: see `lineinfile`. What cloud-init or DHCP sets at the next start is \
        theirs to say (`preserve_hostname`).";
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        let name = &args.name;
        let label = |label: &str| {
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            (1..=63).contains(&label.len())
                && label.chars().all(plain)
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        if name.len() > 64 || !name.split('.').all(label) {
            return Err(
                Refusal::new(format!("`{}` is no name of a host", name.escape_debug()))
                    .help("at most 64 letters, digits and `-`, in parts with dots between them"),
            );
        }
        Ok(())
    }

    fn observe(args: &Args, seen: &Seen) -> Probes {
        Look::observe(seen, |look| decide(args, look))
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        decide(args, &Look::new(seen))
    }

    fn output(args: &Args, _: &Seen, _: &[Done]) -> Result<Output, Stop> {
        let short = args.name.split('.').next().unwrap_or_default();
        let facts = [
            ("ansible_hostname", short),
            ("ansible_nodename", &args.name),
        ];
        Ok(Output {
            name: args.name.clone(),
            ansible_facts: facts
                .map(|(fact, name)| (fact.to_owned(), name.into()))
                .into(),
        })
    }

    fn touches(_: &Args) -> Touches {
        Touches::writes([thing(), Thing::Path(FILE.to_owned())])
    }

    fn subject(args: &Args) -> String {
        args.name.clone()
    }
}

fn decide(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    let now = current();
    look.ask(&now);
    look.ask(&Whoami);
    let mut old = None;
    let rewrite = Rewrite {
        missing: Missing::Create,
        ..Rewrite::new(FILE)
    };
    let file = rewrite.plan(look, |before| {
        let text = String::from_utf8_lossy(before);
        let name = text
            .lines()
            .map(str::trim)
            .find(|line| !line.is_empty() && !line.starts_with('#'));
        if name == Some(args.name.as_str()) {
            return Ok(None);
        }
        old = name.map(ToOwned::to_owned);
        Ok(Some(format!("{}\n", args.name).into_bytes()))
    })?;
    let live = look.get(&now)?;
    if live.status != 0 {
        return Err(NotYet("what `uname -n` says".to_owned()).into());
    }
    // The file comes first: systemd keeps the kernel to what it says.
    let mut changes = file.changes;
    if let Some(change) = changes
        .iter_mut()
        .find(|change| change.what == "content" || change.what == "file")
    {
        "name after the next start".clone_into(&mut change.what);
        change.before = old.into();
        change.after = args.name.as_str().into();
    }
    if live.stdout != args.name {
        let wanted = Answered {
            status: 0,
            stdout: args.name.clone(),
        };
        let run = Run {
            explain: Some(explain),
            ..Run::new(["sh", "-c", SET, "hostname", &args.name])
        };
        let step = Step::from(run).effect(Effect::new(now, wanted));
        changes.push(Change::new("name", live.stdout.clone(), args.name.as_str()).step(step));
    }
    if !changes.is_empty() && look.get(&Whoami)?.account.uid != 0 {
        return Err(Refusal::new("only root may name a host")
            .help("`become: true`")
            .into());
    }
    Ok(changes.into())
}

fn explain(done: &Done) -> Option<Refusal> {
    let text = String::from_utf8_lossy(&done.stderr).to_lowercase();
    let denied =
        text.contains("permit") || text.contains("permission denied") || text.contains("read-only");
    denied.then(|| {
        Refusal::new("the kernel does not let this host be named")
            .help("a container gets its name from what starts it: `/etc/hostname` is written, say it there as well")
    })
}
