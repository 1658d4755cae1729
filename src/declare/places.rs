//! Places as they are written: codes of ISO 3166 and, in matchers, the groups of `taxonomy/places.yaml`;
//! and which code is meant by a word that is none.

use std::sync::Arc;

use crate::base::diagnostic::{Diagnostic, nearest};
use crate::base::places::{self, Group, Groups};
use crate::base::sets::NamedPlaces;
use crate::base::source::Sources;
use crate::base::taxonomy::Tree;
use crate::read::decode::{Decoder, Fields, Spanned, Words};
use crate::read::yaml::{self, Node, Value};

const GROUPS: &str = include_str!("../../taxonomy/places.yaml");
const WORDS: &str = include_str!("../../taxonomy/place-words.yaml");

/// Reads one of the files of this module, in which a test looks for mistakes.
fn read<T: Default>(text: &str, each: impl FnOnce(&mut Decoder, &Node) -> T) -> (T, Vec<Diagnostic>) {
    let mut diagnostics = Vec::new();
    let file = Sources::new().add("taxonomy/places.yaml", text.to_owned());
    let documents = yaml::parse(file, text, &yaml::Limits::default(), &mut diagnostics);
    let tree = Tree::default();
    let mut d = Decoder::new(&mut diagnostics, &tree, &tree);
    let value = documents.first().map(|document| each(&mut d, document)).unwrap_or_default();
    (value, diagnostics)
}

fn parse_groups() -> (Groups, Vec<Diagnostic>) {
    read(GROUPS, |d, document| {
        let mut all: Vec<Group> = Vec::new();
        d.map(document, "groups of places", |d, name, node| {
            let mut f = Fields::new(d, node, "a group of places")?;
            let mut text = |d: &mut Decoder, key| f.with(d, key, |d, n| d.text(n)).map(|t| t.value);
            let [title, as_of, about] =
                ["title", "as_of", "about"].map(|key| text(d, key).unwrap_or_default());
            let with = f.list(d, "with", |d, n| d.text(n));
            let mut places: Vec<(String, String)> = Vec::new();
            for name in with {
                let known = all.iter().find(|group| group.name == name.value);
                places.extend(known.iter().flat_map(|group| group.places.iter().cloned()));
            }
            places.extend(f.with(d, "places", |d, node| Some(members(d, node))).unwrap_or_default());
            f.finish(d);
            places.sort();
            places.dedup();
            all.push(Group { name: name.value, title, as_of, about, places });
            Some(())
        });
        Groups(all)
    })
}

/// The places of a group: a list, or a map that says what each rests on.
fn members(d: &mut Decoder, node: &Node) -> Vec<(String, String)> {
    match &node.value {
        Value::Map(_) => d.map(node, "places", |d, code, because| {
            let because = d.text(because)?;
            Some((places::code(&code.value)?, because.value))
        }),
        _ => d.list(node, |d, n| Some((places::code(&d.text(n)?.value)?, String::new()))),
    }
}

/// The groups that can be written in matchers.
pub fn groups() -> Groups {
    parse_groups().0
}

/// What words that are no codes may mean.
#[derive(Debug, Clone, Default)]
struct PlaceWords {
    /// For one place, or for one of several of the same name.
    words: Vec<(String, Vec<String>)>,
    /// For many countries, with examples.
    several: Vec<(String, Vec<String>)>,
    /// Regions of cloud providers.
    cloud: Vec<(String, Vec<String>)>,
}

fn parse_words() -> (PlaceWords, Vec<Diagnostic>) {
    read(WORDS, |d, document| {
        let Some(mut f) = Fields::new(d, document, "words for places") else {
            return PlaceWords::default();
        };
        let [words, several, cloud] = ["words", "several", "cloud"].map(|key| {
            let all = f.with(d, key, |d, node| {
                Some(d.map(node, "a map from word to codes", |d, word, codes| {
                    let codes = d.list(codes, |d, n| d.text(n)).into_iter().map(|code| code.value);
                    Some((word.value, codes.collect()))
                }))
            });
            all.unwrap_or_default()
        });
        f.finish(d);
        PlaceWords { words, several, cloud }
    })
}

