//! Answers to the questions that packages of Debian ask when they are installed.

use evenkeel_engine::{
    Change, Content, Done, Effect, Late, Module, NotYet, Plan, Probes, Refusal, Run, Secret, Seen,
    Step, Stop, Text, Thing, Touches, Value, hex,
    probes::{Answered, Ask},
    sha256,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{args::is_default, look::Look};

/// The module `debconf`.
#[derive(Debug)]
pub struct Debconf;

/// Arguments of `debconf`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The package that asks.
    #[serde(alias = "pkg")]
    pub name: String,
    /// The question, as `debconf-show PACKAGE` prints it: `tzdata/Areas`.
    #[serde(alias = "selection", alias = "setting")]
    pub question: String,
    /// Of what type the question is.
    pub vtype: Kind,
    /// The answer.
    #[serde(alias = "answer")]
    pub value: Late<Text>,
    /// The question may be asked all the same: it does not count as seen.
    #[serde(default, skip_serializing_if = "is_default")]
    pub unseen: bool,
}

/// Of what type a question is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// `true` or `false`.
    Boolean,
    /// An error that is told.
    Error,
    /// Several of a list, with `, ` between them.
    Multiselect,
    /// A note.
    Note,
    /// A password.
    Password,
    /// Not the answer: whether the question counts as seen.
    Seen,
    /// One of a list.
    Select,
    /// A line.
    String,
    /// Several lines, which are only shown.
    Text,
    /// A title.
    Title,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Error => "error",
            Self::Multiselect => "multiselect",
            Self::Note => "note",
            Self::Password => "password",
            Self::Seen => "seen",
            Self::Select => "select",
            Self::String => "string",
            Self::Text => "text",
            Self::Title => "title",
        }
    }
}

/// What `register` gives.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
pub struct Output {
    /// The package.
    pub name: String,
    /// The question.
    pub question: String,
}

/// Reads the database without locking it. A password, and whatever else is asked for so, comes as a checksum.
const SHOW: &str = r#"
use Debconf::Log; use Debconf::Db; use Debconf::Question;
Debconf::Db->load(readonly => "true");
my $q = Debconf::Question->get($ARGV[0]) or exit 10;
exit 10 unless grep { $_ eq $ARGV[1] } split(/, /, $q->owners);
if ($ARGV[2] eq "seen") { print $q->flag("seen"); exit 0 }
my $v = $q->value; $v = "" unless defined $v;
if ($ARGV[2] eq "sum") { open(my $p, "|-", "sha256sum") or exit 1; print $p "$ARGV[0]\0$v"; close $p; exit 0 }
print $v;
"#;

/// The status where a package has no such question.
const NONE: i32 = 10;

fn thing() -> Thing {
    Thing::Object("debconf".to_owned())
}

/// How a question is answered now: `value`, `sum` (its checksum) or `seen`.
pub fn now(package: &str, question: &str, what: &str) -> Ask {
    Ask::new(["perl", "-e", SHOW, question, package, what])
        .reading([thing(), Thing::Tree("/var/cache/debconf".to_owned())])
}

impl Args {
    fn text(&self) -> Result<String, Stop> {
        let text = String::from_utf8_lossy(self.value.get()?.bytes()).into_owned();
        Ok(match self.vtype {
            Kind::Boolean | Kind::Seen => match text.to_lowercase().as_str() {
                "yes" | "on" | "1" => "true".to_owned(),
                "no" | "off" | "0" => "false".to_owned(),
                other => other.to_owned(),
            },
            _ => text,
        })
    }

    fn hidden(&self) -> bool {
        self.vtype == Kind::Password || self.value.get().is_ok_and(Text::is_secret)
    }

    fn asked(&self) -> Ask {
        let what = match self.vtype {
            Kind::Seen => "seen",
            // Whether a value is a secret may not be known yet; what is asked must not depend on it.
            Kind::Password => "sum",
            _ if self.hidden() => "sum",
            _ => "value",
        };
        now(&self.name, &self.question, what)
    }

    fn wanted(&self) -> Result<Answered, Stop> {
        let text = self.text()?;
        let stdout = if self.hidden() && self.vtype != Kind::Seen {
            let sum = sha256(format!("{}\0{text}", self.question).as_bytes());
            format!("{}  -", hex(&sum))
        } else {
            text
        };
        Ok(Answered { status: 0, stdout })
    }
}

