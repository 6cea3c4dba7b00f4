//! Which keys rpm has.

use evenkeel_engine::{NotYet, Probe, Thing};

use crate::pgp::Key;

/// The keys in rpm's database.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Keyring;

/// A key as rpm keeps it: as a package without files.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Imported {
    /// The end of its fingerprint, or all of it: rpm 6 calls keys so.
    pub version: String,
    /// When it was made, in hexadecimal.
    pub release: String,
}

impl Imported {
    /// As rpm before 6 will call it.
    pub(super) fn of(key: &Key) -> Self {
        let print = key.fingerprints[0].to_ascii_lowercase();
        Self {
            version: print[print.len() - 8..].to_owned(),
            release: format!("{:08x}", key.made),
        }
    }

    /// Its package.
    pub fn package(&self) -> String {
        format!("gpg-pubkey-{}-{}", self.version, self.release)
    }

    /// Whether an id, which may be a fingerprint, is its.
    pub(super) fn has_id(&self, id: &str) -> bool {
        let id = id.to_ascii_lowercase();
        id.ends_with(&self.version) || self.version.ends_with(&id)
    }

    /// Whether it is this key.
    pub(super) fn is(&self, key: &Key) -> bool {
        self.has_id(&key.fingerprints[0]) && self.release == format!("{:08x}", key.made)
    }
}

/// Where rpm's database is.
pub(super) fn database() -> Vec<Thing> {
    ["/var/lib/rpm", "/usr/lib/sysimage/rpm"]
        .map(|dir| Thing::Tree(dir.to_owned()))
        .into()
}

impl Probe for Keyring {
    const KIND: &'static str = "rpm_keys";
    const SCRIPT: &'static str = r"
if ! command -v rpm >/dev/null 2>&1; then printf '!rpm\n'; return 0; fi
LC_ALL=C rpm -q gpg-pubkey --qf '%{VERSION} %{RELEASE}\n' 2>/dev/null </dev/null |
  grep -x '[0-9a-f]* [0-9a-f]*' | LC_ALL=C sort -u || :";
    type Answer = Vec<Imported>;

    fn operands(&self) -> Vec<Vec<u8>> {
        Vec::new()
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        let text = String::from_utf8_lossy(output);
        let mut keys = Vec::new();
        for line in text.lines() {
            if line == "!rpm" {
                let none = || Err(NotYet("`rpm` (it belongs to RPM systems)".to_owned()));
                return Ok(batch.iter().map(|_| none()).collect());
            }
            let (version, release) = line.split_once(' ').ok_or_else(|| format!("`{line}`"))?;
            keys.push(Imported {
                version: version.to_owned(),
                release: release.to_owned(),
            });
        }
        Ok(batch.iter().map(|_| Ok(keys.clone())).collect())
    }

    fn expected(&self, answer: &Self::Answer) -> Option<Vec<u8>> {
        let line = |key: &Imported| format!("{} {}\n", key.version, key.release);
        Some(answer.iter().map(line).collect::<String>().into_bytes())
    }

    fn reads(&self) -> Vec<Thing> {
        database()
    }
}
