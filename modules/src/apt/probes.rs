//! Probes of dpkg's database and of apt's lists.

use std::collections::BTreeMap;

use evenkeel_engine::{NotYet, Probe, Thing};

/// What is installed of a package, by its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Package(pub String);

/// What dpkg knows of a name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The package: more than one for several architectures.
    pub debs: Vec<Deb>,
    /// If it is not there: which packages say that they provide it.
    pub providers: Vec<String>,
    /// If it is provided: whether sources of packages have one of that very name; nothing if lists were never fetched.
    pub sold: Option<bool>,
}

/// A package that is there, if not wholly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deb {
    /// What is wanted of it and how far it is, as dpkg abbreviates it: `ii`, `hi` if held, `iF` …
    pub state: String,
    /// Architecture.
    pub arch: String,
    /// Version.
    pub version: String,
    /// Whether it is of the architecture of the host.
    pub native: bool,
}

impl Deb {
    /// Whether it is installed and set up.
    pub fn is_whole(&self) -> bool {
        let mut state = self.state.chars().skip(1);
        state.next().is_some_and(|state| "itW".contains(state)) && state.next().is_none()
    }

    /// Whether it is to stay as it is.
    pub fn is_held(&self) -> bool {
        self.state.starts_with('h')
    }
}

/// The answer where there is no dpkg.
const NO_DPKG: &str = "!dpkg";

fn no_dpkg() -> NotYet {
    NotYet("`dpkg` (it belongs to Debian's systems)".to_owned())
}

/// What a task on packages reads: dpkg's database.
pub(super) fn database() -> Vec<Thing> {
    vec![Thing::Tree("/var/lib/dpkg".to_owned())]
}

/// Lines that begin with a question and a tabulator; what follows each.
fn lines(output: &str, questions: impl Iterator<Item = String>) -> Vec<Result<&str, NotYet>> {
    let mut found = BTreeMap::new();
    for line in output.lines() {
        if line == NO_DPKG {
            return questions.map(|_| Err(no_dpkg())).collect();
        }
        if let Some((asked, rest)) = line.split_once('\t') {
            found.insert(asked, rest);
        }
    }
    let answer = |asked: String| {
        let line = found.get(asked.as_str()).copied();
        line.ok_or_else(|| NotYet(format!("what dpkg says of `{asked}`")))
    };
    questions.map(answer).collect()
}

impl Probe for Package {
    const KIND: &'static str = "dpkg_package";
    // One reading of the database for all.
    const SCRIPT: &'static str = r#"
if ! command -v dpkg-query >/dev/null 2>&1; then printf '!dpkg\n'; return 0; fi
ek_sold() {
  while IFS= read -r ek_l; do
    case $ek_l in
    *"	~"*)
      case $(LC_ALL=C apt-cache policy -- "${ek_l%%	*}" 2>/dev/null </dev/null) in
      *'Candidate: (none)'*) ek_l="$ek_l"!no ;;
      *'Candidate: '*) ek_l="$ek_l"!yes ;;
      *) for ek_x in /var/lib/apt/lists/*_Packages*; do if [ -e "$ek_x" ]; then ek_l="$ek_l"!no; fi; break; done ;;
      esac
      ;;
    esac
    printf '%s\n' "$ek_l"
  done
}
LC_ALL=C dpkg-query -W -f '${db:Status-Abbrev}\t${Package}\t${Architecture}\t${Version}\t${Provides}\n' 2>/dev/null </dev/null |
  EK_A=$(dpkg --print-architecture 2>/dev/null) LC_ALL=C awk '
  BEGIN { FS = "\t"; for (i = 1; i < ARGC; i++) { n[i] = ARGV[i]; want[ARGV[i]] = 1; ARGV[i] = "" } c = ARGC - 1 }
  {
    s = $1; sub(/ +$/, "", s); t = substr(s, 2, 1)
    if (t == "n" || t == "c") next
    if ($2 in want) {
      f = ($3 == "all" || $3 == ENVIRON["EK_A"]) ? "=" : "+"
      own[$2] = own[$2] f s " " $3 " " $4 "\t"
    }
    if ($5 != "" && index("itW", t)) {
      m = split($5, p, /, */)
      for (j = 1; j <= m; j++) { v = p[j]; sub(/[ (:].*/, "", v); if (v in want && v != $2) by[v] = by[v] "~" $2 "\t" }
    }
  }
  END { for (i = 1; i <= c; i++) { x = n[i]; print x "\t" ((x in own) ? own[x] : by[x]) } }' "$@" | ek_sold"#;
    type Answer = Found;

    fn operands(&self) -> Vec<Vec<u8>> {
        vec![self.0.clone().into_bytes()]
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        let text = String::from_utf8_lossy(output);
        let all = lines(&text, batch.iter().map(|probe| probe.0.clone()));
        let read = |line: Result<&str, NotYet>| -> Result<Result<Found, NotYet>, String> {
            let line = match line {
                Ok(line) => line,
                Err(why) => return Ok(Err(why)),
            };
            let mut found = Found::default();
            for field in line.split('\t').filter(|field| !field.is_empty()) {
                if let Some(name) = field.strip_prefix('~') {
                    found.providers.push(name.to_owned());
                    continue;
                }
                if let Some(said) = field.strip_prefix('!') {
                    found.sold = Some(said == "yes");
                    continue;
                }
                let native = field.starts_with('=');
                let words: Vec<&str> = field.get(1..).unwrap_or_default().split(' ').collect();
                let [state, arch, version] = words[..] else {
                    return Err(format!("`{field}`"));
                };
                found.debs.push(Deb {
                    state: state.to_owned(),
                    arch: arch.to_owned(),
                    version: version.to_owned(),
                    native,
                });
            }
            Ok(Ok(found))
        };
        all.into_iter().map(read).collect()
    }

    fn expected(&self, answer: &Self::Answer) -> Option<Vec<u8>> {
        let mut line = format!("{}\t", self.0);
        for Deb {
            state,
            arch,
            version,
            native,
        } in &answer.debs
        {
            line.push(if *native { '=' } else { '+' });
            for word in [state, " ", arch, " ", version, "\t"] {
                line.push_str(word);
            }
        }
        if answer.debs.is_empty() {
            line.extend(answer.providers.iter().map(|name| format!("~{name}\t")));
            line.push_str(match answer.sold {
                Some(true) => "!yes",
                Some(false) => "!no",
                None => "",
            });
        }
        line.push('\n');
        Some(line.into_bytes())
    }

    fn reads(&self) -> Vec<Thing> {
        database()
    }
}

