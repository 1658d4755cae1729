//! Who stands behind further agreements: processors, payment networks, advertisers,
//! developers, shops, brokers, affiliates and a supervisor.

use anyhow::Result;

use crate::banks::{Bank, Cell, Shared};
use crate::core::Core;
use crate::data::Leaves;
use crate::random::Random;
use crate::world::{Flow, PLATFORM, SystemId, World};
use crate::yaml::{Map, Value, text, word, words};

const SAFE: &[&str] = &["encryption_in_transit", "access_control"];
const NAMES: &[&str] =
    &["Vigil", "Kestrel", "Ørsted & Søn", "Brightline", "Maison Réclame", "Pixelforge", "Tally", "Quarry"];

/// What is the same for all agreements of a kind.
struct Deal<'d> {
    id: String,
    kind: &'d str,
    parties: Vec<&'d str>,
    purposes: &'d [&'static str],
    onward: &'d str,
    retention: &'d str,
}

impl Deal<'_> {
    fn value(&self, world: &World, random: &mut Random, flows: Vec<Value>) -> Value {
        let mut map: Map = vec![("id", word(self.id.as_str()))];
        if self.kind == "processing" {
            map.push(("kind", word("processing")));
            map.push(("provider", word(self.parties[0])));
        }
        map.push(("parties", words(&self.parties)));
        match random.below(100) {
            0..=2 => map.push(("status", word("proposed"))),
            3..=4 => map.push(("status", word("terminated"))),
            _ => {}
        }
        if random.chance(0.5) {
            let from = word(format!("20{}-0{}-15", 16 + random.below(10), 1 + random.below(9)));
            map.push(("effective", Value::Map(vec![("from", from)])));
        }
        if random.chance(0.3) {
            map.push(("labels", world.labels(random)));
        }
        let mut terms: Map = vec![
            ("purposes", words(self.purposes)),
            ("onward_transfer", word(self.onward)),
            ("retention", word(self.retention)),
            ("safeguards", words(&SAFE[..1])),
        ];
        if random.chance(0.02) {
            terms.remove(2 * random.below(2));
        }
        map.push(("terms", Value::Map(terms)));
        map.push(("flows", Value::List(flows)));
        Value::Map(map)
    }
}

fn save(
    world: &World,
    kind: &str,
    id: &str,
    party: Option<Value>,
    agreement: Value,
    flows: Vec<Value>,
) -> Result<()> {
    let mut random = world.random(&format!("place of {id}"));
    let mut sections = Vec::new();
    if let Some(party) = party {
        sections.push(("parties", Value::List(vec![party])));
    }
    sections.push(("agreements", Value::List(vec![agreement])));
    if !flows.is_empty() {
        sections.push(("flows", Value::List(flows)));
    }
    world.write(&format!("partners/{kind}/{:02x}/{id}.yaml", random.below(256)), sections)
}

fn name(random: &mut Random, at: usize) -> String {
    format!("{} {}", random.pick(NAMES), at + 1)
}

/// Processors of the platform: a few cells' data at each.
pub fn clouds(world: &mut World, cells: &[Cell]) -> Result<()> {
    for (at, served) in cells.chunks(4).enumerate() {
        let id = format!("cloud-{at:03}");
        let mut random = world.random(&id);
        let stores: Vec<SystemId> = (0..3)
            .map(|n| world.system(format!("{id}/store-{n}"), &["service.operation"], &[], "30d"))
            .collect();
        let money = world.categories.leaves(&["financial", "identity.name"]);
        let app = world.categories.leaves(&["identity.user_id", "device.id", "device.ip_address"]);
        let mut flows = Vec::new();
        for n in 0..random.between(10, 30) {
            let cell = &served[random.below(served.len())];
            // Whose banks let nobody have it sends only what is the platform's own.
            let allowed = if cell.onward == "prohibited" && !random.chance(0.02) { app } else { money };
            let Some(from) = cell.holder(world, &mut random, allowed) else {
                continue;
            };
            let drawn = world.categories.draw_several(&mut random, world.held(from), allowed, 3);
            let Some((data, leaves)) = drawn else {
                continue;
            };
            let flow = Flow {
                id: format!("store-{n:02}"),
                from,
                to: stores[random.below(3)],
                data,
                leaves,
                purposes: vec!["service.operation"],
                more: vec![("safeguards", words(SAFE)), ("retention", word("30d"))],
                ..Flow::default()
            };
            flows.push(world.flow(&mut random, flow));
        }
        let deal = Deal {
            id: format!("{PLATFORM}-{id}"),
            kind: "processing",
            parties: vec![PLATFORM, &id],
            purposes: &["service", "security"],
            onward: "prohibited",
            retention: "90d",
        };
        let agreement = deal.value(world, &mut random, flows);
        let party = world.declare(&id, &name(&mut random, at), "processor", Vec::new(), &stores);
        save(world, "clouds", &id, Some(party), agreement, Vec::new())?;
    }
    Ok(())
}

