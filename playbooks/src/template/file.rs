//! Template files: compiled when the playbook is read, rendered when their task's turn comes.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use evenkeel_engine::Value;
use minijinja::{Environment, Error};

mod header;
mod marks;

pub use marks::Marks;

use marks::Translated;

use super::{
    Fault, Template, Uses, Variables, ending,
    environment::{self, Root},
    fault::innermost,
    result,
    rewrite::{Backslash, Rewritten},
    scan,
};
use crate::{
    files::{self, FileId, Files, Span},
    looked,
    open::{self, ANY},
    vars::hidden,
};

/// Of so many files in a folder those are read that a name may mean.
const MOST: usize = 1_000;

/// How a template file is read, as a task may set it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reading {
    /// `trim_blocks`: the newline after a block goes.
    pub trim: bool,
    /// `lstrip_blocks`: blanks before a block go.
    pub lstrip: bool,
    /// What marks expressions, blocks and comments.
    pub marks: Marks,
}

impl Default for Reading {
    fn default() -> Self {
        Self {
            trim: true,
            lstrip: false,
            marks: Marks::default(),
        }
    }
}

/// A template file with all that it includes.
pub struct TemplateFile {
    env: Environment<'static>,
    name: String,
    parts: BTreeMap<String, Part>,
    uses: Uses,
    /// Whether a part of it was encrypted: so is what it gives.
    secret: bool,
    reading: Reading,
}

struct Part {
    span: Span,
    /// With the usual marks.
    text: String,
    /// As it is written, where it has others.
    raw: Option<(String, Translated)>,
    rewritten: Rewritten,
    /// Lines of the file before the text.
    above: usize,
}

impl fmt::Debug for TemplateFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TemplateFile({:?})", self.name)
    }
}

impl TemplateFile {
    /// Reads and compiles a file, and those that it names in `include`, `import` and `extends`;
    /// these are looked for beside it and in `folders`.
    pub fn read(
        path: &Path,
        shown: &str,
        folders: &[PathBuf],
        reading: Reading,
        files: &mut Files,
    ) -> Result<Self, Vec<Fault>> {
        let mut env = environment::environment();
        env.set_syntax(environment::syntax(reading.trim, reading.lstrip));
        let mut template = Self {
            env,
            name: shown.to_owned(),
            parts: BTreeMap::new(),
            uses: Uses::default(),
            secret: false,
            reading,
        };
        let mut all: Vec<PathBuf> = path.parent().map(Path::to_owned).into_iter().collect();
        all.extend_from_slice(folders);
        template.add(shown, shown, path, &all, files)?;
        Ok(template)
    }

