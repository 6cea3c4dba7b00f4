//! What modules of users and groups know of a host: entries, numbers that are taken, and what its
//! programs do where nothing is said.

mod defaults;
mod local;
mod numbers;

use std::collections::BTreeMap;

use evenkeel_engine::{NotYet, Probe, Secret, Thing};

pub(crate) use defaults::Defaults;
pub use local::LocalGroup;
pub(crate) use numbers::next as numbers_next;
pub use numbers::{Numbers, Taken};

/// All that the host's databases say of a user, by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Login {
    /// The name.
    pub name: String,
    /// Only in `/etc/passwd` and its kin, not in a directory.
    pub local: bool,
}

/// An entry of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Number.
    pub uid: u32,
    /// Number of the primary group.
    pub gid: u32,
    /// Comment (GECOS).
    pub comment: String,
    /// Home directory.
    pub home: String,
    /// Login shell.
    pub shell: String,
    /// What only root may know.
    pub shadow: Shadow,
    /// Names of the groups that list it, in the order of their database.
    pub groups: Vec<String>,
}

/// What the shadow database says of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shadow {
    /// Who looks may not read it.
    Hidden,
    /// It says nothing.
    Missing,
    /// It has an entry.
    Known(Ageing),
}

/// An entry of the shadow database, without the day of the last change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ageing {
    /// The password, encrypted; `!` in front: locked.
    pub password: Secret,
    /// Days between changes of the password, at least.
    pub min: Option<i64>,
    /// Days after which it must be changed.
    pub max: Option<i64>,
    /// Days of warning before that.
    pub warn: Option<i64>,
    /// Days after that until the account is closed.
    pub inactive: Option<i64>,
    /// The day since 1970 on which the account is closed.
    pub expires: Option<i64>,
}

impl Ageing {
    /// Of a new user.
    pub(crate) fn new(password: &str) -> Self {
        Self {
            password: Secret::new(password),
            min: None,
            max: None,
            warn: None,
            inactive: None,
            expires: None,
        }
    }

    /// Whether nobody gets in by password.
    pub(crate) fn locked(&self) -> bool {
        self.password.reveal().starts_with(b"!")
    }

    fn parse(text: &str) -> Option<Self> {
        let fields: Vec<&str> = text.split(':').collect();
        let [password, min, max, warn, inactive, expires] = fields[..] else {
            return None;
        };
        // Negative numbers mean the same as nothing.
        let days = |text: &str| text.parse().ok().filter(|days| *days >= 0);
        Some(Self {
            password: Secret::new(password),
            min: days(min),
            max: days(max),
            warn: days(warn),
            inactive: days(inactive),
            expires: days(expires),
        })
    }

    fn bytes(&self) -> Vec<u8> {
        let mut all = self.password.reveal().to_vec();
        for days in [self.min, self.max, self.warn, self.inactive, self.expires] {
            all.push(b':');
            all.extend(
                days.map(|days| days.to_string())
                    .unwrap_or_default()
                    .bytes(),
            );
        }
        all
    }
}

impl Login {
    fn scope(&self) -> &'static str {
        if self.local { "local" } else { "all" }
    }
}

/// Both databases are read once for all users; `local` and `all` among the names do no harm, as
/// lines are found by name.
const LOGIN: &str = r#"(
ek_nl='
'
ek_lp=$(cat /etc/passwd 2>/dev/null) ek_lg=$(cat /etc/group 2>/dev/null) ek_ls='?'
[ -r /etc/shadow ] && ek_ls=$(cat /etc/shadow 2>/dev/null)
ek_ap=$ek_lp ek_ag=$ek_lg ek_as=$ek_ls
# What begins with a dash is nobody's name, but would be an option.
ek_entries() {
  ek_d=$1
  shift
  for ek_n in "$@"; do
    shift
    case $ek_n in -*) ;; *) set -- "$@" "$ek_n" ;; esac
  done
  timeout 60 getent "$ek_d" "$@" 2>/dev/null </dev/null
}
if command -v getent >/dev/null 2>&1; then
  ek_ap=$(ek_entries passwd "$@")
  ek_ag=$(timeout 60 getent group 2>/dev/null </dev/null)
  [ "$ek_as" = '?' ] || ek_as=$(ek_entries shadow "$@")
