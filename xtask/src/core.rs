//! The platform's own house: social, search, shopping, advertising and what joins them.
//! One large strongly connected part with a few hubs, and a periphery.

use anyhow::Result;

use crate::data::Leaves;
use crate::random::Random;
use crate::world::{Flow, SystemId, World};
use crate::yaml::{Map, Value, word, words};

/// A part of the platform.
struct Domain {
    name: &'static str,
    weight: usize,
    purposes: &'static [&'static str],
    originates: &'static [&'static str],
}

const DOMAINS: &[Domain] = &[
    Domain {
        name: "identity",
        weight: 5,
        purposes: &["service.operation", "security.authentication"],
        originates: &["identity.user_id", "identity.name", "identity.photo", "device.id"],
    },
    Domain {
        name: "social",
        weight: 10,
        purposes: &["service.social"],
        originates: &["social.graph", "social.likes", "social.groups", "social.posts", "social.profile"],
    },
    Domain {
        name: "messaging",
        weight: 8,
        purposes: &["service.messaging"],
        originates: &[
            "communications.message.content",
            "communications.message.attachment",
            "communications.message.metadata",
        ],
    },
    Domain {
        name: "media",
        weight: 8,
        purposes: &["personalisation.content"],
        originates: &["behaviour.media", "behaviour.app_activity"],
    },
    Domain {
        name: "search",
        weight: 8,
        purposes: &["service.operation"],
        originates: &["behaviour.search", "behaviour.browsing"],
    },
    Domain {
        name: "shopping",
        weight: 8,
        purposes: &["service.order"],
        originates: &["commerce.basket", "commerce.purchase", "commerce.listing", "commerce.subscription"],
    },
    Domain {
        name: "devices",
        weight: 6,
        purposes: &["service.operation", "security.incident"],
        originates: &["device.cookie_id", "device.fingerprint", "device.ip_address", "device.telemetry"],
    },
    Domain {
        name: "places",
        weight: 5,
        purposes: &["service.operation"],
        originates: &["location.coarse", "location.precise", "location.history"],
    },
    Domain {
        name: "warehouse",
        weight: 10,
        purposes: &["analytics.usage", "analytics.improvement", "analytics.reporting"],
        originates: &[],
    },
    Domain { name: "personal", weight: 8, purposes: &["personalisation.recommendation"], originates: &[] },
    Domain {
        name: "ads",
        weight: 12,
        purposes: &["advertising.ranking", "advertising.audiences", "advertising.measurement"],
        originates: &["behaviour.ad_interaction", "device.advertising_id"],
    },
    Domain {
        name: "growth",
        weight: 5,
        purposes: &["marketing.direct", "analytics.insight"],
        originates: &["behaviour.survey"],
    },
    Domain { name: "trust", weight: 7, purposes: &["security.abuse", "security.fraud"], originates: &[] },
    Domain {
        name: "support",
        weight: 5,
        purposes: &["service.support"],
        originates: &["communications.support"],
    },
    Domain { name: "models", weight: 5, purposes: &["ai_training.own"], originates: &[] },
];
const MESSAGING: usize = 2;
const WAREHOUSE: usize = 8;
const ADS: usize = 10;
const TRUST: usize = 12;

/// What stays in a few systems at the edge and reaches nothing, but for a leak.
const EDGES: &[(&str, &str)] = &[
    ("special.health", "service.support"),
    ("children.profile", "service.social"),
    ("children.activity", "service.social"),
    ("communications.call", "service.messaging"),
    ("contact.address_book", "service.social"),
    ("special.religion", "service.social"),
];

/// The platform's own systems.
#[derive(Debug)]
pub struct Core {
    systems: Vec<SystemId>,
    /// Which domain each belongs to.
    domains: Vec<usize>,
    /// Ends of the flows so far, by place in `systems`: who has many gets more.
    ends: Vec<usize>,
    /// May move between any two systems.
    anywhere: Leaves,
    /// May move between messages and those who watch over them.
    messages: Leaves,
    /// May move within advertising.
    audiences: Leaves,
    random: Random,
    count: usize,
    careless: usize,
}