    fn add(
        &mut self,
        name: &str,
        shown: &str,
        path: &Path,
        folders: &[PathBuf],
        files: &mut Files,
    ) -> Result<(), Vec<Fault>> {
        let file = loaded(shown, path, files).map_err(|fault| vec![fault])?;
        self.secret |= files.is_secret(file);
        let whole = files.text(file).to_string();
        let end = u32::try_from(whole.len()).unwrap_or(u32::MAX);
        let at = |start: usize| Span {
            file,
            start: u32::try_from(start).unwrap_or(end),
            end,
        };
        // Of what it includes the first line is a line like any other.
        let header = header::len(&whole).filter(|_| self.parts.is_empty());
        let start = header.unwrap_or(0);
        if header.is_some() {
            self.reading = header::read(&whole[..start], at(0), self.reading.clone())?;
            let syntax = environment::syntax(self.reading.trim, self.reading.lstrip);
            self.env.set_syntax(syntax);
        }
        self.reading
            .marks
            .check()
            .map_err(|fault| vec![fault.or_at(at(0))])?;
        let (raw, span) = (&whole[start..], at(start));
        let marks = &self.reading.marks;
        let translated = (*marks != Marks::default()).then(|| marks.translated(raw));
        let text = match &translated {
            Some(translated) => translated.text.clone(),
            None => raw.to_owned(),
        };
        let raw = translated.map(|translated| (raw.to_owned(), translated));
        let uses = Uses::of_template(&text);
        let mut faults: Vec<Fault> = environment::unknown(&uses, &text, span)
            .into_iter()
            .map(|fault| as_written(fault, span, raw.as_ref()))
            .collect();
        let rewritten = Rewritten::template(&text, Backslash::Escapes);
        let compiled = self
            .env
            .add_template_owned(name.to_owned(), rewritten.text.clone());
        if let Err(error) = compiled {
            let fault = Fault::syntax(&error, &text, span, |at| rewritten.old(at));
            faults.push(as_written(fault, span, raw.as_ref()));
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let named = uses.files.clone();
        self.uses.extend(&uses);
        self.parts.insert(
            name.to_owned(),
            Part {
                span,
                text: text.clone(),
                raw,
                rewritten,
                above: usize::from(header.is_some()),
            },
        );
        for named in named {
            let other = &named.name;
            if other.contains(ANY) {
                self.add_fitting(other, folders, files);
                continue;
            }
            if self.parts.contains_key(other) {
                continue;
            }
            let mut candidates = folders.iter().map(|folder| folder.join(other));
            match candidates.find(|path| path.is_file()) {
                Some(path) => self.add(other, &path.to_string_lossy(), &path, folders, files)?,
                None if named.needed => {
                    let looked: Vec<PathBuf> =
                        folders.iter().map(|folder| folder.join(other)).collect();
                    let fault =
                        Fault::new("no_such_file", format!("there is no template `{other}`"))
                            .help(looked::instead(other, &looked));
                    let fault = fault.at(span, &text, named.at);
                    let raw = self.parts.get(name).and_then(|part| part.raw.as_ref());
                    return Err(vec![as_written(fault, span, raw)]);
                }
                None => {}
            }
        }
        Ok(())
    }

    /// Adds each file that a name which only values tell may mean: of the folder of the template,
    /// of those for templates, and of one that the name begins with. A file that is no template is
    /// left: if it is meant, it is not found.
    fn add_fitting(&mut self, name: &str, folders: &[PathBuf], files: &mut Files) {
        let is_within = name
            .split_once('/')
            .is_some_and(|(first, _)| !first.contains(ANY));
        for (index, folder) in folders.iter().enumerate() {
            if index > 0 && !is_within && !folder.ends_with("templates") {
                continue;
            }
            for path in open::files(folder, name, true).into_iter().take(MOST) {
                let name = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy();
                if !self.parts.contains_key(&*name) {
                    drop(self.add(&name, &path.to_string_lossy(), &path, folders, files));
                }
            }
        }
    }

    /// Its text, with that of all that it includes.
    pub fn text(&self) -> String {
        self.parts.values().map(|part| part.text.as_str()).collect()
    }

    /// What it uses, with all that it includes.
    pub fn uses(&self) -> &Uses {
        &self.uses
    }

    /// Renders it; the result is [`Value::NotYet`] if it touched something that is not known yet.
    pub fn render(&self, variables: &Arc<dyn Variables>) -> Result<Value, Fault> {
        let value = result::text(
            || {
                self.env
                    .get_template(&self.name)?
                    .render(Root::value(variables))
            },
            |error: Error| self.fault(&error, &**variables),
        )?;
        let part = self.parts.get(&self.name);
        let value = match part {
            Some(part) => ending::restored(value, ending::newlines(&part.text)),
            None => value,
        };
        Ok(if self.secret { hidden(value) } else { value })
    }

    /// The value of the expression of which it consists; `None` if there is more in it.
    pub(super) fn lone(&self, variables: &Arc<dyn Variables>) -> Option<Result<Value, Fault>> {
        let part = self.parts.get(&self.name)?;
        let regions = scan::regions(ending::without(&part.text));
        let is_comment = |region: &scan::Region| matches!(region, scan::Region::Comment(_));
        if !regions.is_empty() && regions.iter().all(is_comment) {
            return Some(Ok(Value::Null));
        }
        let [scan::Region::Expr(_)] = &regions[..] else {
            return None;
        };
        let made =
            Template::expression(&part.text, part.span).map_err(|mut faults| faults.swap_remove(0));
        let value = made.and_then(|template| template.evaluate(variables));
        Some(value.map(|value| ending::restored(value, ending::newlines(&part.text))))
    }

    fn fault(&self, error: &Error, variables: &dyn Variables) -> Fault {
        let inner = innermost(error);
        let name = inner.name().unwrap_or(&self.name);
        let Some(part) = self.parts.get(name).or_else(|| self.parts.get(&self.name)) else {
            return Fault::from_jinja(error, "", variables);
        };
        let fault = Fault::from_jinja(error, &part.rewritten.text, variables);
        if inner.range().is_none() {
            let line = inner.line().unwrap_or(1) + part.above;
            return fault.in_file(part.span.file, line);
        }
        let fault = fault
            .moved(|at| part.rewritten.old(at))
            .at_text(part.span, &part.text);
        as_written(fault, part.span, part.raw.as_ref())
    }
}

/// Reads a template, opening it if it is encrypted.
fn loaded(shown: &str, path: &Path, files: &mut Files) -> Result<FileId, Fault> {
    if files::is_vault(path) {
        return files.load(path).map_err(|error| Fault::of(&error));
    }
    let text = std::fs::read_to_string(path).map_err(|error| {
        if error.kind() == std::io::ErrorKind::InvalidData
            && let Err(error) = files.load(path)
        {
            return Fault::of(&error);
        }
        let why = format!("cannot read the template `{shown}`: {error}");
        Fault::new("unreadable_file", why)
    })?;
    Ok(files.add(shown, text))
}

/// A fault at its place in a text with other marks.
fn as_written(fault: Fault, span: Span, raw: Option<&(String, Translated)>) -> Fault {
    match raw {
        Some((text, translated)) => fault.in_text(span, text, |at| translated.old(at)),
        None => fault,
    }
}
