//! Inventories that are programs: `--list` prints groups, `--host NAME` the variables of a host, both as JSON.

use std::{
    fs,
    io::{self, Read as _},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::Command,
    time::Duration,
};

use evenkeel_engine::{Map, Value};
use indexmap::IndexSet;
use serde_json::{Map as Object, Value as Json};

use super::Inventory;
use crate::{
    bounded::{self, Printed},
    diagnostic::Diagnostic,
    files::{FileId, Files, Span},
};

/// How long one call may take.
const BOUND: Duration = Duration::from_secs(120);

/// What a file is, as far as running it is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing to run.
    Data,
    /// A program that may be run.
    Program,
    /// Written to be run, without the permission for it.
    Locked,
}

/// What a file is.
pub(super) fn kind(path: &Path) -> Kind {
    let mut start = [0; 4];
    let read = fs::File::open(path).and_then(|mut file| file.read(&mut start));
    let shebang = start.starts_with(b"#!");
    if read.is_err() || !(shebang || start == *b"\x7fELF") {
        return Kind::Data;
    }
    match fs::metadata(path) {
        Ok(meta) if meta.permissions().mode() & 0o111 != 0 => Kind::Program,
        _ if shebang => Kind::Locked,
        _ => Kind::Data,
    }
}

/// What to do with a program that may not be run.
pub(super) fn locked(path: &Path) -> Diagnostic {
    let message = format!(
        "`{}` begins with `#!`, and may not be executed",
        path.display()
    );
    Diagnostic::nowhere("inventory", message).help(
        "`chmod +x` makes it a script that prints an inventory; a file of hosts begins otherwise",
    )
}

/// Runs a script and adds what it prints.
pub(super) fn read(
    inventory: &mut Inventory,
    files: &mut Files,
    path: &Path,
    out: &mut Vec<Diagnostic>,
) {
    let mut script = Script {
        path,
        bound: BOUND,
        files,
        out,
    };
    // It has said what is wrong.
    let Some(answer) = script.ask(&["--list"]) else {
        return;
    };
    script.add(inventory, &answer);
}

struct Script<'a> {
    path: &'a Path,
    bound: Duration,
    files: &'a mut Files,
    out: &'a mut Vec<Diagnostic>,
}

/// What one call printed.
struct Answer {
    json: Object<String, Json>,
    /// The place for all of it.
    at: Span,
}

