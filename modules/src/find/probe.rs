//! What is below a directory, with sizes and times.

use std::collections::BTreeMap;

use evenkeel_engine::{NotYet, Probe, Thing};

/// How a tree is gone through.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tree {
    /// Where.
    pub path: String,
    /// How deep; nothing: to the end.
    pub depth: Option<u32>,
    /// Whether links to directories are gone through.
    pub follow: bool,
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its path.
    pub path: String,
    /// `f`, `d`, `l` and so on, as `find` calls them.
    pub kind: char,
    /// Permission bits.
    pub mode: u32,
    /// Bytes.
    pub size: u64,
    /// Owner's number and name, group's number and name.
    pub owner: (u32, String),
    /// Group's number and name.
    pub group: (u32, String),
    /// Accessed, changed, modified: seconds since 1970.
    pub times: [i64; 3],
    /// Device, inode, links.
    pub numbers: [u64; 3],
}

/// What is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The host's clock: seconds since 1970.
    pub now: i64,
    /// All below the directory, sorted; nothing if it is no directory.
    pub entries: Option<Vec<Entry>>,
}

impl Probe for Tree {
    const KIND: &'static str = "find";
    const SCRIPT: &'static str = r#"
find --version >/dev/null 2>&1 || { printf 'missing\0'; return 0; }
ek_n=0
while [ $# -gt 0 ]; do
  ek_n=$((ek_n + 1))
  printf 'now|%s|%s\0' "$ek_n" "$(date +%s)"
  if [ -d "$1" ]; then
    printf 'dir|%s\0' "$ek_n"
    find ${3:+-L} "$1/" -mindepth 1 ${2:+-maxdepth "$2"} -printf "$ek_n|%y|%m|%s|%U|%G|%A@|%C@|%T@|%D|%i|%n|%u|%g|%p\\0" 2>/dev/null
  fi
  shift 3
done"#;
    type Answer = Found;

    fn operands(&self) -> Vec<Vec<u8>> {
        let depth = self
            .depth
            .map(|depth| depth.to_string())
            .unwrap_or_default();
        let follow = if self.follow { "L" } else { "" };
        vec![
            self.path.clone().into_bytes(),
            depth.into_bytes(),
            follow.into(),
        ]
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        if output == b"missing\0" {
            let missing = NotYet::new("GNU `find` (of the package `findutils`)");
            return Ok(batch.iter().map(|_| Err(missing.clone())).collect());
        }
        let mut found: BTreeMap<usize, Found> = BTreeMap::new();
        for record in output
            .split(|byte| *byte == 0)
            .filter(|record| !record.is_empty())
        {
            let text = String::from_utf8_lossy(record);
            let wrong = || format!("`{text}`");
            let number = |text: &str| text.parse::<usize>().map_err(|_| wrong());
            match text.splitn(3, '|').collect::<Vec<_>>()[..] {
                ["now", at, now] => {
                    let now = now.parse().map_err(|_| wrong())?;
                    let entries = None;
                    found.insert(number(at)?, Found { now, entries });
                }
                ["dir", at] => {
                    let found = found.get_mut(&number(at)?).ok_or_else(wrong)?;
                    found.entries = Some(Vec::new());
                }
                [at, ..] => {
                    let found = found.get_mut(&number(at)?).ok_or_else(wrong)?;
                    let entries = found.entries.as_mut().ok_or_else(wrong)?;
                    entries.push(entry(&text).ok_or_else(wrong)?);
                }
                [] => return Err(wrong()),
            }
        }
        for found in found.values_mut() {
            if let Some(entries) = &mut found.entries {
                entries.sort_by(|one, other| one.path.cmp(&other.path));
            }
        }
        (1..=batch.len())
            .map(|at| {
                found
                    .remove(&at)
                    .map(Ok)
                    .ok_or_else(|| "an answer is missing".to_owned())
            })
            .collect()
    }

    fn expected(&self, _: &Self::Answer) -> Option<Vec<u8>> {
        // The clock goes on.
        None
    }

    fn reads(&self) -> Vec<Thing> {
        if self.follow {
            vec![Thing::Everything]
        } else {
            vec![Thing::Tree(self.path.clone())]
        }
    }
}

fn entry(text: &str) -> Option<Entry> {
    let fields: Vec<&str> = text.splitn(15, '|').collect();
    let [
        _,
        kind,
        mode,
        size,
        uid,
        gid,
        accessed,
        changed,
        modified,
        device,
        inode,
        links,
        user,
        group,
        path,
    ] = fields[..]
    else {
        return None;
    };
    let time = |text: &str| text.split('.').next()?.parse().ok();
    Some(Entry {
        path: path.replacen("//", "/", 1),
        kind: kind.chars().next()?,
        mode: u32::from_str_radix(mode, 8).ok()?,
        size: size.parse().ok()?,
        owner: (uid.parse().ok()?, user.to_owned()),
        group: (gid.parse().ok()?, group.to_owned()),
        times: [time(accessed)?, time(changed)?, time(modified)?],
        numbers: [
            device.parse().ok()?,
            inode.parse().ok()?,
            links.parse().ok()?,
        ],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read() {
        let (one, two) = (
            Tree {
                path: "/a".into(),
                depth: Some(1),
                follow: false,
            },
            Tree {
                path: "/no".into(),
                depth: None,
                follow: false,
            },
        );
        let output =
            b"now|1|100\0dir|1\x001|f|644|3|0|5|1.5|2.5|3.5|9|8|1|root|web|/a/x|y\n\0now|2|101\0";
        let read = Tree::parse(&[&one, &two], output).unwrap();
        let found = read[0].as_ref().unwrap();
        let entry = &found.entries.as_ref().unwrap()[0];
        assert_eq!(
            (entry.path.as_str(), entry.mode, entry.size),
            ("/a/x|y\n", 0o644, 3)
        );
        assert_eq!(
            (entry.times, &entry.group),
            ([1, 2, 3], &(5, "web".to_owned()))
        );
        assert_eq!(
            read[1],
            Ok(Found {
                now: 101,
                entries: None
            })
        );
        assert!(Tree::parse(&[&one], b"missing\0").unwrap()[0].is_err());
        assert!(Tree::parse(&[&one], b"1|f\0").is_err());
    }
}
