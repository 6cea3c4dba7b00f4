//! From the parser's events to trees of nodes.

use std::{collections::BTreeMap, sync::Arc};

use granit_parser::{Event, Parser, ScalarStyle, Span as ParserSpan, StructureStyle, Tag};

use super::{Kind, Node, merge::flatten, scalar, syntax};
use crate::{
    diagnostic::Diagnostic,
    files::{FileId, Files, Span, Spanned},
    vault::{self, Sealed},
};

/// Lists and maps in each other, at most.
const DEPTH: usize = 100;
/// What aliases may add to a file: nodes, and long texts by their length.
const ALIAS_BUDGET: usize = 100_000;

/// The documents of a file, and what is wrong with it. After an error of syntax there is nothing;
/// doubled keys and the like leave the rest readable.
pub fn read(files: &Files, file: FileId) -> (Vec<Node>, Vec<Diagnostic>) {
    let text = files.text(file);
    let options = granit_parser::options! {
        emit_comments: false,
        block_scalar_eof_without_line_feed: true,
    };
    let mut builder = Builder::new(files, file);
    for event in Parser::new_from_str_with_options(text, options) {
        let step = match event {
            Ok((event, span)) => builder.event(event, span),
            Err(error) => {
                let open = builder.open.iter().rev().map(|open| open.node.span);
                let bracket = |span: &Span| text[span.start as usize..].starts_with(['[', '{']);
                let open = open.into_iter().find(bracket);
                Err(Box::new(syntax::explain(files, file, &error, open)))
            }
        };
        if let Err(error) = step {
            builder.errors.push(*error);
            return (Vec::new(), builder.errors);
        }
    }
    (builder.documents, builder.errors)
}

struct Open {
    node: Node,
    anchor: usize,
    flow: bool,
    /// The key that waits for its value.
    key: Option<Node>,
    depth: usize,
}

struct Anchored {
    node: Node,
    cost: usize,
    depth: usize,
}

struct Builder<'f> {
    files: &'f Files,
    file: FileId,
    open: Vec<Open>,
    documents: Vec<Node>,
    anchors: BTreeMap<usize, Anchored>,
    budget: usize,
    errors: Vec<Diagnostic>,
    /// Where the last token ended, for values that are not there.
    last_end: u32,
}

type Step = Result<(), Box<Diagnostic>>;

impl<'f> Builder<'f> {
    fn new(files: &'f Files, file: FileId) -> Self {
        Self {
            files,
            file,
            open: Vec::new(),
            documents: Vec::new(),
            anchors: BTreeMap::new(),
            budget: ALIAS_BUDGET,
            errors: Vec::new(),
            last_end: 0,
        }
    }

    fn span(&self, span: ParserSpan) -> Span {
        let byte = |at: Option<usize>| at.and_then(|at| u32::try_from(at).ok()).unwrap_or(u32::MAX);
        let start = byte(span.start.byte_offset());
        Span {
            file: self.file,
            start,
            end: byte(span.end.byte_offset()).max(start),
        }
    }

