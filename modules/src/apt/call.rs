//! How apt-get is called.

use evenkeel_engine::{Action, Run, Step};

use super::{Args, explain::explain, probes::STAMP, resolve::Resolve};

/// A transaction may take long; one that takes longer than this hangs.
const LIMIT: u64 = 2 * 3600;

/// How long it waits for another apt or dpkg.
const PATIENCE: u64 = 60;

/// Runs its arguments: before that lists are fetched if that is due, and archives that are
/// addresses; meanwhile, services do not start if that is asked for. The lock of the lists is waited
/// for here, since apt itself does not.
const UNDER: &str = r#"ek_update=$1 ek_policy=$2 ek_wait=$3; shift 3
ek_patient() {
  ek_end=$(($(date +%s) + ek_wait))
  while :; do
    ek_out=$("$@" 2>&1); ek_s=$?
    case $ek_out in
    *'Could not get lock'*) if [ "$(date +%s)" -lt "$ek_end" ]; then sleep 1; continue; fi ;;
    esac
    printf '%s\n' "$ek_out"
    return "$ek_s"
  done
}
ek_dir= ek_rc=/usr/sbin/policy-rc.d ek_ours=
ek_back() { if [ -e "$ek_rc.before" ]; then mv -f "$ek_rc.before" "$ek_rc"; else rm -f "$ek_rc"; fi; }
ek_clean() { [ -z "$ek_dir" ] || rm -rf "$ek_dir"; [ -z "$ek_ours" ] || ek_back; }
trap ek_clean EXIT
trap 'exit 143' TERM INT HUP
if [ -n "$ek_update" ]; then ek_patient apt-get $ek_update update >&2 || exit; fi
if [ -n "$ek_policy" ]; then
  # What an interrupted run has left is not what was there before.
  if grep -qs 'set by evenkeel' "$ek_rc"; then ek_back; fi
  [ ! -e "$ek_rc" ] || mv -f "$ek_rc" "$ek_rc.before" || exit
  ek_ours=1
  printf '#!/bin/sh\n# set by evenkeel while packages are installed\nexit %s\n' "$ek_policy" >"$ek_rc" &&
    chmod 755 "$ek_rc" || exit
fi
ek_many=$#
while [ "$ek_many" -gt 0 ]; do
  ek_word=$1; shift; ek_many=$((ek_many - 1))
  case $ek_word in
  http://*|https://*)
    [ -n "$ek_dir" ] || { ek_dir=$(mktemp -d) && chmod 755 "$ek_dir"; } || exit
    ek_file=${ek_word%%[?#]*}; ek_file=$ek_dir/${ek_file##*/}
    /usr/lib/apt/apt-helper download-file "$ek_word" "$ek_file" >&2 || exit
    ek_word=$ek_file ;;
  esac
  set -- "$@" "$ek_word"
done
case " $* " in
*' update '*)
  ek_lists=$(stat -c %y "${EK_LISTS-}" 2>/dev/null)
  ek_patient "$@" || exit
  [ -z "${EK_LISTS-}" ] || [ "$(stat -c %y "$EK_LISTS" 2>/dev/null)" != "$ek_lists" ] || exit 3 ;;
*) "$@" ;;
esac"#;

/// Where the lists are: what is fetched anew is put into this folder.
const LISTS: &str = "/var/lib/apt/lists";

/// The exit status of that where lists alone were asked for, and none came anew.
const NOTHING_NEW: i32 = 3;

/// Options that every call has.
fn common(args: &Args) -> Vec<String> {
    let mut words = Vec::new();
    if let Some(retries) = args.update_cache_retries {
        words.push(format!("-oAcquire::Retries={retries}"));
    }
    words
}

/// Options of a fetching of lists: what could not be fetched is an error, and what was is noted.
fn fetching(args: &Args) -> Vec<String> {
    let mut words = common(args);
    words.push("-oAPT::Update::Error-Mode=any".to_owned());
    if args.allow_unauthenticated {
        words.push("--allow-insecure-repositories".to_owned());
    }
    words
}

/// The command that notes when the lists were fetched.
fn note() -> String {
    format!("-oAPT::Update::Post-Invoke-Success::=touch${{IFS}}{STAMP}||:")
}

fn options(args: &Args) -> Vec<String> {
    let mut words = common(args);
    if let Some(recommends) = args.install_recommends {
        let word = if recommends { "true" } else { "false" };
        words.push(format!("-oAPT::Install-Recommends={word}"));
    }
    if let Some(release) = &args.default_release {
        words.push(format!("--target-release={release}"));
    }
    let flags = [
        (args.only_upgrade, "--only-upgrade"),
        (args.purge, "--purge"),
        (args.autoremove, "--auto-remove"),
        (args.fail_on_autoremove, "--no-remove"),
        (args.allow_downgrade || args.force, "--allow-downgrades"),
        (
            args.allow_change_held_packages || args.force,
            "--allow-change-held-packages",
        ),
        (
            args.allow_unauthenticated || args.force,
            "--allow-unauthenticated",
        ),
        (args.force, "--allow-remove-essential"),
    ];
    let on = flags.iter().filter(|(on, _)| *on);
    words.extend(on.map(|(_, flag)| (*flag).to_owned()));
    words
}

/// apt-get with the options of a task.
pub(super) struct Apt<'a> {
    pub(super) args: &'a Args,
    /// Whether the lists are fetched before.
    pub(super) update: bool,
}

