//! One include: its turns, the hosts it is for, what it names, and what stands there.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use super::{
    DEPTH, Expander, Here, find, gate,
    gate::Gate,
    known::{Holds, Text},
    turns::Turn,
};
use crate::{
    ast::{Common, Include, Item, Part, What},
    diagnostic::Diagnostic,
    files::{Span, Spanned},
    lower::Condition,
    open::fits,
    parse::For,
    template::Fault,
    vars::{Layer, Levels, Tree},
    yaml::Node,
};

/// What it names on some hosts.
struct Choice {
    texts: Vec<Text>,
    hosts: BTreeSet<String>,
}

/// What is brought in for one name.
struct Brought {
    part: Part,
    /// The text by which it was named, where that is decided later.
    named: Option<String>,
}

impl Expander<'_> {
    pub(super) fn include(&mut self, include: &Arc<Include>, here: &Here) -> Vec<Item> {
        if self.brought > MOST {
            self.too_deep(include, here);
            return Vec::new();
        }
        self.brought += 1;
        let mut levels = (*here.levels).clone();
        if !include.common.vars.is_empty() {
            let layer = Arc::new(Layer::new(&include.common.vars, &mut self.faults));
            match (&include.what, include.dynamic) {
                (_, true) => levels.params.insert(0, layer),
                // Those of a role of a play are of the role.
                (What::Role(_), false) if include.word.value == "roles" => {}
                (_, false) => levels.own.insert(0, layer),
            }
        }
        if include.dynamic && is_once(&include.common) {
            let first = self.hosts(&levels).into_iter().take(1).collect();
            levels.hosts = Some(Arc::new(first));
        }
        let mut items = Vec::new();
        if let Some(name) = &include.register {
            items.push(self.registered(include, name, &levels, here));
        }
        if let Some((turns, notes)) = self.turns(include, levels, here) {
            items.extend(notes);
            for turn in turns {
                items.extend(self.turn(include, turn, here));
            }
        }
        if let Some(name) = &include.register {
            self.is_left.insert(name.value.clone());
            self.left.push(name.value.clone());
        }
        items
    }

    /// What tells by the name of `register` whether an include was skipped.
    fn registered(
        &mut self,
        include: &Include,
        name: &Spanned<String>,
        levels: &Levels,
        here: &Here,
    ) -> Item {
        self.gates += 1;
        let note = Gate::new(self.gates, include.word.span).registered(include, name);
        let role = here.role.as_ref().map(|role| Arc::clone(&role.name));
        gate::ours(include, &Arc::new(levels.clone()), role, vec![note])
    }

    /// Goes into a file; false if it brings in itself where nothing can end that.
    pub(super) fn enters(&mut self, include: &Include, path: &Path, here: &mut Here) -> bool {
        let again = here.chain.iter().any(|(other, _)| other == path);
        let times = self.again.entry(path.to_owned()).or_default();
        *times = if again { *times + 1 } else { 0 };
        here.chain.push((path.to_owned(), include.word.span));
        let circles = again && !include.dynamic;
        if circles {
            self.too_deep(include, here);
        }
        !circles
    }

    /// Whether the file that is at hand has brought in itself as often as is made ready.
    fn is_spent(&self, here: &Here) -> bool {
        let times = here.chain.last().and_then(|(path, _)| self.again.get(path));
        times.is_some_and(|times| *times >= AGAIN)
    }

    pub(super) fn too_deep(&mut self, include: &Include, here: &Here) {
        let mut chain: Vec<String> = Vec::new();
        for (path, _) in &here.chain {
            let name = path.display().to_string();
            if chain.contains(&name) {
                chain.push(name);
                break;
            }
            chain.push(name);
        }
        let message = format!(
            "files bring in each other without end: {}",
            chain.join(" -> ")
        );
        self.out.push(
            Diagnostic::error("include_circle", include.word.span, message)
                .help("a `when:` on one of them that is known before the run ends it"),
        );
    }

    pub(super) fn conditions(&mut self, include: &Include) -> Vec<Condition> {
        let nodes = include.common.when.iter();
        nodes
            .map(|node| Condition::new(node, &mut self.faults))
            .collect()
    }

    /// Of a turn the hosts for which its condition may hold; whether that is decided later. `None`: for none.
    fn reached(&mut self, include: &Include, whens: &[Condition], turn: &mut Turn) -> Option<bool> {
        let mut open = false;
        if !include.dynamic || whens.is_empty() {
            return Some(open);
        }
        let mut reached = BTreeSet::new();
        for host in self.hosts(&turn.levels) {
            match self.holds(whens, &turn.levels, &host, include.span) {
                Holds::No => continue,
                Holds::Open => open = true,
                Holds::Yes => {}
            }
            reached.insert(host);
        }
        if reached.is_empty() {
            return None;
        }
        turn.levels.hosts = self.narrowed(&turn.levels, reached);
        Some(open)
    }

    fn turn(&mut self, include: &Arc<Include>, mut turn: Turn, here: &Here) -> Vec<Item> {
        let whens = self.conditions(include);
        let Some(open) = self.reached(include, &whens, &mut turn) else {
            return Vec::new();
        };
        let open = open || turn.gate.is_some();
        let nodes = nodes_of(include);
        let Some(choices) = self.choices(&nodes, &turn.levels) else {
            return Vec::new();
        };
        let start = self.left.len();
        let (mut brought, decided) = self.all(include, choices, (&turn, open), here);
        let wrote: BTreeSet<String> = self.left[start..].iter().cloned().collect();
        let parts = |brought: Vec<Brought>| -> Vec<Item> {
            let parts = brought.into_iter().map(|one| one.part);
            parts.map(|part| Item::Part(Box::new(part))).collect()
        };
        if !include.dynamic && decided.is_none() {
            return parts(brought);
        }
        let outer = Arc::new(turn.levels);
        if let Some(gate) = &turn.gate {
            return behind(include, brought, decided, gate, (&outer, here));
        }
        let read = if open {
            self.read_by(&whens, &outer, include.span)
        } else {
            BTreeSet::new()
        };
        let changes =
            |name: &String| wrote.iter().any(|open| fits(name, open)) || turn.locals.contains(name);
        // Where the condition itself fails and that is ignored, nothing is brought in.
        let noted = decided.is_some()
            || open && include.common.ignore_errors.is_some()
            || open
                && (read.iter().any(changes)
                    || brought
                        .iter()
                        .any(|one| hides(&one.part.levels, &outer, &read)));
        if noted {
            return self.noted(include, brought, (&nodes, decided, open), (&outer, here));
        }
        if open {
            for one in &mut brought {
                let whens = &mut one.part.common.when;
                whens.extend(include.common.when.iter().cloned());
            }
        }
        parts(brought)
    }

    /// Brings in all that may be meant; and which of the texts is decided later.
    fn all(
        &mut self,
        include: &Arc<Include>,
        choices: Vec<Choice>,
        (turn, open): (&Turn, bool),
        here: &Here,
    ) -> (Vec<Brought>, Option<usize>) {
        let (mut brought, mut decided) = (Vec::new(), None);
        for choice in choices {
            let levels = Levels {
                hosts: self.narrowed(&turn.levels, choice.hosts),
                ..turn.levels.clone()
            };
            let mut texts: Vec<String> = choice.texts.iter().map(known).collect();
            let is_open = |text: &Text| matches!(text, Text::Open(_));
            let Some(at) = choice.texts.iter().position(is_open) else {
                let part = self.bring(include, &texts, levels, here, open);
                brought.extend(part.map(|part| Brought { part, named: None }));
                continue;
            };
            decided = Some(at);
            let candidates = self.candidates(include, &choice.texts, at, here);
            if candidates.is_empty() {
                let span = nodes_of(include)[at].1.span;
                self.out
                    .push(none_fits(include, &choice.texts[at], span, open));
            }
            for name in candidates {
                texts[at].clone_from(&name);
                let part = self.bring(include, &texts, levels.clone(), here, true);
                let named = Some(name);
                brought.extend(part.map(|part| Brought { part, named }));
            }
        }
        (brought, decided)
    }

    /// What was brought in, behind a note of what was decided.
    fn noted(
        &mut self,
        include: &Include,
        brought: Vec<Brought>,
        (nodes, decided, open): (&[(&str, &Node)], Option<usize>, bool),
        (outer, here): (&Arc<Levels>, &Here),
    ) -> Vec<Item> {
        self.gates += 1;
        let gate = Gate::new(self.gates, include.word.span);
        let reached = Node::str(gate::REACHED, include.word.span);
        let node = decided.map_or(&reached, |at| nodes[at].1);
        let mut ours = vec![gate.note(include, node)];
        ours.extend(none_of(include, &brought, decided, &gate));
        let role = here.role.as_ref().map(|role| Arc::clone(&role.name));
        let mut items = vec![gate::ours(include, outer, role, ours)];
        for Brought { mut part, named } in brought {
            if named.is_some() || decided.is_none() {
                let text = named.as_deref().unwrap_or(gate::REACHED);
                part.common.when.insert(0, gate.is(text));
            } else if open {
                part.common.when.extend(include.common.when.iter().cloned());
            }
            items.push(Item::Part(Box::new(part)));
        }
        items
    }

    /// Fewer hosts than all of the play, or all.
    pub(super) fn narrowed(
        &self,
        levels: &Levels,
        hosts: BTreeSet<String>,
    ) -> Option<Arc<BTreeSet<String>>> {
        let all = &self.stage.world.all_play_hosts;
        if levels.hosts.is_none() && (all.is_empty() || hosts.len() == all.len()) {
            return None;
        }
        Some(Arc::new(hosts))
    }

    /// What is named on which hosts.
    fn choices(&mut self, nodes: &[(&str, &Node)], levels: &Levels) -> Option<Vec<Choice>> {
        let mut trees = Vec::new();
        let before = self.faults.len();
        for (_, node) in nodes {
            trees.push(Tree::new(node, &mut self.faults));
        }
        if self.faults.len() > before {
            return None;
        }
        let mut choices: Vec<Choice> = Vec::new();
        for host in self.hosts(levels) {
            let mut texts = Vec::new();
            for (tree, (_, node)) in trees.iter().zip(nodes) {
                match self.text(tree, levels, &host, node.span) {
                    Ok(text) => texts.push(text),
                    Err(_) if host.is_empty() => return Some(Vec::new()),
                    Err(fault) => {
                        self.faults.push(fault);
                        return None;
                    }
                }
            }
            match choices.iter_mut().find(|choice| choice.texts == texts) {
                Some(choice) => {
                    choice.hosts.insert(host);
                }
                None => choices.push(Choice {
                    texts,
                    hosts: [host].into(),
                }),
            }
        }
        Some(choices)
    }

    /// All that may be meant where a name is decided later.
    fn candidates(
        &mut self,
        include: &Include,
        texts: &[Text],
        at: usize,
        here: &Here,
    ) -> Vec<String> {
        let Text::Open(pattern) = &texts[at] else {
            return Vec::new();
        };
        match &include.what {
            What::Tasks(_) => {
                let names = find::fitting(pattern, &self.places(here));
                let at = include.word.span;
                let fits = |name: &String| {
                    let Ok(path) = self.tasks_file(name, here) else {
                        return false;
                    };
                    let past = here.chain.iter().any(|(other, _)| *other == path);
                    !past && !self.is_playbook(&path, here.of, at)
                };
                names.into_iter().filter(fits).collect()
            }
            What::Role(_) => self.role_candidates(texts, at, here),
        }
    }

    /// Brings in what has this name. `doubtful`: whether it is reached is decided later, and so is whether what is
    /// wrong with it matters.
    fn bring(
        &mut self,
        include: &Arc<Include>,
        texts: &[String],
        levels: Levels,
        here: &Here,
        doubtful: bool,
    ) -> Option<Part> {
        let deep = here.chain.len() >= DEPTH;
        if doubtful && include.dynamic && (deep || self.is_spent(here)) {
            let why = format!(
                "{} goes too deep: files bring in each other more than {DEPTH} deep, or one itself more than {AGAIN} times; end it \
                 sooner by its `when`, or go over a loop",
                super::title(include)
            );
            return Some(fails(include, levels, here, &why));
        }
        if deep {
            self.too_deep(include, here);
            return None;
        }
        let before = self.out.len();
        let faults = self.faults.len();
        let part = match &include.what {
            What::Tasks(node) => {
                self.bring_tasks(include, &texts[0], node.span, levels.clone(), here)
            }
            What::Role(call) => self.bring_role(include, call, texts, levels.clone(), here),
        };
        if !doubtful || !include.dynamic {
            return part;
        }
        let found: Vec<Fault> = self.faults.drain(faults..).collect();
        let found = found
            .iter()
            .map(|fault| self.store.with_files(|files| fault.diagnostic(files)));
        self.out.extend(found.collect::<Vec<_>>());
        let wrong: Vec<String> = self.out[before..]
            .iter()
            .filter(|found| found.is_error())
            .map(|found| found.message.clone())
            .collect();
        let Some(first) = wrong.first() else {
            return part;
        };
        for found in &mut self.out[before..] {
            if found.is_error() {
                *found = found.clone().warning();
            }
        }
        let message = format!("{} cannot be brought in: {first}", super::title(include));
        Some(fails(include, levels, here, &message))
    }

    fn bring_tasks(
        &mut self,
        include: &Arc<Include>,
        name: &str,
        at: Span,
        levels: Levels,
        here: &Here,
    ) -> Option<Part> {
        let path = match self.tasks_file(name, here) {
            Ok(path) => path,
            Err(fault) => {
                self.faults.push(fault.or_at(at));
                return None;
            }
        };
        let mut inner = Here {
            folder: path.parent().unwrap_or(&path).to_owned(),
            ..here.clone()
        };
        inner.is_called = include.dynamic;
        if !self.enters(include, &path, &mut inner) {
            return None;
        }
        let items = self.tasks_in(&path, here.of, at);
        let mut levels = Levels {
            folders: self.folders(&inner),
            ..levels
        };
        self.apply_vars(include, &mut levels);
        inner.levels = Arc::new(levels);
        let body = self.items(&items, &inner);
        let (common, own_tags) = words(include, here.of);
        Some(Part {
            span: include.span,
            common,
            own_tags,
            levels: inner.levels,
            role: here.role.as_ref().map(|role| Arc::clone(&role.name)),
            is_role: false,
            called: None,
            body,
        })
    }

    /// `vars` below `apply` are those of a block.
    pub(super) fn apply_vars(&mut self, include: &Include, levels: &mut Levels) {
        if !include.apply.vars.is_empty() {
            let layer = Layer::new(&include.apply.vars, &mut self.faults);
            levels.own.insert(0, Arc::new(layer));
        }
    }
}

