//! What only `stat` wants to know of a path.

use std::collections::BTreeMap;

use evenkeel_engine::{Late, NotYet, Probe, Thing};
use serde::{Deserialize, Serialize};

/// Size, links, device, inode and times of a path, links not followed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Details(pub String);

/// What [`Details`] answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Detail {
    /// Bytes.
    pub size: i64,
    /// Hard links.
    pub nlink: i64,
    /// Device.
    pub dev: i64,
    /// Inode.
    pub inode: i64,
    /// Last access, in seconds since 1970.
    pub atime: i64,
    /// Last change of the content.
    pub mtime: i64,
    /// Last change of anything.
    pub ctime: i64,
}

/// The same in a result: while looking ahead a path may be foretold, but not these.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Numbers {
    /// Bytes.
    pub size: Late<i64>,
    /// Hard links.
    pub nlink: Late<i64>,
    /// Device.
    pub dev: Late<i64>,
    /// Inode.
    pub inode: Late<i64>,
    /// Last access, in seconds since 1970.
    pub atime: Late<i64>,
    /// Last change of the content.
    pub mtime: Late<i64>,
    /// Last change of anything.
    pub ctime: Late<i64>,
}

impl From<Result<Detail, NotYet>> for Numbers {
    fn from(known: Result<Detail, NotYet>) -> Self {
        let number = |of: fn(Detail) -> i64| match &known {
            Ok(detail) => Late::Known(of(*detail)),
            Err(what) => Late::NotYet(what.clone()),
        };
        Self {
            size: number(|detail| detail.size),
            nlink: number(|detail| detail.nlink),
            dev: number(|detail| detail.dev),
            inode: number(|detail| detail.inode),
            atime: number(|detail| detail.atime),
            mtime: number(|detail| detail.mtime),
            ctime: number(|detail| detail.ctime),
        }
    }
}

impl Default for Numbers {
    fn default() -> Self {
        Ok(Detail::default()).into()
    }
}

impl Probe for Details {
    const KIND: &'static str = "details";
    const SCRIPT: &'static str = r#"stat --printf '%s|%h|%d|%i|%X|%Y|%Z|%n\0' -- "$@" 2>/dev/null"#;
    type Answer = Option<Detail>;

    fn operands(&self) -> Vec<Vec<u8>> {
        vec![self.0.clone().into_bytes()]
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        let mut found = BTreeMap::new();
        for record in output.split(|byte| *byte == 0).filter(|r| !r.is_empty()) {
            let text = String::from_utf8_lossy(record);
            let fields: Vec<&str> = text.splitn(8, '|').collect();
            let numbers: Vec<i64> = fields
                .iter()
                .take(7)
                .filter_map(|n| n.parse().ok())
                .collect();
            let ([size, nlink, dev, inode, atime, mtime, ctime], Some(path)) =
                (&numbers[..], fields.get(7))
            else {
                return Err(format!("`{text}`"));
            };
            let detail = Detail {
                size: *size,
                nlink: *nlink,
                dev: *dev,
                inode: *inode,
                atime: *atime,
                mtime: *mtime,
                ctime: *ctime,
            };
            found.insert((*path).to_owned(), detail);
        }
        Ok(batch
            .iter()
            .map(|path| Ok(found.get(&path.0).copied()))
            .collect())
    }

    fn expected(&self, answer: &Self::Answer) -> Option<Vec<u8>> {
        let Some(detail) = answer else {
            return Some(Vec::new());
        };
        let Detail {
            size,
            nlink,
            dev,
            inode,
            atime,
            mtime,
            ctime,
        } = detail;
        let path = &self.0;
        Some(format!("{size}|{nlink}|{dev}|{inode}|{atime}|{mtime}|{ctime}|{path}\0").into_bytes())
    }

    fn reads(&self) -> Vec<Thing> {
        vec![Thing::Path(self.0.clone())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_as_it_is_expected() {
        let (here, gone) = (Details("/a|b".into()), Details("/gone".into()));
        let detail = Detail {
            size: 3,
            mtime: -1,
            ..Detail::default()
        };
        let output = here.expected(&Some(detail)).unwrap();
        let answers = Details::parse(&[&here, &gone], &output).unwrap();
        assert_eq!(answers, [Ok(Some(detail)), Ok(None)]);
    }
}
