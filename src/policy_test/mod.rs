//! Tests of policies: small inventories, and what a rule must find in them and what not.
//!
//! A file of tests stands beside its policy. [`read()`] decodes all of them, resolves their
//! inventories and gives back every mistake; [`run()`] judges them; [`coverage()`] tells what of
//! the rules no test exercises.

mod change;
mod coverage;
mod decode;
mod mutate;
mod read;
mod run;

pub use coverage::{Coverage, coverage};
pub use read::read;
pub use run::{Difference, Outcome, What, run};

use crate::audit::Options;
use crate::base::bits::LeafSet;
use crate::base::glob::Glob;
use crate::base::source::Location;
use crate::model::load::World;

/// All tests that were read, those of a file together and in its order.
#[derive(Debug, Default)]
pub struct Suite {
    /// The tests.
    pub cases: Vec<Case>,
}

/// One test, ready to be judged.
#[derive(Debug)]
pub struct Case {
    /// The file it stands in, as named to the user.
    pub file: String,
    /// Its name, unique in the file.
    pub name: String,
    /// Where it stands.
    pub location: Location,
    /// The rules whose findings count.
    pub judged: Vec<Judged>,
    /// Whether it names the one rule that it is about.
    pub names_rule: bool,
    /// The inventory and the policies.
    pub world: World,
    /// How it is judged.
    pub options: Options,
    /// All findings that must arise; `None`: others may arise as well.
    pub finds: Option<Vec<Expected>>,
    /// What must not arise.
    pub not: Vec<Expected>,
    /// The test whose inventory it changes, by its place in the suite.
    pub based_on: Option<usize>,
    /// How many values it changes.
    pub changes: usize,
}

/// A rule that a test judges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// The place of its policy in the test's world.
    pub policy: usize,
    /// Its place in the policy.
    pub rule: usize,
    /// Its full id.
    pub id: String,
    /// Where it stands: the same rule for all tests that judge it.
    pub location: Location,
}

/// A finding as a test describes it: what is left out may be anything.
#[derive(Debug, Clone)]
pub struct Expected {
    /// The rule's full id.
    pub rule: Option<String>,
    /// Where the data comes from.
    pub source: Option<Name>,
    /// Where it ends up.
    pub sink: Option<Name>,
    /// The flow.
    pub flow: Option<Name>,
    /// What a limit or a requirement is about.
    pub subject: Option<Name>,
    /// The origin leaves, exactly.
    pub data: Option<Data>,
    /// Where it stands.
    pub location: Location,
}

/// A name, or a glob over names.
#[derive(Debug, Clone)]
pub struct Name {
    /// As written.
    pub text: String,
    /// What it matches.
    pub glob: Glob,
}

/// Data as a test describes it.
#[derive(Debug, Clone)]
pub struct Data {
    /// The leaves.
    pub leaves: LeafSet,
    /// The fewest categories that say so.
    pub cover: Vec<String>,
}