/// Payment networks and shared processors, each with many banks.
pub fn banks_own(world: &mut World, banks: &[Bank]) -> Result<()> {
    let mut random = world.random("banks' own partners");
    for (kind, role, count) in
        [("network", "payment_network", 3), ("outsourcer", "processor", (banks.len() / 40).max(1))]
    {
        let is_network = kind == "network";
        for at in 0..count {
            let id = format!("{kind}-{at:03}");
            let receiving = world.system(format!("{id}/intake"), &["service.payment.execution"], &[], "1y");
            let clearing =
                world.system(format!("{id}/clearing"), &["service.payment"], &["financial.receipt"], "180d");
            let systems = [receiving, clearing];
            for bank in banks.iter().skip(at).step_by(count) {
                if !random.chance(if is_network { 0.4 } else { 0.6 }) {
                    continue;
                }
                let own = Leaves::MAX & !world.categories.leaves(&["credentials", "financial.card"]);
                let mut flows = Vec::new();
                for n in 0..random.between(4, 9) {
                    let back = is_network && n % 4 == 3;
                    let (from, to) = if back { (clearing, bank.desk) } else { (bank.core, receiving) };
                    let Some((data, leaves)) =
                        world.categories.draw_several(&mut random, world.held(from), own, 3)
                    else {
                        continue;
                    };
                    let purposes = vec!["service.payment.execution"];
                    let more = vec![("safeguards", words(SAFE)), ("retention", word("90d"))];
                    let id = format!("{kind}-{n:02}");
                    let flow = Flow { id, from, to, data, leaves, purposes, more, ..Flow::default() };
                    flows.push(world.flow(&mut random, flow));
                }
                let deal = Deal {
                    id: format!("{}-{id}", bank.id),
                    kind: if is_network { "sharing" } else { "processing" },
                    parties: vec![&bank.id, &id],
                    purposes: &["service", "security", "legal"],
                    onward: "processors",
                    retention: "1y",
                };
                let agreement = deal.value(world, &mut random, flows);
                save(world, kind, &deal.id, None, agreement, Vec::new())?;
            }
            let party = world.declare(&id, &name(&mut random, at), role, Vec::new(), &systems);
            world.write(&format!("parties/{id}.yaml"), vec![("parties", Value::List(vec![party]))])?;
        }
    }
    Ok(())
}

/// A kind of partner that gets something from the platform, or brings it something.
struct Partner {
    kind: &'static str,
    role: &'static str,
    /// How many flows of the inventory there are for one of them.
    per: usize,
    flows: (usize, usize),
    purposes: &'static [&'static str],
    terms: &'static [&'static str],
    /// What it brings, if it brings something.
    brings: Option<&'static str>,
}

const PARTNERS: &[Partner] = &[
    Partner {
        kind: "advertiser",
        role: "other",
        per: 500,
        flows: (5, 20),
        purposes: &["advertising.measurement", "analytics.reporting"],
        terms: &["advertising", "analytics"],
        brings: None,
    },
    Partner {
        kind: "developer",
        role: "app_developer",
        per: 700,
        flows: (4, 16),
        purposes: &["service.social", "service.messaging"],
        terms: &["service", "security"],
        brings: None,
    },
    Partner {
        kind: "shop",
        role: "merchant",
        per: 800,
        flows: (3, 12),
        purposes: &["advertising.audiences"],
        terms: &["advertising", "analytics"],
        brings: Some("derived.custom_audience"),
    },
    Partner {
        kind: "broker",
        role: "data_broker",
        per: 4000,
        flows: (8, 25),
        purposes: &["sale.insights", "research.market"],
        terms: &["sale", "research"],
        brings: None,
    },
    Partner {
        kind: "exchange",
        role: "ad_network",
        per: 8000,
        flows: (8, 25),
        purposes: &["advertising.third_party.targeted"],
        terms: &["advertising"],
        brings: None,
    },
];

