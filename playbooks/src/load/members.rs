//! Hosts with their variables: of the inventory, `group_vars` and `host_vars`.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    diagnostic::Diagnostic,
    files::Files,
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
    let mut members = BTreeMap::new();
    for name in names {
        let groups: Vec<&str> = inventory.groups_of(name);
        let mut vars = Layer::default();
        // What inventories say of groups, then what the folders say: of `all`, then of the others.
        for group in std::iter::once("all").chain(groups.iter().copied()) {
            if let Some(written) = inventory.groups.get(group) {
                let mut own = written.vars.clone();
                // It is about the group.
                own.shift_remove("ansible_group_priority");
                vars.over(Layer::of_map(&own, written.at, &mut reader.faults));
            }
        }
        for folder in unique(folders) {
            reader.folder(&folder.join("group_vars"), "all", &mut vars);
        }
        for folder in unique(folders) {
            for group in &groups {
                reader.folder(&folder.join("group_vars"), group, &mut vars);
            }
        }
        let own = inventory.hosts.get(name);
        match own {
            Some(entry) => vars.over(Layer::of_map(&entry.vars, entry.at, &mut reader.faults)),
            None => vars.over(Layer::of_map(
                &inventory.vars_of(name),
                None,
                &mut reader.faults,
            )),
        }
        for folder in unique(folders) {
            reader.folder(&folder.join("host_vars"), name, &mut vars);
        }
        let mut groups: Vec<String> = groups.into_iter().map(str::to_owned).collect();
        groups.sort_unstable();
        members.insert(name.to_owned(), Arc::new(Member { vars, groups }));
    }
    reader.finish();
    members
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
            reader.folder(&folder.join("group_vars"), name, &mut vars);
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
    read: BTreeMap<PathBuf, Vec<(Node, Node)>>,
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

    /// All files of the folder `NAME`, else the first of `NAME`, `NAME.yml`, `NAME.yaml` and
    /// `NAME.json` that is there.
    fn folder(&mut self, folder: &Path, name: &str, vars: &mut Layer) {
        if !folder.is_dir() {
            return;
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
        for path in paths.into_iter().filter(|path| path.is_file()) {
            let entries = self.entries(&path);
            let faults = &mut self.faults;
            let layer = entries
                .iter()
                .map(|(key, value)| (key.text.clone(), Tree::new(value, faults)));
            vars.over(layer.collect());
        }
    }

    fn entries(&mut self, path: &Path) -> Vec<(Node, Node)> {
        if let Some(found) = self.read.get(path) {
            return found.clone();
        }
        let entries = self.parse(path);
        self.read.insert(path.to_owned(), entries.clone());
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
                self.out
                    .push(Diagnostic::error("wrong_type", node.span, message));
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
