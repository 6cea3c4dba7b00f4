//! `loop`, `with_…` and `loop_control`.

use super::{Reader, keywords, values::Fields};
use crate::{
    ast::{Loop, LoopKind},
    diagnostic::Diagnostic,
    files::Spanned,
    words::did_you_mean,
    yaml::{Kind, Node},
};

const KINDS: [(&str, LoopKind); 8] = [
    ("loop", LoopKind::List),
    ("with_list", LoopKind::List),
    ("with_items", LoopKind::Items),
    ("with_dict", LoopKind::Dict),
    ("with_indexed_items", LoopKind::IndexedItems),
    ("with_flattened", LoopKind::Flattened),
    ("with_together", LoopKind::Together),
    ("with_nested", LoopKind::Nested),
];

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
        let kind = self.loop_kind(&key)?;
        self.check_list(&key, kind, expr);
        let mut result = Loop {
            kind: Spanned::new(kind, key.span),
            expr: expr.clone(),
            loop_var: "item".to_owned(),
            index_var: None,
            label: None,
        };
        if let Some((_, node)) = control {
            self.control(&mut result, node);
        }
        Some(result)
    }

    fn loop_kind(&mut self, key: &Spanned<&str>) -> Option<LoopKind> {
        if let Some((_, kind)) = KINDS.iter().find(|(name, _)| *name == key.value) {
            return Some(*kind);
        }
        let instead = match key.value {
            "with_cartesian" => Some("`with_nested` does the same"),
            "with_sequence" => Some("`loop: \"{{ range(1, 11) | list }}\"`"),
            "with_subelements" => Some("`loop: \"{{ list | subelements('key') }}\"`"),
            "with_fileglob" => Some("list the files"),
            "with_first_found" => Some("name the file by a variable"),
            "with_lines"
            | "with_random_choice"
            | "with_inventory_hostnames"
            | "with_ini"
            | "with_file" => Some("put the values into a list and use `loop`"),
            _ => None,
        };
        if let Some(instead) = instead {
            let what = format!("`{}` is not supported", key.value);
            self.error_help("unsupported", key.span, what, instead);
        } else {
            let help = did_you_mean(key.value, KINDS.iter().map(|(name, _)| *name));
            self.unknown_key(key, format!("there is no loop `{}`", key.value), help);
        }
        None
    }

    fn check_list(&mut self, key: &Spanned<&str>, kind: LoopKind, expr: &Node) {
        let fits = match (kind, &expr.kind) {
            (_, Kind::Str(text)) => super::values::is_template(text) || kind == LoopKind::Items,
            (LoopKind::Dict, kind) => matches!(kind, Kind::Map(_)),
            (LoopKind::Items, kind) => !matches!(kind, Kind::Null),
            (_, kind) => matches!(kind, Kind::Seq(_)),
        };
        if fits {
            return;
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
    }

    fn control(&mut self, result: &mut Loop, node: &Node) {
        let Some(fields) = self.fields("loop_control", node) else {
            return;
        };
        for (key, node) in fields.iter() {
            match key.value {
                "loop_var" => {
                    if let Some(name) = self.variable("loop_var", node) {
                        result.loop_var = name.value;
                    }
                }
                "index_var" => result.index_var = self.variable("index_var", node),
                "label" => result.label = Some((*node).clone()),
                "extended" | "extended_allitems" | "pause" | "break_when" => self.error_help(
                    "unsupported",
                    key.span,
                    format!("`{}` is not supported yet", key.value),
                    match key.value {
                        "extended" => "`index_var` gives the position",
                        "extended_allitems" => "leave it away",
                        "pause" => "leave it away, or wait with `wait_for`",
                        _ => "select the items before: `select`, `selectattr`",
                    },
                ),
                other => {
                    let help = did_you_mean(other, CONTROLS);
                    self.unknown_key(key, format!("`loop_control` has no key `{other}`"), help);
                }
            }
        }
    }
}
