//! Lookups in files of settings and in tables.

use std::collections::BTreeMap;

use minijinja::{
    Error, State,
    value::{Kwargs, Value as Jinja},
};

use super::{super::bare_pattern, super::ran, refuse, whole};
use crate::{
    template::lookups::{
        csv::rows,
        ini::{Ini, PROPERTIES, Ways},
    },
    words::{did_you_mean, list},
};

/// Options of a lookup: by name, and in the old form within the term, as in `'user section=a file=b.ini'`.
struct Options {
    lookup: &'static str,
    names: &'static [&'static str],
    given: BTreeMap<String, Jinja>,
}

impl Options {
    fn new(
        lookup: &'static str,
        names: &'static [&'static str],
        kwargs: &Kwargs,
    ) -> Result<Self, Error> {
        let mut given = BTreeMap::new();
        for name in names {
            if let Some(value) = kwargs.get::<Option<Jinja>>(name)? {
                given.insert((*name).to_owned(), value);
            }
        }
        Ok(Self {
            lookup,
            names,
            given,
        })
    }

    /// What a term asks for, with the options in it.
    fn term(&mut self, term: &Jinja) -> Result<String, Error> {
        let text = term.to_string();
        if !text.contains('=') {
            return Ok(text);
        }
        let words = shlex::split(&text).ok_or_else(|| {
            refuse(format!(
                "`lookup('{}', …)`: a quote in `{text}` has no end",
                self.lookup
            ))
        })?;
        let mut key: Vec<String> = Vec::new();
        for word in words {
            match word.split_once('=') {
                Some((name, value)) if self.names.contains(&name) => {
                    self.given.insert(name.to_owned(), Jinja::from(value));
                }
                Some((name, _)) if key.len() == 1 => {
                    let help = did_you_mean(name, self.names.iter().copied())
                        .unwrap_or_else(|| format!("there are {}", list(self.names, "and")));
                    return Err(refuse(format!(
                        "`lookup('{}', …)`: there is no option `{name}`: {help}",
                        self.lookup
                    )));
                }
                _ => key.push(word),
            }
        }
        if key.is_empty() {
            return Err(refuse(format!(
                "`lookup('{}', …)`: `{text}` does not say what is looked for",
                self.lookup
            )));
        }
        Ok(key.join(" "))
    }

    fn text(&self, name: &str, default: &str) -> String {
        self.given
            .get(name)
            .map_or_else(|| default.to_owned(), ToString::to_string)
    }

    fn flag(&self, name: &str, default: bool) -> bool {
        self.given.get(name).map_or(default, |value| {
            value.as_str().map_or_else(
                || value.is_true(),
                |text| {
                    matches!(
                        text.to_ascii_lowercase().as_str(),
                        "yes" | "true" | "on" | "1"
                    )
                },
            )
        })
    }

    fn number(&self, name: &str, default: usize) -> Result<usize, Error> {
        match self.given.get(name) {
            None => Ok(default),
            Some(value) => value.to_string().parse().map_err(|_| {
                refuse(format!(
                    "`lookup('{}', …)`: `{name}` is the number of a column, from 0, not `{value}`",
                    self.lookup
                ))
            }),
        }
    }

    fn utf8(&self) -> Result<(), Error> {
        let encoding = self.text("encoding", "utf-8");
        match encoding.to_ascii_lowercase().as_str() {
            "utf-8" | "utf8" | "ascii" => Ok(()),
            _ => Err(refuse(format!(
                "`lookup('{}', …)`: files are UTF-8 here, not `{encoding}`: `iconv -t utf-8` makes them so",
                self.lookup
            ))),
        }
    }

    fn wrong(&self, what: &str) -> Error {
        let file = self.text("file", "");
        refuse(format!("`lookup('{}', …)`: `{file}`: {what}", self.lookup))
    }
}

const INI: &[&str] = &[
    "type",
    "file",
    "section",
    "re",
    "encoding",
    "default",
    "case_sensitive",
    "allow_no_value",
    "allow_none",
    "interpolation",
];