/// Whether variables of these names are others within than without.
fn hides(within: &Levels, without: &Levels, names: &BTreeSet<String>) -> bool {
    let more = |now: &[Arc<Layer>], before: &[Arc<Layer>]| {
        now.iter()
            .filter(|layer| !before.iter().any(|other| Arc::ptr_eq(layer, other)))
            .any(|layer| names.iter().any(|name| layer.get(name).is_some()))
    };
    more(&within.own, &without.own)
        || more(&within.roles, &without.roles)
        || more(&within.params, &without.params)
        || more(&within.defaults, &without.defaults)
}

/// What was brought in for a turn of which only the run knows whether there is one.
fn behind(
    include: &Include,
    brought: Vec<Brought>,
    decided: Option<usize>,
    gate: &Gate,
    (outer, here): (&Arc<Levels>, &Here),
) -> Vec<Item> {
    let role = here.role.as_ref().map(|role| Arc::clone(&role.name));
    let none_of = none_of(include, &brought, decided, gate);
    let mut items: Vec<Item> = none_of
        .map(|task| gate::ours(include, outer, role, vec![task]))
        .into_iter()
        .collect();
    for Brought { mut part, named } in brought {
        let condition = match named {
            Some(text) => gate.is(&text),
            None => gate.reached(),
        };
        part.common.when.insert(0, condition);
        items.push(Item::Part(Box::new(part)));
    }
    items
}

