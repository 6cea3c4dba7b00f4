//! Programs that go on after their task has ended: jobs, each with a record on its host.
//!
//! The record is a directory of whoever the task acts as, for nobody else to read: what the job was given on stdin until
//! it has begun, its process, what it prints, and its status once it has ended.

use evenkeel_engine::{Content, Done, Refusal, Run};
use serde::Serialize;

/// What a job is called of which nothing is left to be asked: it had ended when its task did.
pub const ENDED: &str = "ended";

/// Where the records are. `ANSIBLE_ASYNC_DIR` in the task's environment says otherwise, as in Ansible.
pub(super) const PLACE: &str = r"
ek_root=${ANSIBLE_ASYNC_DIR:-${XDG_STATE_HOME:-${HOME:-/}/.local/state}/evenkeel/jobs}
case $ek_root in '~/'*) ek_root=${HOME:-}/${ek_root#??} ;; esac
";

/// Makes the record, takes stdin into it, starts who watches the job, and says where the record is.
const LAUNCH: &str = r#"
ek_watch=$1 ek_seconds=$2
shift 2
ek_umask=$(umask)
umask 077
mkdir -p -- "$ek_root" && ek_d=$(mktemp -d "$ek_root/jXXXXXXXXXXXX") && cat >"$ek_d/i" || exit 125
umask "$ek_umask"
if command -v setsid >/dev/null 2>&1; then ek_apart=setsid; else ek_apart='timeout 0'; fi
$ek_apart sh -c "$ek_watch" sh "$ek_d" "$ek_seconds" "$@" </dev/null >/dev/null 2>&1 &
ek_naps=0
until [ -e "$ek_d/pid" ]; do
  if [ "$ek_naps" -ge 500 ]; then
    echo 'it did not begin within 10 s' >&2
    exit 125
  fi
  sleep 0.02
  ek_naps=$((ek_naps + 1))
done
printf '%s\n' "$ek_d"
"#;

/// Notes its process, runs the job, and leaves its status by rename.
const WATCH: &str = r#"
trap '' HUP
ek_d=$1 ek_seconds=$2
shift 2
ek_nth() { shift 19; ek_start=$1; }
IFS= read -r ek_stat </proc/$$/stat
ek_nth ${ek_stat##*) }
IFS= read -r ek_boot </proc/sys/kernel/random/boot_id
exec 3<"$ek_d/i"
rm -f -- "$ek_d/i"
printf '%s %s %s\n' "$ek_boot" "$$" "$ek_start" >"$ek_d/pid.new"
mv -f -- "$ek_d/pid.new" "$ek_d/pid" || exit
read -r ek_from ek_rest </proc/uptime
(trap - HUP; exec timeout -k 10 "$ek_seconds" "$@") <&3 3<&- >"$ek_d/o" 2>"$ek_d/e"
ek_status=$?
read -r ek_to ek_rest </proc/uptime
ek_hundredths=$((${ek_to%.*}${ek_to#*.} - ${ek_from%.*}${ek_from#*.}))
ek_up=0
case $ek_status in
  124 | 137) [ "$ek_hundredths" -lt $((ek_seconds * 100 - 2)) ] || ek_up=1 ;;
esac
printf '%s %s0 %s\n' "$ek_status" "$ek_hundredths" "$ek_up" >"$ek_d/status.new"
sync -- "$ek_d/status.new" 2>/dev/null
mv -f -- "$ek_d/status.new" "$ek_d/status"
"#;

/// How long it may take until a job has begun, in seconds.
const BEGIN: u64 = 60;

/// The program as a job that may take so many seconds: running it only begins it.
pub fn detached(run: Run, seconds: u64) -> Run {
    let launch = format!("{PLACE}{LAUNCH}");
    let words = ["sh", "-c", &launch, "sh", WATCH, &seconds.to_string()].map(str::to_owned);
    let mut argv = run.argv;
    argv.extend(run.joins.unwrap_or_default());
    Run {
        argv,
        under: words.into_iter().chain(run.under).collect(),
        joins: None,
        seconds: Some(BEGIN),
        limit: None,
        ok: vec![0],
        idle: None,
        long: false,
        away: None,
        explain: Some(|done| Some(not_begun(done))),
        ..run
    }
}

fn not_begun(_: &Done) -> Refusal {
    let help = "its record lies in `~/.local/state/evenkeel/jobs`: `ANSIBLE_ASYNC_DIR` in its `environment` names another \
                directory";
    Refusal::new("the job could not be begun").help(help)
}

/// What a task knows of the job that it began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Job {
    /// What it is called.
    pub ansible_job_id: String,
    /// Whether it has begun.
    pub started: bool,
    /// Whether it has ended.
    pub finished: bool,
    /// Where its record is on the host.
    pub results_file: String,
}

impl Job {
    /// One that was begun by [`detached`]; nothing if it was not.
    pub fn begun(done: &Done) -> Option<Self> {
        let said = String::from_utf8_lossy(&done.stdout);
        let path = said.trim_end_matches('\n');
        let (_, name) = path.rsplit_once('/')?;
        (done.status == 0 && !name.is_empty()).then(|| Self {
            ansible_job_id: name.to_owned(),
            started: true,
            finished: false,
            results_file: path.to_owned(),
        })
    }

    /// One that has ended with its task.
    pub fn ended() -> Self {
        Self {
            ansible_job_id: ENDED.to_owned(),
            started: true,
            finished: true,
            results_file: String::new(),
        }
    }
}

/// The record as it stands: a line with how the job stands, its status, how long it took and whether its time was up;
/// then what it has printed.
const LOOK: &str = r#"
ek_d=$ek_root/$1
[ -e "$ek_d/pid" ] || exit 5
[ "$2" = status ] || { rm -rf -- "$ek_d" && exit 3; exit 6; }
ek_nth() { shift 19; ek_now=$1; }
ek_stands=lost ek_now=
IFS=' ' read -r ek_boot ek_pid ek_start <"$ek_d/pid"
IFS= read -r ek_this </proc/sys/kernel/random/boot_id
if [ "$ek_boot" = "$ek_this" ] && IFS= read -r ek_stat 2>/dev/null </proc/"$ek_pid"/stat; then
  ek_stat=${ek_stat##*) }
  ek_nth $ek_stat
  # What was killed and not yet waited for runs no more.
  case $ek_stat in Z*) ek_now= ;; esac
  [ "$ek_now" != "$ek_start" ] || ek_stands=running
fi
if [ -e "$ek_d/status" ]; then
  read -r ek_status ek_millis ek_up <"$ek_d/status"
  printf 'ended %s %s %s\n' "$ek_status" "$ek_millis" "$ek_up"
  cat "$ek_d/o"
  cat "$ek_d/e" >&2
  [ "$ek_status" = 0 ] || exit 4
  exit 0
fi
printf '%s\n' "$ek_stands"
[ "$ek_stands" = lost ] || exit 3
exit 4
"#;

/// Statuses of the program that looks.
pub(super) mod status {
    /// It has ended well.
    pub(crate) const ENDED: i32 = 0;
    /// It goes on, or its record was removed.
    pub(crate) const GOES_ON: i32 = 3;
    /// It has failed.
    pub(crate) const FAILED: i32 = 4;
    /// There is no such job.
    pub(crate) const UNKNOWN: i32 = 5;
}

/// The program that looks at the record of a job, or removes it.
pub(super) fn look(id: &str, mode: &str) -> Run {
    let script = format!("{PLACE}{LOOK}");
    Run {
        stdin: Content::default(),
        ok: vec![status::ENDED, status::GOES_ON],
        idle: Some(status::GOES_ON),
        under: ["sh", "-c", &script].map(str::to_owned).into(),
        explain: Some(why),
        ..Run::new(["async_status", id, mode])
    }
}

fn why(done: &Done) -> Option<Refusal> {
    Some(match done.status {
        status::UNKNOWN => Refusal::new("could not find job").help(
            "its record is kept by whoever began it: ask as the same user, on the same host, with the same \
             `ANSIBLE_ASYNC_DIR`",
        ),
        status::FAILED => match Standing::of(done) {
            Some(Standing::Ended { up: true, .. }) => Refusal::new("the job did not end in its time (`async`)")
                .help("give it more time, or none (`async: 0`)"),
            Some(Standing::Ended { rc, .. }) => {
                Refusal::new(format!("the job failed with status {rc}"))
            }
            _ => Refusal::new("the job is gone without a status")
                .help("it was killed, or the host was started again: begin it anew"),
        },
        _ => return None,
    })
}

/// How a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It goes on.
    Running,
    /// It was killed, or the host was started again.
    Lost,
    /// It has ended.
    Ended {
        /// Its status.
        rc: i32,
        /// How long it took, in milliseconds.
        millis: u64,
        /// Whether its time was up.
        up: bool,
    },
}

impl Standing {
    /// From what the program that looks left behind.
    pub(super) fn of(done: &Done) -> Option<Self> {
        let line = done.stdout.split(|byte| *byte == b'\n').next()?;
        let line = String::from_utf8_lossy(line);
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["running"] => Some(Self::Running),
            ["lost"] => Some(Self::Lost),
            ["ended", rc, millis, up] => Some(Self::Ended {
                rc: rc.parse().ok()?,
                millis: millis.parse().ok()?,
                up: up == "1",
            }),
            _ => None,
        }
    }
}