/// `lookup('ini', 'user', section='db', file='app.ini')`.
pub(super) fn ini(
    state: &State<'_, '_>,
    terms: &[Jinja],
    kwargs: &Kwargs,
) -> Result<Vec<Jinja>, Error> {
    let mut options = Options::new("ini", INI, kwargs)?;
    let mut found = Vec::new();
    for term in terms {
        let key = options.term(term)?;
        options.utf8()?;
        let properties = match options.text("type", "ini").as_str() {
            "ini" => false,
            "properties" => true,
            other => {
                return Err(refuse(format!(
                    "`lookup('ini', …)`: `type` is `ini` or `properties`, not `{other}`"
                )));
            }
        };
        let ways = Ways {
            case_sensitive: options.flag("case_sensitive", false),
            no_value: options.flag("allow_no_value", options.flag("allow_none", false)),
            properties,
        };
        let text = whole(
            state,
            "ini",
            &options.text("file", "ansible.ini"),
            (false, false),
        )?;
        let ini = Ini::read(text.as_str().unwrap_or_default(), ways)
            .map_err(|wrong| options.wrong(&wrong))?;
        let section = if properties {
            PROPERTIES.to_owned()
        } else {
            options.text("section", "global")
        };
        let interpolate = options.flag("interpolation", true);
        let many = options.flag("re", false);
        let values = if many {
            let regex = bare_pattern(&format!("\\A(?:{key})"))?;
            let fits = |name: &str| ran(regex.is_match(name)).unwrap_or(false);
            ini.values(&section, interpolate, fits)
        } else {
            ini.value(&section, &key, interpolate)
        };
        let Some(values) = values.map_err(|wrong| options.wrong(&wrong))? else {
            let help = did_you_mean(&section, ini.names()).unwrap_or_else(|| {
                let names: Vec<&str> = ini.names().collect();
                format!("there are {}", list(&names, "and"))
            });
            return Err(options.wrong(&format!("there is no section `{section}`: {help}")));
        };
        if values.is_empty() && !many {
            let default = options.given.get("default").cloned();
            found.push(default.unwrap_or_else(|| Jinja::from("")));
        }
        // What has no value is left out, unless many are looked for.
        let some = values.into_iter().filter(|value| many || value.is_some());
        found.extend(some.map(|value| value.map_or_else(|| Jinja::from(()), Jinja::from)));
    }
    Ok(found)
}

const CSV: &[&str] = &["col", "default", "delimiter", "file", "encoding", "keycol"];

/// `lookup('csvfile', 'key', file='table.csv', delimiter=',', col=1)`.
pub(super) fn csv(
    state: &State<'_, '_>,
    terms: &[Jinja],
    kwargs: &Kwargs,
) -> Result<Vec<Jinja>, Error> {
    let mut options = Options::new("csvfile", CSV, kwargs)?;
    if terms.is_empty() {
        return Err(refuse(
            "`lookup('csvfile', …)` has to be told what is looked for",
        ));
    }
    let mut found = Vec::new();
    for term in terms {
        let key = options.term(term)?;
        options.utf8()?;
        let delimiter = match options.text("delimiter", "TAB").as_str() {
            "TAB" | "\t" | "\\t" => b'\t',
            other => match other.as_bytes() {
                [one] => *one,
                _ => {
                    return Err(refuse(format!(
                        "`lookup('csvfile', …)`: a delimiter is one ASCII character, or `TAB`, not `{other}`"
                    )));
                }
            },
        };
        let (column, of_key) = (options.number("col", 1)?, options.number("keycol", 0)?);
        let text = whole(
            state,
            "csvfile",
            &options.text("file", "ansible.csv"),
            (false, false),
        )?;
        let rows = rows(text.as_str().unwrap_or_default(), delimiter)
            .map_err(|wrong| options.wrong(&wrong))?;
        match rows.iter().find(|row| row.get(of_key) == Some(&key)) {
            Some(row) => found.push(
                row.get(column)
                    .map(|cell| Jinja::from(cell.as_str()))
                    .ok_or_else(|| {
                        options.wrong(&format!(
                            "the row of `{key}` has no column {column}: it has {}, counted from 0",
                            row.len()
                        ))
                    })?,
            ),
            None => found.extend(options.given.get("default").cloned()),
        }
    }
    Ok(found)
}
