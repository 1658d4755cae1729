//! The parser's mistakes in plain words.

/// A mistake as a person needs it.
pub(super) struct Explained {
    /// What is wrong.
    pub message: String,
    /// The words beside the caret.
    pub label: &'static str,
    /// The byte to point at.
    pub at: usize,
    /// What to do.
    pub help: Option<&'static str>,
    /// It is YAML, but nested deeper than the limit.
    pub too_deep: bool,
}

/// What the parser's words `raw` at byte `at` come to.
pub(super) fn explain(raw: &str, text: &str, at: usize) -> Explained {
    if let Some(tab) = tab(raw, text, at) {
        return Explained {
            message: "a tab where YAML wants spaces".to_owned(),
            label: "a tab",
            at: tab,
            too_deep: false,
            help: Some("indent with spaces; YAML does not allow tabs there"),
        };
    }
    if let Some(conflict) = conflict(text) {
        return Explained {
            message: "a merge conflict that has not been resolved".to_owned(),
            label: "the conflict begins here",
            at: conflict,
            too_deep: false,
            help: Some(
                "keep one of the two versions, and take out the lines with `<<<<<<<`, `=======`, `>>>>>>>`",
            ),
        };
    }
    if let Some(glued) = glued(raw, text, at) {
        return Explained {
            message: "a key without a space behind its `:`".to_owned(),
            label: "a space belongs before this",
            at: glued,
            too_deep: false,
            help: Some("write `key: value`"),
        };
    }
    let here = text.get(at..).and_then(|rest| rest.chars().next());
    let (message, label, help): (_, _, Option<&str>) = match raw {
        "mapping values are not allowed in this context" | "illegal placement of ':' indicator" => (
            "a `:` where no key can stand".to_owned(),
            "not expected here",
            Some(
                "put a text that has `: ` in quotes; or a key above or here is not indented like its neighbours",
            ),
        ),
        "simple key expected ':'" | "simple key is no longer valid" => (
            "a key without its `:`".to_owned(),
            "expected `key: value`",
            Some("write `key: value`; a text of several lines is indented deeper than its key"),
        ),
        "while parsing a block mapping, did not find expected key" => (
            "expected a key here, or the end of the map".to_owned(),
            "not expected here",
            Some(
                "indent it like its neighbours; a text that begins with `\"`, `'`, `[`, `{`, `*` or `&` and goes on behind stands in quotes",
            ),
        ),
        "while parsing a block collection, did not find expected '-' indicator" => (
            "expected the next `- ` of the list".to_owned(),
            "not expected here",
            Some("indent a key of a list's entry like the entry's first key"),
        ),
        "while parsing a flow mapping, did not find expected ',' or '}'" => {
            ("expected `,` or `}`".to_owned(), "not expected here", Some(CLOSE))
        }
        "while parsing a flow sequence, expected ',' or ']'" => {
            ("expected `,` or `]`".to_owned(), "not expected here", Some(CLOSE))
        }
        "misplaced bracket" => (
            "a closing bracket that nothing opens".to_owned(),
            "opened nowhere",
            Some("take it out, or open it before"),
        ),
        "unclosed quote" => (
            "a quote that is never closed".to_owned(),
            "opened here",
            Some("close it with the same sign at the text's end"),
        ),
        "invalid trailing content after single-quoted scalar" => (
            "something stands behind a quoted text".to_owned(),
            "not expected here",
            Some("within single quotes an apostrophe is written twice: `'Wendy''s'`"),
        ),
        "invalid trailing content after double-quoted scalar" => (
            "something stands behind a quoted text".to_owned(),
            "not expected here",
            Some("put the whole text in quotes, or a comma between two"),
        ),
        "while parsing a quoted scalar, found unknown escape character" => (
            "a backslash with a letter that means nothing".to_owned(),
            "within this text",
            Some("write `\\\\` for a backslash, or use single quotes"),
        ),
        "while scanning an anchor or alias, did not find expected alphabetic or numeric character" => (
            "an alias or anchor without a name".to_owned(),
            "expected a name behind it",
            Some("a text that begins with `*` or `&` stands in quotes: `'*'`"),
        ),
        "while scanning a block scalar, did not find expected comment or line break" => (
            "a text of several lines begins on the line below `|` or `>`".to_owned(),
            "expected the end of the line behind it",
            Some("go on with the text on the next line, indented; or put the text in quotes"),
        ),
        "did not find expected <document start>" => (
            "something stands behind the end of the document".to_owned(),
            "not expected here",
            Some("an inventory is a map of keys; `---` on a line of its own begins another document"),
        ),
        "recursion limit exceeded" => (
            "values nest too deep".to_owned(),
            "the rest is not read",
            Some("declarations never nest that deep"),
        ),
        _ if raw.starts_with("unexpected character") => (
            match here {
                Some('`') => "no text can begin with a backtick".to_owned(),
                other => format!("no text can begin with `{}`", other.unwrap_or(' ')),
            },
            "not expected here",
            Some("put the text in quotes"),
        ),
        _ if raw.starts_with("unclosed bracket") => {
            (format!("a `{}` that is never closed", here.unwrap_or('[')), "opened here", Some(CLOSE))
        }
        _ if raw.starts_with("mismatched bracket") => {
            (format!("this is not YAML: {raw}"), "opened here", Some(CLOSE))
        }
        _ => (format!("this is not YAML: {raw}"), "not YAML from here on", None),
    };
    Explained { message, label, at, help, too_deep: raw == "recursion limit exceeded" }
}