    fn event(&mut self, event: Event<'_>, at: ParserSpan) -> Step {
        let span = self.span(at);
        let tag_span = at.tag_span().map_or(span, |tag| self.span(tag));
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let node = self.scalar(&text, style, span, tag.as_deref(), tag_span)?;
                self.last_end = self.last_end.max(node.span.end);
                self.done(node, anchor, 0)
            }
            Event::SequenceStart(style, anchor, tag) => self.start(
                Kind::Seq(Vec::new()),
                style,
                anchor,
                span,
                (tag.as_deref(), tag_span),
            ),
            Event::MappingStart(style, anchor, tag) => self.start(
                Kind::Map(Vec::new()),
                style,
                anchor,
                span,
                (tag.as_deref(), tag_span),
            ),
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            Event::Alias(anchor) => self.alias(anchor, span),
            _ => Ok(()),
        }
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        mut span: Span,
        tag: Option<&Tag>,
        tag_span: Span,
    ) -> Result<Node, Box<Diagnostic>> {
        let plain = style == ScalarStyle::Plain;
        if plain && text.is_empty() {
            // The parser puts what is not there at the next token.
            span = Span {
                start: self.last_end,
                end: self.last_end,
                ..span
            };
        }
        let core = tag.and_then(yaml_type);
        let kind = match core.as_deref() {
            None if tag.is_some_and(is_vault) => self.sealed(text, span),
            None if plain && tag.is_none_or(is_lone) => typed(text, span)?,
            Some("str") | None => Kind::Str(text.to_owned()),
            Some(wanted) => of_type(wanted, text, tag_span)?,
        };
        Ok(Node {
            kind,
            span,
            text: text.to_owned(),
            plain,
            tag: own_tag(tag, tag_span),
            secret: self.files.is_secret(self.file),
        })
    }

    /// A text that is encrypted. Whether it is whole shows without a password.
    fn sealed(&mut self, text: &str, span: Span) -> Kind {
        let keys = self.files.keys();
        match Sealed::new(text, keys) {
            Ok(sealed) => {
                keys.prepare();
                Kind::Sealed(Arc::new(sealed))
            }
            Err(damage) => {
                let message = format!("this is no encrypted text: {damage}");
                let error = Diagnostic::error(vault::CODE, span, message);
                self.errors.push(error.help(damage.help()));
                Kind::Null
            }
        }
    }

    fn start(
        &mut self,
        kind: Kind,
        style: StructureStyle,
        anchor: usize,
        span: Span,
        (tag, tag_span): (Option<&Tag>, Span),
    ) -> Step {
        if self.open.len() >= DEPTH {
            return Err(Box::new(too_deep(span)));
        }
        let fits = match tag.and_then(yaml_type).as_deref() {
            None => true,
            Some("seq") => matches!(kind, Kind::Seq(_)),
            Some("map") => matches!(kind, Kind::Map(_)),
            Some(_) => false,
        };
        if !fits {
            return Err(Box::new(
                Diagnostic::error("yaml_tag", tag_span, "this tag does not fit here")
                    .help("leave the tag away"),
            ));
        }
        self.last_end = self.last_end.max(span.end);
        self.open.push(Open {
            node: Node {
                kind,
                span,
                text: String::new(),
                plain: false,
                tag: own_tag(tag, tag_span),
                secret: false,
            },
            anchor,
            flow: style == StructureStyle::Flow,
            key: None,
            depth: 1,
        });
        Ok(())
    }

    fn close(&mut self, at: Span) -> Step {
        let Some(mut open) = self.open.pop() else {
            return Ok(());
        };
        if open.flow {
            open.node.span.end = at.end;
            self.last_end = self.last_end.max(at.end);
        } else {
            let last = match &open.node.kind {
                Kind::Seq(items) => items.last(),
                Kind::Map(entries) => entries.last().map(|(_, value)| value),
                _ => None,
            };
            open.node.span.end = last
                .map_or(self.last_end, |_| self.last_end)
                .max(open.node.span.start);
        }
        if let Kind::Map(entries) = open.node.kind {
            open.node.kind = Kind::Map(flatten(entries, &mut self.errors));
        }
        self.done(open.node, open.anchor, open.depth)
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Step {
        self.last_end = self.last_end.max(span.end);
        let Some(found) = self.anchors.get(&anchor) else {
            return Err(Box::new(
                Diagnostic::error("yaml_alias", span, "this alias stands within what it names")
                    .help("a value cannot contain itself: write it out"),
            ));
        };
        let Some(left) = self.budget.checked_sub(found.cost) else {
            return Err(Box::new(
                Diagnostic::error(
                    "yaml_alias",
                    span,
                    "the aliases of this file multiply to more than we are willing to hold",
                )
                .help("aliases of aliases grow fast: write the values out, or use variables"),
            ));
        };
        if self.open.len() + found.depth > DEPTH {
            return Err(Box::new(too_deep(span)));
        }
        self.budget = left;
        let (node, depth) = (found.node.clone(), found.depth);
        self.done(node, 0, depth)
    }

    /// A node is complete: it goes into what is open.
    fn done(&mut self, node: Node, anchor: usize, depth: usize) -> Step {
        if anchor != 0 {
            let cost = cost(&node);
            let node = node.clone();
            self.anchors.insert(anchor, Anchored { node, cost, depth });
        }
        let Some(open) = self.open.last_mut() else {
            self.documents.push(node);
            return Ok(());
        };
        open.depth = open.depth.max(depth + 1);
        match &mut open.node.kind {
            Kind::Seq(items) => items.push(node),
            Kind::Map(entries) => {
                if let Some(key) = open.key.take() {
                    entries.push((key, node));
                } else {
                    check_key(&node)?;
                    open.key = Some(node);
                }
            }
            _ => {}
        }
        Ok(())
    }
}

