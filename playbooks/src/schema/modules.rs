//! Modules and their arguments.

use std::collections::BTreeMap;

use evenkeel_engine::{self as engine, AnyModule, BindError, Registry};
use serde_json::{Map, Value, json};

use super::keywords::TEMPLATE;
use crate::{manual::Manual, parse};

/// Arguments that the reader takes in a form of its own: module, argument, definition, what they are.
const WRITTEN: [(&str, &str, &str, &str); 2] = [
    (
        "debug",
        "var",
        "text",
        "An expression whose value is shown.",
    ),
    ("assert", "that", "expressions", "What has to hold."),
];

/// Every name of every module, with its definition; and patterns for their names with those of collections.
pub(super) fn names(registry: &Registry) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
    let (mut names, mut long) = (BTreeMap::new(), BTreeMap::new());
    let collections = parse::COLLECTIONS.join("|").replace('.', "\\.");
    for module in registry.iter() {
        let own = std::iter::once(module.name());
        let own: Vec<_> = own.chain(module.aliases().iter().copied()).collect();
        for name in &own {
            names.insert((*name).to_owned(), def(module));
        }
        long.insert(
            format!("^({collections})\\.({})$", own.join("|")),
            def(module),
        );
    }
    (names, long)
}

fn def(module: &dyn AnyModule) -> String {
    format!("module.{}", module.name())
}

/// A definition for each module.
pub(super) fn defs(registry: &Registry) -> Vec<(String, Value)> {
    let mut defs = Vec::new();
    for module in registry.iter() {
        let root = module.schema().to_value();
        for (name, inner) in root["$defs"].as_object().into_iter().flatten() {
            let mut inner = inner.clone();
            relax(&mut inner, module);
            defs.push((format!("{}.{name}", def(module)), inner));
        }
        let mut arguments = root.clone();
        if let Some(object) = arguments.as_object_mut() {
            object.remove("$schema");
            object.remove("$defs");
            object.remove("title");
        }
        add_names(&mut arguments, module);
        // What is required may stand in `args:` or `module_defaults`, and commands take theirs as text.
        if let Some(object) = arguments.as_object_mut() {
            object.remove("required");
            // Else it would be relaxed to a text itself.
            object.remove("type");
        }
        relax(&mut arguments, module);
        arguments["type"] = "object".into();
        for (_, name, form, about) in WRITTEN.iter().filter(|(of, ..)| *of == module.name()) {
            arguments["properties"][*name] =
                json!({"$ref": format!("#/$defs/{form}"), "description": about});
        }
        defs.push((
            def(module),
            json!({
                "description": Manual::of(module).text(),
                "anyOf": [arguments, {"type": ["string", "null"]}],
            }),
        ));
    }
    defs
}

/// Adds the names that the reader takes beside those that are documented: Ansible's.
fn add_names(arguments: &mut Value, module: &dyn AnyModule) {
    let Some(names) = taken(module) else {
        // It does not say: all are let through.
        arguments["additionalProperties"] = true.into();
        if let Some(object) = arguments.as_object_mut() {
            object.remove("unevaluatedProperties");
        }
        return;
    };
    let Some(properties) = arguments["properties"].as_object().cloned() else {
        return;
    };
    let mut all = properties.clone();
    for name in names
        .into_iter()
        .filter(|name| !properties.contains_key(name))
    {
        let same = properties.iter().find(|(known, schema)| {
            let value = sample(schema, arguments);
            let args: engine::Map = [(*known).as_str(), name.as_str()]
                .into_iter()
                .map(|name| (name.to_owned(), value.clone()))
                .collect();
            let error = module.bind(&engine::Value::Map(args)).err();
            error.is_some_and(|error| {
                error
                    .to_string()
                    .contains(&format!("duplicate field `{known}`"))
            })
        });
        let property = match same {
            Some((known, schema)) => {
                let mut schema = schema.clone();
                schema["description"] = format!("The same as `{known}`.").into();
                schema
            }
            None => json!({}),
        };
        all.insert(name, property);
    }
    arguments["properties"] = Value::Object(all);
}

/// All names that the module takes, if it refuses others.
fn taken(module: &dyn AnyModule) -> Option<Vec<String>> {
    let nobody = "$nobody has this";
    let args: engine::Map = [(nobody.to_owned(), engine::Value::Null)]
        .into_iter()
        .collect();
    match module.bind(&engine::Value::Map(args)).err()? {
        BindError::Wrong {
            unknown: Some((_, known)),
            ..
        } if !known.is_empty() => Some(known),
        _ => None,
    }
}

