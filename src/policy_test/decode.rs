//! Files of tests, as written.

use jiff::civil::Date;
use rustc_hash::FxHashMap;

use crate::base::diagnostic::Diagnostic;
use crate::base::source::Span;
use crate::base::vocabulary::Status;
use crate::read::decode::{Decoder, Fields, Spanned};
use crate::read::yaml::{Node, Value};

/// A file of tests.
#[derive(Debug, Clone)]
pub struct File {
    /// The policies tested, if it says which.
    pub policies: Vec<Spanned<String>>,
    /// The tests.
    pub tests: Vec<Test>,
}

/// A test.
#[derive(Debug, Clone)]
pub struct Test {
    /// Its name.
    pub name: Spanned<String>,
    /// The rule that it is about.
    pub rule: Option<Spanned<String>>,
    /// What is judged.
    pub inventory: Option<Inventory>,
    /// What is set in it.
    pub changes: Vec<(Spanned<String>, Node<'static>)>,
    /// The day judged.
    pub day: Option<Date>,
    /// The day whose flows count.
    pub as_of: Option<Date>,
    /// The agreements that count.
    pub status: Vec<Status>,
    /// What must arise.
    pub finds: Option<Vec<Finding>>,
    /// What must not.
    pub not: Vec<Finding>,
}

/// What a test judges.
#[derive(Debug, Clone)]
pub enum Inventory {
    /// It stands in the test.
    Inline(Node<'static>),
    /// Files and folders.
    Paths(Vec<Spanned<String>>),
    /// Another test's.
    BasedOn(Spanned<String>),
}

/// A finding as a test describes it. Its data is read when the categories are known.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The rule.
    pub rule: Option<Spanned<String>>,
    /// Where the data comes from.
    pub source: Option<Spanned<String>>,
    /// Where it ends up.
    pub sink: Option<Spanned<String>>,
    /// The flow.
    pub flow: Option<Spanned<String>>,
    /// What it is about.
    pub subject: Option<Spanned<String>>,
    /// The data.
    pub data: Option<Node<'static>>,
    /// Where it stands.
    pub span: Span,
}

/// Whether a document is a file of tests, right or wrong.
pub fn is_file(document: &Node) -> bool {
    matches!(&document.value, Value::Map(entries) if entries.iter().any(|e| e.key == "tests"))
}

/// Reads a file of tests.
pub fn file(d: &mut Decoder, node: &Node) -> Option<File> {
    let mut f = Fields::new(d, node, "a file of tests")?;
    let policies = f.list(d, "policies", |d, n| d.text(n));
    if f.get("tests").is_none() {
        f.missing(d, "tests");
    }
    let tests = f.list(d, "tests", test);
    f.finish(d);
    let mut named: FxHashMap<&str, Span> = FxHashMap::default();
    for test in &tests {
        let first = *named.entry(&test.name.value).or_insert(test.name.span);
        if first != test.name.span {
            d.report(
                Diagnostic::new("duplicate-id", "two tests of this file have one name", test.name.span)
                    .label("named again")
                    .also(first, "first named here"),
            );
        }
    }
    Some(File { policies, tests })
}

fn test(d: &mut Decoder, node: &Node) -> Option<Test> {
    let mut f = Fields::new(d, node, "a test")?;
    let name = f.required(d, "name", |d, n| d.text(n));
    let rule = f.with(d, "rule", |d, n| d.text(n));
    let own = f.with(d, "inventory", inventory);
    let based_on = f.with(d, "based_on", |d, n| d.text(n));
    let stated = f.get("inventory").is_some();
    if let (true, Some(span)) = (stated, f.key_span("based_on")) {
        d.report(
            Diagnostic::new("two-inventories", "a test has an `inventory` or is `based_on` another", span)
                .label("besides `inventory`")
                .help("leave one of them out"),
        );
    } else if !stated && f.get("based_on").is_none() {
        d.report(
            Diagnostic::new("missing-key", "this test has no inventory", f.head())
                .label("expected `inventory` or `based_on`")
                .help("write the inventory below `inventory`, or name an earlier test in `based_on`"),
        );
    }
    let changes = f.with(d, "change", |d, n| Some(changes(d, n))).unwrap_or_default();
    let day = f.with(d, "day", |d, n| d.date(n)).map(|t| t.value);
    let as_of = f.with(d, "as_of", |d, n| d.date(n)).map(|t| t.value);
    let status = f.list(d, "status", |d, n| d.word::<Status>(n)).into_iter().map(|w| w.value).collect();
    let finds = f.get_even_empty("finds").map(|node| d.list(node, finding));
    let not = f.list(d, "not", finding);
    if finds.is_none() && f.get("not").is_none() {
        d.report(
            Diagnostic::new("missing-key", "this test expects nothing", f.head())
                .label("expected `finds`")
                .help("write `finds: []` if nothing must be found"),
        );
    }
    f.finish(d);
    let inventory = own.or(based_on.map(Inventory::BasedOn));
    Some(Test { name: name?, rule, inventory, changes, day, as_of, status, finds, not })
}

fn inventory(d: &mut Decoder, node: &Node) -> Option<Inventory> {
    match &node.value {
        Value::Map(_) => Some(Inventory::Inline(node.clone().into_owned())),
        Value::Seq(items) if items.iter().any(|item| matches!(item.value, Value::Map(_))) => {
            d.wrong_type(node, "an inventory (a map), or paths");
            None
        }
        _ => Some(Inventory::Paths(d.list(node, |d, n| d.text(n)))),
    }
}

fn changes(d: &mut Decoder, node: &Node) -> Vec<(Spanned<String>, Node<'static>)> {
    let before = d.diagnostics.len();
    let all =
        d.map(node, "a map from path to value", |_, path, value| Some((path, value.clone().into_owned())));
    if all.is_empty() && d.diagnostics.len() == before {
        d.report(
            Diagnostic::new("empty-list", "this changes nothing", node.span)
                .label("expected a path and a value")
                .help("leave `change` out to judge the same inventory"),
        );
    }
    all
}

fn finding(d: &mut Decoder, node: &Node) -> Option<Finding> {
    let mut f = Fields::new(d, node, "a finding")?;
    let text = |d: &mut Decoder, f: &mut Fields, key| f.with(d, key, |d, n| d.text(n));
    let finding = Finding {
        rule: text(d, &mut f, "rule"),
        source: text(d, &mut f, "source"),
        sink: text(d, &mut f, "sink"),
        flow: text(d, &mut f, "flow"),
        subject: text(d, &mut f, "subject"),
        data: f.get("data").cloned().map(Node::into_owned),
        span: f.head(),
    };
    let says_something =
        ["rule", "source", "sink", "flow", "subject", "data"].into_iter().any(|key| f.get(key).is_some());
    if !says_something && f.entries().is_empty() {
        d.report(
            Diagnostic::new("empty-matcher", "a finding that says nothing", node.span)
                .label("expected `source`, `sink`, `flow`, `subject` or `data`"),
        );
    }
    f.finish(d);
    Some(finding)
}
