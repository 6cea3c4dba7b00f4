//! `vars_prompt`: variables that somebody is asked for.

use super::{Reader, values::Fields};
use crate::{
    ast::{OrTemplate, Prompt},
    words::did_you_mean,
    yaml::{Kind, Node},
};

/// What one may say.
const KEYS: [&str; 6] = ["name", "prompt", "default", "private", "confirm", "unsafe"];

/// What Ansible knows besides.
const HASHING: [&str; 3] = ["encrypt", "salt", "salt_size"];

impl Reader<'_> {
    /// The variables of a play that somebody is asked for.
    pub(super) fn prompts(&mut self, node: &Node) -> Vec<Prompt> {
        match &node.kind {
            Kind::Null => Vec::new(),
            Kind::Seq(items) => items.iter().filter_map(|item| self.prompt(item)).collect(),
            _ => {
                self.wrong_type(
                    "vars_prompt",
                    "a list of variables, each with its `name`",
                    node,
                );
                Vec::new()
            }
        }
    }

    fn prompt(&mut self, node: &Node) -> Option<Prompt> {
        let fields = self.fields("vars_prompt", node)?;
        for (key, _) in fields.iter() {
            if HASHING.contains(&key.value) {
                self.error_help(
                    "unsupported",
                    key.span,
                    format!("`{}` of `vars_prompt` is not supported", key.value),
                    "hash it where it is used, as in `{{ password | password_hash('sha512', salt) }}`",
                );
            } else if !KEYS.contains(&key.value) {
                let help = did_you_mean(key.value, KEYS);
                self.unknown_key(
                    key,
                    format!("`vars_prompt` has no key `{}`", key.value),
                    help,
                );
            }
        }
        let Some(name) = fields.get("name") else {
            self.error_help(
                "missing_key",
                node.span,
                "this variable of `vars_prompt` has no `name`",
                "`name: VARIABLE`, and `prompt: TEXT` for what is asked",
            );
            return None;
        };
        let name = self.variable("name", name)?;
        let prompt = fields
            .get("prompt")
            .and_then(|node| self.text("prompt", node));
        Some(Prompt {
            name,
            prompt: prompt.map(|text| text.value),
            default: fields
                .get("default")
                .filter(|node| !node.is_null())
                .cloned(),
            private: self.says(&fields, "private", true),
            confirm: self.says(&fields, "confirm", false),
        })
    }

    /// What a key says before anything is known.
    fn says(&mut self, fields: &Fields<'_>, name: &str, usual: bool) -> bool {
        let Some(node) = fields.get(name) else {
            return usual;
        };
        match self.flag(name, node).map(|flag| flag.value) {
            Some(OrTemplate::Is(value)) => value,
            Some(OrTemplate::Template(_)) => {
                self.wrong_type(name, "`true` or `false`", node);
                usual
            }
            None => usual,
        }
    }
}
