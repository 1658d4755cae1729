//! The taxonomies: built in, and what an inventory adds.

use crate::base::diagnostic::Diagnostic;
use crate::base::limits::Limits;
use crate::base::source::Sources;
use crate::base::taxonomy::{Declared, Equivalent, Match, Tree};
use crate::read::decode::{Decoder, Fields, Spanned};
use crate::read::yaml::{self, Node, Value};

/// The keys that documents declare, for both trees.
#[derive(Debug, Clone, Default)]
pub struct TaxonomyDeclared {
    /// Data categories.
    pub data: Vec<Declared>,
    /// Purposes.
    pub purposes: Vec<Declared>,
}

/// The built-in keys, from the files in `taxonomy/`.
///
/// # Errors
/// The mistakes in those files, with their texts (a test sees that there are none).
pub fn builtin() -> Result<TaxonomyDeclared, (Sources, Vec<Diagnostic>)> {
    let mut sources = Sources::new();
    let mut diagnostics = Vec::new();
    let mut all = TaxonomyDeclared::default();
    for (name, text, into) in [
        ("taxonomy/data.yaml", include_str!("../../../taxonomy/data.yaml"), &mut all.data),
        ("taxonomy/purposes.yaml", include_str!("../../../taxonomy/purposes.yaml"), &mut all.purposes),
    ] {
        let file = sources.add(name, text.to_owned());
        for document in yaml::parse(file, text, &yaml::Limits::default(), &mut diagnostics) {
            let tree = Tree::default();
            let mut d = Decoder::new(&mut diagnostics, &tree, &tree);
            into.extend(keys(&mut d, &document));
        }
        into.iter_mut().for_each(|key| key.span = None);
    }
    if diagnostics.is_empty() { Ok(all) } else { Err((sources, diagnostics)) }
}

/// Reads the `taxonomy` of each document; a key declared twice is an error that
/// shows both places.
pub fn declared(documents: &[Node], limits: &Limits, diagnostics: &mut Vec<Diagnostic>) -> TaxonomyDeclared {
    let tree = Tree::default();
    let mut d = Decoder::new(diagnostics, &tree, &tree).within(limits);
    let mut all = TaxonomyDeclared::default();
    for document in documents {
        let Value::Map(entries) = &document.value else {
            continue;
        };
        let Some(node) = entries.iter().find(|e| e.key == "taxonomy" && e.value.value != Value::Null) else {
            continue;
        };
        let Some(mut f) = Fields::new(&mut d, &node.value, "a taxonomy") else {
            continue;
        };
        for (key, into) in [("data", &mut all.data), ("purposes", &mut all.purposes)] {
            let new = f.with(&mut d, key, |d, n| Some(keys(d, n))).unwrap_or_default();
            into.extend(new);
        }
        f.finish(&mut d);
    }
    for keys in [&mut all.data, &mut all.purposes] {
        keys.sort_by(|a, b| (&a.key, a.span).cmp(&(&b.key, b.span)));
        for (first, second) in keys.iter().zip(keys.iter().skip(1)) {
            if first.key == second.key
                && let (Some(one), Some(two)) = (first.span, second.span)
            {
                d.report(
                    Diagnostic::new(
                        "duplicate-id",
                        format!("the key `{}` is declared twice", first.key),
                        two,
                    )
                    .label("declared again")
                    .also(one, "first declared here"),
                );
            }
        }
    }
    all
}

fn keys(d: &mut Decoder, node: &Node) -> Vec<Declared> {
    d.map(node, "a map from dotted key to title and aka", |d, key, value| {
        let good = key.value.split('.').all(|segment| {
            !segment.is_empty()
                && segment.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
        });
        if !good {
            d.report(
                Diagnostic::new("bad-id", format!("`{}` is not a key of a taxonomy", key.value), key.span)
                    .label("expected words of letters, digits, `_` and `-`, with dots between"),
            );
            return None;
        }
        let (levels, most) = (key.value.split('.').count(), d.limits.depth);
        if levels > most {
            d.report(
                Diagnostic::new(
                    "too-deep",
                    format!("a key of {levels} levels, more than the limit of {most}"),
                    key.span,
                )
                .label("expected fewer dots")
                .help("name what it is of in fewer words; `--max-depth N` raises the limit"),
            );
            return None;
        }
        Some(declared_key(d, key, value))
    })
}

fn declared_key(d: &mut Decoder, key: Spanned<String>, node: &Node) -> Declared {
    let mut declared = Declared { key: key.value, span: Some(key.span), ..Declared::default() };
    if node.value == Value::Null {
        return declared;
    }
    let Some(mut f) = Fields::new(d, node, "a key of a taxonomy") else {
        return declared;
    };
    declared.title = super::meta::text(d, &mut f, "title");
    declared.aka = f
        .with(d, "aka", |d, n| {
            Some(d.map(n, "a map from vocabulary to its terms", |d, name, terms| {
                Some((name.value, equivalents(d, terms)))
            }))
        })
        .unwrap_or_default();
    declared.identifying = f.with(d, "identifying", |d, n| d.flag(n)).is_some_and(|flag| flag.value);
    f.finish(d);
    declared
}

/// The terms of one vocabulary: a list, or `exact` and `broad` ones apart.
fn equivalents(d: &mut Decoder, node: &Node) -> Vec<Equivalent> {
    let of = |nearness: Match| move |text: Spanned<String>| Equivalent { term: text.value, nearness };
    if !matches!(node.value, Value::Map(_)) {
        return d.list(node, |d, n| d.text(n).map(of(Match::Broad)));
    }
    let Some(mut f) = Fields::new(d, node, "terms of a vocabulary") else { return Vec::new() };
    let mut all = f.list(d, "exact", |d, n| d.text(n).map(of(Match::Exact)));
    all.extend(f.list(d, "broad", |d, n| d.text(n).map(of(Match::Broad))));
    f.finish(d);
    all
}
