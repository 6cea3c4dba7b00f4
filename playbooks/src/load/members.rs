//! Hosts with their variables: of the inventory, `group_vars` and `host_vars`.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    rc::Rc,
    sync::Arc,
};

use evenkeel_engine::{Map, Value};

use crate::{
    diagnostic::Diagnostic,
    files::{Files, Span},
    inventory::Inventory,
    template::Fault,
    vars::{Layer, Member, Tree},
    yaml::{self, Kind, Node},
};

/// All hosts of the inventory; `folders` are searched for `group_vars` and `host_vars`, the later
/// ones win.
pub(crate) fn all(
    inventory: &Inventory,
    folders: &[PathBuf],
    files: &mut Files,
    out: &mut Vec<Diagnostic>,
) -> BTreeMap<String, Arc<Member>> {
    let mut reader = Reader::new(files, out);
    let mut names: Vec<&str> = inventory.hosts.keys().map(String::as_str).collect();
    if !names.contains(&"localhost") {
        names.push("localhost");
    }
    let folders = unique(folders);
    let mut members = BTreeMap::new();
    for name in names {
        let mut vars = Layer::default();
        for said in reader.levels(inventory, &folders, name) {
            vars.over(said.source.layer(&mut reader.faults));
        }
        let mut groups: Vec<String> = inventory
            .groups_of(name)
            .into_iter()
            .map(str::to_owned)
            .collect();
        groups.sort_unstable();
        let file = inventory
            .hosts
            .get(name)
            .and_then(|entry| entry.file.clone());
        members.insert(name.to_owned(), Arc::new(Member { vars, groups, file }));
    }
    reader.finish();
    members
}

/// What says a variable of a host, from the lowest level to the highest; the last folder is the playbook's.
pub(crate) fn explain(
    inventory: &Inventory,
    folders: &[PathBuf],
    files: &mut Files,
    host: &str,
    variable: &str,
) -> Vec<Written> {
    let mut out = Vec::new();
    let mut reader = Reader::new(files, &mut out);
    let mut found = Vec::new();
    for said in reader.levels(inventory, &unique(folders), host) {
        let layer = said.source.layer(&mut reader.faults);
        let Some(value) = layer.get(variable) else {
            continue;
        };
        let mut places = said.source.places(variable);
        let last = places.pop();
        // What the same level says several times: the last one counts.
        found.extend(places.into_iter().map(|at| Written {
            level: said.level,
            of: said.of.clone(),
            at: Some(at),
            value: None,
        }));
        found.push(Written {
            level: said.level,
            of: said.of,
            at: last,
            value: Some(value.source()),
        });
    }
    found
}

/// A variable as it is written at some level.
#[derive(Clone, Debug)]
pub struct Written {
    /// The level, as the manual of the language counts them.
    pub level: u8,
    /// The group or host of which it is said.
    pub of: String,
    /// Where.
    pub at: Option<Span>,
    /// The value as it is written; that of what is overwritten at once is not kept.
    pub value: Option<Value>,
}

/// What one level says of a group or host.
struct Said<'i> {
    level: u8,
    of: String,
    source: Source<'i>,
}

enum Source<'i> {
    /// An inventory.
    Inventory(Map, Option<Span>, &'i [(String, Span)]),
    /// A file of `group_vars` or `host_vars`.
    File(Rc<[(Node, Node)]>),
}

impl Source<'_> {
    fn layer(&self, faults: &mut Vec<Fault>) -> Layer {
        match self {
            Self::Inventory(vars, at, _) => Layer::of_map(vars, *at, faults),
            Self::File(entries) => entries
                .iter()
                .map(|(key, value)| (key.text.clone(), Tree::new(value, faults)))
                .collect(),
        }
    }

    fn places(&self, variable: &str) -> Vec<Span> {
        match self {
            Self::Inventory(_, _, written) => {
                let mine = written.iter().filter(|(name, _)| name == variable);
                mine.map(|(_, at)| *at).collect()
            }
            Self::File(entries) => {
                let mine = entries.iter().filter(|(key, _)| key.text == variable);
                mine.map(|(key, _)| key.span).collect()
            }
        }
    }
}

/// The variables of each group itself.
pub(crate) fn of_groups(
    inventory: &Inventory,
    folders: &[PathBuf],
    files: &mut Files,
    out: &mut Vec<Diagnostic>,
) -> BTreeMap<String, Layer> {
    let mut reader = Reader::new(files, out);
    let mut all = BTreeMap::new();
    let written = inventory.groups.keys().map(String::as_str);
    for name in ["all", "ungrouped"].into_iter().chain(written) {
        let mut vars = Layer::default();
        if let Some(group) = inventory.groups.get(name) {
            vars.over(Layer::of_map(&group.vars, group.at, &mut reader.faults));
        }
        for folder in unique(folders) {
            for entries in reader.folder(&folder.join("group_vars"), name) {
                vars.over(Source::File(entries).layer(&mut reader.faults));
            }
        }
        all.insert(name.to_owned(), vars);
    }
    reader.finish();
    all
}

/// Each folder once, where it stands last.
fn unique(folders: &[PathBuf]) -> Vec<&PathBuf> {
    let canonical = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let later = |index: usize, folder: &Path| {
        folders[index + 1..]
            .iter()
            .any(|other| canonical(other) == canonical(folder))
    };
    let all = folders.iter().enumerate();
    all.filter(|(index, folder)| !later(*index, folder))
        .map(|(_, folder)| folder)
        .collect()
}

