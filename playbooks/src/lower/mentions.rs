//! What a task's templates may read: names, facts, variables of other hosts.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use evenkeel_engine::{Registry, Value};
use evenkeel_modules::setup;

use super::{
    include,
    program::{self, Program},
    store::Store,
};
use crate::{
    files::Span,
    template::{Reading, Template, TemplateFile, Use, UseKind, Uses, runs},
    vars::{Scope, reached},
};

/// Facts that are wanted of a host, without `ansible_`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// All of them.
    pub(crate) all: bool,
    /// These.
    pub(crate) names: BTreeSet<String>,
}

impl Wanted {
    /// Nothing.
    pub(crate) fn is_empty(&self) -> bool {
        !self.all && self.names.is_empty()
    }

    /// Adds what another wants.
    pub(crate) fn add(&mut self, other: &Self) {
        self.all |= other.all;
        self.names.extend(other.names.iter().cloned());
    }
}

/// Variables of other hosts.
#[derive(Clone, Debug)]
pub(crate) struct Others {
    /// Whose.
    pub(crate) hosts: BTreeSet<String>,
    /// Which.
    pub(crate) names: BTreeSet<String>,
    /// Which facts.
    pub(crate) facts: Wanted,
}

/// What templates may read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mentions {
    /// Names of variables.
    pub(crate) names: BTreeSet<String>,
    /// Those whose `.changed` is read.
    pub(crate) changed: BTreeSet<String>,
    /// Whether any variable may be read.
    pub(crate) any: bool,
    /// Whether a lookup runs a program of this machine.
    pub(crate) runs: bool,
    /// Facts of the host itself.
    pub(crate) facts: Wanted,
    /// Variables of other hosts.
    pub(crate) others: Vec<Others>,
    /// Templates that are looked up and were read; the empty name stands for all that are there.
    looked: BTreeSet<String>,
}

/// What looking for mentions takes.
pub(crate) struct Looking<'a> {
    pub(crate) registry: &'a Registry,
    pub(crate) store: &'a Store,
    pub(crate) scope: &'a Scope,
    /// Where the task is written.
    pub(crate) at: Span,
}

/// A template file whose path is not known before the run.
struct Unknown;

