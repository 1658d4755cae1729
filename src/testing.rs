//! The insides that this repository's own tests, benchmarks and fuzz targets look at. This module is no
//! part of the interface: its items change without notice.

pub use crate::declare::packs;
pub use crate::read::{input, yaml};
pub use crate::report::diagram;
pub use crate::verify::certificate;

pub mod bits {
    pub use crate::base::bits::LeafSet;
}
pub mod bundle {
    pub use crate::verify::bundle::{Bundle, Unreadable};
}
pub mod config {
    pub use crate::declare::config::Setting;
}
pub mod decode {
    pub use crate::read::decode::{Decoder, Spanned};
}
pub mod diagnostic {
    pub use crate::base::diagnostic::TOLD;
}
pub mod edit {
    pub use crate::report::edit::{NewWaiver, quoted, with_waiver};
}
pub mod explain {
    pub use crate::report::explain::{entries, index, page};
}
pub mod files {
    pub use crate::read::files::DISK;
}
pub mod glob {
    pub use crate::base::glob::Glob;
}
pub mod graph {
    pub use crate::flow::graph::Graph;
}
pub mod holdings {
    pub use crate::flow::holdings::Holdings;
}
pub mod inventory {
    pub use crate::declare::inventory::{Terms, declared_taxonomy};
}
pub mod analysis {
    pub use crate::audit::analysis::{Analysis, On, RuleRef, origins};
}
pub mod limits {
    pub use crate::base::limits::Allowance;
}
pub mod matching {
    pub use crate::model::matching::Matching;
}
pub mod model {
    pub use crate::model::{Counting, FlowId, Id, Model};
}
pub mod policy {
    pub use crate::declare::policy::{Body, Policy, covering, policy};
}
pub mod policy_test {
    pub use crate::policy_test::{Suite, coverage, read, run};
}
pub mod propagate {
    pub use crate::flow::propagate::{Restorable, assume};
}
pub mod query {
    pub use crate::query::{
        Calendar, EditKind, Exposure, Fix, FixAsked, Interval, Question, Reached, Recall, Recalled, Trace,
        Unfixable, calendar, exposure, fix, recall, trace,
    };
    pub use crate::report::answer::{CalendarFormat, Format};
    pub use crate::report::dispose::{Statement, disposed};
}
pub mod report {
    pub use crate::report::{answer_schemas, difference_schema, promises_schema, schema};
}
pub mod rule_keys {
    pub use crate::compare::rules::{KEYS, Stricter};
}
pub mod rules {
    pub use crate::audit::rules::{Decided, forbidden, relied};
}
pub mod settings {
    pub use crate::compare::settings::row;
}
pub mod fields {
    pub use crate::declare::fields::{Class, Declaration, FIELDS, Reader, asked_of, find};
}
pub mod taxonomy {
    pub use crate::base::taxonomy::{Key, Match, Tree};
}
pub mod visible {
    pub use crate::base::visible::is_hidden;
}
#[cfg(feature = "exchange")]
pub mod exchange {
    pub use crate::exchange::aka::{Image, Inverse, Vague};
    pub use crate::exchange::fate::Code;
    pub use crate::exchange::fides::keys;
    pub use crate::exchange::loss::schema;
    pub use crate::exchange::mapping::Mapping;
    pub use crate::exchange::table::Options;
    pub use crate::exchange::{Asked, Format, Imported, import, trees};
}
