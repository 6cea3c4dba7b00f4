//! Starting a host again.

use evenkeel_engine::{
    Action, Cause, Change, Done, Effect, Module, NotYet, Past, Plan, Probe, Probes, Refusal, Run,
    Seen, Step, Stop, Thing, Touches, Value, probes::Whoami,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::look::Look;

/// The module `reboot`.
#[derive(Debug)]
pub struct Reboot;

/// Arguments of `reboot`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// How many seconds it may take to go down, and how many to come back; 600 if unset.
    #[serde(
        default,
        alias = "reboot_timeout_sec",
        skip_serializing_if = "Option::is_none"
    )]
    pub reboot_timeout: Option<u64>,
    /// How many seconds to wait before it goes down.
    #[serde(
        default,
        alias = "pre_reboot_delay_sec",
        skip_serializing_if = "Option::is_none"
    )]
    pub pre_reboot_delay: Option<u64>,
    /// How many seconds to wait when it is back.
    #[serde(
        default,
        alias = "post_reboot_delay_sec",
        skip_serializing_if = "Option::is_none"
    )]
    pub post_reboot_delay: Option<u64>,
    /// What has to succeed on it before it counts as back; run through `sh`, again and again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_command: Option<String>,
    /// What users that are logged in are told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub msg: Option<String>,
    /// What starts it again, run through `sh`; `shutdown -r now` if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reboot_command: Option<String>,
    /// Without effect: the kernel itself says that it is another boot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot_time_command: Option<String>,
    /// Without effect: see `--timeout`.
    #[serde(
        default,
        alias = "connect_timeout_sec",
        skip_serializing_if = "Option::is_none"
    )]
    pub connect_timeout: Option<u64>,
    /// Without effect: `shutdown` is looked for where it always is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub search_paths: Vec<String>,
}

/// What `register` gives.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Output {
    /// Whether it was started again.
    pub rebooted: bool,
}

/// Which boot a host is in, and in which one it was told to go down last, if that is still to be seen to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Boots;

/// An answer to [`Boots`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Boot {
    /// The kernel's id of this boot.
    pub now: String,
    /// The id of the boot that a task ended.
    pub ended: Option<String>,
    /// Whether evenkeel itself runs there.
    pub here: bool,
}

/// Whether it is another boot than the one with this id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Since(pub String);

/// Holds the id of the boot that is to end until the task knows that it did.
const MARK: &str = "/var/lib/.evenkeel-reboot";

fn thing() -> Thing {
    Thing::Object("boot".to_owned())
}

impl Probe for Boots {
    const KIND: &'static str = "boots";
    const SCRIPT: &'static str = r#"
IFS= read -r ek_b </proc/sys/kernel/random/boot_id
ek_m= ek_h=there ek_p=$$
if [ -f "$1" ]; then IFS= read -r ek_m <"$1" || :; fi
# Who runs this, and who runs that.
while [ "${ek_p:-0}" -gt 1 ] && [ -r "/proc/$ek_p/status" ]; do
  ek_c=
  while read -r ek_k ek_v; do
    case $ek_k in Name:) [ "$ek_v" != evenkeel ] || ek_h=here ;; PPid:) ek_c=$ek_v; break ;; esac
  done <"/proc/$ek_p/status"
  ek_p=$ek_c
