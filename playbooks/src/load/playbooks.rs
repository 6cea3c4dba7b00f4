//! Playbooks, with those that they import.

use std::path::{Path, PathBuf};

use evenkeel_engine::Map;

use super::{Loader, folders};
use crate::{
    ast::{Common, Import, Play},
    diagnostic::Diagnostic,
    files::{FileId, Span},
    looked,
    parse::read_what_parses,
    template::{Template, is_template},
    vars::{Layer, Scope, World},
};

impl Loader<'_> {
    /// All plays, in order, each with the file in which it stands.
    pub(super) fn plays(&mut self, modules: &[&str], extra: &Map) -> Vec<(PathBuf, Play)> {
        let mut plays = Vec::new();
        for path in &self.request.playbooks {
            let file = match &self.request.text {
                Some(text) => Ok(self.files.add(&*path.to_string_lossy(), text.as_str())),
                None => self.files.load(path),
            };
            match file {
                Ok(file) => {
                    let mut reading = Reading {
                        modules,
                        extra,
                        chain: vec![path.clone()],
                    };
                    plays.extend(self.playbook(path, file, &mut reading));
                }
                Err(error) => self.out.push(*error),
            }
        }
        plays
    }

    fn playbook(
        &mut self,
        path: &Path,
        file: FileId,
        reading: &mut Reading<'_>,
    ) -> Vec<(PathBuf, Play)> {
        let (playbook, found) = read_what_parses(&self.files, file, reading.modules);
        self.out.extend(found);
        let mut imports = playbook.imports.into_iter().peekable();
        let mut plays = Vec::new();
        let count = playbook.plays.len();
        for (number, play) in playbook.plays.into_iter().enumerate() {
            while let Some((_, import)) = imports.next_if(|(before, _)| *before <= number) {
                plays.extend(self.imported(path, &import, reading));
            }
            plays.push((path.to_owned(), play));
        }
        while let Some((_, import)) = imports.next_if(|(before, _)| *before <= count) {
            plays.extend(self.imported(path, &import, reading));
        }
        plays
    }

    fn imported(
        &mut self,
        by: &Path,
        import: &Import,
        reading: &mut Reading<'_>,
    ) -> Vec<(PathBuf, Play)> {
        let at = import.file.span;
        let name = match reading.name(&import.file.value, at) {
            Ok(name) => name,
            Err(error) => {
                self.out.push(*error);
                return Vec::new();
            }
        };
        let folder = folders::of_file(by);
        let path = if folder == Path::new(".") {
            PathBuf::from(&name)
        } else {
            folder.join(&name)
        };
        if reading.chain.contains(&path) {
            let chain: Vec<String> = reading
                .chain
                .iter()
                .chain([&path])
                .map(|path| path.display().to_string())
                .collect();
            let message = format!(
                "playbooks import each other without end: {}",
                chain.join(" -> ")
            );
            self.out
                .push(Diagnostic::error("include_circle", at, message).help("remove one of them"));
            return Vec::new();
        }
        let file = match self.files.load(&path) {
            Ok(file) => file,
            Err(error) => {
                let missing = !path.exists();
                self.out.push(Diagnostic {
                    at: error.at.or(Some(at)),
                    help: missing
                        .then(|| looked::instead(&name, &[path]))
                        .or(error.help),
                    ..*error
                });
                return Vec::new();
            }
        };
        reading.chain.push(path.clone());
        let mut plays = self.playbook(&path, file, reading);
        reading.chain.pop();
        for (_, play) in &mut plays {
            over(&mut play.common, &import.common);
        }
        plays
    }
}

/// What reading takes.
struct Reading<'a> {
    modules: &'a [&'a str],
    extra: &'a Map,
    /// The files that import each other up to here.
    chain: Vec<PathBuf>,
}

impl Reading<'_> {
    /// The name of a playbook; it may be made of what the command line says.
    fn name(&self, text: &str, at: Span) -> Result<String, Box<Diagnostic>> {
        if !is_template(text) {
            return Ok(text.trim().to_owned());
        }
        let world = World {
            extra: Layer::values(self.extra.clone()).into(),
            ..World::default()
        };
        let scope = Scope::new(std::sync::Arc::new(world), "", Vec::new(), Vec::new());
        let rendered = Template::text(text, at)
            .map_err(|mut faults| faults.remove(0))
            .and_then(|template| template.evaluate(&scope.variables()));
        match rendered {
            Ok(value) => Ok(value.as_text().unwrap_or_default()),
            Err(fault) => {
                let message = format!(
                    "{}: `import_playbook` sees `--extra-vars` only",
                    fault.message
                );
                Err(Box::new(Diagnostic::error(fault.code, at, message)))
            }
        }
    }
}

/// What stands at the import holds for each of its plays; its variables win.
fn over(play: &mut Common, import: &Common) {
    let mut when = import.when.clone();
    when.append(&mut play.when);
    play.when = when;
    play.tags.extend(import.tags.iter().cloned());
    play.vars.retain(|(name, _)| {
        !import
            .vars
            .iter()
            .any(|(other, _)| other.value == name.value)
    });
    play.vars.extend(import.vars.iter().cloned());
}