struct Reader<'a> {
    files: &'a mut Files,
    out: &'a mut Vec<Diagnostic>,
    faults: Vec<Fault>,
    /// What was read: many hosts share a group's file.
    read: BTreeMap<PathBuf, Rc<[(Node, Node)]>>,
}

impl<'a> Reader<'a> {
    fn new(files: &'a mut Files, out: &'a mut Vec<Diagnostic>) -> Self {
        Self {
            files,
            out,
            faults: Vec::new(),
            read: BTreeMap::new(),
        }
    }

    /// Says what is wrong with the templates.
    fn finish(self) {
        let faults = self.faults.iter();
        self.out
            .extend(faults.map(|fault| fault.diagnostic(self.files)));
    }

    /// What the inventory and the folders say of a host, from the lowest to the highest.
    fn levels<'i>(
        &mut self,
        inventory: &'i Inventory,
        folders: &[&PathBuf],
        name: &str,
    ) -> Vec<Said<'i>> {
        let groups: Vec<&str> = inventory.groups_of(name);
        let mut found = Vec::new();
        // What inventories say of groups, then what the folders say: of `all`, then of the others.
        for group in std::iter::once("all").chain(groups.iter().copied()) {
            if let Some(written) = inventory.groups.get(group) {
                let mut own = written.vars.clone();
                // It is about the group.
                own.shift_remove("ansible_group_priority");
                found.push(Said {
                    level: 3,
                    of: group.to_owned(),
                    source: Source::Inventory(own, written.at, &written.written),
                });
            }
        }
        self.folders(folders, "group_vars", &["all"], 4, &mut found);
        self.folders(folders, "group_vars", &groups, 6, &mut found);
        let (vars, at, written): (_, _, &[_]) = match inventory.hosts.get(name) {
            Some(entry) => (entry.vars.clone(), entry.at, &entry.written),
            None => (inventory.vars_of(name), None, &[]),
        };
        found.push(Said {
            level: 8,
            of: name.to_owned(),
            source: Source::Inventory(vars, at, written),
        });
        self.folders(folders, "host_vars", &[name], 9, &mut found);
        found
    }

    /// What folders say, the last one a level higher.
    fn folders(
        &mut self,
        folders: &[&PathBuf],
        kind: &str,
        names: &[&str],
        level: u8,
        found: &mut Vec<Said<'_>>,
    ) {
        for (number, folder) in (1..).zip(folders) {
            for name in names {
                let files = self.folder(&folder.join(kind), name);
                found.extend(files.into_iter().map(|entries| Said {
                    level: level + u8::from(number == folders.len()),
                    of: (*name).to_owned(),
                    source: Source::File(entries),
                }));
            }
        }
    }

    /// All files of the folder `NAME`, else the first of `NAME`, `NAME.yml`, `NAME.yaml` and
    /// `NAME.json` that is there.
    fn folder(&mut self, folder: &Path, name: &str) -> Vec<Rc<[(Node, Node)]>> {
        if !folder.is_dir() {
            return Vec::new();
        }
        let dir = folder.join(name);
        let mut paths: Vec<PathBuf> = Vec::new();
        if dir.is_dir() {
            below(&dir, &mut paths);
        } else {
            let ends = ["", ".yml", ".yaml", ".json"].into_iter();
            let mut files = ends.map(|end| folder.join(format!("{name}{end}")));
            paths.extend(files.find(|path| path.is_file()));
        }
        let files = paths.into_iter().filter(|path| path.is_file());
        files.map(|path| self.entries(&path)).collect()
    }

    fn entries(&mut self, path: &Path) -> Rc<[(Node, Node)]> {
        if let Some(found) = self.read.get(path) {
            return Rc::clone(found);
        }
        let entries: Rc<[(Node, Node)]> = self.parse(path).into();
        self.read.insert(path.to_owned(), Rc::clone(&entries));
        entries
    }

    fn parse(&mut self, path: &Path) -> Vec<(Node, Node)> {
        let file = match self.files.load(path) {
            Ok(file) => file,
            Err(error) => {
                self.out.push(*error);
                return Vec::new();
            }
        };
        let (documents, found) = yaml::read(self.files, file);
        self.out.extend(found);
        match documents.into_iter().next() {
            Some(Node {
                kind: Kind::Map(entries),
                ..
            }) => entries,
            Some(node) if !node.is_null() => {
                let message = format!("variables are a map, this is {}", node.kind_name());
                self.out.push(
                    Diagnostic::error("wrong_type", node.span, message)
                        .help("write `name: value` lines"),
                );
                Vec::new()
            }
            _ => Vec::new(),
        }
    }
}

/// The files of a folder of variables and of the folders in it, by name.
fn below(dir: &Path, paths: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let mut entries: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    entries.sort();
    for path in entries.into_iter().filter(|path| wanted(path)) {
        if path.is_dir() {
            if path.extension().is_none() {
                below(&path, paths);
            }
        } else {
            paths.push(path);
        }
    }
}

fn wanted(path: &Path) -> bool {
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or("");
    let end = Path::new(name).extension().and_then(|end| end.to_str());
    !name.starts_with('.')
        && !name.ends_with('~')
        && matches!(end, None | Some("yml" | "yaml" | "json"))
}
