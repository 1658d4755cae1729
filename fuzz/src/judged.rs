//! A world that was read and judged, and what must hold of it.

use ringfence::finding::Audit;
use ringfence::source::Sources;
use ringfence::testing::certificate;
use ringfence::vocabulary::Word;
use ringfence::{
    Certificate, Expected, Format, Options, Places, Report, Request, World, audit, digests, load,
};

pub struct Judged {
    pub world: World,
    pub sources: Sources,
    pub files: Vec<(String, String)>,
    options: Options,
    pub audit: Audit,
}

/// How all is judged.
pub fn options() -> Options {
    Options::new(jiff::civil::date(2026, 11, 23))
}

pub fn fingerprints(audit: &Audit) -> Vec<&str> {
    audit.findings.iter().map(|finding| finding.fingerprint.as_str()).collect()
}

impl Judged {
    /// `None`: it is refused.
    pub fn new(request: &Request, options: Options) -> Option<Self> {
        let mut sources = Sources::new();
        let world = match load(request, &mut sources) {
            Ok(world) => world,
            Err(mistakes) => {
                assert!(!mistakes.is_empty(), "it is refused without a word");
                return None;
            }
        };
        let audit = audit(&world, &sources, &options);
        let files = digests(&sources);
        Some(Judged { world, sources, files, options, audit })
    }

    pub fn fingerprints(&self) -> Vec<&str> {
        fingerprints(&self.audit)
    }

    /// The result as JSON.
    pub fn said(&self) -> String {
        Report::new(&self.audit).render(Format::Json).expect("it is written")
    }

    /// The report in one of the formats.
    pub fn reported(&self, which: usize) -> String {
        let report = Report {
            places: Places::new(&self.sources),
            world: Some(&self.world),
            sources: Some(&self.sources),
            ..Report::new(&self.audit)
        };
        report.render(Format::ALL[which % Format::ALL.len()]).expect("it is written")
    }

    pub fn certificate(&self) -> Vec<u8> {
        let mut written = Vec::new();
        certificate::write(&self.world, &self.files, &self.options, &self.audit, &mut written)
            .expect("it is written");
        written
    }

    /// It can be reported, in one of the formats, and its certificate holds.
    pub fn all_holds(&self, which: usize) {
        self.reported(which);
        let read: Certificate = serde_json::from_slice(&self.certificate()).expect("it is read");
        let Options { day, scope, .. } = self.options.clone();
        let expected = Expected { day, scope, allow_empty: true };
        let failures = certificate::verify(&read, &self.world, &self.files, &expected).failures;
        assert!(failures.is_empty(), "{failures:#?}");
    }
}
