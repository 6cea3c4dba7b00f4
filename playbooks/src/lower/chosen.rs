//! `action: "{{ … }}"`: which module a task is of is known when its turn comes, or for each host.

use std::sync::Arc;

use evenkeel_engine::{Registry, Value};

use super::{
    args::KEEPS,
    body::Trouble,
    include, named,
    program::{Arg, Program, module_name},
};
use crate::{
    ast::{Common, Task},
    files::Spanned,
    template::Fault,
    vars::{Scope, Tree},
    yaml::Node,
};

/// What says which module it is, and what is given to it.
#[derive(Debug)]
pub(crate) struct Chosen {
    /// The template.
    pub(super) name: Tree,
    given: Vec<(Node, Node)>,
    /// `module_defaults` around it, the outermost first.
    defaults: Vec<(String, Vec<(Node, Node)>)>,
}

impl Chosen {
    /// Of a task whose module is a template.
    pub(super) fn new(task: &Task, commons: &[&Common], faults: &mut Vec<Fault>) -> Self {
        let defaults = commons.iter().flat_map(|common| &common.module_defaults);
        let defaults = defaults.map(|found| {
            let args = found.args.as_map().unwrap_or_default();
            (found.module.value.clone(), args.to_vec())
        });
        Self {
            name: Tree::text(&task.module.value, task.module.span, faults),
            given: task.args.as_map().unwrap_or_default().to_vec(),
            defaults: defaults.collect(),
        }
    }

    /// The task's module and arguments, as they are with these variables.
    pub(super) fn program(
        &self,
        written: &Spanned<String>,
        scope: &Scope,
        registry: &Registry,
    ) -> Result<Arc<Program>, Trouble> {
        let wrong = |fault: Fault| Trouble::from(fault.or_at(written.span));
        let name = match self.name.render(&scope.variables()).map_err(wrong)? {
            Value::NotYet(what) => return Err(what.into()),
            name => name.as_text().unwrap_or_default(),
        };
        let name = name.trim();
        let found = registry.get(name).or_else(|| {
            let (collection, short) = name.rsplit_once('.')?;
            let ours = crate::parse::COLLECTIONS.contains(&collection);
            ours.then(|| registry.get(short)).flatten()
        });
        let Some(module) = found.map(evenkeel_engine::AnyModule::name) else {
            let message = format!("there is no module `{name}`");
            let fault = Fault::new("unknown_module", message);
            return Err(wrong(fault.help("`evenkeel modules` lists all there are")));
        };
        let apart = [named::MODULE, include::MODULE];
        let keeps = KEEPS.iter().any(|(keeping, _)| *keeping == module);
        if keeps || apart.contains(&module) {
            let message = format!("`{name}` cannot be a module that a template names");
            let help = format!(
                "what it leaves behind is followed from where it is written: write a task with `{name}:`, and a `when`"
            );
            return Err(wrong(Fault::new("unsupported", message).help(help)));
        }
        let mut faults = Vec::new();
        let mut args = Vec::new();
        let here = |other: &str| module_name(other, registry) == module;
        let defaults = self.defaults.iter().rfind(|(other, _)| here(other));
        let defaults = defaults.into_iter().flat_map(|(_, args)| args);
        for (key, value) in self.given.iter().chain(defaults) {
            if args.iter().all(|arg: &Arg| arg.name.value != key.text) {
                args.push(Arg::new(module, key, value, &mut faults));
            }
        }
        if !faults.is_empty() {
            return Err(Trouble::Faults(faults));
        }
        let module = Spanned::new(name.to_owned(), written.span);
        Ok(Arc::new(Program::with_arguments(module, args)))
    }
}

/// Whether it may read files of which only the run knows which they are.
pub(super) fn reads_files(program: &Program) -> bool {
    program.chosen.is_some() && program.arg("src").is_some()
}
