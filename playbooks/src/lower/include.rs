//! `include_vars`: which files a task may read, and what they hold.
//!
//! Which variables a task leaves behind is known when plays are lowered. Where only facts or results
//! decide which file it reads, each file that fits what is known of its name is a candidate.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
};

use evenkeel_engine::{Map, NotYet, Value};
use evenkeel_modules::include_vars::Args;

use super::{
    body::items_of,
    program::{Condition, Form, Program},
    store::Store,
};
use crate::{
    ast::LoopKind,
    files::{Files, Span},
    looked::whole,
    open::{ANY, files},
    template::{Fault, Template},
    vars::{Layer, Scope, Sources, Tree, reached},
    yaml,
};

/// The module.
pub(super) const MODULE: &str = "include_vars";

/// The folder in which such files are looked for first.
pub(super) const FOLDER: &str = "vars";

/// Endings of files of variables, where nothing is known or said of a name's end.
pub(super) const ENDINGS: [&str; 3] = ["yml", "yaml", "json"];

/// A file of variables.
#[derive(Debug, Default)]
pub(crate) struct Included {
    /// What it sets.
    pub(crate) layer: Arc<Layer>,
    /// The names of that, as they are listed.
    pub(super) names: Vec<String>,
    /// Where it is.
    pub(super) path: String,
}

impl Included {
    /// Reads and compiles it, as far as that goes; with what is wrong.
    pub(super) fn read(path: &Path, files: &mut Files) -> (Self, Vec<Fault>) {
        let file = match files.load(path) {
            Ok(file) => file,
            Err(error) => return (Self::default(), vec![Fault::of(&error)]),
        };
        let (documents, found) = yaml::read(files, file);
        let mut faults: Vec<Fault> = found
            .iter()
            .filter(|found| found.is_error())
            .map(Fault::of)
            .collect();
        let entries = documents.first().and_then(yaml::Node::as_map);
        if let Some(root) = documents.first() {
            if entries.is_none() && !root.is_null() {
                let what = root.kind_name();
                let message = format!("a file of variables holds a map of them, not {what}");
                let fault = Fault::new("not_a_map", message).help("write `name: value` lines");
                faults.push(fault.or_at(root.span));
            }
        }
        let tree = |(key, value): &(yaml::Node, yaml::Node)| {
            (key.text.clone(), Tree::new(value, &mut faults))
        };
        let entries = entries.unwrap_or_default();
        let names = entries.iter().map(|(key, _)| key.text.clone()).collect();
        let layer = Arc::new(entries.iter().map(tree).collect());
        let path = path.to_string_lossy().into_owned();
        (Self { layer, names, path }, faults)
    }
}

/// The files that a task may read.
#[derive(Debug, Default)]
pub(crate) struct Candidates {
    /// What they hold.
    pub(super) files: Vec<Arc<Included>>,
    /// The variables that the task may set.
    pub(crate) names: BTreeSet<String>,
    /// Whether only results tell which files it reads: they may be any.
    pub(super) open: bool,
    /// Whether something that it reads is not there: it may be made by the run.
    pub(super) absent: bool,
    /// What is wrong if nobody makes what is not there.
    missing: Vec<Fault>,
    /// The names of that, of which not all is known, each with a place where it may be.
    pub(super) wanted: Vec<(PathBuf, String)>,
    /// What is wrong with those that are not sure to be read.
    pub(super) faults: Vec<Fault>,
}

