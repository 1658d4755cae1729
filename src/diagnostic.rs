//! What is wrong with an input, as data. Words for the terminal are made from
//! it by the command line alone.

use crate::source::Span;

/// A place and what to say there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// The words beside the caret; may be empty.
    pub text: String,
}

/// One mistake in an input. Every mistake makes the run end with exit code 2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// A stable code in kebab case, `unknown-key` for instance.
    pub code: &'static str,
    /// One sentence without a full stop.
    pub message: String,
    /// Where it is; `None` for a file that could not be read at all.
    pub primary: Option<Label>,
    /// Other places that matter, the first declaration of a duplicate say.
    pub secondary: Vec<Label>,
    /// What to do.
    pub help: Option<String>,
}

impl Diagnostic {
    /// A mistake at a place.
    pub fn new(code: &'static str, message: impl Into<String>, span: Span) -> Self {
        Diagnostic {
            code,
            message: message.into(),
            primary: Some(Label { span, text: String::new() }),
            secondary: Vec::new(),
            help: None,
        }
    }

    /// A mistake without a place in a text, an unreadable file say.
    pub fn without_place(code: &'static str, message: impl Into<String>) -> Self {
        Diagnostic { code, message: message.into(), primary: None, secondary: Vec::new(), help: None }
    }

    /// Sets the words beside the caret.
    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Self {
        if let Some(primary) = &mut self.primary {
            primary.text = text.into();
        }
        self
    }

    /// Adds another place.
    #[must_use]
    pub fn also(mut self, span: Span, text: impl Into<String>) -> Self {
        self.secondary.push(Label { span, text: text.into() });
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }
}

/// So many mistakes are told. Nobody reads more, and each takes many times what it is
/// written in.
pub const TOLD: usize = 100_000;

/// Notes a mistake, unless there are very many: that is said then, once.
pub fn note(mistakes: &mut Vec<Diagnostic>, mistake: Diagnostic) {
    if mistakes.len() < TOLD {
        mistakes.push(mistake);
    } else if mistakes.len() == TOLD {
        let message = format!("there are more than {TOLD} mistakes");
        let place = mistake.primary.map(|label| label.span);
        let more = match place {
            Some(span) => {
                Diagnostic::new("too-many-mistakes", message, span).label("those from here on are not told")
            }
            None => Diagnostic::without_place("too-many-mistakes", message),
        };
        mistakes.push(more.help("mend what is told, and look again"));
    }
}

/// The nearest of `known` to `word`, if one is near enough to be what was meant.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower: Vec<char> = word.chars().take(100).flat_map(char::to_lowercase).collect();
    let allowed = (lower.len() / 3).max(1) + 1;
    let distance = |known: &str| {
        let known: Vec<char> = known.chars().flat_map(char::to_lowercase).collect();
        // The distance is at least the difference in length: most names end here.
        (known.len().abs_diff(lower.len()) <= allowed)
            .then(|| strsim::generic_damerau_levenshtein(&lower, &known))
            .filter(|&d| d <= allowed)
    };
    // `financial.card.pin` for `financial.card.authentication.pin`: same root, same leaf.
    let ends = |key: &str| {
        let (root, rest) = key.split_once('.')?;
        Some((root.to_lowercase(), rest.rsplit('.').next()?.to_lowercase()))
    };
    let wanted = ends(word);
    known
        .into_iter()
        .filter_map(|k| {
            let same_ends = (wanted.is_some() && ends(k) == wanted).then_some(2);
            // `balance` for `financial.account.balance` is near as well.
            let tail = k.rsplit(['.', '/']).next().filter(|tail| *tail != k);
            let by_tail = tail.and_then(distance).map(|d| d + 1).filter(|&d| d <= allowed);
            // What it begins: `fin` for `financial`.
            let begun = (lower.len() >= 3
                && k.to_lowercase().chars().zip(&lower).filter(|(a, b)| a == *b).count() == lower.len())
            .then_some(allowed);
            Some((distance(k).into_iter().chain(by_tail).chain(begun).chain(same_ends).min()?, k.len(), k))
        })
        .min()
        .map(|(_, _, k)| k)
}
