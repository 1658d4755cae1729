//! Inventories of a size: banks, platforms with many systems, merchants, brokers,
//! advertisers and processors, with circles among them. The same size gives the same
//! inventory.

use std::fmt::Write;

/// How many of each there are.
pub struct Size {
    platforms: usize,
    /// Systems of a platform.
    systems: usize,
    banks: usize,
    merchants: usize,
    advertisers: usize,
    brokers: usize,
    processors: usize,
    /// Systems of a bank, of an advertiser.
    bank: usize,
    advertiser: usize,
    broker: usize,
}

impl Size {
    /// 24, 96 or 360 systems.
    pub fn of(systems: usize) -> Size {
        let size = |numbers: [usize; 10]| {
            let [
                platforms,
                systems,
                banks,
                merchants,
                advertisers,
                brokers,
                processors,
                bank,
                advertiser,
                broker,
            ] = numbers;
            Size {
                platforms,
                systems,
                banks,
                merchants,
                advertisers,
                brokers,
                processors,
                bank,
                advertiser,
                broker,
            }
        };
        match systems {
            24 => size([1, 8, 4, 1, 1, 1, 1, 2, 2, 2]),
            96 => size([1, 26, 12, 4, 6, 3, 4, 3, 2, 2]),
            360 => size([2, 40, 40, 20, 20, 10, 15, 3, 3, 3]),
            other => panic!("no inventory of {other} systems"),
        }
    }
}

/// A declaration, and the kind of list it belongs into.
#[derive(Clone)]
pub struct Declaration {
    pub list: &'static str,
    pub text: String,
}

/// How the declarations are spread over files.
#[derive(Clone, Copy)]
pub enum Files {
    One,
    /// One per declaration, in the opposite order.
    Many,
}

struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((self.0 >> 33) as usize) % end
    }

    fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())]
    }
}

#[derive(Default)]
struct World {
    declarations: Vec<Declaration>,
    flows: usize,
}

const STAGES: [&[(&str, &str)]; 5] = [
    &[("messenger", "service.messaging"), ("pages", "service.social"), ("checkout", "service.payment")],
    &[
        ("event-stream", "analytics.usage"),
        ("identity-resolution", "profiling.matching"),
        ("fraud-signals", "security.fraud"),
    ],
    &[
        ("data-warehouse", "analytics.usage"),
        ("feature-store", "ai_training.own"),
        ("entity-graph", "profiling.enrichment"),
    ],
    &[
        ("audience-builder", "advertising.audiences"),
        ("ranking-model-training", "ai_training.own"),
        ("segment-store", "profiling.segmentation"),
    ],
    &[
        ("ad-ranking", "advertising.ranking"),
        ("ad-measurement", "advertising.measurement"),
        ("partner-reporting-export-service", "analytics.reporting"),
    ],
];
const BANK: [(&str, &str, &str); 3] = [
    ("core-banking", "service.account", "financial.account, financial.transaction, financial.loan"),
    ("messenger-bot", "service.support", "communications.support"),
    ("customer-insight", "analytics.insight", ""),
];
const DATA: [&str; 7] = [
    "behaviour",
    "social.likes",
    "communications.message.metadata",
    "behaviour, social",
    "location.coarse",
    "device.id",
    "financial.transaction, behaviour",
];

impl World {
    fn party(&mut self, id: &str, name: &str, role: &str, systems: &[(String, &str, &str)]) {
        let mut text = format!("id: {id}\nname: \"{name}\"\nrole: {role}\njurisdiction: US\nsystems:\n");
        for (system, purpose, originates) in systems {
            writeln!(
                text,
                "  - {{id: {system}, purposes: [{purpose}], originates: [{originates}], retention: 1y}}"
            )
            .unwrap();
        }
        self.declarations.push(Declaration { list: "parties", text });
    }

    fn flow(&mut self, from: &str, to: &str, data: &str) -> String {
        self.flows += 1;
        format!(
            "{{id: f{}, from: {from}, to: {to}, data: [{data}], safeguards: [encryption_in_transit]}}",
            self.flows
        )
    }

    fn inside(&mut self, from: &str, to: &str, data: &str) {
        let text = self.flow(from, to, data);
        self.declarations.push(Declaration { list: "flows", text });
    }

    /// An agreement with flows: from, to, data.
    fn agreement(&mut self, id: &str, status: &str, parties: [&str; 2], flows: &[(&str, &str, &str)]) {
        let kind = if id.starts_with("processor") { "processing" } else { "sharing" };
        let mut text = format!(
            "id: {id}\nkind: {kind}\nstatus: {status}\nparties: [{1}, {0}]\nlegal_basis: consent\n\
             terms: {{purposes: [service, analytics, advertising, sale, profiling, ai_training, security], \
             onward_transfer: permitted, retention: 2y, safeguards: [encryption_in_transit]}}\n\
             flow_defaults: {{consent: opt_in, safeguards: [encryption_in_transit]}}\nflows:\n",
            parties[0], parties[1]
        );
        for (from, to, data) in flows {
            writeln!(text, "  - {}", self.flow(from, to, data)).unwrap();
        }
        self.declarations.push(Declaration { list: "agreements", text });
    }
}

