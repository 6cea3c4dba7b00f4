//! What is wrong with files: with the line shown for people, as an object for machines.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde_json::{Map, Value};

use crate::{
    diagnostic::Diagnostic,
    files::{Files, Span},
    printable,
};

/// A diagnostic as people read it.
pub fn human(diagnostic: &Diagnostic, files: &Files) -> String {
    let level = if diagnostic.is_error() {
        Level::ERROR
    } else {
        Level::WARNING
    };
    let title = level
        .primary_title(printable::line(&diagnostic.message))
        .id(diagnostic.code);
    let mut group = Group::with_title(title);
    for snippet in snippets(diagnostic, files) {
        group = group.element(snippet);
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(printable::block(help)));
    }
    format!("{}\n\n", Renderer::styled().render(&[group]))
}

/// The lines that matter, one snippet for each file.
fn snippets<'a>(
    diagnostic: &'a Diagnostic,
    files: &'a Files,
) -> Vec<Snippet<'a, annotate_snippets::Annotation<'a>>> {
    let main = diagnostic
        .at
        .iter()
        .map(|at| (*at, None, AnnotationKind::Primary));
    let also = diagnostic
        .also
        .iter()
        .map(|(at, why)| (*at, Some(why), AnnotationKind::Context));
    let mut by_file: Vec<(Span, Snippet<'_, _>)> = Vec::new();
    for (at, why, kind) in main.chain(also) {
        let text = files.text(at.file);
        let mut annotation = kind.span(shown(at, text));
        if let Some(why) = why {
            annotation = annotation.label(printable::line(why));
        }
        let there = by_file.iter_mut().find(|(span, _)| span.file == at.file);
        if let Some((_, snippet)) = there {
            *snippet = snippet.clone().annotation(annotation);
        } else {
            let name = printable::line(files.name(at.file));
            let snippet = Snippet::source(&**text).path(name).annotation(annotation);
            by_file.push((at, snippet));
        }
    }
    by_file.into_iter().map(|(_, snippet)| snippet).collect()
}

/// The part of a span that is marked: its first line.
fn shown(span: Span, text: &str) -> std::ops::Range<usize> {
    let (start, end) = (span.start as usize, span.end as usize);
    let Some(marked) = text.get(start..end) else {
        panic!("BUG: {span:?} is not a part of its file");
    };
    let line = marked.split('\n').next().unwrap_or_default();
    start..start + line.trim_end().len()
}

/// A diagnostic as machines read it.
pub fn json(diagnostic: &Diagnostic, files: &Files) -> Value {
    let mut object = Map::new();
    object.insert("code".to_owned(), diagnostic.code.into());
    let place = diagnostic.at.map(|at| files.place(at));
    let file = place.as_ref().map(|place| place.file.to_string());
    object.insert("file".to_owned(), file.into());
    object.insert(
        "line".to_owned(),
        place.as_ref().map(|place| place.line).into(),
    );
    object.insert(
        "column".to_owned(),
        place.as_ref().map(|place| place.column).into(),
    );
    object.insert("message".to_owned(), diagnostic.message.clone().into());
    object.insert("help".to_owned(), diagnostic.help.clone().into());
    Value::Object(object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_shown() {
        let mut files = Files::new();
        let text = "- hosts: web\n  tasks:\n    - flie: { path: /x }\n    - é\u{1b}[31m\n";
        let id = files.add("site.yml", text);
        let span = |needle: &str| {
            let start = u32::try_from(text.find(needle).unwrap()).unwrap();
            let end = start + u32::try_from(needle.len()).unwrap();
            Span {
                file: id,
                start,
                end,
            }
        };
        let diagnostic = Diagnostic::error("unknown_module", span("flie"), "no module `flie`")
            .also(span("é"), "and here")
            .help("did you mean `file`?");
        let shown = anstream::adapter::strip_str(&human(&diagnostic, &files)).to_string();
        let want = "\
error[unknown_module]: no module `flie`
 --> site.yml:3:7
  |
3 |     - flie: { path: /x }
  |       ^^^^
4 |     - é␛[31m
  |       - and here
  |
  = help: did you mean `file`?

";
        assert_eq!(shown, want);
        let object = json(&diagnostic, &files).to_string();
        let want = "{\"code\":\"unknown_module\",\"file\":\"site.yml\",\"line\":3,\"column\":7,\
                    \"message\":\"no module `flie`\",\"help\":\"did you mean `file`?\"}";
        assert_eq!(object, want);
    }

    #[test]
    fn an_error_without_a_place() {
        let diagnostic = Diagnostic::nowhere("no_such_file", "there is no file `x.yml`");
        let shown = anstream::adapter::strip_str(&human(&diagnostic, &Files::new())).to_string();
        assert_eq!(shown, "error[no_such_file]: there is no file `x.yml`\n\n");
    }
}