impl Core {
    /// The systems, and as many flows as connect them.
    pub fn build(world: &mut World) -> Result<Self> {
        let mut random = world.random("core");
        let count = (world.options.flows / 100).max(DOMAINS.len());
        let weights: usize = DOMAINS.iter().map(|d| d.weight).sum();
        let (mut systems, mut domains) = (Vec::new(), Vec::new());
        for at in 0..count {
            let domain = if at < DOMAINS.len() {
                at
            } else {
                let mut left = random.below(weights);
                DOMAINS
                    .iter()
                    .position(|d| left.checked_sub(d.weight).map(|l| left = l).is_none())
                    .unwrap_or(0)
            };
            let d = &DOMAINS[domain];
            let purpose = random.pick(d.purposes);
            let mut purposes = vec![purpose];
            if random.chance(0.15) {
                purposes = d.purposes.to_vec();
            }
            let mut originates: Vec<&'static str> = Vec::new();
            if at < DOMAINS.len() {
                originates = d.originates.to_vec();
            } else if !d.originates.is_empty() && random.chance(0.1) {
                originates.push(d.originates[random.below(d.originates.len())]);
            }
            let kept: &[&'static str] = if domain == ADS {
                &["30d", "90d", "180d", "1y"]
            } else {
                &["30d", "90d", "180d", "1y", "2y", "5y", "unlimited"]
            };
            let retention = kept[random.below(kept.len())];
            let id = format!("{}-{at:04}", d.name);
            let system = world.platform_system(&id, &purposes, &originates, retention);
            match domain {
                ADS if random.chance(0.2) => {
                    world.derive(system, "derived.interest_segment", "derived.lookalike_audience");
                }
                WAREHOUSE if random.chance(0.3) => {
                    world.derive(system, "behaviour.app_activity", "derived.interest_segment");
                }
                _ => {}
            }
            systems.push(system);
            domains.push(domain);
        }
        let everything = world.categories.leaves(&[
            "behaviour",
            "commerce",
            "communications",
            "device",
            "location",
            "social",
            "derived.interest_segment",
            "derived.lookalike_audience",
            "identity.user_id",
            "identity.name",
            "identity.photo",
        ]);
        let closed = world.categories.leaves(&["communications.call", "communications.email"]);
        let messages = everything & !closed;
        let content = ["communications.message.content", "communications.message.attachment"];
        let anywhere = messages & !world.categories.leaves(&content);
        let audiences = anywhere | world.categories.leaves(&["derived.custom_audience"]);
        let mut core = Core {
            systems,
            domains,
            ends: Vec::new(),
            anywhere,
            messages,
            audiences,
            random: random.clone(),
            count: 0,
            careless: 0,
        };
        // What every system gets first; derivations need what they are made of to be there.
        for at in DOMAINS.len()..count {
            let from = core.near(at);
            core.connect(world, from, at)?;
        }
        for at in 0..count {
            if core.random.chance(0.75) && at > 0 {
                let to = core.near(at);
                core.connect(world, at, to)?;
            }
        }
        for at in 0..count {
            core.feed_derivations(world, at)?;
        }
        core.edges(world, &mut random)?;
        Ok(core)
    }

    fn near(&mut self, before: usize) -> usize {
        if !self.ends.is_empty() && self.random.chance(0.6) {
            let drawn = self.ends[self.random.below(self.ends.len())];
            if drawn < before {
                return drawn;
            }
        }
        self.random.below(before.max(1))
    }