/// The task that fails where what is decided is nothing that was brought in.
fn none_of(
    include: &Include,
    brought: &[Brought],
    decided: Option<usize>,
    gate: &Gate,
) -> Option<Item> {
    let at = decided?;
    let names: Vec<String> = brought.iter().filter_map(|one| one.named.clone()).collect();
    let what = match include.what {
        What::Tasks(_) => "file of tasks",
        What::Role(_) if at == 0 => "role",
        What::Role(_) => "file of the role",
    };
    Some(gate.none_of(include, &names, what))
}

/// What stands for what cannot be brought in: it fails when its turn comes.
fn fails(include: &Include, levels: Levels, here: &Here, message: &str) -> Part {
    Part {
        span: include.span,
        common: Common::default(),
        own_tags: Some(include.common.tags.clone()),
        levels: Arc::new(levels),
        role: here.role.as_ref().map(|role| Arc::clone(&role.name)),
        is_role: false,
        called: None,
        body: vec![gate::fail(include, message)],
    }
}

/// How many things a run may bring in.
const MOST: usize = 50_000;

/// How often a file may bring in itself where only the run decides whether it does, in all its branches together.
const AGAIN: usize = 64;

/// The keywords of what is brought in, and the tags that select the include alone.
pub(super) fn words(
    include: &Include,
    of: For,
) -> (Common, Option<Vec<crate::files::Spanned<String>>>) {
    if !include.dynamic {
        let mut common = include.common.clone();
        common.vars.clear();
        return (common, None);
    }
    let mut common = include.apply.clone();
    common.vars.clear();
    // Handlers are there whatever tags select.
    let own = (of == For::Tasks).then(|| include.common.tags.clone());
    (common, own)
}

