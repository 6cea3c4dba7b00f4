//! Inventories in YAML: `all: {hosts: …, vars: …, children: …}`.

use super::{Inventory, range, split_port};
use crate::{
    diagnostic::Diagnostic,
    files::{FileId, Files},
    words::did_you_mean,
    yaml::{self, Node},
};
use evenkeel_engine::Value;

/// Adds what a file says.
pub(super) fn read(
    inventory: &mut Inventory,
    files: &Files,
    file: FileId,
    out: &mut Vec<Diagnostic>,
) {
    let (documents, errors) = yaml::read(files, file);
    out.extend(errors);
    let Some(mut document) = documents.into_iter().next() else {
        return;
    };
    document.open(out);
    let document = &document;
    let mut reader = Reader { inventory, out };
    for (name, group) in reader.map("an inventory", document) {
        reader.group(&name.text, name, group);
    }
}

struct Reader<'a> {
    inventory: &'a mut Inventory,
    out: &'a mut Vec<Diagnostic>,
}

impl Reader<'_> {
    fn map<'n>(&mut self, what: &str, node: &'n Node) -> &'n [(Node, Node)] {
        if let Some(tag) = &node.tag {
            self.out.push(Diagnostic::error(
                "unsupported",
                tag.span,
                format!("`{}` is not supported in inventories", tag.value),
            ));
        }
        match node.as_map() {
            Some(entries) => entries,
            None if node.is_null() => &[],
            None => {
                let message = format!("{what} is a map: this is {}", node.kind_name());
                self.out.push(
                    Diagnostic::error("inventory", node.span, message)
                        .help("`name:` lines; a host is a key too, with a `:` at its end"),
                );
                &[]
            }
        }
    }

    fn group(&mut self, name: &str, key: &Node, node: &Node) {
        self.inventory.group(name, Some(key.span));
        for (key, value) in self.map("a group", node) {
            match key.text.as_str() {
                "hosts" => {
                    for (host, vars) in self.map("`hosts`", value) {
                        self.host(name, host, vars);
                    }
                }
                "vars" => {
                    let vars: Vec<_> = self.vars(value);
                    self.inventory.group(name, None).vars.extend(vars);
                }
                "children" => {
                    for (child, inner) in self.map("`children`", value) {
                        let children = &mut self.inventory.group(name, None).children;
                        if !children.contains(&child.text) {
                            children.push(child.text.clone());
                        }
                        self.group(&child.text, child, inner);
                    }
                }
                other => {
                    let help = did_you_mean(other, ["hosts", "vars", "children"])
                        .unwrap_or_else(|| "`hosts`, `vars` and `children` are there".to_owned());
                    let message = format!("a group has no key `{other}`");
                    self.out
                        .push(Diagnostic::error("inventory", key.span, message).help(help));
                }
            }
        }
    }

    fn vars(&mut self, node: &Node) -> Vec<(String, Value)> {
        let entries = self.map("`vars`", node);
        for (_, value) in entries {
            let known = ["!unsafe", "!vault", "!vault-encrypted"];
            let tag = value.tag.as_ref();
            if let Some(tag) = tag.filter(|tag| !known.contains(&tag.value.as_str())) {
                let message = format!("`{}` is not supported yet", tag.value);
                self.out
                    .push(Diagnostic::error("unsupported", tag.span, message));
            }
        }
        entries
            .iter()
            .map(|(key, value)| (key.text.clone(), value.to_value()))
            .collect()
    }

    fn host(&mut self, group: &str, key: &Node, node: &Node) {
        let vars = self.vars(node);
        let names = match range::expand(&key.text) {
            Ok(names) => names,
            Err(why) => {
                self.out.push(Diagnostic::error("inventory", key.span, why));
                return;
            }
        };
        for name in names {
            let (name, port) = split_port(&name);
            let entry = self.inventory.hosts.entry(name.to_owned()).or_default();
            entry.at = entry.at.or(Some(key.span));
            if let Some(port) = port {
                entry
                    .vars
                    .insert("ansible_port".to_owned(), Value::Int(port.into()));
            }
            entry.vars.extend(vars.iter().cloned());
            if !matches!(group, "all" | "ungrouped") {
                self.inventory.add_to(group, name);
            }
        }
    }
}