/// A value that fits an argument, so that only its name can be wrong.
fn sample(schema: &Value, root: &Value) -> engine::Value {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = root.pointer(reference.trim_start_matches('#'));
        return target.map_or(engine::Value::Null, |target| sample(target, root));
    }
    let options = schema["anyOf"]
        .as_array()
        .or_else(|| schema["oneOf"].as_array());
    if let Some(first) = options.and_then(|options| options.first()) {
        return sample(first, root);
    }
    let value = schema["enum"].get(0).or_else(|| schema.get("const"));
    if let Some(value) = value.and_then(Value::as_str) {
        return value.into();
    }
    let name = schema["type"]
        .as_str()
        .or_else(|| schema["type"][0].as_str());
    match name {
        Some("boolean") => engine::Value::Bool(true),
        Some("integer" | "number") => engine::Value::Int(1),
        Some("array") => engine::Value::Seq(Vec::new()),
        Some("object") => engine::Value::Map(engine::Map::new()),
        _ => "x".into(),
    }
}

/// Takes every spelling that arguments are read from: templates, numbers as texts and texts as numbers.
fn relax(schema: &mut Value, module: &dyn AnyModule) {
    match schema {
        Value::Array(all) => all.iter_mut().for_each(|one| relax(one, module)),
        Value::Object(object) => relax_object(object, module),
        _ => {}
    }
}

fn relax_object(object: &mut Map<String, Value>, module: &dyn AnyModule) {
    if let Some(Value::String(reference)) = object.get_mut("$ref") {
        let name = reference.trim_start_matches("#/$defs/");
        *reference = format!("#/$defs/{}.{name}", def(module));
    }
    for word in ["format", "minimum", "maximum", "default"] {
        object.remove(word);
    }
    // Exactly one would be too much to ask where spellings overlap.
    if let Some(options) = object.remove("oneOf") {
        object.insert("anyOf".to_owned(), options);
    }
    for (name, value) in object.iter_mut() {
        match name.as_str() {
            "properties" | "$defs" | "patternProperties" => {
                let all = value.as_object_mut().into_iter().flatten();
                all.for_each(|(_, value)| relax(value, module));
            }
            "description" | "const" | "enum" | "required" | "title" => {}
            _ => relax(value, module),
        }
    }
    let choice = object.get("enum").or_else(|| object.get("const")).cloned();
    if let Some(choice) = choice {
        let about = object.remove("description");
        let own = std::mem::take(object);
        let mut options = vec![Value::Object(own), json!({"$ref": "#/$defs/templated"})];
        // `state: yes` is a boolean to YAML, `mode: 1` a number.
        let spelled = |word: &str| matches!(word, "yes" | "no" | "on" | "off" | "true" | "false");
        let words = choice
            .as_array()
            .map_or_else(|| vec![choice.clone()], Clone::clone);
        if words.iter().filter_map(Value::as_str).any(spelled) {
            options.push(json!({"type": "boolean"}));
        }
        if words.iter().any(Value::is_boolean) {
            options.push(json!({"$ref": "#/$defs/flag"}));
        }
        object.insert("anyOf".to_owned(), Value::Array(options));
        if let Some(about) = about {
            object.insert("description".to_owned(), about);
        }
        return;
    }
    let names: Vec<String> = match object.get("type") {
        Some(Value::String(name)) => vec![name.clone()],
        Some(Value::Array(names)) => names
            .iter()
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect(),
        _ => return,
    };
    object.remove("type");
    let mut options = Vec::new();
    for name in names {
        options.push(match name.as_str() {
            "string" => json!({"type": ["string", "number", "boolean", "null"]}),
            "boolean" => json!({"$ref": "#/$defs/flag"}),
            "integer" | "number" => json!({"$ref": "#/$defs/number"}),
            "array" => {
                let items = object.remove("items").unwrap_or_else(|| json!({}));
                json!({"anyOf": [{"type": ["array", "null"], "items": items}, {"type": ["string", "number"]}]})
            }
            "object" => {
                let mut map = json!({"type": ["object", "null"]});
                for word in ["properties", "additionalProperties", "required"] {
                    if let Some(value) = object.remove(word) {
                        map[word] = value;
                    }
                }
                json!({"anyOf": [map, {"type": "string", "pattern": TEMPLATE}]})
            }
            other => json!({"type": other}),
        });
    }
    if options.len() == 1 {
        if let Some(Value::Object(only)) = options.pop() {
            object.extend(only);
        }
    } else {
        object.insert("anyOf".to_owned(), Value::Array(options));
    }
}
