//! Ringfence audits *declared* data sharing between parties: it follows all data along every chain of
//! declared flows and reports where that ends against a rule, a contract's own terms or a public
//! promise.
//!
//! [`load()`] reads an inventory and policies into a [`World`], [`judge()`] finds what is broken, and
//! [`describe()`] puts that into words and places, as an [`Audit`](finding::Audit) that [`render()`] turns
//! into a report. [`compare()`] shows what two audits have and have not in common. [`verify()`] checks a
//! [`Certificate`] without any of the code that judges.
//!
//! The library neither prints nor exits, and does not panic on any input.
//!
//! # Example
//!
//! ```
//! use ringfence::{Date, Format, Options, Request, describe, judge, load, render, source::Sources};
//!
//! let request = Request {
//!     paths: vec!["samples/messenger-banking".into()],
//!     policies: vec!["core".into()],
//!     ..Request::default()
//! };
//! let mut sources = Sources::new();
//! let world = match load(&request, &mut sources) {
//!     Ok(world) => world,
//!     Err(mistakes) => panic!("{} mistakes; the first: {}", mistakes.len(), mistakes[0].message),
//! };
//!
//! let options = Options::new(Date::new(2026, 11, 23)?);
//! let judgement = judge(&world, &options);
//! let audit = describe(&world, &sources, &options, &judgement);
//!
//! assert!(audit.findings.iter().any(|finding| finding.rule == "core/no-financial-advertising"));
//! println!("{}", render(&audit, Format::Json)?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Inside
//!
//! Data moves one way through the modules: text is read (`read`), taken as declarations (`declare`),
//! resolved (`model`), followed (`flow`) and judged (`audit`); questions are asked of it (`query`); the result is compared (`compare`), tested
//! (`policy_test`), reported (`report`) and verified (`verify`); declarations of others are taken over (`exchange`). The command line (`cli`) is the last.
//! Each uses those before it and none behind it.

mod audit;
mod base;
mod cli;
mod compare;
mod declare;
#[cfg(feature = "exchange")]
mod exchange;
mod flow;
mod model;
mod policy_test;
mod query;
mod read;
mod report;
mod verify;

#[doc(hidden)]
pub mod testing;

pub use jiff::civil::Date;

pub use audit::{Judgement, Options, audit, describe_all as describe, evaluate as judge};
pub use base::diagnostic::Diagnostic;
pub use base::limits::Limits;
pub use base::stages::Stages;
pub use base::{cause, finding, source, vocabulary};
pub use compare::{Diff, compare};
pub use declare::baseline::Baseline;
pub use declare::gate;
pub use model::Scope;
pub use model::load::{Request, World, load};
pub use read::files::Files;
pub use read::places::Places;
pub use report::{Format, Look, Report, render};
pub use verify::certificate::{Certificate, Expected, Verified, digests, verify};

/// Runs the `ringfence` command with the arguments of the process: the whole of the program.
#[doc(hidden)]
pub use cli::run as main;
