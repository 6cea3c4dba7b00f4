//! Ansible's filters, as far as they are used and are not minijinja's already.

#![expect(
    clippy::needless_pass_by_value,
    reason = "minijinja hands arguments over by value"
)]

mod data;
mod format;
mod hash;
mod lookup;
mod number;
mod path;
mod sets;
mod text;

use minijinja::{Environment, Error, ErrorKind};

/// All names that [`add`] adds.
pub(super) const NAMES: &[&str] = &[
    "b64decode",
    "b64encode",
    "basename",
    "bool",
    "checksum",
    "combinations",
    "combine",
    "comment",
    "dict2items",
    "difference",
    "dirname",
    "expanduser",
    "extract",
    "flatten",
    "from_json",
    "from_yaml",
    "from_yaml_all",
    "hash",
    "human_readable",
    "human_to_bytes",
    "intersect",
    "items2dict",
    "join",
    "log",
    "mandatory",
    "md5",
    "normpath",
    "password_hash",
    "path_join",
    "permutations",
    "pow",
    "product",
    "quote",
    "regex_escape",
    "regex_findall",
    "regex_replace",
    "regex_search",
    "relpath",
    "root",
    "sha1",
    "sha256",
    "splitext",
    "subelements",
    "symmetric_difference",
    "ternary",
    "to_json",
    "to_nice_json",
    "to_nice_yaml",
    "to_yaml",
    "truncate",
    "type_debug",
    "union",
    "urlsplit",
    "wordcount",
    "zip_longest",
];

pub(crate) use data::dict_to_items;
pub(super) use data::items;
pub(super) use text::{pattern, ran};

pub(super) fn add(env: &mut Environment<'static>) {
    data::add(env);
    format::add(env);
    hash::add(env);
    lookup::add(env);
    number::add(env);
    path::add(env);
    sets::add(env);
    text::add(env);
}

/// An error of a filter.
pub(super) fn refuse(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message.into())
}
