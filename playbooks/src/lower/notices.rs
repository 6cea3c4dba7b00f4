//! `notify`: which handlers a task's change calls. What the run alone tells (items of a loop, results, facts) is
//! decided then; until then all handlers whose names fit are listened for.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use evenkeel_engine::{Calls, Outputs, Stop, TaskId, Value};

use super::{
    Lowering, Nothing, Placed, Target,
    body::{Body, Trouble},
    include::pattern,
    keywords,
    listing::{Entry, Listing},
    program::Condition,
    scope,
};
use crate::{
    files::{Span, Spanned},
    open::fits,
    template::Fault,
    vars::{OMIT, Scope, Tree},
    words::did_you_mean,
};

/// By which words a handler is called.
#[derive(Clone, Debug, Default)]
pub(super) struct Answers {
    names: Vec<String>,
    topics: Vec<String>,
    role: Option<Arc<str>>,
}

impl Answers {
    /// Of a handler on a host: as they are written, and as they are there.
    fn of(handler: &Entry<'_>, scope: &Scope, host: &str) -> Self {
        let (name, listen) = match &handler.called {
            Some(called) => (called.name.as_ref(), &called.listen),
            None => (handler.task.name.as_ref(), &handler.task.listen),
        };
        let both = |word: &Spanned<String>| {
            let rendered = if word.value.contains('{') {
                keywords::texts(word, scope).unwrap_or_default()
            } else {
                Vec::new()
            };
            rendered.into_iter().chain([word.value.clone()])
        };
        let mut topics: Vec<String> = listen.iter().flat_map(both).collect();
        topics.extend(handler.task.id.iter().map(|id| id.value.clone()));
        let names: Vec<String> = name.into_iter().flat_map(both).collect();
        let mut answers = Self {
            names: Vec::new(),
            topics,
            role: handler.role.clone(),
        };
        if handler.hidden.has(host) {
            // By its role it is called all the same.
            let of_role = |name: &String| Some(format!("{} : {name}", handler.role.as_ref()?));
            answers.topics.extend(names.iter().filter_map(of_role));
            answers.role = None;
        } else {
            answers.names = names;
        }
        answers
    }

    /// Whether it is called by a word.
    fn to(&self, word: &str) -> bool {
        let is = |word: &str| self.names.iter().any(|name| name == word);
        is(word)
            || self.topics.iter().any(|topic| same(topic, word))
            || self.of_role(word).is_some_and(is)
    }

    /// A word without the role before it.
    fn of_role<'w>(&self, word: &'w str) -> Option<&'w str> {
        let rest = word.strip_prefix(&**self.role.as_ref()?)?;
        Some(rest.trim_start().strip_prefix(':')?.trim_start())
    }

    /// Whether a word of which not all is known may call it.
    fn may(&self, pattern: &str) -> bool {
        let of_role = self.role.iter().flat_map(|role| {
            let joined =
                move |name: &String| [format!("{role} : {name}"), format!("{role}: {name}")];
            self.names.iter().flat_map(joined)
        });
        let all = self.names.iter().chain(&self.topics).cloned();
        all.chain(of_role).any(|name| fits(&name, pattern))
    }

    fn words(&self) -> impl Iterator<Item = &String> {
        self.names.iter().chain(&self.topics)
    }
}

/// Whether a topic is this word; spaces around a `:` after a role do not count.
fn same(topic: &str, word: &str) -> bool {
    let bare = |text: &str| text.split(':').map(str::trim).collect::<Vec<_>>().join(":");
    topic == word || topic.contains(" : ") && bare(topic) == bare(word)
}

/// A word of `notify`, as far as it is known before the run.
#[derive(Clone, Debug)]
enum Word {
    /// These names.
    Known(Vec<String>),
    /// One that fits this.
    Open(String),
}

/// What a task notifies.
pub(super) struct Notifying {
    words: Vec<(Word, Span)>,
    /// The names that items of a loop give, where they are known.
    sure: Vec<(String, Span)>,
    body: Body,
    host: String,
    /// Whether it may never change anything: a condition decides that is not known to hold.
    doubtful: bool,
    /// Handlers that it may call.
    handlers: Vec<(TaskId, Answers)>,
}

