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
        "consent-claim-has-consent.yaml",
        "disposal-period.yaml",
        "encrypted-in-transit.yaml",
        "no-account-numbers-for-marketing.yaml",
        "no-account-numbers-on-marketing-channels.yaml",
        "no-reuse-after-exception.yaml",
        "onward-as-if-direct.yaml",
        "opt-out-before-sharing.yaml",
        "service-provider-under-notice-and-limit.yaml",
        "service-providers-chosen-and-bound.yaml",
        "servicing-claim-fits-its-purpose.yaml",
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
        "combining-needs-an-assessment.yaml",
        "joint-controllers-have-an-arrangement.yaml",
        "no-incompatible-advertising.yaml",
        "processors-have-a-contract.yaml",
        "retention-stated.yaml",
        "sharing-has-a-lawful-basis.yaml",
        "special-categories-not-for-advertising.yaml",
        "sub-processors-are-approved-and-bound.yaml",
        "transfers-have-a-footing.yaml",
    ],
    "ccpa" [
        "children-opt-in.yaml",
        "compensated-flows-offer-opt-out.yaml",
        "contract-states-the-purpose.yaml",
        "minors-services-opt-in.yaml",
        "opt-out-before-sale.yaml",
        "opt-out-before-sharing-for-ads.yaml",
        "opt-out-path-offered.yaml",
        "providers-do-no-cross-context-ads.yaml",
        "providers-do-not-combine.yaml",
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
        "account-information-stays-with-the-service.yaml",
        "explicit-consent-to-payment-initiation.yaml",
        "explicit-consent.yaml",
        "no-sensitive-payment-data.yaml",
        "payment-initiation-for-the-payment-only.yaml",
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
}

/// The pack of this name.
pub fn pack(id: &str) -> Option<&'static Pack> {
    PACKS.iter().find(|pack| pack.id == id)
}

/// The names of all packs.
pub fn names() -> impl Iterator<Item = &'static str> + Clone {
    PACKS.iter().map(|pack| pack.id)
}
