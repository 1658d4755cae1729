//! Rules of policies, and promises, which are rules.

mod exempt;
mod forbid;
mod limit;
mod require;

pub use exempt::{Exempt, Exemption};
pub use forbid::{Decided, Forbidden, WorkedOut, break_without_from, forbidden, relied};
pub use limit::limited;
pub use require::required;

/// Parts of a rule that match nothing at all in the declared world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Idle {
    /// No counting flow or system names its data.
    Data,
    /// No system is its source.
    Source,
    /// No system is its sink, or the place that it limits.
    Sink,
    /// No declaration is its subject.
    Subject,
}
