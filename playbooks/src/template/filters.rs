//! Ansible's filters, as far as they are used and are not minijinja's already.

#![expect(
    clippy::needless_pass_by_value,
    reason = "minijinja hands arguments over by value"
)]

mod chance;
mod collections;
mod comment;
mod data;
pub(super) mod dates;
mod encode;
mod format;
mod hash;
mod lines;
mod lookup;
mod net;
mod number;
mod order;
mod page;
mod password;
mod path;
mod pretty;
mod regex;
mod sets;
mod spans;
mod text;
mod url;

use minijinja::{
    Environment, Error, ErrorKind,
    value::{Kwargs, Value as Jinja},
};

/// All names that [`add`] adds.
pub(super) const NAMES: &[&str] = &[
    "accumulate",
    "b64decode",
    "b64encode",
    "basename",
    "bool",
    "center",
    "checksum",
    "cidr_merge",
    "combinations",
    "combine",
    "comment",
    "commonpath",
    "counter",
    "dict",
    "dict2items",
    "dict_kv",
    "difference",
    "dirname",
    "expanduser",
    "expandvars",
    "extract",
    "fileglob",
    "filesizeformat",
    "flatten",
    "forceescape",
    "from_csv",
    "from_ini",
    "from_json",
    "from_yaml",
    "from_yaml_all",
    "groupby_as_dict",
    "hash",
    "human_readable",
    "human_to_bytes",
    "hwaddr",
    "intersect",
    "ipaddr",
    "ipmath",
    "ipsubnet",
    "ipv4",
    "ipv6",
    "ipwrap",
    "items2dict",
    "join",
    "json_query",
    "lists_difference",
    "lists_intersect",
    "lists_mergeby",
    "lists_symmetric_difference",
    "lists_union",
    "log",
    "macaddr",
    "mandatory",
    "md5",
    "network_in_network",
    "network_in_usable",
    "normpath",
    "nthhost",
    "password_hash",
    "path_join",
    "permutations",
    "pow",
    "product",
    "quote",
    "random",
    "realpath",
    "regex_escape",
    "regex_findall",
    "regex_replace",
    "regex_search",
    "rekey_on_member",
    "relpath",
    "root",
    "sha1",
    "sha256",
    "shuffle",
    "splitext",
    "strftime",
    "striptags",
    "subelements",
    "symmetric_difference",
    "ternary",
    "to_datetime",
    "to_days",
    "to_hours",
    "to_ini",
    "to_json",
    "to_milliseconds",
    "to_minutes",
    "to_months",
    "to_nice_json",
    "to_nice_yaml",
    "to_seconds",
    "to_time_unit",
    "to_uuid",
    "to_weeks",
    "to_yaml",
    "to_years",
    "truncate",
    "type_debug",
    "union",
    "unvault",
    "urldecode",
    "urlsplit",
    "vault",
    "version_sort",
    "win_basename",
    "win_dirname",
    "win_splitdrive",
    "wordcount",
    "wordwrap",
    "xmlattr",
    "zip_longest",
];

pub(crate) use data::dict_to_items;
pub(super) use data::items;
pub(super) use encode::{decoded, encoded};
pub(super) use net::within::NAMES as NETWORKS;
pub(super) use regex::{bare_pattern, pattern, ran};

pub(super) fn add(env: &mut Environment<'static>) {
    chance::add(env);
    collections::add(env);
    comment::add(env);
    data::add(env);
    dates::add(env);
    encode::add(env);
    format::add(env);
    hash::add(env);
    lines::add(env);
    lookup::add(env);
    net::add(env);
    number::add(env);
    order::add(env);
    page::add(env);
    password::add(env);
    path::add(env);
    pretty::add(env);
    regex::add(env);
    sets::add(env);
    spans::add(env);
    text::add(env);
    url::add(env);
}

/// An error of a filter.
pub(super) fn refuse(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message.into())
}

/// A value that is there: filters and tests that make something of any value refuse what is undefined.
pub(super) fn defined(value: &Jinja) -> Result<&Jinja, Error> {
    if value.is_undefined() {
        return Err(Error::from(ErrorKind::UndefinedError));
    }
    Ok(value)
}

/// Arguments of a filter, by place or by name; `None` and what is not given are the same.
pub(super) fn given<const N: usize>(
    filter: &str,
    args: &[Jinja],
    kwargs: &Kwargs,
    names: [&str; N],
) -> Result<[Option<Jinja>; N], Error> {
    if args.len() > N {
        return Err(refuse(format!(
            "`{filter}` takes {N} arguments at most, found {}",
            args.len()
        )));
    }
    let mut found = [const { None }; N];
    for (index, name) in names.into_iter().enumerate() {
        let by_name = kwargs.get::<Option<Jinja>>(name)?;
        let value = match (args.get(index), by_name) {
            (Some(_), Some(_)) => {
                return Err(refuse(format!("`{filter}`: `{name}` is given twice")));
            }
            (Some(value), None) => Some(value.clone()),
            (None, value) => value,
        };
        if value.as_ref().is_some_and(Jinja::is_undefined) {
            return Err(Error::from(ErrorKind::UndefinedError));
        }
        found[index] = value.filter(|value| !value.is_none());
    }
    kwargs.assert_all_used()?;
    Ok(found)
}

#[cfg(test)]
mod tests;
