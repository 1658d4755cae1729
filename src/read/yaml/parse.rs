//! From a text to trees, by the events of granit-parser.

use std::borrow::Cow;

use granit_parser::{Event, Options, Parser, ScalarStyle, Span as EventSpan, Tag};
use rustc_hash::{FxHashMap, FxHashSet};

use super::explain::{CLOSE, explain};
use super::{Entry, Node, Scalar, Value, is_null};
use crate::base::diagnostic::{Diagnostic, note};
use crate::base::limits::{Allowance, Limits, Taken};
use crate::base::source::{FileId, Span};

/// As [`super::parse()`], by the general parser alone.
pub fn parse<'t>(
    file: FileId,
    text: &'t str,
    limits: &Limits,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Node<'t>> {
    read(file, text, &mut Allowance::new(*limits), diagnostics)
}

/// As [`super::read()`], by the general parser alone.
pub(super) fn read<'t>(
    file: FileId,
    text: &'t str,
    allowance: &mut Allowance,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Node<'t>> {
    let limits = allowance.limits;
    // So much a text may repeat for nothing.
    let free = text.len() / 8;
    let mut options = Options::default();
    options.set_emit_comments(false);
    options.emit_unresolved_aliases = true;
    options.flow_nesting_limit = limits.depth;
    options.block_nesting_limit = limits.depth;
    let mut builder = Builder {
        file,
        text,
        limits,
        free,
        allowance,
        repeated: 0,
        depth: 0,
        anchors: FxHashMap::default(),
        stack: Vec::new(),
        documents: Vec::new(),
        diagnostics,
    };
    for event in Parser::new_from_str_with_options(text, options) {
        match event {
            Ok((event, span)) => {
                if builder.event(event, span).is_none() {
                    break;
                }
            }
            Err(error) => {
                let at = error.marker().byte_offset().unwrap_or(0).min(text.len());
                // The parser looks ahead.
                let said = explain(&error.info(), text, at);
                if said.too_deep {
                    builder.too_deep(said.at, limits.depth + 1);
                    break;
                }
                let mut help = said.help;
                let mut diagnostic =
                    Diagnostic::new("yaml-syntax", said.message, builder.point(said.at)).label(said.label);
                // What is missing is often the end of what was opened before.
                if let Some(open) = builder.stack.last().filter(|f| f.flow && f.start != said.at) {
                    let bracket = builder.point(open.start);
                    diagnostic = diagnostic.also(bracket, "opened here, and not closed yet");
                    help = Some(CLOSE);
                }
                diagnostic.help = help.map(str::to_owned);
                builder.note(diagnostic);
                break;
            }
        }
    }
    let Builder { documents, depth, repeated, .. } = builder;
    let aliases = repeated.saturating_sub(free);
    allowance.take(Taken { depth, aliases, documents: documents.len() });
    documents
}

/// A list or map that is being read.
struct Frame<'t> {
    start: usize,
    anchor: usize,
    flow: bool,
    /// Where its last child ends.
    end: usize,
    /// How deep its deepest child nests.
    depth: usize,
    size: usize,
    kind: Kind<'t>,
}

enum Kind<'t> {
    Seq(Vec<Node<'t>>),
    Map {
        entries: Vec<Entry<'t>>,
        names: FxHashMap<Cow<'t, str>, Span>,
        merged: Option<(Span, Node<'t>)>,
        key: Key<'t>,
    },
}

enum Key<'t> {
    None,
    Is(Cow<'t, str>, Span, bool),
    /// No scalar: reported, its value is dropped.
    Bad,
}

/// A node with what it counts towards the limits.
#[derive(Clone)]
struct Sized<'t> {
    node: Node<'t>,
    size: usize,
    depth: usize,
    /// Where it ends in the text; of an alias the alias, not what it stands for.
    end: usize,
}

struct Builder<'t, 'd> {
    file: FileId,
    text: &'t str,
    limits: Limits,
    allowance: &'d mut Allowance,
    /// How many values it may repeat for nothing.
    free: usize,
    /// How many it repeats so far.
    repeated: usize,
    /// How deep its documents nest.
    depth: usize,
    anchors: FxHashMap<usize, Sized<'t>>,
    stack: Vec<Frame<'t>>,
    documents: Vec<Node<'t>>,
    diagnostics: &'d mut Vec<Diagnostic>,
}

/// How much text weighs as much as a node.
const TEXT_PER_NODE: usize = 64;