impl Apt<'_> {
    /// A step that does it.
    pub(super) fn run(&self, verb: &[&str], names: Option<Vec<String>>) -> Step {
        let mut argv = vec!["apt-get".to_owned(), "-y".to_owned()];
        argv.extend(options(self.args));
        argv.push(format!("-oDPkg::Lock::Timeout={}", self.patience()));
        let forced = self
            .args
            .dpkg_options
            .iter()
            .filter(|word| !word.is_empty());
        argv.extend(forced.map(|word| format!("-oDpkg::Options::=--{word}")));
        argv.extend(verb.iter().map(|&word| word.to_owned()));
        self.step(argv, names)
    }

    /// The step that does nothing but fetch lists: there is no change if they are as they were.
    pub(super) fn fetch_alone(&self) -> Step {
        let mut step = self.fetch();
        if let Action::Run(run) = &mut step.action {
            run.env.push(("EK_LISTS".to_owned(), LISTS.into()));
            run.ok = vec![0, NOTHING_NEW];
            run.idle = Some(NOTHING_NEW);
        }
        step
    }

    /// The step that only fetches lists.
    pub(super) fn fetch(&self) -> Step {
        let mut argv = vec!["apt-get".to_owned()];
        argv.extend(fetching(self.args));
        argv.push(note());
        argv.push("update".to_owned());
        let alone = Apt {
            update: false,
            ..*self
        };
        alone.step(argv, None)
    }

    /// The step that sets up what dpkg has begun.
    pub(super) fn configure(&self) -> Step {
        let mut argv = vec!["dpkg".to_owned()];
        argv.extend(
            self.args
                .dpkg_options
                .iter()
                .map(|word| format!("--{word}")),
        );
        argv.extend(["--configure", "-a"].map(str::to_owned));
        let alone = Apt {
            update: false,
            ..*self
        };
        alone.step(argv, None)
    }

    fn patience(&self) -> u64 {
        self.args.lock_timeout.unwrap_or(PATIENCE)
    }

    fn step(&self, argv: Vec<String>, names: Option<Vec<String>>) -> Step {
        let update = if self.update {
            let mut words = fetching(self.args);
            words.push(note());
            words.join(" ")
        } else {
            String::new()
        };
        let policy = self
            .args
            .policy_rc_d
            .map_or(String::new(), |status| status.to_string());
        let under = ["sh", "-c", UNDER, "apt"].map(str::to_owned);
        let patience = self.patience();
        let env = [
            ("DEBIAN_FRONTEND", "noninteractive"),
            ("DEBIAN_PRIORITY", "critical"),
            ("APT_LISTCHANGES_FRONTEND", "none"),
            ("NEEDRESTART_MODE", "l"),
            ("LC_ALL", "C.UTF-8"),
        ];
        Step::from(Run {
            under: under
                .into_iter()
                .chain([update, policy, patience.to_string()])
                .collect(),
            joins: names,
            seconds: Some(LIMIT + patience),
            long: true,
            env: env
                .map(|(name, value)| (name.to_owned(), value.into()))
                .into(),
            explain: Some(explain),
            ..Run::new(argv)
        })
    }
}

/// The question what apt would do.
pub(super) fn would(args: &Args, verb: &[&str], names: &[String], joint: bool) -> Resolve {
    let mut head = options(args);
    // Whether they may be installed is judged by us, from what it says.
    head.retain(|word| word != "--no-remove");
    head.extend(verb.iter().map(|&word| word.to_owned()));
    Resolve {
        joint,
        head,
        names: names.to_vec(),
    }
}

/// The step that fetches lists, for a module that has changed the sources.
pub(crate) fn fetching_step(retries: Option<u32>) -> Step {
    let args = Args {
        update_cache_retries: retries,
        ..Args::default()
    };
    let apt = Apt {
        args: &args,
        update: false,
    };
    apt.fetch()
}

#[cfg(test)]
mod tests {
    use std::{os::unix::fs::PermissionsExt as _, path::Path, process::Command};

    use super::{NOTHING_NEW, UNDER};

    /// The status with which fetching lists ends where the program that fetches does this.
    fn status(folder: &Path, program: &str, alone: bool) -> i32 {
        let apt = folder.join("apt-get");
        std::fs::write(&apt, format!("#!/bin/sh\n{program}\n")).unwrap();
        std::fs::set_permissions(&apt, std::fs::Permissions::from_mode(0o755)).unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", UNDER, "apt", "", "", "0"]);
        command.arg(&apt).arg("update").env_remove("EK_LISTS");
        if alone {
            command.env("EK_LISTS", folder.join("lists"));
        }
        command.output().unwrap().status.code().unwrap()
    }

    #[test]
    fn lists_that_stay_as_they_are_are_no_change() {
        let temp = tempfile::tempdir().unwrap();
        let folder = temp.path();
        std::fs::create_dir(folder.join("lists")).unwrap();
        let new = format!(
            "touch -d '1 hour' {0}/lists; touch {0}/lists/new",
            folder.display()
        );
        assert_eq!(status(folder, "exit 0", true), NOTHING_NEW);
        assert_eq!(status(folder, &new, true), 0);
        assert_eq!(status(folder, "exit 100", true), 100);
        assert_eq!(status(folder, "exit 0", false), 0);
    }
}
