//! For whom a page is written: each reader gets the parts that they need.

use serde::Serialize;

use crate::base::vocabulary::Word;

/// Who reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Who decides: the first page, the parties, the causes, and what the result rests on.
    Board,
    /// Who works on it: everything but the record of processing.
    Analyst,
    /// Who supervises: everything but the calendar and the picture of systems.
    Regulator,
}

impl Word for Audience {
    const WHAT: &'static str = "an audience";
    const ALL: &'static [Self] = &[Audience::Board, Audience::Analyst, Audience::Regulator];

    fn word(self) -> &'static str {
        match self {
            Audience::Board => "board",
            Audience::Analyst => "analyst",
            Audience::Regulator => "regulator",
        }
    }
}

/// Which parts are written besides the first page, the parties, the causes, what the result rests on and the
/// method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Shows {
    /// The findings of each cause.
    pub findings: bool,
    /// The picture of systems.
    pub systems: bool,
    /// The contracts with their terms, and the processors.
    pub contracts: bool,
    /// The parties and what they come to hold.
    pub parties: bool,
    /// What is over and what ends soon.
    pub calendar: bool,
    /// The record of processing.
    pub record: bool,
    /// The notices.
    pub notices: bool,
}

impl Shows {
    /// What an audience needs; everything where none is named.
    pub fn of(audience: Option<Audience>) -> Self {
        let all = |is: bool| Shows {
            findings: is,
            systems: is,
            contracts: is,
            parties: is,
            calendar: is,
            record: is,
            notices: is,
        };
        match audience {
            None => all(true),
            Some(Audience::Board) => all(false),
            Some(Audience::Analyst) => Shows { record: false, ..all(true) },
            Some(Audience::Regulator) => Shows { calendar: false, systems: false, ..all(true) },
        }
    }
}
