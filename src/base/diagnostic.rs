//! What is wrong with an input, as data. Words for the terminal are made from
//! it by the command line alone.

use crate::base::source::Span;

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

/// The most mistakes that are reported. Nobody reads more, and each takes many times what it is
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
        mistakes.push(more.help("fix these first, then run it again"));
    }
}

/// For so many mistakes a near word is looked for: among more it helps nobody, and takes long.
pub const GUESSED: usize = 200;

/// How far a word may be from what was meant, however long it is.
const FARTHEST: usize = 8;

/// The nearest of `known` to `word`, if one is near enough to be what was meant.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower: Vec<char> = word.chars().take(100).flat_map(char::to_lowercase).collect();
    let allowed = ((lower.len() / 3).max(1) + 1).min(FARTHEST);
    let distance = |known: &str| {
        // A character has at most four bytes, and its lower case is hardly ever of more characters.
        let long = known.len() > 4 * (lower.len() + allowed + 1);
        let known = (!long).then(|| known.chars().flat_map(char::to_lowercase).collect::<Vec<char>>())?;
        distance_within(&lower, &known, allowed)
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
            let first = k.chars().flat_map(char::to_lowercase).zip(&lower);
            let begun = (lower.len() >= 3 && first.filter(|(a, b)| a == *b).count() == lower.len())
                .then_some(allowed);
            Some((distance(k).into_iter().chain(by_tail).chain(begun).chain(same_ends).min()?, k.len(), k))
        })
        .min()
        .map(|(_, _, k)| k)
}

/// How many changes of one character, or swaps of two beside each other, make one word of the other, if no
/// more than `most` do. Only what lies within `most` of the diagonal is looked at, and no row behind one in which
/// all is farther.
fn distance_within(a: &[char], b: &[char], most: usize) -> Option<usize> {
    if a.len().abs_diff(b.len()) > most {
        return None;
    }
    // What both begin and end with makes no difference.
    let begin = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (a, b) = (a.get(begin..).unwrap_or_default(), b.get(begin..).unwrap_or_default());
    let end = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
    let (a, b) = (a.get(..a.len() - end).unwrap_or_default(), b.get(..b.len() - end).unwrap_or_default());
    let far = most + 1;
    let row =
        |at: usize| -> Vec<usize> { (0..=b.len()).map(|n| if at == 0 { n.min(far) } else { far }).collect() };
    let (mut before, mut above, mut here) = (row(1), row(0), row(1));
    let at = |row: &[usize], n: usize| row.get(n).copied().unwrap_or(far);
    let mut last = None;
    for (i, &x) in (1_usize..).zip(a) {
        let (from, to) = (i.saturating_sub(most), (i + most).min(b.len()));
        let mut nearest = far;
        // Beside the band everything is far.
        here.iter_mut().skip(from.saturating_sub(1)).take(to + 2 - from).for_each(|cell| *cell = far);
        let mut left = None;
        for n in from..=to {
            let y = n.checked_sub(1).and_then(|n| b.get(n)).copied();
            let mut cell = match y {
                None => i.min(far),
                Some(y) => (at(&above, n - 1) + usize::from(x != y))
                    .min(at(&above, n) + 1)
                    .min(left.map_or(far, |left: usize| left + 1)),
            };
            let swapped = n >= 2 && last == y && n.checked_sub(2).and_then(|n| b.get(n)) == Some(&x);
            if swapped && i >= 2 {
                cell = cell.min(at(&before, n - 2) + 1);
            }
            cell = cell.min(far);
            if let Some(place) = here.get_mut(n) {
                *place = cell;
            }
            nearest = nearest.min(cell);
            left = Some(cell);
        }
        if nearest > most {
            return None;
        }
        last = Some(x);
        std::mem::swap(&mut before, &mut above);
        std::mem::swap(&mut above, &mut here);
    }
    Some(at(&above, b.len())).filter(|&distance| distance <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_the_whole_table() {
        let words: Vec<Vec<char>> = (0..5_u32)
            .flat_map(|n| (0..3_u32.pow(n)).map(move |at| (n, at)))
            .map(|(n, at)| {
                (0..n).map(|place| ['a', 'b', 'c'][(at / 3_u32.pow(place) % 3) as usize]).collect()
            })
            .collect();
        for a in &words {
            for b in &words {
                let whole =
                    strsim::osa_distance(&a.iter().collect::<String>(), &b.iter().collect::<String>());
                for most in 0..5 {
                    let expected = (whole <= most).then_some(whole);
                    assert_eq!(distance_within(a, b, most), expected, "{a:?} {b:?} {most}");
                }
            }
        }
    }

    #[test]
    fn the_nearest_word_is_what_was_probably_meant() {
        let near = |word| nearest(word, ["financial.account.balance", "identity.name", "purposes", "bank"]);
        assert_eq!(near("purpsoes"), Some("purposes"));
        assert_eq!(near("BANK"), Some("bank"));
        assert_eq!(near("balance"), Some("financial.account.balance"));
        assert_eq!(near("financial.balance"), Some("financial.account.balance"));
        assert_eq!(near("fin"), Some("financial.account.balance"));
        assert_eq!(near("something.else"), None);
        assert_eq!(nearest(&"q".repeat(100_000), ["q"; 3]), None);
    }
}
