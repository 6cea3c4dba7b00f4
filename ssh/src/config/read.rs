//! Reads files of the configuration, and those they include.

use super::{
    ConfigError, Files, Machine, expand,
    matching::{Criteria, criteria},
    value::{self, Setting},
    words,
};
use crate::place::Place;

/// How deep files may include files, as for ssh.
const MAX_DEPTH: usize = 16;
/// How many files one configuration may consist of: two includes of itself would be 2^16.
const MAX_FILES: usize = 1000;

/// The lines of a file that say something.
pub(super) type Entries = Vec<Entry>;

#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) place: Place,
    pub(super) item: Item,
}

#[derive(Clone, Debug)]
pub(super) enum Item {
    /// From here on for hosts that a pattern covers.
    Host(Vec<String>),
    /// From here on where these hold.
    Match(Criteria),
    /// Other files, as if their lines stood here.
    Include(Vec<Entries>),
    /// An option.
    Set(Setting),
}

/// Where relative names of included files start.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Side {
    User,
    System,
}

pub(super) struct Reader<'a> {
    files: &'a dyn Files,
    machine: &'a Machine,
    count: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(files: &'a dyn Files, machine: &'a Machine) -> Self {
        Self {
            files,
            machine,
            count: 0,
        }
    }

    /// The user's file, which may not exist.
    pub(super) fn user(&mut self, path: &str) -> Result<Entries, ConfigError> {
        let entries = self.file(path, Side::User, 0, &whole(path))?;
        Ok(entries.unwrap_or_default())
    }

    /// The system's file, which may not exist.
    pub(super) fn system(&mut self, path: &str) -> Result<Entries, ConfigError> {
        let entries = self.file(path, Side::System, 0, &whole(path))?;
        Ok(entries.unwrap_or_default())
    }

    /// A file that has to exist.
    pub(super) fn required(&mut self, path: &str) -> Result<Entries, ConfigError> {
        self.file(path, Side::User, 0, &whole(path))?
            .ok_or_else(|| ConfigError {
                place: whole(path),
                what: "there is no such file".into(),
            })
    }

    fn file(
        &mut self,
        path: &str,
        side: Side,
        depth: usize,
        named_at: &Place,
    ) -> Result<Option<Entries>, ConfigError> {
        let fail = |what: String| ConfigError {
            place: named_at.clone(),
            what,
        };
        self.count += 1;
        if self.count > MAX_FILES {
            return Err(fail(format!("more than {MAX_FILES} files are included")));
        }
        if depth > MAX_DEPTH {
            return Err(fail(format!(
                "files include files more than {MAX_DEPTH} deep; does one include itself?"
            )));
        }
        let text = self.files.read(path);
        let text = text.map_err(|error| fail(format!("`{path}` cannot be read: {error}")))?;
        let Some(text) = text else { return Ok(None) };
        let mut entries = Entries::new();
        for (index, line) in text.split('\n').enumerate() {
            let Some((keyword, rest)) = words::keyword(line) else {
                continue;
            };
            let place = Place {
                file: path.to_owned(),
                line: index + 1,
            };
            let item = if keyword == "include" {
                self.include(rest, side, depth, &place)?
            } else {
                item(&keyword, rest).map_err(|what| ConfigError {
                    place: place.clone(),
                    what,
                })?
            };
            entries.push(Entry { place, item });
        }
        Ok(Some(entries))
    }

    fn include(
        &mut self,
        rest: &str,
        side: Side,
        depth: usize,
        place: &Place,
    ) -> Result<Item, ConfigError> {
        let fail = |what: String| ConfigError {
            place: place.clone(),
            what,
        };
        let patterns = words::split(rest).ok_or_else(|| fail("a quote is not closed".into()))?;
        if patterns.is_empty() {
            return Err(fail("`include` needs the name of a file".into()));
        }
        let mut included = Vec::new();
        for pattern in patterns {
            let path = expand::variables(&pattern, self.machine).map_err(fail)?;
            let path = expand::home(&path, self.machine);
            let path = match side {
                _ if path.starts_with('/') => path,
                Side::User => format!("{}/.ssh/{path}", self.machine.home),
                Side::System => format!("/etc/ssh/{path}"),
            };
            let found = self.files.glob(&path);
            let found = found.map_err(|error| fail(format!("`{path}` cannot be read: {error}")))?;
            for path in found {
                included.extend(self.file(&path, side, depth + 1, place)?);
            }
        }
        Ok(Item::Include(included))
    }
}

fn item(keyword: &str, rest: &str) -> Result<Item, String> {
    match keyword {
        "host" => match words::split(rest) {
            None => Err("a quote is not closed".into()),
            Some(patterns) if patterns.is_empty() => Err("`host` needs a pattern".into()),
            Some(patterns) => Ok(Item::Host(patterns)),
        },
        "match" => criteria(rest).map(Item::Match),
        _ => value::parse(keyword, rest).map(Item::Set),
    }
}

/// A file as a whole.
fn whole(path: &str) -> Place {
    Place {
        file: path.to_owned(),
        line: 1,
    }
}
