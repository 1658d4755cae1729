//! How long data is kept.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A retention: whole hours, or unlimited, which is longer than all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Duration {
    /// Hours: a day has 24, a week 168, a year 8760 and a month a twelfth of that.
    Hours(u64),
    /// For ever.
    Unlimited,
}

const UNITS: [(char, u64); 5] = [('y', 8760), ('m', 730), ('w', 168), ('d', 24), ('h', 1)];

impl Duration {
    /// Reads `90d`, `24h`, `2w`, `6m`, `7y` or `unlimited`.
    pub fn parse(text: &str) -> Option<Self> {
        if text == "unlimited" {
            return Some(Duration::Unlimited);
        }
        let unit = text.chars().next_back()?;
        let number = text.strip_suffix(unit)?;
        if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let (_, hours) = UNITS.into_iter().find(|&(u, _)| u == unit)?;
        let total = number.parse::<u64>().ok()?.checked_mul(hours)?;
        Some(Duration::Hours(total))
    }

    /// `90 days`, `1 year`, `unlimited`.
    pub fn in_words(self) -> String {
        let text = self.to_string();
        let names = [('y', "year"), ('m', "month"), ('w', "week"), ('d', "day"), ('h', "hour")];
        let named = names.into_iter().find_map(|(unit, name)| {
            let number = text.strip_suffix(unit)?;
            let number = Some(number).filter(|n| n.bytes().all(|b| b.is_ascii_digit()))?;
            Some(format!("{number} {name}{}", if number == "1" { "" } else { "s" }))
        });
        named.unwrap_or(text)
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Duration::Unlimited => f.write_str("unlimited"),
            Duration::Hours(0) => f.write_str("0h"),
            Duration::Hours(hours) => {
                for (unit, size) in UNITS {
                    if hours.is_multiple_of(size) {
                        return write!(f, "{}{unit}", hours / size);
                    }
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Duration;

    #[test]
    fn says_how_long() {
        let words = |text: &str| Duration::parse(text).unwrap().in_words();
        assert_eq!(["90d", "1y", "24h", "unlimited"].map(words), ["90 days", "1 year", "1 day", "unlimited"]);
    }

    #[test]
    fn reads_what_it_writes_and_orders_by_length() {
        for text in ["24h", "90d", "2w", "6m", "7y", "unlimited", "0h"] {
            let read = Duration::parse(text).unwrap();
            assert_eq!(Duration::parse(&read.to_string()), Some(read), "{text}");
        }
        for bad in ["", "90", "d", "1.5y", "-1d", "90 d", "99999999999999999999d", "9d9"] {
            assert_eq!(Duration::parse(bad), None, "{bad}");
        }
        let mut all = ["1y", "24h", "unlimited", "365d", "1m"].map(|t| Duration::parse(t).unwrap());
        all.sort();
        assert_eq!(all.map(|d| d.to_string()), ["1d", "1m", "1y", "1y", "unlimited"]);
    }
}