/// The texts that decide what is brought in.
pub(super) fn nodes_of(include: &Include) -> Vec<(&str, &Node)> {
    match &include.what {
        What::Tasks(file) => vec![("file", file)],
        What::Role(call) => {
            let from = [
                ("tasks_from", &call.tasks_from),
                ("vars_from", &call.vars_from),
                ("defaults_from", &call.defaults_from),
                ("handlers_from", &call.handlers_from),
            ];
            let from = from
                .into_iter()
                .filter_map(|(name, node)| Some((name, node.as_ref()?)));
            [("name", &call.name)].into_iter().chain(from).collect()
        }
    }
}

fn known(text: &Text) -> String {
    match text {
        Text::Is(text) | Text::Open(text) => text.clone(),
    }
}

fn is_once(common: &Common) -> bool {
    is_yes(common.run_once.as_ref())
}

pub(super) fn is_yes(flag: Option<&crate::ast::Flag>) -> bool {
    flag.is_some_and(|flag| flag.value == crate::ast::OrTemplate::Is(true))
}

fn none_fits(include: &Include, text: &Text, at: Span, doubtful: bool) -> Diagnostic {
    let pattern = find::shown(&known(text));
    let what = match include.what {
        What::Tasks(_) => format!("no file of tasks fits `{pattern}`"),
        What::Role(_) => format!("nothing of a role fits `{pattern}`"),
    };
    let found = Diagnostic::error("no_such_file", at, what)
        .help("which it is, facts or results decide: `*` is what is not known before the run");
    if doubtful { found.warning() } else { found }
}
