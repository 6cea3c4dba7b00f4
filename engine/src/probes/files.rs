//! Probes of paths.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{by_name, denied, records};
use crate::{
    late::NotYet,
    probe::Probe,
    source::{Sha, hex, unhex},
    thing::Thing,
};

/// What a path is, links not followed. Times and inode have probes of their own, so that this
/// answer has a normal form.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stat(pub String);

/// What [`Stat`] answers for a path that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileStat {
    /// What it is.
    pub kind: Kind,
    /// Permission bits, with setuid, setgid and sticky.
    pub mode: u32,
    /// Owner's number.
    pub uid: u32,
    /// Group's number.
    pub gid: u32,
    /// Owner's name, `UNKNOWN` if it has none.
    pub owner: String,
    /// Group's name, `UNKNOWN` if it has none.
    pub group: String,
}

/// What a path is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link and what it holds.
    Link(String),
    /// A device, socket or named pipe; the type bits of its mode.
    Other(u32),
}

impl Probe for Stat {
    const KIND: &'static str = "stat";
    // What does not exist is not worth a word, and what has too long a name cannot exist; any other error is.
    const SCRIPT: &'static str = r#"
{ ek_err=$(QUOTING_STYLE=literal stat --printf '%n\0%f|%u|%g|%U|%G|%N\0' -- "$@" 2>&1 >&3); } 3>&1
ek_ifs=$IFS
IFS='
'
set -f
for ek_l in $ek_err; do
  case $ek_l in
    *': No such file or directory' | *': Not a directory' | *': File name too long') ;;
    *) printf '!\0%s\0' "$ek_l" ;;
  esac
done
set +f
IFS=$ek_ifs"#;
    type Answer = Option<FileStat>;

    fn operands(&self) -> Vec<Vec<u8>> {
        vec![self.0.clone().into_bytes()]
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        let asked: BTreeMap<&[u8], &str> = batch
            .iter()
            .map(|stat| (stat.0.as_bytes(), stat.0.as_str()))
            .collect();
        let (mut found, mut trouble) = (BTreeMap::new(), None);
        let mut parts = records(output);
        while let (Some(name), Some(record)) = (parts.next(), parts.next()) {
            if name == b"!" {
                let error = String::from_utf8_lossy(record).into_owned();
                let rest = error.strip_suffix(": Permission denied").unwrap_or("");
                let mut names = asked.values().filter(|name| quoted_end(rest, name));
                if let Some(name) = names.next() {
                    found.insert(name.as_bytes().to_vec(), Err(denied(name)));
                } else {
                    trouble = Some(NotYet(error));
                }
                continue;
            }
            let stat = parse_stat(name, record)
                .ok_or_else(|| format!("`{}`", String::from_utf8_lossy(record)))?;
            found.insert(name.to_vec(), Ok(Some(stat)));
        }
        // After an error that names nothing that was asked, what was not found may yet be there.
        let missing = trouble.map_or(Ok(None), Err);
        let answer = |stat: &&Self| found.get(stat.0.as_bytes()).unwrap_or(&missing).clone();
        Ok(batch.iter().map(answer).collect())
    }

    fn expected(&self, answer: &Self::Answer) -> Option<Vec<u8>> {
        let Some(stat) = answer else {
            return Some(Vec::new());
        };
        let (bits, link) = match &stat.kind {
            Kind::File => (0o100_000, String::new()),
            Kind::Directory => (0o040_000, String::new()),
            Kind::Link(target) => (0o120_000, format!(" -> {target}")),
            Kind::Other(bits) => (*bits, String::new()),
        };
        let FileStat {
            uid,
            gid,
            owner,
            group,
            mode,
            ..
        } = stat;
        let mode = bits | mode;
        let name = &self.0;
        Some(format!("{name}\0{mode:x}|{uid}|{gid}|{owner}|{group}|{name}{link}\0").into_bytes())
    }

    fn reads(&self) -> Vec<Thing> {
        vec![Thing::Path(self.0.clone())]
    }
}

/// Whether an error's text ends in the name, quoted or not.
fn quoted_end(text: &str, name: &str) -> bool {
    let text = text.strip_suffix('\'').unwrap_or(text);
    text.strip_suffix(name)
        .is_some_and(|rest| rest.ends_with([' ', '\'']))
}