/// Which packages a pattern means, of those that are there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Matching {
    /// A name or a pattern of names.
    pub pattern: String,
    /// Whether those count of which only configuration is left, and no others.
    pub leftovers: bool,
}

impl Matching {
    fn question(&self) -> String {
        let kind = if self.leftovers { "c" } else { "i" };
        format!("{kind}{}", self.pattern)
    }
}

impl Probe for Matching {
    const KIND: &'static str = "dpkg_matching";
    const SCRIPT: &'static str = r#"
if ! command -v dpkg-query >/dev/null 2>&1; then printf '!dpkg\n'; return 0; fi
(
  ek_l=$(LC_ALL=C dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' 2>/dev/null </dev/null | LC_ALL=C sort -u -k 2)
  set -f
  for ek_p in "$@"; do
    printf '%s\t' "$ek_p"
    ek_o=
    while read -r ek_s ek_n; do
      case $ek_s in ?n*) continue ;; ?c*) ek_k=c ;; *) ek_k=i ;; esac
      case $ek_k$ek_n in
      $ek_p) [ "$ek_n" = "$ek_o" ] || printf '%s ' "$ek_n"; ek_o=$ek_n ;;
      esac
    done <<EK_END
$ek_l
EK_END
    printf '\n'
  done
)"#;
    /// Their names.
    type Answer = Vec<String>;

    fn operands(&self) -> Vec<Vec<u8>> {
        vec![self.question().into_bytes()]
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        let text = String::from_utf8_lossy(output);
        let all = lines(&text, batch.iter().map(|probe| probe.question()));
        let names = |line: &str| line.split_whitespace().map(str::to_owned).collect();
        Ok(all.into_iter().map(|line| line.map(names)).collect())
    }

    fn expected(&self, answer: &Self::Answer) -> Option<Vec<u8>> {
        let names: Vec<String> = answer.iter().map(|name| format!("{name} ")).collect();
        Some(format!("{}\t{}\n", self.question(), names.concat()).into_bytes())
    }

    fn reads(&self) -> Vec<Thing> {
        database()
    }
}

/// Whether the lists of packages were fetched within so many seconds; with `None`, whenever.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lists(pub Option<u64>);

/// How good the lists are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// Good enough.
    Fresh,
    /// They were never fetched.
    Never,
    /// The sources were changed since.
    Sources,
    /// Too old.
    Old,
}

impl Age {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Fresh, "fresh"),
        (Self::Never, "never"),
        (Self::Sources, "sources"),
        (Self::Old, "old"),
    ];

    fn word(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(age, _)| *age == self)
            .map_or("", |(_, word)| word)
    }

    /// For people.
    pub(crate) fn told(self) -> &'static str {
        match self {
            Self::Fresh => "fetched",
            Self::Never => "never fetched",
            Self::Sources => "older than the sources",
            Self::Old => "too old",
        }
    }
}

