//! A world that was read and judged, and its certificate.

use std::path::Path;

use ringfence::finding::Audit;
use ringfence::source::Sources;
use ringfence::testing::certificate;
use ringfence::vocabulary::{Status, Word};
use ringfence::{Certificate, Expected, Options, Request, Scope, World, audit, digests, load, verify};
use serde_json::Value;

use super::{DAY, samples};
use crate::naive::world::World as Declared;
use crate::naive::{evaluate, write};

/// A world that was read and judged.
pub struct Judged {
    pub world: World,
    pub sources: Sources,
    pub files: Vec<(String, String)>,
    pub options: Options,
    pub audit: Audit,
}

impl Judged {
    pub fn new(inventory: &Path, policies: &[&str], options: Options) -> Self {
        let mut sources = Sources::new();
        let request = Request {
            paths: vec![inventory.to_owned()],
            policies: policies.iter().map(|&p| p.to_owned()).collect(),
            ..Request::default()
        };
        let world = load(&request, &mut sources).unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
        let audit = audit(&world, &sources, &options);
        let files = digests(&sources);
        Judged { world, sources, files, options, audit }
    }

    pub fn sample(name: &str, policies: &[&str]) -> Self {
        Judged::new(&samples().join(name), policies, Options::new(DAY.parse().unwrap()))
    }

    pub fn declared(declared: &Declared, dir: &Path, layout: u64) -> Self {
        write::write(declared, dir, layout);
        let call = &declared.call;
        let status = |word: &String| Status::parse(word).unwrap();
        let mut options = Options::new(evaluate::DAY.parse().unwrap());
        options.scope = Scope {
            as_of: call.as_of.map(|day| day.to_string().parse().unwrap()),
            statuses: call.status.as_ref().map(|list| list.iter().map(status).collect()),
            ..Scope::default()
        };
        let policy = dir.join("policy.yaml");
        Judged::new(&dir.join("inventory"), &[policy.to_str().unwrap()], options)
    }

    pub fn certificate(&self) -> Value {
        self.certificate_of(&self.audit)
    }

    pub fn certificate_of(&self, audit: &Audit) -> Value {
        self.certificate_from(&self.world, audit)
    }

    /// The certificate that is written of these files from another world.
    pub fn certificate_from(&self, world: &World, audit: &Audit) -> Value {
        let mut bytes = Vec::new();
        certificate::write(world, &self.files, &self.options, audit, &mut bytes).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }

    pub fn failures(&self, certificate: &Value) -> Vec<String> {
        let certificate: Certificate = serde_json::from_value(certificate.clone()).unwrap();
        let Options { day, scope, .. } = self.options.clone();
        let expected = Expected { day, scope, allow_empty: true };
        verify(&certificate, &self.world, &self.files, &expected).failures
    }

    pub fn holds(&self) -> Result<(), String> {
        let failures = self.failures(&self.certificate());
        if failures.is_empty() { Ok(()) } else { Err(failures.join("\n")) }
    }
}
