//! The manual of a module, made from what the module says of itself.

use std::fmt;

use evenkeel_engine::{self as engine, AnyModule};
use serde_json::Value;

use crate::{prose, words};

/// What there is to know about a module.
#[derive(Clone, Debug)]
pub struct Manual {
    name: &'static str,
    about: &'static str,
    aliases: &'static [&'static str],
    arguments: Vec<Argument>,
    /// Takes arguments that are not named here.
    open: bool,
    changed_when: &'static str,
    limits: &'static str,
    example: &'static str,
}

/// An argument.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Argument {
    name: String,
    /// The type, in words.
    kind: String,
    required: bool,
    default: Option<String>,
    about: String,
    /// The values of a choice that say what they mean.
    values: Vec<(String, String)>,
}

impl Manual {
    /// The manual of this module.
    pub fn of(module: &dyn AnyModule) -> Self {
        let schema = module.schema().to_value();
        let mut arguments = arguments(&schema, &schema);
        for argument in arguments
            .iter_mut()
            .filter(|a| !a.required && a.default.is_none())
        {
            argument.default = tried(module, argument);
        }
        Self {
            name: module.name(),
            about: module.about(),
            aliases: module.aliases(),
            arguments,
            open: schema["additionalProperties"].as_bool() != Some(false),
            changed_when: module.changed_when(),
            limits: module.limits(),
            example: module.example().trim_matches('\n'),
        }
    }

    /// For a terminal.
    pub fn text(&self) -> String {
        let mut out = format!("{}: {}\n", self.name, self.about);
        let mut part = |head: &str, text: &str| {
            if !text.is_empty() {
                out += &format!("\n{head}\n{}", prose::indent(text, "  "));
            }
        };
        if !self.aliases.is_empty() {
            part("Also called", &words::list(self.aliases, "and"));
        }
        part("Arguments", &self.arguments());
        part("Changed when", self.changed_when);
        part("What it does not do", self.limits);
        part("Example", self.example);
        out
    }

    fn arguments(&self) -> String {
        let none = if self.open {
            "any names, each with any value\n"
        } else {
            "none\n"
        };
        let all: String = self.arguments.iter().map(ToString::to_string).collect();
        if all.is_empty() { none.to_owned() } else { all }
    }

    /// A page in Markdown.
    pub fn markdown(&self) -> String {
        let mut out = format!("# {}\n\n{}.\n", self.name, words::sentence(self.about));
        if !self.aliases.is_empty() {
            out += &format!("\nAlso called {}.\n", words::list(self.aliases, "and"));
        }
        out += "\n## Arguments\n\n";
        if self.arguments.is_empty() {
            out += if self.open {
                "Any names, each with any value.\n"
            } else {
                "None.\n"
            };
        }
        for argument in &self.arguments {
            out += &argument.markdown();
        }
        for (head, text) in [
            ("Changed when", self.changed_when),
            ("What it does not do", self.limits),
        ] {
            if !text.is_empty() {
                out += &format!("\n## {head}\n\n{}\n", text.trim());
            }
        }
        out + &format!("\n## Example\n\n```yaml\n{}\n```\n", self.example)
    }
}

impl Argument {
    /// Type, whether it is required, default.
    fn notes(&self) -> String {
        let mut notes = self.kind.clone();
        if self.required {
            notes += ", required";
        }
        if let Some(default) = &self.default {
            notes += &format!(", default {default}");
        }
        notes
    }

    fn markdown(&self) -> String {
        let about = self.about.replace('\n', " ");
        let mut out = format!("- `{}` ({}): {about}\n", self.name, self.notes());
        for (value, about) in &self.values {
            out += &format!("  - `{value}`: {}\n", about.replace('\n', " "));
        }
        out
    }
}

/// For a terminal.
impl fmt::Display for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}  ({})", self.name, self.notes())?;
        write!(f, "{}", prose::indent(&self.about, "    "))?;
        for (value, about) in &self.values {
            writeln!(f, "    - {value}: {about}")?;
        }
        Ok(())
    }
}

/// The default of a choice or a boolean: the value that makes the same of the example as leaving it out. Defaults that
/// are not written into fingerprints are in no schema.
fn tried(module: &dyn AnyModule, argument: &Argument) -> Option<String> {
    let tasks: Vec<engine::Map> = serde_yaml::from_str(module.example()).ok()?;
    let engine::Value::Map(args) = tasks.first()?.get(module.name())? else {
        return None;
    };
    let mut args = args.clone();
    args.shift_remove(&argument.name);
    let bound = |args: engine::Map| Some(module.bind(&engine::Value::Map(args)).ok()?.args());
    let without = bound(args.clone())?;
    let values: Vec<_> = match argument.kind.as_str() {
        "boolean" => vec![engine::Value::Bool(true), engine::Value::Bool(false)],
        kind => (kind.split(" or ").flat_map(|part| part.split(", ")))
            .map(engine::Value::from)
            .collect(),
    };
    let same = values.into_iter().find(|value| {
        let mut with = args.clone();
        with.insert(argument.name.clone(), value.clone());
        bound(with).as_ref() == Some(&without)
    })?;
    Some(plain(&serde_json::to_value(same).ok()?))
}

/// Each property of an object, also those of what is flattened into it.
fn arguments(root: &Value, schema: &Value) -> Vec<Argument> {
    let schema = resolved(root, schema);
    let required = schema["required"].as_array();
    let properties = schema["properties"].as_object().into_iter().flatten();
    let own = properties.map(|(name, property)| Argument {
        name: name.clone(),
        kind: kind(root, property),
        required: required.is_some_and(|names| names.iter().any(|n| n == name)),
        default: Some(&property["default"])
            .filter(|value| !value.is_null())
            .map(plain),
        about: (property["description"].as_str())
            .or_else(|| resolved(root, property)["description"].as_str())
            .unwrap_or_default()
            .to_owned(),
        values: values(root, property),
    });
    let parts = schema["allOf"].as_array().into_iter().flatten();
    let parts = parts.flat_map(|part| arguments(root, part));
    own.chain(parts).collect()
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
fn values(root: &Value, property: &Value) -> Vec<(String, String)> {
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
        let all: String = (arguments(&root, &root).iter())
            .map(ToString::to_string)
            .collect();
        assert_eq!(all, want);
    }

    #[test]
    fn every_module_has_a_whole_manual() {
        for module in evenkeel_modules::standard().iter() {
            let manual = Manual::of(module);
            let undocumented = (manual.arguments.iter())
                .find(|argument| argument.about.is_empty() && argument.values.is_empty());
            assert_eq!(undocumented, None, "{}", manual.name);
            for text in [
                manual.about,
                manual.changed_when,
                manual.limits,
                manual.example,
            ] {
                assert!(
                    !text.is_empty(),
                    "{} says too little of itself",
                    manual.name
                );
            }
        }
    }
}
