//! What a small file of a server says.

use std::collections::BTreeMap;

use evenkeel_engine::{NotYet, Probe, Thing};

use super::{Request, asking};

/// The text of a small file of a server (a list of checksums), or why it cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listed(pub Request);

impl Probe for Listed {
    const KIND: &'static str = "listed";
    const SCRIPT: &'static str = asking!(
        r#"
ek_listing() {
  ek_head || return
  printf 'ek:code %s\nek:text %s\n' "$ek_code" "$ek_text" >&3
  [ "$ek_code" = 200 ] || return
  printf 'ek:body %s\n' "$(head -c 700000 | base64 | tr -d '\n')" >&3
}
while [ $# -ge 4 ]; do
  ek_id=$1 ek_url=$2 ek_cc=$3 ek_wc=$4
  shift 4
  ek_ask '' 0 ek_listing
  ek_value code
  if [ "$ek_v" = 200 ]; then
    ek_value body
    printf '%s\0=\0' "$ek_id"
    printf '%s' "$ek_v" | base64 -d | tr -d '\0'
    printf '\0'
  else
    ek_why
    printf '%s\0!\0%s\0' "$ek_id" "$ek_w"
  fi
done"#
    );
    type Answer = Result<String, String>;

    fn operands(&self) -> Vec<Vec<u8>> {
        let [url, curl, wget] = self.0.parts();
        vec![self.0.id().into_bytes(), url, curl, wget]
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        let text = String::from_utf8_lossy(output);
        let fields: Vec<&str> = text.split_terminator('\0').collect();
        let mut found = BTreeMap::new();
        for record in fields.chunks(3) {
            let [id, word, text] = record else {
                return Err(format!("{record:?}"));
            };
            let answer = if *word == "=" {
                Ok((*text).to_owned())
            } else {
                Err((*text).to_owned())
            };
            found.insert(*id, answer);
        }
        let answer = |listed: &&Self| {
            let none = || NotYet(format!("what `{}` says", listed.0.shown()));
            found.get(listed.0.id().as_str()).cloned().ok_or_else(none)
        };
        Ok(batch.iter().map(answer).collect())
    }

    fn expected(&self, answer: &Self::Answer) -> Option<Vec<u8>> {
        let (word, text) = match answer {
            Ok(text) => ('=', text),
            Err(text) => ('!', text),
        };
        Some(format!("{}\0{word}\0{text}\0", self.0.id()).into_bytes())
    }

    fn reads(&self) -> Vec<Thing> {
        Vec::new()
    }
}