fi
ek_line() {
  case "$ek_nl$2" in
    *"$ek_nl$1:"*) ek_l="$ek_nl$2"; ek_l=${ek_l#*"$ek_nl$1:"}; ek_l=${ek_l%%"$ek_nl"*} ;;
    *) return 1 ;;
  esac
}
ek_days() {
  case $1 in -*) ek_d= ;; *) ek_d=$1 ;; esac
}
set -f
while [ $# -gt 1 ]; do
  ek_c=$1 ek_n=$2
  shift 2
  if [ "$ek_c" = local ]; then ek_p=$ek_lp ek_g=$ek_lg ek_s=$ek_ls; else ek_p=$ek_ap ek_g=$ek_ag ek_s=$ek_as; fi
  ek_line "$ek_n" "$ek_p" || continue
  printf '%s|%s\n%s\n' "$ek_c" "$ek_n" "${ek_l#*:}"
  if [ "$ek_s" = '?' ]; then
    printf '?\n'
  elif ek_line "$ek_n" "$ek_s"; then
    ek_w=${ek_l%%:*}
    # Distributions differ in how they say that there is no password yet.
    [ "$ek_w" = '!!' ] && ek_w='!'
    printf '=%s' "$ek_w"
    ek_r=${ek_l#*:}:::::::
    ek_r=${ek_r#*:}
    for ek_i in 1 2 3 4 5; do
      ek_days "${ek_r%%:*}"
      printf ':%s' "$ek_d"
      ek_r=${ek_r#*:}
    done
    printf '\n'
  else
    printf '\n'
  fi
  ek_k=
  IFS=$ek_nl
  for ek_l in $ek_g; do
    case ",${ek_l##*:}," in *",$ek_n,"*) ek_k="$ek_k,${ek_l%%:*}" ;; esac
  done
  unset IFS
  printf '%s\0' "${ek_k#,}"
done
)"#;

impl Probe for Login {
    const KIND: &'static str = "login";
    const SCRIPT: &'static str = LOGIN;
    type Answer = Option<Entry>;

    fn operands(&self) -> Vec<Vec<u8>> {
        vec![self.scope().into(), self.name.clone().into_bytes()]
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        let text = String::from_utf8_lossy(output);
        let mut found = BTreeMap::new();
        for record in text.split('\0').filter(|record| !record.is_empty()) {
            let (who, entry) =
                record_of(record).ok_or_else(|| "a record is not complete".to_owned())?;
            found.insert(who, entry);
        }
        let answer = |login: &&Self| {
            Ok(found
                .get(&format!("{}|{}", login.scope(), login.name))
                .cloned())
        };
        Ok(batch.iter().map(answer).collect())
    }

    fn expected(&self, answer: &Self::Answer) -> Option<Vec<u8>> {
        let Some(entry) = answer else {
            return Some(Vec::new());
        };
        let Entry {
            uid,
            gid,
            comment,
            home,
            shell,
            shadow,
            groups,
        } = entry;
        let head = format!(
            "{}|{}\n{uid}:{gid}:{comment}:{home}:{shell}\n",
            self.scope(),
            self.name
        );
        let mut all = head.into_bytes();
        match shadow {
            Shadow::Hidden => all.push(b'?'),
            Shadow::Missing => {}
            Shadow::Known(ageing) => {
                all.push(b'=');
                all.extend(ageing.bytes());
            }
        }
        all.push(b'\n');
        all.extend(groups.join(",").bytes());
        all.push(0);
        Some(all)
    }

    fn reads(&self) -> Vec<Thing> {
        vec![Thing::User(self.name.clone())]
    }
}

fn record_of(record: &str) -> Option<(String, Entry)> {
    let mut lines = record.split('\n');
    let who = lines.next()?.to_owned();
    let mut fields = lines.next()?.splitn(5, ':');
    let (uid, gid) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    let mut text = || fields.next().map(str::to_owned);
    let (comment, home, shell) = (text()?, text()?, text()?);
    let shadow = match lines.next()? {
        "" => Shadow::Missing,
        "?" => Shadow::Hidden,
        line => Shadow::Known(Ageing::parse(line.strip_prefix('=')?)?),
    };
    let groups = lines.next()?.split(',').filter(|group| !group.is_empty());
    let groups = groups.map(str::to_owned).collect();
    Some((
        who,
        Entry {
            uid,
            gid,
            comment,
            home,
            shell,
            shadow,
            groups,
        },
    ))
}

/// The files in which users and groups stand, with what the programs keep beside them.
pub(crate) fn databases() -> Vec<Thing> {
    let mut all = vec![Thing::Path("/etc/.pwd.lock".to_owned())];
    for name in ["passwd", "shadow", "group", "gshadow", "subuid", "subgid"] {
        for end in ["", "-", "+", ".lock"] {
            all.push(Thing::Path(format!("/etc/{name}{end}")));
        }
    }
    all
}

/// Whether a program is there, or what is missing.
pub(crate) fn program(look: &crate::look::Look<'_>, name: &str) -> Result<(), NotYet> {
    match look.get(&evenkeel_engine::probes::Which(name.to_owned()))? {
        Some(_) => Ok(()),
        None => Err(NotYet(format!(
            "the program `{name}` (of the package `passwd` or `shadow-utils`, BusyBox has others)"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(name: &str, local: bool) -> Login {
        Login {
            name: name.to_owned(),
            local,
        }
    }

    #[test]
    fn what_is_read_is_what_is_expected() {
        let probes = [
            login("app", false),
            login("gone", false),
            login("app", true),
            login("x", true),
        ];
        let output = b"all|app\n1000:1001:The App,,,:/srv/app:/bin/sh\n=$6$a$b:0:99999:7::19000\nwheel,web\0\
            local|app\n1:1:::\n?\n\0local|x\n1:1::/:/bin/sh\n\n\0";
        let answers = Login::parse(&probes.iter().collect::<Vec<_>>(), output).unwrap();
        let app = answers[0].as_ref().unwrap().as_ref().unwrap();
        assert_eq!(
            (app.uid, app.gid, app.home.as_str()),
            (1000, 1001, "/srv/app")
        );
        assert_eq!(app.groups, ["wheel", "web"]);
        let Shadow::Known(ageing) = &app.shadow else {
            panic!("{app:?}")
        };
        assert_eq!(
            (ageing.min, ageing.inactive, ageing.expires),
            (Some(0), None, Some(19000))
        );
        assert!(!format!("{app:?}").contains("$6$"));
        assert_eq!(answers[1], Ok(None));
        let said: Vec<u8> = probes
            .iter()
            .zip(&answers)
            .flat_map(|(probe, answer)| probe.expected(answer.as_ref().unwrap()).unwrap())
            .collect();
        assert_eq!(said, output);
        assert!(Login::parse(&[&probes[0]], b"what?").is_err());
    }

    /// Against the databases of this machine.
    #[test]
    fn the_script_reads_this_machine() {
        for shell in ["dash", "bash"] {
            let script = format!("f() {{ {LOGIN}\n}}\nf \"$@\"");
            let args = [
                "all",
                "root",
                "local",
                "root",
                "all",
                "no-such-user",
                "local",
                "daemon",
            ];
            let ran = std::process::Command::new(shell)
                .arg("-c")
                .arg(script)
                .arg(shell)
                .args(args)
                .output();
            let Ok(ran) = ran else { continue };
            let probes = [
                login("root", false),
                login("root", true),
                login("no-such-user", false),
                login("daemon", true),
            ];
            let answers = Login::parse(&probes.iter().collect::<Vec<_>>(), &ran.stdout).unwrap();
            assert_eq!(
                answers[0].as_ref().unwrap().as_ref().unwrap().uid,
                0,
                "{shell}"
            );
            assert_eq!(answers[0], answers[1], "{shell}");
            assert_eq!(answers[2], Ok(None), "{shell}");
            let said: Vec<u8> = probes
                .iter()
                .zip(&answers)
                .flat_map(|(probe, answer)| probe.expected(answer.as_ref().unwrap()).unwrap())
                .collect();
            assert_eq!(
                String::from_utf8_lossy(&said),
                String::from_utf8_lossy(&ran.stdout),
                "{shell}"
            );
        }
    }
}
