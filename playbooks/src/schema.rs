//! JSON Schema of playbooks, for editors: made of what the reader knows of keywords and of what modules say of
//! themselves, as their manuals are.
//!
//! It refuses what is surely wrong and nothing that the reader takes: values that are written as a template fit
//! everywhere, and so do the spellings that arguments are read from.

mod keywords;
mod modules;

use evenkeel_engine::Registry;
use serde_json::{Map, Value, json};

use crate::parse;
use keywords::{Keyword, on};

/// Before what is no keyword but brings in other files.
const INCLUDES: [(&str, &str); 6] = [
    (
        "import_tasks",
        "Brings in a file of tasks; what stands beside it holds for each of them.",
    ),
    (
        "include_tasks",
        "Brings in a file of tasks; facts and loops may decide which.",
    ),
    (
        "import_role",
        "Brings in a role; what stands beside it holds for each of its tasks.",
    ),
    (
        "include_role",
        "Brings in a role; facts and loops may decide which.",
    ),
    (
        "meta",
        "Something that the run itself does: `flush_handlers`, `end_host`, `end_play` …",
    ),
    ("action", "A module and its arguments in one text or map."),
];

/// The schema (draft 2020-12) of a playbook.
pub fn schema(registry: &Registry) -> Value {
    let mut defs = Map::new();
    for (name, def) in modules::defs(registry) {
        defs.insert(name, def);
    }
    let (names, long) = modules::names(registry);
    let reference = |(name, def)| (name, json!({"$ref": format!("#/$defs/{def}")}));
    let mut task_modules: Map<String, Value> = names.into_iter().map(reference).collect();
    let long: Map<String, Value> = long.into_iter().map(reference).collect();
    for collection in ["", "ansible.builtin.", "ansible.legacy."] {
        for (name, about) in INCLUDES
            .iter()
            .filter(|(name, _)| *name != "action" || collection.is_empty())
        {
            task_modules.insert(format!("{collection}{name}"), json!({"description": about}));
        }
    }
    for (name, title, letter) in [("task", "A task", 't'), ("handler", "A handler", 'h')] {
        defs.insert(name.to_owned(), task(title, letter, &task_modules, &long));
    }
    defs.insert(
        "block".to_owned(),
        map("A block", 'b', &Map::new(), &["block"]),
    );
    defs.insert(
        "play".to_owned(),
        map("A play", 'p', &Map::new(), &["hosts"]),
    );
    defs.insert("import".to_owned(), import());
    for (name, one) in [("tasks", "task"), ("handlers", "handler")] {
        let item = json!({"if": {"required": ["block"]}, "then": {"$ref": format!("#/$defs/{}", blocks(name))},
            "else": {"$ref": format!("#/$defs/{one}")}});
        defs.insert(
            name.to_owned(),
            json!({"type": ["array", "null"], "items": item}),
        );
    }
    defs.insert(
        "handler_block".to_owned(),
        map("A block of handlers", 'b', &Map::new(), &["block"]),
    );
    for (name, def) in keywords::shared() {
        defs.insert(name.to_owned(), def);
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Playbook of evenkeel",
        "description": format!("What evenkeel {} reads.", env!("CARGO_PKG_VERSION")),
        "type": "array",
        "minItems": 1,
        "items": {
            "if": {"propertyNames": {"not": {"pattern": "(^|\\.)import_playbook$"}}},
            "then": {"$ref": "#/$defs/play"},
            "else": {"$ref": "#/$defs/import"},
        },
        "$defs": defs,
    })
}

fn blocks(name: &str) -> &'static str {
    if name == "handlers" {
        "handler_block"
    } else {
        "block"
    }
}

/// A task: keywords, and a module.
fn task(
    title: &str,
    letter: char,
    modules: &Map<String, Value>,
    long: &Map<String, Value>,
) -> Value {
    let mut task = map(title, letter, modules, &[]);
    let mut patterns = long.clone();
    patterns.insert(
        "^with_".to_owned(),
        json!({"description": "A loop of the older form."}),
    );
    task["patternProperties"] = Value::Object(patterns);
    // Not only keywords: one of its keys is the module.
    let names: Vec<_> = on(letter)
        .map(|keyword| keyword.name)
        .filter(|name| *name != "action" && *name != "local_action")
        .collect();
    task["not"] = json!({"propertyNames": {"anyOf": [{"enum": names}, {"pattern": "^with_"}]}});
    task
}

/// A map with the keywords of something.
fn map(title: &str, letter: char, more: &Map<String, Value>, required: &[&str]) -> Value {
    let mut properties = more.clone();
    for keyword in on(letter) {
        properties.insert(keyword.name.to_owned(), property(&keyword));
    }
    json!({
        "title": title,
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn property(keyword: &Keyword) -> Value {
    if let Some(instead) = keyword.refused {
        return json!({"not": {}, "description": format!("Not supported: {instead}."), "deprecated": true});
    }
    let mut property = keyword.kind.schema();
    property["description"] = keyword.about.into();
    property
}

fn import() -> Value {
    let words = [
        "import_playbook",
        "ansible.builtin.import_playbook",
        "ansible.legacy.import_playbook",
    ];
    let mut properties: Map<String, Value> = ["name", "vars", "tags", "when"]
        .into_iter()
        .map(|name| (name.to_owned(), json!({})))
        .collect();
    for word in words {
        properties.insert(
            word.to_owned(),
            json!({"type": "string", "description": "The playbook that is brought in."}),
        );
    }
    json!({"title": "Another playbook", "type": "object", "properties": properties, "additionalProperties": false})
}

/// What the reader knows of keywords: name, where it stands, what to do instead of those that are refused.
fn known() -> impl Iterator<Item = (&'static str, &'static str, Option<&'static str>)> {
    parse::keywords()
}
