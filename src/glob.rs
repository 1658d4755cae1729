//! Globs over names: `*` is any text, `?` one character; the whole name must
//! match, with case. (No classes or braces, unlike globs over files.)

use std::str::Chars;

/// A glob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob(Vec<char>);

impl Glob {
    /// Any text is a glob.
    pub fn new(text: impl AsRef<str>) -> Self {
        Glob(text.as_ref().chars().collect())
    }

    /// Whether the whole of `name` matches.
    pub fn matches(&self, name: &str) -> bool {
        // Without `*` text and glob go step by step; a `*` is a place to come
        // back to, and only the last one ever matters, so this is at most
        // quadratic.
        let mut left = name.chars();
        let mut g = 0;
        let mut retry: Option<(usize, Chars)> = None;
        loop {
            let mut ahead = left.clone();
            let Some(next) = ahead.next() else { break };
            match self.0.get(g) {
                Some('*') => {
                    retry = Some((g, ahead));
                    g += 1;
                    continue;
                }
                Some(&c) if c == '?' || c == next => {
                    left = ahead;
                    g += 1;
                    continue;
                }
                _ => {}
            }
            let Some((star, mut from)) = retry else {
                return false;
            };
            left = from.clone();
            from.next();
            retry = Some((star, from));
            g = star + 1;
        }
        self.0.iter().skip(g).all(|&c| c == '*')
    }
}

impl std::fmt::Display for Glob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|c| write!(f, "{c}"))
    }
}

#[cfg(test)]
mod tests {
    use super::Glob;

    #[test]
    fn whole_names_with_case() {
        for (glob, name, yes) in [
            ("a*", "abc", true),
            ("a*", "bab", false),
            ("*/core", "bank/core", true),
            ("*a*b*", "xaxxbx", true),
            ("*a*b", "xaxbxa", false),
            ("A", "a", false),
            ("a?c", "abc", true),
            ("a?", "a", false),
            ("", "", true),
            ("**", "", true),
            ("[a]", "a", false),
        ] {
            assert_eq!(Glob::new(glob).matches(name), yes, "{glob} {name}");
        }
    }
}
