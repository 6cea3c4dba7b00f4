//! Probes of systemd.

use std::collections::BTreeMap;

use evenkeel_engine::{NotYet, Probe, Thing};

/// A unit as its manager knows it. It reads no unit files: a file that changed makes the unit stale,
/// and what it wants is not what runs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unit {
    /// `system` or `user`.
    pub scope: &'static str,
    /// Its full name.
    pub name: String,
}

/// What [`Unit`] answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnitState {
    /// `loaded`, `not-found`, `masked`, `bad-setting`, `error` …
    pub load: String,
    /// Why it could not be loaded.
    pub error: String,
    /// `active`, `inactive`, `failed`, `activating` …; `auto-restart` between two attempts.
    pub active: String,
    /// `enabled`, `disabled`, `static`, `masked` …; empty if there is no file.
    pub enabled: String,
    /// Whether a file of it changed since systemd read it.
    pub stale: bool,
    /// Whether it ends by itself and is then inactive.
    pub passing: bool,
    /// Whether it is a script of System V.
    pub sysv: bool,
}

impl Unit {
    fn operand(&self) -> String {
        format!("{}:{}", self.scope, self.name)
    }
}

impl Probe for Unit {
    const KIND: &'static str = "systemd_unit";
    const SCRIPT: &'static str = r#"
command -v systemctl >/dev/null 2>&1 || return 0
ek_unit_say() {
  printf '%s:%s\0%s\0%s\0%s\0%s\0%s\0%s\0%s\0' "$ek_s" "$1" \
    "$ek_load" "$ek_err" "$ek_act" "$ek_file" "$ek_stale" "$ek_pass" "$ek_sysv"
}
ek_unit_clear() {
  ek_names= ek_load= ek_err= ek_act= ek_sub= ek_file= ek_stale= ek_type= ek_rem= ek_frag= ek_src= ek_sysv=0
}
# What is enabled by others, or by links of System V, is found there.
ek_unit_enabled() {
  case $ek_file/$ek_src in
    generated//etc/init.d/*)
      ek_sysv=1 ek_file=disabled
      for ek_l in /etc/rc[2345].d/S[0-9][0-9]"${ek_src##*/}"; do
        [ ! -e "$ek_l" ] || ek_file=enabled
      done ;;
    indirect/*)
      [ -r "$ek_frag" ] && ! grep -Eq '^(WantedBy|RequiredBy|UpheldBy|Alias)=.' "$ek_frag" || return 0
      for ek_l in $(sed -n 's/^Also=//p' "$ek_frag"); do
        systemctl "--$ek_s" -q is-enabled -- "$ek_l" 2>/dev/null </dev/null || return 0
        ek_file=enabled
      done ;;
  esac
}
ek_unit_tell() {
  [ "$ek_sub" != auto-restart ] && [ "$ek_sub" != auto-restart-queued ] || ek_act=auto-restart
  case $ek_type/$ek_rem in oneshot/no) ek_pass=1 ;; *) ek_pass=0 ;; esac
  ek_unit_enabled
  for ek_n in "$@"; do
    case " $ek_names " in *" $ek_n "*) ek_unit_say "$ek_n" ;; esac
  done
  ek_unit_clear
}
ek_unit_show() (
  ek_s=$1; shift
  [ "$ek_s" != user ] ||
    { XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-/run/user/$(id -u)}; export XDG_RUNTIME_DIR; }
  ek_unit_clear
  LC_ALL=C systemctl "--$ek_s" show -p Names,LoadState,LoadError,ActiveState,SubState \
    -p UnitFileState,NeedDaemonReload,Type,RemainAfterExit,FragmentPath,SourcePath \
    -- "$@" 2>/dev/null </dev/null | {
    while IFS= read -r ek_l; do
      case $ek_l in
        '') ek_unit_tell "$@" ;;
        Names=*) ek_names=${ek_l#*=} ;;
        LoadState=*) ek_load=${ek_l#*=} ;;
        LoadError=*) ek_err=${ek_l#*=} ;;
        ActiveState=*) ek_act=${ek_l#*=} ;;
        SubState=*) ek_sub=${ek_l#*=} ;;
        UnitFileState=*) ek_file=${ek_l#*=} ;;
        NeedDaemonReload=*) ek_stale=${ek_l#*=} ;;
        Type=*) ek_type=${ek_l#*=} ;;
        RemainAfterExit=*) ek_rem=${ek_l#*=} ;;
        FragmentPath=*) ek_frag=${ek_l#*=} ;;
        SourcePath=*) ek_src=${ek_l#*=} ;;
      esac
    done
    ek_unit_tell "$@"
  }
)
# Where no systemd runs, only links can be looked at.
ek_unit_offline() {
  ek_unit_clear
  ek_act=offline ek_stale=no ek_pass=0
  for ek_n in "$@"; do
    ek_file=$(LC_ALL=C systemctl --root=/ is-enabled -- "$ek_n" 2>/dev/null </dev/null)
    case $ek_file in
      '' | not-found) ek_load=not-found ek_file= ;;
      masked*) ek_load=masked ;;
      *) ek_load=loaded ;;
    esac
    ek_unit_say "$ek_n"
  done
}
for ek_s in system user; do
  ek_i=0 ek_list=
  for ek_n in "$@"; do
    ek_i=$((ek_i + 1))
    case $ek_n in "$ek_s:"*) ek_list="$ek_list \"\${$ek_i#*:}\"" ;; esac
  done
  [ -n "$ek_list" ] || continue
  if [ $ek_s = system ] && [ ! -d "${ek_booted:-/run/systemd/system}" ]; then
    eval "ek_unit_offline $ek_list"
  else
    eval "ek_unit_show $ek_s $ek_list"
  fi
done"#;
    type Answer = UnitState;

    fn operands(&self) -> Vec<Vec<u8>> {
        vec![self.operand().into_bytes()]
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        let text = String::from_utf8_lossy(output);
        let fields: Vec<&str> = text
            .strip_suffix('\0')
            .map_or(Vec::new(), |t| t.split('\0').collect());
        let mut found = BTreeMap::new();
        for record in fields.chunks(8) {
            let [unit, load, error, active, enabled, stale, passing, sysv] = record else {
                return Err(format!("{record:?}"));
            };
            let state = UnitState {
                load: (*load).to_owned(),
                error: (*error).to_owned(),
                active: (*active).to_owned(),
                enabled: (*enabled).to_owned(),
                stale: *stale == "yes",
                passing: *passing == "1",
                sysv: *sysv == "1",
            };
            found.insert((*unit).to_owned(), state);
        }
        let missing = |unit: &Self| {
            NotYet(match unit.scope {
                "user" => format!(
                    "the user's own systemd, running, for `{}` (`loginctl enable-linger USER` starts it with the machine)",
                    unit.name
                ),
                _ => format!("systemd, running, for `{}`", unit.name),
            })
        };
        Ok(batch
            .iter()
            .map(|u| found.get(&u.operand()).cloned().ok_or_else(|| missing(u)))
            .collect())
    }

    fn expected(&self, answer: &Self::Answer) -> Option<Vec<u8>> {
        let UnitState {
            load,
            error,
            active,
            enabled,
            stale,
            passing,
            sysv,
        } = answer;
        let stale = if *stale { "yes" } else { "no" };
        let (passing, sysv) = (u8::from(*passing), u8::from(*sysv));
        let unit = self.operand();
        Some(
            format!("{unit}\0{load}\0{error}\0{active}\0{enabled}\0{stale}\0{passing}\0{sysv}\0")
                .into_bytes(),
        )
    }

    fn reads(&self) -> Vec<Thing> {
        vec![Thing::Unit(self.name.clone())]
    }
}

/// The names of all units, to find one that was meant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnitNames {
    /// `system` or `user`.
    pub scope: &'static str,
}

impl Probe for UnitNames {
    const KIND: &'static str = "systemd_names";
    const SCRIPT: &'static str = r#"
command -v systemctl >/dev/null 2>&1 || return 0
for ek_s in "$@"; do
  ( [ "$ek_s" != user ] ||
      { XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-/run/user/$(id -u)}; export XDG_RUNTIME_DIR; }
    LC_ALL=C systemctl "--$ek_s" list-unit-files --no-legend --no-pager 2>/dev/null </dev/null |
      while read -r ek_n ek_x; do printf '%s %s\n' "$ek_s" "$ek_n"; done )
done"#;
    type Answer = Vec<String>;

    fn operands(&self) -> Vec<Vec<u8>> {
        vec![self.scope.as_bytes().to_vec()]
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        let text = String::from_utf8_lossy(output);
        let names = |probe: &&Self| {
            let lines = text.lines().filter_map(|line| line.split_once(' '));
            let mine = lines.filter(|(scope, _)| *scope == probe.scope);
            Ok(mine.map(|(_, name)| name.to_owned()).collect())
        };
        Ok(batch.iter().map(names).collect())
    }

    fn expected(&self, answer: &Self::Answer) -> Option<Vec<u8>> {
        let lines = answer.iter().map(|name| format!("{} {name}\n", self.scope));
        Some(lines.collect::<String>().into_bytes())
    }

    fn reads(&self) -> Vec<Thing> {
        Vec::new()
    }
}

/// Whether the files of any unit changed since systemd read them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AnyStale {
    /// `system` or `user`.
    pub scope: &'static str,
}

impl Probe for AnyStale {
    const KIND: &'static str = "systemd_stale";
    const SCRIPT: &'static str = r#"
command -v systemctl >/dev/null 2>&1 || return 0
for ek_s in "$@"; do
  ( [ "$ek_s" != user ] ||
      { XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-/run/user/$(id -u)}; export XDG_RUNTIME_DIR; }
    ek_o=$(LC_ALL=C systemctl "--$ek_s" show -p NeedDaemonReload '*' 2>/dev/null </dev/null)
    case $ek_o in
      *=yes*) printf '%s yes\n' "$ek_s" ;;
      *=no*) printf '%s no\n' "$ek_s" ;;
    esac )
done"#;
    type Answer = bool;

    fn operands(&self) -> Vec<Vec<u8>> {
        vec![self.scope.as_bytes().to_vec()]
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<bool, NotYet>>, String> {
        let text = String::from_utf8_lossy(output);
        let answer = |probe: &&Self| {
            let mine = text.lines().find_map(|line| line.strip_prefix(probe.scope));
            match mine {
                Some(" yes") => Ok(true),
                Some(" no") => Ok(false),
                _ => Err(NotYet("systemd, running".to_owned())),
            }
        };
        Ok(batch.iter().map(answer).collect())
    }

    fn expected(&self, answer: &bool) -> Option<Vec<u8>> {
        Some(format!("{} {}\n", self.scope, if *answer { "yes" } else { "no" }).into_bytes())
    }

    fn reads(&self) -> Vec<Thing> {
        ["/etc/systemd", "/usr/lib/systemd", "/run/systemd"]
            .map(|dir| Thing::Tree(dir.to_owned()))
            .into()
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _, process::Command};

    use super::*;

    /// What `systemctl show` prints, as systemd 252 does it: blocks, in an order of its own.
    const SHOWN: &str = "\
Type=notify
RemainAfterExit=no
Names=httpd.service apache.service
LoadState=loaded
ActiveState=active
SubState=running
UnitFileState=enabled
NeedDaemonReload=no

Type=simple
RemainAfterExit=no
Names=loop@1.service
LoadState=loaded
ActiveState=activating
SubState=auto-restart
UnitFileState=disabled
NeedDaemonReload=yes

Names=nosuch.service
LoadState=not-found
LoadError=org.freedesktop.systemd1.NoSuchUnit \"Unit nosuch.service not found.\"
ActiveState=inactive
SubState=dead
NeedDaemonReload=no

Type=oneshot
RemainAfterExit=no
Names=once.service
LoadState=loaded
ActiveState=inactive
SubState=dead
UnitFileState=static
NeedDaemonReload=no
";

    fn unit(scope: &'static str, name: &str) -> Unit {
        Unit {
            scope,
            name: name.to_owned(),
        }
    }

    /// Runs a script of a probe with a `systemctl` that prints this.
    fn ask<P: Probe>(shell: &str, shown: &str, probes: &[P]) -> Vec<u8> {
        let dir = tempfile::tempdir().unwrap();
        let fake = dir.path().join("systemctl");
        fs::write(dir.path().join("shown"), shown).unwrap();
        fs::write(
            &fake,
            "#!/bin/sh\n[ \"$1\" = --system ] || exit 1\ncat \"${0%/*}/shown\"\n",
        )
        .unwrap();
        fs::set_permissions(&fake, fs::Permissions::from_mode(0o755)).unwrap();
        let path = format!("{}:/usr/bin:/bin", dir.path().display());
        let operands = probes.iter().flat_map(P::operands);
        let out = Command::new(shell)
            .env("PATH", path)
            .env("ek_booted", dir.path())
            .args([
                "-uc",
                &format!("probe() {{ {}\n}}; probe \"$@\"", P::SCRIPT),
                "ek",
            ])
            .args(operands.map(|operand| String::from_utf8(operand).unwrap()))
            .output()
            .unwrap();
        assert!(
            out.stderr.is_empty(),
            "{shell}: {}",
            String::from_utf8_lossy(&out.stderr)
        );
        out.stdout
    }

    #[test]
    fn systemctl_is_read() {
        let names = [
            "apache.service",
            "loop@1.service",
            "nosuch.service",
            "once.service",
        ];
        let probes = names.map(|name| unit("system", name));
        for shell in ["dash", "bash"] {
            let out = ask(shell, SHOWN, &probes);
            let answers = Unit::parse(&probes.iter().collect::<Vec<_>>(), &out).unwrap();
            let answers: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
            let active: Vec<_> = answers.iter().map(|a| a.active.as_str()).collect();
            assert_eq!(
                active,
                ["active", "auto-restart", "inactive", "inactive"],
                "{shell}"
            );
            let enabled: Vec<_> = answers.iter().map(|a| a.enabled.as_str()).collect();
            assert_eq!(enabled, ["enabled", "disabled", "", "static"]);
            assert_eq!(
                answers.iter().map(|a| a.stale).collect::<Vec<_>>(),
                [false, true, false, false]
            );
            assert_eq!(
                answers.iter().map(|a| a.passing).collect::<Vec<_>>(),
                [false, false, false, true]
            );
            assert_eq!(answers[2].load, "not-found");
            assert!(
                answers[2]
                    .error
                    .ends_with("\"Unit nosuch.service not found.\"")
            );
            let said: Vec<u8> = probes
                .iter()
                .zip(&answers)
                .flat_map(|(p, a)| p.expected(a).unwrap())
                .collect();
            assert_eq!(said, out, "{shell}");
        }
    }

    #[test]
    fn without_a_manager_nothing_is_known() {
        let probes = [unit("user", "a.service")];
        for shell in ["dash", "bash"] {
            let out = ask(shell, SHOWN, &probes);
            assert!(Unit::parse(&[&probes[0]], &out).unwrap()[0].is_err());
            let any = AnyStale { scope: "system" };
            let parse = |out: &[u8]| AnyStale::parse(&[&any], out).unwrap().remove(0);
            assert_eq!(
                parse(&ask(
                    shell,
                    "NeedDaemonReload=no\n\nNeedDaemonReload=yes\n",
                    std::slice::from_ref(&any)
                )),
                Ok(true)
            );
            let out = ask(shell, "NeedDaemonReload=no\n\n", std::slice::from_ref(&any));
            assert_eq!(parse(&out), Ok(false));
            assert_eq!(any.expected(&false).unwrap(), out);
            assert!(parse(&ask(shell, "", std::slice::from_ref(&any))).is_err());
        }
    }
}