/// Looks for them; they may be read at the task's turn.
pub(crate) fn candidates(program: &Program, scope: &Scope, store: &Store) -> Candidates {
    let mut found = Candidates::default();
    if program.arg("dir").is_some() {
        in_folders(program, scope, store, &mut found);
        return found;
    }
    let Some((Form::Tree(file), at)) = program.arg("file").map(|arg| (&arg.form, arg.node.span))
    else {
        return found;
    };
    let of_results = only_results_tell(program, file, scope);
    for scope in turns(program, scope) {
        let before = found.files.len();
        let mut note = |path: PathBuf, included: Arc<Included>| {
            store.foresee(program.module.span, &path);
            found.files.push(included);
        };
        match file.render(&scope.variables()) {
            // What is wrong with a file that is known shows where arguments are made.
            Ok(Value::Str(name)) => {
                if let Ok(path) = super::store::find(&name, FOLDER, scope.search_folders()) {
                    if let Ok(included) = store.include(&path) {
                        note(path, included);
                    }
                } else {
                    found.absent = true;
                }
            }
            name @ (Ok(Value::NotYet(_)) | Err(_)) => {
                let pattern = pattern(file, at, &scope);
                found.open |= of_results && pattern.chars().eq([ANY]);
                for (path, sure) in fitting(&pattern, scope.search_folders()) {
                    match store.include(&path) {
                        Ok(included) => note(path, included),
                        Err(faults) if sure => found.faults.extend(faults),
                        // Beside the playbook there are other files than those of variables.
                        Err(_) => {}
                    }
                }
                // A name that cannot be had is told where arguments are made, if they are.
                let nothing = found.files.len() == before && found.faults.is_empty() && !found.open;
                found.absent |= nothing;
                // A loop of which nothing is known may have no turn.
                let sure = pattern.chars().any(|letter| letter != ANY) || program.loop_.is_none();
                if name.is_ok() && nothing && sure {
                    let fault = none(&pattern, scope.search_folders()).or_at(at);
                    let places = places(&pattern, scope.search_folders()).into_iter();
                    let places = places.map(|(place, _)| (whole(&place), pattern.clone()));
                    found.wanted.extend(places);
                    // Under a condition it may be for hosts that are not there.
                    let always = program
                        .when
                        .iter()
                        .all(|when| matches!(when, Condition::Is(_)));
                    found
                        .missing
                        .push(if always { fault } else { fault.foreseen() });
                }
            }
            Ok(_) => {}
        }
        found.name(program, &scope, before);
    }
    found
}

/// Whether a name that is not known comes of results alone. Of what facts tell, the files that fit are those of the
/// playbook; and of those that are looked for, all that are there.
fn only_results_tell(program: &Program, file: &Tree, scope: &Scope) -> bool {
    let list = program.loop_.as_ref();
    if list.is_some_and(|found| matches!(found.kind, LoopKind::FirstFound | LoopKind::Query(_))) {
        return false;
    }
    let mut direct = Vec::new();
    let trees = [Some(file), list.map(|found| &found.list)];
    for tree in trees.into_iter().flatten() {
        tree.templates(&mut |template| direct.push(template));
    }
    let mut of_results = true;
    for template in direct {
        reached(scope, template, &mut |inner| {
            let facts = inner
                .uses()
                .names()
                .any(|used| used.name.starts_with("ansible_"));
            of_results &= !facts && !inner.looks_up();
        });
    }
    of_results
}

impl Candidates {
    /// Whether it may read a file of which nothing is known yet.
    pub(crate) fn may_be_any(&self) -> bool {
        self.open || self.absent
    }

    /// Somebody may make what is not there, or make it anew: then it may set any variable.
    pub(crate) fn may_be_made(&mut self, program: &Program) {
        self.missing.clear();
        if program.arg("name").is_none() {
            self.names.insert(ANY.to_string());
        }
    }

    /// The files, for who reads what could not be made when they were read.
    pub(super) fn sources(&self) -> Sources {
        let files = self.files.iter();
        Sources::new(
            files
                .map(|file| (file.path.clone(), Arc::clone(&file.layer)))
                .collect(),
        )
    }

    /// All that is wrong.
    pub(super) fn into_faults(self) -> Vec<Fault> {
        [self.faults, self.missing].concat()
    }