impl Module for Debconf {
    const NAME: &'static str = "debconf";
    const ALIASES: &'static [&'static str] = &["ansible.builtin.debconf", "ansible.legacy.debconf"];
    const ABOUT: &'static str = "answers questions of Debian packages before they are asked";
    const EXAMPLE: &'static str = "\
- debconf:
    name: tzdata
    question: tzdata/Areas
    vtype: select
    value: Etc
";
    const CHANGED_WHEN: &'static str =
        "The package has no such question, or it is answered otherwise.";
    const LIMITS: &'static str = "\
        It does not configure the package again: `command: dpkg-reconfigure -fnoninteractive PACKAGE` does. What the \
        answers of a package are: `command: debconf-show PACKAGE`. A password is told by its checksum only.";
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        for (what, text) in [("name", &args.name), ("question", &args.question)] {
            if text.is_empty() || text.starts_with('-') || text.contains(char::is_whitespace) {
                return Err(Refusal::new(format!(
                    "`{what}: {}` is no word",
                    text.escape_debug()
                )));
            }
        }
        let Ok(value) = args.value.get() else {
            return Ok(());
        };
        if value
            .bytes()
            .iter()
            .any(|byte| matches!(byte, b'\n' | b'\r' | 0))
        {
            return Err(Refusal::new("`value` is more than one line")
                .help("an answer is one line: several of a list are written `a, b`"));
        }
        let truth = matches!(args.vtype, Kind::Boolean | Kind::Seen);
        if truth && !value.is_secret() {
            let text = args.text().unwrap_or_default();
            if text != "true" && text != "false" {
                return Err(Refusal::new(format!(
                    "`{text}` is neither `true` nor `false`"
                )));
            }
        }
        Ok(())
    }

    fn observe(args: &Args, _: &Seen) -> Probes {
        vec![evenkeel_engine::ask(args.asked())]
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        decide(args, &Look::new(seen))
    }

    fn output(args: &Args, _: &Seen, _: &[Done]) -> Result<Output, Stop> {
        Ok(Output {
            name: args.name.clone(),
            question: args.question.clone(),
        })
    }

    fn touches(_: &Args) -> Touches {
        // A package that is installed after it must find the answer.
        Touches::everything()
    }

    fn subject(args: &Args) -> String {
        args.question.clone()
    }
}

fn decide(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    let asked = args.asked();
    let now = look.get(&asked)?;
    let wanted = args.wanted()?;
    if *now == wanted {
        return Ok(Plan::nothing());
    }
    if now.status != 0 && now.status != NONE {
        return Err(NotYet::new("what debconf knows (of Debian's package `debconf`)").into());
    }
    let line = |text: &str| {
        let kind = args.vtype.word();
        format!("{} {} {kind} {text}\n", args.name, args.question)
    };
    let text = args.text()?;
    let hidden = args.hidden();
    let stdin = if hidden {
        Content::Secret(Secret::new(line(&text)))
    } else {
        line(&text).into_bytes().into()
    };
    let mut argv = vec!["debconf-set-selections"];
    argv.extend(args.unseen.then_some("--unseen"));
    let run = Run {
        stdin,
        explain: Some(explain),
        ..Run::new(argv)
    };
    let told = |text: String| {
        if hidden {
            "(a secret)".to_owned()
        } else {
            text
        }
    };
    let before = match now.status {
        0 => Value::from(told(now.stdout.clone())),
        _ => Value::Null,
    };
    let step = Step::from(run).effect(Effect::new(asked, wanted));
    Ok(Change::new(args.question.as_str(), before, told(text))
        .step(step)
        .into())
}

fn explain(done: &Done) -> Option<Refusal> {
    let said = String::from_utf8_lossy(&done.stderr);
    if said.contains("is locked by another process") {
        return Some(Refusal::new("another program has debconf's database open")
            .help("apt or dpkg is at work there: run again when it has ended, or kill what asks a question nobody answers"));
    }
    (said.contains("ermission denied")
        || said.contains("run as root")
        || said.contains("not writable"))
    .then(|| Refusal::new("only root may answer for packages").help("`become: true`"))
}
