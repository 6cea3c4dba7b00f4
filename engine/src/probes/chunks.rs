//! Probes of large files: how long one is, and a part of it.

use std::collections::BTreeMap;

use super::{by_name, denied, files::unbase64, records};
use crate::{late::NotYet, probe::Probe, thing::Thing};

/// How many bytes a regular file has, links followed; nothing for what is not one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Length(pub String);

impl Probe for Length {
    const KIND: &'static str = "length";
    const SCRIPT: &'static str = r#"stat -L --printf '%f|%s|%n\0' -- "$@" 2>/dev/null"#;
    type Answer = Option<u64>;

    fn operands(&self) -> Vec<Vec<u8>> {
        vec![self.0.clone().into_bytes()]
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        let mut found = BTreeMap::new();
        for record in records(output) {
            let wrong = || format!("`{}`", String::from_utf8_lossy(record));
            let mut fields = record.splitn(3, |byte| *byte == b'|');
            let mut text = || std::str::from_utf8(fields.next()?).ok();
            let kind = text().and_then(|bits| u32::from_str_radix(bits, 16).ok());
            let number = text().and_then(|number| number.parse::<u64>().ok());
            let name = fields.next().ok_or_else(wrong)?;
            let (kind, number) = kind.zip(number).ok_or_else(wrong)?;
            let is_file = kind & 0o170_000 == 0o100_000;
            found.insert(name.to_vec(), Ok(is_file.then_some(number)));
        }
        Ok(by_name(
            batch.iter().map(|length| length.0.as_str()),
            &found,
            &None,
        ))
    }

    fn expected(&self, _: &Self::Answer) -> Option<Vec<u8>> {
        None
    }

    fn reads(&self) -> Vec<Thing> {
        vec![Thing::Path(self.0.clone())]
    }
}

/// A part of a regular file, links followed; nothing for what is not one. It is shorter than asked
/// only where the file ends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Chunk {
    /// The file.
    pub path: String,
    /// Where the part begins.
    pub at: u64,
    /// How many bytes it has at most.
    pub len: u64,
}

impl Probe for Chunk {
    const KIND: &'static str = "chunk";
    const SCRIPT: &'static str = r#"
while [ $# -ge 3 ]; do
  if [ ! -f "$1" ]; then :
  elif [ ! -r "$1" ]; then printf '!%s\0%s\0%s\0\0' "$1" "$2" "$3"
  else
    printf '=%s\0%s\0%s\0' "$1" "$2" "$3"
    dd if="$1" bs=1M iflag=skip_bytes,count_bytes,fullblock skip="$2" count="$3" 2>/dev/null | base64 -w 0
    printf '\0'
  fi
  shift 3
done"#;
    type Answer = Option<Vec<u8>>;

    fn operands(&self) -> Vec<Vec<u8>> {
        let Self { path, at, len } = self;
        vec![
            path.clone().into_bytes(),
            at.to_string().into_bytes(),
            len.to_string().into_bytes(),
        ]
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        let mut found: BTreeMap<Vec<&[u8]>, Result<Vec<u8>, NotYet>> = BTreeMap::new();
        let mut parts = output.split(|byte| *byte == 0);
        while let Some(name) = parts.next().filter(|name| !name.is_empty()) {
            let mut next = || parts.next().ok_or("the end is missing");
            let (at, len, text) = (next()?, next()?, next()?);
            let answer = match name.first() {
                Some(b'!') => Err(denied(&String::from_utf8_lossy(&name[1..]))),
                Some(b'=') => Ok(unbase64(text).ok_or("what came is not base64")?),
                _ => return Err(format!("`{}`", String::from_utf8_lossy(name))),
            };
            found.insert(vec![&name[1..], at, len], answer);
        }
        let answer = |chunk: &&Self| {
            let operands = Probe::operands(*chunk);
            let key: Vec<&[u8]> = operands.iter().map(Vec::as_slice).collect();
            match found.get(&key) {
                Some(Ok(bytes)) if bytes.len() as u64 > chunk.len => {
                    Err(format!("more than {} bytes of `{}`", chunk.len, chunk.path))
                }
                Some(found) => Ok(found.clone().map(Some)),
                None => Ok(Ok(None)),
            }
        };
        batch.iter().map(answer).collect()
    }

    fn expected(&self, _: &Self::Answer) -> Option<Vec<u8>> {
        None
    }

    fn reads(&self) -> Vec<Thing> {
        vec![Thing::Path(self.path.clone())]
    }
}
