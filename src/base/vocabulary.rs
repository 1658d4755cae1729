//! The fixed words of declarations and policies, and their order where they
//! have one.

/// A closed set of words that a key may take.
pub trait Word: Copy + Eq + 'static {
    /// What the words are, for errors: "a role".
    const WHAT: &'static str;
    /// All of them, in their order where they have one.
    const ALL: &'static [Self];
    /// The word as written.
    fn word(self) -> &'static str;
    /// The word's value, if it is one of [`Word::ALL`].
    fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|w| w.word() == text)
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident: $what:literal { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $word)] $variant),+ }

        impl $crate::base::vocabulary::Word for $name {
            const WHAT: &'static str = $what;
            const ALL: &'static [Self] = &[$($name::$variant),+];
            fn word(self) -> &'static str {
                match self { $($name::$variant => $word),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str($crate::base::vocabulary::Word::word(*self))
            }
        }
    };
}

pub(crate) use words;

words! {
    /// A built-in check, in the order in which they are shown.
    BuiltIn: "a built-in check" {
        /// Data is used for what its agreement permits.
        Purpose = "terms/purpose",
        /// Data is passed on as its agreement allows.
        Onward = "terms/onward",
        /// Data is kept as long as its agreement allows.
        Retention = "terms/retention",
        /// Data is protected as its agreement demands.
        Safeguards = "terms/safeguards",
        /// A flow has the consent that its agreement asks for.
        Consent = "terms/consent",
        /// What crosses to another party is under an agreement.
        Undocumented = "flow/undocumented",
        /// Who sends and receives has signed.
        ForeignParty = "flow/foreign-party",
        /// Data has a declared origin.
        Unsourced = "flow/unsourced",
        /// What agreements that are over have moved is disposed.
        Ended = "agreement/ended",
    }
}

impl BuiltIn {
    /// The check that a rule's full id names.
    pub fn of(rule: &str) -> Option<Self> {
        Word::parse(rule)
    }

    /// Whether it looks at what is under the terms of agreements.
    pub fn is_of_terms(self) -> bool {
        match self {
            BuiltIn::Purpose
            | BuiltIn::Onward
            | BuiltIn::Retention
            | BuiltIn::Safeguards
            | BuiltIn::Consent => true,
            BuiltIn::Undocumented | BuiltIn::ForeignParty | BuiltIn::Unsourced | BuiltIn::Ended => false,
        }
    }
}