impl Script<'_> {
    /// Calls it; what it prints has to be a map.
    fn ask(&mut self, args: &[&str]) -> Option<Answer> {
        let call = format!("{} {}", self.path.display(), args.join(" "));
        let ended = run(self.path, args, self.bound);
        let printed = match ended {
            Ok(printed) => printed,
            Err(Trouble { why, said, help }) => {
                let message = format!("the inventory script `{call}` {why}{}", quoted(&said));
                self.out
                    .push(Diagnostic::nowhere("inventory", message).help(help));
                return None;
            }
        };
        if !printed.said.trim().is_empty() {
            let message = format!(
                "the inventory script `{call}` says{}",
                quoted(&printed.said)
            );
            self.out
                .push(Diagnostic::nowhere("inventory_script", message).warning());
        }
        let Ok(text) = String::from_utf8(printed.text) else {
            let message = format!("what the inventory script `{call}` prints is not UTF-8");
            self.out.push(
                Diagnostic::nowhere("inventory", message).help("it has to print JSON in UTF-8"),
            );
            return None;
        };
        let file = self.files.add(format!("{call} (output)"), text.as_str());
        let at = whole(file, 0, usize::from(!text.is_empty()));
        if text.trim().is_empty() && args.len() > 1 {
            return Some(Answer {
                json: Object::new(),
                at,
            });
        }
        match serde_json::from_str(&text) {
            Ok(Json::Object(json)) => Some(Answer { json, at }),
            Ok(other) => {
                let message = format!(
                    "an inventory script prints a map: this is {}",
                    name_of(&other)
                );
                self.refuse(at, message, SHAPE);
                None
            }
            Err(error) => {
                let start = place(&text, error.line(), error.column());
                let said = error.to_string();
                let why = said.split(" at line ").next().unwrap_or_default();
                let at = whole(file, start, usize::from(start < text.len()));
                self.refuse(
                    at,
                    format!("what the script prints is no JSON: {why}"),
                    SHAPE,
                );
                None
            }
        }
    }

    fn refuse(&mut self, at: Span, message: impl Into<String>, help: &str) {
        self.out
            .push(Diagnostic::error("inventory", at, message).help(help));
    }

    fn add(&mut self, inventory: &mut Inventory, answer: &Answer) {
        let Answer { json, at } = answer;
        let mut hosts = IndexSet::new();
        let mut known = None;
        for (group, data) in json {
            if group == "_meta" {
                match data.get("hostvars") {
                    Some(Json::Object(vars)) => known = Some(vars),
                    None => {}
                    Some(other) => {
                        let what = name_of(other);
                        let message = format!("`_meta.hostvars` is a map of hosts: this is {what}");
                        self.refuse(*at, message, SHAPE);
                    }
                }
            } else {
                self.group(inventory, group, data, *at, &mut hosts);
            }
        }
        for host in hosts {
            let asked;
            let vars = match known {
                Some(known) => known.get(&host),
                None => match self.ask(&["--host", &host]) {
                    Some(answer) => {
                        asked = Json::Object(answer.json);
                        Some(&asked)
                    }
                    // What is wrong with it is wrong with all others.
                    None => return,
                },
            };
            let Some(vars) = vars else {
                continue;
            };
            let vars = self.vars(vars, &format!("the variables of `{host}`"), *at);
            let entry = inventory.hosts.entry(host).or_default();
            entry
                .written
                .extend(vars.keys().map(|name| (name.clone(), *at)));
            entry.vars.extend(vars);
        }
    }

    fn group(
        &mut self,
        inventory: &mut Inventory,
        name: &str,
        data: &Json,
        at: Span,
        hosts: &mut IndexSet<String>,
    ) {
        inventory.group(name, Some(at));
        let mut member = |inventory: &mut Inventory, host: &str| {
            let entry = inventory.hosts.entry(host.to_owned()).or_default();
            entry.at = entry.at.or(Some(at));
            if name != "ungrouped" {
                inventory.add_to(name, host);
            }
            hosts.insert(host.to_owned());
        };
        let map = match data {
            Json::Object(map) => map,
            list => {
                for host in self.names(list, &format!("the group `{name}`"), at) {
                    member(inventory, &host);
                }
                return;
            }
        };
        if !["hosts", "vars", "children"]
            .iter()
            .any(|key| map.contains_key(*key))
        {
            // A host that is its own group.
            member(inventory, name);
            self.group_vars(inventory, name, data, at);
            return;
        }
        if let Some(list) = map.get("hosts") {
            for host in self.names(list, &format!("`hosts` of `{name}`"), at) {
                member(inventory, &host);
            }
        }
        if let Some(vars) = map.get("vars") {
            self.group_vars(inventory, name, vars, at);
        }
        if let Some(list) = map.get("children") {
            for child in self.names(list, &format!("`children` of `{name}`"), at) {
                inventory.group(&child, Some(at));
                let children = &mut inventory.group(name, None).children;
                if !children.contains(&child) {
                    children.push(child);
                }
            }
        }
    }

    fn group_vars(&mut self, inventory: &mut Inventory, name: &str, vars: &Json, at: Span) {
        let vars = self.vars(vars, &format!("`vars` of `{name}`"), at);
        let group = inventory.group(name, None);
        group
            .written
            .extend(vars.keys().map(|name| (name.clone(), at)));
        group.vars.extend(vars);
    }

    fn names(&mut self, list: &Json, what: &str, at: Span) -> Vec<String> {
        let items = match list {
            Json::Array(items) => items.as_slice(),
            other => {
                let message = format!("{what} is a list of names: this is {}", name_of(other));
                self.refuse(at, message, SHAPE);
                return Vec::new();
            }
        };
        let mut names = Vec::new();
        for item in items {
            if let Some(name) = item.as_str() {
                names.push(name.to_owned());
            } else {
                let message = format!("{what} is a list of names: in it is {}", name_of(item));
                self.refuse(at, message, SHAPE);
            }
        }
        names
    }

    fn vars(&mut self, json: &Json, what: &str, at: Span) -> Map {
        match json {
            Json::Object(map) => {
                let wrapped = map.iter().find(|(_, value)| is_wrapped(value));
                if let Some((name, _)) = wrapped {
                    let message = format!("{what}: `{name}` is a value that Ansible has wrapped");
                    self.refuse(at, message, "print it as it is");
                }
                let pairs = map.iter();
                pairs
                    .map(|(name, value)| (name.clone(), Value::from(value.clone())))
                    .collect()
            }
            other => {
                let message = format!("{what} are a map: this is {}", name_of(other));
                self.refuse(at, message, SHAPE);
                Map::new()
            }
        }
    }
}

