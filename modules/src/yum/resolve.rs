//! The question what dnf would do: it resolves, and does nothing.

use std::collections::BTreeMap;

use evenkeel_engine::{NotYet, Probe, Thing, hex, sha256};

use super::probes::database;

/// What has dnf to be started for at all?
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unless {
    /// Not for packages that are all installed. Many such questions are one to dnf.
    Installed,
    /// Not for packages of which none is installed.
    Gone,
    /// Always; many such questions are one to dnf.
    Merged,
    /// Always, for each by itself.
    Never,
}

/// What dnf would do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Resolve {
    /// When it need not be asked.
    pub unless: Unless,
    /// The options of dnf (yum, where there is no dnf) and its verb.
    pub head: Vec<String>,
    /// What the verb is about.
    pub names: Vec<String>,
    /// Labels that `rpm -q` knows the same by; for [`Unless::Installed`] and [`Unless::Gone`].
    pub labels: Vec<String>,
}

/// What it said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Its exit status.
    pub status: i32,
    /// Whether other questions were asked together with this one.
    pub merged: bool,
    /// What it printed.
    pub text: String,
}

impl Said {
    /// There is nothing to do; how it says that does not matter.
    pub fn nothing() -> Self {
        Self {
            status: 0,
            merged: false,
            text: String::new(),
        }
    }
}

/// Words as `sh` reads them again.
fn quoted(words: &[String]) -> String {
    let quote = |word: &String| format!("'{}'", word.replace('\'', r"'\''"));
    let words: Vec<String> = words.iter().map(quote).collect();
    words.join(" ")
}

impl Resolve {
    fn token(&self) -> String {
        let text = format!("{:?}\0{:?}\0{:?}", self.unless, self.head, self.names);
        hex(&sha256(text.as_bytes())[..12])
    }
}

impl Probe for Resolve {
    const KIND: &'static str = "dnf_resolve";
    // Each question is five words: a token, when not to ask, dnf and its options, names, labels;
    // the last three are quoted, to be evaluated. Questions that may be one are asked as one; if
    // that fails, those that dnf names are asked apart, and the others once more as one.
    const SCRIPT: &'static str = r#"
(
set -f
ek_p=dnf
command -v dnf >/dev/null 2>&1 || ek_p=yum
ek_dnf() {
  ek_o=$(
    eval "LC_ALL=C timeout 120 $ek_p $1 $2" </dev/null 2>&1 |
      sed -e '/^Last metadata expiration check/d' -e '/B\/s *|/d' | head -c 65536
  )
  # The status of dnf itself: it is in what it says.
  case $ek_o in
  *'Operation aborted'*|*'Exiting on user'*) ek_s=1 ;;
  *'Nothing to do.'*Complete!*|*'No packages marked for removal'*|*'No Packages marked for removal'*) ek_s=0 ;;
  *'already locked by'*) ek_s=200 ;;
  '') ek_s=124 ;;
  *) ek_s=2 ;;
  esac
}
ek_all() { rpm -q -- "$@" >/dev/null 2>&1 </dev/null; }
ek_none() { for ek_x in "$@"; do ! rpm -q -- "$ek_x" >/dev/null 2>&1 </dev/null || return 1; done; }
ek_named() { for ek_x in "$@"; do case $ek_o in *"$ek_x"*) return 0 ;; esac; done; return 1; }
ek_tell() {
  case $ek_s in
  0) printf '%s\t0\t0\t\0' "$1" ;;
  *) printf '%s\t%s\t%s\t%s\0' "$1" "$ek_s" "$2" "$ek_o" ;;
  esac
}
ek_due() {
  case $2 in
  installed) ! eval "ek_all $5" ;;
  gone) ! eval "ek_none $5" ;;
  esac
}
# Those that may be one with the first of them.
ek_head= ek_names= ek_many=0
ek_gather() {
  while [ $# -gt 0 ]; do
    case $2 in installed|merged)
      if [ -z "$ek_head" ] || [ "$ek_head" = "$3" ]; then
        case " $ek_apart " in *" $1 "*) ;; *)
          if ek_due "$@"; then ek_head=$3 ek_names="$ek_names $4" ek_many=$((ek_many + 1)); fi ;;
        esac
      fi ;;
    esac
    shift 5
  done
}
ek_apart=
ek_gather "$@"
ek_one= ek_one_s=
if [ "$ek_many" -gt 1 ]; then
  ek_dnf "$ek_head" "$ek_names"
  if [ "$ek_s" = 2 ]; then
    ek_first=$ek_o
    ek_part() {
      while [ $# -gt 0 ]; do
        ek_o=$ek_first
        if eval "ek_named $4"; then ek_apart="$ek_apart $1"; fi
        shift 5
      done
    }
    ek_part "$@"
    ek_head= ek_names= ek_many=0
    ek_gather "$@"
    if [ "$ek_many" -gt 1 ]; then ek_dnf "$ek_head" "$ek_names"; else ek_s=2; fi
  fi
  [ "$ek_s" = 2 ] || { ek_one=$ek_o ek_one_s=$ek_s; }
fi
while [ $# -gt 0 ]; do
  if ! ek_due "$@"; then
    ek_o= ek_s=0
    ek_tell "$1" 0
  else
    ek_in=
    case $2 in installed|merged)
      case " $ek_apart " in *" $1 "*) ;; *) [ -z "$ek_one_s" ] || [ "$ek_head" != "$3" ] || ek_in=1 ;; esac ;;
    esac
    if [ -n "$ek_in" ]; then
      ek_o=$ek_one ek_s=$ek_one_s
      ek_tell "$1" 1
    else
      ek_dnf "$3" "$4"
      ek_tell "$1" 0
    fi
  fi
  shift 5
