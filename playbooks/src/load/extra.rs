//! `--extra-vars`.

use std::{path::Path, sync::Arc};

use evenkeel_engine::{Map, Value};

use crate::{
    diagnostic::Diagnostic,
    files::{FileId, Files},
    vault::{self, Keyring},
    yaml,
};

/// All of them; later ones win.
pub(crate) fn read(given: &[String], keys: &Arc<Keyring>) -> Result<Map, String> {
    let mut vars = Map::new();
    for text in given {
        let trimmed = text.trim();
        if let Some(path) = trimmed.strip_prefix('@') {
            let mut files = Files::with_keys(Arc::clone(keys));
            let file = files
                .load(Path::new(path))
                .map_err(|error| format!("`--extra-vars @{path}`: {}", told(&error, &files)))?;
            vars.extend(map(path, &files, file)?);
        } else if trimmed.starts_with('{') {
            let mut files = Files::with_keys(Arc::clone(keys));
            let file = files.add("--extra-vars", trimmed);
            vars.extend(map("--extra-vars", &files, file)?);
        } else {
            let words = shlex::split(trimmed)
                .ok_or_else(|| format!("`--extra-vars {trimmed}`: a quote is not closed"))?;
            for word in words {
                let Some((name, value)) = word.split_once('=') else {
                    return Err(format!(
                        "`--extra-vars {word}`: expected `name=value`, a map as JSON or YAML, or `@FILE`"
                    ));
                };
                vars.insert(name.to_owned(), value.into());
            }
        }
    }
    Ok(vars)
}

fn told(error: &Diagnostic, files: &Files) -> String {
    let place = error.at.map(|at| format!("{}: ", files.place(at)));
    let help = error.help.as_ref().filter(|_| error.code == vault::CODE);
    let help = help.map(|help| format!(" ({help})"));
    let (place, help) = (place.unwrap_or_default(), help.unwrap_or_default());
    format!("{place}{}{help}", error.message)
}

fn map(name: &str, files: &Files, file: FileId) -> Result<Map, String> {
    let (documents, mut found) = yaml::read(files, file);
    let mut document = documents.into_iter().next();
    if let Some(document) = &mut document {
        document.open(&mut found);
    }
    if let Some(error) = found.first() {
        return Err(told(error, files));
    }
    match document.map(|document| document.to_value()) {
        Some(Value::Map(map)) => Ok(map),
        Some(Value::Null) | None => Ok(Map::new()),
        Some(other) => Err(format!(
            "`{name}` holds {}, not a map of variables",
            other.kind()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::{Arc, read};

    #[test]
    fn every_form() {
        let given = ["a=1 b='x y'", "{\"c\": [1], \"a\": 2}", "{d: yes}"].map(str::to_owned);
        let vars = read(&given, &Arc::default()).expect("they are fine");
        let shown = evenkeel_engine::Value::Map(vars).to_json().to_string();
        assert_eq!(shown, r#"{"a":2,"b":"x y","c":[1],"d":true}"#);
        assert!(read(&["oops".to_owned()], &Arc::default()).is_err());
        assert!(read(&["@/does/not/exist".to_owned()], &Arc::default()).is_err());
    }
}
