//! The question what apt would do: it resolves, and does nothing.

use std::collections::BTreeMap;

use evenkeel_engine::{NotYet, Probe, Thing, hex, sha256};

use super::probes::database;

/// What apt would do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Resolve {
    /// Whether many such questions may be one to apt.
    pub joint: bool,
    /// The options of apt-get and its verb.
    pub head: Vec<String>,
    /// What the verb is about.
    pub names: Vec<String>,
}

/// What it said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Its exit status.
    pub status: i32,
    /// Whether this question tells what nobody has named, if others were asked together with it.
    pub teller: bool,
    /// All that was asked about, if that is more than this question.
    pub others: Vec<String>,
    /// What it printed.
    pub text: String,
}

impl Said {
    /// There is nothing to do; how it says that does not matter.
    pub fn nothing() -> Self {
        Self::new(0, "")
    }

    /// Said to one question.
    pub fn new(status: i32, text: impl Into<String>) -> Self {
        Self {
            status,
            teller: true,
            others: Vec::new(),
            text: text.into(),
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
        let text = format!("{}\0{:?}\0{:?}", self.joint, self.head, self.names);
        hex(&sha256(text.as_bytes())[..12])
    }
}

impl Probe for Resolve {
    const KIND: &'static str = "apt_resolve";
    // Each question is four words: a token, whether it may be asked with others, the options and the
    // names; the last two are quoted, to be evaluated. Questions that may be one are asked as one; if
    // that fails, those that apt names are asked apart, and the others once more as one. Of names
    // that there are not, those that are like them are told.
    const SCRIPT: &'static str = r#"
if ! command -v apt-get >/dev/null 2>&1; then printf '!apt\0'; return 0; fi
(
set -f
ek_near() {
  for ek_u in $(printf '%s\n' "$ek_o" | sed -n 's/^E: Unable to locate package //p' | head -n 3); do
    ek_b=$(printf '%.2s' "$ek_u")
    LC_ALL=C apt-cache pkgnames "$ek_b" 2>/dev/null </dev/null | head -n 4000 |
      awk -v l="${#ek_u}" '{ d = length($0) - l; if (d < 3 && d > -3) print "!near " $0 }' | head -n 300
  done
  set +f
  for ek_x in /var/lib/apt/lists/*_InRelease /var/lib/apt/lists/*_Release /var/lib/apt/lists/*_Packages*; do
    if [ -e "$ek_x" ]; then set -f; return; fi
  done
  set -f
  echo '!never'
}
ek_apt() {
  ek_o=$(eval "LC_ALL=C DEBIAN_FRONTEND=noninteractive timeout 120 apt-get -s -q -y $1 -- $2" </dev/null 2>&1; printf '\n!%s' "$?")
  ek_s=${ek_o##*!}
  ek_o=${ek_o%!*}
  if [ "$ek_s" = 0 ]; then
    ek_o=$(printf '%s\n' "$ek_o" | grep -E '^(Inst|Remv|Purg|Conf|Del) ' | head -c 400000)
  else
    ek_o=$(printf '%s\n' "$ek_o" | head -c 60000; ek_near)
  fi
}
ek_named() { for ek_x in "$@"; do case $ek_o in *"${ek_x%%[=:/]*}"*) return 0 ;; esac; done; return 1; }
# Those that may be one with the first of them.
ek_gather() {
  ek_head= ek_names= ek_many=0
  while [ $# -gt 0 ]; do
    if [ "$2" = joint ] && { [ -z "$ek_head" ] || [ "$ek_head" = "$3" ]; }; then
      case " $ek_apart " in *" $1 "*) ;; *) ek_head=$3 ek_names="$ek_names $4" ek_many=$((ek_many + 1)) ;; esac
    fi
    shift 4
  done
}
ek_part() {
  ek_first=$ek_o
  while [ $# -gt 0 ]; do
    ek_o=$ek_first
    if eval "ek_named $4"; then ek_apart="$ek_apart $1"; fi
    shift 4
  done
}
ek_apart= ek_one_s=
ek_gather "$@"
if [ "$ek_many" -gt 1 ]; then
  ek_apt "$ek_head" "$ek_names"
  if [ "$ek_s" != 0 ]; then
    ek_part "$@"
    ek_gather "$@"
    if [ "$ek_many" -gt 1 ]; then ek_apt "$ek_head" "$ek_names"; else ek_s=1; fi
  fi
  if [ "$ek_s" = 0 ]; then ek_one=$ek_o ek_one_s=0; fi
fi
ek_teller=1
while [ $# -gt 0 ]; do
  ek_in=
  if [ -n "$ek_one_s" ] && [ "$2" = joint ] && [ "$3" = "$ek_head" ]; then
    case " $ek_apart " in *" $1 "*) ;; *) ek_in=1 ;; esac
  fi
  if [ -n "$ek_in" ]; then
    printf '%s\t0\t%s\t%s\t%s\0' "$1" "$ek_teller" "$(eval "printf '%s ' $ek_names")" "$ek_one"
    ek_teller=0
  else
    ek_apt "$3" "$4"
    printf '%s\t%s\t1\t\t%s\0' "$1" "$ek_s" "$ek_o"
  fi
  shift 4
done
)"#;
    type Answer = Said;

    fn operands(&self) -> Vec<Vec<u8>> {
        let joint = if self.joint { "joint" } else { "alone" };
        let words = [
            self.token(),
            joint.to_owned(),
            quoted(&self.head),
            quoted(&self.names),
        ];
        words.map(String::into_bytes).into()
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        let mut found = BTreeMap::new();
        for record in output
            .split(|byte| *byte == 0)
            .filter(|record| !record.is_empty())
        {
            let record = String::from_utf8_lossy(record);
            if record == "!apt" {
                let without = || NotYet("`apt-get` (it belongs to Debian's systems)".to_owned());
                return Ok(batch.iter().map(|_| Err(without())).collect());
            }
            let mut fields = record.splitn(5, '\t');
            let mut next = || fields.next().ok_or_else(|| format!("`{record}`"));
            let (token, status, teller, others, text) =
                (next()?, next()?, next()?, next()?, next()?);
            let said = Said {
                status: status.parse().map_err(|_| format!("`{record}`"))?,
                teller: teller == "1",
                others: others.split_whitespace().map(str::to_owned).collect(),
                text: text.to_owned(),
            };
            found.insert(token.to_owned(), said);
        }
        let missing =
            |probe: &Self| NotYet(format!("what apt makes of {}", probe.names.join(", ")));
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
            teller,
            others,
            text,
        } = answer;
        let others: Vec<String> = others.iter().map(|name| format!("{name} ")).collect();
        let (others, teller) = (others.concat(), u8::from(*teller));
        Some(format!("{}\t{status}\t{teller}\t{others}\t{text}\0", self.token()).into_bytes())
    }

    fn reads(&self) -> Vec<Thing> {
        let mut things = database();
        let trees = ["/etc/apt", "/var/lib/apt", "/var/cache/apt/archives"];
        things.extend(trees.map(|dir| Thing::Tree(dir.to_owned())));
        let local = self.names.iter().filter(|name| name.starts_with('/'));
        things.extend(local.cloned().map(Thing::Path));
        things
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_apt_says_survives() {
        let question = |name: &str| Resolve {
            joint: true,
            head: vec!["install".to_owned()],
            names: vec![name.to_owned()],
        };
        let (a, b) = (question("a"), question("it's"));
        assert_eq!(b.operands()[3], br"'it'\''s'");
        let said = Said {
            teller: false,
            others: vec!["a".to_owned(), "b".to_owned()],
            ..Said::new(100, "E: no\n\tway\n")
        };
        let output = [
            a.expected(&said).unwrap(),
            b.expected(&Said::nothing()).unwrap(),
        ]
        .concat();
        let answers = Resolve::parse(&[&b, &a], &output).unwrap();
        assert_eq!(answers, [Ok(Said::nothing()), Ok(said)]);
        assert!(Resolve::parse(&[&a], b"!apt\0").unwrap()[0].is_err());
        assert!(Resolve::parse(&[&a], b"what?\0").is_err());
    }
}
