//! The data categories that generated flows speak of, as sets of leaves.

use crate::random::Random;

/// Leaves of the built-in taxonomy that something originates or derives here.
const LEAVES: &[&str] = &[
    "behaviour.ad_interaction",
    "behaviour.app_activity",
    "behaviour.browsing",
    "behaviour.media",
    "behaviour.search",
    "behaviour.survey",
    "children.account",
    "children.activity",
    "children.profile",
    "commerce.basket",
    "commerce.listing",
    "commerce.loyalty",
    "commerce.purchase",
    "commerce.subscription",
    "communications.call",
    "communications.email",
    "communications.message.attachment",
    "communications.message.content",
    "communications.message.metadata",
    "communications.support",
    "contact.address_book",
    "contact.email",
    "contact.phone",
    "contact.postal_address",
    "credentials.access_token",
    "credentials.bank_login",
    "derived.custom_audience",
    "derived.fraud_score",
    "derived.interest_segment",
    "derived.lookalike_audience",
    "derived.spending_profile",
    "device.advertising_id",
    "device.cookie_id",
    "device.fingerprint",
    "device.id",
    "device.ip_address",
    "device.telemetry",
    "financial.account.balance",
    "financial.account.holder",
    "financial.account.masked_number",
    "financial.account.nickname",
    "financial.account.number",
    "financial.account.rewards",
    "financial.account.statement",
    "financial.account.status",
    "financial.account.terms",
    "financial.account.type",
    "financial.alert.activity",
    "financial.alert.fraud",
    "financial.bill.amount",
    "financial.bill.due_date",
    "financial.bill.issuer",
    "financial.card.authentication.pin",
    "financial.card.authentication.track",
    "financial.card.authentication.verification_code",
    "financial.card.expiry",
    "financial.card.masked_number",
    "financial.card.number",
    "financial.card.token",
    "financial.credit.history",
    "financial.credit.limit",
    "financial.credit.report",
    "financial.credit.score",
    "financial.income.benefits",
    "financial.income.salary",
    "financial.income.source",
    "financial.insurance.claim",
    "financial.insurance.policy",
    "financial.insurance.premium",
    "financial.investment.holding",
    "financial.investment.retirement",
    "financial.investment.trade",
    "financial.loan.balance",
    "financial.loan.repayment",
    "financial.loan.terms",
    "financial.payment.instruction",
    "financial.payment.payee",
    "financial.payment.scheduled",
    "financial.receipt.items",
    "financial.receipt.shipping",
    "financial.receipt.total",
    "financial.routing.number",
    "financial.routing.token",
    "financial.tax",
    "financial.transaction.amount",
    "financial.transaction.category",
    "financial.transaction.date",
    "financial.transaction.memo",
    "financial.transaction.merchant",
    "financial.transaction.place",
    "identity.birth_date",
    "identity.gender",
    "identity.government_id.driving_licence",
    "identity.government_id.national_number",
    "identity.government_id.passport",
    "identity.household",
    "identity.name",
    "identity.nationality",
    "identity.occupation",
    "identity.photo",
    "identity.user_id",
    "location.coarse",
    "location.history",
    "location.precise",
    "social.graph",
    "social.groups",
    "social.likes",
    "social.posts",
    "social.profile",
    "special.health",
    "special.religion",
];

/// A set of leaves.
pub type Leaves = u128;

/// Every category above the leaves, with the leaves below it.
#[derive(Debug)]
pub struct Categories {
    keys: Vec<(&'static str, Leaves)>,
    /// For each leaf the categories that hold it, the leaf first.
    above: Vec<Vec<usize>>,
}

impl Categories {
    /// All of them.
    pub fn new() -> Self {
        let mut keys: Vec<(&'static str, Leaves)> = Vec::new();
        let mut above = Vec::new();
        for (at, leaf) in LEAVES.iter().enumerate() {
            let ends = leaf.match_indices('.').map(|(end, _)| end).chain([leaf.len()]);
            let mut chain = Vec::new();
            for end in ends {
                let key = &leaf[..end];
                let found = keys.iter().position(|(k, _)| *k == key).unwrap_or_else(|| {
                    keys.push((key, 0));
                    keys.len() - 1
                });
                keys[found].1 |= 1 << at;
                chain.push(found);
            }
            chain.reverse();
            above.push(chain);
        }
        Categories { keys, above }
    }

    /// The leaves below one of some categories.
    pub fn leaves(&self, categories: &[&str]) -> Leaves {
        categories
            .iter()
            .map(|name| self.keys.iter().find(|(key, _)| key == name).map_or(0, |(_, leaves)| *leaves))
            .fold(0, |all, leaves| all | leaves)
    }

    /// A category below which something of `held` lies and nothing outside `allowed`.
    /// `breadth` says how likely each step up is taken.
    pub fn draw(
        &self,
        random: &mut Random,
        held: Leaves,
        allowed: Leaves,
        breadth: f64,
    ) -> Option<(&'static str, Leaves)> {
        let mut left = held & allowed;
        let count = left.count_ones() as usize;
        if count == 0 {
            return None;
        }
        for _ in 0..random.below(count) {
            left &= left - 1;
        }
        let chain = &self.above[left.trailing_zeros() as usize];
        let mut found = self.keys[chain[0]];
        for &at in &chain[1..] {
            let (key, leaves) = self.keys[at];
            if leaves & !allowed != 0 || !random.chance(breadth) {
                break;
            }
            found = (key, leaves);
        }
        Some(found)
    }

    /// One to `most` categories, none below another.
    pub fn draw_several(
        &self,
        random: &mut Random,
        held: Leaves,
        allowed: Leaves,
        most: usize,
    ) -> Option<(Vec<&'static str>, Leaves)> {
        let breadth = [0.1, 0.3, 0.8][random.below(3)];
        let wanted = 1 + random.below(most).min(random.below(most));
        let mut drawn: Vec<(&'static str, Leaves)> = Vec::new();
        for _ in 0..wanted {
            let Some((key, leaves)) = self.draw(random, held, allowed, breadth) else {
                break;
            };
            if drawn.iter().all(|(_, other)| other & leaves == 0) {
                drawn.push((key, leaves));
            }
        }
        let all = drawn.iter().fold(0, |all, (_, leaves)| all | leaves);
        (!drawn.is_empty()).then(|| (drawn.into_iter().map(|(key, _)| key).collect(), all))
    }
}

impl Default for Categories {
    fn default() -> Self {
        Categories::new()
    }
}
