//! `evenkeel modules`: the list, or the manual of one, made from what the module says of itself.

use evenkeel_engine::AnyModule;
use serde_json::Value;

use super::wrong;
use crate::{cli::Modules, exit::Exit, prose, report::out, words};

/// The list, or the manual of one.
pub(super) fn modules(args: &Modules) -> Exit {
    let registry = evenkeel_modules::standard();
    let Some(name) = &args.name else {
        let width = registry.iter().map(|module| module.name().len()).max();
        for module in registry.iter() {
            let name = prose::pad(module.name(), width.unwrap_or_default());
            out::report(&format!("{name}  {}\n", module.about()));
        }
        return Exit::Good;
    };
    // What people know it as: `ansible.builtin.copy`, `community.postgresql.postgresql_db`.
    let short = name.rsplit('.').next().unwrap_or(name);
    let Some(module) = registry.get(name).or_else(|| registry.get(short)) else {
        let help = words::did_you_mean(short, registry.names());
        let help = help.unwrap_or_else(|| "`evenkeel modules` lists all".to_owned());
        return wrong(&format!("there is no module `{name}`"), &help);
    };
    out::report(&manual(module));
    Exit::Good
}

/// The manual of a module.
fn manual(module: &dyn AnyModule) -> String {
    let mut out = format!("{}: {}\n", module.name(), module.about());
    if !module.aliases().is_empty() {
        out += &format!("\nAlso called {}\n", words::list(module.aliases(), "and"));
    }
    out += "\nArguments\n";
    let schema = module.schema().to_value();
    let shown = arguments(&schema, &schema, "  ");
    let open = schema["additionalProperties"].as_bool() != Some(false);
    out += match (shown.is_empty(), open) {
        (true, true) => "  any names, each with any value\n",
        (true, false) => "  none\n",
        (false, _) => &shown,
    };
    out += "\nExample\n";
    out + &prose::indent(module.example().trim_matches('\n'), "  ")
}

/// Each property of an object: name, type, whether it is required, what it means.
fn arguments(root: &Value, schema: &Value, indent: &str) -> String {
    let mut out = String::new();
    let schema = resolved(root, schema);
    let required = schema["required"].as_array();
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let is_required = required.is_some_and(|names| names.iter().any(|n| n == name));
        let mut notes = vec![kind(root, property)];
        if is_required {
            notes.push("required".to_owned());
        }
        match &property["default"] {
            Value::Null => {}
            default => notes.push(format!("default {}", plain(default))),
        }
        out += &format!("{indent}{name}  ({})\n", notes.join(", "));
        let about = property["description"]
            .as_str()
            .or_else(|| resolved(root, property)["description"].as_str());
        out += &prose::indent(about.unwrap_or_default(), &format!("{indent}    "));
        for (value, about) in variants(root, property) {
            out += &format!("{indent}    - {value}: {about}\n");
        }
    }
    // What is flattened into the arguments.
    for part in schema["allOf"].as_array().into_iter().flatten() {
        out += &arguments(root, part, indent);
    }
    out
}

/// What a reference refers to; of something optional, what it is if it is there.
fn resolved<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = root.pointer(reference.trim_start_matches('#'));
        return resolved(root, target.unwrap_or(&Value::Null));
    }
    if let Some(options) = schema["anyOf"].as_array() {
        let mut there = options.iter().filter(|option| option["type"] != "null");
        if let (Some(only), None) = (there.next(), there.next()) {
            return resolved(root, only);
        }
    }
    schema
}

/// The type, in words.
fn kind(root: &Value, schema: &Value) -> String {
    let schema = resolved(root, schema);
    if let Some(options) = schema["enum"].as_array() {
        let options: Vec<_> = options.iter().filter(|o| !o.is_null()).map(plain).collect();
        return words::list(&options, "or");
    }
    if let Some(value) = schema.get("const") {
        return plain(value);
    }
    for choice in ["anyOf", "oneOf"] {
        if let Some(options) = schema[choice].as_array() {
            let mut kinds: Vec<_> = options.iter().map(|option| kind(root, option)).collect();
            kinds.dedup();
            kinds.retain(|kind| kind != "nothing");
            return kinds.join(" or ");
        }
    }
    match &schema["type"] {
        Value::String(name) => named(root, schema, name),
        Value::Array(names) => {
            let names = names.iter().filter_map(Value::as_str);
            let there = names.filter(|name| *name != "null");
            let kinds: Vec<_> = there.map(|name| named(root, schema, name)).collect();
            kinds.join(" or ")
        }
        _ => "anything".to_owned(),
    }
}

fn named(root: &Value, schema: &Value, name: &str) -> String {
    match name {
        "string" => "text".to_owned(),
        "boolean" => "boolean".to_owned(),
        "integer" => "whole number".to_owned(),
        "number" => "number".to_owned(),
        "null" => "nothing".to_owned(),
        "array" if schema.get("items").is_some() => {
            format!("list of {}", kind(root, &schema["items"]))
        }
        "array" => "list".to_owned(),
        "object" => "map".to_owned(),
        other => other.to_owned(),
    }
}

/// The values of a choice that say what they mean.
fn variants(root: &Value, property: &Value) -> Vec<(String, String)> {
    let schema = resolved(root, property);
    let options = schema["oneOf"].as_array().into_iter().flatten();
    options
        .filter_map(|option| {
            let value = option.get("const").or_else(|| option["enum"].get(0))?;
            Some((plain(value), option["description"].as_str()?.to_owned()))
        })
        .collect()
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) if text.is_empty() => "\"\"".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_in_words() {
        let root = serde_json::json!({
            "$defs": { "State": { "oneOf": [
                { "const": "file", "description": "A file." },
                { "const": "absent", "description": "Nothing." },
            ] } },
            "required": ["path"],
            "properties": {
                "path": { "type": "string", "description": "Where." },
                "state": { "anyOf": [{ "$ref": "#/$defs/State" }, { "type": "null" }] },
                "tags": { "type": ["array", "null"], "items": { "type": "string" } },
                "force": { "type": "boolean", "default": true },
            },
        });
        let want = "\
path  (text, required)
    Where.
state  (file or absent)
    - file: A file.
    - absent: Nothing.
tags  (list of text)
force  (boolean, default true)
";
        assert_eq!(arguments(&root, &root, ""), want);
    }

    #[test]
    fn every_module_has_a_manual() {
        for module in evenkeel_modules::standard().iter() {
            let manual = manual(module);
            assert!(manual.contains("Example"), "{manual}");
        }
    }
}