fn parse_stat(name: &[u8], record: &[u8]) -> Option<FileStat> {
    let mut fields = record.splitn(6, |byte| *byte == b'|');
    let mut text = || std::str::from_utf8(fields.next()?).ok();
    let raw = u32::from_str_radix(text()?, 16).ok()?;
    let (uid, gid) = (text()?.parse().ok()?, text()?.parse().ok()?);
    let (owner, group) = (text()?.to_owned(), text()?.to_owned());
    let rest = fields.next()?.strip_prefix(name)?;
    let kind = match raw & 0o170_000 {
        0o120_000 => Kind::Link(String::from_utf8_lossy(rest.strip_prefix(b" -> ")?).into_owned()),
        0o100_000 => Kind::File,
        0o040_000 => Kind::Directory,
        other => Kind::Other(other),
    };
    Some(FileStat {
        kind,
        mode: raw & 0o7777,
        uid,
        gid,
        owner,
        group,
    })
}

/// SHA-256 of a regular file, links followed; nothing for what is not one (a FIFO would hang).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Digest(pub String);

impl Probe for Digest {
    const KIND: &'static str = "digest";
    // The list of positions spares a quadratic `set -- "$@" …`. What has just come was summed up then (`step.sh`).
    const SCRIPT: &'static str = r#"
ek_i=0 ek_list=
for ek_p in "$@"; do
  ek_i=$((ek_i + 1))
  [ -f "$ek_p" ] || continue
  if [ "$ek_p" = "${ek_sealed-}" ] && [ "$(stat -L -c '%d %i %s %y' -- "$ek_p")" = "$ek_seal" ]; then
    printf '%s  %s\0' "$ek_sealed_sum" "$ek_p"
  elif [ -r "$ek_p" ]; then ek_list="$ek_list \"\${$ek_i}\""; else printf '!%s\0' "$ek_p"; fi
done
[ -z "$ek_list" ] || eval "sha256sum -z -- $ek_list""#;
    type Answer = Option<Sha>;

    fn operands(&self) -> Vec<Vec<u8>> {
        vec![self.0.clone().into_bytes()]
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        let mut found = BTreeMap::new();
        for record in records(output) {
            if let Some(name) = record.strip_prefix(b"!") {
                found.insert(name.to_vec(), Err(denied(&String::from_utf8_lossy(name))));
                continue;
            }
            let (sha, name) = record
                .split_at_checked(64)
                .and_then(|(digits, rest)| {
                    Some((unhex(std::str::from_utf8(digits).ok()?)?, rest.get(2..)?))
                })
                .ok_or_else(|| format!("`{}`", String::from_utf8_lossy(record)))?;
            found.insert(name.to_vec(), Ok(Some(sha)));
        }
        Ok(by_name(
            batch.iter().map(|digest| digest.0.as_str()),
            &found,
            &None,
        ))
    }

    fn expected(&self, answer: &Self::Answer) -> Option<Vec<u8>> {
        let line = answer.map(|sha| format!("{}  {}\0", hex(&sha), self.0));
        Some(line.unwrap_or_default().into_bytes())
    }

    fn reads(&self) -> Vec<Thing> {
        vec![Thing::Path(self.0.clone())]
    }
}

/// The bytes of a regular file of at most [`CONTENTS_LIMIT`], links followed; nothing for what is
/// not one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Contents(pub String);

/// The largest file that [`Contents`] answers, in bytes.
pub const CONTENTS_LIMIT: usize = 1024 * 1024;

impl Probe for Contents {
    const KIND: &'static str = "contents";
    const SCRIPT: &'static str = r#"
for ek_p in "$@"; do
  [ -f "$ek_p" ] || continue
  if [ -r "$ek_p" ]; then
    printf '=%s\0' "$ek_p"; head -c 1048577 -- "$ek_p" | base64 -w 0; printf '\0'
  else
    printf '!%s\0' "$ek_p"
  fi
done"#;
    type Answer = Option<Vec<u8>>;

