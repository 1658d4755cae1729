//! The policies that come with the program.

/// A policy with what explains and tests it.
#[derive(Debug, Clone, Copy)]
pub struct Pack {
    /// Its id, which is also the name of its folder in `policies/`.
    pub id: &'static str,
    /// `policy.yaml`.
    pub policy: &'static str,
    /// `README.md`.
    pub readme: &'static str,
    /// The files in `tests/`: name and text, by name.
    pub tests: &'static [(&'static str, &'static str)],
}

macro_rules! packs {
    ($($id:literal [$($test:literal),* $(,)?]),+ $(,)?) => {
        /// All packs, by what they matter for: the house rules first, then the laws.
        pub const PACKS: &[Pack] = &[$(Pack {
            id: $id,
            policy: include_str!(concat!("../../policies/", $id, "/policy.yaml")),
            readme: include_str!(concat!("../../policies/", $id, "/README.md")),
            tests: &[$(($test, include_str!(concat!("../../policies/", $id, "/tests/", $test)))),*],
        }),+];
    };
}

packs! {
    "core" [
        "card-authentication-stays.yaml",
        "credentials-stay.yaml",
        "financial-other-use-needs-opt-in.yaml",
        "no-account-numbers-in-marketing.yaml",
        "no-children-advertising.yaml",
        "no-collapse.yaml",
        "no-financial-advertising.yaml",
        "no-financial-ai-training.yaml",
        "no-financial-brokers.yaml",
        "no-financial-politics.yaml",
        "no-financial-profiling.yaml",
        "no-financial-sale.yaml",
        "no-financial-third-parties.yaml",
        "no-messages-in-advertising.yaml",
        "no-social-credit-decisions.yaml",
        "no-special-advertising.yaml",
        "platform-other-use-needs-opt-in.yaml",
        "purposes-stated.yaml",
        "retention-stated.yaml",
        "safeguards-stated.yaml",
    ],
    "glba" [
        "calfipa-opt-in.yaml",
        "consent-claim-has-consent.yaml",
        "disposal-period.yaml",
        "encrypted-in-transit.yaml",
        "financial-data-needs-opt-out.yaml",
        "no-account-numbers-for-marketing.yaml",
        "no-account-numbers-on-marketing-channels.yaml",
        "no-reuse-after-exception.yaml",
        "one-clients-data-stays-its-own.yaml",
        "onward-as-if-direct.yaml",
        "opt-out-before-sharing.yaml",
        "providers-own-use.yaml",
        "sector-word-for-fintechs.yaml",
        "service-provider-under-notice-and-limit.yaml",
        "service-providers-chosen-and-bound.yaml",
        "servicing-claim-fits-its-purpose.yaml",
    ],
    "fcra" [
        "affiliate-marketing.yaml",
        "affiliate-sharing.yaml",
        "assembled-reports-have-a-permissible-purpose.yaml",
        "brokers-say-whether-they-report.yaml",
        "no-marketing-use.yaml",
        "permissible-purpose.yaml",
        "unlabelled-reports-serve-no-marketing.yaml",
    ],
    "cfpb-1033" [
        "authorisation-renewed-yearly.yaml",
        "authorised-by-the-consumer.yaml",
        "kept-no-longer-than-authorised.yaml",
        "no-ads-cross-selling-or-sale.yaml",
        "no-consumer-credentials.yaml",
        "obligations-flow-down.yaml",
        "only-what-the-product-needs.yaml",
        "onward-only-if-needed.yaml",
        "processors-and-affiliates-are-bound.yaml",
        "revocation-offered.yaml",
        "security-programme.yaml",
    ],
    "gdpr" [
        "adequacy-claim-names-an-adequate-place.yaml",
        "combining-needs-an-assessment.yaml",
        "criminal-data-under-authority.yaml",
        "deleted-or-returned-at-the-end.yaml",
        "instructions-have-a-purpose.yaml",
        "joint-controllers-have-an-arrangement.yaml",
        "no-incompatible-advertising.yaml",
        "one-clients-data-stays-its-own.yaml",
        "own-purposes-at-a-processor.yaml",
        "pixels-have-an-arrangement.yaml",
        "processors-do-not-use-data-for-themselves.yaml",
        "processors-have-a-contract.yaml",
        "processors-keep-a-record.yaml",
        "purposes-that-may-be-a-processors-own.yaml",
        "retention-stated.yaml",
        "scoring-has-safeguards.yaml",
        "sharing-has-a-lawful-basis.yaml",
        "special-categories-have-a-condition.yaml",
        "special-categories-not-for-advertising.yaml",
        "special-categories-not-for-own-marketing.yaml",
        "sub-processors-are-approved-and-bound.yaml",
        "systems-say-where-they-are.yaml",
        "transfers-have-a-footing.yaml",
    ],
    "uk-gdpr" [
        "deleted-or-returned-at-the-end.yaml",
        "electronic-marketing.yaml",
        "joint-controllers-have-an-arrangement.yaml",
        "one-clients-data-stays-its-own.yaml",
        "processors-have-a-contract.yaml",
        "processors-own-purposes.yaml",
        "recognised-interest-fits.yaml",
        "reuse-is-compatible.yaml",
        "sharing-has-a-lawful-basis.yaml",
        "significant-decisions-have-safeguards.yaml",
        "special-categories-have-a-condition.yaml",
        "sub-processors-are-approved-and-bound.yaml",
        "terminal-equipment.yaml",
        "transfers-have-a-footing.yaml",
    ],
    "swiss-fadp" [
        "bank-secrecy.yaml",
        "disclosure-abroad.yaml",
        "one-clients-data-stays-its-own.yaml",
        "processors-have-a-contract.yaml",
    ],
    "singapore" [
        "banking-secrecy.yaml",
        "consent-or-exception.yaml",
        "no-further-disclosure.yaml",
        "outsourcing-registered.yaml",
        "transfer-with-comparable-protection.yaml",
    ],
    "ccpa" [
        "children-opt-in.yaml",
        "compensated-flows-offer-opt-out.yaml",
        "contract-states-the-purpose.yaml",
        "institutions-visitors-can-opt-out.yaml",
        "minors-services-opt-in.yaml",
        "opt-out-before-sale.yaml",
        "opt-out-before-sharing-for-ads.yaml",
        "opt-out-path-offered.yaml",
        "other-states-opt-out.yaml",
        "providers-do-no-cross-context-ads.yaml",
        "providers-do-not-combine.yaml",
        "providers-own-use.yaml",
        "receivers-are-bound.yaml",
        "retention-disclosed.yaml",
        "risk-assessed-before-sharing.yaml",
        "sensitive-data-can-be-limited.yaml",
    ],
    "pci-dss" [
        "account-data-has-a-period.yaml",
        "authentication-data-for-authorisation-only.yaml",
        "authentication-data-not-kept.yaml",
        "card-numbers-encrypted-on-open-networks.yaml",
        "service-providers-answer-for-card-data.yaml",
        "stored-card-numbers-unreadable.yaml",
    ],
    "psd2" [
        "account-information-for-the-service-only.yaml",
        "account-information-stays-out-of-the-group.yaml",
        "account-information-stays-with-the-service.yaml",
        "explicit-consent-to-payment-initiation.yaml",
        "explicit-consent.yaml",
        "no-sensitive-payment-data.yaml",
        "payment-initiation-for-the-payment-only.yaml",
    ],
    "uk-open-banking" [
        "ais-for-the-service-only.yaml",
        "ais-on-explicit-consent.yaml",
        "consent-reconfirmed-in-90-days.yaml",
        "onward-on-instruction.yaml",
        "pis-for-the-payment-only.yaml",
    ],
    "cdr" [
        "no-direct-marketing.yaml",
        "use-with-consent.yaml",
    ],
    "dora" [
        "contracts-are-registered.yaml",
        "contracts-have-what-is-asked.yaml",
        "critical-contracts-have-more.yaml",
        "hosting-says-whether-it-is-ict.yaml",
        "places-are-declared.yaml",
    ],
    "dma-dsa" [
        "no-ads-by-special-categories.yaml",
        "no-cross-use.yaml",
        "third-parties-data-not-combined.yaml",
        "third-parties-data-not-for-ads.yaml",
    ],
    "ftc-promises" [
        "access-ends-with-deletion.yaml",
        "beyond-settings-needs-consent.yaml",
        "copies-end-with-deletion.yaml",
        "incidents-are-reported.yaml",
        "material-use-is-told.yaml",
        "no-passwords-to-other-services.yaml",
        "onward-access-is-told.yaml",
        "promise-stands-in-agreement.yaml",
        "security-phone-numbers-stay.yaml",
    ],
    "fida-psr" [
        "account-information-for-the-service-only.yaml",
        "only-for-the-service-asked-for.yaml",
        "permission-given.yaml",
    ],
}

