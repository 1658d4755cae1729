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

/// The pack of this name.
pub fn pack(id: &str) -> Option<&'static Pack> {
    PACKS.iter().find(|pack| pack.id == id)
}

/// The names of all packs.
pub fn names() -> impl Iterator<Item = &'static str> + Clone {
    PACKS.iter().map(|pack| pack.id)
}
