//! Hosts and groups that tasks make for the plays after their own, as far as they are known before the run.

use std::sync::Arc;

use evenkeel_engine::{Map, NotYet, Value};

use super::{
    Expander,
    known::{Holds, Text, templates},
};
use crate::{
    ast::{Makes, Task},
    files::Span,
    lower::{Entry, Loop, Program, Trouble, items_of},
    parse::makes::{GROUPS, NAMES},
    template::Fault,
    vars::{Layer, Levels, Tree, World},
    yaml::Node,
};

/// The variables of a turn of a loop.
type Locals = Vec<(String, Value)>;

/// What a task makes.
#[derive(Clone, Debug)]
pub(crate) enum Made {
    /// A host, with its groups and variables.
    Host(String, Vec<String>, Map),
    /// A host is in a group, which is in others.
    Member(String, String, Vec<String>),
    /// A host may be in a group whose name fits a pattern; only the run knows, and keeps it in a variable.
    Perhaps(String, String, String),
}

impl Expander<'_> {
    /// What a task of the present play makes; what is wrong is told.
    pub(crate) fn made(&mut self, entry: &Entry<'_>, program: &Program) -> Vec<Made> {
        let Some(makes) = &entry.task.makes else {
            return Vec::new();
        };
        let levels = &entry.levels;
        if self.stage.world.all_play_hosts.is_empty() {
            return Vec::new();
        }
        let hosts = self.hosts(levels);
        let found = match makes {
            // As with Ansible, it is done once for all.
            Makes::Host(args) => match hosts.first() {
                Some(host) => self.added(entry.task, program, args, (levels, host)),
                None => Ok(Vec::new()),
            },
            Makes::Group {
                key,
                parents,
                variable,
            } => hosts
                .iter()
                .map(|host| {
                    let what = (key, parents.as_ref(), variable.as_str());
                    self.each_grouped(entry.task, program, what, (levels, host))
                })
                .collect::<Result<Vec<_>, _>>()
                .map(|found| found.concat()),
        };
        found.unwrap_or_else(|fault| {
            self.faults.push(fault.or_at(entry.task.span));
            Vec::new()
        })
    }

    /// What is known of hosts and groups after a task that made some.
    pub(crate) fn goes_on(&mut self, world: &Arc<World>) {
        self.stage.world = Arc::clone(world);
    }

    fn added(
        &self,
        task: &Task,
        program: &Program,
        args: &Node,
        (levels, host): (&Levels, &str),
    ) -> Result<Vec<Made>, Fault> {
        match self.holds(&program.when, levels, host, task.span) {
            Holds::No => return Ok(Vec::new()),
            Holds::Open => return Err(too_late("its condition", task.span)),
            Holds::Yes => {}
        }
        let turns = match &program.loop_ {
            None => vec![Vec::new()],
            Some(found) => self
                .items_known(found, levels, host)?
                .ok_or_else(|| too_late("its loop", found.span))?,
        };
        let mut made = Vec::new();
        for locals in turns {
            let (mut name, mut groups, mut vars) = (String::new(), Vec::new(), Map::new());
            for (key, node) in args.as_map().unwrap_or_default() {
                let late = || too_late(&format!("`{}`", key.text), node.span);
                let mut faults = Vec::new();
                let tree = Tree::new(node, &mut faults);
                if !faults.is_empty() {
                    return Err(faults.remove(0));
                }
                let scope = self.before_the_run(&templates(&tree), levels, host, node.span);
                let scope = scope.ok_or_else(late)?.with_locals(locals.clone());
                let value = tree.render(&scope.variables());
                let value = value.map_err(|fault| fault.or_at(node.span))?;
                if is_open(&value) {
                    return Err(late());
                }
                match key.text.as_str() {
                    text if NAMES.contains(&text) => name = value.as_text().unwrap_or_default(),
                    text if GROUPS.contains(&text) => groups = names(&value),
                    text => {
                        vars.insert(text.to_owned(), value);
                    }
                }
            }
            if name.trim().is_empty() {
                let message = "`add_host` wants the name of a host: this is empty";
                return Err(Fault::new("wrong_type", message).or_at(task.span));
            }
            made.push(Made::Host(name.trim().to_owned(), groups, vars));
        }
        Ok(made)
    }

    /// The variables of each turn of a loop; `None` if only the run knows its items.
    fn items_known(
        &self,
        found: &Loop,
        levels: &Levels,
        host: &str,
    ) -> Result<Option<Vec<Locals>>, Fault> {
        let scope = self.before_the_run(&templates(&found.list), levels, host, found.span);
        let Some(scope) = scope else { return Ok(None) };
        match items_of(found, &scope) {
            Ok(items) if items.iter().any(is_open) => Ok(None),
            Ok(items) => {
                let turn = |index| found.locals(index, &items);
                Ok(Some((0..items.len()).map(turn).collect()))
            }
            Err(Trouble::NotYet(_)) => Ok(None),
            Err(Trouble::Faults(mut faults)) => Err(faults.remove(0)),
        }
    }

    /// The groups of a host, one for each turn of a loop.
    fn each_grouped(
        &self,
        task: &Task,
        program: &Program,
        what: (&Node, Option<&Node>, &str),
        (levels, host): (&Levels, &str),
    ) -> Result<Vec<Made>, Fault> {
        let Some(found) = &program.loop_ else {
            let made = self.grouped(task, program, what, (levels, host))?;
            return Ok(made.into_iter().collect());
        };
        let turns = self.items_known(found, levels, host)?.unwrap_or_else(|| {
            let later = NotYet::new("an item of the loop");
            vec![found.unknown(&later)]
        });
        let mut made = Vec::new();
        for locals in turns {
            let layer = Layer::values(locals.into_iter().collect::<Map>());
            let levels = levels.with(Arc::new(layer));
            made.extend(self.grouped(task, program, what, (&levels, host))?);
        }
        Ok(made)
    }

    fn grouped(
        &self,
        task: &Task,
        program: &Program,
        (key, parents, variable): (&Node, Option<&Node>, &str),
        (levels, host): (&Levels, &str),
    ) -> Result<Option<Made>, Fault> {
        let mut faults = Vec::new();
        let tree = Tree::new(key, &mut faults);
        if !faults.is_empty() {
            return Err(faults.remove(0));
        }
        let holds = self.holds(&program.when, levels, host, task.span);
        let perhaps = |pattern: String| {
            Ok(Some(Made::Perhaps(
                host.to_owned(),
                pattern.replace(' ', "-"),
                variable.to_owned(),
            )))
        };
        match (holds, self.text(&tree, levels, host, key.span)?) {
            (Holds::No, _) => Ok(None),
            (Holds::Yes, Text::Is(group)) => {
                let parents = parents.map_or(Ok(Vec::new()), |node| {
                    let mut faults = Vec::new();
                    let tree = Tree::new(node, &mut faults);
                    let scope = self.before_the_run(&templates(&tree), levels, host, node.span);
                    let scope = scope.ok_or_else(|| too_late("`parents`", node.span))?;
                    let value = tree.render(&scope.variables());
                    value
                        .map(|value| names(&value))
                        .map_err(|fault| fault.or_at(node.span))
                })?;
                let group = group.replace(' ', "-");
                Ok(Some(Made::Member(host.to_owned(), group, parents)))
            }
            (Holds::Open, Text::Is(group)) => perhaps(group),
            (_, Text::Open(pattern)) => perhaps(pattern),
        }
    }
}

fn too_late(what: &str, at: Span) -> Fault {
    let message =
        format!("which host is added must be known before the run: {what} reads facts or results");
    Fault::new("known_too_late", message)
        .help("put the host into the inventory, or the plays for it into a playbook that is run after this one")
        .or_at(at)
}

fn is_open(value: &Value) -> bool {
    match value {
        Value::NotYet(_) => true,
        Value::Seq(items) => items.iter().any(is_open),
        Value::Map(map) => map.values().any(is_open),
        _ => false,
    }
}

/// Names, as a list or with commas between them.
fn names(value: &Value) -> Vec<String> {
    let texts: Vec<String> = match value {
        Value::Seq(items) => items.iter().filter_map(Value::as_text).collect(),
        other => other.as_text().into_iter().collect(),
    };
    let names = texts.iter().flat_map(|text| text.split(','));
    let names = names.map(|name| name.trim().replace(' ', "-"));
    names.filter(|name| !name.is_empty()).collect()
}
