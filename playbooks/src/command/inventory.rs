//! `evenkeel inventory`: hosts, groups and variables, as Ansible prints them.

use std::{collections::BTreeMap, fmt::Write as _, path::Path, sync::Arc};

use evenkeel_engine::Value;
use serde_json::json;

use super::{ansible_cfg::AnsibleCfg, keys, load, wrong};
use crate::{
    cli::Inventory as Args,
    exit::Exit,
    inventory::{Inventory, limit},
    load::{Hosts, Written, read_hosts},
    printable,
    report::out,
    vars::{Layer, Member},
    words,
};

type Members = BTreeMap<String, Arc<Member>>;

/// `evenkeel inventory`.
pub(super) fn inventory(args: &Args) -> Exit {
    if args.explain.is_some() && args.host.is_none() {
        return wrong(
            "`--explain` is about one host",
            "`--host HOST --explain VAR`",
        );
    }
    let folder = args.playbook_dir.as_deref();
    let keys = keys::keyring(
        &args.vault,
        &folder.unwrap_or(Path::new("")).join("site.yml"),
    );
    let keys = match keys {
        // Secrets are not shown, so that no single value has to be opened.
        Ok(keys) => Arc::new(keys.closed()),
        Err(error) => return load::said(&error),
    };
    let around = match AnsibleCfg::here() {
        Ok(cfg) => cfg.around(),
        Err(error) => return load::said(&error),
    };
    let hosts = read_hosts(&args.inventory, folder, &around, keys);
    out::talk(&load::pages(&hosts.diagnostics, &hosts.files));
    let errors = &hosts.diagnostics;
    if errors.iter().any(crate::diagnostic::Diagnostic::is_error) {
        return Exit::Input;
    }
    if args.graph {
        return tree(&hosts, args);
    }
    if let (Some(host), Some(variable)) = (&args.host, &args.explain) {
        return explained(hosts, host, variable);
    }
    let Hosts {
        mut inventory,
        members,
        ..
    } = hosts;
    if let Some(pattern) = &args.limit {
        match limit(&inventory, pattern) {
            Ok(found) => {
                for warning in &found.warnings {
                    out::talk(&format!("warning: `--limit {pattern}`: {warning}\n"));
                }
                inventory.retain(&found.hosts);
            }
            Err(message) => return wrong(&format!("`--limit {pattern}`: {message}"), PATTERNS),
        }
    }
    if let Some(host) = &args.host {
        let Some(member) = members.get(host) else {
            return unknown(&inventory, host);
        };
        return print(&variables(member));
    }
    print(&list(&inventory, &members))
}

fn unknown(inventory: &Inventory, host: &str) -> Exit {
    let names = inventory.hosts.keys().map(String::as_str);
    let help = words::did_you_mean(host, names);
    let help = help.unwrap_or_else(|| "`--list` shows all".to_owned());
    wrong(&format!("the inventory has no host `{host}`"), &help)
}

/// `--explain`.
fn explained(mut hosts: Hosts, host: &str, variable: &str) -> Exit {
    let Some(member) = hosts.members.get(host).map(Arc::clone) else {
        return unknown(&hosts.inventory, host);
    };
    let mut found = hosts.explain(host, variable);
    let Some(wins) = found.pop() else {
        let names = member.vars.names().map(String::as_str);
        let help = words::did_you_mean(variable, names);
        let help = help.unwrap_or_else(|| {
            "facts, playbooks, roles and what the command line says are not looked at here"
                .to_owned()
        });
        let message = format!("nothing in the inventory says `{variable}` of `{host}`");
        return wrong(&message, &help);
    };
    let mut text = format!("{}\n", told(&wins, &hosts, host));
    if !found.is_empty() {
        text += "hides\n";
    }
    for hidden in found.iter().rev() {
        writeln!(text, "{}", told(hidden, &hosts, host)).expect("a string takes all");
    }
    out::report(&text);
    Exit::Good
}

/// A line about a variable at some level.
fn told(written: &Written, hosts: &Hosts, host: &str) -> String {
    let of = &written.of;
    let level = match written.level {
        3 => format!("group `{of}` in the inventory"),
        4 | 6 => format!("group_vars of `{of}` beside the inventory"),
        5 | 7 => format!("group_vars of `{of}` beside the playbook"),
        9 => format!("host_vars of `{of}` beside the inventory"),
        10 => format!("host_vars of `{of}` beside the playbook"),
        _ => format!("`{host}` in the inventory"),
    };
    let place = match written.at {
        Some(at) => {
            let position = hosts.files.position(at.file, at.start);
            let name = hosts.files.name(at.file);
            format!("{name}:{}:{}", position.line, position.column)
        }
        None => "nowhere: it is understood".to_owned(),
    };
    let value = written.value.as_ref();
    let value = value.map_or(String::new(), |value| format!(": {}", value.to_json()));
    printable::line(&format!("{:>4}  {level}, {place}{value}", written.level)).into_owned()
}

