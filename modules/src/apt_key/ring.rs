//! Which keys apt trusts.

use std::collections::BTreeMap;

use evenkeel_engine::{NotYet, Probe, Thing};

/// The keys in a file of keys, or in all that apt has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AptKeys(pub Option<String>);

/// Keys, sorted: of each its fingerprint, then those of its subkeys.
pub type Keys = Vec<Vec<String>>;

/// What [`AptKeys`] answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ring {
    /// These.
    Keys(Keys),
    /// The host has no `apt-key`.
    NoAptKey,
    /// It has no `gpg`, without which `apt-key` does nothing.
    NoGpg,
}

impl Probe for AptKeys {
    const KIND: &'static str = "apt_keys";
    // A file that is not there must not be named: apt-key would make it.
    const SCRIPT: &'static str = r#"
for ek_k in "$@"; do
  printf '%s\0' "$ek_k"
  if ! command -v apt-key >/dev/null 2>&1; then
    echo '!apt-key'
  elif ! { command -v gpg || command -v gpg2 || command -v gpg1; } >/dev/null 2>&1; then
    echo '!gpg'
  elif [ -z "$ek_k" ] || [ -s "$ek_k" ]; then
    LC_ALL=C APT_KEY_DONT_WARN_ON_DANGEROUS_USAGE=1 timeout 60 apt-key ${ek_k:+--keyring "$ek_k"} adv --batch \
      --with-colons --fixed-list-mode --with-fingerprint --with-fingerprint --list-public-keys 2>/dev/null </dev/null |
      awk -F: '
        $1 == "pub" { if (k != "") print k; k = "" }
        $1 == "fpr" { k = k (k == "" ? "" : " ") $10 }
        END { if (k != "") print k }' | LC_ALL=C sort -u
  fi
  printf '\0'
done"#;
    type Answer = Ring;

    fn operands(&self) -> Vec<Vec<u8>> {
        vec![self.0.clone().unwrap_or_default().into_bytes()]
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        let text = String::from_utf8_lossy(output);
        let fields: Vec<&str> = text.split_terminator('\0').collect();
        let found: BTreeMap<&str, Ring> = fields
            .chunks_exact(2)
            .map(|pair| (pair[0], ring(pair[1])))
            .collect();
        let answer = |keys: &&Self| {
            let name = keys.0.as_deref().unwrap_or_default();
            let none = || NotYet::new("which keys apt has");
            found.get(name).cloned().ok_or_else(none)
        };
        Ok(batch.iter().map(answer).collect())
    }

    fn expected(&self, answer: &Self::Answer) -> Option<Vec<u8>> {
        let name = self.0.as_deref().unwrap_or_default();
        let text = match answer {
            Ring::NoAptKey => "!apt-key\n".to_owned(),
            Ring::NoGpg => "!gpg\n".to_owned(),
            Ring::Keys(keys) => keys.iter().map(|key| key.join(" ") + "\n").collect(),
        };
        Some(format!("{name}\0{text}\0").into_bytes())
    }

    fn reads(&self) -> Vec<Thing> {
        let all = ["/etc/apt/trusted.gpg", "/etc/apt/trusted.gpg~"].map(str::to_owned);
        let own = self
            .0
            .iter()
            .flat_map(|ring| [ring.clone(), format!("{ring}~")]);
        all.into_iter()
            .chain(own)
            .map(Thing::Path)
            .chain([Thing::Tree("/etc/apt/trusted.gpg.d".to_owned())])
            .collect()
    }
}

fn ring(text: &str) -> Ring {
    match text.trim() {
        "!apt-key" => return Ring::NoAptKey,
        "!gpg" => return Ring::NoGpg,
        _ => {}
    }
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect();
    let mut keys: Keys = text.lines().map(words).collect();
    keys.sort();
    keys.dedup();
    Ring::Keys(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_as_it_is_expected() {
        let (all, one) = (AptKeys(None), AptKeys(Some("/k.gpg".to_owned())));
        let key = |print: &str| vec![print.repeat(40), "1".repeat(40)];
        let keys = Ring::Keys(vec![key("A"), key("B")]);
        let output = [
            all.expected(&keys).unwrap(),
            one.expected(&Ring::NoGpg).unwrap(),
        ]
        .concat();
        let answers = AptKeys::parse(&[&all, &one], &output).unwrap();
        assert_eq!(answers, [Ok(keys), Ok(Ring::NoGpg)]);
    }
}
