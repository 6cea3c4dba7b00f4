//! `vars_files` of a play.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use super::{Expander, known::Text};
use crate::{
    ast::Play,
    diagnostic::Diagnostic,
    lower::find,
    vars::{Layer, Levels, Tree},
    yaml::Node,
};

impl Expander<'_> {
    /// Reads them, the later ones over the earlier ones.
    pub(super) fn vars_files(&mut self, play: &Play, levels: &mut Levels) {
        if play.vars_files.is_empty() {
            return;
        }
        let hosts = self.hosts(levels);
        let plain = play
            .vars_files
            .iter()
            .flatten()
            .all(|name| !crate::template::is_template(&name.text));
        if plain {
            for names in &play.vars_files {
                if let Some(layer) = self.first_of(names, levels, &hosts[0]) {
                    levels.play.insert(0, layer);
                }
            }
            return;
        }
        let mut of_hosts = BTreeMap::new();
        for host in &hosts {
            let mut seen = levels.clone();
            let mut all: Vec<Arc<Layer>> = Vec::new();
            for names in &play.vars_files {
                if let Some(layer) = self.first_of(names, &seen, host) {
                    // The next name may be made of what this file holds.
                    seen.play.insert(0, Arc::clone(&layer));
                    all.push(layer);
                }
            }
            of_hosts.insert(host.clone(), all);
        }
        // Hosts with the same files share them.
        let mut layers = of_hosts.values();
        let first = layers.next().cloned().unwrap_or_default();
        let same = |all: &Vec<Arc<Layer>>| {
            all.len() == first.len() && all.iter().zip(&first).all(|(a, b)| Arc::ptr_eq(a, b))
        };
        if layers.all(same) {
            for layer in first {
                levels.play.insert(0, layer);
            }
        } else {
            levels.files = Some(Arc::new(of_hosts));
        }
    }

    /// The first of some files that is there.
    fn first_of(&mut self, names: &[Node], levels: &Levels, host: &str) -> Option<Arc<Layer>> {
        let mut looked: Vec<PathBuf> = Vec::new();
        for node in names {
            let tree = Tree::new(node, &mut self.faults);
            let name = match self.text(&tree, levels, host, node.span) {
                Ok(Text::Is(name)) => name,
                Ok(Text::Open(_)) => {
                    self.out.push(
                        Diagnostic::error(
                            "known_too_late",
                            node.span,
                            format!("`{}` is made of facts or results: which file it is has to be known before the run", node.text),
                        )
                        .help("read it by `include_vars` as the first task of the play"),
                    );
                    return None;
                }
                Err(_) if host.is_empty() => return None,
                // One that cannot be named is not there, as long as another is.
                Err(_) if names.len() > 1 => continue,
                Err(fault) => {
                    self.faults.push(fault);
                    return None;
                }
            };
            match find(&name, "vars", &levels.folders) {
                Ok(path) => return Some(self.vars_in(&super::find::tidy(&path))),
                Err(_) => looked.extend(places(&name, &levels.folders)),
            }
        }
        let first = names.first()?;
        let message = match names {
            [one] => format!("there is no file `{}` on this machine", one.text),
            _ => "none of these files is on this machine".to_owned(),
        };
        self.out.push(
            Diagnostic::error("no_such_file", first.span, message)
                .help(crate::looked::instead(&first.text, &looked)),
        );
        None
    }
}

fn places(name: &str, folders: &[PathBuf]) -> Vec<PathBuf> {
    if name.starts_with('/') {
        return vec![name.into()];
    }
    let both = |folder: &PathBuf| [folder.join("vars").join(name), folder.join(name)];
    let all = folders.iter().flat_map(both);
    all.map(|path| super::find::tidy(&path)).collect()
}
