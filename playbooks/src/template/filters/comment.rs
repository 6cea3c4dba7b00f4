//! The filter `comment`.

use minijinja::{Environment, Error, value::Kwargs};

use super::refuse;

pub(super) fn add(env: &mut Environment<'static>) {
    env.add_filter("comment", comment);
}

/// How many lines may go before or after a comment.
const MOST: usize = 10_000;

/// A comment of `#` lines, or in another style.
fn comment(text: String, style: Option<String>, kwargs: Kwargs) -> Result<String, Error> {
    let style = style.unwrap_or_else(|| "plain".to_owned());
    let (begin, line, end) = match style.as_str() {
        "plain" => ("", "# ", ""),
        "erlang" => ("", "% ", ""),
        "c" => ("", "// ", ""),
        "cblock" => ("/*", " * ", " */"),
        "xml" => ("<!--", " - ", "-->"),
        other => {
            return Err(refuse(format!(
                "`comment` knows no style `{other}`; it knows plain, erlang, c, cblock and xml"
            )));
        }
    };
    let said = |name: &str, usual: &str| {
        let said = kwargs.get::<Option<String>>(name)?;
        Ok::<_, Error>(said.unwrap_or_else(|| usual.to_owned()))
    };
    let times = |name: &str| {
        let times = kwargs.get::<Option<usize>>(name)?.unwrap_or(1);
        if times > MOST {
            return Err(refuse(format!("`comment`: `{name}` is more than {MOST}")));
        }
        Ok(times)
    };
    let newline = said("newline", "\n")?;
    let begin = said("beginning", begin)?;
    let line = said("decoration", line)?;
    let prefix = said("prefix", line.trim_end())?;
    let postfix = said("postfix", line.trim_end())?;
    let end = said("end", end)?;
    let (before, after) = (times("prefix_count")?, times("postfix_count")?);
    kwargs.assert_all_used()?;
    let mut out = String::new();
    if !begin.is_empty() {
        out.extend([begin.as_str(), &newline]);
    }
    if prefix == newline {
        out.push_str(&newline.repeat(before));
    } else if !prefix.is_empty() {
        out.push_str(&format!("{prefix}{newline}").repeat(before));
    }
    let lines = text.replace(&newline, &format!("{newline}{line}"));
    let lines = format!("{line}{lines}");
    // A line with nothing in it does not end with blanks.
    let bare = format!("{}{newline}", line.trim_end());
    out.push_str(&lines.replace(&format!("{line}{newline}"), &bare));
    out.push_str(&format!("{newline}{postfix}").repeat(after));
    if !end.is_empty() {
        out.extend([newline.as_str(), &end]);
    }
    Ok(out)
}
