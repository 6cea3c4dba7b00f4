//! What `vars_prompt` comes to: what was answered, and what counts where nobody answers.

use std::sync::Arc;

use evenkeel_engine::{NotYet, Value};

use super::Request;
use crate::{
    ast::{Play, Prompt},
    template::Fault,
    vars::{Layer, Tree, World},
    yaml::{Kind, Node},
};

impl Prompt {
    /// What is asked.
    pub fn question(&self) -> String {
        let usual = || format!("input for {}", self.name.value);
        self.prompt.clone().unwrap_or_else(usual)
    }

    /// Its default as a text, unless it is a template or a secret.
    pub fn shown_default(&self) -> Option<&str> {
        let sealed = |node: &&Node| node.secret || matches!(node.kind, Kind::Sealed(_));
        let default = self.default.as_ref().filter(|node| !sealed(node));
        default.map(|node| node.text.as_str())
    }
}

/// The variables of a play that somebody is asked for; those of the command line are not among them.
pub(super) fn layer(
    play: &Play,
    world: &World,
    request: &Request,
    faults: &mut Vec<Fault>,
) -> Option<Arc<Layer>> {
    let asked = play.prompts.iter();
    let asked = asked.filter(|prompt| world.extra.get(&prompt.name.value).is_none());
    let layer: Layer = asked
        .map(|prompt| (prompt.name.value.clone(), answer(prompt, request, faults)))
        .collect();
    layer.names().next()?;
    Some(Arc::new(layer))
}

fn answer(prompt: &Prompt, request: &Request, faults: &mut Vec<Fault>) -> Tree {
    let later = || {
        Tree::Is(Value::NotYet(NotYet::new(format!(
            "the answer to `{}`",
            prompt.question()
        ))))
    };
    let Some(answers) = &request.answers else {
        return later();
    };
    let name = &prompt.name.value;
    match (answers.get(name), &prompt.default) {
        (Some(value), _) => Tree::Is(value.clone()),
        (None, Some(default)) => {
            let tree = usual(default, faults);
            if prompt.private {
                Tree::Hidden(Box::new(tree))
            } else {
                tree
            }
        }
        (None, None) => {
            let what = format!("nobody can be asked for `{name}`, and it has no `default`");
            let help = format!("`-e {name}=…` gives it, or `-e @FILE`");
            faults.push(
                Fault::new("unanswered", what)
                    .help(help)
                    .or_at(prompt.name.span),
            );
            later()
        }
    }
}

/// A default counts as if it was typed: it is a text.
fn usual(default: &Node, faults: &mut Vec<Fault>) -> Tree {
    match &default.kind {
        Kind::Bool(true) => Tree::Is("True".into()),
        Kind::Bool(false) => Tree::Is("False".into()),
        Kind::Int(_) | Kind::Float(_) => Tree::Is(default.text.as_str().into()),
        _ => Tree::new(default, faults),
    }
}
