//! What an interpreter says of itself.

use std::collections::BTreeMap;

use evenkeel_engine::{NotYet, Probe, Thing, hex, sha256};

/// What an interpreter is, and what it was built from. The interpreter itself is asked; nothing is written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Built {
    /// The interpreter.
    pub python: String,
    /// The file that a finished build left.
    pub stamp: String,
    /// What it is to import.
    pub modules: Vec<String>,
}

/// What [`Built`] answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interpreter {
    /// Its version; nothing if it does not answer.
    pub version: Option<String>,
    /// The version of its pip.
    pub pip: Option<String>,
    /// What it cannot import.
    pub missing: Vec<String>,
    /// What stands in the file of its build.
    pub stamp: Option<String>,
}

impl Built {
    fn token(&self) -> String {
        hex(&sha256(format!("{self:?}").as_bytes()))[..16].to_owned()
    }
}

impl Probe for Built {
    const KIND: &'static str = "compiled_python";
    const SCRIPT: &'static str = r#"
while [ $# -ge 4 ]; do
  printf '%s\0' "$1"
  ek_o=
  if [ -x "$2" ]; then
    # What it finds in its environment is not its own.
    ek_o=$(timeout 30 "$2" -I -B -c 'import sys
def version():
    try: import pip; return pip.__version__
    except Exception: return ""
def fails(name):
    try: __import__(name)
    except Exception: return True
print("%d.%d.%d" % sys.version_info[:3]); print(version()); print(" ".join(filter(fails, sys.argv[1].split())))' "$4" 2>/dev/null </dev/null)
  fi
  printf '%s\0' "$ek_o"
  [ ! -f "$3" ] || head -c 20000 -- "$3" | tr -d '\0'
  printf '\0'
  shift 4
done"#;
    type Answer = Interpreter;

    fn operands(&self) -> Vec<Vec<u8>> {
        [
            self.token(),
            self.python.clone(),
            self.stamp.clone(),
            self.modules.join(" "),
        ]
        .map(String::into_bytes)
        .into()
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        let text = String::from_utf8_lossy(output);
        let fields: Vec<&str> = text.split_terminator('\0').collect();
        let mut found = BTreeMap::new();
        for record in fields.chunks(3) {
            let [token, says, stamp] = record else {
                return Err(format!("{record:?}"));
            };
            let mut lines = says.lines();
            let mut line = || {
                lines
                    .next()
                    .filter(|line| !line.is_empty())
                    .map(str::to_owned)
            };
            let (version, pip, missing) = (line(), line(), line());
            let missing = missing
                .unwrap_or_default()
                .split_whitespace()
                .map(str::to_owned)
                .collect();
            let stamp = Some(stamp.trim_end().to_owned()).filter(|stamp| !stamp.is_empty());
            found.insert(
                *token,
                Interpreter {
                    version,
                    pip,
                    missing,
                    stamp,
                },
            );
        }
        let answer = |built: &&Self| {
            let none = || NotYet(format!("what `{}` says", built.python));
            found.get(built.token().as_str()).cloned().ok_or_else(none)
        };
        Ok(batch.iter().map(answer).collect())
    }

    fn expected(&self, answer: &Self::Answer) -> Option<Vec<u8>> {
        let Interpreter {
            version,
            pip,
            missing,
            stamp,
        } = answer;
        let says = version.as_ref().map(|version| {
            let pip = pip.as_deref().unwrap_or_default();
            // As the shell leaves it: without the line ends at the end.
            format!("{version}\n{pip}\n{}", missing.join(" "))
                .trim_end_matches('\n')
                .to_owned()
        });
        let stamp = stamp
            .as_ref()
            .map(|stamp| format!("{stamp}\n"))
            .unwrap_or_default();
        Some(format!("{}\0{}\0{stamp}\0", self.token(), says.unwrap_or_default()).into_bytes())
    }

    fn reads(&self) -> Vec<Thing> {
        vec![
            Thing::Path(self.python.clone()),
            Thing::Path(self.stamp.clone()),
        ]
    }
}