/// What a word that is no code of a place may mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meant {
    /// One of these codes: with one alone, that one.
    Codes(Vec<String>),
    /// Several countries, of which these are some.
    Several(Vec<String>),
    /// A misspelt name of this place.
    Nearly(String),
    /// Nothing that is known.
    Unknown,
}

/// Which code is meant by a word that is none. This is the one place that knows.
pub fn meant(word: &str) -> Meant {
    let known = parse_words().0;
    let find = |list: &[(String, Vec<String>)]| {
        let entry = list.iter().find(|(name, _)| name.eq_ignore_ascii_case(word));
        entry.map(|(_, codes)| codes.clone())
    };
    if let Some(codes) = find(&known.words).or_else(|| find(&known.cloud)) {
        return Meant::Codes(codes);
    }
    if let Some(codes) = find(&known.several) {
        return Meant::Several(codes);
    }
    let mut codes: Vec<String> = places::countries()
        .filter(|(_, alpha3, name)| alpha3.eq_ignore_ascii_case(word) || is_called(name, word))
        .map(|(code, _, _)| code.to_owned())
        .collect();
    codes.extend(places::subdivisions_called(word).map(str::to_owned));
    if codes.is_empty() && zone_removed(word).is_some_and(|region| places_of_zone(&known, region, &mut codes))
    {
        codes.dedup();
    }
    if !codes.is_empty() {
        return Meant::Codes(codes);
    }
    // Two letters are near too many codes for any of them to help.
    let names = || places::countries().map(|(code, _, name)| (code, short(name)));
    let near = (word.len() > 3).then(|| nearest(word, names().map(|(_, name)| name))).flatten();
    match near.and_then(|near| names().find(|(_, name)| *name == near)) {
        Some((code, _)) => Meant::Nearly(code.to_owned()),
        None => Meant::Unknown,
    }
}

/// `eu-west-1` of the zone `eu-west-1a` or `europe-west1-b`.
fn zone_removed(word: &str) -> Option<&str> {
    let without = word.strip_suffix(|c: char| c.is_ascii_alphabetic())?;
    let region = without.strip_suffix('-').unwrap_or(without);
    region.ends_with(|c: char| c.is_ascii_digit()).then_some(region)
}

fn places_of_zone(known: &PlaceWords, region: &str, codes: &mut Vec<String>) -> bool {
    let entry = known.cloud.iter().find(|(name, _)| name.eq_ignore_ascii_case(region));
    codes.extend(entry.iter().flat_map(|(_, codes)| codes.iter().cloned()));
    entry.is_some()
}

