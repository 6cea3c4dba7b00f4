//! Modules of the kernel, now and at each start.

use evenkeel_engine::{
    Change, Done, Effect, Module, Plan, Probes, Refusal, Run, Seen, Step, Stop, Thing, Touches,
    probes::{Answered, Ask},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    args::is_default,
    look::Look,
    rewrite::{Missing, Rewrite},
};

/// The module `modprobe`.
#[derive(Debug)]
pub struct Modprobe;

/// Arguments of `modprobe`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The module of the kernel.
    pub name: String,
    /// Whether it is loaded now.
    #[serde(default, skip_serializing_if = "is_default")]
    pub state: State,
    /// Its parameters, as `numdummies=2`, when it is loaded. A module that is there already keeps those it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub params: Option<String>,
    /// Whether it is loaded at each start of the host.
    #[serde(default, skip_serializing_if = "is_default")]
    pub persistent: Persistent,
}

/// Whether it is loaded now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It is; or it is a part of the kernel itself.
    #[default]
    Present,
    /// It is not.
    Absent,
}

/// Whether it is loaded at each start of the host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Persistent {
    /// As it was.
    #[default]
    Disabled,
    /// It is: a line in `/etc/modules-load.d/NAME.conf`, and its parameters in `/etc/modprobe.d/NAME.conf`.
    Present,
    /// It is not: those lines go.
    Absent,
}

/// What `register` gives.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
pub struct Output {
    /// The module.
    pub name: String,
    /// Whether it is loaded.
    pub state: State,
    /// Its parameters.
    pub params: String,
}

/// `-` and `_` are the same in names of modules.
const LOADED: &str = r#"
ek_n=$(printf %s "$1" | tr - _)
while read -r ek_m ek_r; do
  if [ "$ek_m" = "$ek_n" ]; then echo loaded; exit 0; fi
done 2>/dev/null </proc/modules
ek_b=/lib/modules/$(uname -r)/modules.builtin
if [ -r "$ek_b" ] && sed 's/.*\///; s/\.ko.*//; y/-/_/' "$ek_b" | grep -qxF -e "$ek_n"; then echo builtin; exit 0; fi
echo absent
"#;

/// `modprobe` is not in everybody's path.
const MODPROBE: &str = r#"PATH=$PATH:/usr/sbin:/sbin; exec modprobe "$@""#;

fn thing(name: &str) -> Thing {
    Thing::Object(format!("module of the kernel {}", name.replace('-', "_")))
}

/// What the kernel has: `loaded`, `builtin` or `absent`.
pub fn loaded(name: &str) -> Ask {
    Ask::new(["sh", "-c", LOADED, "modprobe", name]).reading([thing(name)])
}

impl Module for Modprobe {
    const NAME: &'static str = "modprobe";
    const ALIASES: &'static [&'static str] = &["community.general.modprobe"];
    const ABOUT: &'static str = "keeps modules of the kernel loaded";
    const EXAMPLE: &'static str = "\
- modprobe:
    name: br_netfilter
    persistent: present
";
    const CHANGED_WHEN: &'static str = "\
        The kernel has the module and should not, or the other way round; or, with `persistent`, the files do not say so.";
    const LIMITS: &'static str = "\
        A module that is there already is not loaded anew for other parameters. `persistent: absent` looks only at the \
        two files that are the module's own.";
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        let name = &args.name;
        let fits = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
        if name.is_empty() || name.starts_with('-') || !name.chars().all(fits) {
            return Err(Refusal::new(format!(
                "`{}` is no name of a module of the kernel",
                name.escape_debug()
            )));
        }
        if args.params().contains(['\n', '\0']) {
            return Err(Refusal::new("`params` is more than one line"));
        }
        if args.state == State::Absent && args.persistent == Persistent::Present {
            return Err(Refusal::new(
                "`state: absent` unloads what `persistent: present` loads at each start",
            )
            .help("write `persistent: absent`, or leave `state` away"));
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
        Ok(Output {
            name: args.name.clone(),
            state: args.state,
            params: args.params().to_owned(),
        })
    }

    fn touches(args: &Args) -> Touches {
        let mut touches = Touches::writes([thing(&args.name)]);
        if args.persistent != Persistent::Disabled {
            for path in args.files() {
                touches.writes.extend(args.rewrite(&path).touches().writes);
            }
        }
        touches
    }

    fn subject(args: &Args) -> String {
        args.name.clone()
    }
}