/// The last major versions before those in `PACKS`, where there are any.
const EARLIER: &[(&str, &str)] = &[
    ("core", include_str!("../../policies-earlier/core-1.yaml")),
    ("glba", include_str!("../../policies-earlier/glba-1.yaml")),
    ("gdpr", include_str!("../../policies-earlier/gdpr-1.yaml")),
    ("ccpa", include_str!("../../policies-earlier/ccpa-1.yaml")),
    ("pci-dss", include_str!("../../policies-earlier/pci-dss-1.yaml")),
    ("psd2", include_str!("../../policies-earlier/psd2-1.yaml")),
    ("dma-dsa", include_str!("../../policies-earlier/dma-dsa-1.yaml")),
];

/// The text of a policy that comes with the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carried {
    /// What its file is called.
    pub file: String,
    /// The policy.
    pub policy: &'static str,
}

impl Carried {
    /// Its version; the first number of it is the major one.
    fn version(&self) -> &'static str {
        self.policy.lines().find_map(|line| line.strip_prefix("version: ")).unwrap_or_default()
    }

    fn major(&self) -> &'static str {
        self.version().split('.').next().unwrap_or_default()
    }
}

impl Pack {
    /// The versions of it that the program carries, the newest first.
    pub fn carried(&self) -> Vec<Carried> {
        let newest = Carried { file: format!("policies/{}/policy.yaml", self.id), policy: self.policy };
        let mut all = vec![newest];
        for (_, policy) in EARLIER.iter().filter(|(id, _)| *id == self.id) {
            let mut earlier = Carried { file: String::new(), policy };
            earlier.file = format!("policies-earlier/{}-{}.yaml", self.id, earlier.major());
            all.push(earlier);
        }
        all
    }
}