words! {
    /// What a party is to the data.
    Role: "a role" {
        /// Holds accounts or cards of customers.
        Bank = "bank",
        /// Lends, without holding accounts.
        Lender = "lender",
        /// Provides payment services: wallets, account information, initiation of payments.
        PaymentInstitution = "payment_institution",
        /// Moves payments between banks and merchants.
        PaymentNetwork = "payment_network",
        /// Insures.
        Insurer = "insurer",
        /// Reports on people's credit.
        CreditBureau = "credit_bureau",
        /// Runs the service that partners connect to.
        Platform = "platform",
        /// Sells goods or services.
        Merchant = "merchant",
        /// Buys, sells or places advertising.
        AdNetwork = "ad_network",
        /// Trades in data about people it has no relation to.
        DataBroker = "data_broker",
        /// Builds on a platform's interfaces.
        AppDeveloper = "app_developer",
        /// Acts for others.
        Processor = "processor",
        /// Supervises.
        Regulator = "regulator",
        /// Anything else (default).
        Other = "other",
    }
}
words! {
    /// By what the text report puts together what was found.
    By: "a grouping" {
        /// By what has to change.
        Cause = "cause",
        /// By rule, every finding in full.
        Rule = "rule",
        /// By the agreements concerned.
        Agreement = "agreement",
        /// By who the label `owner` names.
        Owner = "owner",
        /// By the parties concerned.
        Party = "party",
    }
}
words! {
    /// Where an agreement stands.
    Status: "a status" {
        /// Under negotiation; counts like the others.
        Proposed = "proposed",
        /// In force (default).
        Active = "active",
        /// Paused; what it moved has not been taken back.
        Suspended = "suspended",
        /// Ended; what it moved has not been taken back.
        Terminated = "terminated",
    }
}
words! {
    /// Who decides what happens with the data.
    Kind: "a kind of agreement" {
        /// The receivers act for themselves (default).
        Sharing = "sharing",
        /// All but the provider act on the provider's behalf.
        Processing = "processing",
    }
}
words! {
    /// What the people concerned have agreed to, weakest first.
    Consent: "a consent" {
        /// Nothing (default).
        None = "none",
        /// They may object.
        OptOut = "opt_out",
        /// They have said yes.
        OptIn = "opt_in",
    }
}
words! {
    /// What is done to the data on the way.
    Transform: "a transform" {
        /// Nothing (default).
        None = "none",
        /// Replaced by tokens.
        Tokenised = "tokenised",
        /// Direct identifiers replaced.
        Pseudonymised = "pseudonymised",
        /// Only sums over many people.
        Aggregated = "aggregated",
        /// No person can be told any more.
        Anonymised = "anonymised",
    }
}
words! {
    /// To whom a receiver may pass data on, strictest first.
    Onward: "an onward_transfer" {
        /// Nobody outside the agreement (default).
        Prohibited = "prohibited",
        /// Those who process for the sender.
        Processors = "processors",
        /// Also companies of the parties' groups.
        Affiliates = "affiliates",
        /// Anybody.
        Permitted = "permitted",
    }
}
words! {
    /// How well a declaration is founded.
    Basis: "a basis" {
        /// From a public source.
        Public = "public",
        /// Assumed, for illustration or for want of knowledge.
        Assumed = "assumed",
    }
}
words! {
    /// How much a finding matters, most severe first.
    Severity: "a severity" {
        /// Most severe.
        Critical = "critical",
        /// Serious.
        High = "high",
        /// Should be fixed.
        Medium = "medium",
        /// Minor.
        Low = "low",
        /// To know.
        Info = "info",
    }
}
words! {
    /// What an arrival's place is to the data that arrives.
    Relation: "a relation" {
        /// The party the data comes from.
        FirstParty = "first_party",
        /// A company of that party's group.
        Affiliate = "affiliate",
        /// Acts for whoever held the data lawfully.
        Processor = "processor",
        /// One sharing away.
        SecondParty = "second_party",
        /// Two or more sharings away.
        ThirdParty = "third_party",
    }
}
words! {
    /// What a rule's legal facts were read in.
    Confidence: "a confidence" {
        /// The text of the provision itself, or a reproduction of it.
        Verified = "verified",
        /// What others write about it.
        Secondary = "secondary",
        /// From memory, not looked up.
        Memory = "memory",
    }
}
words! {
    /// The legal standing of a policy.
    PolicyStatus: "a policy status" {
        /// Law or regulation in force.
        InForce = "in_force",
        /// Its enforcement is barred by a court.
        Enjoined = "enjoined",
        /// Not yet law.
        Proposed = "proposed",
        /// Binding by contract.
        Contractual = "contractual",
        /// A yardstick only.
        Benchmark = "benchmark",
        /// The organisation's own (default).
        House = "house",
        /// Of a rule that its policy added since its major version: no policy states it.
        NewRule = "new_rule",
    }
}

/// A form of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// For people, in a terminal or a mail.
    Text,
    /// For programs: one object, whose shape `schemas/audit.schema.json` states.
    Json,
    /// For services that show findings beside the files: SARIF 2.1.0.
    Sarif,
    /// For build servers: JUnit XML.
    Junit,
    /// For GitHub's workflows: commands that annotate files.
    Github,
    /// For GitLab's merge requests: a Code Quality report.
    Gitlab,
    /// For a comment on a proposed change.
    Markdown,
    /// For spreadsheets: a row for each finding.
    Csv,
    /// For reading, printing and handing over: one page that needs nothing else.
    Html,
    /// The record of processing activities, as a table.
    Ropa,
}

impl Word for Format {
    const WHAT: &'static str = "a format";
    const ALL: &'static [Self] = &[
        Format::Text,
        Format::Json,
        Format::Sarif,
        Format::Junit,
        Format::Github,
        Format::Gitlab,
        Format::Markdown,
        Format::Csv,
        Format::Html,
        Format::Ropa,
    ];

    fn word(self) -> &'static str {
        match self {
            Format::Text => "text",
            Format::Json => "json",
            Format::Sarif => "sarif",
            Format::Junit => "junit",
            Format::Github => "github",
            Format::Gitlab => "gitlab",
            Format::Markdown => "markdown",
            Format::Csv => "csv",
            Format::Html => "html",
            Format::Ropa => "ropa-csv",
        }
    }
}

impl Format {
    /// Whether it says how the audit ended and what was left out.
    pub fn has_verdict(self) -> bool {
        !matches!(self, Format::Gitlab | Format::Csv | Format::Ropa)
    }
}