/// The declarations of an inventory.
pub fn declarations(systems: usize) -> Vec<Declaration> {
    let size = Size::of(systems);
    let (mut world, mut random) = (World::default(), Random(systems as u64));
    let w = &mut world;
    let platforms: Vec<Vec<Vec<String>>> =
        (0..size.platforms).map(|n| platform(w, &mut random, n, size.systems)).collect();
    let at = |random: &mut Random, stage: usize| {
        let platform = &platforms[random.below(platforms.len())];
        platform[stage][random.below(platform[stage].len())].clone()
    };
    let party = |system: &str| system.split('/').next().unwrap().to_owned();
    for n in 0..size.banks {
        let id = format!("bank-{n:02}");
        let systems: Vec<_> =
            BANK.iter().take(size.bank).map(|(s, p, o)| ((*s).to_owned(), *p, *o)).collect();
        w.party(&id, &format!("{} Bank & Trust Company", NAMES[n % NAMES.len()]), "bank", &systems);
        let (core, bot) = (format!("{id}/core-banking"), format!("{id}/messenger-bot"));
        let to = at(&mut random, 0);
        let status = ["active", "proposed", "active", "terminated"][n % 4];
        let mut flows = vec![(core.as_str(), to.as_str(), "financial.account.balance")];
        if n % 3 != 1 {
            flows.push((&core, &to, "financial.transaction"));
        }
        flows.push((&to, &bot, "communications.message"));
        w.agreement(&format!("{id}-linking"), status, [&id, &party(&to)], &flows);
        w.inside(&core, &bot, "financial.account");
        if size.bank > 2 {
            let insight = format!("{id}/customer-insight");
            w.inside(&core, &insight, "financial.transaction");
            if n % 4 == 2 {
                let from = at(&mut random, 3);
                let flows = [(from.as_str(), insight.as_str(), "behaviour")];
                w.agreement(&format!("{id}-audiences"), "proposed", [&id, &party(&from)], &flows);
            }
        }
    }
    for n in 0..size.merchants {
        let id = format!("merchant-{n:02}");
        let shop = [
            ("web-shop".to_owned(), "service.order", "commerce, behaviour.browsing"),
            ("loyalty".to_owned(), "marketing.loyalty", ""),
        ];
        w.party(&id, &format!("{} Stores", NAMES[(n + 7) % NAMES.len()]), "merchant", &shop);
        let (from, to) = (format!("{id}/web-shop"), at(&mut random, 1));
        let flows = [
            (from.as_str(), to.as_str(), "commerce.purchase"),
            (from.as_str(), to.as_str(), "behaviour.browsing"),
        ];
        w.agreement(&format!("{id}-pixel"), "active", [&id, &party(&to)], &flows);
        w.inside(&from, &format!("{id}/loyalty"), "commerce.purchase");
    }
    for n in 0..size.advertisers {
        let id = format!("advertiser-{n:02}");
        let all = [
            ("bidding", "advertising.third_party"),
            ("campaigns", "advertising.measurement"),
            ("lookalike-modelling", "advertising.audiences"),
        ];
        let systems: Vec<_> =
            all.iter().take(size.advertiser).map(|(s, p)| ((*s).to_owned(), *p, "")).collect();
        w.party(&id, &format!("{} Media", NAMES[(n + 3) % NAMES.len()]), "ad_network", &systems);
        let (from, bidding, campaigns) =
            (at(&mut random, 4), format!("{id}/bidding"), format!("{id}/campaigns"));
        let mut flows = vec![(from.as_str(), bidding.as_str(), "behaviour")];
        // What they measure goes back: a circle.
        if n % 2 == 0 {
            flows.push((&campaigns, &from, "behaviour.ad_interaction"));
        }
        w.agreement(&format!("{id}-buying"), "active", [&id, &party(&from)], &flows);
        w.inside(&bidding, &campaigns, "behaviour");
        if size.advertiser > 2 {
            w.inside(&campaigns, &format!("{id}/lookalike-modelling"), "behaviour");
            w.inside(&format!("{id}/lookalike-modelling"), &bidding, "behaviour");
        }
    }
    for n in 0..size.brokers {
        let id = format!("broker-{n:02}");
        let all = [
            ("acquisition", "sale.records", "identity, commerce.loyalty"),
            ("profile-store", "profiling.enrichment", ""),
            ("delivery", "sale.records", ""),
        ];
        let systems: Vec<_> =
            all.iter().take(size.broker).map(|(s, p, o)| ((*s).to_owned(), *p, *o)).collect();
        w.party(&id, &format!("{} Data", NAMES[(n + 5) % NAMES.len()]), "data_broker", &systems);
        let store = format!("{id}/profile-store");
        w.inside(&format!("{id}/acquisition"), &store, "identity, commerce.loyalty");
        let to = format!("advertiser-{:02}/bidding", random.below(size.advertisers));
        w.agreement(&format!("{id}-sale"), "active", [&id, &party(&to)], &[(&store, &to, "identity")]);
        let back = at(&mut random, 2);
        let flows = [
            (store.as_str(), back.as_str(), "identity.household"),
            (back.as_str(), store.as_str(), "behaviour.app_activity"),
        ];
        w.agreement(&format!("{id}-exchange"), "suspended", [&id, &party(&back)], &flows);
    }
    for n in 0..size.processors {
        let id = format!("processor-{n:02}");
        let systems = [
            ("hosting".to_owned(), "service.operation", ""),
            ("support-desk".to_owned(), "service.support", ""),
        ];
        w.party(&id, &format!("{} Services GmbH", NAMES[(n + 11) % NAMES.len()]), "processor", &systems);
        let hosting = format!("{id}/hosting");
        for k in 0..2 {
            let core = format!("bank-{:02}/core-banking", (n * 3 + k * 2) % size.banks);
            let flows = [
                (core.as_str(), hosting.as_str(), "financial.account"),
                (hosting.as_str(), core.as_str(), "financial.account.status"),
            ];
            w.agreement(&format!("{id}-for-{k}"), "active", [&id, &party(&core)], &flows);
        }
        w.inside(&hosting, &format!("{id}/support-desk"), "financial.account");
    }
    world.declarations
}