/// The pack that a policy named so is, whatever version is asked for: `core`, `core@1`.
fn of(name: &str) -> Option<&'static Pack> {
    pack(name.split('@').next().unwrap_or(name))
}

/// Whether a policy named so is a pack, whatever version is asked for.
pub fn is_pack(name: &str) -> bool {
    of(name).is_some()
}

/// The text of the pack of this name: the newest, or after an `@` that of a major version.
///
/// # Errors
/// When the program does not carry that version: what it carries.
pub fn carried(name: &str) -> Option<Result<Carried, String>> {
    let pack = of(name)?;
    let mut all = pack.carried();
    let Some((_, asked)) = name.split_once('@') else { return Some(Ok(all.swap_remove(0))) };
    if let Some(found) = all.iter().find(|carried| carried.major() == asked) {
        return Some(Ok(found.clone()));
    }
    let known =
        all.iter().map(|carried| format!("`{}@{}` ({})", pack.id, carried.major(), carried.version()));
    Some(Err(known.collect::<Vec<_>>().join(" and ")))
}

/// The text of a policy of the program, by what its file is called.
pub fn carried_as(file: &str) -> Option<&'static str> {
    let all = PACKS.iter().flat_map(Pack::carried);
    all.into_iter().find(|carried| carried.file == file).map(|carried| carried.policy)
}

/// How a digest begins that pins a file.
pub const DIGEST: &str = "@blake3:";

/// The path of a policy that is no pack, and the digest that pins it: `house.yaml@blake3:…`.
pub fn path_and_digest(name: &str) -> (&str, Option<&str>) {
    match name.rsplit_once(DIGEST) {
        Some((path, digest)) => (path, Some(digest)),
        None => (name, None),
    }
}

/// The pack of this name.
pub fn pack(id: &str) -> Option<&'static Pack> {
    PACKS.iter().find(|pack| pack.id == id)
}

/// The names of all packs.
pub fn names() -> impl Iterator<Item = &'static str> + Clone {
    PACKS.iter().map(|pack| pack.id)
}
