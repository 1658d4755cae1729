//! What everything speaks in: places in texts, mistakes, words, sets of categories, limits.

pub mod bits;
pub mod cause;
pub mod diagnostic;
pub mod duration;
pub mod finding;
pub mod glob;
pub mod lexicon;
pub mod limits;
pub mod places;
pub mod sets;
pub mod source;
pub mod stages;
pub mod taxonomy;
pub mod visible;
pub mod vocabulary;