    /// Notes the variables of a turn, whose files begin at `new`.
    fn name(&mut self, program: &Program, scope: &Scope, new: usize) {
        if let Some(name) = name(program, scope) {
            self.names.insert(name);
            return;
        }
        if self.open {
            self.names.insert(ANY.to_string());
        }
        let new = self.files[new..].iter();
        let names = new.flat_map(|file| file.layer.names().cloned());
        self.names.extend(names.collect::<Vec<_>>());
    }
}

/// The files of the folders that a task reads.
fn in_folders(program: &Program, scope: &Scope, store: &Store, found: &mut Candidates) {
    for scope in turns(program, scope) {
        let before = found.files.len();
        let variables = scope.variables();
        let mut args = Map::new();
        for arg in &program.args {
            let Form::Tree(tree) = &arg.form else {
                continue;
            };
            match tree.render(&variables) {
                // What is wrong with it shows where arguments are made.
                Ok(Value::NotYet(_)) | Err(_) => found.open |= arg.name.value != "name",
                Ok(value) => drop(args.insert(arg.name.value.clone(), value)),
            }
        }
        let files = of_folder(&args, scope.search_folders());
        found.absent |= files.is_err();
        for path in files.into_iter().flatten() {
            if let Ok(included) = store.include(&path) {
                store.foresee(program.module.span, &path);
                found.files.push(included);
            }
        }
        found.name(program, &scope, before);
    }
}

/// The files that arguments with `dir` stand for; nothing if they are not such arguments, which is told elsewhere.
pub(super) fn of_folder(args: &Map, folders: &[PathBuf]) -> Result<Vec<PathBuf>, Fault> {
    let args: Result<Args, _> = Value::Map(args.clone()).to_typed();
    match args {
        Ok(args) => match &args.dir {
            Some(dir) => super::folder::files(&args, dir, folders),
            None => Ok(Vec::new()),
        },
        Err(_) => Ok(Vec::new()),
    }
}

/// The turns of a task, as far as they are known.
pub(super) fn turns(program: &Program, scope: &Scope) -> Vec<Scope> {
    let Some(looped) = &program.loop_ else {
        return vec![scope.clone()];
    };
    match items_of(looped, scope) {
        Ok(items) => {
            let turn = |index| scope.with_locals(looped.locals(index, &items));
            (0..items.len()).map(turn).collect()
        }
        Err(_) => {
            vec![scope.with_locals(looped.unknown(&NotYet::new("an item of the loop")))]
        }
    }
}

/// The variable that takes all; each part of its name that is not known is [`ANY`].
fn name(program: &Program, scope: &Scope) -> Option<String> {
    let arg = program.arg("name")?;
    let Form::Tree(tree) = &arg.form else {
        return None;
    };
    match tree.render(&scope.variables()) {
        Ok(Value::NotYet(_)) => Some(pattern(tree, arg.node.span, scope)),
        // What is wrong with it shows where arguments are made.
        Ok(value) => value.as_text(),
        Err(_) => None,
    }
}

/// A name of which not all is known: each part that is not is [`ANY`].
pub(crate) fn pattern(file: &Tree, at: Span, scope: &Scope) -> String {
    let source = file.source().as_text().unwrap_or_default();
    if source.contains("{%") || source.contains("{#") {
        return ANY.to_string();
    }
    let variables = scope.variables();
    let value = |text: &str| {
        let text = text.trim_start_matches('-').trim_end_matches('-');
        let value = Template::expression(text, at).ok()?.evaluate(&variables);
        value.ok()?.as_text()
    };
    let mut pattern = String::new();
    let mut rest = source.as_str();
    while let Some((before, after)) = rest.split_once("{{") {
        let (inner, after) = after.split_once("}}").unwrap_or((after, ""));
        pattern.push_str(before);
        pattern.push_str(&value(inner).unwrap_or_else(|| ANY.to_string()));
        rest = after;
    }
    pattern + rest
}