const NAMES: [&str; 13] = [
    "First Meridian",
    "Harbor",
    "Cascade",
    "Old Colony",
    "Pinewood",
    "Granite State",
    "Lakeshore",
    "Summit",
    "Redwood",
    "Blue Ridge",
    "Twin Rivers",
    "Copper Canyon",
    "Northfield",
];

/// A platform: stages of systems, each fed by the one before, and a circle.
fn platform(w: &mut World, random: &mut Random, number: usize, systems: usize) -> Vec<Vec<String>> {
    let id = format!("platform-{number}");
    let mut stages: Vec<Vec<String>> = vec![Vec::new(); STAGES.len()];
    let mut declared = Vec::new();
    for n in 0..systems {
        let stage = n % STAGES.len();
        let (name, purpose) = STAGES[stage][(n / STAGES.len()) % STAGES[stage].len()];
        let round = n / (STAGES.len() * 3);
        let name = if round == 0 { name.to_owned() } else { format!("{name}-{}", round + 1) };
        let originates =
            if stage == 0 { "behaviour, communications.message, social, location, device" } else { "" };
        stages[stage].push(format!("{id}/{name}"));
        declared.push((name, purpose, originates));
    }
    w.party(&id, &format!("Platform {}, Inc.", number + 1), "platform", &declared);
    for (a, b) in (0..STAGES.len() - 1).map(|s| (s, s + 1)) {
        for from in stages[a].clone() {
            let to = random.pick(&(0..stages[b].len()).collect::<Vec<_>>());
            let data = DATA[random.below(DATA.len())];
            w.inside(&from, &stages[b][to].clone(), data);
            if random.below(3) == 0 {
                w.inside(&from, &stages[b][to].clone(), "device.id");
            }
        }
        for to in stages[b].clone() {
            if random.below(2) == 0 {
                let from = random.below(stages[a].len());
                w.inside(&stages[a][from].clone(), &to, DATA[random.below(DATA.len())]);
            }
        }
    }
    // The model's results go back to where data comes in; some stages are passed over.
    w.inside(&stages[4][0].clone(), &stages[1][0].clone(), "behaviour.ad_interaction");
    w.inside(&stages[0][0].clone(), &stages[3][0].clone(), "social.likes");
    stages
}

/// Writes an inventory's files: their names and texts.
pub fn files(declarations: &[Declaration], files: Files) -> Vec<(String, String)> {
    let indented = |text: &str| {
        let mut lines = text.lines();
        let first = lines.next().unwrap_or_default();
        std::iter::once(format!("  - {first}\n"))
            .chain(lines.map(|l| format!("    {l}\n")))
            .collect::<String>()
    };
    match files {
        Files::One => {
            let mut text = String::new();
            for list in ["parties", "agreements", "flows"] {
                writeln!(text, "{list}:").unwrap();
                for declaration in declarations.iter().filter(|d| d.list == list) {
                    text.push_str(&indented(&declaration.text));
                }
            }
            vec![("all.yaml".to_owned(), text)]
        }
        Files::Many => declarations
            .iter()
            .rev()
            .enumerate()
            .map(|(n, d)| (format!("{n:04}.yaml"), format!("{}:\n{}", d.list, indented(&d.text))))
            .collect(),
    }
}