impl Looking<'_> {
    /// What templates may read.
    pub(crate) fn of_templates(&self, direct: &[&Template]) -> Mentions {
        self.direct(direct).0
    }

    fn direct(&self, direct: &[&Template]) -> (Mentions, Groups) {
        let mut found = Mentions::default();
        let mut groups = Groups::default();
        for template in direct {
            groups.add(template.uses(), self.scope);
        }
        for template in direct {
            reached(self.scope, template, &mut |template| {
                self.note(template.uses(), template.source(), &groups, &mut found);
            });
        }
        for told in self.told(direct) {
            groups.add(told.uses(), self.scope);
            reached(self.scope, &told, &mut |template| {
                self.note(template.uses(), template.source(), &groups, &mut found);
            });
        }
        (found, groups)
    }

    /// The conditions that variables hold, of which a template names one.
    fn told(&self, direct: &[&Template]) -> Vec<Template> {
        let mut all = Vec::new();
        for template in direct.iter().filter(|template| template.tells()) {
            reached(self.scope, template, &mut |inner| {
                let names = inner.is_bare_word().then(|| inner.uses().names());
                for used in names.into_iter().flatten() {
                    if let Some(tree) = self.scope.tree(&used.name) {
                        tree.texts(&mut |text| all.extend(template.told(text)));
                    }
                }
            });
        }
        all
    }

    /// What a task may read.
    pub(super) fn of(&self, program: &Program) -> Mentions {
        let mut direct: Vec<&Template> = Vec::new();
        program.templates(&mut |template| direct.push(template));
        let (mut found, mut groups) = self.direct(&direct);
        for file in self.files(program) {
            if let Ok(file) = file {
                groups.add(file.uses(), self.scope);
                self.note_file(&file, &groups, &mut found);
            } else {
                found.any = true;
                self.all_there(&mut found);
            }
        }
        self.included(program, &mut groups, &mut found);
        found
    }

    /// What the files that an `include_vars` may read use.
    fn included(&self, program: &Program, groups: &mut Groups, found: &mut Mentions) {
        let module = self.registry.get(&program.module.value);
        if module.is_none_or(|module| module.name() != include::MODULE) {
            return;
        }
        let candidates = include::candidates(program, self.scope, self.store);
        if candidates.may_be_any() {
            found.any = true;
            found.facts.all = true;
        }
        for file in candidates.files {
            let mut direct = Vec::new();
            for tree in file.layer.names().filter_map(|name| file.layer.get(name)) {
                tree.templates(&mut |template| direct.push(template));
            }
            for template in &direct {
                groups.add(template.uses(), self.scope);
            }
            for template in direct {
                reached(self.scope, template, &mut |template| {
                    self.note(template.uses(), template.source(), groups, found);
                });
            }
        }
    }

    /// The template files of a task: that of each turn of its loop.
    fn files(&self, program: &Program) -> Vec<Result<Arc<TemplateFile>, Unknown>> {
        if super::chosen::reads_files(program) {
            return vec![Err(Unknown)];
        }
        let module = self.registry.get(&program.module.value);
        if module.is_none_or(|module| !super::args::TEMPLATES.contains(&module.name())) {
            return Vec::new();
        }
        if program.has_rest() {
            return vec![Err(Unknown)];
        }
        let Some(program::Form::Tree(tree)) = program.arg("src").map(|src| &src.form) else {
            return Vec::new();
        };
        let mut paths = BTreeSet::new();
        let mut files = Vec::new();
        for turn in include::turns(program, self.scope) {
            let Ok(Value::Str(path)) = tree.render(&turn.variables()) else {
                return vec![Err(Unknown)];
            };
            if paths.insert(path.clone()) {
                // One that is not there is told where arguments are made.
                let folders = self.scope.search_folders();
                let given = |name: &str| match &program.arg(name)?.form {
                    program::Form::Tree(tree) => tree.render(&turn.variables()).ok(),
                    _ => None,
                };
                let reading = super::args::reading(given).unwrap_or_default();
                let read = self.store.template(&path, folders, reading);
                files.extend(read.ok().map(|(file, _)| Ok(file)));
            }
        }
        files
    }

    /// What a template file uses, and the variables that it uses.
    fn note_file(&self, file: &TemplateFile, groups: &Groups, found: &mut Mentions) {
        self.note(file.uses(), &file.text(), groups, found);
        for used in file.uses().names() {
            let Some(tree) = self.scope.tree(&used.name) else {
                continue;
            };
            let mut inner = Vec::new();
            tree.templates(&mut |template| inner.push(template));
            for template in inner {
                reached(self.scope, template, &mut |template| {
                    self.note(template.uses(), template.source(), groups, found);
                });
            }
        }
    }

    /// What any of the templates that are there uses, by its words.
    fn all_there(&self, found: &mut Mentions) {
        found.facts.all = true;
        for folder in self.scope.search_folders() {
            for text in texts(&folder.join("templates")) {
                words(&text, &mut found.names, &mut found.facts);
            }
        }
    }

    fn note(&self, uses: &Uses, source: &str, groups: &Groups, found: &mut Mentions) {
        for used in uses.names() {
            let about = used
                .path
                .first()
                .is_some_and(|key| key == "changed" || key == "results")
                || used
                    .test
                    .as_deref()
                    .is_some_and(|test| test == "changed" || test == "change");
            if about {
                found.changed.insert(used.name.clone());
            }
            match used.name.as_str() {
                "hostvars" => found.others.push(self.others(used, source, groups)),
                "vars" => {
                    if let Some(name) = used.path.first() {
                        fact_of(name, used.path.get(1), &mut found.facts);
                        found.names.insert(name.clone());
                    } else {
                        found.any = true;
                        words(source, &mut found.names, &mut found.facts);
                    }
                }
                name if self.scope.is_over_facts(name) => {}
                name => fact_of(name, used.path.first(), &mut found.facts),
            }
            found.names.insert(used.name.clone());
        }
        // `lookup('vars', …)` may read anything, and `varnames` tells what there is.
        let calls = ["lookup(", "query(", "q("];
        let calls = calls.iter().any(|call| source.contains(call));
        if calls && (source.contains("vars") || source.contains("varnames")) {
            found.any = true;
            words(source, &mut found.names, &mut found.facts);
        }
        found.runs |= calls && runs::named_in(source);
        let looks = |used: &Use| {
            used.kind == UseKind::Function && matches!(used.name.as_str(), "lookup" | "query" | "q")
        };
        if source.contains("template") && uses.all.iter().any(looks) {
            self.looked_up(source, groups, found);
        }
    }

    /// What the templates use that a text looks up: those that it names, or else all that are there.
    fn looked_up(&self, source: &str, groups: &Groups, found: &mut Mentions) {
        found.any = true;
        let folders = self.scope.search_folders();
        let mut named = false;
        for name in source.split(['"', '\'']).skip(1) {
            if name.is_empty() || name.contains(['{', '\n']) || found.looked.contains(name) {
                named |= found.looked.contains(name);
                continue;
            }
            let Ok((file, _)) = self.store.template(name, folders, Reading::default()) else {
                continue;
            };
            named = true;
            found.looked.insert(name.to_owned());
            self.note_file(&file, groups, found);
        }
        if named || !found.looked.insert(String::new()) {
            return;
        }
        self.all_there(found);
    }

    /// One use of `hostvars`.
    fn others(&self, used: &Use, source: &str, groups: &Groups) -> Others {
        let (host, keys) = match (used.path.split_first(), &used.key) {
            (Some((host, keys)), _) => (Some(host.clone()), keys),
            (None, Some(key)) => (self.evaluated(key), &used.rest[..]),
            (None, None) => (None, &[][..]),
        };
        let mut others = Others {
            hosts: BTreeSet::new(),
            names: BTreeSet::new(),
            facts: Wanted::default(),
        };
        match host {
            Some(host) => {
                others.hosts.insert(host);
            }
            None => others.hosts.clone_from(groups.hosts(self.scope)),
        }
        match keys.split_first() {
            Some((name, rest)) => {
                fact_of(name, rest.first(), &mut others.facts);
                others.names.insert(name.clone());
            }
            None => words(source, &mut others.names, &mut others.facts),
        }
        others
    }

    /// A key that is the same at each turn and on each host.
    fn evaluated(&self, key: &str) -> Option<String> {
        let template = Template::expression(key, self.at).ok()?;
        let value = template.evaluate(&self.scope.variables()).ok()?;
        value.as_str().map(str::to_owned)
    }
}

