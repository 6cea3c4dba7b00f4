//! Probes of Python environments: the interpreter, and what is installed.
//!
//! What is installed is read from the names of metadata directories. Neither pip nor Python is
//! started for a virtual environment.

use std::{collections::BTreeMap, str::FromStr as _};

use evenkeel_engine::{NotYet, Probe, Thing};
use pep440_rs::Version;
use pep508_rs::PackageName;

/// Where packages go.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Env {
    /// A virtual environment: its absolute path.
    Venv(String),
    /// What this interpreter finds.
    Python(String),
    /// What this pip works for.
    Pip(String),
}

impl Env {
    fn operand(&self) -> String {
        match self {
            Self::Venv(path) => format!("venv:{path}"),
            Self::Python(program) => format!("python:{program}"),
            Self::Pip(program) => format!("pip:{program}"),
        }
    }

    fn reads(&self) -> Vec<Thing> {
        match self {
            Self::Venv(path) => vec![Thing::Tree(path.clone())],
            // Where interpreters keep packages.
            Self::Python(_) | Self::Pip(_) => ["/usr", "/opt", "/home", "/root"]
                .map(|dir| Thing::Tree(dir.to_owned()))
                .into(),
        }
    }
}

/// Functions that both scripts need: `ek_pip_look ENV` prints the version, whether others manage
/// the environment, and its package directories, a line each.
macro_rules! look {
    ($script:literal) => {
        concat!(
            r#"
ek_pip_run() {
  timeout 30 "$1" -c 'import os, sys, sysconfig
print("%d.%d.%d" % sys.version_info[:3])
base = getattr(sys, "base_prefix", sys.prefix)
mark = os.path.join(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED")
print(int(sys.prefix == base and os.path.exists(mark)))
for path in sys.path:
    if path: print(path)' 2>/dev/null </dev/null
}
ek_pip_look() {
  case $1 in
  venv:*)
    ek_v=${1#venv:} ek_n= ek_s=
    [ -x "$ek_v/bin/python" ] || return 1
    if [ -r "$ek_v/pyvenv.cfg" ]; then
      while IFS= read -r ek_l || [ -n "$ek_l" ]; do
        case $ek_l in
          "version = "*|"version_info = "*) ek_n=${ek_l#*= } ;;
          "include-system-site-packages = true") ek_s=1 ;;
        esac
      done <"$ek_v/pyvenv.cfg"
    fi
    ek_m=${ek_n#*.} ek_m=${ek_n%%.*}.${ek_m%%.*}
    if [ -z "$ek_s" ] && [ -d "$ek_v/lib/python$ek_m/site-packages" ]; then
      printf '%s\n0\n%s\n' "$ek_n" "$ek_v/lib/python$ek_m/site-packages"
      [ -L "$ek_v/lib64" ] || [ ! -d "$ek_v/lib64/python$ek_m/site-packages" ] ||
        printf '%s\n' "$ek_v/lib64/python$ek_m/site-packages"
      return 0
    fi
    ek_pip_run "$ek_v/bin/python" ;;
  python:*) ek_pip_run "${1#python:}" ;;
  pip:*)
    ek_v=$(command -v -- "${1#pip:}") || return 1
    ek_l=
    IFS= read -r ek_l <"$ek_v"
    case $ek_l in
      '#!'*'env python'*) ek_pip_run "python${ek_l##*env python}" ;;
      '#!'*python*) ek_l=${ek_l#'#!'} ek_l=${ek_l# }; ek_pip_run "${ek_l%% *}" ;;
      *)
        ek_l=$(timeout 30 "$ek_v" --version 2>/dev/null </dev/null)
        case $ek_l in pip*' from '*/pip' (python '*) ;; *) return 1 ;; esac
        ek_n=${ek_l##* (python } ek_l=${ek_l#* from }
        printf '%s\n0\n%s\n' "${ek_n%)*}" "${ek_l%/pip (python *}" ;;
    esac ;;
  esac
}
"#,
            $script
        )
    };
}

/// The interpreter of an environment; nothing where there is none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interpreter(pub Env);

/// What [`Interpreter`] answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Python {
    /// Its version: `3.11.7`.
    pub version: String,
    /// Whether the distribution keeps it, so that pip refuses to change it.
    pub managed: bool,
    /// The machine: `x86_64`.
    pub machine: String,
}

