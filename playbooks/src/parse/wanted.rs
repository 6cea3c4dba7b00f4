//! `validate_argument_spec`: what is not given to it, variables of the names that it wants give.

use super::Reader;
pub(crate) use super::values::{is_template, is_variable_name};
use crate::{files::Spanned, template::is_function, yaml::Node};

pub(crate) const MODULE: &str = "validate_argument_spec";

impl Reader<'_> {
    /// The arguments, with the variables that are meant.
    pub(super) fn with_variables(&mut self, module: &Spanned<String>, args: Node) -> Node {
        let short = module.value.rsplit('.').next();
        let (Some(MODULE), Some(entries)) = (short, args.as_map()) else {
            return args;
        };
        let spec = args.get("argument_spec");
        let Some(spec) = spec.filter(|_| args.get("variables").is_none()) else {
            return args;
        };
        let Some(variables) = variables(spec) else {
            if spec.as_str().is_some_and(is_template) {
                self.error_help(
                    "unsupported",
                    spec.span,
                    "`argument_spec` is a text of several parts",
                    "a map, or a template that gives one and stands alone: `\"{{ … }}\"`",
                );
            }
            return args;
        };
        let mut entries = entries.to_vec();
        entries.push((Node::str("variables", spec.span), variables));
        Node::map(entries, args.span)
    }
}

/// A map of variables, those that are not defined left out.
pub(crate) fn variables(spec: &Node) -> Option<Node> {
    if let Some(options) = spec.as_map() {
        let names = options.iter().map(|(name, _)| name);
        let names = names.filter(|name| is_variable_name(&name.text) && !is_function(&name.text));
        let variable = |name: &Node| {
            let value = format!("{{{{ {} | default(omit) }}}}", name.text);
            (
                Node::str(name.text.clone(), name.span),
                Node::str(value, name.span),
            )
        };
        return Some(Node::map(names.map(variable).collect(), spec.span));
    }
    let text = spec.as_str().filter(|text| is_template(text))?.trim();
    let bare = text.strip_prefix("{{")?.strip_suffix("}}")?;
    let bare = bare.trim_matches('-');
    if bare.contains("{{") {
        return None;
    }
    let text = format!(
        "{{% set evenkeel_found = namespace(all={{}}) %}}{{% for evenkeel_wanted in ({bare}) %}}{{% set \
         evenkeel_found.all = evenkeel_found.all | combine({{evenkeel_wanted: lookup('vars', evenkeel_wanted, \
         default=omit)}}) %}}{{% endfor %}}{{{{ evenkeel_found.all }}}}"
    );
    Some(Node::str(text, spec.span))
}
