//! Inventories in YAML: `all: {hosts: …, vars: …, children: …}`.

use super::{Inventory, range, split_port};
use crate::{
    diagnostic::Diagnostic,
    files::{FileId, Files},
    words::did_you_mean,
    yaml::{self, Kind, Node},
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
    if let Some(plugin) = plugin(document) {
        out.push(plugin);
        return;
    }
    let mut reader = Reader { inventory, out };
    for (name, group) in reader.map("an inventory", document) {
        reader.group(&name.text, name, group);
    }
}

/// A file for one of Ansible's inventory plugins says which one; no group is a text.
fn plugin(document: &Node) -> Option<Diagnostic> {
    let entries = document.as_map()?.iter();
    let (key, value) = entries
        .filter(|(key, _)| key.text == "plugin")
        .find(|(_, value)| value.as_str().is_some())?;
    let name = value.as_str()?;
    let message = format!("`{name}` is an inventory plugin of Ansible, and those are not run here");
    Some(
        Diagnostic::error("unsupported", key.span.to(value.span), message).help(
            "put a script in its place, which is run: `#!/bin/sh`, then `exec ansible-inventory -i FILE \"$@\"`; \
             or a list that does not change: `ansible-inventory -i FILE --list > hosts.json`, \
             and a script with `exec cat hosts.json`",
        ),
    )
}

/// Where variables are written.
fn places(node: &Node) -> impl Iterator<Item = (String, crate::files::Span)> + '_ {
    let entries = node.as_map().unwrap_or_default().iter();
    entries.map(|(key, _)| (key.text.clone(), key.span))
}

struct Reader<'a> {
    inventory: &'a mut Inventory,
    out: &'a mut Vec<Diagnostic>,
}

/// One name in the place of a map, as in `hosts: web1`.
fn lone(node: &Node) -> Option<&Node> {
    matches!(node.kind, Kind::Str(_)).then_some(node)
}

fn nothing(node: &Node) -> Node {
    Node {
        kind: Kind::Null,
        ..node.clone()
    }
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
                    if let Some(host) = lone(value) {
                        self.host(name, host, &nothing(host));
                        continue;
                    }
                    for (host, vars) in self.map("`hosts`", value) {
                        self.host(name, host, vars);
                    }
                }
                "vars" => {
                    let vars: Vec<_> = self.vars(value);
                    let group = self.inventory.group(name, None);
                    group.written.extend(places(value));
                    group.vars.extend(vars);
                }
                "children" => {
                    if let Some(child) = lone(value) {
                        self.child(name, child, &nothing(child));
                        continue;
                    }
                    for (child, inner) in self.map("`children`", value) {
                        self.child(name, child, inner);
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

    fn child(&mut self, group: &str, child: &Node, inner: &Node) {
        let children = &mut self.inventory.group(group, None).children;
        if !children.contains(&child.text) {
            children.push(child.text.clone());
        }
        self.group(&child.text, child, inner);
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
                entry.written.push(("ansible_port".to_owned(), key.span));
            }
            entry.written.extend(places(node));
            entry.vars.extend(vars.iter().cloned());
            if group != "ungrouped" {
                self.inventory.add_to(group, name);
            }
        }
    }
}
