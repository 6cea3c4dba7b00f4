//! Roles: where they are, what is in them, and how they stand in a play.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use evenkeel_engine::{Map, Value};

use super::{Expander, Here, empty, find, include::words, known::Text};
use crate::{
    ast::{Include, Item, Part, RoleCall},
    diagnostic::Diagnostic,
    files::Span,
    looked::whole,
    open::{ANY, fits},
    parse::For,
    vars::{Layer, Levels, Tree, plain},
    words::closest,
    yaml::{self, Node},
};

/// A role in its place.
#[derive(Debug)]
pub(super) struct RoleAt {
    pub(super) name: Arc<str>,
    pub(super) path: PathBuf,
    /// The roles that brought it in, the outermost first.
    pub(super) parents: Vec<Arc<Self>>,
}

/// A role as it ran, to tell whether it is the same once more.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ran(String);

/// The variables of a role, the highest first.
#[derive(Clone, Debug, Default)]
struct Own {
    vars: Vec<Arc<Layer>>,
    defaults: Vec<Arc<Layer>>,
}

/// Where roles are if nothing else is said.
const USUAL: [&str; 2] = ["/usr/share/ansible/roles", "/etc/ansible/roles"];

/// A file of a role: `NAME`, or with an ending.
pub(super) fn file(role: &Path, kind: &str, name: &str) -> Option<PathBuf> {
    file_at(role, kind, name).filter(|path| whole(path).starts_with(whole(role)))
}

/// The same, wherever it is.
fn file_at(role: &Path, kind: &str, name: &str) -> Option<PathBuf> {
    let ends = ["", ".yml", ".yaml", ".json"];
    let mut paths = ends
        .iter()
        .map(|end| find::tidy(&role.join(kind).join(format!("{name}{end}"))));
    paths.find(|path| path.is_file())
}

/// Files of variables of a role: one, or all of a folder.
fn files_of_vars(role: &Path, kind: &str, name: &str) -> Vec<PathBuf> {
    let folder = role.join(kind).join(name);
    if folder.is_dir() {
        let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        paths.retain(|path| {
            let ending = path.extension().and_then(|ending| ending.to_str());
            path.is_file() && ending.is_some_and(|end| ["yml", "yaml", "json"].contains(&end))
        });
        paths.sort();
        return paths;
    }
    file(role, kind, name).into_iter().collect()
}

/// The collection to which a role belongs, by where it lies.
fn collection_of(role: &Path) -> Option<String> {
    let mut above = role.ancestors().skip(1);
    if above.next()?.file_name()? != "roles" {
        return None;
    }
    let collection = above.next()?.file_name()?.to_str()?;
    let namespace = above.next()?.file_name()?.to_str()?;
    let root = above.next()?.file_name()?;
    (root == "ansible_collections").then(|| format!("{namespace}.{collection}"))
}

