//! Places: countries and their subdivisions by ISO 3166, and groups of them.
//!
//! A place goes by one code in capitals. What has both a country's code and one as another country's
//! subdivision (`PR`, `US-PR`) goes by the country's: `FR` stands for its regions, and New Caledonia is
//! none of those that its laws on data apply to in the same way.

use rust_iso3166 as iso;

/// Subdivisions that have a country's code of their own.
const OWN_CODE: [(&str, &str); 30] = [
    ("CN-HK", "HK"),
    ("CN-MO", "MO"),
    ("CN-TW", "TW"),
    ("FI-01", "AX"),
    ("FR-971", "GP"),
    ("FR-972", "MQ"),
    ("FR-973", "GF"),
    ("FR-974", "RE"),
    ("FR-976", "YT"),
    ("FR-BL", "BL"),
    ("FR-MF", "MF"),
    ("FR-NC", "NC"),
    ("FR-PF", "PF"),
    ("FR-PM", "PM"),
    ("FR-TF", "TF"),
    ("FR-WF", "WF"),
    ("NL-AW", "AW"),
    ("NL-BQ1", "BQ"),
    ("NL-BQ2", "BQ"),
    ("NL-BQ3", "BQ"),
    ("NL-CW", "CW"),
    ("NL-SX", "SX"),
    ("NO-21", "SJ"),
    ("NO-22", "SJ"),
    ("US-AS", "AS"),
    ("US-GU", "GU"),
    ("US-MP", "MP"),
    ("US-PR", "PR"),
    ("US-UM", "UM"),
    ("US-VI", "VI"),
];

/// The code of a place as everything knows it, if a text is one, in any case.
pub fn code(text: &str) -> Option<String> {
    // The longest code has six bytes.
    if !text.is_ascii() || text.len() > 8 {
        return None;
    }
    let code = text.to_ascii_uppercase();
    if let Some((_, own)) = OWN_CODE.iter().find(|(of, _)| *of == code) {
        return Some((*own).to_owned());
    }
    let known = iso::from_alpha2(&code).is_some() || iso::iso3166_2::from_code(&code).is_some();
    known.then_some(code)
}

/// What a place is called in English.
pub fn name(code: &str) -> Option<&'static str> {
    iso::from_alpha2(code)
        .map(|country| country.name)
        .or_else(|| iso::iso3166_2::from_code(code).map(|part| part.name))
}

/// All countries: alpha-2 code, alpha-3 code, name.
pub fn countries() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    iso::ALL.iter().map(|country| (country.alpha2, country.alpha3, country.name))
}

/// The codes of the subdivisions that go by a name.
pub fn subdivisions_called(name: &str) -> impl Iterator<Item = &'static str> {
    let parts = iso::ALL.iter().filter_map(|country| country.subdivisions()).flatten();
    parts.filter(move |part| part.name.eq_ignore_ascii_case(name)).map(|part| part.code)
}

/// The code itself, then those of what it is a part of.
pub fn and_above(code: &str) -> impl Iterator<Item = &str> {
    let above = code.rmatch_indices('-').filter_map(|(end, _)| code.get(..end));
    std::iter::once(code).chain(above)
}

/// Places that go by one name in matchers.
#[derive(Debug, Clone, Default)]
pub struct Group {
    /// The name.
    pub name: String,
    /// What it is.
    pub title: String,
    /// The day on which the list was drawn up.
    pub as_of: String,
    /// What it rests on.
    pub about: String,
    /// Its places, sorted, each with what it rests on.
    pub places: Vec<(String, String)>,
}

/// The groups that come with the program.
#[derive(Debug, Clone, Default)]
pub struct Groups(pub Vec<Group>);

impl Groups {
    /// The group of this name, in any case.
    pub fn find(&self, name: &str) -> Option<&Group> {
        self.0.iter().find(|group| group.name.eq_ignore_ascii_case(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_goes_by_one_code() {
        let codes = ["DE", "de", "US-CA", "us-ca", "FR-974", "FR-NC", "US-PR", "AX"].map(code);
        let wanted = ["DE", "DE", "US-CA", "US-CA", "RE", "NC", "PR", "AX"];
        assert_eq!(codes, wanted.map(|code| Some(code.to_owned())));
        for none in
            ["", "*", "??", "XX", "UK", "EL", "EU", "DEU", "Germany", "eu-central-1", "US-", "-CA", "DÉ"]
        {
            assert_eq!(code(none), None, "{none}");
        }
        for (of, own) in OWN_CODE {
            assert!(iso::iso3166_2::from_code(of).is_some() && iso::from_alpha2(own).is_some(), "{of}");
        }
        assert_eq!(and_above("GB-ENG").collect::<Vec<_>>(), ["GB-ENG", "GB"]);
    }
}