done
printf '%s %s %s\n' "$ek_b" "$ek_h" "$ek_m""#;
    type Answer = Boot;

    fn operands(&self) -> Vec<Vec<u8>> {
        vec![MARK.into()]
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Boot, NotYet>>, String> {
        let text = String::from_utf8_lossy(output);
        let mut fields = text.trim_end_matches('\n').splitn(3, ' ');
        let (Some(now), Some(place), Some(ended)) = (fields.next(), fields.next(), fields.next())
        else {
            return Err(format!("`{text}`"));
        };
        let boot = Boot {
            here: place == "here",
            now: now.to_owned(),
            ended: (!ended.is_empty()).then(|| ended.to_owned()),
        };
        Ok(batch.iter().map(|_| Ok(boot.clone())).collect())
    }

    fn expected(&self, answer: &Boot) -> Option<Vec<u8>> {
        let ended = answer.ended.as_deref().unwrap_or_default();
        let place = if answer.here { "here" } else { "there" };
        Some(format!("{} {place} {ended}\n", answer.now).into_bytes())
    }

    fn reads(&self) -> Vec<Thing> {
        vec![thing(), Thing::Path(MARK.to_owned())]
    }
}

impl Probe for Since {
    const KIND: &'static str = "since";
    const SCRIPT: &'static str = r#"
IFS= read -r ek_b </proc/sys/kernel/random/boot_id
for ek_o in "$@"; do
  if [ "$ek_o" = "$ek_b" ]; then printf '%s same\n' "$ek_o"; else printf '%s other\n' "$ek_o"; fi
done"#;
    type Answer = bool;

    fn operands(&self) -> Vec<Vec<u8>> {
        vec![self.0.clone().into_bytes()]
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<bool, NotYet>>, String> {
        let text = String::from_utf8_lossy(output);
        let answer = |probe: &&Self| {
            let mut lines = text.lines().filter_map(|line| line.split_once(' '));
            let found = lines.find(|(id, _)| *id == probe.0);
            let none = || NotYet("which boot this is".to_owned());
            found.map(|(_, word)| word == "other").ok_or_else(none)
        };
        Ok(batch.iter().map(answer).collect())
    }

    fn expected(&self, answer: &bool) -> Option<Vec<u8>> {
        let word = if *answer { "other" } else { "same" };
        Some(format!("{} {word}\n", self.0).into_bytes())
    }

    fn reads(&self) -> Vec<Thing> {
        vec![thing()]
    }
}

/// Notes which boot is to end, and ends it; does nothing if it has ended. What is killed as the host goes down has
/// not failed.
const ORDER: &str = r#"
trap 'exit 0' HUP TERM
ek_old=$1 ek_mark=$2 ek_delay=$3 ek_msg=$4 ek_command=$5
PATH=$PATH:/usr/sbin:/sbin
ek_is() { IFS= read -r ek_now </proc/sys/kernel/random/boot_id && [ "$ek_now" = "$ek_old" ]; }
ek_is || exit 0
(umask 077 && printf '%s\n' "$ek_old" >"$ek_mark.new" && sync "$ek_mark.new" && mv -f "$ek_mark.new" "$ek_mark" && sync /var/lib) || exit 1
sleep "$ek_delay"
if [ -n "$ek_command" ]; then sh -c "$ek_command"
elif command -v shutdown >/dev/null 2>&1; then shutdown -r now "$ek_msg"
else reboot
fi || { ek_status=$?; [ "$ek_status" -gt 128 ] || { rm -f "$ek_mark"; exit "$ek_status"; }; }
"#;

/// Waits until it is of use, and forgets that it went down.
const BACK: &str = r#"
sleep "$2"
if [ -n "$3" ]; then until sh -c "$3" </dev/null >/dev/null 2>&1; do sleep 1; done; fi
rm -f -- "$1"
"#;

impl Args {
    fn timeout(&self) -> u64 {
        self.reboot_timeout.unwrap_or(600).max(1)
    }

