//! Arguments that are more than text.

use std::path::PathBuf;

use crate::base::diagnostic::nearest;
use crate::base::finding::NOTICES;
use crate::base::visible::{inert, visible};
use crate::base::vocabulary::Word;
use crate::report::Format;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use jiff::civil::Date;

/// The forms of a list that is no report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Form {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// One of a closed set of words.
pub fn word<W: Word + Send + Sync>() -> impl TypedValueParser<Value = W> {
    PossibleValuesParser::new(W::ALL.iter().map(|w| w.word()))
        .try_map(|text| W::parse(&text).ok_or_else(|| format!("this is not {}", W::WHAT)))
}

/// A day, `2018-10-01`.
pub fn date(text: &str) -> Result<Date, String> {
    let shaped = text.len() == 10;
    shaped
        .then(|| text.parse().ok())
        .flatten()
        .ok_or_else(|| "expected year-month-day, like 2018-10-01".to_owned())
}

/// A time in whole days: `30d` or `4w`.
pub fn days(text: &str) -> Result<u32, String> {
    let number = |digits: &str, each: u32| {
        let whole = digits.bytes().all(|digit| digit.is_ascii_digit());
        digits.parse::<u32>().ok().filter(|_| whole).and_then(|many| many.checked_mul(each))
    };
    let days = match (text.strip_suffix('d'), text.strip_suffix('w')) {
        (Some(digits), _) => number(digits, 1),
        (_, Some(digits)) => number(digits, 7),
        (None, None) => None,
    };
    days.filter(|days| (1..=3660).contains(days))
        .ok_or_else(|| "expected days or weeks, like 30d or 4w, of ten years at most".to_owned())
}

/// The code of a notice.
pub fn notice(text: &str) -> Result<String, String> {
    let codes = || NOTICES.iter().map(|(code, _)| *code);
    if codes().any(|code| code == text) {
        return Ok(text.to_owned());
    }
    Err(match nearest(text, codes()) {
        Some(near) => format!("there is no such notice; did you mean `{near}`?"),
        None => "there is no such notice; `ringfence explain` lists them".to_owned(),
    })
}

/// `FORMAT=FILE` of an audit.
pub fn report(text: &str) -> Result<(Format, PathBuf), String> {
    written(text)
}

/// `FORMAT=FILE`.
pub fn written<F: Word>(text: &str) -> Result<(F, PathBuf), String> {
    let known = || F::ALL.iter().map(|f| f.word()).collect::<Vec<_>>().join(", ");
    match text.split_once('=') {
        Some((format, file)) if !file.is_empty() => F::parse(format)
            .map(|format| (format, PathBuf::from(file)))
            .ok_or_else(|| format!("`{}` is not a format; known: {}", inert(&visible(format)), known())),
        _ => Err("expected FORMAT=FILE, like json=audit.json".to_owned()),
    }
}
