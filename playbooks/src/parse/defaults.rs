//! `module_defaults`: arguments by module, for tasks that do not give them.

use super::{
    Reader,
    values::{is_template, shorten},
};
use crate::{
    ast::ModuleDefaults,
    files::Spanned,
    yaml::{Kind, Node},
};

impl Reader<'_> {
    /// A map of modules, or a list of such maps; later ones win.
    pub(super) fn module_defaults(&mut self, node: &Node) -> Vec<ModuleDefaults> {
        let maps = match &node.kind {
            Kind::Null => return Vec::new(),
            Kind::Seq(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        let mut found: Vec<ModuleDefaults> = Vec::new();
        for map in maps {
            if map.as_str().is_some_and(is_template) {
                self.error_help(
                    "unsupported",
                    map.span,
                    "`module_defaults` is one template, so it cannot be checked",
                    "write each module on a line of its own, with templates as values of arguments",
                );
                continue;
            }
            let Some(fields) = self.fields("module_defaults", map) else {
                continue;
            };
            for (key, args) in fields.iter() {
                found.extend(self.defaults_of(key, args));
            }
        }
        found
    }

    fn defaults_of(&mut self, key: &Spanned<&str>, args: &Node) -> Option<ModuleDefaults> {
        if let Some(group) = key.value.strip_prefix("group/") {
            self.error_help(
                "unsupported",
                key.span,
                format!("there is no group of modules `{}`", shorten(group)),
                "write the arguments at each of its modules: groups are of collections that are not here",
            );
            return None;
        }
        let module = self.resolve(key)?;
        match &args.kind {
            Kind::Null | Kind::Map(_) => {}
            Kind::Str(text) if is_template(text) => {
                self.whole_template(key.value, args);
                return None;
            }
            _ => {
                self.wrong_type(key.value, "a map of arguments", args);
                return None;
            }
        }
        let args = self.arguments(&module, args, None);
        Some(ModuleDefaults { module, args })
    }
}