impl Expander<'_> {
    /// Folders in which roles are looked for, in order.
    fn role_folders(&self, here: &Here) -> Vec<PathBuf> {
        let mut found = vec![self.stage.folder.join("roles")];
        if self.roles_path.is_empty() {
            let home = std::env::var_os("HOME").filter(|home| !home.is_empty());
            found.extend(home.map(|home| Path::new(&home).join(".ansible/roles")));
            found.extend(USUAL.map(PathBuf::from));
        } else {
            found.extend(self.roles_path.iter().cloned());
        }
        if let Some(beside) = here.role.as_ref().and_then(|role| role.path.parent()) {
            found.push(beside.to_owned());
        }
        found.push(self.stage.folder.clone());
        found.dedup();
        found
    }

    /// Folders of a role of a collection.
    fn collection_folders(&self, namespace: &str, collection: &str) -> Vec<PathBuf> {
        let home = std::env::var_os("HOME").filter(|home| !home.is_empty());
        let home = home.map(|home| Path::new(&home).join(".ansible/collections"));
        let said = std::env::var_os("ANSIBLE_COLLECTIONS_PATH");
        let said: Vec<PathBuf> = said
            .iter()
            .flat_map(std::env::split_paths)
            .filter(|path| !path.as_os_str().is_empty())
            .collect();
        let beside = Some(self.stage.folder.join("collections"));
        let usual = Some(PathBuf::from("/usr/share/ansible/collections"));
        let all = beside.into_iter().chain(said).chain(home).chain(usual);
        all.map(|root| {
            root.join("ansible_collections")
                .join(namespace)
                .join(collection)
                .join("roles")
        })
        .collect()
    }

    /// Folders of the collections in which a role without one is looked for: that of the role
    /// that names it, those which this one lists, those of the play.
    fn listed_folders(&self, here: &Here) -> Vec<PathBuf> {
        let role = here.role.as_ref().map(|role| role.path.as_path());
        let own = role.and_then(collection_of);
        let listed = role.and_then(|role| self.roles.get(role));
        let listed = listed.map_or(&[][..], |meta| &meta.collections);
        own.into_iter()
            .chain(listed.iter().cloned())
            .chain(self.stage.collections.iter().cloned())
            .filter_map(|name| {
                let (namespace, collection) = name.split_once('.')?;
                Some(self.collection_folders(namespace, collection))
            })
            .flatten()
            .collect()
    }

    fn role_dir(&self, name: &str, at: Span, here: &Here) -> Result<PathBuf, Box<Diagnostic>> {
        let parts: Vec<&str> = name.split('.').collect();
        let (folders, last) = match parts[..] {
            [namespace, collection, last] if !name.contains('/') => {
                (self.collection_folders(namespace, collection), last)
            }
            _ => {
                let mut folders = self.listed_folders(here);
                folders.extend(self.role_folders(here));
                (folders, name)
            }
        };
        let whole = Path::new(name);
        let candidates: Vec<PathBuf> = if whole.is_absolute() {
            vec![whole.to_owned()]
        } else {
            folders
                .iter()
                .map(|folder| find::tidy(&folder.join(last)))
                .collect()
        };
        if let Some(found) = candidates.iter().find(|path| path.is_dir()) {
            return Ok(found.clone());
        }
        let message = format!("there is no role `{name}`");
        let error = Diagnostic::error("unknown_role", at, message);
        let looked: Vec<String> = candidates
            .iter()
            .map(|path| format!("`{}`", path.display()))
            .collect();
        let looked = format!("looked for {}", looked.join(", "));
        let near: Vec<String> = folders
            .iter()
            .filter(|folder| folder.ends_with("roles"))
            .flat_map(|folder| std::fs::read_dir(folder).into_iter().flatten().flatten())
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        let help = if let Some(file) = self.requirement(name) {
            let file = file.display();
            format!("`{file}` lists it: `ansible-galaxy install -r {file}` fetches it; {looked}")
        } else if let Some(near) = closest(last, near.iter().map(String::as_str)) {
            format!("did you mean `{near}`? {}", crate::words::sentence(&looked))
        } else if let [namespace, collection, _] = parts[..] {
            format!(
                "`ansible-galaxy collection install {namespace}.{collection}` fetches its collection; {looked}"
            )
        } else {
            looked
        };
        Err(Box::new(error.help(help)))
    }

    /// The `requirements.yml` that lists a role.
    fn requirement(&self, name: &str) -> Option<PathBuf> {
        let folder = &self.stage.folder;
        let beside = ["requirements.yml", "requirements.yaml"];
        let below = folder.join("roles");
        let places = [folder, &below]
            .into_iter()
            .flat_map(|folder| beside.map(|file| folder.join(file)));
        places.into_iter().find(|path| lists(path, name))
    }

    /// Roles or files of a role that fit what is known of a name.
    pub(super) fn role_candidates(&self, texts: &[Text], at: usize, here: &Here) -> Vec<String> {
        let (Text::Open(pattern), Text::Is(name)) =
            (&texts[at], texts.first().unwrap_or(&texts[at]))
        else {
            let Some(Text::Open(pattern)) = texts.first().filter(|_| at == 0) else {
                return Vec::new();
            };
            if pattern.contains('/') || pattern.chars().all(|letter| letter == ANY) {
                return Vec::new();
            }
            let mut names: Vec<String> = Vec::new();
            for folder in self.role_folders(here) {
                let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
                let roles = entries.filter(|entry| entry.path().join("tasks").is_dir());
                names.extend(roles.filter_map(|entry| entry.file_name().into_string().ok()));
            }
            names.retain(|name| fits(name, pattern));
            names.sort();
            names.dedup();
            return names;
        };
        // Which of the files it is, `tasks_from` says.
        if at != 1 {
            return Vec::new();
        }
        let Some(path) = self.role_path(name, here) else {
            return Vec::new();
        };
        let names = find::fitting(pattern, &[path.join("tasks")]);
        if !names.is_empty()
            || Path::new(pattern)
                .extension()
                .is_some_and(|end| end == "yml")
        {
            return names;
        }
        // `tasks_from: install-{{ x }}`: the ending is left out.
        let mut bare: Vec<String> = find::fitting(&format!("{pattern}.yml"), &[path.join("tasks")])
            .iter()
            .filter_map(|name| name.strip_suffix(".yml").map(str::to_owned))
            .collect();
        bare.dedup();
        bare
    }

    fn role_path(&self, name: &str, here: &Here) -> Option<PathBuf> {
        let folders = self.role_folders(here);
        folders
            .iter()
            .map(|folder| find::tidy(&folder.join(name)))
            .find(|path| path.is_dir())
    }

    /// The folder of a role; says so if there is none, or nothing in it.
    fn role_there(&mut self, name: &str, at: Span, here: &Here) -> Option<PathBuf> {
        match self.role_dir(name, at, here) {
            Ok(path) => {
                self.out.extend(empty::warning(name, &path, at));
                Some(path)
            }
            Err(error) => {
                self.out.push(*error);
                None
            }
        }
    }

    /// The files of variables of a role.
    fn own(&mut self, path: &Path, from: &From<'_>, at: Span) -> Own {
        let read = |expander: &mut Self, kind: &str, name: Option<&str>| {
            let files = files_of_vars(path, kind, name.unwrap_or("main"));
            if let (true, Some(name)) = (files.is_empty(), name) {
                expander.missing(path, kind, name, from.place(kind, at));
            }
            let layers = files.iter().rev().map(|file| expander.vars_in(file));
            layers.collect::<Vec<_>>()
        };
        Own {
            vars: read(self, "vars", from.vars),
            defaults: read(self, "defaults", from.defaults),
        }
    }

    fn missing(&mut self, role: &Path, kind: &str, name: &str, at: Span) {
        let folder = role.join(kind);
        if let Some(path) = file_at(role, kind, name) {
            let what = format!("`{}` is outside of the role", path.display());
            let help = "a role brings in files of its own; what is elsewhere `include_tasks` and `include_vars` bring in";
            let error = Diagnostic::error("outside_of_role", at, what);
            self.out.push(error.help(help));
            return;
        }
        let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
        let names: Vec<String> = entries
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        let message = format!("the role has no file `{}`", folder.join(name).display());
        let error = Diagnostic::error("no_such_file", at, message);
        self.out
            .push(match closest(name, names.iter().map(String::as_str)) {
                Some(near) => error.help(format!("did you mean `{near}`?")),
                None if names.is_empty() => error.help(format!("there is nothing in its `{kind}`")),
                None => error.help(format!("there are {}", crate::words::list(&names, "and"))),
            });
    }

    pub(super) fn bring_role(
        &mut self,
        include: &Arc<Include>,
        call: &RoleCall,
        texts: &[String],
        levels: Levels,
        here: &Here,
    ) -> Option<Part> {
        note(&mut self.stage.named, texts);
        self.role(include, call, texts, levels, here)?.0
    }

    /// A role; `None` in place of its tasks if it was there already.
    fn role(
        &mut self,
        include: &Arc<Include>,
        call: &RoleCall,
        texts: &[String],
        mut levels: Levels,
        here: &Here,
    ) -> Option<(Option<Part>, Own)> {
        let from = From::new(call, texts);
        let at = call.name.span;
        let path = self.role_there(from.name, at, here)?;
        let meta = self.meta(&path);
        let mut own = self.own(&path, &from, at);
        let named = Path::new(from.name).file_name();
        let name: Arc<str> = named
            .and_then(|name| name.to_str())
            .unwrap_or(from.name)
            .into();
        let mut inner = Self::within(&name, &path, here);
        inner.chain.push((path.clone(), include.word.span));
        if include.word.value == "roles" && here.chain.iter().any(|(other, _)| *other == path) {
            self.circle(include, &inner);
            return None;
        }
        let given = self.role_levels(include, call, &own, &mut levels);
        levels.magic = inner
            .role
            .as_ref()
            .map(|role| Arc::new(Layer::values(magic(role))));
        levels.folders = self.folders(&inner);
        inner.levels = Arc::new(levels.clone());
        let shows = call.public && !here.is_private;
        inner.is_private = !shows;
        let mut body = Vec::new();
        // What is seen of those that it depends on: the last of them is the highest.
        let mut below = Own::default();
        for dependency in &meta.dependencies {
            let Some((part, Own { vars, defaults })) = self.dependency(dependency, &inner) else {
                continue;
            };
            body.extend(part.map(|part| Item::Part(Box::new(part))));
            below.vars.splice(0..0, vars);
            below.defaults.splice(0..0, defaults);
        }
        // Their `vars` are above those of who brought this role in, their `defaults` below them.
        levels
            .roles
            .splice(given..given, below.vars.iter().cloned());
        levels.defaults.extend(below.defaults.iter().cloned());
        own.vars.extend(below.vars);
        own.defaults.extend(below.defaults);
        if shows {
            show(&mut self.stage.shown.vars, &own.vars);
            show(&mut self.stage.shown.defaults, &own.defaults);
        }
        let ran = Ran::new(&path, include, call, texts);
        let again = call.again.unwrap_or(meta.again);
        if !again && self.stage.ran.contains(&ran) {
            return Some((None, own));
        }
        self.stage.ran.push(ran);
        inner.levels = Arc::new(levels);
        inner.is_private = false;
        let which = from.tasks.unwrap_or("main");
        if call.checked {
            let bare = which.trim_end_matches(".yml").trim_end_matches(".yaml");
            let spec = meta.specs.get(bare);
            body.extend(spec.and_then(|spec| self.check_spec(include, bare, spec, &inner)));
        }
        body.extend(self.role_tasks(include, (&from, which), &mut inner, at)?);
        self.role_handlers(include, &from, &inner, at);
        let (common, own_tags) = words(include, here.of);
        let part = Part {
            span: include.span,
            common,
            own_tags,
            levels: inner.levels,
            role: Some(name),
            is_role: true,
            called: None,
            body,
        };
        Some((Some(part), own))
    }

    /// The tasks of a role itself. `None`: it brings in itself.
    fn role_tasks(
        &mut self,
        include: &Include,
        (from, which): (&From<'_>, &str),
        here: &mut Here,
        at: Span,
    ) -> Option<Vec<Item>> {
        let role = here.role.clone()?;
        let Some(path) = file(&role.path, "tasks", which) else {
            // A role may be there for its variables alone.
            if from.tasks.is_some() {
                self.missing(&role.path, "tasks", which, from.place("tasks", at));
            }
            return Some(Vec::new());
        };
        if !self.enters(include, &path, here) {
            return None;
        }
        let items = self.tasks_in(&path, For::Tasks, at);
        Some(self.items(&items, here))
    }

    /// Within a role.
    fn within(name: &Arc<str>, path: &Path, here: &Here) -> Here {
        let mut parents = Vec::new();
        if let Some(role) = &here.role {
            parents.extend(role.parents.iter().cloned());
            parents.push(Arc::clone(role));
        }
        Here {
            folder: path.join("tasks"),
            role: Some(Arc::new(RoleAt {
                name: Arc::clone(name),
                path: path.to_owned(),
                parents,
            })),
            of: For::Tasks,
            ..here.clone()
        }
    }

    /// Puts what a role has and is given among what is around it; how many layers of `vars` that are.
    fn role_levels(
        &mut self,
        include: &Include,
        call: &RoleCall,
        own: &Own,
        levels: &mut Levels,
    ) -> usize {
        // Given to it where it is named, then its own.
        let mut roles = own.vars.clone();
        if include.word.value == "roles" && !include.common.vars.is_empty() {
            let layer = Layer::new(&include.common.vars, &mut self.faults);
            roles.insert(0, Arc::new(layer));
        }
        let given = roles.len();
        levels.roles.splice(0..0, roles);
        levels.defaults.splice(0..0, own.defaults.iter().cloned());
        if !call.params.is_empty() {
            let layer = Layer::new(&call.params, &mut self.faults);
            levels.params.insert(0, Arc::new(layer));
        }
        if include.dynamic {
            self.apply_vars(include, levels);
        }
        given
    }

    fn circle(&mut self, include: &Include, here: &Here) {
        let names: Vec<String> = here
            .chain
            .iter()
            .filter(|(path, _)| path.is_dir())
            .filter_map(|(path, _)| Some(path.file_name()?.to_string_lossy().into_owned()))
            .collect();
        let message = format!(
            "roles bring in each other without end: {}",
            names.join(" -> ")
        );
        self.out.push(
            Diagnostic::error("include_circle", include.word.span, message)
                .help("a role cannot depend on itself"),
        );
    }

    fn dependency(&mut self, include: &Arc<Include>, here: &Here) -> Option<(Option<Part>, Own)> {
        let crate::ast::What::Role(call) = &include.what else {
            return None;
        };
        let hosts = self.hosts(&here.levels);
        let mut texts = Vec::new();
        let from = [
            &call.tasks_from,
            &call.vars_from,
            &call.defaults_from,
            &call.handlers_from,
        ];
        for node in [&call.name].into_iter().chain(from.into_iter().flatten()) {
            let tree = Tree::new(node, &mut self.faults);
            match self.text(
                &tree,
                &here.levels,
                &hosts.first().cloned().unwrap_or_default(),
                node.span,
            ) {
                Ok(Text::Is(text)) => texts.push(text),
                Ok(Text::Open(_)) => {
                    let message = "on which role another depends has to be known before the run";
                    self.out.push(
                        Diagnostic::error("known_too_late", node.span, message)
                            .help("bring it in by `include_role` in its tasks"),
                    );
                    return None;
                }
                Err(fault) => {
                    self.faults.push(fault);
                    return None;
                }
            }
        }
        note(&mut self.stage.dependencies, &texts);
        self.role(include, call, &texts, (*here.levels).clone(), here)
    }

    fn role_handlers(&mut self, include: &Include, from: &From<'_>, here: &Here, at: Span) {
        let Some(role) = &here.role else { return };
        let name = from.handlers.unwrap_or("main");
        let Some(file) = file(&role.path, "handlers", name) else {
            if from.handlers.is_some() {
                let path = role.path.clone();
                self.missing(&path, "handlers", name, from.place("handlers", at));
            }
            return;
        };
        let items = self.tasks_in(&file, For::Handlers, at);
        let mut inner = Here {
            folder: role.path.join("handlers"),
            of: For::Handlers,
            ..here.clone()
        };
        inner.levels = Arc::new(Levels {
            folders: self.folders(&inner),
            ..(*here.levels).clone()
        });
        let body = self.items(&items, &inner);
        let (common, _) = words(include, For::Handlers);
        self.stage.handlers.push(Item::Part(Box::new(Part {
            span: include.span,
            common,
            own_tags: None,
            levels: inner.levels,
            role: Some(Arc::clone(&role.name)),
            is_role: false,
            called: None,
            body,
        })));
    }
}