const SHAPE: &str = "`{\"web\": {\"hosts\": [\"h1\"], \"vars\": {}, \"children\": []}, \
                     \"_meta\": {\"hostvars\": {\"h1\": {}}}}`";

/// Whether somewhere in it is what stands for a secret or for a text that is no template.
fn is_wrapped(json: &Json) -> bool {
    match json {
        Json::Object(map) => {
            map.contains_key("__ansible_vault")
                || map.contains_key("__ansible_unsafe")
                || map.values().any(is_wrapped)
        }
        Json::Array(items) => items.iter().any(is_wrapped),
        _ => false,
    }
}

fn name_of(json: &Json) -> String {
    match json {
        Json::Null => "nothing (`null`)".to_owned(),
        Json::Array(_) => "a list".to_owned(),
        Json::Object(_) => "a map".to_owned(),
        scalar => format!("`{scalar}`"),
    }
}

fn whole(file: FileId, start: usize, length: usize) -> Span {
    let small = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    Span {
        file,
        start: small(start),
        end: small(start + length),
    }
}

/// Where a column of bytes of a line is, both from 1.
fn place(text: &str, line: usize, column: usize) -> usize {
    let before: usize = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    let mut at = (before + column.saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// What was said on stderr, as the end of a sentence.
fn quoted(said: &str) -> String {
    let lines: Vec<&str> = said
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    match lines.as_slice() {
        [] => String::new(),
        [line] => format!(": {}", line.trim()),
        lines => {
            // The last lines tell most.
            let from = lines.len().saturating_sub(20);
            format!(":\n  {}", lines[from..].join("\n  "))
        }
    }
}

struct Trouble {
    why: String,
    said: String,
    help: String,
}

fn run(path: &Path, args: &[&str], bound: Duration) -> Result<Printed, Trouble> {
    let plain = |why: String, help: &str| Trouble {
        why,
        said: String::new(),
        help: help.to_owned(),
    };
    let program = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut command = Command::new(program);
    command.args(args);
    bounded::run(command, bound).map_err(|trouble| match trouble {
        bounded::Trouble::Spawn(error) => {
            let help = if error.kind() == io::ErrorKind::NotFound {
                "its first line names a program that this machine does not have"
            } else {
                "look at its permissions and at its first line"
            };
            plain(format!("cannot be run: {error}"), help)
        }
        bounded::Trouble::Late => {
            let seconds = bound.as_secs();
            plain(
                format!("did not end within {seconds} seconds, and was stopped"),
                "run it by hand; what takes long may be kept in a file that it prints",
            )
        }
        bounded::Trouble::Much => plain(
            "prints more than 64 MiB".to_owned(),
            "let it print less of each host",
        ),
        bounded::Trouble::Failed(status, said) => Trouble {
            why: format!("failed ({status})"),
            said,
            help: "run it by hand, and correct what it says".to_owned(),
        },
    })
}

#[cfg(test)]
mod tests {
    use std::{io::Write as _, process::Stdio};

    use super::*;
    use crate::diagnostic::{Colour, render_all};

    /// What a script of `sh` gives, and what is wrong with it.
    fn of(body: &str, bound: Duration) -> (Inventory, String) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hosts");
        // Written by another process: what is forked meanwhile would keep it open for writing, and nobody could start it.
        let mut shell = Command::new("sh")
            .args(["-c", "cat > \"$0\" && chmod 755 \"$0\""])
            .arg(&path)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let text = format!("#!/bin/sh\n{body}");
        shell
            .stdin
            .take()
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
        assert!(shell.wait().unwrap().success());
        assert_eq!(kind(&path), Kind::Program);
        let (mut inventory, mut files, mut out) = (Inventory::default(), Files::new(), Vec::new());
        let mut script = Script {
            path: &path,
            bound,
            files: &mut files,
            out: &mut out,
        };
        if let Some(answer) = script.ask(&["--list"]) {
            script.add(&mut inventory, &answer);
        }
        let page = render_all(&out, &files, Colour::Never);
        let folder = format!("{}/", folder.path().display());
        (inventory, page.replace(&folder, ""))
    }

    #[test]
    fn one_that_does_not_end_is_stopped() {
        let (inventory, page) = of("exec sleep 600\n", Duration::from_millis(300));
        assert!(inventory.hosts.is_empty());
        assert!(
            page.starts_with(
                "error[inventory]: the inventory script `hosts --list` did not end within 0 seconds"
            ),
            "{page}"
        );
    }

    #[test]
    fn mistakes_have_a_place() {
        let (_, page) = of("printf '{\"web\": {\\n \"hosts\": [h1]}}'\n", BOUND);
        assert_eq!(
            page,
            "error[inventory]: what the script prints is no JSON: expected value\n \
             --> hosts --list (output):2:12\n  |\n2 |  \"hosts\": [h1]}}\n  |            ^\n  \
             = help: `{\"web\": {\"hosts\": [\"h1\"], \"vars\": {}, \"children\": []}, \"_meta\": {\"hostvars\": {\"h1\": {}}}}`\n"
        );
        let (_, page) = of("echo no credentials >&2\nexit 3\n", BOUND);
        assert_eq!(
            page,
            "error[inventory]: the inventory script `hosts --list` failed (exit status: 3): no credentials\n \
             = help: run it by hand, and correct what it says\n"
        );
        let (_, page) = of("echo '{\"web\": {\"hosts\": \"h1\"}, \"db\": 1}'\n", BOUND);
        assert!(
            page.contains("`hosts` of `web` is a list of names: this is `\"h1\"`"),
            "{page}"
        );
        assert!(page.contains("the group `db` is a list of names: this is `1`"));
    }

    #[test]
    fn hosts_are_asked_for_where_the_list_says_nothing() {
        let script = r#"
            case $1 in
            --list) echo '{"web": ["h1", "h2"], "eu": {"children": ["web"], "vars": {"zone": "{{ 1 + 1 }}"}}, "lone": {"a": 1}}';;
            --host) [ "$2" = h1 ] && echo "{\"name\": \"$2\"}"; exit 0;;
            esac
            "#;
        let (inventory, page) = of(script, BOUND);
        assert_eq!(page, "");
        let hosts: Vec<&String> = inventory.hosts.keys().collect();
        assert_eq!(hosts, ["h1", "h2", "lone"]);
        assert_eq!(inventory.hosts_in("eu"), ["h1", "h2"]);
        let vars = |host: &str| Value::Map(inventory.vars_of(host)).to_json().to_string();
        assert_eq!(vars("h1"), r#"{"zone":"{{ 1 + 1 }}","name":"h1"}"#);
        assert_eq!(vars("h2"), r#"{"zone":"{{ 1 + 1 }}"}"#);
        assert_eq!(vars("lone"), r#"{"a":1}"#);
    }

    #[test]
    fn what_it_says_on_stderr_is_shown() {
        let (inventory, page) = of(
            "echo old cache >&2\necho '{\"_meta\": {\"hostvars\": {\"h1\": {\"a\": [1, 2.5, null]}}}, \"all\": {\"hosts\": [\"h1\"]}}'\n",
            BOUND,
        );
        assert_eq!(
            page,
            "warning[inventory_script]: the inventory script `hosts --list` says: old cache\n"
        );
        assert_eq!(
            Value::Map(inventory.vars_of("h1")).to_json().to_string(),
            r#"{"a":[1,2.5,null]}"#
        );
    }
}
