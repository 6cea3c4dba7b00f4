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
        Some(Self { name, evr: Evr { epoch, version, release }, arch })
    }

    fn line(&self) -> String {
        let Evr { epoch, version, release } = &self.evr;
        format!("{}\t{epoch}\t{version}\t{release}\t{}\n", self.name, self.arch)
    }
}

/// The answer where there is no RPM.
const NO_RPM: &str = "!rpm";

fn no_rpm() -> NotYet {
    NotYet("`rpm` (it belongs to RPM systems)".to_owned())
}

/// What a task on packages reads: RPM's database, wherever it is.
fn database() -> Vec<Thing> {
    ["/var/lib/rpm", "/usr/lib/sysimage/rpm"].map(|dir| Thing::Tree(dir.to_owned())).into()
}

impl Probe for Package {
    const KIND: &'static str = "rpm_package";
    const SCRIPT: &'static str = r#"
if ! command -v rpm >/dev/null 2>&1; then printf '!rpm\n'; return 0; fi
LC_ALL=C rpm -q --qf '%{NAME}\t%{EPOCHNUM}\t%{VERSION}\t%{RELEASE}\t%{ARCH}\n' -- "$@" 2>/dev/null </dev/null"#;
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
            let missing = line.starts_with("package ") && line.ends_with(" is not installed");
            if missing || line.starts_with("error:") {
                continue;
            }
            let nevra = Nevra::parse(line).ok_or_else(|| format!("`{line}`"))?;
            let list = found.entry(nevra.name.clone()).or_default();
            if !list.contains(&nevra) {
                list.push(nevra);
            }
        }
        Ok(batch.iter().map(|p| Ok(found.get(&p.0).cloned().unwrap_or_default())).collect())
    }

    fn expected(&self, answer: &Self::Answer) -> Option<Vec<u8>> {
        if answer.is_empty() {
            return Some(format!("package {} is not installed\n", self.0).into_bytes());
        }
        Some(answer.iter().flat_map(|nevra| nevra.line().into_bytes()).collect())
    }

    fn reads(&self) -> Vec<Thing> {
        database()
    }
}

/// Which installed packages provide a capability or own a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Provides(pub String);

impl Probe for Provides {
    const KIND: &'static str = "rpm_provides";
    const SCRIPT: &'static str = r#"
if ! command -v rpm >/dev/null 2>&1; then printf '!rpm\n'; return 0; fi
for ek_c in "$@"; do
  ek_n=$(LC_ALL=C rpm -q --whatprovides --qf '%{NAME} ' -- "$ek_c" 2>/dev/null </dev/null) || ek_n=
  printf '%s\t%s\n' "$ek_c" "$ek_n"
done"#;
    /// Their names.
    type Answer = Vec<String>;

    fn operands(&self) -> Vec<Vec<u8>> {
        vec![self.0.clone().into_bytes()]
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        let text = String::from_utf8_lossy(output);
        let mut found = BTreeMap::new();
        for line in text.lines() {
            if line == NO_RPM {
                return Ok(batch.iter().map(|_| Err(no_rpm())).collect());
            }
            let (asked, names) = line.split_once('\t').ok_or_else(|| format!("`{line}`"))?;
            let names: Vec<_> = names.split_whitespace().map(str::to_owned).collect();
            found.insert(asked.to_owned(), names);
        }
        let missing = |probe: &Self| NotYet(format!("what provides `{}`", probe.0));
        Ok(batch.iter().map(|p| found.get(&p.0).cloned().ok_or_else(|| missing(p))).collect())
    }

    fn expected(&self, answer: &Self::Answer) -> Option<Vec<u8>> {
        let names: Vec<u8> = answer.iter().flat_map(|name| [name.as_bytes(), b" "].concat()).collect();
        Some([self.0.as_bytes(), b"\t", &names, b"\n"].concat())
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
        let output = b"bash\t0\t5.1.8\t9.el9\tx86_64\npackage nosuch is not installed\n\
            kernel\t0\t5.14.0\t1.el9\tx86_64\nkernel\t0\t5.14.0\t2.el9\tx86_64\n";
        let probes = ["bash", "nosuch", "kernel"].map(|name| Package(name.to_owned()));
        let refs: Vec<_> = probes.iter().collect();
        let answers = Package::parse(&refs, output).unwrap();
        let counts: Vec<_> = answers.iter().map(|answer| answer.as_ref().unwrap().len()).collect();
        assert_eq!(counts, [1, 0, 2]);
        let said: Vec<u8> = probes
            .iter()
            .zip(&answers)
            .flat_map(|(probe, answer)| probe.expected(answer.as_ref().unwrap()).unwrap())
            .collect();
        assert_eq!(said, output);
        assert!(Package::parse(&refs, b"!rpm\n").unwrap().iter().all(Result::is_err));
        assert!(Package::parse(&refs, b"what?\n").is_err());
    }

    #[test]
    fn providers_are_read() {
        let output = b"/usr/bin/vi\tvim-minimal \nmta\t\n";
        let probes = ["/usr/bin/vi", "mta"].map(|name| Provides(name.to_owned()));
        let answers = Provides::parse(&probes.iter().collect::<Vec<_>>(), output).unwrap();
        assert_eq!(answers, [Ok(vec!["vim-minimal".to_owned()]), Ok(vec![])]);
        assert_eq!(probes[0].expected(answers[0].as_ref().unwrap()).unwrap(), b"/usr/bin/vi\tvim-minimal \n");
    }
}