    /// A system derives from what somebody sends it.
    fn feed_derivations(&mut self, world: &mut World, at: usize) -> Result<()> {
        let system = self.systems[at];
        for (from, _) in world.systems[system].derives.clone() {
            let leaves = world.categories.leaves(&[from]);
            if world.held(system) & leaves != 0 {
                continue;
            }
            let sender = (0..self.systems.len())
                .find(|&s| s != at && world.held(self.systems[s]) & leaves != 0)
                .map(|s| self.systems[s]);
            if let Some(sender) = sender {
                let purposes = vec![DOMAINS[self.domains[at]].purposes[0]];
                let flow = Flow {
                    id: self.id(at),
                    from: sender,
                    to: system,
                    data: vec![from],
                    leaves,
                    purposes,
                    more: vec![("safeguards", words(&["encryption_in_transit"]))],
                    ..Flow::default()
                };
                let mut random = self.random.clone();
                world.internal(&mut random, DOMAINS[self.domains[at]].name, flow)?;
                self.random = random;
            } else {
                world.systems[system].derives.retain(|(f, _)| *f != from);
            }
        }
        Ok(())
    }

    fn id(&mut self, to: usize) -> String {
        self.count += 1;
        format!("{}-{:06}", DOMAINS[self.domains[to]].name, self.count)
    }

    /// A flow between two systems, if the one holds something for the other.
    fn connect(&mut self, world: &mut World, from: usize, to: usize) -> Result<bool> {
        let mut random = self.random.clone();
        let (one, other) = (self.domains[from], self.domains[to]);
        let watched = |d| d == MESSAGING || d == TRUST;
        let allowed = if watched(one) && watched(other) {
            self.messages
        } else if one == ADS && other == ADS {
            self.audiences
        } else {
            self.anywhere
        };
        let (sender, receiver) = (self.systems[from], self.systems[to]);
        let drawn = world.categories.draw_several(&mut random, world.held(sender), allowed, 8);
        let Some((data, leaves)) = drawn.filter(|_| from != to) else {
            self.random = random;
            return Ok(false);
        };
        let purposes = if random.chance(0.12) {
            Vec::new()
        } else {
            let of = &world.systems[receiver].purposes;
            vec![of[random.below(of.len())]]
        };
        let mut more: Map = Vec::new();
        if random.chance(0.03) {
            more.push(("consent", word(random.pick(&["opt_in", "opt_out"]))));
        }
        if random.chance(0.03) {
            more.push(("transform", word(random.pick(&["tokenised", "pseudonymised", "aggregated"]))));
        }
        if other == ADS {
            // A handful forgets it, however large the platform is.
            if self.careless < 4 && one == ADS && random.chance(0.01) {
                self.careless += 1;
            } else {
                more.push(("safeguards", words(&["encryption_in_transit"])));
            }
        } else if random.chance(0.1) {
            more.push(("safeguards", words(&["encryption_in_transit", "access_control"])));
        }
        if random.chance(0.15) {
            more.push(("retention", word(random.pick(&["7d", "30d", "60d", "90d"]))));
        }
        let id = self.id(to);
        self.ends.extend([from, to]);
        let flow = Flow { id, from: sender, to: receiver, data, leaves, purposes, more, ..Flow::default() };
        world.internal(&mut random, DOMAINS[other].name, flow)?;
        self.random = random;
        Ok(true)
    }

    /// As many flows as are left.
    pub fn fill(&mut self, world: &mut World) -> Result<()> {
        while world.left() > 0 {
            let from = self.near(self.systems.len());
            let to = self.near(self.systems.len());
            self.connect(world, from, to)?;
        }
        Ok(())
    }

    /// A system of a domain.
    fn of(&self, random: &mut Random, domain: usize) -> SystemId {
        loop {
            let at = random.below(self.systems.len());
            if self.domains[at] == domain {
                return self.systems[at];
            }
        }
    }

    /// A system that places advertisements.
    pub fn advertising(&self, random: &mut Random) -> SystemId {
        self.of(random, ADS)
    }

    /// A system from which partners get figures.
    pub fn reporting(&self, random: &mut Random) -> SystemId {
        let domain = if random.chance(0.5) { ADS } else { WAREHOUSE };
        self.of(random, domain)
    }

