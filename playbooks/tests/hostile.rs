//! What others wrote may be anything: reading it ends, never panics, and says what is wrong and where.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{path::PathBuf, sync::Arc};

use evenkeel::{
    files::{Files, Span},
    load::{HostVars, Request, load_with_files},
    template::{Fault, Template, Variable, Variables},
};
use evenkeel_engine::{Value, fake::FakeHost, host::Host};
use proptest::{prelude::*, sample::select};

/// A playbook in which much of the language occurs.
const PLAYBOOK: &str = "
- hosts: all
  gather_facts: false
  serial: [1, '50%']
  vars: &vars {port: 80, list: [1, 2, {a: b}], text: \"{{ port }}-{{ list | map('string') | join(',') }}\"}
  module_defaults: {copy: {mode: '0644'}}
  pre_tasks:
    - name: first {{ text }}
      command: echo {{ item.a | default('x') }} creates=/tmp/x
      with_items: '{{ list }}'
      loop_control: {label: '{{ item }}', index_var: i}
      register: out
      changed_when: out.rc == 0 and 'a' in out.stdout
  tasks:
    - block:
        - copy: {dest: /tmp/a, content: \"{% for x in list %}{{ x }}{% endfor %}\"}
          when: port > 1 and out is not failed
          notify: [again]
          tags: [a, b]
      rescue:
        - debug: {var: ansible_failed_result.msg}
      always:
        - meta: flush_handlers
      vars: {<<: *vars, more: !unsafe '{{ no }}'}
    - set_fact: {later: '{{ out.results | selectattr(\"rc\", \"eq\", 0) | list }}'}
    - include_vars: {dir: nowhere, extensions: [yml]}
      ignore_errors: true
  handlers:
    - name: again
      service: {name: x, state: restarted}
      listen: all
";

/// Words of expressions.
const WORDS: [&str; 52] = [
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    "#}",
    "-%}",
    "port",
    "list",
    "text",
    "nope",
    "out.rc",
    "1",
    "2.5",
    "'a'",
    "\"b\"",
    "'",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    ".",
    "|",
    "~",
    "+",
    "-",
    "*",
    "/",
    "%",
    "==",
    "<",
    "if",
    "else",
    "for x in",
    "endfor",
    "set y =",
    "is",
    "not",
    "defined",
    "map('int')",
    "default(",
    "join",
    "combine",
    "range(9)",
    "append(1)",
    "loop.index",
    "lookup('env', 'X')",
    "\\",
];

/// A text with a part of it repeated, left out, or replaced.
fn spoilt(text: &'static str) -> impl Strategy<Value = String> {
    let texts = prop_oneof![
        any::<String>(),
        select(&WORDS[..]).prop_map(str::to_owned),
        select(vec![
            "\n", "  ", "- ", ": ", "&a", "*vars", "!vault", "!!binary", "|\n", "\t", "#", "\u{0}",
            "\u{feff}", "---\n"
        ])
        .prop_map(str::to_owned),
    ];
    let change = (0..text.len(), 0..60_usize, texts, any::<bool>());
    prop::collection::vec(change, 1..4).prop_map(move |changes| {
        let mut out = text.to_owned();
        for (at, len, new, twice) in changes {
            let floor = |at: usize| {
                (0..=at.min(out.len()))
                    .rev()
                    .find(|at| out.is_char_boundary(*at))
                    .unwrap()
            };
            let (start, end) = (floor(at), floor(at + len));
            let old = out[start..end].to_owned();
            out.replace_range(
                start..end,
                &if twice {
                    format!("{old}{new}{old}")
                } else {
                    new
                },
            );
        }
        out
    })
}

/// Loads; what is wrong has a word, and a place in the text if it has one.
fn loads(playbook: String, inventory: Vec<String>, limit: Option<String>) {
    let request = Request {
        playbooks: vec![PathBuf::from("site.yml")],
        text: Some(playbook),
        inventory,
        limit,
        ..Request::default()
    };
    let connect = |_: &HostVars| Ok(Arc::new(FakeHost::new()) as Arc<dyn Host>);
    let registry = Arc::new(evenkeel_modules::standard());
    if let Err(refused) = load_with_files(&request, &registry, &connect) {
        assert!(
            refused
                .diagnostics
                .iter()
                .any(evenkeel::diagnostic::Diagnostic::is_error)
        );
        for found in &refused.diagnostics {
            assert!(!found.message.trim().is_empty(), "{found:?}");
            if let Some(at) = found.at {
                assert!(
                    at.end as usize <= refused.files.text(at.file).len() + 1,
                    "{found:?}"
                );
            }
        }
    }
}

struct Known;

impl Variables for Known {
    fn get(&self, name: &str) -> Result<Option<Variable>, Fault> {
        let value = match name {
            "port" => Value::from(80),
            "text" => "a text".into(),
            "list" => [Value::from(1), "two".into()].into_iter().collect(),
            _ => return Ok(None),
        };
        Ok(Some(Variable::Value(value)))
    }

    fn names(&self) -> Vec<String> {
        ["list", "port", "text"].map(str::to_owned).into()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn playbooks_may_be_anything(text in spoilt(PLAYBOOK)) {
        loads(text, vec!["one,".to_owned()], None);
    }

    #[test]
    fn any_text_is_read(text in any::<String>()) {
        loads(text, Vec::new(), None);
    }

    #[test]
    fn expressions_may_be_anything(words in prop::collection::vec(select(&WORDS[..]), 0..14), bare in any::<bool>()) {
        let text = words.join(" ");
        let mut files = Files::new();
        let file = files.add("site.yml", text.as_str());
        let at = Span { file, start: 0, end: u32::try_from(text.len()).unwrap() };
        let template = if bare { Template::expression(&text, at) } else { Template::text(&text, at) };
        let faults = match template {
            Ok(template) => template.evaluate(&(Arc::new(Known) as Arc<dyn Variables>)).err().into_iter().collect(),
            Err(faults) => faults,
        };
        for fault in faults {
            let place = fault.diagnostic(&files).at.unwrap();
            prop_assert!(place.start <= place.end && place.end as usize <= text.len().max(1), "{text}: {fault:?}");
        }
    }
}
