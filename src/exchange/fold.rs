//! Texts as they compare: without case, accents, punctuation and plurals.

/// A letter without its accent, as plain letters; other characters as they are.
pub fn plain(c: char) -> impl Iterator<Item = char> + Clone {
    let text = match c {
        'à' | 'á' | 'â' | 'ã' | 'å' | 'À' | 'Á' | 'Â' | 'Ã' | 'Å' => "a",
        'ä' | 'æ' | 'Ä' | 'Æ' => "ae",
        'ç' | 'Ç' | 'č' | 'Č' | 'ć' => "c",
        'è' | 'é' | 'ê' | 'ë' | 'È' | 'É' | 'Ê' | 'Ë' | 'ě' | 'ę' => "e",
        'ì' | 'í' | 'î' | 'ï' | 'Ì' | 'Í' | 'Î' | 'Ï' => "i",
        'ñ' | 'Ñ' | 'ń' => "n",
        'ò' | 'ó' | 'ô' | 'õ' | 'ø' | 'Ò' | 'Ó' | 'Ô' | 'Õ' | 'Ø' => "o",
        'ö' | 'œ' | 'Ö' | 'Œ' => "oe",
        'ù' | 'ú' | 'û' | 'Ù' | 'Ú' | 'Û' | 'ů' => "u",
        'ü' | 'Ü' => "ue",
        'ý' | 'ÿ' | 'Ý' => "y",
        'š' | 'Š' | 'ś' => "s",
        'ž' | 'Ž' | 'ż' | 'ź' => "z",
        'ł' | 'Ł' => "l",
        'ß' => "ss",
        _ => "",
    };
    let own = text.is_empty().then_some(c);
    text.chars().chain(own)
}

/// The words of a text in lower case, without accents, punctuation, and the `s` of plurals.
pub fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut word = String::new();
    let end = |word: &mut String, out: &mut String| {
        let single = word.strip_suffix('s').filter(|single| single.len() > 2 && !single.ends_with('s'));
        let single = match single.and_then(|single| single.strip_suffix("ie")) {
            Some(stem) if stem.len() > 2 => format!("{stem}y"),
            _ => single.unwrap_or(word).to_owned(),
        };
        if !single.is_empty() {
            if !out.is_empty() {
                out.push(' ');
            }
            out.push_str(&single);
        }
        word.clear();
    };
    for c in text.chars().flat_map(plain).flat_map(char::to_lowercase) {
        if c.is_alphanumeric() {
            word.push(c);
        } else if !matches!(c, '\'' | '’') {
            end(&mut word, &mut out);
        }
    }
    end(&mut word, &mut out);
    out
}

/// As [`fold`], of a heading: what stands in brackets and marks at its end are left out.
pub fn heading(text: &str) -> String {
    let mut out = String::new();
    let mut depth = 0_u32;
    for c in text.chars() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            c if depth == 0 => out.push(c),
            _ => {}
        }
    }
    let short = fold(&out);
    if short.is_empty() { fold(text) } else { short }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_in_several_ways_is_one() {
        assert_eq!(fold("E-mail Addresses"), fold("e mail addresse"));
        assert_eq!(fold("Categories of data"), "category of data");
        assert_eq!(fold("  Coordonnées "), "coordonnee");
        assert_eq!(fold("Straße"), "strasse");
        assert_eq!(heading("Retention schedule (if possible)"), "retention schedule");
        assert_eq!(heading("fromFullyQualifiedName*"), "fromfullyqualifiedname");
        assert_eq!(fold("status"), fold("Status"));
        assert_eq!(fold("address"), "address");
    }
}
