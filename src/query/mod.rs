//! Questions that an audit raises: where data goes, what is at a place, what changes on which day.
//!
//! Each is one file: what is asked, and the answer as data. What moves where is found by `items`, over the same graph
//! and with the same assumed origins as an audit.

mod calendar;
mod chains;
mod exposure;
mod fix;
mod items;
mod places;
mod recall;
mod trace;

pub use calendar::{AHEAD, Calendar, Entry, Event, Interval, Window, ahead, calendar};
pub use exposure::{Bound, Clause, Downstream, Exposure, Held, Upstream, exposure};
pub use fix::{
    Asked as FixAsked, Cut, Edited, Fix, Kind as EditKind, Made, On as EditOn, Proposal, Target, Unfixable,
    fix,
};
pub use recall::{Deletion, Disposal, Kept, Recall, Recalled, recall};
pub use trace::{Question, Reached, Trace, trace};

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// It names what the inventory does not have.
    #[error(transparent)]
    Unknown(#[from] places::Unknown),
    /// The answer would be too long.
    #[error(transparent)]
    TooMany(#[from] items::TooMany),
}
