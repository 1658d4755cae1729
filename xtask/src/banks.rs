//! Banks, and the cells of the platform that serve about 25 of them each: what a bank
//! sends stays in its cell, but for fraud scores, figures and leaks.

use anyhow::Result;

use crate::core::Core;
use crate::data::Leaves;
use crate::random::Random;
use crate::world::{Flow, PLATFORM, SystemId, World};
use crate::yaml::{Map, Value, text, word, words};

const PLACES: &[&str] = &[
    "Harbor",
    "Grünwald",
    "Nîmes",
    "Northgate",
    "Ålesund",
    "Castlebrook",
    "São Bento",
    "Lakeside",
    "Łódź",
    "Weston",
];
const KINDS: &[&str] =
    &["Savings Bank", "Credit Union", "Sparkasse", "Banque régionale", "Trust Company", "Building Society"];
const COUNTRIES: &[&str] = &["GB", "US", "DE", "FR", "IE", "NL", "PL", "SE"];
const SERVING: &[&str] = &[
    "service.account.inquiry",
    "service.account.management",
    "service.payment.execution",
    "service.support",
    "service.aggregation",
    "service.budgeting",
    "security.fraud",
    "legal.compliance",
];
const SAFE: &[&str] = &["encryption_in_transit", "access_control"];

/// Where the cells' data comes together.
#[derive(Debug)]
pub struct Shared {
    /// Fraud and money laundering.
    pub hub: Vec<SystemId>,
    /// Aggregated figures.
    pub insights: Vec<SystemId>,
}

/// A cell of the platform, with the terms that its banks sign.
#[derive(Debug)]
pub struct Cell {
    at: usize,
    /// Its systems; the first eight take in what banks send.
    pub systems: Vec<SystemId>,
    /// Whether aggregating ends its agreements' terms.
    pub releases_figures: bool,
    /// To whom its agreements let data pass on.
    pub onward: &'static str,
    retention: &'static str,
    consent: &'static str,
    safeguards: &'static [&'static str],
}

/// A bank, with what its partners may get.
#[derive(Debug)]
pub struct Bank {
    /// Its id.
    pub id: String,
    /// Its system of record.
    pub core: SystemId,
    /// Its fraud desk.
    pub desk: SystemId,
}

const INTAKES: usize = 8;

impl Shared {
    /// The systems; what is in them comes later.
    pub fn build(world: &mut World) -> Self {
        let mut random = world.random("shared");
        let hub = (0..(world.options.flows / 2500).clamp(4, 300)).map(|at| {
            let purpose =
                random.pick(&["security.fraud", "legal.money_laundering", "service.payment.execution"]);
            let id = format!("risk-{at:03}");
            let system = world.platform_system(&id, &[purpose], &[], random.pick(&["90d", "180d", "30d"]));
            (system, at == 0 || random.chance(0.4))
        });
        let hub: Vec<(SystemId, bool)> = hub.collect();
        for &(system, _) in hub.iter().filter(|(_, derives)| *derives) {
            world.derive(system, "financial.transaction", "derived.fraud_score");
        }
        let hub = hub.into_iter().map(|(system, _)| system).collect();
        let insights = (0..(world.options.flows / 5000).clamp(3, 200)).map(|at| {
            let purpose = random.pick(&["analytics.reporting", "analytics.insight"]);
            world.platform_system(&format!("insights-{at:03}"), &[purpose], &[], "180d")
        });
        Shared { hub, insights: insights.collect() }
    }