fn check_key(node: &Node) -> Step {
    match &node.kind {
        Kind::Map(entries) => {
            // `{{ x }}` without quotes is a map whose key is a map.
            let template = entries.len() <= 1;
            Err(Box::new(if template {
                syntax::unquoted_template(node.span)
            } else {
                Diagnostic::error("yaml_key", node.span, "a map cannot be a key")
            }))
        }
        Kind::Seq(_) => Err(Box::new(
            Diagnostic::error("yaml_key", node.span, "a list cannot be a key")
                .help("put quotes around it if it is meant as a text"),
        )),
        _ => Ok(()),
    }
}

fn too_deep(span: Span) -> Diagnostic {
    let message = format!("lists and maps stand in each other more than {DEPTH} deep");
    Diagnostic::error("yaml_depth", span, message)
        .help("this looks like an accident: check the brackets")
}

fn cost(node: &Node) -> usize {
    let inner: usize = match &node.kind {
        Kind::Seq(items) => items.iter().map(cost).sum(),
        Kind::Map(entries) => entries.iter().map(|(k, v)| cost(k) + cost(v)).sum(),
        _ => node.text.len() / 64,
    };
    inner + 1
}

fn typed(text: &str, span: Span) -> Result<Kind, Box<Diagnostic>> {
    scalar::resolve(text).map_err(|_| {
        Box::new(
            Diagnostic::error(
                "yaml_number",
                span,
                format!("`{text}` is too large a number"),
            )
            .help("put it in quotes if it is meant as a text"),
        )
    })
}

/// The name of one of YAML's own types (`!!int`).
fn yaml_type(tag: &Tag) -> Option<std::borrow::Cow<'_, str>> {
    tag.suffix_in_namespace("tag:yaml.org,2002:")
}

fn own_tag(tag: Option<&Tag>, span: Span) -> Option<Spanned<String>> {
    let tag = tag.filter(|tag| yaml_type(tag).is_none())?;
    (!is_lone(tag)).then(|| Spanned::new(tag.original(), span))
}

fn is_vault(tag: &Tag) -> bool {
    matches!(tag.original().as_str(), "!vault" | "!vault-encrypted")
}

/// A `!` alone means nothing to `PyYAML`.
fn is_lone(tag: &Tag) -> bool {
    tag.original() == "!"
}

fn of_type(wanted: &str, text: &str, span: Span) -> Result<Kind, Box<Diagnostic>> {
    let kind = match wanted {
        "null" => scalar::null(text),
        "bool" => scalar::boolean(text),
        "int" => scalar::int(text).and_then(Result::ok),
        "float" => match typed(text, span)? {
            #[expect(clippy::cast_precision_loss, reason = "what the tag asks for")]
            Kind::Int(number) => Some(Kind::Float(number as f64)),
            Kind::Float(number) => Some(Kind::Float(number)),
            _ => None,
        },
        "timestamp" => Some(Kind::Str(text.to_owned())),
        _ => None,
    };
    kind.ok_or_else(|| {
        Box::new(
            Diagnostic::error("yaml_tag", span, format!("`!!{wanted}` does not fit here"))
                .help("leave the tag away"),
        )
    })
}