impl<'t> Builder<'t, '_> {
    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.file, start as u32, end.max(start) as u32)
    }

    /// The character at a byte.
    fn point(&self, at: usize) -> Span {
        let width = self.text.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        self.span(at, at + width)
    }

    fn note(&mut self, mistake: Diagnostic) {
        note(self.diagnostics, mistake);
    }

    fn bytes(span: &EventSpan) -> (usize, usize) {
        span.byte_range().map_or((0, 0), |range| (range.start, range.end))
    }

    /// `None`: a limit was passed, the rest is not read.
    fn event(&mut self, event: Event<'t>, span: EventSpan) -> Option<()> {
        let (start, end) = Self::bytes(&span);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain && !self.is_text(tag.as_deref(), start, end);
                let size = 1 + text.len() / TEXT_PER_NODE;
                let value =
                    if plain && is_null(&text) { Value::Null } else { Value::Scalar(Scalar { text, plain }) };
                let end = self.trimmed(start, end, style);
                let node = Node { span: self.span(start, end), value };
                self.complete(Sized { node, size, depth: 0, end }, anchor)
            }
            Event::SequenceStart(style, anchor, tag) => {
                self.is_text(tag.as_deref(), start, end);
                self.open(start, anchor, style, Kind::Seq(Vec::new()))
            }
            Event::MappingStart(style, anchor, tag) => {
                self.is_text(tag.as_deref(), start, end);
                self.open(
                    start,
                    anchor,
                    style,
                    Kind::Map {
                        entries: Vec::new(),
                        names: FxHashMap::default(),
                        merged: None,
                        key: Key::None,
                    },
                )
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(end),
            Event::Alias(id) => match self.anchors.get(&id).map(|anchored| anchored.size) {
                Some(size) => {
                    self.spend(size, start, end)?;
                    let anchored = self.anchors.get(&id).cloned()?;
                    self.complete(Sized { end, ..anchored }, 0)
                }
                None => self.bad_alias(start, end, "an alias of the value that it stands in"),
            },
            Event::UnresolvedAlias(name) => {
                let message = format!("there is no anchor `&{name}` before this alias");
                self.bad_alias(start, end, &message)
            }
            _ => Some(()),
        }
    }

    /// Takes a copy of so many nodes from what aliases may add.
    fn spend(&mut self, size: usize, start: usize, end: usize) -> Option<()> {
        self.repeated = self.repeated.saturating_add(size);
        let counted = self.repeated.saturating_sub(self.free);
        if counted <= self.allowance.aliases() {
            return Some(());
        }
        self.allowance.spent = true;
        let most = self.limits.aliases;
        let message = format!(
            "aliases repeat {} values, more than the limit of {most}",
            self.allowance.taken.aliases.saturating_add(counted)
        );
        let span = self.span(start, end);
        self.note(Diagnostic::new("too-many-aliases", message, span).label("the rest is not read").help(
            "write the values out, or use fewer aliases of aliases; `--max-aliases N` raises the limit",
        ));
        None
    }

    fn bad_alias(&mut self, start: usize, end: usize, message: &str) -> Option<()> {
        let span = self.span(start, end);
        self.note(
            Diagnostic::new("unknown-alias", message, span)
                .label("expected the name of an anchor that comes before")
                .help("an anchor is set with `&name` and holds within its document"),
        );
        self.complete(Sized { node: Node { span, value: Value::Null }, size: 1, depth: 0, end }, 0)
    }

    /// A block scalar ends with its last text, not with the white space behind.
    fn trimmed(&self, start: usize, end: usize, style: ScalarStyle) -> usize {
        match style {
            ScalarStyle::Literal | ScalarStyle::Folded => {
                let text = self.text.get(start..end).unwrap_or_default();
                start + text.trim_end().len()
            }
            _ => end,
        }
    }

    /// Whether a tag makes a scalar a text; unknown tags are reported.
    fn is_text(&mut self, tag: Option<&Tag>, start: usize, end: usize) -> bool {
        let Some(tag) = tag else {
            return false;
        };
        match tag.core_suffix() {
            Some("str") => true,
            Some(_) => false,
            None if tag.handle().is_empty() && tag.suffix() == "!" => true,
            None => {
                let name = tag.original();
                // The parser tells where the value is; the tag stands a little before.
                let near = start.saturating_sub(name.len() + 64);
                let tag_at = self.text.get(near..start).and_then(|t| t.rfind(&name)).map(|n| near + n);
                let span = tag_at.map_or(self.span(start, end), |at| self.span(at, at + name.len()));
                self.note(
                    Diagnostic::new("unknown-tag", format!("unknown tag `{name}`"), span)
                        .label("not known here")
                        .help("leave it out; a text that begins with `!` stands in quotes"),
                );
                false
            }
        }
    }

    fn open(
        &mut self,
        start: usize,
        anchor: usize,
        style: granit_parser::StructureStyle,
        kind: Kind<'t>,
    ) -> Option<()> {
        if self.stack.len() >= self.limits.depth {
            return self.too_deep(start, self.stack.len() + 1);
        }
        let flow = style == granit_parser::StructureStyle::Flow;
        self.stack.push(Frame { start, end: start, anchor, flow, depth: 0, size: 1, kind });
        Some(())
    }

    fn too_deep(&mut self, at: usize, met: usize) -> Option<()> {
        let message = format!("values nest {met} levels deep, more than the limit of {}", self.limits.depth);
        let point = self.point(at);
        self.note(
            Diagnostic::new("too-deep", message, point)
                .label("the rest is not read")
                .help("declarations never nest that deep; `--max-depth N` raises the limit"),
        );
        None
    }

    /// A document is whole, unless there are too many.
    fn document(&mut self, sized: Sized<'t>) -> Option<()> {
        if sized.node.value == Value::Null {
            return Some(());
        }
        let met = self.documents.len() + 1;
        if met > self.allowance.documents() {
            self.allowance.spent = true;
            let most = self.limits.documents;
            let met = self.allowance.taken.documents.saturating_add(met);
            let point = self.point(sized.node.span.start as usize);
            let message = format!("here begins document {met}, more than the limit of {most}");
            self.note(
                Diagnostic::new("too-many-documents", message, point).label("the rest is not read").help(
                    "put what belongs together into one document; `--max-documents N` raises the limit",
                ),
            );
            return None;
        }
        self.depth = self.depth.max(sized.depth);
        self.documents.push(sized.node);
        Some(())
    }

    fn close(&mut self, end: usize) -> Option<()> {
        let frame = self.stack.pop()?;
        let value = match frame.kind {
            Kind::Seq(items) => Value::Seq(items),
            Kind::Map { entries, merged, .. } => Value::Map(self.merge(entries, merged)),
        };
        // A block has no end of its own: it ends with its last value.
        let end = if frame.flow { end } else { frame.end };
        let span = self.span(frame.start, end);
        let sized = Sized { node: Node { span, value }, size: frame.size, depth: frame.depth + 1, end };
        self.complete(sized, frame.anchor)
    }

    /// Adds what `<<` brings in: keys of the map itself, then of earlier maps, win.
    fn merge(&mut self, mut entries: Vec<Entry<'t>>, merged: Option<(Span, Node<'t>)>) -> Vec<Entry<'t>> {
        let Some((span, node)) = merged else {
            return entries;
        };
        let sources = match node.value {
            Value::Seq(items) => items,
            _ => vec![node],
        };
        let mut known: FxHashSet<Cow<str>> = entries.iter().map(|e| e.key.clone()).collect();
        for source in sources {
            let Value::Map(more) = source.value else {
                if source.value == Value::Null {
                    // An alias of nothing, which has been said.
                    continue;
                }
                self.note(
                    Diagnostic::new("bad-merge", "`<<` merges maps, and this is none", span)
                        .label("expected an alias of a map, or a list of them"),
                );
                continue;
            };
            entries.extend(more.into_iter().filter(|e| known.insert(e.key.clone())));
        }
        entries
    }

    /// A node is whole: it goes where it belongs.
    fn complete(&mut self, sized: Sized<'t>, anchor: usize) -> Option<()> {
        if self.stack.len() + sized.depth > self.limits.depth {
            return self.too_deep(sized.node.span.start as usize, self.stack.len() + sized.depth);
        }
        if anchor != 0 {
            let at = sized.node.span.start as usize;
            self.spend(sized.size, at, at + 1)?;
            self.anchors.insert(anchor, sized.clone());
        }
        let Some(frame) = self.stack.last_mut() else {
            return self.document(sized);
        };
        frame.size = frame.size.saturating_add(sized.size);
        frame.depth = frame.depth.max(sized.depth);
        frame.end = frame.end.max(sized.end);
        let node = sized.node;
        match &mut frame.kind {
            Kind::Seq(items) => items.push(node),
            Kind::Map { entries, names, merged, key } => match std::mem::replace(key, Key::None) {
                Key::None => {
                    *key = match node.value {
                        Value::Scalar(scalar) => Key::Is(scalar.text, node.span, scalar.plain),
                        _ => {
                            note(
                                self.diagnostics,
                                Diagnostic::new("bad-key", "a key is a single word or text", node.span)
                                    .label("expected a text")
                                    .help("a text that begins with `{` or `[` stands in quotes"),
                            );
                            Key::Bad
                        }
                    };
                }
                Key::Is(name, key_span, plain) => {
                    if let Some(&first) = names.get(&name) {
                        note(
                            self.diagnostics,
                            Diagnostic::new(
                                "duplicate-key",
                                format!("the key `{name}` stands twice in one map"),
                                key_span,
                            )
                            .label("written again")
                            .also(first, "first written here")
                            .help("keep one of them"),
                        );
                        return Some(());
                    }
                    names.insert(name.clone(), key_span);
                    if plain && name == "<<" {
                        *merged = Some((key_span, node));
                    } else {
                        entries.push(Entry { key: name, key_span, value: node });
                    }
                }
                Key::Bad => {}
            },
        }
        Some(())
    }
}