    /// What goes on where the cells' data has come together.
    pub fn flows(&self, world: &mut World, cells: &[Cell], core: &Core) -> Result<()> {
        let mut random = world.random("shared-flows");
        let score = world.categories.leaves(&["derived.fraud_score"]);
        let shared = world.categories.leaves(&["financial.transaction"]) | score;
        // What a derivation needs comes from a first cell.
        for (n, &system) in self.hub.iter().enumerate() {
            let cell = &cells[n % cells.len()];
            cell.to_hub(world, &mut random, system, &format!("risk-in-{n:03}"), "financial.transaction")?;
        }
        let count = world.options.flows / 25;
        for n in 0..count {
            let from = self.hub[random.below(self.hub.len())];
            let to = self.hub[random.below(self.hub.len())];
            let drawn = world.categories.draw_several(&mut random, world.held(from), shared, 3);
            let Some((data, leaves)) = drawn.filter(|_| from != to) else {
                continue;
            };
            let purposes = vec![world.systems[to].purposes[0]];
            let more = vec![("safeguards", words(SAFE))];
            let flow = Flow {
                id: format!("risk-{n:06}"),
                from,
                to,
                data,
                leaves,
                purposes,
                more,
                ..Flow::default()
            };
            world.internal(&mut random, "risk", flow)?;
        }
        let scoring: Vec<SystemId> =
            self.hub.iter().copied().filter(|&s| world.held(s) & score != 0).collect();
        for cell in cells.iter().filter(|_| !scoring.is_empty()) {
            let from = random.pick(&scoring);
            let id = format!("risk-to-cell-{:04}", cell.at);
            let to = cell.systems[cell.systems.len() - 1];
            let flow = Flow {
                id,
                from,
                to,
                data: vec!["derived.fraud_score"],
                leaves: score,
                purposes: vec!["security.fraud"],
                more: vec![("safeguards", words(SAFE))],
                ..Flow::default()
            };
            world.internal(&mut random, "risk", flow)?;
        }
        let figures = world.categories.leaves(&["financial"]);
        let with: Vec<SystemId> =
            self.insights.iter().copied().filter(|&s| world.held(s) & figures != 0).collect();
        for n in 0..if with.is_empty() { 0 } else { world.options.flows / 100 } {
            let from = with[random.below(with.len())];
            let to = if random.chance(0.2) {
                core.advertising(&mut random)
            } else {
                self.insights[random.below(self.insights.len())]
            };
            let Some((data, leaves)) = world
                .categories
                .draw_several(&mut random, world.held(from), figures, 3)
                .filter(|_| from != to)
            else {
                continue;
            };
            let purposes = vec![world.systems[to].purposes[0]];
            let flow =
                Flow { id: format!("figures-{n:05}"), from, to, data, leaves, purposes, ..Flow::default() };
            world.internal(&mut random, "insights", flow)?;
        }
        Ok(())
    }
}

impl Cell {
    /// A cell with its banks: agreements, the flows within, and what leaves.
    pub fn build(
        world: &mut World,
        at: usize,
        banks: std::ops::Range<usize>,
        shared: &Shared,
        core: &Core,
    ) -> Result<(Self, Vec<Bank>)> {
        let mut random = world.random(&format!("cell-{at}"));
        let country = random.pick(COUNTRIES).to_lowercase();
        let systems = (0..(banks.len() * 2).max(16)).map(|n| {
            let kind = if n < INTAKES { "intake" } else { "svc" };
            let retention = random.pick(&["30d", "90d", "180d", "14d"]);
            let purpose = random.pick(SERVING);
            let originates: &[&'static str] = if n == INTAKES {
                &["identity.user_id", "device.id", "device.ip_address", "behaviour.app_activity"]
            } else {
                &[]
            };
            world.platform_system(
                &format!("pay-{country}-{at:03}-{kind}-{n:02}"),
                &[purpose],
                originates,
                retention,
            )
        });
        let systems: Vec<SystemId> = systems.collect();
        let cell = Cell {
            at,
            systems,
            releases_figures: at == 0 || random.chance(0.6),
            onward: random.pick(&["processors", "processors", "processors", "affiliates", "prohibited"]),
            retention: random.pick(&["1y", "2y", "3y", "5y"]),
            consent: random.pick(&["none", "opt_in", "opt_in", "opt_out"]),
            safeguards: random.pick(&[&SAFE[..1], SAFE, &SAFE[..1]]),
        };
        let mut made = Vec::new();
        for n in banks.clone() {
            made.push(cell.bank(world, n)?);
        }
        cell.within(world, &mut random)?;
        cell.exits(world, &mut random, shared, core)?;
        // What leaks does so at one cell and does not spread.
        let leaks = (world.options.leaks * (at + 1) as f64).ceil() as usize
            - (world.options.leaks * at as f64).ceil() as usize;
        for leak in 0..leaks {
            cell.leak(world, &mut random, leak, core)?;
        }
        Ok((cell, made))
    }

