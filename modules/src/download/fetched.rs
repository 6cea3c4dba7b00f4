//! What a small file of a server holds, byte for byte.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use evenkeel_engine::{
    Content, NotYet, Probe, Stop, Thing,
    download::{Downloaded, DownloadedText},
};

use super::{Request, asking, step::can};
use crate::look::Look;

/// The bytes of a small file of a server (a key), or why it cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fetched(pub Request);

impl Probe for Fetched {
    const KIND: &'static str = "fetched";
    const SCRIPT: &'static str = asking!(
        r#"
ek_bytes() {
  ek_head || return
  printf 'ek:code %s\nek:text %s\n' "$ek_code" "$ek_text" >&3
  [ "$ek_code" = 200 ] || return
  printf 'ek:body %s\n' "$(head -c 700000 | base64 | tr -d '\n')" >&3
}
while [ $# -ge 4 ]; do
  ek_id=$1 ek_url=$2 ek_cc=$3 ek_wc=$4
  shift 4
  ek_ask '' 0 ek_bytes
  ek_value code
  if [ "$ek_v" = 200 ]; then
    ek_value body
    printf '%s\0=\0%s\0' "$ek_id" "$ek_v"
  else
    ek_why
    printf '%s\0!\0%s\0' "$ek_id" "$ek_w"
  fi
done"#
    );
    type Answer = Result<Vec<u8>, String>;

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
                Ok(BASE64
                    .decode(text.as_bytes())
                    .map_err(|_| "what came is not base64")?)
            } else {
                Err((*text).to_owned())
            };
            found.insert(*id, answer);
        }
        let answer = |fetched: &&Self| {
            let none = || NotYet(format!("what `{}` says", fetched.0.shown()));
            found.get(fetched.0.id().as_str()).cloned().ok_or_else(none)
        };
        Ok(batch.iter().map(answer).collect())
    }

    fn expected(&self, answer: &Self::Answer) -> Option<Vec<u8>> {
        let (word, text) = match answer {
            Ok(bytes) => ('=', BASE64.encode(bytes)),
            Err(text) => ('!', text.clone()),
        };
        Some(format!("{}\0{word}\0{text}\0", self.0.id()).into_bytes())
    }

    fn reads(&self) -> Vec<Thing> {
        Vec::new()
    }
}

/// A small file of a server, and whether it holds this text: the host gets it, or this machine where the host cannot.
pub(crate) fn small(
    look: &Look<'_>,
    request: &Request,
    holds: &str,
) -> Result<(Content, bool), Stop> {
    let failed = |why: &String| Stop::refused(format!("`{}`: {why}", request.shown()));
    look.ask(&Fetched(request.clone()));
    if can(look)? {
        let bytes = look.get(&Fetched(request.clone()))?;
        let bytes = bytes.as_ref().map_err(failed)?;
        let text = String::from_utf8_lossy(bytes);
        return Ok((bytes.clone().into(), text.contains(holds)));
    }
    let order = request.order(None, true)?;
    look.ask(&Downloaded(order.clone()));
    let text = look.get(&DownloadedText(order.clone()))?;
    if let Ok(text) = text
        && text.contains(holds)
    {
        return Ok((text.as_bytes().to_vec().into(), true));
    }
    let got = look.get(&Downloaded(order))?.as_ref().map_err(failed)?;
    Ok((Content::Source(got.source.clone()), false))
}
