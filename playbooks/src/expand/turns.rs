//! The turns of an include that has a loop.
//!
//! What is known when the playbook is read has its turns then. Where facts or results decide, a silent task goes over
//! the loop when its turn comes and notes of each turn what it is about; as many turns as there may be are made ready
//! behind it, each under the condition that there is one.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use evenkeel_engine::{Map, Value};

use super::{
    Expander, Here,
    gate::{self, Gate},
    include::{is_yes, nodes_of},
    known::{Holds, Text, templates},
};
use crate::{
    ast::{self, Include, Item},
    files::Spanned,
    lower::{Condition, Loop, Trouble, items_of, loop_name},
    vars::{Layer, Levels, Looped, Scope, Tree},
    yaml::Node,
};

/// How many turns are made ready where only the run knows how many there are.
const READY: usize = 32;

/// What an include is in one of its turns.
pub(super) struct Turn {
    pub(super) levels: Levels,
    /// The variables of the turn, which what is brought in may use for its own loops.
    pub(super) locals: BTreeSet<String>,
    /// Of a turn of which only the run knows whether there is one: what is noted of it.
    pub(super) gate: Option<Gate>,
}

/// By turn, the variables of each host.
type Known = Vec<BTreeMap<String, Arc<Layer>>>;

/// What is known of a loop.
enum Found {
    /// All of it.
    Turns(Known),
    /// On how many hosts it may be reached, and how many turns it has if that is known.
    Open(BTreeSet<String>, Option<usize>),
    /// It is wrong.
    Nothing,
}

impl Expander<'_> {
    /// The turns of an include; one, if it has no loop. With what goes before them. `None`: that cannot be known.
    pub(super) fn turns(
        &mut self,
        include: &Arc<Include>,
        levels: Levels,
        here: &Here,
    ) -> Option<(Vec<Turn>, Vec<Item>)> {
        let Some(looped) = &include.loop_ else {
            let turn = Turn {
                levels,
                locals: BTreeSet::new(),
                gate: None,
            };
            return Some((vec![turn], Vec::new()));
        };
        let list = Tree::new(&looped.expr, &mut self.faults);
        let names = self.loop_names(looped, &levels)?;
        let found = Loop {
            kind: looped.kind.value,
            query: Loop::query(looped.kind.value, looped.expr.span),
            list,
            span: looped.expr.span,
            names: Arc::new(Looped {
                var: names.0,
                index: names.1,
                extended: is_yes(looped.extended.as_ref()),
                all_items: looped
                    .extended_allitems
                    .as_ref()
                    .is_none_or(|flag| is_yes(Some(flag))),
            }),
            label: None,
            folder: "files",
            pause: None,
            break_when: Vec::new(),
        };
        match self.look(include, &found, &levels) {
            Found::Turns(turns) => Some((known_turns(turns, &found, &levels), Vec::new())),
            Found::Open(hosts, length) => Some(self.open_turns(
                include,
                &found,
                &Levels {
                    hosts: self.narrowed(&levels, hosts),
                    ..levels
                },
                length,
                here,
            )),
            Found::Nothing => None,
        }
    }

    /// What `loop_var` and `index_var` are called: on all hosts alike. `None`: that is not known.
    fn loop_names(
        &mut self,
        looped: &ast::Loop,
        levels: &Levels,
    ) -> Option<(String, Option<String>)> {
        let found = {
            let hosts = self.hosts(levels);
            let scopes = hosts.iter().map(|host| self.scope(levels, host));
            let scopes: Vec<Scope> = scopes.collect();
            let name = |word: &Spanned<String>| loop_name(word, &scopes);
            name(&looped.loop_var).and_then(|var| {
                let index = looped.index_var.as_ref().map(name).transpose()?;
                Ok((var, index))
            })
        };
        found.map_err(|fault| self.faults.push(fault)).ok()
    }

    fn look(&mut self, include: &Include, found: &Loop, levels: &Levels) -> Found {
        let whens = self.conditions(include);
        let of_task: Vec<&Condition> = whens
            .iter()
            .filter(|condition| !about(condition, found))
            .collect();
        let mut turns: Known = Vec::new();
        let mut open = false;
        // How many turns there are at most, unless that is not known.
        let mut length = Some(0);
        let mut reached = BTreeSet::new();
        let templates = templates(&found.list);
        for host in self.hosts(levels) {
            let holds = of_task.iter().fold(Holds::Yes, |all, condition| {
                let one = std::slice::from_ref(*condition);
                match (all, self.holds(one, levels, &host, found.span)) {
                    (Holds::No, _) | (_, Holds::No) => Holds::No,
                    (Holds::Open, _) | (_, Holds::Open) => Holds::Open,
                    _ => Holds::Yes,
                }
            });
            if holds == Holds::No {
                continue;
            }
            reached.insert(host.clone());
            let scope = self.before_the_run(&templates, levels, &host, found.span);
            let items = match scope.map(|scope| items_of(found, &scope)) {
                Some(Ok(items)) => {
                    open |= items.iter().any(is_open);
                    items
                }
                // At its turn it is told, if it is reached.
                Some(Err(Trouble::Faults(_))) if holds == Holds::Open => {
                    open = true;
                    Vec::new()
                }
                Some(Err(Trouble::Faults(faults))) if !host.is_empty() => {
                    self.faults.extend(faults);
                    return Found::Nothing;
                }
                // No host is there to say what it is.
                _ if host.is_empty() => Vec::new(),
                Some(Err(_)) | None => {
                    (open, length) = (true, None);
                    Vec::new()
                }
            };
            length = length.map(|most| items.len().max(most));
            for index in 0..items.len() {
                if turns.len() == index {
                    turns.push(BTreeMap::new());
                }
                let locals: Map = found.locals(index, &items).into_iter().collect();
                turns[index].insert(host.clone(), Arc::new(Layer::values(locals)));
            }
        }
        if open {
            Found::Open(reached, length)
        } else {
            Found::Turns(turns)
        }
    }

    /// As many turns as there may be, behind a task that goes over the loop.
    fn open_turns(
        &mut self,
        include: &Arc<Include>,
        found: &Loop,
        levels: &Levels,
        length: Option<usize>,
        here: &Here,
    ) -> (Vec<Turn>, Vec<Item>) {
        self.gates += 1;
        let gate = Gate::new(self.gates, include.word.span);
        // What reads it comes to know it in the run.
        self.is_left.insert(gate.name().to_owned());
        let ready = match (length, include.turns) {
            (_, Some(most)) => most,
            (Some(length), None) => length,
            (None, None) => READY,
        };
        let decides = self.decides(include, levels);
        let mut ours = vec![gate.notes(include, &decides)];
        if length.is_none_or(|length| length > ready) {
            ours.push(gate.too_many(include, ready));
        }
        let role = here.role.as_ref().map(|role| Arc::clone(&role.name));
        let note = gate::ours(include, &Arc::new(levels.clone()), role, ours);
        let locals = names(found);
        let turns = (0..ready).map(|turn| {
            let mut levels = levels.clone();
            let layer = self.of_turn(found, &gate, turn);
            levels.params.insert(0, Arc::new(layer));
            Turn {
                levels,
                locals: locals.clone(),
                gate: Some(gate.of_turn(turn)),
            }
        });
        (turns.collect(), vec![note])
    }

    /// What is to be noted of each turn: the name that it decides, or only that it is there.
    fn decides(&mut self, include: &Include, levels: &Levels) -> Node {
        let nodes = nodes_of(include);
        let hosts = self.hosts(levels);
        for (_, node) in &nodes {
            let tree = Tree::new(node, &mut Vec::new());
            if templates(&tree).is_empty() {
                continue;
            }
            let is_open = |host: &String| {
                !matches!(self.text(&tree, levels, host, node.span), Ok(Text::Is(_)))
            };
            if hosts.iter().any(is_open) {
                return (*node).clone();
            }
        }
        Node::str(gate::REACHED, include.word.span)
    }

    /// The variables of a turn, as they will be found in what is noted of it.
    fn of_turn(&mut self, found: &Loop, gate: &Gate, turn: usize) -> Layer {
        let at = found.span;
        let variable =
            |name: &str, text: String| (Spanned::new(name.to_owned(), at), Node::str(text, at));
        let item = format!("{{{{ {}.item }}}}", gate.result(turn));
        let mut vars = vec![
            variable(&found.names.var, item),
            variable("ansible_loop_var", found.names.var.clone()),
        ];
        if let Some(name) = &found.names.index {
            vars.push(variable(name, format!("{{{{ {turn} }}}}")));
            vars.push(variable("ansible_index_var", name.clone()));
        }
        if found.names.extended {
            vars.push(variable("ansible_loop", about_turn(found, gate, turn)));
        }
        Layer::new(&vars, &mut self.faults)
    }
}