/// Which files of a role are meant.
pub(super) struct From<'a> {
    name: &'a str,
    tasks: Option<&'a str>,
    vars: Option<&'a str>,
    defaults: Option<&'a str>,
    handlers: Option<&'a str>,
    /// Where each of them is written, by its folder.
    places: [(&'static str, Option<Span>); 4],
}

impl<'a> From<'a> {
    fn new(call: &RoleCall, texts: &'a [String]) -> Self {
        let mut texts = texts.iter().map(String::as_str);
        let name = texts.next().unwrap_or_default();
        let mut of = |node: &Option<Node>| node.as_ref().and_then(|_| texts.next());
        Self {
            name,
            tasks: of(&call.tasks_from),
            vars: of(&call.vars_from),
            defaults: of(&call.defaults_from),
            handlers: of(&call.handlers_from),
            places: [
                ("tasks", &call.tasks_from),
                ("vars", &call.vars_from),
                ("defaults", &call.defaults_from),
                ("handlers", &call.handlers_from),
            ]
            .map(|(kind, node)| (kind, node.as_ref().map(|node| node.span))),
        }
    }

    /// Where the name of a file of this folder is written; else where the role is.
    fn place(&self, kind: &str, role: Span) -> Span {
        let written = self.places.iter().find(|(folder, _)| *folder == kind);
        written.and_then(|(_, span)| *span).unwrap_or(role)
    }
}

impl Ran {
    fn new(path: &Path, include: &Include, call: &RoleCall, texts: &[String]) -> Self {
        let vars = include.common.vars.iter().chain(&call.params);
        let vars: Vec<String> = vars
            .map(|(name, node)| format!("{}={}", name.value, plain(node).to_json()))
            .collect();
        let when: Vec<&str> = include
            .common
            .when
            .iter()
            .map(|node| node.text.as_str())
            .collect();
        let mut tags: Vec<&str> = include
            .common
            .tags
            .iter()
            .map(|tag| tag.value.as_str())
            .collect();
        tags.sort_unstable();
        Self(format!(
            "{} {:?} {vars:?} {when:?} {tags:?}",
            path.display(),
            &texts[1..]
        ))
    }
}

/// Puts layers over others, each once.
fn show(shown: &mut Vec<Arc<Layer>>, layers: &[Arc<Layer>]) {
    shown.retain(|old| !layers.iter().any(|layer| Arc::ptr_eq(old, layer)));
    shown.splice(0..0, layers.iter().cloned());
}

/// The collection of a role, if it is named with one, and the role's own name.
fn parted(name: &str) -> (Option<&str>, &str) {
    match name.rsplit_once('.') {
        Some((collection, short)) if collection.contains('.') && !name.contains('/') => {
            (Some(collection), short)
        }
        _ => (None, name.rsplit('/').next().unwrap_or(name)),
    }
}

/// Notes a role, once.
fn note(names: &mut Vec<String>, texts: &[String]) {
    if let Some(name) = texts.first().map(|name| short(name).to_owned())
        && !names.contains(&name)
    {
        names.push(name);
    }
}

/// A role's own name.
pub(crate) fn short(name: &str) -> &str {
    parted(name).1
}

/// What nobody writes of a role.
fn magic(role: &RoleAt) -> Map {
    let path = |role: &RoleAt| -> Value {
        let path = std::path::absolute(&role.path).unwrap_or_else(|_| role.path.clone());
        find::tidy(&path).display().to_string().as_str().into()
    };
    let name = |role: &RoleAt| -> Value { (&*role.name).into() };
    // The nearest first.
    let parents = || role.parents.iter().rev();
    let (collection, own) = parted(&role.name);
    let pairs: [(&str, Value); 6] = [
        ("role_name", own.into()),
        (
            "ansible_collection_name",
            collection.unwrap_or_default().into(),
        ),
        ("ansible_role_name", name(role)),
        ("role_path", path(role)),
        (
            "ansible_parent_role_names",
            parents().map(|role| name(role)).collect(),
        ),
        (
            "ansible_parent_role_paths",
            parents().map(|role| path(role)).collect(),
        ),
    ];
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// Whether a `requirements.yml` lists a role.
fn lists(path: &Path, name: &str) -> bool {
    let mut files = crate::files::Files::new();
    let Ok(file) = files.load(path) else {
        return false;
    };
    let (documents, _) = yaml::read(&files, file);
    let Some(document) = documents.first() else {
        return false;
    };
    let roles = document
        .as_seq()
        .or_else(|| document.get("roles")?.as_seq());
    let called = |role: &Node| {
        let text = |key: &str| role.get(key).map(|node| node.text.clone());
        role.as_str() == Some(name)
            || text("name")
                .or_else(|| text("role"))
                .or_else(|| text("src"))
                .as_deref()
                == Some(name)
    };
    roles.unwrap_or_default().iter().any(called)
}
