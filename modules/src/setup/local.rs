//! Local facts: `*.fact` files and programs of the host's owner.

use evenkeel_engine::{Map, Value};

use super::section::{Raw, Section, map};

pub(super) fn read(raw: &Raw) -> Map {
    let mut found = Map::new();
    for (key, text) in raw.of(Section::Local) {
        let (name, value) = match key.split_once('/') {
            Some(("run", name)) => match text.rsplit_once('|') {
                Some((out, "0")) => (name, parse(out)),
                Some((_, status)) => {
                    let message = format!("the program ended with status {status}");
                    (name, Value::from(message))
                }
                None => (name, "the program printed too much".into()),
            },
            Some(("file", name)) => (name, parse(text)),
            _ => continue,
        };
        found.insert(name.to_owned(), value);
    }
    map([("local", Value::Map(found))])
}

/// JSON, else sections of names and values.
fn parse(text: &str) -> Value {
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(json) => Value::from(json),
        Err(_) => ini(text).map_or_else(
            || "error loading facts as JSON or ini - please check content".into(),
            Value::Map,
        ),
    }
}

fn ini(text: &str) -> Option<Map> {
    let mut sections: Vec<(String, Map)> = Vec::new();
    let mut last: Option<String> = None;
    for line in text.lines() {
        let bare = line.trim();
        if bare.is_empty() || bare.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = bare.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            sections.push((name.0.to_owned(), Map::new()));
            last = None;
            continue;
        }
        let (_, options) = sections.last_mut()?;
        if let (true, Some(name)) = (line.starts_with([' ', '\t']), &last) {
            // A value goes on.
            if let Some(Value::Str(value)) = options.get_mut(name) {
                value.push('\n');
                value.push_str(bare);
            }
            continue;
        }
        let (name, value) = bare.split_once(['=', ':'])?;
        let name = name.trim().to_lowercase();
        options.insert(name.clone(), value.trim().into());
        last = Some(name);
    }
    if sections.is_empty() && !text.trim().is_empty() {
        return None;
    }
    let sections = sections.into_iter();
    Some(
        sections
            .map(|(name, map)| (name, Value::Map(map)))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn json_and_ini() {
        assert_eq!(parse("{\"a\": [1]}").to_json().to_string(), "{\"a\":[1]}");
        let ini = "# c\n[general]\nPort = 80\nname: x\n  y\n[empty]\n";
        assert_eq!(
            parse(ini).to_json().to_string(),
            r#"{"general":{"port":"80","name":"x\ny"},"empty":{}}"#
        );
        assert!(parse("no sense").as_str().is_some());
    }
}