impl Notifying {
    /// Of a task on a host, with what is known before the run; nothing if it notifies nobody.
    pub(super) fn of(body: &Body, host: &str, nothing: &dyn Outputs) -> Option<Self> {
        if body.program.notify.is_empty() {
            return None;
        }
        let mut found = Self {
            words: Vec::new(),
            sure: Vec::new(),
            body: body.clone(),
            host: host.to_owned(),
            doubtful: false,
            handlers: Vec::new(),
        };
        let around = body.current(nothing);
        let variables = around.variables();
        // One that is a mistake itself leaves no doubt: mended, it may hold.
        let holds = |condition: &Condition| match condition {
            Condition::Is(holds) => *holds,
            Condition::Expr(template) => {
                matches!(template.holds(&variables), Ok(Ok(true)) | Err(_))
            }
        };
        found.doubtful = !body.program.when.iter().all(holds);
        let known = |(tree, at): &(Tree, Span), scope: &Scope| match tree.render(&scope.variables())
        {
            Ok(value) => names(value, *at).ok(),
            Err(_) => None,
        };
        let items = body.program.loop_.as_ref().map(|found| {
            let later = evenkeel_engine::NotYet::new("an item of the loop");
            (found, around.with_locals(found.unknown(&later)))
        });
        for word in &body.program.notify {
            let scope = items.as_ref().map_or(&around, |(_, scope)| scope);
            let what = match known(word, scope) {
                Some(names) => Word::Known(names),
                None => Word::Open(pattern(&word.0, word.1, scope)),
            };
            found.words.push((what, word.1));
        }
        if let Some((looped, _)) = items {
            let (of_items, _) = body.conditions(looped);
            let items = super::items_of(looped, &around).unwrap_or_default();
            for index in (0..items.len()).filter(|_| of_items.is_empty()) {
                let turn = around.with_locals(looped.locals(index, &items));
                for word in &body.program.notify {
                    let names = known(word, &turn).unwrap_or_default();
                    found
                        .sure
                        .extend(names.into_iter().map(|name| (name, word.1)));
                }
            }
        }
        Some(found)
    }

    /// Whether it may call a handler.
    fn may(&self, handler: &Answers) -> bool {
        self.words.iter().any(|(word, _)| match word {
            Word::Known(names) => names.iter().any(|name| handler.to(name)),
            Word::Open(pattern) => handler.may(pattern),
        })
    }

    fn is_open(&self) -> bool {
        let open = |(word, _): &(Word, Span)| matches!(word, Word::Open(_));
        self.words.iter().any(open)
    }

    /// Names that are known already, and where they are written.
    fn known(&self) -> impl Iterator<Item = (&str, Span)> {
        let words = self.words.iter().flat_map(|(word, at)| match word {
            Word::Known(names) => names.iter().map(|name| (name.as_str(), *at)).collect(),
            Word::Open(_) => Vec::new(),
        });
        words.chain(self.sure.iter().map(|(name, at)| (name.as_str(), *at)))
    }
}

/// The names that a word gives: a text, or lists of them.
fn names(value: Value, at: Span) -> Result<Vec<String>, Trouble> {
    match value {
        Value::NotYet(what) => Err(Trouble::NotYet(what)),
        Value::Null => Ok(Vec::new()),
        Value::Seq(items) => {
            let all: Result<Vec<_>, _> = items.into_iter().map(|item| names(item, at)).collect();
            Ok(all?.concat())
        }
        value => match value.as_text() {
            Some(text) if text == OMIT || text.is_empty() => Ok(Vec::new()),
            Some(text) => Ok(vec![text]),
            None => {
                let what = format!("`notify` wants names of handlers, found {}", value.kind());
                let fault = Fault::new("wrong_type", what);
                Err(fault
                    .help("give a text, or a list of texts")
                    .or_at(at)
                    .into())
            }
        },
    }
}

fn unknown(name: &str, known: &BTreeSet<String>, at: Span) -> Fault {
    let what = format!("this play has no handler `{name}`");
    let help = did_you_mean(name, known.iter().map(String::as_str));
    let help = help.unwrap_or_else(|| "add it below `handlers:` of the play".to_owned());
    Fault::new("unknown_handler", what).help(help).or_at(at)
}

/// `notify` of a task on a host, where only the run tells whom it means.
struct Notices {
    body: Body,
    handlers: Vec<(TaskId, Answers)>,
    /// The words of all handlers of the play there.
    all: Arc<[Answers]>,
}

