//! Checksums of files by any algorithm; the engine's own is SHA-256.

use std::collections::BTreeMap;

use evenkeel_engine::{
    Content, Late, NotYet, Probe, Refusal, Sha, Thing, download::Algorithm, hex, probes::Digest,
};
use sha1::{Digest as _, Sha1};

use crate::look::Look;

/// The checksum of a regular file, links followed, in hexadecimal; nothing for what is not one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sum {
    /// How it is made.
    pub algorithm: Algorithm,
    /// The file.
    pub path: String,
}

impl Probe for Sum {
    const KIND: &'static str = "sum";
    const SCRIPT: &'static str = r#"
while [ $# -ge 2 ]; do
  if [ -f "$2" ]; then
    if [ -r "$2" ] && ek_s=$("${1}sum" <"$2" 2>/dev/null); then ek_s=${ek_s%% *}; else ek_s=!; fi
    printf '%s\0%s\0%s\0' "$1" "$2" "$ek_s"
  fi
  shift 2
done"#;
    type Answer = Option<String>;

    fn operands(&self) -> Vec<Vec<u8>> {
        vec![self.algorithm.name().into(), self.path.clone().into_bytes()]
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        let fields: Vec<&[u8]> = output.split(|byte| *byte == 0).collect();
        let mut found = BTreeMap::new();
        for record in fields.chunks_exact(3) {
            let digits = std::str::from_utf8(record[2]).map_err(|_| "a checksum is no text")?;
            found.insert((record[0], record[1]), digits);
        }
        let answer = |sum: &&Self| {
            let name = sum.algorithm.name();
            match found.get(&(name.as_bytes(), sum.path.as_bytes())) {
                None => Ok(None),
                Some(&"!") => Err(NotYet(format!(
                    "the {name} of `{}`, which cannot be read",
                    sum.path
                ))),
                Some(digits) => Ok(Some((*digits).to_owned())),
            }
        };
        Ok(batch.iter().map(answer).collect())
    }

    fn expected(&self, answer: &Self::Answer) -> Option<Vec<u8>> {
        let name = self.algorithm.name();
        let line = answer
            .as_ref()
            .map(|digits| format!("{name}\0{}\0{digits}\0", self.path));
        Some(line.unwrap_or_default().into_bytes())
    }

    fn reads(&self) -> Vec<Thing> {
        vec![Thing::Path(self.path.clone())]
    }
}

/// The algorithm of this name; SHA-1 where none is named, as Ansible has it.
pub(crate) fn checked(name: Option<&str>) -> Result<Algorithm, Refusal> {
    let Some(name) = name else {
        return Ok(Algorithm::Sha1);
    };
    let mut all = Algorithm::ALL.into_iter();
    all.find(|algorithm| algorithm.name() == name)
        .ok_or_else(|| {
            Refusal::new(format!("`checksum_algorithm: {name}` is not known"))
                .help("it is `sha1` (the default), `md5`, `sha224`, `sha256`, `sha384` or `sha512`")
        })
}

/// Asks for the checksum of a file.
pub(crate) fn ask(look: &Look<'_>, algorithm: Algorithm, path: &str) {
    let path = path.to_owned();
    match algorithm {
        // Of this what steps make is foretold.
        Algorithm::Sha256 => look.ask(&Digest(path)),
        algorithm => look.ask(&Sum { algorithm, path }),
    }
}

/// The checksum of a file, so far as it is known.
pub(crate) fn get(look: &Look<'_>, algorithm: Algorithm, path: &str) -> Option<Late<String>> {
    let path = path.to_owned();
    let known = match algorithm {
        Algorithm::Sha256 => look
            .get(&Digest(path))
            .map(|sha: &Option<Sha>| sha.map(|sha| hex(&sha))),
        algorithm => look.get(&Sum { algorithm, path }).cloned(),
    };
    known.map_or_else(|what| Some(Late::NotYet(what)), |sum| sum.map(Late::Known))
}

/// The SHA-1 of a content, which is what Ansible tells of what it writes; no file is read for it.
pub(crate) fn sha1(content: &Content) -> Option<String> {
    match content {
        Content::Plain(bytes) => Some(hex(&Sha1::digest(bytes))),
        Content::Secret(_) => None,
        Content::Source(source) => source.sha1().map(|sum| hex(&sum)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_as_it_is_expected() {
        let sum = |algorithm, path: &str| Sum {
            algorithm,
            path: path.to_owned(),
        };
        let (one, other) = (sum(Algorithm::Md5, "/a"), sum(Algorithm::Sha1, "/a"));
        let output = one.expected(&Some("0f".to_owned())).unwrap();
        let answers = Sum::parse(&[&one, &other], &output).unwrap();
        assert_eq!(answers, [Ok(Some("0f".to_owned())), Ok(None)]);
        let denied = Sum::parse(&[&one], b"md5\0/a\0!\0").unwrap();
        assert!(denied[0].is_err());
    }
}
