//! The first line of a template that says how it is read: `#jinja2: trim_blocks: True, lstrip_blocks: True`.

use super::{Marks, Reading};
use crate::{files::Span, template::Fault, words::did_you_mean};

const MARK: &str = "#jinja2:";

/// What a task says instead of the line.
const OF_TASKS: [(&str, &str); 2] = [
    (
        "newline_sequence",
        "say it in the task: it has this argument too",
    ),
    (
        "keep_trailing_newline",
        "a newline at the end of a template always stays",
    ),
];

/// How long the line is, with its newline; nothing if there is none.
pub(super) fn len(text: &str) -> Option<usize> {
    let rest = text.strip_prefix(MARK)?;
    Some(MARK.len() + rest.find('\n').map_or(rest.len(), |at| at + 1))
}

/// What it says, over what the task says.
pub(super) fn read(line: &str, span: Span, mut reading: Reading) -> Result<Reading, Vec<Fault>> {
    let mut at = MARK.len();
    for pair in outside_quotes(&line[MARK.len()..], ',') {
        let start = at + (pair.len() - pair.trim_start().len());
        at += pair.len() + 1;
        let wrong = |message: String, help: &str| {
            let fault = Fault::new("template_header", message).help(help);
            vec![fault.at(span, line, start.min(line.len()))]
        };
        if pair.trim().is_empty() {
            continue;
        }
        let Some((key, value)) = pair.split_once(':') else {
            return Err(wrong(
                format!("`{}` is no setting of a template", pair.trim()),
                "write `name: value`",
            ));
        };
        let (key, value) = (key.trim(), value.trim());
        if Marks::NAMES.contains(&key) {
            let mark = value
                .strip_prefix(['\'', '"'])
                .zip(value.chars().next())
                .and_then(|(mark, quote)| mark.strip_suffix(quote));
            if !mark.is_some_and(|mark| reading.marks.set(key, mark)) {
                return Err(wrong(
                    format!("`{key}` is a mark in quotes, not `{value}`"),
                    "write it as in `variable_start_string: '[['`",
                ));
            }
            continue;
        }
        let place = match key {
            "trim_blocks" => &mut reading.trim,
            "lstrip_blocks" => &mut reading.lstrip,
            _ => {
                let known = OF_TASKS.iter().find(|(name, _)| *name == key);
                let meant = || {
                    let marks = Marks::NAMES.into_iter();
                    did_you_mean(key, marks.chain(["trim_blocks", "lstrip_blocks"]))
                };
                let help = match known {
                    Some((_, help)) => (*help).to_owned(),
                    None => meant().unwrap_or_else(|| {
                        "there are `trim_blocks`, `lstrip_blocks` and the marks, as `variable_start_string`"
                            .to_owned()
                    }),
                };
                return Err(wrong(
                    format!("the first line of a template cannot say `{key}`"),
                    &help,
                ));
            }
        };
        *place = match value {
            "True" | "true" | "1" => true,
            "False" | "false" | "0" | "None" | "''" | "\"\"" => false,
            // To Python a text is true if there is something in it.
            text if text.starts_with(['\'', '"']) => true,
            _ => {
                return Err(wrong(
                    format!("`{key}` is `True` or `False`, not `{value}`"),
                    "write one of the two",
                ));
            }
        };
    }
    Ok(reading)
}

/// The parts of a text between signs that stand in no quotes.
fn outside_quotes(text: &str, sign: char) -> Vec<&str> {
    let (mut parts, mut from, mut open) = (Vec::new(), 0, None);
    for (at, c) in text.char_indices() {
        match open {
            Some(quote) if c == quote => open = None,
            Some(_) => {}
            None if matches!(c, '\'' | '"') => open = Some(c),
            None if c == sign => {
                parts.push(&text[from..at]);
                from = at + 1;
            }
            None => {}
        }
    }
    parts.push(&text[from..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Files;

    fn settings(line: &str) -> Result<(bool, bool), String> {
        let mut files = Files::new();
        let file = files.add("t.j2", line);
        let end = u32::try_from(line.len()).unwrap();
        let span = Span {
            file,
            start: 0,
            end,
        };
        read(line, span, Reading::default())
            .map(|found| (found.trim, found.lstrip))
            .map_err(|faults| {
                let found = faults[0].clone().diagnostic(&files);
                let at = files.place(found.at.unwrap());
                format!("{} {}", at.column, found.message)
            })
    }

    #[test]
    fn settings_of_the_first_line() {
        assert_eq!(len("#jinja2: a\nb"), Some(11));
        assert_eq!(len("# jinja2: a\nb"), None);
        assert_eq!(settings("#jinja2: lstrip_blocks: True\n"), Ok((true, true)));
        assert_eq!(
            settings("#jinja2:trim_blocks:False, lstrip_blocks: \"true\""),
            Ok((false, true))
        );
        assert_eq!(
            settings("#jinja2: trim_blocks: True, newline_sequence: '\\r\\n'"),
            Err("29 the first line of a template cannot say `newline_sequence`".to_owned())
        );
        assert_eq!(
            settings("#jinja2: variable_start_string: '[,[' , variable_end_string:\"]]\""),
            Ok((true, false))
        );
        assert_eq!(
            settings("#jinja2: block_end_string: )"),
            Err("10 `block_end_string` is a mark in quotes, not `)`".to_owned())
        );
        assert_eq!(
            settings("#jinja2: trim_blocks: maybe"),
            Err("10 `trim_blocks` is `True` or `False`, not `maybe`".to_owned())
        );
    }
}