impl Calls for Notices {
    fn called(
        &self,
        turn: Option<(usize, &Value)>,
        outputs: &dyn Outputs,
    ) -> Result<Vec<TaskId>, Stop> {
        let variables = self.body.judging(None, turn, outputs)?;
        let stop = |trouble| self.body.stop(trouble);
        let mut called = Vec::new();
        for (tree, at) in &self.body.program.notify {
            let value = tree
                .render(&variables)
                .map_err(|fault| stop(fault.or_at(*at).into()))?;
            for name in names(value, *at).map_err(stop)? {
                let before = called.len();
                let those = self
                    .handlers
                    .iter()
                    .filter(|(_, answers)| answers.to(&name));
                called.extend(those.map(|(id, _)| *id));
                if called.len() == before && !self.all.iter().any(|answers| answers.to(&name)) {
                    let words = self.all.iter().flat_map(Answers::words).cloned();
                    return Err(stop(unknown(&name, &words.collect(), *at).into()));
                }
            }
        }
        Ok(called)
    }
}

impl Lowering<'_> {
    /// The tasks whose change may call a handler, with what it answers to.
    pub(super) fn callers(
        &mut self,
        handler: &Entry<'_>,
        host: &str,
        target: &Target<'_>,
        placed: &Placed,
    ) -> (Vec<TaskId>, Answers) {
        let Some(serves) = handler.serves.clone() else {
            return (Vec::new(), Answers::default());
        };
        let answers = Answers::of(handler, &scope(target, handler, host), host);
        let served = serves.filter_map(|index| placed.get(&(index, host.to_owned())));
        let mut callers: Vec<TaskId> = served.flatten().copied().collect();
        let calls = |id: &TaskId| self.notifying.get(id).is_some_and(|all| all.may(&answers));
        callers.retain(calls);
        self.answers
            .entry(host.to_owned())
            .or_default()
            .push(answers.clone());
        (callers, answers)
    }

    /// What a task notifies is looked at when all handlers are there.
    pub(super) fn notifies(&mut self, body: &Body, host: &str, id: TaskId) {
        if let Some(found) = Notifying::of(body, host, &Nothing(&self.list)) {
            self.notifying.insert(id, found);
        }
    }

    /// Notes that tasks may call a handler.
    pub(super) fn may_call(&mut self, callers: &[TaskId], handler: TaskId, answers: &Answers) {
        for caller in callers {
            if let Some(found) = self
                .notifying
                .get_mut(caller)
                .filter(|found| found.is_open() || found.doubtful)
            {
                found.handlers.push((handler, answers.clone()));
            }
        }
    }

    /// Ends a play: names that no handler has, and what is left to the run.
    pub(super) fn settle_notices(&mut self, listing: &Listing<'_>) {
        let answers = std::mem::take(&mut self.answers);
        let answers: BTreeMap<String, Arc<[Answers]>> = answers
            .into_iter()
            .map(|(host, all)| (host, Arc::from(all)))
            .collect();
        let mut told = BTreeSet::new();
        // Handlers that are not brought to each host are there all the same.
        let handlers = listing
            .entries
            .iter()
            .filter(|entry| entry.serves.is_some());
        let written: BTreeSet<String> = handlers
            .flat_map(|entry| match &entry.called {
                Some(called) => called.name.iter().chain(&called.listen),
                None => entry.task.name.iter().chain(&entry.task.listen),
            })
            .map(|word| word.value.clone())
            .collect();
        for (id, found) in std::mem::take(&mut self.notifying) {
            let all = answers
                .get(&found.host)
                .cloned()
                .unwrap_or_else(|| Arc::from([]));
            let task = &mut self.list.tasks[id.index()];
            let mut open = found.is_open();
            for (name, at) in found.known().filter(|_| task.selected) {
                let known = all.iter().any(|answers| answers.to(name)) || written.contains(name);
                // If it ever calls that, it fails.
                open |= !known && found.doubtful;
                if !known && told.insert((at, name.to_owned())) {
                    let words = all.iter().flat_map(Answers::words).cloned().collect();
                    let fault = unknown(name, &words, at);
                    self.faults.push(if found.doubtful {
                        fault.foreseen()
                    } else {
                        fault
                    });
                }
            }
            if open {
                task.calls = Some(Arc::new(Notices {
                    body: found.body,
                    handlers: found.handlers,
                    all,
                }));
            }
        }
    }
}

impl Body {
    /// Mistakes in `notify`; which items a loop has is not known.
    pub(super) fn check_notices(&self, scope: &Scope, faults: &mut Vec<Fault>) {
        let variables = scope.variables();
        for (tree, at) in &self.program.notify {
            let before = faults.len();
            tree.faults(&variables, &mut |fault| faults.push(fault.or_at(*at)));
            if faults.len() > before {
                continue;
            }
            if let Ok(value) = tree.render(&variables)
                && let Err(Trouble::Faults(found)) = names(value, *at)
            {
                faults.extend(found);
            }
        }
    }
}