pub(super) const CLOSE: &str =
    "close `[` with `]` and `{` with `}`; a text with a comma, a bracket, `: ` or `#` stands in quotes there";

/// Where a version control's conflict begins.
fn conflict(text: &str) -> Option<usize> {
    let begins = if text.starts_with("<<<<<<< ") { Some(0) } else { text.find("\n<<<<<<< ").map(|n| n + 1) };
    begins.filter(|_| text.contains("\n=======") && text.contains("\n>>>>>>> "))
}

/// The value that stands right behind the `:` of what was meant for a key: in the mistake's line,
/// or in the one before, of which that line then goes on as a text.
fn glued(raw: &str, text: &str, at: usize) -> Option<usize> {
    if !raw.starts_with("simple key") && !raw.starts_with("mapping values") {
        return None;
    }
    let start = text.get(..at)?.rfind('\n').map_or(0, |n| n + 1);
    let before = text.get(..start)?.trim_end();
    // With another `:` before the mistake, the line is a key's own.
    let above = before.rfind('\n').map_or(0, |n| n + 1);
    let above = (!text.get(start..at)?.contains(':')).then_some(above);
    [start].into_iter().chain(above).find_map(|start| {
        let line = text.get(start..)?.lines().next()?;
        let content = line.trim_start_matches([' ', '-']);
        let (key, value) = content.split_once(':')?;
        let is_key = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let is_glued = value.starts_with(|c: char| !c.is_whitespace() && c != '/');
        (is_key && is_glued).then(|| start + line.len() - value.len())
    })
}

/// The tab that is to blame: at the mistake, or in the next indentation behind it.
fn tab(raw: &str, text: &str, at: usize) -> Option<usize> {
    let start = text.get(..at)?.rfind('\n').map_or(0, |n| n + 1);
    if let Some(before) = text.get(start..at)
        && before.chars().all(|c| matches!(c, ' ' | '\t'))
        && let Some(tab) = before.find('\t')
    {
        return Some(start + tab);
    }
    if !raw.contains("tab") {
        return None;
    }
    let mut line = start;
    for whole in text.get(start..)?.split_inclusive('\n') {
        let indentation = whole.len() - whole.trim_start_matches([' ', '\t']).len();
        let found = whole.get(..indentation)?.find('\t').filter(|tab| line + tab >= start);
        if let Some(tab) = found {
            return Some(line + tab);
        }
        line += whole.len();
    }
    text.get(at..)?.find('\t').map(|tab| at + tab)
}