/// Partners of the platform.
pub fn partners(world: &mut World, core: &Core, cells: &[Cell]) -> Result<()> {
    for partner in PARTNERS {
        for at in 0..(world.options.flows / partner.per).max(1) {
            one(world, core, partner, at)?;
        }
    }
    let leaks = (world.options.leaks * cells.len() as f64 / 3.0).ceil() as usize;
    for at in 0..leaks {
        sold(world, &cells[at * 3 % cells.len()], at)?;
    }
    Ok(())
}

fn one(world: &mut World, core: &Core, partner: &Partner, at: usize) -> Result<()> {
    let id = format!("{}-{at:05}", partner.kind);
    let mut random = world.random(&id);
    let purpose = partner.purposes[random.below(partner.purposes.len())];
    let originates: Vec<&'static str> = partner.brings.into_iter().collect();
    let desk = world.system(format!("{id}/desk"), &[purpose], &originates, "90d");
    let archive = world.system(format!("{id}/archive"), &[purpose], &[], "180d");
    let mut flows = Vec::new();
    let mut figures: Leaves = 0;
    for n in 0..random.between(partner.flows.0, partner.flows.1) {
        let mut more: Map = vec![("safeguards", words(&SAFE[..1 + random.below(2)]))];
        let (from, to, drawn) = match partner.brings {
            Some(data) => {
                (desk, core.advertising(&mut random), Some((vec![data], world.categories.leaves(&[data]))))
            }
            None => {
                let from = core.reporting(&mut random);
                let held = world.held(from);
                (from, desk, world.categories.draw_several(&mut random, held, core.shareable(), 4))
            }
        };
        let Some((data, leaves)) = drawn else {
            continue;
        };
        let is_service = purpose.starts_with("service");
        if partner.brings.is_none() {
            if !is_service && random.chance(0.6) {
                more.push(("transform", word("aggregated")));
                figures |= leaves & world.held(from);
            } else {
                more.push(("consent", word("opt_in")));
            }
        }
        let purposes =
            if random.chance(0.1) && partner.brings.is_none() { Vec::new() } else { vec![purpose] };
        let id = format!("{}-{n:02}", partner.kind);
        let flow = Flow { id, from, to, data, leaves, purposes, more, ..Flow::default() };
        flows.push(world.flow(&mut random, flow));
    }
    let mut own = Vec::new();
    if figures != 0 && random.chance(0.5) {
        // Only with consent, so that it is no other use.
        if let Some((data, leaves)) = world.categories.draw_several(&mut random, figures, core.shareable(), 2)
        {
            let more = vec![("safeguards", words(SAFE)), ("consent", word("opt_in"))];
            let purposes = vec![purpose];
            let id = format!("{id}.archive");
            let flow = Flow { id, from: desk, to: archive, data, leaves, purposes, more, ..Flow::default() };
            own.push(world.flow(&mut random, flow));
        }
    }
    let deal = Deal {
        id: format!("{PLATFORM}-{id}"),
        kind: "sharing",
        parties: vec![PLATFORM, &id],
        purposes: partner.terms,
        onward: "prohibited",
        retention: "2y",
    };
    let agreement = deal.value(world, &mut random, flows);
    let party = world.declare(&id, &name(&mut random, at), partner.role, Vec::new(), &[desk, archive]);
    save(world, partner.kind, &id, Some(party), agreement, own)
}

