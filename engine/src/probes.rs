//! The engine's own probes: paths, contents, programs, accounts. Modules add theirs.

mod accounts;
mod ask;
mod chunks;
mod files;

pub use accounts::{Account, Group, Me, User, Whoami};
pub use ask::{Answered, Ask, Which};
pub use chunks::{Chunk, Length};
pub use files::{
    CONTENTS_LIMIT, Contents, Digest, EmptyDirectory, FileStat, Glob, Inode, Kind, RealPath, Stat,
    Times,
};

pub(crate) use files::base64;

use std::collections::BTreeMap;

use crate::late::NotYet;

/// Splits NUL-terminated records.
fn records(output: &[u8]) -> impl Iterator<Item = &[u8]> {
    output
        .split(|byte| *byte == 0)
        .filter(|record| !record.is_empty())
}

/// Answers in the order of the batch, from a map by name; `missing` for those not in it.
fn by_name<'a, T: Clone>(
    names: impl Iterator<Item = &'a str>,
    found: &BTreeMap<Vec<u8>, Result<T, NotYet>>,
    missing: &T,
) -> Vec<Result<T, NotYet>> {
    names
        .map(|name| {
            found
                .get(name.as_bytes())
                .cloned()
                .unwrap_or_else(|| Ok(missing.clone()))
        })
        .collect()
}

fn denied(name: &str) -> NotYet {
    NotYet(format!("`{name}`: permission denied"))
}