    /// Any system.
    pub fn any(&self, random: &mut Random) -> SystemId {
        self.systems[random.below(self.systems.len())]
    }

    /// What may leave for partners.
    pub fn shareable(&self) -> Leaves {
        self.anywhere
    }

    /// Health, children's data and calls stay at a few systems; some go on to advertising.
    fn edges(&mut self, world: &mut World, random: &mut Random) -> Result<()> {
        let count = (world.options.flows / 4000).max(2);
        for at in 0..count {
            let (data, purpose) = EDGES[at % EDGES.len()];
            let source = world.platform_system(&format!("edge-{at:04}-app"), &[purpose], &[data], "90d");
            let store = world.platform_system(&format!("edge-{at:04}-store"), &[purpose], &[], "180d");
            let leaves = world.categories.leaves(&[data]);
            let flow = |world: &mut World, random: &mut Random, n: usize, from, to, purpose| {
                let id = format!("edge-{at:04}-{n}");
                let data = vec![data];
                let purposes = vec![purpose];
                let flow = Flow { id, from, to, data, leaves, purposes, ..Flow::default() };
                world.internal(random, "edge", flow)
            };
            flow(world, random, 1, source, store, purpose)?;
            flow(world, random, 2, store, source, purpose)?;
            if random.chance(world.options.leaks * 0.4) || (at == 0 && world.options.leaks > 0.0) {
                let ads = self.advertising(random);
                flow(world, random, 3, store, ads, "advertising.audiences.custom")?;
            }
            if at % 10 == 9 {
                // Somebody forgot to say where it starts.
                let old = world.platform_system(&format!("edge-{at:04}-old"), &[purpose], &[], "1y");
                flow(world, random, 4, old, store, purpose)?;
            }
        }
        Ok(())
    }
}

/// What statements the platform makes.
pub fn statements(world: &World) -> Value {
    let promise = |forbid: Map| Value::Map(vec![("forbid", Value::Map(forbid))]);
    let place = |key: &'static str, value: &str| Value::Map(vec![(key, word(value))]);
    let to =
        |purpose: &str| Value::Map(vec![("party", word(crate::world::PLATFORM)), ("purpose", word(purpose))]);
    let bank = || place("role", "bank");
    let figures = Value::Map(vec![("transform", words(&["aggregated", "anonymised"]))]);
    let quotes: Vec<(&str, &str, Value)> = vec![
        (
            "not-for-advertising",
            "We never use what your bank shows you for advertising: not today, not tomorrow, and not for anybody else who might ask us for it. (Figures about many people are another matter.)",
            promise(vec![
                ("data", words(&["financial"])),
                ("from", bank()),
                ("to", to("advertising")),
                ("unless", Value::Map(vec![("through", figures)])),
            ]),
        ),
        (
            "no-campaigns",
            "No political campaign gets your data from us.",
            promise(vec![("from", place("role", "platform")), ("to", place("purpose", "political"))]),
        ),
        (
            "no-health-for-ads",
            "Your health is none of our advertisers' business",
            promise(vec![("data", words(&["special.health"])), ("to", place("purpose", "advertising"))]),
        ),
        (
            "passwords-stay",
            "Vos mots de passe restent à la banque.",
            promise(vec![
                ("data", words(&["credentials.bank_login"])),
                ("from", bank()),
                ("to", place("role", "platform")),
            ]),
        ),
    ];
    let mut random = world.random("statements");
    let list = quotes.into_iter().map(|(id, quote, promise)| {
        let said = vec![
            ("quote", crate::yaml::text(quote)),
            ("who", crate::yaml::text("Head of privacy")),
            (
                "date",
                word(format!("20{}-0{}-1{}", 20 + random.below(6), 1 + random.below(9), random.below(9))),
            ),
        ];
        Value::Map(vec![
            ("id", word(id)),
            ("by", word(crate::world::PLATFORM)),
            ("said", Value::Map(said)),
            ("promise", promise),
        ])
    });
    Value::List(list.collect())
}