/// The file that says when the lists were fetched.
pub(super) const STAMP: &str = "/var/lib/apt/periodic/update-success-stamp";

impl Lists {
    fn question(&self) -> String {
        self.0.map_or("-".to_owned(), |seconds| seconds.to_string())
    }
}

impl Probe for Lists {
    const KIND: &'static str = "apt_lists";
    const SCRIPT: &'static str = r#"
(
  ek_l=/var/lib/apt/lists ek_t=/var/lib/apt/periodic/update-success-stamp
  [ -e "$ek_t" ] || ek_t=$ek_l
  ek_n=1
  for ek_x in "$ek_l"/*_InRelease "$ek_l"/*_Release "$ek_l"/*_Packages*; do
    if [ -e "$ek_x" ]; then ek_n=; break; fi
  done
  cd /etc/apt 2>/dev/null || :
  if [ -n "$ek_n" ]; then
    cat sources.list sources.list.d/*.list sources.list.d/*.sources 2>/dev/null |
      grep -E '^[[:space:]]*(deb(-src)?[[:space:]]|[Uu][Rr][Ii][Ss]:)' >/dev/null || ek_n=
  fi
  ek_m=$(stat -c %Y "$ek_t" 2>/dev/null || echo 0)
  ek_s=$(find sources.list sources.list.d -newer "$ek_t" 2>/dev/null | head -n 1)
  ek_o=$(($(date +%s) - ek_m))
  for ek_v in "$@"; do
    ek_a=fresh
    if [ "$ek_v" != - ] && [ "$ek_o" -ge "$ek_v" ]; then ek_a=old; fi
    [ -z "$ek_s" ] || ek_a=sources
    [ -z "$ek_n" ] || ek_a=never
    printf '%s\t%s\n' "$ek_v" "$ek_a"
  done
)"#;
    type Answer = Age;

    fn operands(&self) -> Vec<Vec<u8>> {
        vec![self.question().into_bytes()]
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        let text = String::from_utf8_lossy(output);
        let read = |line: Result<&str, NotYet>| match line {
            Err(why) => Ok(Err(why)),
            Ok(word) => {
                let age = Age::ALL.iter().find(|(_, known)| *known == word);
                age.map(|(age, _)| Ok(*age))
                    .ok_or_else(|| format!("`{word}`"))
            }
        };
        lines(&text, batch.iter().map(|probe| probe.question()))
            .into_iter()
            .map(read)
            .collect()
    }

    fn expected(&self, answer: &Self::Answer) -> Option<Vec<u8>> {
        Some(format!("{}\t{}\n", self.question(), answer.word()).into_bytes())
    }

    fn reads(&self) -> Vec<Thing> {
        ["/var/lib/apt", "/etc/apt"]
            .map(|dir| Thing::Tree(dir.to_owned()))
            .into()
    }
}

/// Whether dpkg has begun something and not ended it, and is not just at work.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Begun;

impl Probe for Begun {
    const KIND: &'static str = "dpkg_begun";
    const SCRIPT: &'static str = r#"
(
  ek_b=0
  for ek_f in "$1"/updates/[0-9]*; do
    [ -e "$ek_f" ] || continue
    ek_b=1
    for ek_l in "$1/lock-frontend" "$1/lock"; do
      ek_i=$(stat -c %i "$ek_l" 2>/dev/null) || continue
      if grep -q ":$ek_i " /proc/locks 2>/dev/null; then ek_b=0; fi
    done
    break
  done
  printf '%s\n' "$ek_b"
)"#;
    type Answer = bool;

    fn operands(&self) -> Vec<Vec<u8>> {
        vec![b"/var/lib/dpkg".to_vec()]
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        let begun = match output {
            b"0\n" => false,
            b"1\n" => true,
            other => return Err(format!("`{}`", String::from_utf8_lossy(other))),
        };
        Ok(batch.iter().map(|_| Ok(begun)).collect())
    }

    fn expected(&self, answer: &Self::Answer) -> Option<Vec<u8>> {
        Some(format!("{}\n", u8::from(*answer)).into_bytes())
    }

    fn reads(&self) -> Vec<Thing> {
        database()
    }
}

/// What an archive on the host holds, and what is installed of that.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Archive(pub String);

/// What an archive is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    /// There is no file.
    Missing,
    /// It is no archive of a package.
    Odd,
    /// A package.
    Deb {
        /// Its name.
        name: String,
        /// Its version.
        version: String,
        /// Which version is installed.
        there: Option<String>,
    },
}

impl Probe for Archive {
    const KIND: &'static str = "dpkg_archive";
    const SCRIPT: &'static str = r#"
if ! command -v dpkg-deb >/dev/null 2>&1; then printf '!dpkg\n'; return 0; fi
for ek_f in "$@"; do
  if [ ! -f "$ek_f" ]; then printf '%s\t!missing\n' "$ek_f"; continue; fi
  if ek_d=$(LC_ALL=C dpkg-deb -W --showformat='${Package} ${Version}' "$ek_f" 2>/dev/null </dev/null) && [ -n "$ek_d" ]; then
    ek_v=$(LC_ALL=C dpkg-query -W -f '${db:Status-Abbrev} ${Version}\n' "${ek_d%% *}" 2>/dev/null </dev/null |
      sed -n 's/^.[itW] *//p' | head -n 1)
    printf '%s\t%s %s\n' "$ek_f" "$ek_d" "$ek_v"
  else
    printf '%s\t!odd\n' "$ek_f"
  fi
done"#;
    type Answer = Held;

    fn operands(&self) -> Vec<Vec<u8>> {
        vec![self.0.clone().into_bytes()]
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        let text = String::from_utf8_lossy(output);
        let read = |line: Result<&str, NotYet>| {
            let line = match line {
                Err(why) => return Ok(Err(why)),
                Ok("!missing") => return Ok(Ok(Held::Missing)),
                Ok("!odd") => return Ok(Ok(Held::Odd)),
                Ok(line) => line,
            };
            let words: Vec<&str> = line.split(' ').collect();
            let [name, version, there] = words[..] else {
                return Err(format!("`{line}`"));
            };
            Ok(Ok(Held::Deb {
                name: name.to_owned(),
                version: version.to_owned(),
                there: (!there.is_empty()).then(|| there.to_owned()),
            }))
        };
        lines(&text, batch.iter().map(|probe| probe.0.clone()))
            .into_iter()
            .map(read)
            .collect()
    }

    fn expected(&self, answer: &Self::Answer) -> Option<Vec<u8>> {
        let held = match answer {
            Held::Missing => "!missing".to_owned(),
            Held::Odd => "!odd".to_owned(),
            Held::Deb {
                name,
                version,
                there,
            } => {
                format!("{name} {version} {}", there.as_deref().unwrap_or_default())
            }
        };
        Some(format!("{}\t{held}\n", self.0).into_bytes())
    }

    fn reads(&self) -> Vec<Thing> {
        let mut things = database();
        things.push(Thing::Path(self.0.clone()));
        things
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn survives<P: Probe>(probes: &[P], output: &str)
    where
        P::Answer: std::fmt::Debug,
    {
        let refs: Vec<&P> = probes.iter().collect();
        let answers = P::parse(&refs, output.as_bytes()).unwrap();
        let said: Vec<u8> = probes
            .iter()
            .zip(&answers)
            .flat_map(|(probe, answer)| probe.expected(answer.as_ref().unwrap()).unwrap())
            .collect();
        assert_eq!(String::from_utf8(said).unwrap(), output);
        let without = P::parse(&refs, b"!dpkg\n").unwrap();
        assert!(without.iter().all(Result::is_err));
    }

    #[test]
    fn answers_survive() {
        let names = ["bash", "mta", "nosuch"].map(|name| Package(name.to_owned()));
        survives(
            &names,
            "bash\t=ii amd64 5.2-1\t+hi i386 5.2-1\t\nmta\t~exim4\t~postfix\t\nnosuch\t\n",
        );
        let matching = |leftovers| Matching {
            pattern: "py*".to_owned(),
            leftovers,
        };
        survives(
            &[matching(false), matching(true)],
            "ipy*\tpython3 pybar \ncpy*\t\n",
        );
        survives(&[Lists(None), Lists(Some(60))], "-\tsources\n60\told\n");
        let archives = ["/a", "/b", "/c", "/d"].map(|path| Archive(path.to_owned()));
        survives(
            &archives,
            "/a\t!missing\n/b\t!odd\n/c\tx 1.0 \n/d\tx 1.0 0.9\n",
        );
    }

    #[test]
    fn what_is_half_there_is_not_whole() {
        let whole = |state: &str| {
            let deb = Deb {
                state: state.to_owned(),
                arch: String::new(),
                version: String::new(),
                native: true,
            };
            deb.is_whole()
        };
        assert!(["ii", "hi", "it"].into_iter().all(whole));
        assert!(!["iF", "iU", "iHR", "rH", "iiR"].into_iter().any(whole));
    }
}
