//! YAML tags: `!vault` and `!unsafe` are kept, nobody knows others.

use super::Reader;
use crate::yaml::{Kind, Node};

impl Reader<'_> {
    /// Complains about tags anywhere below a node.
    pub(super) fn check_tags(&mut self, node: &Node) {
        if let Some(tag) = &node.tag {
            match tag.value.as_str() {
                "!unsafe" => {}
                // What cannot be one was said where the file was read.
                "!vault" | "!vault-encrypted" => {}
                other => self.error_help(
                    "yaml_tag",
                    tag.span,
                    format!("nobody knows the tag `{other}`"),
                    "put quotes around a text that begins with `!`",
                ),
            }
        }
        match &node.kind {
            Kind::Seq(items) => items.iter().for_each(|item| self.check_tags(item)),
            Kind::Map(entries) => {
                for (key, value) in entries {
                    self.check_tags(key);
                    self.check_tags(value);
                }
            }
            _ => {}
        }
    }
}
