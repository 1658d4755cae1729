//! Mistakes as a person reads them in a terminal: the place, the line, a caret.
//!
//! Alone in knowing annotate-snippets. What comes from files is data: control
//! characters and marks that turn the writing direction are shown, not sent.

use std::borrow::Cow;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use crate::base::diagnostic::{Diagnostic, Label};
use crate::base::source::{SourceFile, Sources};
use crate::base::visible::is_hidden;

/// How much of a line is shown on each side of the place, in bytes.
const WINDOW: usize = 160;
/// How many mistakes are shown with their lines; the others get one line each.
const SNIPPETS: usize = 5_000;
/// How much of a message is shown, in characters.
const MESSAGE: usize = 400;

/// All mistakes, by file and place.
pub fn render(diagnostics: &[&Diagnostic], sources: &Sources, color: bool, width: usize) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() }.term_width(width.max(40));
    let mut ordered = diagnostics.to_vec();
    ordered.sort_by_key(|d| d.primary.as_ref().map(|l| l.span));
    let mut text = String::new();
    for (at, diagnostic) in ordered.into_iter().enumerate() {
        if at < SNIPPETS {
            text.push_str(&renderer.render(&[group(diagnostic, sources)]));
            text.push_str("\n\n");
        } else {
            text.push_str(&line(diagnostic, sources));
        }
    }
    text
}

/// A mistake on one line.
fn line(diagnostic: &Diagnostic, sources: &Sources) -> String {
    let place = diagnostic.primary.as_ref().map(|label| {
        let at = sources.location(label.span);
        let file = sources.get(label.span.file).map_or(at.file, SourceFile::here);
        format!("{}:{}:{}: ", line_of(&visible(&file)), at.line, at.column)
    });
    format!("error[{}]: {}{}\n", diagnostic.code, place.unwrap_or_default(), shortened(&diagnostic.message))
}

fn group<'a>(diagnostic: &'a Diagnostic, sources: &'a Sources) -> Group<'a> {
    let title = Level::ERROR.primary_title(shortened(&diagnostic.message)).id(diagnostic.code);
    let mut group = Group::with_title(title);
    let labels = diagnostic.primary.iter().map(|l| (AnnotationKind::Primary, l));
    let labels = labels.chain(diagnostic.secondary.iter().map(|l| (AnnotationKind::Context, l)));
    for (kind, label) in labels {
        let location = sources.location(label.span);
        let file = sources.get(label.span.file).map_or_else(|| location.file.clone(), SourceFile::here);
        let path = line_of(&visible(&file));
        let line = location.line as usize;
        group = match snippet(kind, label, sources, line) {
            Some((snippet, false)) => group.element(snippet.path(path)),
            // The line's beginning is cut off, so that its columns are not the file's.
            Some((snippet, true)) => {
                let origin = Origin::path(path).line(line).char_column(location.column as usize);
                group.element(origin).element(snippet)
            }
            None => group.element(Origin::path(path).line(line).char_column(location.column as usize)),
        };
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(shortened(help)));
    }
    group
}

/// A text on one line, without tabs.
fn line_of(text: &str) -> String {
    text.replace('\n', "\\n").replace('\t', "\\t")
}

fn shortened(message: &str) -> String {
    let message = &line_of(message);
    match message.char_indices().nth(MESSAGE) {
        Some((at, _)) => format!("{}…", visible(message.get(..at).unwrap_or_default())),
        None => visible(message).into_owned(),
    }
}

/// The line that a label begins on, cut to a window around it; whether its
/// beginning is cut off.
fn snippet<'a>(
    kind: AnnotationKind,
    label: &'a Label,
    sources: &'a Sources,
    line: usize,
) -> Option<(Snippet<'a, annotate_snippets::Annotation<'a>>, bool)> {
    let text = sources.get(label.span.file)?.text()?;
    let (start, end) = (label.span.start as usize, label.span.end as usize);
    let at = floor(text, start.min(text.len()));
    // Looked at only within the window: the line may be megabytes long.
    let window = floor(text, at.saturating_sub(WINDOW))..floor(text, at + WINDOW);
    let newline_before = text.get(window.start..at)?.rfind('\n').map(|n| window.start + n + 1);
    let newline_behind = text.get(at..window.end)?.find('\n').map(|n| at + n);
    let (from, to) = (newline_before.unwrap_or(window.start), newline_behind.unwrap_or(window.end));
    let cut_before = newline_before.is_none() && from > 0;
    let cut_behind = newline_behind.is_none() && to < text.len();
    let marked_end = floor(text, end.clamp(at, to));
    let cut = |range: std::ops::Range<usize>| {
        text.get(range).map(|t| visible(t.trim_end_matches('\r')).into_owned())
    };
    let mut shown = if cut_before { "…".to_owned() } else { String::new() };
    shown.push_str(&cut(from..at)?);
    let first = shown.len();
    shown.push_str(&cut(at..marked_end)?);
    let last = shown.len().max(first);
    shown.push_str(&cut(marked_end..to)?);
    if cut_behind {
        shown.push('…');
    }
    // A place at the end of a line still gets a caret.
    let last = if last == first { (first + 1).min(shown.len()).max(first) } else { last };
    let mut annotation = kind.span(first..floor(&shown, last));
    if !label.text.is_empty() {
        annotation = annotation.label(shortened(&label.text));
    }
    Some((Snippet::source(shown).line_start(line).annotation(annotation), cut_before))
}

/// The last character boundary at or before a byte.
fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|&i| text.is_char_boundary(i)).unwrap_or(0)
}

/// Text that cannot drive a terminal: control characters, and marks that turn or
/// hide the writing, are shown as `\u{…}`.
pub fn visible(text: &str) -> Cow<'_, str> {
    let hidden = |c: char| is_hidden(c) && c != '\n' && c != '\t';
    if !text.contains(hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if hidden(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}