impl Probe for Interpreter {
    const KIND: &'static str = "pip_python";
    const SCRIPT: &'static str = look!(
        r#"
for ek_e in "$@"; do
  ek_o=$(ek_pip_look "$ek_e") || continue
  ek_r=${ek_o#*
}
  printf '%s\0%s\0%s\0%s\0' "$ek_e" "${ek_o%%
*}" "${ek_r%%
*}" "$(uname -m)"
done"#
    );
    type Answer = Option<Python>;

    fn operands(&self) -> Vec<Vec<u8>> {
        vec![self.0.operand().into_bytes()]
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        let mut found = BTreeMap::new();
        for record in fields(output).chunks(4) {
            let [env, version, managed, machine] = record else {
                return Err(format!("{record:?}"));
            };
            let python = Python {
                version: version.clone(),
                managed: managed == "1",
                machine: machine.clone(),
            };
            found.insert(env.clone(), python);
        }
        Ok(batch
            .iter()
            .map(|p| Ok(found.get(&p.0.operand()).cloned()))
            .collect())
    }

    fn expected(&self, answer: &Self::Answer) -> Option<Vec<u8>> {
        let line = answer.as_ref().map(|python| {
            let Python {
                version,
                managed,
                machine,
            } = python;
            let managed = u8::from(*managed);
            format!("{}\0{version}\0{managed}\0{machine}\0", self.0.operand())
        });
        Some(line.unwrap_or_default().into_bytes())
    }

    fn reads(&self) -> Vec<Thing> {
        self.0.reads()
    }
}

/// Which version of a package an environment has; nothing if it has none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Installed {
    /// Where.
    pub env: Env,
    /// The package; its name is normalised.
    pub name: PackageName,
}

/// A version as metadata has it. `1.0` and `1.0.0` are equal.
#[derive(Clone, Debug)]
pub struct Release(pub String);

impl Release {
    /// As a version, if it is one.
    pub fn version(&self) -> Option<Version> {
        Version::from_str(&self.0).ok()
    }
}

impl PartialEq for Release {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
            || self
                .version()
                .is_some_and(|version| other.version() == Some(version))
    }
}

/// A pattern for metadata of a package: distributions spell names as they like.
fn pattern(name: &PackageName) -> String {
    name.as_ref()
        .chars()
        .map(|c| match c {
            '-' => "[-_.]".to_owned(),
            c if c.is_ascii_alphabetic() => format!("[{}{c}]", c.to_ascii_uppercase()),
            c => c.to_string(),
        })
        .collect()
}

impl Installed {
    fn named(&self) -> [String; 3] {
        [
            self.env.operand(),
            self.name.to_string(),
            pattern(&self.name),
        ]
    }
}

impl Probe for Installed {
    const KIND: &'static str = "pip_installed";
    const SCRIPT: &'static str = look!(
        r#"
ek_env= ek_ifs=$IFS
while [ $# -ge 3 ]; do
  if [ "$ek_env" != "$1" ]; then
    ek_env=$1
    ek_dirs=$(ek_pip_look "$1") || case $1 in venv:*) ek_dirs= ;; *) ek_dirs=! ;; esac
  fi
  [ "$ek_dirs" != ! ] || printf '%s\0%s\0!\0' "$1" "$2"
  IFS='
'
  set -f
  for ek_d in $ek_dirs; do
    set +f
    case $ek_d in /*) ;; *) continue ;; esac
    for ek_p in "$ek_d"/$3-*.dist-info "$ek_d"/$3-*.egg-info "$ek_d"/$3.egg-info; do
      ek_m=$ek_p/METADATA
      case $ek_p in *.egg-info) ek_m=$ek_p/PKG-INFO; [ -d "$ek_p" ] || ek_m=$ek_p ;; esac
      [ -f "$ek_m" ] || continue
      ek_b=${ek_p##*/} ek_b=${ek_b%.*-info} ek_b=${ek_b%-py[23]*}
      case ${ek_b%-*} in *-*) continue ;; esac
      ek_n=${ek_b##*-}
      case $ek_b in *-*) ;; *)
        while IFS= read -r ek_l && [ -n "$ek_l" ]; do
          case $ek_l in "Version: "*) ek_n=${ek_l#Version: } ;; esac
        done <"$ek_m" ;;
      esac
      printf '%s\0%s\0%s\0' "$1" "$2" "$ek_n"
      break 2
    done
  done
  set +f
  IFS=$ek_ifs
  shift 3
done"#
    );
    type Answer = Option<Release>;

    fn operands(&self) -> Vec<Vec<u8>> {
        self.named().map(String::into_bytes).into()
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        let mut found = BTreeMap::new();
        for record in fields(output).chunks(3) {
            let [env, name, version] = record else {
                return Err(format!("{record:?}"));
            };
            found.insert((env.clone(), name.clone()), version.clone());
        }
        let answer = |probe: &&Self| {
            let [env, name, _] = probe.named();
            match found.get(&(env, name)).map(String::as_str) {
                Some("!") => Err(NotYet(format!("the packages of {:?}", probe.env))),
                Some(version) => Ok(Some(Release(version.to_owned()))),
                None => Ok(None),
            }
        };
        Ok(batch.iter().map(answer).collect())
    }

    fn expected(&self, answer: &Self::Answer) -> Option<Vec<u8>> {
        let [env, name, _] = self.named();
        let line = answer
            .as_ref()
            .map(|release| format!("{env}\0{name}\0{}\0", release.0));
        Some(line.unwrap_or_default().into_bytes())
    }

    fn reads(&self) -> Vec<Thing> {
        self.env.reads()
    }
}

/// All that an environment has, so that what extras require is known without another question.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Distributions(pub Env);