    fn operands(&self) -> Vec<Vec<u8>> {
        vec![self.0.clone().into_bytes()]
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        let mut found = BTreeMap::new();
        let mut rest = output;
        while let Some(end) = rest.iter().position(|byte| *byte == 0) {
            let (name, tail) = (&rest[..end], &rest[end + 1..]);
            rest = tail;
            if let Some(name) = name.strip_prefix(b"!") {
                found.insert(name.to_vec(), Err(denied(&String::from_utf8_lossy(name))));
            } else if let Some(name) = name.strip_prefix(b"=") {
                let end = rest
                    .iter()
                    .position(|byte| *byte == 0)
                    .ok_or("the end is missing")?;
                let bytes = unbase64(&rest[..end]).ok_or("what came is not base64")?;
                rest = &rest[end + 1..];
                let answer = if bytes.len() > CONTENTS_LIMIT {
                    let name = String::from_utf8_lossy(name);
                    Err(NotYet(format!(
                        "`{name}` is larger than {CONTENTS_LIMIT} bytes"
                    )))
                } else {
                    Ok(Some(bytes))
                };
                found.insert(name.to_vec(), answer);
            } else {
                return Err(format!("`{}`", String::from_utf8_lossy(name)));
            }
        }
        Ok(by_name(
            batch.iter().map(|contents| contents.0.as_str()),
            &found,
            &None,
        ))
    }

    fn expected(&self, answer: &Self::Answer) -> Option<Vec<u8>> {
        let Some(bytes) = answer else {
            return Some(Vec::new());
        };
        Some(format!("={}\0{}\0", self.0, base64(bytes)).into_bytes())
    }

    fn reads(&self) -> Vec<Thing> {
        vec![Thing::Path(self.0.clone())]
    }
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

pub(super) fn unbase64(text: &[u8]) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// The first existing path that a shell pattern matches (`*`, `?`, `[…]`); a plain path is its own
/// pattern.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Glob(pub String);

impl Probe for Glob {
    const KIND: &'static str = "glob";
    const SCRIPT: &'static str = r#"
ek_ifs=$IFS; IFS=
for ek_g in "$@"; do
  for ek_p in $ek_g; do
    if [ -e "$ek_p" ] || [ -L "$ek_p" ]; then printf '%s\0%s\0' "$ek_g" "$ek_p"; break; fi
  done
done
IFS=$ek_ifs"#;
    type Answer = Option<String>;

    fn operands(&self) -> Vec<Vec<u8>> {
        vec![self.0.clone().into_bytes()]
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        let mut found = BTreeMap::new();
        let mut parts = records(output);
        while let (Some(pattern), Some(path)) = (parts.next(), parts.next()) {
            let path = String::from_utf8_lossy(path).into_owned();
            found.insert(pattern.to_vec(), Ok(Some(path)));
        }
        Ok(by_name(
            batch.iter().map(|glob| glob.0.as_str()),
            &found,
            &None,
        ))
    }

    fn expected(&self, answer: &Self::Answer) -> Option<Vec<u8>> {
        let line = answer.as_ref().map(|path| format!("{}\0{path}\0", self.0));
        Some(line.unwrap_or_default().into_bytes())
    }

    fn reads(&self) -> Vec<Thing> {
        if !self.0.contains(['*', '?', '[']) {
            return vec![Thing::Path(self.0.clone())];
        }
        let plain = self.0.split(['*', '?', '[']).next().unwrap_or_default();
        let dir = plain
            .rsplit_once('/')
            .map_or("/", |(dir, _)| if dir.is_empty() { "/" } else { dir });
        vec![Thing::Tree(dir.to_owned())]
    }
}

/// A record of `stat` with a format that ends in the name.
fn stat_numbers(output: &[u8], count: usize) -> Result<BTreeMap<Vec<u8>, Vec<i64>>, String> {
    let wrong = |record: &[u8]| format!("`{}`", String::from_utf8_lossy(record));
    records(output)
        .map(|record| {
            let mut fields = record.splitn(count + 1, |byte| *byte == b'|');
            let numbers = (0..count)
                .map(|_| std::str::from_utf8(fields.next()?).ok()?.parse().ok())
                .collect::<Option<Vec<i64>>>()
                .ok_or_else(|| wrong(record))?;
            let name = fields.next().ok_or_else(|| wrong(record))?;
            Ok((name.to_vec(), numbers))
        })
        .collect()
}

/// Device and inode of a path, links not followed: whether two names are one file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Inode(pub String);

impl Probe for Inode {
    const KIND: &'static str = "inode";
    const SCRIPT: &'static str = r#"stat --printf '%d|%i|%n\0' -- "$@" 2>/dev/null"#;
    type Answer = Option<(i64, i64)>;

