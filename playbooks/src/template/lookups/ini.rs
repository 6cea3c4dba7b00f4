//! Files of settings in sections, as Python's `configparser` reads them.

use evenkeel_engine::Value;
use indexmap::IndexMap;

/// A section whose settings count in all others.
const DEFAULT: &str = "DEFAULT";

/// How deep a value may refer to others.
const DEPTH: usize = 10;

/// How a file is read.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::template) struct Ways {
    /// Whether names are as they are written, not in small letters.
    pub(in crate::template) case_sensitive: bool,
    /// Whether a name may have no value.
    pub(in crate::template) no_value: bool,
    /// Whether there are no sections: all is in [`PROPERTIES`].
    pub(in crate::template) properties: bool,
}

/// The section of files that have none.
pub(in crate::template) const PROPERTIES: &str = "java_properties";

type Settings = IndexMap<String, Option<String>>;

/// A file of settings.
#[derive(Debug)]
pub(in crate::template) struct Ini {
    sections: IndexMap<String, Settings>,
    ways: Ways,
}

impl Ini {
    /// Reads a file; or says what is wrong with which line.
    pub(in crate::template) fn read(text: &str, ways: Ways) -> Result<Self, String> {
        let mut ini = Self {
            sections: IndexMap::new(),
            ways,
        };
        let mut section = ways.properties.then(|| ini.open(PROPERTIES));
        // The last setting, and how far it stands from the margin: what is further in goes on with it.
        let mut last: Option<(String, usize)> = None;
        let mut blanks = 0;
        for (index, line) in text.lines().enumerate() {
            let wrong = |what: &str| Err(format!("line {}: {what}", index + 1));
            let bare = line.trim();
            if bare.is_empty() {
                blanks += 1;
                continue;
            }
            if bare.starts_with(['#', ';']) {
                continue;
            }
            let indent = line.len() - line.trim_start().len();
            if let (Some((name, margin)), Some(section)) = (&last, section) {
                if indent > *margin {
                    if let Some(Some(value)) = ini.sections[section].get_mut(name) {
                        value.extend(std::iter::repeat_n('\n', blanks + 1));
                        value.push_str(bare);
                        blanks = 0;
                        continue;
                    }
                }
            }
            blanks = 0;
            if let Some(name) = bare
                .strip_prefix('[')
                .and_then(|rest| rest.rfind(']').map(|end| &rest[..end]))
            {
                if name != DEFAULT && ini.sections.contains_key(name) {
                    return wrong(&format!("there is a section `{name}` already"));
                }
                section = Some(ini.open(name));
                last = None;
                continue;
            }
            let Some(section) = section else {
                return wrong("a setting before the first section");
            };
            let (name, value) = match bare.split_once(['=', ':']) {
                Some((name, value)) => (name.trim_end(), Some(value.trim().to_owned())),
                None if ways.no_value => (bare, None),
                None => return wrong("neither a section nor a setting with `=`"),
            };
            let name = ini.name(name);
            if ini.sections[section].insert(name.clone(), value).is_some() {
                return wrong(&format!("`{name}` is there already"));
            }
            last = Some((name, indent));
        }
        Ok(ini)
    }

    fn open(&mut self, name: &str) -> usize {
        let entry = self.sections.entry(name.to_owned());
        let index = entry.index();
        entry.or_default();
        index
    }

    fn name(&self, name: &str) -> String {
        if self.ways.case_sensitive {
            name.to_owned()
        } else {
            name.to_lowercase()
        }
    }

    /// The settings of a section, with those of all; `None` if there is no such section.
    fn settings(&self, section: &str) -> Option<Settings> {
        let mut all = self.sections.get(DEFAULT).cloned().unwrap_or_default();
        match self.sections.get(section) {
            Some(own) => all.extend(own.clone()),
            None if section == DEFAULT => {}
            None => return None,
        }
        Some(all)
    }

    /// The names of all sections that have settings of their own.
    pub(in crate::template) fn names(&self) -> impl Iterator<Item = &str> {
        let names = self.sections.keys().map(String::as_str);
        names.filter(|name| *name != DEFAULT)
    }

    /// All settings as they are written, by their sections.
    pub(in crate::template) fn tree(&self) -> Value {
        let value = |value: &Option<String>| value.clone().map_or(Value::Null, Value::from);
        let section = |settings: &Settings| {
            let all = settings
                .iter()
                .map(|(name, text)| (name.clone(), value(text)));
            Value::Map(all.collect())
        };
        let all = self.sections.iter();
        Value::Map(
            all.map(|(name, own)| (name.clone(), section(own)))
                .collect(),
        )
    }

    /// All settings of a section whose name fits, with their values.
    pub(in crate::template) fn values(
        &self,
        section: &str,
        interpolate: bool,
        fits: impl Fn(&str) -> bool,
    ) -> Result<Option<Vec<Option<String>>>, String> {
        let Some(settings) = self.settings(section) else {
            return Ok(None);
        };
        let found = settings.iter().filter(|(name, _)| fits(name));
        let value = |value: &Option<String>| match value {
            Some(value) if interpolate => self.interpolated(value, &settings, DEPTH).map(Some),
            value => Ok(value.clone()),
        };
        found
            .map(|(_, text)| value(text))
            .collect::<Result<_, _>>()
            .map(Some)
    }

    /// One setting, by its name.
    pub(in crate::template) fn value(
        &self,
        section: &str,
        name: &str,
        interpolate: bool,
    ) -> Result<Option<Vec<Option<String>>>, String> {
        let name = self.name(name);
        self.values(section, interpolate, |other| other == name)
    }

    /// `%(name)s` is another setting of the section, `%%` is `%`.
    fn interpolated(
        &self,
        text: &str,
        settings: &Settings,
        depth: usize,
    ) -> Result<String, String> {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(format!("`{text}` refers to too many others, or to itself"));
        };
        let (mut out, mut rest) = (String::new(), text);
        while let Some((before, after)) = rest.split_once('%') {
            out.push_str(before);
            if let Some(after) = after.strip_prefix('%') {
                out.push('%');
                rest = after;
                continue;
            }
            let named = after
                .strip_prefix('(')
                .and_then(|inner| inner.split_once(")s"));
            let Some((name, after)) = named else {
                return Err(format!(
                    "in `{text}` a `%` is neither `%%` nor `%(NAME)s`: `interpolation=false` takes it as it is"
                ));
            };
            let Some(value) = settings.get(&self.name(name)) else {
                return Err(format!("`{text}` refers to `{name}`, which is not there"));
            };
            let value = value.as_deref().unwrap_or_default();
            out.push_str(&self.interpolated(value, settings, depth)?);
            rest = after;
        }
        Ok(out + rest)
    }
}
