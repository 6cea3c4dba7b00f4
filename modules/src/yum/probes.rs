//! Probes of RPM's database.

use std::collections::BTreeMap;

use evenkeel_engine::{NotYet, Probe, Thing};

use super::version::Evr;

/// Which versions of a package are installed, by its bare name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Package(pub String);

/// An installed package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nevra {
    /// Name.
    pub name: String,
    /// Epoch, version, release.
    pub evr: Evr,
    /// Architecture.
    pub arch: String,
}

impl Nevra {
    fn parse(line: &str) -> Option<Self> {
        let mut fields = line.split('\t');
        let name = fields.next()?.to_owned();
        let epoch = fields.next()?.parse().ok()?;
        let (version, release) = (fields.next()?.to_owned(), fields.next()?.to_owned());
        let arch = fields.next()?.to_owned();
        Some(Self {
            name,
            evr: Evr {
                epoch,
                version,
                release,
            },
            arch,
        })
    }

    fn line(&self) -> String {
        let Evr {
            epoch,
            version,
            release,
        } = &self.evr;
        format!(
            "{}\t{epoch}\t{version}\t{release}\t{}\n",
            self.name, self.arch
        )
    }
}

/// The answer where there is no RPM.
const NO_RPM: &str = "!rpm";

fn no_rpm() -> NotYet {
    NotYet("`rpm` (it belongs to RPM systems)".to_owned())
}

/// What a task on packages reads: RPM's database, wherever it is.
pub(super) fn database() -> Vec<Thing> {
    ["/var/lib/rpm", "/usr/lib/sysimage/rpm"]
        .map(|dir| Thing::Tree(dir.to_owned()))
        .into()
}

impl Probe for Package {
    const KIND: &'static str = "rpm_package";
    // `rpm -q` takes `name-version` for a label, too: only what has the very name is an answer. All
    // are looked for at once, and told one after the other.
    const SCRIPT: &'static str = r#"
if ! command -v rpm >/dev/null 2>&1; then printf '!rpm\n'; return 0; fi
(
  ek_l=$(LC_ALL=C rpm -q --qf '%{NAME}\t%{EPOCHNUM}\t%{VERSION}\t%{RELEASE}\t%{ARCH}\n' -- "$@" 2>/dev/null </dev/null |
    LC_ALL=C sort -u)
  set -f
  IFS='
'
  ek_b=$(printf '\t')
  for ek_n in "$@"; do
    ek_f=
    for ek_x in $ek_l; do
      case $ek_x in "$ek_n$ek_b"*) ek_f=1; printf '%s\n' "$ek_x" ;; esac
    done
    [ -n "$ek_f" ] || printf '%s\t\n' "$ek_n"
  done
)"#;
    /// More than one where several may be installed side by side (kernels, architectures).
    type Answer = Vec<Nevra>;

    fn operands(&self) -> Vec<Vec<u8>> {
        vec![self.0.clone().into_bytes()]
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        let text = String::from_utf8_lossy(output);
        let mut found: BTreeMap<String, Vec<Nevra>> = BTreeMap::new();
        for line in text.lines() {
            if line == NO_RPM {
                return Ok(batch.iter().map(|_| Err(no_rpm())).collect());
            }
            if let Some(name) = line.strip_suffix('\t') {
                found.entry(name.to_owned()).or_default();
                continue;
            }
            let nevra = Nevra::parse(line).ok_or_else(|| format!("`{line}`"))?;
            let list = found.entry(nevra.name.clone()).or_default();
            if !list.contains(&nevra) {
                list.push(nevra);
            }
        }
        let missing = |name: &str| NotYet(format!("whether `{name}` is installed"));
        let answer = |probe: &&Self| {
            let list = found.get(&probe.0).cloned();
            list.ok_or_else(|| missing(&probe.0))
        };
        Ok(batch.iter().map(answer).collect())
    }

    fn expected(&self, answer: &Self::Answer) -> Option<Vec<u8>> {
        if answer.is_empty() {
            return Some(format!("{}\t\n", self.0).into_bytes());
        }
        let mut lines: Vec<String> = answer.iter().map(Nevra::line).collect();
        lines.sort();
        Some(lines.concat().into_bytes())
    }

    fn reads(&self) -> Vec<Thing> {
        database()
    }
}

/// Names by question, told as lines `QUESTION<tab>NAME NAME `.
fn lists(
    questions: impl Iterator<Item = String>,
    output: &[u8],
) -> Result<Vec<Result<Vec<String>, NotYet>>, String> {
    let text = String::from_utf8_lossy(output);
    let mut found = BTreeMap::new();
    let mut without = false;
    for line in text.lines() {
        if line == NO_RPM {
            without = true;
            continue;
        }
        let (asked, names) = line.split_once('\t').ok_or_else(|| format!("`{line}`"))?;
        let names: Vec<_> = names.split_whitespace().map(str::to_owned).collect();
        found.insert(asked.to_owned(), names);
    }
    let answer = |asked: String| match found.get(&asked) {
        _ if without => Err(no_rpm()),
        Some(names) => Ok(names.clone()),
        None => Err(NotYet(format!("what `{asked}` means"))),
    };
    Ok(questions.map(answer).collect())
}