/// Bank data that is sold on: to a broker under an agreement, or to somebody under none.
fn sold(world: &mut World, cell: &Cell, at: usize) -> Result<()> {
    let id = format!("reseller-{at:04}");
    let mut random = world.random(&id);
    let money = world.categories.leaves(&["financial"]) & !world.categories.leaves(&["financial.card"]);
    let Some(from) = cell.holder(world, &mut random, money) else {
        return Ok(());
    };
    let Some((data, leaves)) = world.categories.draw(&mut random, world.held(from), money, 0.2) else {
        return Ok(());
    };
    let shelf = world.system(format!("{id}/shelf"), &["sale.records"], &[], "1y");
    let lists = world.system(format!("{id}/lists"), &["sale.insights"], &[], "1y");
    let hop = |world: &mut World, random: &mut Random, n: usize, from, to| {
        let flow = Flow {
            id: if n == 0 { "records".to_owned() } else { format!("{id}.{n}") },
            from,
            to,
            data: vec![data],
            leaves,
            purposes: vec!["sale.records"],
            more: vec![("safeguards", words(SAFE))],
            ..Flow::default()
        };
        world.flow(random, flow)
    };
    let documented = !at.is_multiple_of(3);
    let first = hop(world, &mut random, usize::from(!documented), from, shelf);
    let second = hop(world, &mut random, 2, shelf, lists);
    let party = world.declare(&id, &name(&mut random, at), "data_broker", Vec::new(), &[shelf, lists]);
    if !documented {
        let sections =
            vec![("parties", Value::List(vec![party])), ("flows", Value::List(vec![first, second]))];
        return world.write(&format!("partners/reseller/{id}.yaml"), sections);
    }
    let deal = Deal {
        id: format!("{PLATFORM}-{id}"),
        kind: "sharing",
        // One names the wrong party.
        parties: if at % 5 == 4 { vec![PLATFORM, "fin-supervisor"] } else { vec![PLATFORM, &id] },
        purposes: &["sale"],
        onward: "permitted",
        retention: "1y",
    };
    let agreement = deal.value(world, &mut random, vec![first]);
    save(world, "reseller", &id, Some(party), agreement, vec![second])
}

/// The supervisor, and affiliates of the platform.
pub fn public(world: &mut World, shared: &Shared, cells: &[Cell]) -> Result<()> {
    let mut random = world.random("public");
    let desk = world.system("fin-supervisor/reports".to_owned(), &["legal.money_laundering"], &[], "180d");
    let reports = world.categories.leaves(&["financial.transaction"]);
    let mut flows = Vec::new();
    for (n, &from) in shared.hub.iter().enumerate().take(12) {
        let Some((data, leaves)) = world.categories.draw(&mut random, world.held(from), reports, 0.2) else {
            continue;
        };
        let flow = Flow {
            id: format!("report-{n:02}"),
            from,
            to: desk,
            data: vec![data],
            leaves,
            purposes: vec!["legal.money_laundering"],
            more: vec![("safeguards", words(SAFE))],
            ..Flow::default()
        };
        flows.push(world.flow(&mut random, flow));
    }
    let deal = Deal {
        id: format!("{PLATFORM}-fin-supervisor"),
        kind: "sharing",
        parties: vec![PLATFORM, "fin-supervisor"],
        purposes: &["legal"],
        onward: "prohibited",
        retention: "5y",
    };
    let agreement = deal.value(world, &mut random, flows);
    let party = world.declare("fin-supervisor", "Financial Supervisor", "regulator", Vec::new(), &[desk]);
    save(world, "public", "fin-supervisor", Some(party), agreement, Vec::new())?;

    let affiliates = ["meridian-pay", "meridian-wallet", "meridian-labs"];
    for (at, id) in affiliates.into_iter().enumerate() {
        let ledger = world.system(format!("{id}/ledger"), &["service.payment"], &[], "90d");
        let money = world.categories.leaves(&["financial.payment", "financial.transaction"]);
        let mut flows = Vec::new();
        for (n, cell) in cells.iter().filter(|c| c.onward == "affiliates").skip(at).step_by(3).enumerate() {
            let Some(from) = cell.holder(world, &mut random, money) else {
                continue;
            };
            let Some((data, leaves)) = world.categories.draw_several(&mut random, world.held(from), money, 2)
            else {
                continue;
            };
            let flow = Flow {
                id: format!("ledger-{n:03}"),
                from,
                to: ledger,
                data,
                leaves,
                purposes: vec!["service.payment.execution"],
                more: vec![("safeguards", words(SAFE))],
                ..Flow::default()
            };
            flows.push(world.flow(&mut random, flow));
        }
        let deal = Deal {
            id: format!("{PLATFORM}-{id}"),
            kind: "sharing",
            parties: vec![PLATFORM, id],
            purposes: &["service"],
            onward: "prohibited",
            retention: "1y",
        };
        let agreement = deal.value(world, &mut random, flows);
        let more = vec![("affiliate_of", word(PLATFORM)), ("contact", text("privacy@meridian.example"))];
        let party = world.declare(id, id, "platform", more, &[ledger]);
        save(world, "affiliates", id, Some(party), agreement, Vec::new())?;
    }
    Ok(())
}
