//! `loop`, `with_…` and `loop_control`.

use super::{Reader, keywords, values::Fields};
use crate::{
    ast::{Loop, LoopKind},
    diagnostic::Diagnostic,
    files::Spanned,
    template::lookups,
    words::{closest, did_you_mean},
    yaml::{Kind, Node},
};

const CONTROLS: [&str; 7] = [
    "label",
    "loop_var",
    "index_var",
    "pause",
    "extended",
    "extended_allitems",
    "break_when",
];

impl Reader<'_> {
    /// The loop of a task.
    pub(super) fn loop_of(&mut self, fields: &Fields<'_>) -> Option<Loop> {
        let mut found: Option<(Spanned<&str>, &Node)> = None;
        for (key, node) in fields.iter() {
            if key.value != "loop" && !keywords::is_with(key.value) {
                continue;
            }
            if let Some((first, _)) = &found {
                self.out.push(
                    Diagnostic::error("two_loops", key.span, "a task has one loop only")
                        .also(first.span, "the first is here")
                        .help("combine the lists, or put the inner loop into the list"),
                );
            } else {
                found = Some((key.clone(), *node));
            }
        }
        let control = fields.entry("loop_control");
        let Some((key, expr)) = found else {
            if let Some((control, _)) = control {
                self.error_help(
                    "missing_key",
                    control.span,
                    "`loop_control` stands on a task without a loop",
                    "add `loop:`, or remove it",
                );
            }
            return None;
        };
        let known = self.loop_kind(&key);
        let kind = known.unwrap_or(LoopKind::Loop);
        let expr = if known.is_some() && self.check_list(&key, kind, expr) {
            expr.clone()
        } else {
            // It was said what is wrong with it: nothing is.
            let kind = match kind {
                LoopKind::Dict => Kind::Map(Vec::new()),
                _ => Kind::Seq(Vec::new()),
            };
            Node {
                kind,
                ..expr.clone()
            }
        };
        let mut result = Loop {
            kind: Spanned::new(kind, key.span),
            expr,
            loop_var: Spanned::new("item".to_owned(), key.span),
            index_var: None,
            label: None,
            extended: None,
            extended_allitems: None,
            pause: None,
            break_when: Vec::new(),
        };
        if let Some((_, node)) = control {
            self.control(&mut result, node);
        }
        Some(result)
    }

    fn loop_kind(&mut self, key: &Spanned<&str>) -> Option<LoopKind> {
        let Some(name) = key.value.strip_prefix("with_") else {
            return Some(LoopKind::Loop);
        };
        // As a lookup by its whole name.
        let name = ["ansible.builtin.", "ansible.legacy.", "community.general."]
            .iter()
            .find_map(|collection| name.strip_prefix(collection))
            .unwrap_or(name);
        if let Some((_, kind)) = lookups::KINDS.iter().find(|(known, _)| *known == name) {
            return Some(*kind);
        }
        if let Some(name) = lookups::ALONE.into_iter().find(|known| *known == name) {
            return Some(LoopKind::Query(name));
        }
        if let Some(instead) = lookups::instead(name) {
            let what = format!("`{}` is not supported", key.value);
            self.error_help("unsupported", key.span, what, instead);
        } else {
            let near = closest(name, lookups::KINDS.iter().map(|(name, _)| *name));
            let help = near.map(|near| format!("did you mean `with_{near}`?"));
            self.unknown_key(key, format!("there is no loop `{}`", key.value), help);
        }
        None
    }

    /// Whether a loop goes over what such a one goes over.
    fn check_list(&mut self, key: &Spanned<&str>, kind: LoopKind, expr: &Node) -> bool {
        let fits = match (kind, &expr.kind) {
            (_, Kind::Str(text)) => super::values::is_template(text) || takes_one(kind),
            (LoopKind::Dict, kind) => matches!(kind, Kind::Map(_) | Kind::Seq(_)),
            (LoopKind::FirstFound, Kind::Map(_)) => true,
            (kind, Kind::Map(_)) => takes_map(kind),
            (kind, found) if takes_one(kind) => !matches!(found, Kind::Null),
            (_, kind) => matches!(kind, Kind::Seq(_)),
        };
        if fits {
            return true;
        }
        let wanted = if kind == LoopKind::Dict {
            "a map"
        } else {
            "a list"
        };
        let help = match &expr.kind {
            Kind::Str(name) if super::values::is_variable_name(name) => {
                format!("to use a variable: `\"{{{{ {name} }}}}\"`")
            }
            _ if kind == LoopKind::Dict => {
                "`key: value` lines, or a template that gives a map".to_owned()
            }
            _ => "`- item` lines, or a template that gives a list".to_owned(),
        };
        self.wrong_type(key.value, wanted, expr);
        if let Some(last) = self.out.last_mut() {
            last.help = Some(help);
        }
        false
    }

    fn control(&mut self, result: &mut Loop, node: &Node) {
        let Some(fields) = self.fields("loop_control", node) else {
            return;
        };
        for (key, node) in fields.iter() {
            match key.value {
                "loop_var" => {
                    if let Some(name) = self.loop_name("loop_var", node) {
                        result.loop_var = name;
                    }
                }
                "index_var" => result.index_var = self.loop_name("index_var", node),
                "label" => result.label = Some((*node).clone()),
                "extended" => result.extended = self.flag("extended", node),
                "extended_allitems" => {
                    result.extended_allitems = self.flag("extended_allitems", node);
                }
                "pause" => result.pause = self.seconds("pause", node),
                "break_when" => result.break_when = self.expressions("break_when", node),
                other => {
                    let help = did_you_mean(other, CONTROLS);
                    self.unknown_key(key, format!("`loop_control` has no key `{other}`"), help);
                }
            }
        }
    }
}

impl Reader<'_> {
    /// The name of a variable, or a template that gives one before the run.
    fn loop_name(&mut self, name: &str, node: &Node) -> Option<Spanned<String>> {
        let found = self.text(name, node)?;
        if !super::values::is_template(&found.value) {
            self.check_variable(&found.value, found.span);
        }
        Some(found)
    }
}

/// Whether a map counts as a list of it.
fn takes_map(kind: LoopKind) -> bool {
    matches!(
        kind,
        LoopKind::Items | LoopKind::IndexedItems | LoopKind::List
    )
}

/// Whether one text is as good as a list of it.
fn takes_one(kind: LoopKind) -> bool {
    matches!(
        kind,
        LoopKind::Items
            | LoopKind::Sequence
            | LoopKind::FileGlob
            | LoopKind::FileTree
            | LoopKind::FirstFound
            | LoopKind::File
            | LoopKind::Env
            | LoopKind::Hostnames
            | LoopKind::Query(_)
    )
}
