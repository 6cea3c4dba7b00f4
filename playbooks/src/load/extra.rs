//! `--extra-vars`.

use evenkeel_engine::{Map, Value};

use crate::{files::Files, vars::plain, yaml};

/// All of them; later ones win.
pub(crate) fn read(given: &[String]) -> Result<Map, String> {
    let mut vars = Map::new();
    for text in given {
        let trimmed = text.trim();
        if let Some(path) = trimmed.strip_prefix('@') {
            let content = std::fs::read_to_string(path)
                .map_err(|error| format!("`--extra-vars @{path}`: {error}"))?;
            vars.extend(map(path, &content)?);
        } else if trimmed.starts_with('{') {
            vars.extend(map("--extra-vars", trimmed)?);
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

fn map(name: &str, text: &str) -> Result<Map, String> {
    let mut files = Files::new();
    let file = files.add(name, text);
    let (documents, found) = yaml::read(&files, file);
    if let Some(error) = found.first() {
        let place = error
            .at
            .map(|at| format!("{}: ", files.place(at)))
            .unwrap_or_default();
        return Err(format!("{place}{}", error.message));
    }
    match documents.first().map(plain) {
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
    use super::read;

    #[test]
    fn every_form() {
        let given = ["a=1 b='x y'", "{\"c\": [1], \"a\": 2}", "{d: yes}"].map(str::to_owned);
        let vars = read(&given).expect("they are fine");
        let shown = evenkeel_engine::Value::Map(vars).to_json().to_string();
        assert_eq!(shown, r#"{"a":2,"b":"x y","c":[1],"d":true}"#);
        assert!(read(&["oops".to_owned()]).is_err());
        assert!(read(&["@/does/not/exist".to_owned()]).is_err());
    }
}