    fn operands(&self) -> Vec<Vec<u8>> {
        vec![self.0.clone().into_bytes()]
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        let found = stat_numbers(output, 2)?;
        Ok(batch
            .iter()
            .map(|p| Ok(found.get(p.0.as_bytes()).map(|n| (n[0], n[1]))))
            .collect())
    }

    fn expected(&self, answer: &Self::Answer) -> Option<Vec<u8>> {
        let line = answer.map(|(device, inode)| format!("{device}|{inode}|{}\0", self.0));
        Some(line.unwrap_or_default().into_bytes())
    }

    fn reads(&self) -> Vec<Thing> {
        vec![Thing::Path(self.0.clone())]
    }
}

/// Access and modification time of a path, in whole seconds since 1970, links followed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Times(pub String);

impl Probe for Times {
    const KIND: &'static str = "times";
    const SCRIPT: &'static str = r#"stat -L --printf '%X|%Y|%n\0' -- "$@" 2>/dev/null"#;
    /// Access, modification.
    type Answer = Option<(i64, i64)>;

    fn operands(&self) -> Vec<Vec<u8>> {
        vec![self.0.clone().into_bytes()]
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        let found = stat_numbers(output, 2)?;
        Ok(batch
            .iter()
            .map(|p| Ok(found.get(p.0.as_bytes()).map(|n| (n[0], n[1]))))
            .collect())
    }

    fn expected(&self, answer: &Self::Answer) -> Option<Vec<u8>> {
        let line = answer.map(|(access, modified)| format!("{access}|{modified}|{}\0", self.0));
        Some(line.unwrap_or_default().into_bytes())
    }

    fn reads(&self) -> Vec<Thing> {
        vec![Thing::Path(self.0.clone())]
    }
}

/// Whether a directory has no entries; nothing if the path is no directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EmptyDirectory(pub String);

impl Probe for EmptyDirectory {
    const KIND: &'static str = "empty_directory";
    const SCRIPT: &'static str = r#"
for ek_p in "$@"; do
  [ -d "$ek_p" ] || continue
  ek_e=1
  for ek_f in "$ek_p"/* "$ek_p"/.[!.]* "$ek_p"/..?*; do
    if [ -e "$ek_f" ] || [ -L "$ek_f" ]; then ek_e=0; break; fi
  done
  printf '%s|%s\0' "$ek_e" "$ek_p"
done"#;
    type Answer = Option<bool>;

    fn operands(&self) -> Vec<Vec<u8>> {
        vec![self.0.clone().into_bytes()]
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        let found = stat_numbers(output, 1)?;
        Ok(batch
            .iter()
            .map(|p| Ok(found.get(p.0.as_bytes()).map(|n| n[0] == 1)))
            .collect())
    }

    fn expected(&self, answer: &Self::Answer) -> Option<Vec<u8>> {
        let line = answer.map(|empty| format!("{}|{}\0", u8::from(empty), self.0));
        Some(line.unwrap_or_default().into_bytes())
    }

    fn reads(&self) -> Vec<Thing> {
        vec![Thing::Tree(self.0.clone())]
    }
}

/// A path with all links resolved; what does not exist stays as written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RealPath(pub String);

impl Probe for RealPath {
    const KIND: &'static str = "realpath";
    // `realpath` prints no names, but exactly one record for each operand; with `-m` none fails.
    const SCRIPT: &'static str = r#"realpath -m -z -- "$@""#;
    type Answer = String;

    fn operands(&self) -> Vec<Vec<u8>> {
        vec![self.0.clone().into_bytes()]
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        let paths: Vec<_> = records(output)
            .map(|path| String::from_utf8_lossy(path).into_owned())
            .collect();
        if paths.len() != batch.len() {
            return Err(format!("{} paths for {}", paths.len(), batch.len()));
        }
        Ok(paths.into_iter().map(Ok).collect())
    }

    fn expected(&self, answer: &Self::Answer) -> Option<Vec<u8>> {
        Some(format!("{answer}\0").into_bytes())
    }

    fn reads(&self) -> Vec<Thing> {
        vec![Thing::Path(self.0.clone())]
    }
}
