//! Parameters of the kernel, in a file and as they are.

use evenkeel_engine::{
    Change, Done, Effect, Module, NotYet, Plan, Probes, Refusal, Run, Seen, Step, Stop, Text,
    Thing, Touches,
    probes::{Answered, Ask},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    args::is_default,
    look::Look,
    many::{is_yes, yes},
    paths,
    rewrite::{Missing, Rewrite, Rewritten},
};

/// The module `sysctl`.
#[derive(Debug)]
pub struct Sysctl;

/// Arguments of `sysctl`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The parameter, as `net.ipv4.ip_forward`.
    #[serde(alias = "key")]
    pub name: String,
    /// Its value; yes is `1` and no is `0`.
    #[serde(default, alias = "val", skip_serializing_if = "Option::is_none")]
    pub value: Option<Text>,
    /// Whether it is to be in the file or not.
    #[serde(default, skip_serializing_if = "is_default")]
    pub state: State,
    /// The kernel is to have the value too, whatever the file says: it is looked at each time.
    #[serde(default, skip_serializing_if = "is_default")]
    pub sysctl_set: bool,
    /// Whether the file is loaded when the parameter comes into it or changes there (the default).
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub reload: bool,
    /// The file; `/etc/sysctl.conf` if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sysctl_file: Option<String>,
    /// A parameter that the kernel does not have is no failure.
    #[serde(default, skip_serializing_if = "is_default")]
    pub ignoreerrors: bool,
}

/// Whether it is to be in the file or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is in the file.
    #[default]
    Present,
    /// It is not in the file. What the kernel has stays.
    Absent,
}

impl Module for Sysctl {
    const NAME: &'static str = "sysctl";
    const ALIASES: &'static [&'static str] = &["ansible.posix.sysctl"];
    const ABOUT: &'static str = "keeps parameters of the kernel";
    const EXAMPLE: &'static str = "\
- name: packets are passed on
  sysctl:
    name: net.ipv4.ip_forward
    value: 1
    sysctl_set: true
    sysctl_file: /etc/sysctl.d/90-router.conf
";
    const CHANGED_WHEN: &'static str = "\
        The file does not set the parameter to this value, or, with `sysctl_set`, the kernel \
        has another one.";
    const LIMITS: &'static str = "\
        What is no longer in the file keeps its value in the kernel until the next boot.";
    type Args = Args;
    type Output = Rewritten;

    fn check(args: &Args) -> Result<(), Refusal> {
        let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '=' | '#' | ';');
        let name = &args.name;
        // The name is a path below `/proc/sys`, and may not lead out of it, whichever of `.` and `/` parts it.
        let leads_out = name.contains("..") || name.contains("//") || name.contains("/./");
        if name.is_empty() || name.contains(odd) || name.starts_with('-') || leads_out {
            return Err(Refusal::new(format!("`{name}` is no name of a parameter")));
        }
        match (&args.value, args.state) {
            (None, State::Present) => Err(Refusal::new("`value` is missing")),
            (Some(value), _) if value.is_secret() => Err(Refusal::new(
                "`value` is a secret: everybody may read parameters of the kernel",
            )),
            (Some(_), State::Present) if args.value().is_empty() => {
                Err(Refusal::new("`value` is empty")
                    .help("`state: absent` takes the parameter out of the file"))
            }
            (Some(value), _)
                if value
                    .bytes()
                    .iter()
                    .any(|byte| matches!(byte, b'\n' | b'\r' | 0)) =>
            {
                Err(Refusal::new("`value` is more than one line"))
            }
            _ => Ok(()),
        }
    }

    fn observe(args: &Args, seen: &Seen) -> Probes {
        Look::observe(seen, |look| decide(args, look))
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        decide(args, &Look::new(seen))
    }

    fn output(args: &Args, after: &Seen, done: &[Done]) -> Result<Rewritten, Stop> {
        args.rewrite().output(after, done)
    }

    fn touches(args: &Args) -> Touches {
        let mut touches = args.rewrite().touches();
        if args.sysctl_set || args.reload {
            touches
                .writes
                .push(Thing::Object(format!("sysctl {}", args.name)));
        }
        touches
    }

    fn subject(args: &Args) -> String {
        args.name.clone()
    }
}

