//! Checksums as tasks and checksum files write them.

use std::collections::BTreeMap;

use evenkeel_engine::{
    NotYet, Probe, Refusal, Thing,
    download::{Algorithm, Checksum as Hash},
};

/// What `checksum` asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Checksum {
    Known(Hash),
    /// It stands in a file of a server or of the host.
    In(Algorithm, String),
}

/// Reads `ALGORITHM:DIGITS` or `ALGORITHM:ADDRESS`.
pub(crate) fn parse_checksum(text: &str) -> Result<Checksum, Refusal> {
    let form = || {
        Refusal::new(format!("`checksum: {text}`: the format is invalid"))
            .help("write `sha256:` and its digits, or the address of a checksum file")
    };
    let (name, rest) = text.trim().split_once(':').ok_or_else(form)?;
    let name = name.trim().to_ascii_lowercase();
    let found = Algorithm::ALL
        .into_iter()
        .find(|known| known.name() == name);
    let Some(algorithm) = found else {
        let known: Vec<_> = Algorithm::ALL.iter().map(|known| known.name()).collect();
        let what = format!("`checksum`: `{name}` is no algorithm that is known");
        return Err(Refusal::new(what).help(format!("known are {}", known.join(", "))));
    };
    let rest = rest.trim();
    if rest.contains("://") {
        return Ok(Checksum::In(algorithm, rest.to_owned()));
    }
    // What copies from web pages bring along: dots, spaces, characters without width.
    let letter = |c: &char| c.is_alphanumeric() && c.is_ascii();
    let digits: String = rest
        .chars()
        .filter(letter)
        .collect::<String>()
        .to_ascii_lowercase();
    if !is_hash(&digits, algorithm) {
        return Err(form());
    }
    Ok(Checksum::Known(Hash { algorithm, digits }))
}

fn is_hash(text: &str, algorithm: Algorithm) -> bool {
    text.len() == algorithm.digits() && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The checksum of a name in a checksum file: lines `hash  name` (also `*name`, `./name`), `SHA256 (name) = hash`, or
/// nothing but a hash.
pub(crate) fn find(algorithm: Algorithm, listing: &str, name: &str) -> Option<Hash> {
    let hash = |digits: &str| Hash {
        algorithm,
        digits: digits.to_ascii_lowercase(),
    };
    let base = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
    let lines = listing
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty());
    for line in lines.clone() {
        if let Some((digits, rest)) = line.split_once([' ', '\t'])
            && is_hash(digits, algorithm)
        {
            let rest = rest.trim_start();
            let rest = rest.strip_prefix('*').unwrap_or(rest);
            if base(rest) == name {
                return Some(hash(digits));
            }
        }
        let tag = format!("{} (", algorithm.name().to_ascii_uppercase());
        if let Some((inner, digits)) = line
            .strip_prefix(&tag)
            .and_then(|rest| rest.rsplit_once(") = "))
            && is_hash(digits, algorithm)
            && base(inner) == name
        {
            return Some(hash(digits));
        }
    }
    let mut lines = lines;
    match (lines.next(), lines.next()) {
        (Some(only), None) if is_hash(only, algorithm) => Some(hash(only)),
        _ => None,
    }
}

/// The checksum of a file of the host that is not SHA-256; nothing for what is no file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Sum {
    pub(crate) algorithm: Algorithm,
    pub(crate) path: String,
}

impl Probe for Sum {
    const KIND: &'static str = "sum";
    const SCRIPT: &'static str = r#"
while [ $# -ge 2 ]; do
  if [ -f "$2" ] && [ -r "$2" ]; then
    ek_l=$("$1sum" <"$2") && printf '%s\0%s\0%s\0' "$1" "$2" "${ek_l%% *}"
  fi
  shift 2
done"#;
    type Answer = Option<String>;

    fn operands(&self) -> Vec<Vec<u8>> {
        vec![self.algorithm.name().into(), self.path.clone().into_bytes()]
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        let text = String::from_utf8_lossy(output);
        let fields: Vec<&str> = text.split_terminator('\0').collect();
        let mut found = BTreeMap::new();
        for record in fields.chunks(3) {
            let [name, path, digits] = record else {
                return Err(format!("{record:?}"));
            };
            found.insert((*name, *path), (*digits).to_owned());
        }
        let answer = |sum: &&Self| {
            Ok(found
                .get(&(sum.algorithm.name(), sum.path.as_str()))
                .cloned())
        };
        Ok(batch.iter().map(answer).collect())
    }

    fn expected(&self, answer: &Self::Answer) -> Option<Vec<u8>> {
        let record =
            |digits: &String| format!("{}\0{}\0{digits}\0", self.algorithm.name(), self.path);
        Some(answer.as_ref().map(record).unwrap_or_default().into_bytes())
    }

    fn reads(&self) -> Vec<Thing> {
        vec![Thing::Path(self.path.clone())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums() {
        let digits = "0123456789abcdef0123456789ABCDEF01234567";
        for odd in [
            digits.to_owned(),
            format!("\u{200b}{}.{}", &digits[..4], &digits[4..]),
        ] {
            let Ok(Checksum::Known(hash)) = parse_checksum(&format!("sha1:{odd}")) else {
                panic!("{odd}");
            };
            assert_eq!(hash.digits, digits.to_ascii_lowercase());
        }
        for wrong in [
            "sha1",
            "sha1:xyz",
            "sha256:abc",
            "crc:00",
            "sha1:g123456789abcdef0123456789abcdef01234567",
        ] {
            assert!(parse_checksum(wrong).is_err(), "{wrong}");
        }
        let file = Checksum::In(Algorithm::Sha256, "http://h/SUMS".to_owned());
        assert_eq!(parse_checksum("SHA256:http://h/SUMS").unwrap(), file);
    }

    #[test]
    fn checksum_files() {
        let (one, two) = ("a".repeat(64), "b".repeat(64));
        let find = |listing: &str| find(Algorithm::Sha256, listing, "x.gz").map(|hash| hash.digits);
        for listing in [
            format!("{two}  y.gz\n{one}  x.gz\n"),
            format!("{two} *y.gz\r\n{one} *x.gz\r\n"),
            format!("{one}  ./x.gz"),
            format!("{one}  dist/x.gz"),
            format!("SHA256 (y.gz) = {two}\nSHA256 (x.gz) = {one}\n"),
            format!("{one}\n"),
        ] {
            assert_eq!(find(&listing).as_ref(), Some(&one), "{listing}");
        }
        for listing in [
            String::new(),
            format!("{two}  y.gz"),
            format!("{one}\n{two}"),
            "short  x.gz".into(),
        ] {
            assert_eq!(find(&listing), None, "{listing}");
        }
    }
}