    /// What is done when it is back.
    fn back(&self, boot: Boot) -> Step {
        let delay = self.post_reboot_delay.unwrap_or(0);
        let test = self.test_command.clone().unwrap_or_default();
        let run = Run {
            seconds: Some(self.timeout() + delay),
            explain: Some(late),
            ..Run::new(["sh", "-c", BACK, "reboot", MARK, &delay.to_string(), &test])
        };
        Step::from(run).effect(Effect::new(Boots, boot))
    }
}

impl Module for Reboot {
    const NAME: &'static str = "reboot";
    const ALIASES: &'static [&'static str] = &["ansible.builtin.reboot", "ansible.legacy.reboot"];
    const ABOUT: &'static str = "starts a host again, and waits until it is back";
    const EXAMPLE: &'static str = "\
- reboot:
    msg: a new kernel
    reboot_timeout: 900
";
    const CHANGED_WHEN: &'static str = "\
        Always: it acts. A run that was cut off while the host was down goes on when it is back, and does not start it \
        a second time.";
    const LIMITS: &'static str = "\
        It asks nobody whether a reboot is needed: that is for `when`. The machine that evenkeel itself runs on is \
        refused. With `--reconnect 0` nothing is waited for: the next run goes on.";
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        let texts = [&args.msg, &args.test_command, &args.reboot_command];
        if texts.into_iter().flatten().any(|text| text.contains('\0')) {
            return Err(Refusal::new("an argument holds a NUL"));
        }
        let blank =
            |text: &Option<String>| text.as_ref().is_some_and(|text| text.trim().is_empty());
        if blank(&args.test_command) || blank(&args.reboot_command) {
            return Err(Refusal::new("a command is empty"));
        }
        Ok(())
    }

    fn observe(args: &Args, seen: &Seen) -> Probes {
        Look::observe(seen, |look| decide(args, look))
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        decide(args, &Look::new(seen))
    }

    fn output(_: &Args, _: &Seen, _: &[Done]) -> Result<Output, Stop> {
        Ok(Output { rebooted: true })
    }

    fn touches(_: &Args) -> Touches {
        Touches::everything()
    }

    fn subject(_: &Args) -> String {
        String::new()
    }
}

fn decide(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    look.ask(&Whoami);
    let boot = look.get(&Boots)?;
    let change = Change::new("boot", Value::Null, "another one").because(Cause::Act);
    let cut_off = look.seen().past() == Past::Interrupted;
    if cut_off && boot.ended.as_ref().is_some_and(|old| *old != boot.now) {
        let now = Boot {
            ended: None,
            ..boot.clone()
        };
        return Ok(change.step(args.back(now)).into());
    }
    if boot.here {
        return Err(
            Refusal::new("evenkeel itself runs on this machine: it is not started again")
                .help("`when: inventory_hostname != …` leaves it out; start it again yourself")
                .into(),
        );
    }
    if look.get(&Whoami)?.account.uid != 0 {
        return Err(Refusal::new("only root may start a host again")
            .help("`become: true`")
            .into());
    }
    let delay = args.pre_reboot_delay.unwrap_or(0);
    let msg = args
        .msg
        .as_deref()
        .unwrap_or("Reboot initiated by evenkeel");
    let command = args.reboot_command.as_deref().unwrap_or_default();
    let order = Run {
        seconds: Some(delay + 120),
        away: Some(args.timeout()),
        ..Run::new([
            "sh",
            "-c",
            ORDER,
            "reboot",
            &boot.now,
            MARK,
            &delay.to_string(),
            msg,
            command,
        ])
    };
    let since = Since(boot.now.clone());
    let gone = Boot {
        ended: Some(boot.now.clone()),
        ..boot.clone()
    };
    let order = Step::from(order)
        .effect(Effect::new(Boots, gone))
        .effect(Effect::new(since.clone(), true));
    let down = Action::Settle {
        until: Effect::new(since, true),
        millis: args.timeout() * 1000,
    };
    let change = change.step(order).step(down);
    Ok(change
        .step(args.back(Boot {
            ended: None,
            ..boot.clone()
        }))
        .into())
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "what explains a failure may know nothing of it"
)]
fn late(_: &Done) -> Option<Refusal> {
    Some(
        Refusal::new("the host is back, but `test_command` does not succeed in time")
            .help("log in and see why; `reboot_timeout` gives it longer"),
    )
}