/// `ansible_loop` of a turn, as a template.
fn about_turn(found: &Loop, gate: &Gate, turn: usize) -> String {
    let all = gate.results();
    let items = format!("({all} | map(attribute='item') | list)");
    let count = format!("({all} | length)");
    let mut about = format!(
        "{{'index': {}, 'index0': {turn}, 'first': {}, 'last': {count} == {}, 'length': {count}, \
         'revindex': {count} - {turn}, 'revindex0': {count} - {}}}",
        turn + 1,
        turn == 0,
        turn + 1,
        turn + 1,
    );
    if found.names.all_items {
        about = format!("{about} | combine({{'allitems': {items}}})");
    }
    if turn > 0 {
        about = format!("{about} | combine({{'previtem': {items}[{}]}})", turn - 1);
    }
    let next = format!("{{'nextitem': {items}[{}]}}", turn + 1);
    format!(
        "{{{{ {about} | combine({next} if {count} > {} else {{}}) }}}}",
        turn + 1
    )
}

fn known_turns(turns: Known, found: &Loop, levels: &Levels) -> Vec<Turn> {
    let locals = names(found);
    let turn = |of_hosts: BTreeMap<String, Arc<Layer>>| {
        let mut levels = levels.clone();
        levels.hosts = Some(Arc::new(of_hosts.keys().cloned().collect()));
        levels.of_hosts.insert(0, Arc::new(of_hosts));
        Turn {
            levels,
            locals: locals.clone(),
            gate: None,
        }
    };
    turns.into_iter().map(turn).collect()
}

/// The names that mean something else in each turn.
fn names(found: &Loop) -> BTreeSet<String> {
    [Some(found.names.var.clone()), found.names.index.clone()]
        .into_iter()
        .flatten()
        .collect()
}

/// Whether something of a value is not known yet.
fn is_open(value: &Value) -> bool {
    match value {
        Value::NotYet(_) => true,
        Value::Seq(items) => items.iter().any(is_open),
        Value::Map(map) => map.values().any(is_open),
        _ => false,
    }
}

/// Whether a condition is about an item of a loop.
fn about(condition: &Condition, found: &Loop) -> bool {
    condition.template().is_some_and(|template| {
        let mut names = template.uses().names();
        names.any(|used| {
            used.name == found.names.var || Some(&used.name) == found.names.index.as_ref()
        })
    })
}
