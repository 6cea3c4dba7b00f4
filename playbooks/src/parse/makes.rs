//! `add_host` and `group_by`: tasks that make hosts and groups for the plays after their own.

use super::Reader;
use crate::{
    ast::{Makes, Task},
    files::Spanned,
    words::did_you_mean,
    yaml::Node,
};

/// The names of a host that is added.
pub(crate) const NAMES: [&str; 3] = ["name", "hostname", "host"];
/// The names of its groups.
pub(crate) const GROUPS: [&str; 3] = ["groups", "group", "groupname"];

impl Reader<'_> {
    /// `add_host`: at its turn it only notes that.
    pub(super) fn adds(
        &mut self,
        task: Task,
        module: &Spanned<String>,
        args: Node,
    ) -> Option<Task> {
        if !NAMES.iter().any(|name| args.get(name).is_some()) {
            let help = "`name: HOST`, `groups: [a, b]`; other keys are its variables";
            self.error_help(
                "no_argument",
                module.span,
                "`add_host` wants a `name`",
                help,
            );
            return None;
        }
        let note = format!(
            "_add_host_{}_{}",
            module.span.file.number(),
            module.span.start
        );
        let text = |text: &str| Node::str(text, module.span);
        Some(Task {
            module: Spanned::new("set_fact".to_owned(), module.span),
            args: Node::map(vec![(text(&note), text("done"))], module.span),
            makes: Some(Makes::Host(args)),
            ..task
        })
    }

    /// `group_by`: at its turn it notes the group.
    pub(super) fn groups(
        &mut self,
        task: Task,
        module: &Spanned<String>,
        args: &Node,
    ) -> Option<Task> {
        for (name, _) in args.as_map().unwrap_or_default() {
            if !matches!(name.text.as_str(), "key" | "parents") {
                let help = did_you_mean(&name.text, ["key", "parents"])
                    .unwrap_or_else(|| "there are `key` and `parents`".to_owned());
                let message = format!("`group_by` has no argument `{}`", name.text);
                self.error_help("unknown_argument", name.span, message, help);
                return None;
            }
        }
        let Some(key) = args.get("key") else {
            let help = "`key: os_{{ ansible_facts.distribution }}`";
            self.error_help("no_argument", module.span, "`group_by` wants a `key`", help);
            return None;
        };
        let variable = format!(
            "_group_by_{}_{}",
            module.span.file.number(),
            module.span.start
        );
        let text = |text: &str| Node::str(text, module.span);
        let (mut common, mut noted) = (task.common.clone(), key.clone());
        if task.loop_.is_some() {
            // The groups of all turns.
            let one = format!("{variable}_key");
            noted = text(&format!("{{{{ {variable} | default([]) + [{one}] }}}}"));
            common
                .vars
                .push((Spanned::new(one, module.span), key.clone()));
        }
        Some(Task {
            module: Spanned::new("set_fact".to_owned(), module.span),
            args: Node::map(vec![(text(&variable), noted)], module.span),
            common,
            makes: Some(Makes::Group {
                key: key.clone(),
                parents: args.get("parents").cloned(),
                variable,
            }),
            ..task
        })
    }
}