/// Where a name may lead to; and whether what is there is sure to be a file of variables.
fn places(pattern: &str, folders: &[PathBuf]) -> Vec<(PathBuf, bool)> {
    if pattern.starts_with('/') {
        return vec![(PathBuf::from("/"), true)];
    }
    let below = |folder: &PathBuf| {
        [
            (folder.join(FOLDER), true),
            (folder.clone(), pattern.contains('/')),
        ]
    };
    folders.iter().flat_map(below).collect()
}

/// The files that fit a pattern, in order.
fn fitting(pattern: &str, folders: &[PathBuf]) -> Vec<(PathBuf, bool)> {
    let mut found: Vec<(PathBuf, bool)> = Vec::new();
    for (place, sure) in places(pattern, folders) {
        let paths = files(&place, pattern, sure).into_iter();
        let usual = paths.filter(|path| !pattern.ends_with(ANY) || is_usual(path));
        found.extend(usual.map(|path| (path, sure)));
    }
    found
}

/// Whether a file's name ends as those of files of variables do.
fn is_usual(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    ending.is_none_or(|ending| ENDINGS.contains(&ending))
}

/// No file fits.
fn none(pattern: &str, folders: &[PathBuf]) -> Fault {
    let shown = pattern.replace(ANY, "*");
    let places = places(pattern, folders);
    let looked: Vec<String> = places
        .iter()
        .map(|(place, _)| format!("`{}`", place.join(shown.trim_start_matches('/')).display()))
        .collect();
    Fault::new(
        "no_such_file",
        format!("no file of variables on this machine fits `{shown}`"),
    )
    .help(format!("looked for {}", looked.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_below_vars_first() {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path();
        std::fs::create_dir_all(root.join("vars/os")).unwrap();
        for name in [
            "vars/b.yml",
            "vars/a.yml",
            "vars/os/c.yml",
            "d.yml",
            "e.txt",
        ] {
            std::fs::write(root.join(name), "").unwrap();
        }
        let found = |pattern: &str| -> Vec<String> {
            let files = fitting(pattern, &[root.to_owned()]);
            let shown = |(path, sure): (PathBuf, bool)| {
                format!("{} {sure}", path.strip_prefix(root).unwrap().display())
            };
            files.into_iter().map(shown).collect()
        };
        let all = [
            "vars/a.yml true",
            "vars/b.yml true",
            "vars/os/c.yml true",
            "d.yml false",
        ];
        assert_eq!(found("\0.yml"), all);
        assert_eq!(found("\0"), all);
        assert_eq!(found("os/\0.yml"), ["vars/os/c.yml true"]);
        assert_eq!(found("\0/c.yml"), ["vars/os/c.yml true"]);
        assert!(found("\0.json").is_empty());
        let message = none("\0.json", &[root.to_owned()]);
        assert_eq!(
            message.message,
            "no file of variables on this machine fits `*.json`"
        );
    }

    #[test]
    fn a_file_is_read_with_the_places_of_its_mistakes() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("a.yml");
        let mut files = Files::new();
        let mut read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            let (file, faults) = Included::read(&path, &mut files);
            let names: Vec<&str> = file.layer.names().map(String::as_str).collect();
            let faults = faults.iter().map(|fault| {
                let at = fault.span.expect("it has a place");
                let line = files.position(at.file, at.start).line;
                format!("; {} in line {line}", fault.code)
            });
            names.join(" ") + &faults.collect::<String>()
        };
        assert_eq!(read("b: 1\na: '{{ b }}'\n"), "a b");
        assert_eq!(read(""), "");
        assert_eq!(read("# none\n- a\n"), "; not_a_map in line 2");
        // Those that are right are there.
        let text = "a: 1\nb: '{{ b | }}'\nc: '{{ a | nothing }}'\n";
        let said = "a b c; template_syntax in line 2; unknown_filter in line 3";
        assert_eq!(read(text), said);
        assert!(read("a: [\n").starts_with("; "));
    }
}
