//! `include_vars`: the module itself; which file it is, the runner decides.

use crate::support::{Expect, case};

/// Together, these set every argument there is.
pub(crate) const SAMPLES: &[&str] = &[
    "include_vars: {file: a.yml, name: all, hash_behaviour: replace, variables: {a: 1}, included: [/p/vars/a.yml]}",
    "include_vars: {dir: all, depth: 1, files_matching: a, ignore_files: [b], extensions: [yml], \
     ignore_unknown_extensions: true}",
];

pub(crate) fn cases() -> Vec<Expect> {
    vec![
        case(
            "the result has the variables and the file",
            "include_vars: {file: a.yml, variables: {a: 1, b: [x]}, included: [/p/vars/a.yml]}",
        )
        .gives("ansible_facts", "{\"a\":1,\"b\":[\"x\"]}")
        .gives("ansible_included_var_files", "[\"/p/vars/a.yml\"]"),
        case("a file without variables", "include_vars: {file: a.yml}")
            .gives("ansible_facts", "{}"),
        case("neither a file nor a folder", "include_vars: {name: a}")
            .refused("one of `file` and `dir` is needed"),
        case("a file and a folder", "include_vars: {file: a.yml, dir: b}")
            .refused("one of `file` and `dir` is needed"),
        case(
            "a word about folders",
            "include_vars: {file: a.yml, depth: 1}",
        )
        .refused("`depth` is about a folder"),
        case(
            "maps are not merged",
            "include_vars: {file: a.yml, hash_behaviour: merge}",
        )
        .refused("`hash_behaviour: merge` is not there"),
    ]
}