/// `--graph`.
fn tree(hosts: &Hosts, args: &Args) -> Exit {
    let inventory = &hosts.inventory;
    if !inventory.has_group(&args.group) {
        let names = inventory.groups.keys().map(String::as_str);
        let help = words::did_you_mean(&args.group, names);
        let help = help.unwrap_or_else(|| "`--graph` alone shows all".to_owned());
        return wrong(
            &format!("the inventory has no group `{}`", args.group),
            &help,
        );
    }
    let mut text = String::new();
    Graph { hosts, args }.group(&args.group, 0, &mut text);
    out::report(&text);
    Exit::Good
}

const PATTERNS: &str = "names, groups, `all`; `a:b` both, `a:&b` common, `a:!b` without";

fn print(json: &serde_json::Value) -> Exit {
    // Maps of this crate keep their order; readers of the list expect names in order.
    let text = serde_json::to_string_pretty(&sorted(json)).expect("it is JSON");
    out::report(&lines(&text));
    Exit::Good
}

/// Lines of JSON, made harmless each for itself.
pub(super) fn lines(json: &str) -> String {
    let lines = json.lines().map(printable::json);
    lines.fold(String::new(), |text, line| text + &line + "\n")
}

fn sorted(json: &serde_json::Value) -> serde_json::Value {
    match json {
        serde_json::Value::Object(map) => {
            let ordered: BTreeMap<&String, &serde_json::Value> = map.iter().collect();
            let pairs = ordered.into_iter();
            serde_json::Value::Object(
                pairs
                    .map(|(key, value)| (key.clone(), sorted(value)))
                    .collect(),
            )
        }
        serde_json::Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

/// A host's variables, as they are written.
fn variables(member: &Member) -> serde_json::Value {
    of_layer(&member.vars)
}

fn of_layer(vars: &Layer) -> serde_json::Value {
    let value = |name: &String| Some((name.clone(), vars.get(name)?.source()));
    Value::Map(vars.names().filter_map(value).collect()).to_json()
}

fn list(inventory: &Inventory, members: &Members) -> serde_json::Value {
    let mut all = serde_json::Map::new();
    let mut open = vec!["all"];
    while let Some(group) = open.pop() {
        if all.contains_key(group) {
            continue;
        }
        let children = inventory.children_of(group);
        let mut entry = serde_json::Map::new();
        let hosts = inventory.own_hosts(group);
        if !hosts.is_empty() && group != "all" {
            entry.insert("hosts".to_owned(), json!(hosts));
        }
        if !children.is_empty() {
            entry.insert("children".to_owned(), json!(children));
        }
        open.extend(children);
        if !entry.is_empty() {
            all.insert(group.to_owned(), entry.into());
        }
    }
    let vars = inventory.hosts.keys().filter_map(|name| {
        let vars = variables(members.get(name)?);
        let some = vars.as_object().is_some_and(|vars| !vars.is_empty());
        some.then(|| (name.clone(), vars))
    });
    let vars: serde_json::Map<String, serde_json::Value> = vars.collect();
    all.insert("_meta".to_owned(), json!({ "hostvars": vars }));
    all.into()
}

/// The tree of groups.
struct Graph<'a> {
    hosts: &'a Hosts,
    args: &'a Args,
}

impl Graph<'_> {
    fn group(&self, group: &str, depth: usize, text: &mut String) {
        let inventory = &self.hosts.inventory;
        line(text, depth, &format!("@{group}:"));
        for child in inventory.children_of(group) {
            self.group(child, depth + 1, text);
        }
        if group != "all" {
            for host in inventory.own_hosts(group) {
                line(text, depth + 1, host);
                if let Some(member) = self.hosts.members.get(host) {
                    self.vars(&variables(member), depth + 2, text);
                }
            }
        }
        if let Some(vars) = self.hosts.groups.get(group) {
            self.vars(&of_layer(vars), depth + 1, text);
        }
    }

    fn vars(&self, vars: &serde_json::Value, depth: usize, text: &mut String) {
        if let (true, Some(vars)) = (self.args.vars, sorted(vars).as_object()) {
            for (name, value) in vars {
                let value = value.as_str().map_or_else(|| python(value), str::to_owned);
                line(text, depth, &format!("{{{name} = {value}}}"));
            }
        }
    }
}

fn line(text: &mut String, depth: usize, name: &str) {
    let indent = if depth > 0 {
        format!("{}--", "  |".repeat(depth))
    } else {
        String::new()
    };
    writeln!(text, "{indent}{}", printable::line(name)).expect("a string takes all");
}

/// A value as Python writes it.
fn python(value: &serde_json::Value) -> String {
    use serde_json::Value as Json;
    match value {
        Json::Null => "None".to_owned(),
        Json::Bool(true) => "True".to_owned(),
        Json::Bool(false) => "False".to_owned(),
        Json::Number(number) => number.to_string(),
        Json::String(text) => format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'")),
        Json::Array(items) => {
            let items: Vec<String> = items.iter().map(python).collect();
            format!("[{}]", items.join(", "))
        }
        Json::Object(map) => {
            let pairs = map
                .iter()
                .map(|(key, value)| format!("'{key}': {}", python(value)));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
        }
    }
}
