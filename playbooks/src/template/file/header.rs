//! The first line of a template that says how it is read: `#jinja2: trim_blocks: True, lstrip_blocks: True`.

use super::Whitespace;
use crate::{files::Span, template::Fault, words::did_you_mean};

const MARK: &str = "#jinja2:";

/// What a task says instead of the line.
const OF_TASKS: [(&str, &str); 8] = [
    (
        "newline_sequence",
        "say it in the task: it has this argument too",
    ),
    (
        "keep_trailing_newline",
        "a newline at the end of a template always stays",
    ),
    ("variable_start_string", MARKS),
    ("variable_end_string", MARKS),
    ("block_start_string", MARKS),
    ("block_end_string", MARKS),
    ("comment_start_string", MARKS),
    ("comment_end_string", MARKS),
];

const MARKS: &str = "write the template with `{{ }}`, `{% %}` and `{# #}`, and what has such marks itself within `{% raw %}` and `{% endraw %}`";

/// How long the line is, with its newline; nothing if there is none.
pub(super) fn len(text: &str) -> Option<usize> {
    let rest = text.strip_prefix(MARK)?;
    Some(MARK.len() + rest.find('\n').map_or(rest.len(), |at| at + 1))
}

/// What it says, over what the task says.
pub(super) fn read(
    line: &str,
    span: Span,
    mut whitespace: Whitespace,
) -> Result<Whitespace, Vec<Fault>> {
    let mut at = MARK.len();
    for pair in line[MARK.len()..].split(',') {
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
        let place = match key {
            "trim_blocks" => &mut whitespace.trim,
            "lstrip_blocks" => &mut whitespace.lstrip,
            _ => {
                let known = OF_TASKS.iter().find(|(name, _)| *name == key);
                let meant = || did_you_mean(key, ["trim_blocks", "lstrip_blocks"]);
                let help = match known {
                    Some((_, help)) => (*help).to_owned(),
                    None => meant().unwrap_or_else(|| {
                        "there are `trim_blocks` and `lstrip_blocks`".to_owned()
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
    Ok(whitespace)
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
        read(line, span, Whitespace::default())
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
            settings("#jinja2: trim_blocks: maybe"),
            Err("10 `trim_blocks` is `True` or `False`, not `maybe`".to_owned())
        );
    }
}