impl Probe for Distributions {
    const KIND: &'static str = "pip_distributions";
    const SCRIPT: &'static str = look!(
        r#"
for ek_e in "$@"; do
  ek_dirs=$(ek_pip_look "$ek_e") || continue
  printf '%s\0' "$ek_e"
  ek_ifs=$IFS IFS='
'
  set -f
  for ek_d in $ek_dirs; do
    set +f
    case $ek_d in /*) ;; *) continue ;; esac
    for ek_p in "$ek_d"/*-*.dist-info; do
      [ -f "$ek_p/METADATA" ] || continue
      ek_b=${ek_p##*/}
      printf '%s\n' "${ek_b%.dist-info}"
    done
  done
  set +f
  IFS=$ek_ifs
  printf '\0'
done"#
    );
    /// Each as its metadata is named: `name-version`. Nothing where there is no such environment.
    type Answer = Option<Vec<String>>;

    fn operands(&self) -> Vec<Vec<u8>> {
        vec![self.0.operand().into_bytes()]
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        let mut found = BTreeMap::new();
        for record in fields(output).chunks(2) {
            let [env, lines] = record else {
                return Err(format!("{record:?}"));
            };
            let lines: Vec<_> = lines.lines().map(str::to_owned).collect();
            found.insert(env.clone(), lines);
        }
        Ok(batch
            .iter()
            .map(|probe| Ok(found.get(&probe.0.operand()).cloned()))
            .collect())
    }

    fn expected(&self, answer: &Self::Answer) -> Option<Vec<u8>> {
        let record = answer.as_ref().map(|names| {
            let lines: String = names
                .iter()
                .flat_map(|name| [name.as_str(), "\n"])
                .collect();
            format!("{}\0{lines}\0", self.0.operand())
        });
        Some(record.unwrap_or_default().into_bytes())
    }

    fn reads(&self) -> Vec<Thing> {
        self.0.reads()
    }
}

/// The version of a package among what an environment has.
pub(super) fn among(names: &[String], wanted: &PackageName) -> Option<Release> {
    names.iter().find_map(|entry| {
        let (name, version) = entry.rsplit_once('-')?;
        let name = PackageName::from_str(name).ok()?;
        (name == *wanted).then(|| Release(version.to_owned()))
    })
}

/// What the extras of an installed package require: its `Requires-Dist` lines that name an extra.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Extras(pub Installed);

impl Probe for Extras {
    const KIND: &'static str = "pip_extras";
    const SCRIPT: &'static str = look!(
        r#"
ek_env= ek_ifs=$IFS
while [ $# -ge 3 ]; do
  if [ "$ek_env" != "$1" ]; then ek_env=$1; ek_dirs=$(ek_pip_look "$1") || ek_dirs=; fi
  IFS='
'
  set -f
  for ek_d in $ek_dirs; do
    set +f
    case $ek_d in /*) ;; *) continue ;; esac
    for ek_m in "$ek_d"/$3-*.dist-info/METADATA; do
      [ -f "$ek_m" ] || continue
      ek_b=${ek_m%.dist-info/METADATA} ek_b=${ek_b##*/}
      case ${ek_b%-*} in *-*) continue ;; esac
      printf '%s\0%s\0' "$1" "$2"
      while IFS= read -r ek_l && [ -n "$ek_l" ]; do
        case $ek_l in "Requires-Dist: "*extra*) printf '%s\n' "${ek_l#Requires-Dist: }" ;; esac
      done <"$ek_m"
      printf '\0'
      break 2
    done
  done
  set +f
  IFS=$ek_ifs
  shift 3
done"#
    );
    type Answer = Option<Vec<String>>;

    fn operands(&self) -> Vec<Vec<u8>> {
        Probe::operands(&self.0)
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        let mut found = BTreeMap::new();
        for record in fields(output).chunks(3) {
            let [env, name, lines] = record else {
                return Err(format!("{record:?}"));
            };
            let lines: Vec<_> = lines.lines().map(str::to_owned).collect();
            found.insert((env.clone(), name.clone()), lines);
        }
        let answer = |probe: &&Self| {
            let [env, name, _] = probe.0.named();
            Ok(found.get(&(env, name)).cloned())
        };
        Ok(batch.iter().map(answer).collect())
    }

    fn expected(&self, answer: &Self::Answer) -> Option<Vec<u8>> {
        let [env, name, _] = self.0.named();
        let text = answer.as_ref().map(|lines| {
            let lines: Vec<u8> = lines
                .iter()
                .flat_map(|line| [line.as_bytes(), b"\n"].concat())
                .collect();
            [
                format!("{env}\0{name}\0").into_bytes(),
                lines,
                b"\0".to_vec(),
            ]
            .concat()
        });
        Some(text.unwrap_or_default())
    }

    fn reads(&self) -> Vec<Thing> {
        self.0.env.reads()
    }
}

fn fields(output: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(output);
    let text = text.strip_suffix('\0').unwrap_or(&text);
    match text {
        "" => Vec::new(),
        text => text.split('\0').map(str::to_owned).collect(),
    }
}

#[cfg(test)]
mod tests;
