//! What was unpacked, and whether it is still there.

use std::collections::BTreeMap;

use evenkeel_engine::{NotYet, Probe, Thing, hex, sha256};

/// What was unpacked last into a directory, and what is no longer as it was left.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unpacked {
    /// The name of its record.
    pub id: String,
    /// The directory.
    pub dest: String,
    /// Whether contents may be newer.
    pub newer: bool,
}

/// What [`Unpacked`] answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members {
    /// The archive and how it was unpacked; nothing if none was, to the end.
    pub key: Option<String>,
    /// Members that differ: the first five.
    pub differ: Vec<String>,
}

impl Unpacked {
    fn token(&self) -> String {
        hex(&sha256(format!("{self:?}").as_bytes()))[..16].to_owned()
    }
}

impl Probe for Unpacked {
    const KIND: &'static str = "unpacked";
    const SCRIPT: &'static str = concat!(include_str!("list.sh"), include_str!("look.sh"));
    type Answer = Members;

    fn operands(&self) -> Vec<Vec<u8>> {
        let newer = if self.newer { "1" } else { "" };
        [
            self.token(),
            self.id.clone(),
            self.dest.clone(),
            newer.to_owned(),
        ]
        .map(String::into_bytes)
        .into()
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        let text = String::from_utf8_lossy(output);
        let fields: Vec<&str> = text.split_terminator('\0').collect();
        let mut found = BTreeMap::new();
        for record in fields.chunks(3) {
            let [token, key, differ] = record else {
                return Err(format!("{record:?}"));
            };
            let key = Some((*key).to_owned()).filter(|key| !key.is_empty());
            let differ = differ.lines().map(str::to_owned).collect();
            found.insert(*token, Members { key, differ });
        }
        let answer = |unpacked: &&Self| {
            let none = || NotYet(format!("what is in `{}`", unpacked.dest));
            found
                .get(unpacked.token().as_str())
                .cloned()
                .ok_or_else(none)
        };
        Ok(batch.iter().map(answer).collect())
    }

    fn expected(&self, answer: &Self::Answer) -> Option<Vec<u8>> {
        let key = answer.key.as_deref().unwrap_or_default();
        let mut differ = answer.differ.join("\n");
        if !differ.is_empty() {
            differ.push('\n');
        }
        Some(format!("{}\0{key}\0{differ}\0", self.token()).into_bytes())
    }

    fn reads(&self) -> Vec<Thing> {
        vec![Thing::Tree(self.dest.clone())]
    }
}
