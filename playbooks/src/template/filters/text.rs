//! Filters of texts.

use minijinja::{
    Environment, Error,
    value::{Kwargs, Rest, Value as Jinja},
};

use super::{defined, given, refuse};

pub(super) fn add(env: &mut Environment<'static>) {
    env.add_filter("quote", quote);
    env.add_filter("join", join);
    env.add_filter("wordcount", |text: String| {
        text.split(|c: char| !c.is_alphanumeric() && c != '_')
            .filter(|word| !word.is_empty())
            .count()
    });
    env.add_filter("truncate", truncate);
}

/// For a shell.
fn quote(value: &Jinja) -> Result<String, Error> {
    let value = defined(value)?;
    let text = if value.is_none() {
        String::new()
    } else {
        value.to_string()
    };
    if text.is_empty() {
        return Ok("''".to_owned());
    }
    let safe = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    Ok(if text.chars().all(safe) {
        text
    } else {
        format!("'{}'", text.replace('\'', "'\"'\"'"))
    })
}

/// Shortens a text that is more than `leeway` too long, at a blank unless words may be cut.
fn truncate(text: String, args: Rest<Jinja>, kwargs: Kwargs) -> Result<String, Error> {
    let names = ["length", "killwords", "end", "leeway"];
    let [length, killwords, end, leeway] = given("truncate", &args, &kwargs, names)?;
    let length = length.map_or(Ok(255), usize::try_from)?;
    let leeway = leeway.map_or(Ok(5), usize::try_from)?;
    let killwords = killwords.is_some_and(|it| it.is_true());
    let end = end.map_or_else(|| "...".to_owned(), |end| end.to_string());
    let Some(kept) = length.checked_sub(end.chars().count()) else {
        return Err(refuse(format!(
            "`truncate`: `{end}` alone is longer than {length}"
        )));
    };
    if text.chars().count() <= length.saturating_add(leeway) {
        return Ok(text);
    }
    let mut out: String = text.chars().take(kept).collect();
    if !killwords && let Some(blank) = out.rfind(' ') {
        out.truncate(blank);
    }
    Ok(out + &end)
}

/// As Python's: every item is a text as `string` makes it.
fn join(
    items: &Jinja,
    between: Option<String>,
    attribute: Option<Kwargs>,
) -> Result<String, Error> {
    let name = match &attribute {
        Some(kwargs) => kwargs.get::<Option<String>>("attribute")?,
        None => None,
    };
    let mut texts = Vec::new();
    for item in defined(items)?.try_iter()? {
        let item = match &name {
            Some(name) => item.get_attr(name)?,
            None => item,
        };
        if item.is_undefined() {
            return Err(Error::from(minijinja::ErrorKind::UndefinedError));
        }
        texts.push(item.to_string());
    }
    Ok(texts.join(&between.unwrap_or_default()))
}