/// One space between the numbers of a value.
fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Args {
    fn value(&self) -> String {
        let text = self.value.as_ref().map_or("", |value| value.shown());
        match text {
            "True" | "true" | "yes" | "on" => "1".to_owned(),
            "False" | "false" | "no" | "off" => "0".to_owned(),
            other => plain(other),
        }
    }

    fn file(&self) -> &str {
        self.sysctl_file.as_deref().unwrap_or("/etc/sysctl.conf")
    }

    fn rewrite(&self) -> Rewrite<'_> {
        Rewrite {
            missing: match self.state {
                State::Present => Missing::Create,
                State::Absent => Missing::Fine,
            },
            ..Rewrite::new(self.file())
        }
    }

    /// The value that the kernel has.
    fn live(&self) -> Ask {
        let thing = Thing::Object(format!("sysctl {}", self.name));
        Ask::new(["sysctl", "-n", &self.name]).reading([thing])
    }

    fn wanted_live(&self) -> Answered {
        Answered {
            status: 0,
            stdout: self.value(),
        }
    }

    /// Sets it; the program refuses a name or a value that the kernel does not take.
    fn set(&self) -> Step {
        let mut argv = vec!["sysctl".to_owned(), "-q".to_owned()];
        argv.extend(self.ignoreerrors.then(|| "-e".to_owned()));
        argv.extend(["-w".to_owned(), format!("{}={}", self.name, self.value())]);
        let step = Step::from(Run {
            explain: Some(explain),
            ..Run::new(argv)
        });
        if self.ignoreerrors {
            step.effect(Effect::unknown(self.live(), "what the kernel has then"))
        } else {
            step.effect(Effect::new(self.live(), self.wanted_live()))
        }
    }

    fn load(&self) -> Step {
        let mut argv = vec!["sysctl", "-q"];
        argv.extend(self.ignoreerrors.then_some("-e"));
        argv.extend(["-p", self.file()]);
        let step = Step::from(Run::new(argv));
        if self.ignoreerrors {
            step.effect(Effect::unknown(self.live(), "what the kernel has then"))
        } else {
            step.effect(Effect::new(self.live(), self.wanted_live()))
        }
    }

    /// The new text, and the values that the lines had.
    fn edit(&self, before: &[u8]) -> (Vec<u8>, Option<String>) {
        let wanted = self.value();
        let mut lines: Vec<Vec<u8>> = Vec::new();
        let (mut old, mut set) = (None, false);
        for line in before.split_inclusive(|byte| *byte == b'\n') {
            let text = String::from_utf8_lossy(line);
            let text = text.trim();
            let entry = text
                .split_once('=')
                .filter(|_| !text.starts_with(['#', ';']));
            // A `-` says that a failure is no matter.
            let mine = entry.filter(|(name, _)| name.trim().trim_start_matches('-') == self.name);
            let Some((_, value)) = mine else {
                lines.push(line.to_vec());
                continue;
            };
            // The last line counts; one is enough.
            old = Some(plain(value));
            if self.state == State::Absent || set {
                continue;
            }
            set = true;
            lines.push(if plain(value) == wanted {
                line.to_vec()
            } else {
                format!("{}={wanted}\n", self.name).into_bytes()
            });
        }
        if self.state == State::Present && !set {
            if let Some(last) = lines.last_mut()
                && !last.ends_with(b"\n")
            {
                last.push(b'\n');
            }
            lines.push(format!("{}={wanted}\n", self.name).into_bytes());
        }
        (lines.concat(), old)
    }
}

fn explain(done: &Done) -> Option<Refusal> {
    let said = String::from_utf8_lossy(&done.stderr);
    let (_, path) = said.split_once("cannot stat /proc/sys/")?;
    let (path, _) = path.split_once(": ")?;
    let what = format!("this kernel has no parameter `{}`", path.replace('/', "."));
    Some(Refusal::new(what).help(
        "is its name right, and is the module of the kernel loaded that has it? `ignoreerrors: true` goes on without it",
    ))
}

fn decide(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    if !paths::is_absolute(args.file()) {
        return Err(Stop::refused("`sysctl_file` is not absolute"));
    }
    let mut told = None;
    let looks = args.sysctl_set && args.state == State::Present;
    if looks {
        look.ask(&args.live());
    }
    let mut plan = args.rewrite().plan(look, |before| {
        let (after, old) = args.edit(before);
        if after == before {
            return Ok(None);
        }
        let wanted = (args.state == State::Present).then(|| args.value());
        told = Some(Change::new(args.name.as_str(), old, wanted));
        Ok(Some(after))
    })?;
    let written = plan
        .changes
        .iter()
        .position(|change| change.what == "content");
    let mut first = Vec::new();
    if looks {
        let live = look.get(&args.live())?;
        let has = plain(&live.stdout);
        if live.status == 127 {
            return Err(NotYet::new("the program `sysctl` (of the package `procps`)").into());
        }
        let fine = args.ignoreerrors && live.status != 0;
        if !fine && (live.status != 0 || has != args.value()) {
            let has = (live.status == 0).then_some(has);
            first.push(Change::new("kernel", has, args.value()).step(args.set()));
        }
    }
    if let Some(at) = written {
        if args.reload && args.state == State::Present {
            if first.is_empty() {
                // Before it is written: what the kernel does not take must not be in the file.
                plan.changes[at].steps.insert(0, args.set());
            }
            plan.changes[at].steps.push(args.load());
        }
        let behind = at + 1;
        plan.changes.splice(behind..behind, told);
    }
    plan.changes.splice(0..0, first);
    Ok(plan)
}
