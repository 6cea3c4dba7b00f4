//! Files that are brought in: each is read once.

use std::{path::Path, sync::Arc};

use super::Expander;
use crate::{
    ast::Item,
    diagnostic::Diagnostic,
    files::Span,
    parse::{For, PLAYS, read_tasks},
    vars::Layer,
};

/// A file of tasks.
#[derive(Clone)]
pub(super) struct Parsed {
    pub(super) items: Arc<[Item]>,
    pub(super) found: Arc<[Diagnostic]>,
}

impl Expander<'_> {
    /// The tasks of a file. What is wrong with it is said each time: it may matter at one place only.
    pub(super) fn tasks_in(&mut self, path: &Path, of: For, at: Span) -> Arc<[Item]> {
        let key = (path.to_owned(), of);
        if let Some(parsed) = self.parsed.get(&key) {
            self.out.extend(parsed.found.iter().cloned());
            return Arc::clone(&parsed.items);
        }
        let mut files = self.store.writing();
        let parsed = match files.load(path) {
            Ok(file) => {
                let (items, found) = read_tasks(&files, file, &self.modules, of);
                Parsed {
                    items: items.into(),
                    found: found.into(),
                }
            }
            Err(error) => {
                let error = Diagnostic {
                    at: error.at.or(Some(at)),
                    ..*error
                };
                Parsed {
                    items: Arc::new([]),
                    found: vec![error].into(),
                }
            }
        };
        drop(files);
        self.out.extend(parsed.found.iter().cloned());
        let items = Arc::clone(&parsed.items);
        self.parsed.insert(key, parsed);
        items
    }

    /// Whether a file holds plays.
    pub(super) fn is_playbook(&mut self, path: &Path, of: For, at: Span) -> bool {
        let before = self.out.len();
        self.tasks_in(path, of, at);
        self.out.drain(before..).any(|found| found.code == PLAYS)
    }

    /// The variables of a file.
    pub(super) fn vars_in(&mut self, path: &Path) -> Arc<Layer> {
        let (included, faults) = self.store.as_far(path);
        self.faults.extend(faults);
        Arc::clone(&included.layer)
    }
}
