//! `meta/main.yml` and `meta/argument_specs.yml` of a role.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::Expander;
use crate::{
    ast::Include,
    diagnostic::Diagnostic,
    files::Files,
    parse::read_dependencies,
    yaml::{self, Node},
};

/// What a role says of itself.
#[derive(Debug, Default)]
pub(super) struct Meta {
    /// Roles that come before it.
    pub(super) dependencies: Vec<Arc<Include>>,
    /// Whether it may be there twice.
    pub(super) again: bool,
    /// What it wants to be given, by the name of its file of tasks.
    pub(super) specs: BTreeMap<String, Node>,
    /// Collections in which the roles that it names are looked for.
    pub(super) collections: Vec<String>,
    /// What is wrong with it.
    found: Vec<Diagnostic>,
}

impl Expander<'_> {
    /// What a role says of itself; its files are read once.
    pub(super) fn meta(&mut self, role: &Path) -> Arc<Meta> {
        let meta = if let Some(meta) = self.roles.get(role) {
            Arc::clone(meta)
        } else {
            let mut files = self.store.writing();
            let meta = Arc::new(read(role, &mut files, &self.modules));
            drop(files);
            self.roles.insert(role.to_owned(), Arc::clone(&meta));
            meta
        };
        self.out.extend(meta.found.iter().cloned());
        meta
    }
}

fn read(role: &Path, files: &mut Files, modules: &[&str]) -> Meta {
    let mut meta = Meta::default();
    if let Some(document) = document(role, "main", files, &mut meta.found) {
        if let Some(again) = document.get("allow_duplicates") {
            meta.again = matches!(
                again.text.to_lowercase().as_str(),
                "yes" | "true" | "on" | "y" | "1"
            );
        }
        if let Some(node) = document.get("dependencies") {
            let (roles, found) = read_dependencies(files, node, modules);
            meta.dependencies = roles;
            meta.found.extend(found);
        }
        let collections = document.get("collections").and_then(Node::as_seq);
        meta.collections = (collections.unwrap_or_default().iter())
            .map(|node| node.text.clone())
            .collect();
        meta.note_specs(&document);
    }
    if let Some(document) = document(role, "argument_specs", files, &mut meta.found) {
        meta.note_specs(&document);
    }
    meta.found.extend(own_modules(role));
    meta
}

impl Meta {
    fn note_specs(&mut self, document: &Node) {
        let specs = document.get("argument_specs").and_then(Node::as_map);
        for (name, spec) in specs.unwrap_or_default() {
            self.specs.insert(name.text.clone(), spec.clone());
        }
    }
}

fn document(
    role: &Path,
    name: &str,
    files: &mut Files,
    found: &mut Vec<Diagnostic>,
) -> Option<Node> {
    let path = super::role::file(role, "meta", name)?;
    let file = match files.load(&path) {
        Ok(file) => file,
        Err(error) => {
            found.push(*error);
            return None;
        }
    };
    let (documents, wrong) = yaml::read(files, file);
    found.extend(wrong);
    let document = documents.into_iter().next()?;
    if document.as_map().is_none() && !document.is_null() {
        let message = format!(
            "`{name}` of a role is a map, this is {}",
            document.kind_name()
        );
        found.push(Diagnostic::error("wrong_type", document.span, message));
    }
    Some(document)
}

/// A role may bring modules and plugins in Python, which nothing here runs.
fn own_modules(role: &Path) -> Option<Diagnostic> {
    let folders = [
        "library",
        "module_utils",
        "filter_plugins",
        "lookup_plugins",
        "action_plugins",
        "test_plugins",
    ];
    let has_python = |folder: &PathBuf| {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries
            .map(|entry| entry.path())
            .any(|path| path.extension().is_some_and(|ending| ending == "py"))
    };
    let found = folders
        .iter()
        .map(|folder| role.join(folder))
        .find(has_python)?;
    let message = format!("what is in `{}` is Python, and is not run", found.display());
    Some(
        Diagnostic::nowhere("no_effect", message)
            .warning()
            .help("a task or template that needs it is refused, with its place"),
    )
}