    fn terms(&self, random: &mut Random) -> (Map, &'static [&'static str], &'static str) {
        let mut purposes = vec!["service", "security", "legal"];
        if self.releases_figures {
            purposes.push("analytics");
        }
        let prohibited: &[&str] = random.pick(&[&["advertising"][..], &["advertising", "sale", "political"]]);
        let mut terms: Map = vec![
            ("purposes", words(&purposes)),
            ("prohibited_purposes", words(prohibited)),
            ("onward_transfer", word(self.onward)),
            ("retention", word(self.retention)),
            ("safeguards", words(self.safeguards)),
        ];
        if self.consent != "none" {
            terms.push(("consent", word(self.consent)));
        }
        if self.releases_figures {
            terms.push(("released_by", words(&["aggregated", "anonymised"])));
        }
        let supervisor = vec![("party", word("fin-supervisor")), ("purposes", words(&["legal"]))];
        terms.push(("onward_to", Value::List(vec![Value::Map(supervisor)])));
        if random.chance(0.2) {
            let clause = vec![
                ("ref", text(format!("§{}.{}", 2 + random.below(9), 1 + random.below(5)))),
                (
                    "quote",
                    text(
                        "Partner shall use the Data solely for the purposes set out in Schedule 1, and shall not combine it with data from other sources.",
                    ),
                ),
            ];
            terms.push(("clauses", Value::Map(vec![("purposes", Value::Map(clause))])));
        }
        // Some contracts forgot something.
        if random.chance(0.03) {
            let forgotten = random.pick(&["purposes", "retention", "safeguards"]);
            terms.retain(|(key, _)| *key != forgotten && !(*key == "clauses" && forgotten == "purposes"));
        }
        (terms, self.safeguards, self.consent)
    }

    fn bank(&self, world: &mut World, n: usize) -> Result<Bank> {
        let id = format!("bank-{n:05}");
        let mut random = world.random(&id);
        let sys = |world: &mut World, name: &str, purposes: &[&'static str], orig: &[&'static str], kept| {
            world.system(format!("{id}/{name}"), purposes, orig, kept)
        };
        let own: &[&'static str] = random.pick(&[
            &["financial.account", "financial.transaction", "identity.name", "contact.postal_address"][..],
            &[
                "financial.account",
                "financial.transaction",
                "financial.payment",
                "identity.name",
                "identity.birth_date",
            ],
            &[
                "financial.account",
                "financial.transaction",
                "financial.income",
                "financial.loan",
                "identity.name",
            ],
            &[
                "financial.account",
                "financial.transaction",
                "financial.credit",
                "financial.alert",
                "financial.bill",
            ],
        ]);
        let core = sys(world, "core-banking", &["service.account"], own, "7y");
        let whole_cards = random.chance(0.015);
        let cards: &[&'static str] = if whole_cards {
            &["financial.card"]
        } else {
            &["financial.card.masked_number", "financial.card.token", "financial.card.expiry"]
        };
        let cards = sys(world, "cards", &["service.payment"], cards, "5y");
        let payments =
            sys(world, "payments-hub", &["service.payment.execution"], &["financial.payment"], "2y");
        let desk = sys(world, "fraud-desk", &["security.fraud"], &[], "90d");
        let servicing = sys(world, "servicing", &["service.support", "service.account"], &[], "30d");
        let mut systems = vec![core, cards, payments, desk, servicing];
        let careless = random.chance(0.01);
        if careless {
            systems.push(sys(
                world,
                "login",
                &["security.authentication"],
                &["credentials.bank_login"],
                "90d",
            ));
        }

        // Within the bank.
        let mut internal = Vec::new();
        let everything = Leaves::MAX & !world.categories.leaves(&["credentials", "device"]);
        for at in 0..random.between(4, 12) {
            let from = systems[random.below(3)];
            let to = systems[2 + random.below(3)];
            let drawn = world.categories.draw_several(&mut random, world.held(from), everything, 3);
            let Some((data, leaves)) = drawn.filter(|_| from != to) else {
                continue;
            };
            let purposes = vec![world.systems[to].purposes[0]];
            let id = format!("{id}.{at:02}");
            let flow = Flow { id, from, to, data, leaves, purposes, ..Flow::default() };
            internal.push(world.flow(&mut random, flow));
        }

        let agreement = self.agreement(world, &mut random, &id, &systems, careless);
        let name = format!("{} {} n° {}", random.pick(PLACES), random.pick(KINDS), n + 1);
        let mut more: Map = vec![("jurisdiction", word(random.pick(COUNTRIES)))];
        if random.chance(0.4) {
            more.push(("contact", text(format!("privacy@{id}.example"))));
        }
        if random.chance(0.1) {
            more.push(("title", text(format!("{name} — since {}", 1870 + random.below(140)))));
        }
        let party = world.declare(&id, &name, "bank", more, &systems);
        let shard = format!("{:02x}", random.below(256));
        let mut sections = Vec::new();
        if random.chance(0.6) {
            sections.push(("parties", Value::List(vec![party])));
        } else {
            world
                .write(&format!("parties/{shard}/{id}.yaml"), vec![("parties", Value::List(vec![party]))])?;
        }
        sections.push(("agreements", Value::List(vec![agreement])));
        if !internal.is_empty() {
            sections.push(("flows", Value::List(internal)));
        }
        world.write(&format!("agreements/{shard}/{id}.yaml"), sections)?;
        Ok(Bank { id, core, desk })
    }

    fn agreement(
        &self,
        world: &mut World,
        random: &mut Random,
        bank: &str,
        systems: &[SystemId],
        careless: bool,
    ) -> Value {
        let id = format!("{bank}-{PLATFORM}");
        let (terms, safeguards, consent) = self.terms(random);
        let has = |key: &str| terms.iter().any(|(k, _)| *k == key);
        for (key, rule) in [("purposes", "purposes-stated"), ("retention", "retention-stated")] {
            if !has(key) && random.chance(0.4) {
                let month = 3 + random.below(4);
                world.waivers.push(Value::Map(vec![
                    ("rule", word(format!("core/{rule}"))),
                    ("subject", word(id.as_str())),
                    ("reason", text("To be stated when the contract is renewed.")),
                    ("approved_by", text("J. Doe, DPO")),
                    ("approved_on", word(format!("2026-0{month}-30"))),
                    ("expires", word(format!("2027-0{month}-30"))),
                ]));
            }
        }
        if random.chance(0.01) {
            world.waivers.push(Value::Map(vec![
                ("rule", word("core/no-financial-*")),
                ("source", text(format!("{bank}/*"))),
                ("data", words(&["financial.account"])),
                ("reason", text("A trial with volunteers: ends in the spring.")),
                ("approved_by", text("Zoë Müller")),
                ("approved_on", word("2026-04-30")),
                ("expires", word("2027-04-30")),
                ("ticket", word(format!("PRIV-{}", random.below(5000)))),
            ]));
        }
        let mut map: Map = vec![("id", word(id.as_str()))];
        if random.chance(0.6) {
            map.push(("title", text("Account information and payments in the app")));
        }
        let mut is_disposed = false;
        match random.below(100) {
            0..=2 => map.push(("status", word("proposed"))),
            3..=4 => {
                map.push(("status", word("terminated")));
                is_disposed = random.chance(0.6);
                if is_disposed {
                    let evidence = text(format!("certificate {}", random.below(10_000)));
                    map.push((
                        "disposed",
                        Value::Map(vec![("date", word("2026-03-31")), ("evidence", evidence)]),
                    ));
                }
            }
            5 => map.push(("status", word("suspended"))),
            6..=30 => map.push(("status", word("active"))),
            _ => {}
        }
        map.push(("parties", words(&[bank, PLATFORM])));
        if random.chance(0.7) {
            let mut dates =
                vec![("from", word(format!("20{}-0{}-01", 15 + random.below(11), 1 + random.below(9))))];
            if random.chance(0.5) {
                dates.push(("until", word(format!("20{}-12-31", 27 + random.below(5)))));
            }
            map.push(("effective", Value::Map(dates)));
        }
        if random.chance(0.6) {
            map.push(("legal_basis", word(random.pick(&["consent", "contract", "glba_processing"]))));
        }
        if random.chance(0.3) {
            let dpia = vec![
                ("id", word("dpia")),
                ("evidence", text(format!("docs/dpia-{bank}.pdf"))),
                ("valid_until", word("2027-12-31")),
            ];
            map.push(("assurances", Value::List(vec![word("opt_out_notice"), Value::Map(dpia)])));
        }
        if random.chance(0.4) {
            map.push(("labels", world.labels(random)));
        }
        map.push(("terms", Value::Map(terms)));
        let by_default = random.chance(0.7);
        if by_default {
            let mut defaults = vec![("safeguards", words(safeguards))];
            if consent != "none" {
                defaults.push(("consent", word(consent)));
            }
            map.push(("flow_defaults", Value::Map(defaults)));
        }
        // Between 10 and 100, mostly few.
        let count = (10.0 * 10f64.powf(random.below(1000) as f64 / 1000.0)) as usize;
        let money = Leaves::MAX & !world.categories.leaves(&["credentials", "device"]);
        let mut sent: Vec<(SystemId, &'static str, Leaves)> = Vec::new();
        let mut flows = Vec::new();
        for at in 0..count {
            let mut more: Map = Vec::new();
            let forgetful = random.chance(0.01);
            if !by_default || forgetful {
                more.push(("safeguards", words(safeguards)));
                let consent = if forgetful { "none" } else { consent };
                if forgetful || consent != "none" {
                    more.push(("consent", word(consent)));
                }
            }
            if random.chance(0.2) {
                more.push(("retention", word(random.pick(&["24h", "7d", "30d", "90d"]))));
            }
            if random.chance(0.03) {
                more.push(("terms", Value::Map(vec![("retention", word("1y"))])));
            }
            let flow = if careless && at == 1 {
                Some((
                    systems[5],
                    self.systems[at % INTAKES],
                    vec!["credentials.bank_login"],
                    "security.authentication",
                ))
            } else if at > 2 && random.chance(0.18) {
                let device = ["device.id", "device.ip_address", "identity.user_id"];
                let to = systems[3 + random.below(2)];
                if random.chance(0.4) {
                    let data = vec![device[random.below(3)]];
                    Some((self.systems[INTAKES], to, data, "security.fraud"))
                } else {
                    // A bank gets its own customers' data back, and nobody else's.
                    let (from, data, _) = sent[random.below(sent.len())];
                    more.push(("only_from", words(&[bank])));
                    Some((from, to, vec![data], "service.account.management"))
                }
            } else {
                let from = systems[random.below(3)];
                let to = self.systems[random.below(INTAKES)];
                let purpose = world.systems[to].purposes[0];
                world.categories.draw_several(random, world.held(from), money, 4).map(|(data, leaves)| {
                    let mut own = world.categories.leaves(&[data[0]]) & world.held(from);
                    own &= leaves;
                    if own != 0 {
                        sent.push((to, data[0], own));
                    }
                    (from, to, data, purpose)
                })
            };
            let Some((from, to, data, purpose)) = flow else {
                continue;
            };
            let leaves = world.categories.leaves(&data);
            let purposes = if random.chance(0.1) { Vec::new() } else { vec![purpose] };
            let id = format!("{}-{at:03}", data[0].replace(['.', '_'], "-"));
            let flow = Flow { id, from, to, data, leaves, purposes, more, is_disposed };
            flows.push(world.flow(random, flow));
        }
        map.push(("flows", Value::List(flows)));
        Value::Map(map)
    }

    /// What may move within a cell.
    fn inside(&self, world: &World) -> Leaves {
        world.categories.leaves(&[
            "financial",
            "identity.name",
            "identity.birth_date",
            "identity.user_id",
            "contact.postal_address",
            "device.id",
            "device.ip_address",
            "behaviour.app_activity",
        ])
    }

    fn step(
        &self,
        world: &mut World,
        random: &mut Random,
        id: String,
        from: SystemId,
        to: SystemId,
    ) -> Result<bool> {
        let allowed = self.inside(world);
        let drawn = world.categories.draw_several(random, world.held(from), allowed, 4);
        let Some((data, leaves)) = drawn.filter(|_| from != to) else {
            return Ok(false);
        };
        let mut purposes = vec![world.systems[to].purposes[0]];
        let mut more: Map = Vec::new();
        if !random.chance(0.004) {
            more.push(("safeguards", words(SAFE)));
        }
        if random.chance(0.003) {
            more.push(("retention", word("10y")));
        } else if random.chance(0.1) {
            more.push(("retention", word(random.pick(&["7d", "30d", "72h"]))));
        }
        if random.chance(0.001) {
            purposes = vec!["personalisation.content"];
        } else if random.chance(0.08) {
            purposes.clear();
        }
        if random.chance(0.03) {
            more.push(("transform", word(random.pick(&["tokenised", "pseudonymised"]))));
        }
        if random.chance(0.05) {
            more.push(("consent", word("opt_in")));
        }
        let flow = Flow { id, from, to, data, leaves, purposes, more, ..Flow::default() };
        world.internal(random, &format!("cell-{:03}", self.at), flow)?;
        Ok(true)
    }

    fn within(&self, world: &mut World, random: &mut Random) -> Result<()> {
        let mut count = 0;
        let mut next = || {
            count += 1;
            format!("cell-{:03}-{count:05}", self.at)
        };
        for (at, &to) in self.systems.iter().enumerate().skip(INTAKES + 1) {
            let from = self.systems[random.below(at)];
            self.step(world, random, next(), from, to)?;
        }
        // The last one only takes in.
        let senders = self.systems.len() - 1;
        let share = world.options.flows * 22 / 100;
        let cells = cells(world.options.flows);
        for _ in self.systems.len()..share / cells {
            let from = self.systems[random.below(senders)];
            let to = self.systems[random.below(self.systems.len())];
            self.step(world, random, next(), from, to)?;
        }
        Ok(())
    }

    /// Some system of the cell that holds one of some leaves.
    pub fn holder(&self, world: &World, random: &mut Random, leaves: Leaves) -> Option<SystemId> {
        let holders: Vec<SystemId> =
            self.systems.iter().copied().filter(|&s| world.held(s) & leaves != 0).collect();
        (!holders.is_empty()).then(|| holders[random.below(holders.len())])
    }

    fn to_hub(
        &self,
        world: &mut World,
        random: &mut Random,
        to: SystemId,
        id: &str,
        data: &'static str,
    ) -> Result<()> {
        let leaves = world.categories.leaves(&[data]);
        let Some(from) = self.holder(world, random, leaves) else {
            return Ok(());
        };
        let flow = Flow {
            id: id.to_owned(),
            from,
            to,
            data: vec![data],
            leaves,
            purposes: vec![world.systems[to].purposes[0]],
            more: vec![("safeguards", words(SAFE))],
            ..Flow::default()
        };
        world.internal(random, "risk", flow)
    }

    fn exits(&self, world: &mut World, random: &mut Random, shared: &Shared, core: &Core) -> Result<()> {
        for n in 0..5 {
            let to = shared.hub[random.below(shared.hub.len())];
            let data = random.pick(&[
                "financial.transaction",
                "financial.transaction.amount",
                "financial.transaction.merchant",
                "financial.transaction.date",
            ]);
            self.to_hub(world, random, to, &format!("cell-{:03}-risk-{n}", self.at), data)?;
        }
        let money = world.categories.leaves(&["financial"]);
        for n in 0..if self.releases_figures { 4 } else { 0 } {
            let (Some(from), to) =
                (self.holder(world, random, money), shared.insights[random.below(shared.insights.len())])
            else {
                continue;
            };
            let Some((data, leaves)) = world.categories.draw_several(random, world.held(from), money, 3)
            else {
                continue;
            };
            let transform = random.pick(&["aggregated", "aggregated", "anonymised"]);
            let flow = Flow {
                id: format!("cell-{:03}-figures-{n}", self.at),
                from,
                to,
                data,
                leaves,
                purposes: vec!["analytics.reporting"],
                more: vec![("transform", word(transform)), ("safeguards", words(SAFE))],
                ..Flow::default()
            };
            world.internal(random, "insights", flow)?;
        }
        // The app's own data goes back and forth: that makes one component of all.
        let app = world.categories.leaves(&["identity.user_id", "device.id", "device.ip_address"]);
        for n in 0..6 {
            let (Some(inside), outside) = (self.holder(world, random, app), core.any(random)) else {
                continue;
            };
            let (from, to) = if n % 2 == 0 { (inside, outside) } else { (outside, self.systems[INTAKES]) };
            let Some((data, leaves)) = world.categories.draw_several(random, world.held(from), app, 2) else {
                continue;
            };
            let purposes = vec![world.systems[to].purposes[0]];
            let more = vec![("safeguards", words(SAFE))];
            let id = format!("cell-{:03}-app-{n}", self.at);
            let flow = Flow { id, from, to, data, leaves, purposes, more, ..Flow::default() };
            world.internal(random, "apps", flow)?;
        }
        Ok(())
    }

    /// Bank data goes where it should not, over a system or two.
    fn leak(&self, world: &mut World, random: &mut Random, n: usize, core: &Core) -> Result<()> {
        let money = world.categories.leaves(&["financial"]) & !world.categories.leaves(&["financial.card"]);
        let Some(from) = self.holder(world, random, money) else {
            return Ok(());
        };
        let Some((data, leaves)) = world.categories.draw(random, world.held(from), money, 0.3) else {
            return Ok(());
        };
        let purpose = random.pick(&[
            "advertising.audiences.custom",
            "advertising.profiling",
            "advertising.ranking",
            "profiling.enrichment",
            "ai_training.third_party",
            "analytics.insight",
            "marketing.cross_sell",
        ]);
        let name = format!("lab-{:03}-{n}", self.at);
        let lab = world.platform_system(&name, &[purpose], &[], "180d");
        let hop = |world: &mut World, random: &mut Random, at: usize, from, to, purpose| {
            let flow = Flow {
                id: format!("{name}-{at}"),
                from,
                to,
                data: vec![data],
                leaves,
                purposes: vec![purpose],
                more: vec![("safeguards", words(SAFE))],
                ..Flow::default()
            };
            world.internal(random, "labs", flow)
        };
        hop(world, random, 1, from, lab, purpose)?;
        if random.chance(0.6) {
            let to = core.advertising(random);
            hop(world, random, 2, lab, to, "advertising.ranking")?;
        }
        Ok(())
    }
}

/// How many banks an inventory of so many flows has.
pub fn banks(flows: usize) -> usize {
    (flows / 200).max(2)
}

/// How many cells they are divided into.
pub fn cells(flows: usize) -> usize {
    banks(flows).div_ceil(25)
}
