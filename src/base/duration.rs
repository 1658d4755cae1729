//! How long data is kept.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use jiff::civil::Date;

/// A retention as it is written, or unlimited, which is longer than all.
///
/// Two are compared by their hours, a month being a twelfth of 365 days; to a date they are added
/// by the calendar.
#[derive(Debug, Clone, Copy)]
pub enum Duration {
    /// So many of a unit.
    Of(u64, Unit),
    /// For ever.
    Unlimited,
}

/// A unit of time.
#[derive(Debug, Clone, Copy)]
pub enum Unit {
    /// `h`
    Hour,
    /// `d`
    Day,
    /// `w`
    Week,
    /// `m`
    Month,
    /// `y`
    Year,
}

const UNITS: [Unit; 5] = [Unit::Year, Unit::Month, Unit::Week, Unit::Day, Unit::Hour];

impl Unit {
    /// Its letter, name and hours.
    fn row(self) -> (char, &'static str, u64) {
        match self {
            Unit::Year => ('y', "year", 8760),
            Unit::Month => ('m', "month", 730),
            Unit::Week => ('w', "week", 168),
            Unit::Day => ('d', "day", 24),
            Unit::Hour => ('h', "hour", 1),
        }
    }
}

impl Duration {
    /// How long a waiver may run where settings do not say.
    pub const LONGEST_WAIVER: Duration = Duration::Of(1, Unit::Year);

    /// Reads `90d`, `24h`, `2w`, `6m`, `7y` or `unlimited`.
    pub fn parse(text: &str) -> Option<Self> {
        if text == "unlimited" {
            return Some(Duration::Unlimited);
        }
        let letter = text.chars().next_back()?;
        let number = text.strip_suffix(letter)?;
        if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let unit = UNITS.into_iter().find(|unit| unit.row().0 == letter)?;
        let number = number.parse::<u64>().ok()?;
        number.checked_mul(unit.row().2)?;
        Some(Duration::Of(number, unit))
    }

    /// Its length in hours; `None`: unlimited.
    pub fn hours(self) -> Option<u64> {
        match self {
            Duration::Of(number, unit) => Some(number.saturating_mul(unit.row().2)),
            Duration::Unlimited => None,
        }
    }

    /// The day on which it ends if it begins on a day, by the calendar; `None`: never, or after the
    /// last day that there is.
    pub fn after(self, day: Date) -> Option<Date> {
        let Duration::Of(number, unit) = self else { return None };
        let whole = |number: u64| i64::try_from(number).ok();
        let span = jiff::Span::new();
        let span = match unit {
            Unit::Year => span.try_years(whole(number)?),
            Unit::Month => span.try_months(whole(number)?),
            Unit::Week => span.try_weeks(whole(number)?),
            Unit::Day => span.try_days(whole(number)?),
            Unit::Hour => span.try_days(whole(number / 24)?),
        };
        day.checked_add(span.ok()?).ok()
    }

    /// `90 days`, `1 year`, `unlimited`.
    pub fn in_words(self) -> String {
        match self {
            Duration::Of(number, unit) => {
                format!("{number} {}{}", unit.row().1, if number == 1 { "" } else { "s" })
            }
            Duration::Unlimited => self.to_string(),
        }
    }

    fn length(self) -> (bool, u64) {
        (self.hours().is_none(), self.hours().unwrap_or_default())
    }
}

impl PartialEq for Duration {
    fn eq(&self, other: &Self) -> bool {
        self.length() == other.length()
    }
}

impl Eq for Duration {}

impl PartialOrd for Duration {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Duration {
    fn cmp(&self, other: &Self) -> Ordering {
        self.length().cmp(&other.length())
    }
}

impl Hash for Duration {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.length().hash(state);
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Duration::Unlimited => f.write_str("unlimited"),
            Duration::Of(number, unit) => write!(f, "{number}{}", unit.row().0),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::Date;

    use super::Duration;

    #[test]
    fn says_how_long() {
        let words = |text: &str| Duration::parse(text).unwrap().in_words();
        assert_eq!(
            ["90d", "1y", "24h", "unlimited"].map(words),
            ["90 days", "1 year", "24 hours", "unlimited"]
        );
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
        assert_eq!(all.map(|d| d.to_string()), ["24h", "1m", "1y", "365d", "unlimited"]);
    }

    #[test]
    fn is_added_by_the_calendar() {
        let day = |text: &str| text.parse::<Date>().unwrap();
        let after = |from: &str, long: &str| Duration::parse(long).unwrap().after(day(from));
        assert_eq!(after("2027-03-01", "1y"), Some(day("2028-03-01")));
        assert_eq!(after("2027-02-28", "12m"), Some(day("2028-02-28")));
        assert_eq!(after("2028-01-31", "1m"), Some(day("2028-02-29")));
        assert_eq!(after("2028-01-31", "36h"), Some(day("2028-02-01")));
        assert_eq!(after("2028-01-31", "unlimited"), None);
        assert_eq!(after("2028-01-31", "99999999y"), None);
    }
}
