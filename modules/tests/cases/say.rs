//! `assert`, `fail`, `debug`, `set_fact`, `set_stats`: what changes nothing on a host.

use evenkeel_engine::{NotYet, Value};

use crate::support::{Expect, case};

/// Together, these set every argument there is, none to its default.
pub(crate) const SAMPLES: &[&str] = &[
    "assert: {that: [{text: a > 1, holds: true}], fail_msg: no, success_msg: fine, quiet: true}",
    "debug: {msg: {a: [1, x]}, verbosity: 2}",
    "fail: {msg: no}",
    "set_fact: {a: 1, b: [x], cacheable: true}",
    "set_stats: {data: {a: 1, b: [x]}, per_host: true, aggregate: false}",
    "validate_argument_spec: {argument_spec: {a: {type: int}}, provided_arguments: {a: 1}, variables: {a: 2}, validate_args_context: {name: x}}",
    "setup: {gather_subset: [network], filter: [all_*], fact_path: /f, gather_timeout: 9}",
];

pub(crate) fn cases() -> Vec<Expect> {
    vec![
        case(
            "AST-01 all conditions hold",
            "assert: {that: [true, yes], quiet: true}",
        )
        .gives("msg", "\"all conditions hold\""),
        case(
            "AST-02 the condition that does not hold is named",
            "assert: {that: {text: a > 1, holds: false}, msg: no}",
        )
        .refused("no: `a > 1` does not hold"),
        case(
            "AST-03 the result says what was asked for",
            "assert: {that: true, success_msg: fine}",
        )
        .gives("msg", "\"fine\""),
        case("AST-04 what is not known yet is waited for", "assert: {}")
            .arg("that", Value::NotYet(NotYet::new("the result of `a`")))
            .not_yet("the result of `a`"),
        case(
            "FLR-01 it fails with its message",
            "fail: {msg: this host is too small}",
        )
        .refused("this host is too small"),
        case("FLR-02 a message is not needed", "fail: {}").refused("asks to fail here"),
        case("DBG-01 it says any value", "debug: {msg: {a: [1, true]}}")
            .gives("msg", "{\"a\":[1,true]}"),
        case("DBG-02 what is not known yet is not said", "debug: {}")
            .arg("msg", Value::NotYet(NotYet::new("the result of `a`")))
            .not_yet("the result of `a`"),
        case(
            "arguments that are as they are wanted",
            "validate_argument_spec: {argument_spec: {a: {type: int}}, provided_arguments: {a: '1'}, variables: {a: x}}",
        )
        .gives("msg", "\"The arg spec validation passed\""),
        case(
            "an argument that is not as it is wanted",
            "validate_argument_spec: {argument_spec: {a: {type: int}, b: {required: true}}, variables: {a: x}}",
        )
        .refused("missing required arguments: b"),
        case("arguments that are not known yet", "validate_argument_spec: {argument_spec: {a: {}}}")
            .arg("variables", Value::NotYet(NotYet::new("the result of `a`")))
            .not_yet("the result of `a`"),
        case(
            "FCT-01 the result is what was set",
            "set_fact: {a: 1, b: [x], cacheable: true}",
        )
        .gives("ansible_facts.a", "1")
        .gives("ansible_facts.b", "[\"x\"]")
        .gives("ansible_facts.cacheable", "nothing"),
        case("what is set is said", "set_stats: {data: {a: 1, b: [x]}}")
            .gives("ansible_stats.data.a", "1")
            .gives("ansible_stats.aggregate", "true"),
        case("FCT-02 names are those of variables", "set_fact: {a-b: 1}").refused("`a-b`"),
    ]
}