/// `Iran` of `Iran (Islamic Republic of)`.
fn short(name: &'static str) -> &'static str {
    name.split([',', '(', '[']).next().unwrap_or(name).trim()
}

fn is_called(name: &'static str, word: &str) -> bool {
    name.eq_ignore_ascii_case(word) || short(name).eq_ignore_ascii_case(word)
}

/// What to do about a word that is no place.
fn help(d: &Decoder, word: &str) -> String {
    let listed = |codes: &[String]| {
        let one = |code: &String| match places::name(code) {
            Some(name) => format!("`{code}` ({})", name.trim()),
            None => format!("`{code}`"),
        };
        codes.iter().map(one).collect::<Vec<_>>().join(", ")
    };
    // Among hundreds of mistakes a guess for each helps nobody.
    let guess = d.diagnostics.len() < crate::base::diagnostic::GUESSED;
    match if guess { meant(word) } else { Meant::Unknown } {
        Meant::Codes(codes) if codes.len() == 1 => format!("did you mean {}?", listed(&codes)),
        Meant::Codes(codes) => format!("did you mean one of {}?", listed(&codes)),
        Meant::Several(codes) if codes.is_empty() => {
            "it stands for several countries: list those that are meant".to_owned()
        }
        Meant::Several(codes) => {
            format!("it stands for several countries: list those that are meant, like {}", listed(&codes))
        }
        Meant::Nearly(code) => format!("did you mean {}?", listed(&[code])),
        Meant::Unknown => "write a country as `DE`, a subdivision as `US-CA`".to_owned(),
    }
}

const EXPECTED: &str = "expected the code of a country (ISO 3166-1 alpha-2) or subdivision (ISO 3166-2)";

fn unknown(word: &str) -> String {
    match word.char_indices().nth(60) {
        Some((at, _)) => format!("`{}…` is not a place", word.get(..at).unwrap_or_default()),
        None => format!("`{word}` is not a place"),
    }
}

/// The code of a place.
pub fn place(d: &mut Decoder, node: &Node) -> Option<Spanned<String>> {
    let word = d.text(node)?;
    let code = places::code(&word.value);
    if code.is_none() {
        let help = help(d, &word.value);
        d.report(
            Diagnostic::new("unknown-place", unknown(&word.value), word.span).label(EXPECTED).help(help),
        );
    }
    Some(Spanned::new(code?, word.span))
}

/// A list of codes of places, as many systems repeat it.
pub fn codes(d: &mut Decoder, fields: &mut Fields, key: &'static str) -> Words {
    let codes = fields.list(d, key, place).into_iter().map(|code| code.value).collect();
    d.shared(codes)
}

/// A place or a group of places, in a matcher.
pub fn named(d: &mut Decoder, node: &Node) -> Option<NamedPlaces> {
    let word = d.text(node)?;
    let groups = Arc::clone(d.groups.get_or_insert_with(|| Arc::new(groups())));
    if let Some(group) = groups.find(&word.value) {
        let codes = group.places.iter().map(|(code, _)| code.clone()).collect();
        return Some(NamedPlaces { name: group.name.clone(), codes });
    }
    if let Some(code) = places::code(&word.value) {
        return Some(NamedPlaces { name: code.clone(), codes: vec![code] });
    }
    let names = || groups.0.iter().map(|group| group.name.as_str());
    let help = match (word.value.len() > 2).then(|| d.near(&word.value, names())).flatten() {
        Some(near) => format!("did you mean the group `{near}`?"),
        None => help(d, &word.value),
    };
    let known = names().collect::<Vec<_>>().join(", ");
    d.report(
        Diagnostic::new("unknown-place", unknown(&word.value), word.span)
            .label(format!("{EXPECTED}, or a group"))
            .help(format!("{help} Groups: {known}")),
    );
    None
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn the_files_hold_codes_alone() {
        let (groups, mistakes) = parse_groups();
        assert!(mistakes.is_empty(), "{mistakes:#?}");
        let len = |name: &str| groups.find(name).unwrap().places.len();
        assert_eq!([len("EU"), len("EEA"), len("EU-adequate"), len("US")], [34, 37, 12, 7]);
        assert_eq!([len("UK-adequate"), len("CH-adequate")], [37 + 11, 37 + 12]);
        assert!(groups.0.iter().all(|g| !g.title.is_empty() && !g.as_of.is_empty() && !g.places.is_empty()));
        let (words, mistakes) = parse_words();
        assert!(mistakes.is_empty(), "{mistakes:#?}");
        for (word, codes) in words.words.iter().chain(&words.several).chain(&words.cloud) {
            assert!(
                codes.iter().all(|code| places::code(code).as_deref() == Some(code)),
                "{word}: {codes:?}"
            );
            assert_eq!(places::code(word), None, "{word} is a code");
        }
    }

    #[test]
    fn a_word_for_a_place_has_the_code_that_is_meant() {
        let one = |code: &str| Meant::Codes(vec![code.to_owned()]);
        for (word, code) in [
            ("EL", "GR"),
            ("uk", "GB"),
            ("DEU", "DE"),
            ("germany", "DE"),
            ("eu-central-1", "DE"),
            ("eu-west-1a", "IE"),
            ("europe-west1-b", "BE"),
            ("WestEurope", "NL"),
            ("United States of America", "US"),
            ("Iran", "IR"),
            ("California", "US-CA"),
            ("FR-RE", "RE"),
        ] {
            assert_eq!(meant(word), one(code), "{word}");
        }
        assert_eq!(meant("Korea"), Meant::Codes(vec!["KR".to_owned(), "KP".to_owned()]));
        assert!(matches!(meant("EU"), Meant::Several(codes) if codes.len() == 4));
        assert_eq!(meant("Germny"), Meant::Nearly("DE".to_owned()));
        for nothing in ["??", "*", "XX", "", "somewhere over the rainbow"] {
            assert_eq!(meant(nothing), Meant::Unknown, "{nothing}");
        }
    }
}