impl Args {
    fn params(&self) -> &str {
        self.params.as_deref().unwrap_or_default().trim()
    }

    /// What says that it is loaded, and with which parameters.
    fn files(&self) -> [String; 2] {
        ["modules-load.d", "modprobe.d"].map(|dir| format!("/etc/{dir}/{}.conf", self.name))
    }

    fn rewrite<'a>(&self, path: &'a str) -> Rewrite<'a> {
        Rewrite {
            missing: match self.persistent {
                Persistent::Present => Missing::Create,
                _ => Missing::Fine,
            },
            ..Rewrite::new(path)
        }
    }
}

/// The text with the line if there is to be one, in the place of what says the same otherwise.
fn edit(before: &[u8], is: impl Fn(&str) -> bool, line: Option<&str>) -> Option<Vec<u8>> {
    let before = String::from_utf8_lossy(before);
    let mut after = String::new();
    let mut line = line;
    for text in before.split_inclusive('\n') {
        if !is(text.trim()) {
            after.push_str(text);
        } else if let Some(line) = line.take() {
            after.push_str(line);
            after.push('\n');
        }
    }
    if let Some(line) = line {
        if !after.is_empty() && !after.ends_with('\n') {
            after.push('\n');
        }
        after.push_str(line);
        after.push('\n');
    }
    (after != before).then(|| after.into_bytes())
}

fn decide(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    let name = &args.name;
    let asked = loaded(name);
    look.ask(&asked);
    let mut files = Vec::new();
    if args.persistent != Persistent::Disabled {
        let present = args.persistent == Persistent::Present;
        let [load, options] = args.files();
        let line = present.then_some(name.as_str());
        let is_load = |text: &str| text == name;
        files.push(
            args.rewrite(&load)
                .plan(look, |before| Ok(edit(before, is_load, line))),
        );
        if !present || !args.params().is_empty() {
            let line = format!("options {name} {}", args.params());
            let is_options = |text: &str| {
                let mut words = text.split_whitespace();
                words.next() == Some("options") && words.next() == Some(name)
            };
            files.push(args.rewrite(&options).plan(look, |before| {
                Ok(edit(before, is_options, present.then_some(&line)))
            }));
        }
    }
    let mut changes = Vec::new();
    let now = look.get(&asked)?.stdout.as_str();
    let then = |word: &str, argv: Vec<&str>| {
        let answer = Answered {
            status: 0,
            stdout: word.to_owned(),
        };
        let run = Run {
            explain: Some(explain),
            ..Run::new(["sh", "-c", MODPROBE, "modprobe"].into_iter().chain(argv))
        };
        Change::new("module", now, word)
            .step(Step::from(run).effect(Effect::new(asked.clone(), answer)))
    };
    match (args.state, now) {
        (State::Present, "absent") => {
            let params = args.params().split_whitespace();
            changes.push(then(
                "loaded",
                ["--", name].into_iter().chain(params).collect(),
            ));
        }
        (State::Absent, "loaded") => changes.push(then("absent", vec!["-r", "--", name])),
        (State::Absent, "builtin") => {
            return Err(
                Refusal::new(format!("`{name}` is a part of this kernel itself"))
                    .help("it cannot be unloaded: another kernel, or `when` for hosts of this one")
                    .into(),
            );
        }
        _ => {}
    }
    for file in files {
        changes.extend(file?.changes);
    }
    Ok(changes.into())
}

fn explain(done: &Done) -> Option<Refusal> {
    let said = String::from_utf8_lossy(&done.stderr);
    if said.contains("not found in directory") {
        return Some(Refusal::new("this kernel has no such module")
            .help("is its name right? On Debian many are in `linux-image-amd64` and not in the kernels of clouds; after an upgrade of the kernel the host has to be started again"));
    }
    if said.contains("is in use") {
        return Some(
            Refusal::new("the module is in use")
                .help("stop what uses it: `lsmod` names other modules that do"),
        );
    }
    (said.contains("Operation not permitted") || said.contains("ermission denied")).then(|| {
        Refusal::new("only root may load and unload modules")
            .help("`become: true`; in a container, load it on its host")
    })
}