fn told(asked: &str, names: &[String]) -> Vec<u8> {
    let names: Vec<&[u8]> = names
        .iter()
        .flat_map(|name| [name.as_bytes(), b" "])
        .collect();
    [asked.as_bytes(), b"\t", &names.concat(), b"\n"].concat()
}

/// Which installed packages are meant by a name, provide a capability or own a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Provides(pub String);

impl Probe for Provides {
    const KIND: &'static str = "rpm_provides";
    // What is installed under its own name is found by one call for all; only for the others is
    // looked at what packages provide.
    const SCRIPT: &'static str = r#"
if ! command -v rpm >/dev/null 2>&1; then printf '!rpm\n'; return 0; fi
ek_m=$(LC_ALL=C rpm -q --qf '' -- "$@" 2>/dev/null </dev/null)
for ek_c in "$@"; do
  case "
$ek_m
" in
  *"
package $ek_c is not installed
"*)
    ek_n=$(LC_ALL=C rpm -q --whatprovides --qf '%{NAME} ' -- "$ek_c" 2>/dev/null </dev/null) || ek_n= ;;
  *)
    case $ek_c in
    /*) ek_n=$(LC_ALL=C rpm -q --whatprovides --qf '%{NAME} ' -- "$ek_c" 2>/dev/null </dev/null) || ek_n= ;;
    *) ek_n="$ek_c " ;;
    esac ;;
  esac
  printf '%s\t%s\n' "$ek_c" "$ek_n"
done"#;
    /// Their names; what is installed by this very name is only itself.
    type Answer = Vec<String>;

    fn operands(&self) -> Vec<Vec<u8>> {
        vec![self.0.clone().into_bytes()]
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        lists(batch.iter().map(|probe| probe.0.clone()), output)
    }

    fn expected(&self, answer: &Self::Answer) -> Option<Vec<u8>> {
        Some(told(&self.0, answer))
    }

    fn reads(&self) -> Vec<Thing> {
        database()
    }
}

/// Which installed packages a pattern means: by name, with the architecture, or with the version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Matching(pub String);

impl Probe for Matching {
    const KIND: &'static str = "rpm_matching";
    const SCRIPT: &'static str = r#"
if ! command -v rpm >/dev/null 2>&1; then printf '!rpm\n'; return 0; fi
(
  ek_l=$(LC_ALL=C rpm -qa --qf '%{NAME} %{NAME}.%{ARCH} %{NAME}-%{VERSION} %{NAME}-%{VERSION}-%{RELEASE} %{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}\n' \
    2>/dev/null </dev/null | LC_ALL=C sort -u)
  set -f
  for ek_p in "$@"; do
    printf '%s\t' "$ek_p"
    ek_o=
    while read -r ek_1 ek_2 ek_3 ek_4 ek_5; do
      for ek_x in "$ek_1" "$ek_2" "$ek_3" "$ek_4" "$ek_5"; do
        case $ek_x in
        $ek_p) [ "$ek_1" = "$ek_o" ] || printf '%s ' "$ek_1"; ek_o=$ek_1; break ;;
        esac
      done
    done <<EK_END
$ek_l
EK_END
    printf '\n'
  done
)"#;
    /// Their names.
    type Answer = Vec<String>;

    fn operands(&self) -> Vec<Vec<u8>> {
        vec![self.0.clone().into_bytes()]
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        lists(batch.iter().map(|probe| probe.0.clone()), output)
    }

    fn expected(&self, answer: &Self::Answer) -> Option<Vec<u8>> {
        Some(told(&self.0, answer))
    }

    fn reads(&self) -> Vec<Thing> {
        database()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rpm_is_read() {
        let output = b"bash\t0\t5.1.8\t9.el9\tx86_64\nnosuch\t\n\
            kernel\t0\t5.14.0\t1.el9\tx86_64\nkernel\t0\t5.14.0\t2.el9\tx86_64\n";
        let probes = ["bash", "nosuch", "kernel"].map(|name| Package(name.to_owned()));
        let refs: Vec<_> = probes.iter().collect();
        let answers = Package::parse(&refs, output).unwrap();
        let counts: Vec<_> = answers
            .iter()
            .map(|answer| answer.as_ref().unwrap().len())
            .collect();
        assert_eq!(counts, [1, 0, 2]);
        let said: Vec<u8> = probes
            .iter()
            .zip(&answers)
            .flat_map(|(probe, answer)| probe.expected(answer.as_ref().unwrap()).unwrap())
            .collect();
        assert_eq!(said, output);
        assert!(
            Package::parse(&refs, b"!rpm\n")
                .unwrap()
                .iter()
                .all(Result::is_err)
        );
        assert!(Package::parse(&refs, b"what?\n").is_err());
    }

    #[test]
    fn providers_are_read() {
        let output = b"/usr/bin/vi\tvim-minimal \nmta\t\n";
        let probes = ["/usr/bin/vi", "mta"].map(|name| Provides(name.to_owned()));
        let answers = Provides::parse(&probes.iter().collect::<Vec<_>>(), output).unwrap();
        assert_eq!(answers, [Ok(vec!["vim-minimal".to_owned()]), Ok(vec![])]);
        assert_eq!(
            probes[0].expected(answers[0].as_ref().unwrap()).unwrap(),
            b"/usr/bin/vi\tvim-minimal \n"
        );
    }
}