/// The groups over which a task goes: whose hosts it may ask about.
#[derive(Default)]
struct Groups {
    named: BTreeSet<String>,
    any: bool,
    all: std::cell::OnceCell<BTreeSet<String>>,
}

impl Groups {
    fn add(&mut self, uses: &Uses, scope: &Scope) {
        for used in uses.names() {
            match (used.name.as_str(), used.path.first()) {
                ("groups", Some(group)) => {
                    self.named.extend(scope.hosts_of(group));
                    self.any = true;
                }
                (
                    "ansible_play_hosts"
                    | "ansible_play_hosts_all"
                    | "ansible_play_batch"
                    | "play_hosts",
                    _,
                ) => {
                    self.named.extend(scope.hosts_of_play());
                    self.any = true;
                }
                _ => {}
            }
        }
        self.all.take();
    }

    /// The hosts of these groups; all hosts if no group is named.
    fn hosts(&self, scope: &Scope) -> &BTreeSet<String> {
        self.all.get_or_init(|| {
            if self.any {
                self.named.clone()
            } else {
                scope.hosts_of("all").into_iter().collect()
            }
        })
    }
}

/// Notes the fact that a variable's name stands for; `key` is what follows it.
fn fact_of(name: &str, key: Option<&String>, wanted: &mut Wanted) {
    if name == "ansible_facts" {
        if let Some(key) = key {
            wanted.names.insert(key.clone());
        } else {
            wanted.all = true;
        }
        return;
    }
    let Some(bare) = name.strip_prefix("ansible_") else {
        return;
    };
    if setup::is_fact(bare) || is_interface(bare) {
        wanted.names.insert(bare.to_owned());
    }
}

/// Beginnings of names that network interfaces have.
const INTERFACES: &[&str] = &[
    "bond", "br", "cali", "cni", "docker", "dummy", "em", "en", "eth", "flannel", "ib", "lo",
    "lxc", "lxd", "ovs", "team", "tun", "tap", "veth", "virbr", "vlan", "vmbr", "vxlan", "wg",
    "wl", "ww",
];

/// Whether it looks like the name of a network interface.
fn is_interface(name: &str) -> bool {
    let rest = INTERFACES
        .iter()
        .filter_map(|start| name.strip_prefix(start))
        .min_by_key(|rest| rest.len());
    rest.is_some_and(|rest| {
        rest.is_empty() && name == "lo"
            || rest.chars().any(|c| c.is_ascii_digit())
            || rest.starts_with(['-', '_'])
    })
}

/// How many templates are read for their words.
const TEXTS: usize = 2000;

/// The texts of all files below a folder.
fn texts(folder: &Path) -> Vec<String> {
    let (mut texts, mut open) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => open.push(entry.path()),
                _ => texts.extend(std::fs::read_to_string(entry.path())),
            }
            if texts.len() >= TEXTS {
                return texts;
            }
        }
    }
    texts
}

/// All words of a text that may be names, where names are made at run.
fn words(source: &str, names: &mut BTreeSet<String>, facts: &mut Wanted) {
    let under = source.contains("ansible_facts");
    for word in source.split(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
        if word.is_empty() || word.starts_with(|c: char| c.is_ascii_digit()) {
            continue;
        }
        names.insert(word.to_owned());
        match word.strip_prefix("ansible_") {
            // A name is put together from this.
            Some("") => facts.all = true,
            Some("facts") | None => {
                if under && setup::is_fact(word) {
                    facts.names.insert(word.to_owned());
                }
            }
            Some(bare) => {
                if setup::is_fact(bare) || is_interface(bare) {
                    facts.names.insert(bare.to_owned());
                }
            }
        }
    }
}
