//! The vocabulary of `taxonomy/vocabulary.yaml`.

use std::sync::Arc;

use crate::base::diagnostic::Diagnostic;
use crate::base::lexicon::{Lexicon, Sort, Term};
use crate::base::source::Sources;
use crate::base::taxonomy::Tree;
use crate::read::decode::{Decoder, Fields, Spanned};
use crate::read::yaml::{self, Node};

const WORDS: &str = include_str!("../../taxonomy/vocabulary.yaml");

fn parse() -> (Lexicon, Vec<Diagnostic>) {
    let mut diagnostics = Vec::new();
    let mut all = Vec::new();
    let file = Sources::new().add("taxonomy/vocabulary.yaml", WORDS.to_owned());
    for document in yaml::parse(file, WORDS, &yaml::Limits::default(), &mut diagnostics) {
        let tree = Tree::default();
        let mut d = Decoder::new(&mut diagnostics, &tree, &tree);
        let Some(mut f) = Fields::new(&mut d, &document, "a vocabulary") else {
            continue;
        };
        for (sort, key) in Sort::ALL {
            let terms = f.with(&mut d, key, |d, node| Some(d.map(node, "a map from word to meaning", term)));
            all.extend(terms.unwrap_or_default().into_iter().map(|term| (sort, term)));
        }
        f.finish(&mut d);
    }
    (Lexicon(all), diagnostics)
}

fn term(d: &mut Decoder, word: Spanned<String>, node: &Node) -> Option<Term> {
    let mut f = Fields::new(d, node, "a word")?;
    let meaning = f.required(d, "meaning", |d, n| d.text(n)).map(|text| text.value);
    let on = f.with(d, "on", |d, n| d.text(n)).map(|text| text.value);
    let lifetime = f.with(d, "lifetime", |d, n| d.duration(n)).map(|age| age.value);
    let for_transfers = f.with(d, "for_transfers", |d, n| d.flag(n)).is_some_and(|flag| flag.value);
    let mut list = |d: &mut Decoder, key| -> Vec<String> {
        f.list(d, key, |d, n| d.text(n)).into_iter().map(|text| text.value).collect()
    };
    let (mut laws, was, values) = (list(d, "laws"), list(d, "was"), list(d, "values"));
    f.finish(d);
    // A basis names its law.
    if let Some((law, _)) = word.value.split_once(':') {
        laws = vec![if law == "calfipa" { "glba".to_owned() } else { law.to_owned() }];
    }
    Some(Term {
        word: word.value,
        meaning: meaning?,
        laws,
        lifetime,
        was,
        values,
        on: on.unwrap_or_default(),
        for_transfers,
    })
}

/// The vocabulary that comes with the program.
pub fn lexicon() -> Lexicon {
    parse().0
}

/// The vocabulary, read once for a decoder.
pub fn of(d: &mut Decoder) -> Arc<Lexicon> {
    Arc::clone(d.lexicon.get_or_insert_with(|| Arc::new(lexicon())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_is_one_fact_and_older_words_are_read() {
        let (words, mistakes) = parse();
        assert!(mistakes.is_empty(), "{mistakes:#?}");
        for (sort, term) in &words.0 {
            let same = words.of(*sort).filter(|other| other.word == term.word).count();
            assert_eq!(same, 1, "{}", term.word);
            for old in &term.was {
                assert!(words.find(*sort, old).is_none(), "{old} is a word and an older one");
            }
        }
        let right = |text: &str| words.for_older(Sort::LegalBasis, text);
        assert_eq!(right("glba_1016_14_servicing"), ["glba:1016.14_servicing"]);
        assert_eq!(right("legitimate_interest.fraud")[0], "gdpr:legitimate_interest.fraud");
        assert_eq!(right("sg_ba_sch3_p2_outsourcing"), ["singapore:ba_sch3_p2_outsourcing"]);
        assert_eq!(right("consent").len(), 5);
        assert!(right("glba_1016_15_Consent").is_empty() && right("gdpr:consent").is_empty());
        let also = |glob: &str| words.also(Sort::LegalBasis, glob);
        assert_eq!(also("gdpr:consent"), ["consent"]);
        assert_eq!(also("gdpr:contract*"), ["contract", "contract.*"]);
        assert_eq!(also("singapore:ba_sch3_*"), ["sg_ba_sch3_p1_*", "sg_ba_sch3_p2_*"]);
        assert_eq!(also("ccpa_merger"), ["ccpa:merger"]);
        assert!(also("house:own").is_empty());
        assert_eq!(words.also(Sort::Assurance, "dma_specific_choice"), ["specific_consent"]);
    }
}