done
)"#;
    type Answer = Said;

    fn operands(&self) -> Vec<Vec<u8>> {
        let unless = match self.unless {
            Unless::Installed => "installed",
            Unless::Gone => "gone",
            Unless::Merged => "merged",
            Unless::Never => "never",
        };
        let words = [
            self.token(),
            unless.to_owned(),
            quoted(&self.head),
            quoted(&self.names),
            quoted(&self.labels),
        ];
        words.map(String::into_bytes).into()
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        let mut found = BTreeMap::new();
        for record in output.split(|byte| *byte == 0).filter(|r| !r.is_empty()) {
            let record = String::from_utf8_lossy(record);
            let mut fields = record.splitn(4, '\t');
            let mut next = || fields.next().ok_or_else(|| format!("`{record}`"));
            let (token, status, merged, text) = (next()?, next()?, next()?, next()?);
            let said = Said {
                status: status.parse().map_err(|_| format!("`{record}`"))?,
                merged: merged == "1",
                text: text.to_owned(),
            };
            found.insert(token.to_owned(), said);
        }
        let missing =
            |probe: &Self| NotYet(format!("what dnf makes of {}", probe.names.join(", ")));
        let answer = |probe: &&Self| {
            found
                .get(&probe.token())
                .cloned()
                .ok_or_else(|| missing(probe))
        };
        Ok(batch.iter().map(answer).collect())
    }

    fn expected(&self, answer: &Self::Answer) -> Option<Vec<u8>> {
        let Said {
            status,
            merged,
            text,
        } = answer;
        let merged = u8::from(*merged);
        Some(format!("{}\t{status}\t{merged}\t{text}\0", self.token()).into_bytes())
    }

    fn reads(&self) -> Vec<Thing> {
        let mut things = database();
        things.extend(["/etc/yum.repos.d", "/etc/dnf"].map(|dir| Thing::Tree(dir.to_owned())));
        let local = self.names.iter().filter(|name| name.starts_with('/'));
        things.extend(local.cloned().map(Thing::Path));
        things
    }
}
