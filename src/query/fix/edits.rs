//! Edits of flows, and the world as it would be read with some of them made.

use std::collections::BTreeSet;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::base::bits::LeafSet;
use crate::base::taxonomy::Key;
use crate::base::vocabulary::{Consent, Transform, words};
use crate::declare::inventory::{Assurance, Flow, Inventory, Judges, System};
use crate::model::load::{Read, World};
use crate::model::{FlowId, Id, Model, PartyId, SystemId, build};
use crate::read::decode::Spanned;

words! {
    /// What kind of edit.
    Kind: "a kind of edit" {
        /// The flow is taken out.
        Cut = "cut",
        /// The flow carries fewer categories.
        Data = "data",
        /// The flow carries data of fewer parties.
        OnlyFrom = "only_from",
        /// The flow is for fewer purposes.
        Purposes = "purposes",
        /// A derivation no longer names what nothing brings any more.
        Derives = "derives",
        /// Something is done to the data on its way.
        Transform = "transform",
        /// A consent is in place.
        Consent = "consent",
        /// Something is attested.
        Assurance = "assurance",
    }
}

impl Kind {
    /// Whether it states a fact: it takes that fact, not the edit alone.
    pub fn is_fact(self) -> bool {
        matches!(self, Kind::Transform | Kind::Consent | Kind::Assurance)
    }

    /// What it costs unless the call says otherwise.
    pub fn usual_cost(self) -> u64 {
        match self {
            Kind::Derives => 1,
            Kind::Data | Kind::Purposes | Kind::OnlyFrom => 2,
            Kind::Cut => 3,
            Kind::Transform => 4,
            Kind::Consent | Kind::Assurance => 6,
        }
    }
}

/// What can be done to a flow or a system. How much a narrowing takes away depends on the chains that it is to break.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Change {
    /// Take it out.
    Cut,
    /// Carry fewer categories.
    Data,
    /// Carry data of fewer parties.
    OnlyFrom,
    /// Be for fewer purposes.
    Purposes,
    /// Derive nothing from this category.
    Derives(Key),
    /// Transform the data.
    Transform(Transform),
    /// Have this consent in place.
    Consent(Consent),
    /// Attest this.
    Assurance(Arc<str>),
}

impl Change {
    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Change::Cut => Kind::Cut,
            Change::Data => Kind::Data,
            Change::OnlyFrom => Kind::OnlyFrom,
            Change::Purposes => Kind::Purposes,
            Change::Derives(_) => Kind::Derives,
            Change::Transform(_) => Kind::Transform,
            Change::Consent(_) => Kind::Consent,
            Change::Assurance(_) => Kind::Assurance,
        }
    }
}

/// What of a flow a chain needs, so that taking it away breaks the chain.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// Any edit of this change does.
    Whole,
    /// These leaves must not cross it.
    Leaves(LeafSet),
    /// Data of these parties must not.
    Parties(BTreeSet<PartyId>),
    /// It must not be for these purposes.
    Purposes(BTreeSet<Key>),
}

/// What is edited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum On {
    /// A flow.
    Flow(FlowId),
    /// A system.
    System(SystemId),
}

impl On {
    /// The flow, if it is one.
    pub fn flow(self) -> Option<FlowId> {
        match self {
            On::Flow(flow) => Some(flow),
            On::System(_) => None,
        }
    }
}

/// An edit.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Edit {
    /// Of this.
    pub on: On,
    /// What changes.
    pub change: Change,
}

/// What a flow or a system is after an edit.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Made {
    /// It is no more.
    Cut,
    /// It carries these categories.
    Data(Vec<Key>),
    /// It carries data of these parties alone.
    OnlyFrom(Vec<PartyId>),
    /// It is for these purposes.
    Purposes(Vec<Key>),
    /// It derives nothing from this category.
    Derives(Key),
    /// Its data is transformed.
    Transform(Transform),
    /// It has this consent.
    Consent(Consent),
    /// This is attested of it besides.
    Assurance(Arc<str>),
}

impl Made {
    /// What kind of edit made it so.
    pub fn kind(&self) -> Kind {
        match self {
            Made::Cut => Kind::Cut,
            Made::Data(_) => Kind::Data,
            Made::OnlyFrom(_) => Kind::OnlyFrom,
            Made::Purposes(_) => Kind::Purposes,
            Made::Derives(_) => Kind::Derives,
            Made::Transform(_) => Kind::Transform,
            Made::Consent(_) => Kind::Consent,
            Made::Assurance(_) => Kind::Assurance,
        }
    }
}

/// More parties than this are not listed in an `only_from`: such a list is no fix.
const LONGEST: usize = 12;

/// What an edit comes to that takes away some parts of a flow; `None`: nothing would be left, or nothing goes.
///
/// `carried` is what the flow carries, `senders` the parties whose data may come to it.
pub fn make(
    model: &Model,
    edit: &Edit,
    parts: &[&Part],
    (carried, senders): (&LeafSet, &BTreeSet<PartyId>),
) -> Option<Made> {
    let flow = match (edit.on, &edit.change) {
        (On::System(_), Change::Derives(key)) => return Some(Made::Derives(*key)),
        (On::System(_), _) => return None,
        (On::Flow(flow), _) => &model.flows[flow],
    };
    match &edit.change {
        Change::Cut => Some(Made::Cut),
        Change::Derives(_) => None,
        Change::Transform(transform) => Some(Made::Transform(*transform)),
        Change::Consent(consent) => Some(Made::Consent(*consent)),
        Change::Assurance(word) => Some(Made::Assurance(Arc::clone(word))),
        Change::Data => {
            let mut gone = LeafSet::empty(model.data.leaf_count());
            for part in parts {
                if let Part::Leaves(leaves) = part {
                    gone.extend(leaves.row());
                }
            }
            let names = match flow.declared.held {
                true => model.data.cover(&carried.minus(&gone)),
                // Each category stays as it is, or what it still carries of it comes in its place.
                false => {
                    let left = |key: &Spanned<Key>| left_of(model, key.value, (&gone, carried));
                    flow.declared.data.iter().flat_map(left).collect()
                }
            };
            let mut keys: Vec<Key> = Vec::new();
            for key in names.iter().filter_map(|name| model.data.find(name)) {
                if !keys.contains(&key) {
                    keys.push(key);
                }
            }
            let before = flow.declared.data.iter().map(|key| key.value);
            (!keys.is_empty() && (flow.declared.held || !keys.iter().copied().eq(before)))
                .then_some(Made::Data(keys))
        }
        Change::OnlyFrom => {
            let stated = flow.only_from.as_ref().map(|parties| parties.iter().copied().collect());
            let mut left: BTreeSet<PartyId> = stated.unwrap_or_else(|| senders.clone());
            for part in parts {
                if let Part::Parties(parties) = part {
                    left.retain(|party| !parties.contains(party));
                }
            }
            (!left.is_empty() && left.len() <= LONGEST).then(|| Made::OnlyFrom(left.into_iter().collect()))
        }
        Change::Purposes => {
            let goes = |key: &Key| {
                parts.iter().any(|part| matches!(part, Part::Purposes(purposes) if purposes.contains(key)))
            };
            let left: Vec<Key> = flow.purposes.iter().copied().filter(|key| !goes(key)).collect();
            (flow.states.purposes && !left.is_empty() && left.len() < flow.purposes.len())
                .then_some(Made::Purposes(left))
        }
    }
}

/// A category without some leaves, as the fewest categories: what is carried of it. What is not would have no source.
fn left_of(model: &Model, key: Key, (gone, carried): (&LeafSet, &LeafSet)) -> Vec<String> {
    let leaves = model.data.leaves([&key]);
    match leaves.intersects(gone) {
        false => vec![model.data.name(key).to_owned()],
        true => model.data.cover(&leaves.and(carried).minus(gone)),
    }
}

/// Where a flow is declared: by the place of its agreement, or of its document's flows.
#[derive(Debug, Clone, Copy)]
struct Place {
    under_agreement: bool,
    list: usize,
    at: usize,
}

/// A world that was read with its declarations kept, to make edits in.
#[derive(Debug)]
pub struct Editable<'w> {
    world: &'w World,
    places: FxHashMap<FlowId, Place>,
    /// Of each system the places of its party and of itself.
    systems: FxHashMap<SystemId, (usize, usize)>,
}

impl<'w> Editable<'w> {
    /// A world whose declarations were kept as they were read.
    pub fn new(world: &'w World) -> Self {
        let model = &world.model;
        let ids: FxHashMap<&str, FlowId> =
            model.flows.iter().map(|(id, flow)| (flow.name.as_str(), id)).collect();
        let mut places = FxHashMap::default();
        for (list, agreement) in world.declared.agreements.iter().enumerate() {
            for (at, flow) in agreement.flows.iter().enumerate() {
                let name = format!("{}/{}", agreement.id.value, flow.id.value);
                places.extend(
                    ids.get(name.as_str()).map(|&id| (id, Place { under_agreement: true, list, at })),
                );
            }
        }
        for (list, flows) in world.declared.flows.iter().enumerate() {
            for (at, flow) in flows.iter().enumerate() {
                let id = ids.get(flow.id.value.as_str());
                places.extend(id.map(|&id| (id, Place { under_agreement: false, list, at })));
            }
        }
        let ids: FxHashMap<&str, SystemId> =
            model.systems.iter().map(|(id, system)| (system.name.as_str(), id)).collect();
        let mut systems = FxHashMap::default();
        for (party, declared) in world.declared.parties.iter().enumerate() {
            for (at, system) in declared.systems.iter().enumerate() {
                let name = format!("{}/{}", declared.id.value, system.id.value);
                systems.extend(ids.get(name.as_str()).map(|&id| (id, (party, at))));
            }
        }
        Editable { world, places, systems }
    }

    /// The world as it would be read with some edits made; `None` if it would be wrong.
    pub fn with(&self, made: &[(On, Made)]) -> Option<World> {
        let (world, model) = (self.world, &self.world.model);
        let mut inventory = world.declared.clone();
        let mut cut: Vec<Place> = Vec::new();
        for (on, made) in made {
            let id = match (on, made) {
                (On::Flow(id), _) => id,
                (On::System(id), Made::Derives(key)) => {
                    let (party, at) = *self.systems.get(id)?;
                    underive(inventory.parties.get_mut(party)?.systems.get_mut(at)?, *key);
                    continue;
                }
                (On::System(_), _) => return None,
            };
            let place = *self.places.get(id)?;
            match made {
                Made::Cut => cut.push(place),
                made => write(model, flows(&mut inventory, place)?.get_mut(place.at)?, made),
            }
        }
        // The last of each list first, so that places stay what they are.
        cut.sort_unstable_by_key(|place| std::cmp::Reverse((place.under_agreement, place.list, place.at)));
        for place in cut {
            let flows = flows(&mut inventory, place)?;
            if place.at < flows.len() {
                flows.remove(place.at);
            }
        }
        let mut mistakes = Vec::new();
        let model = build(inventory, model.data.clone(), model.purposes.clone(), &mut mistakes);
        mistakes.is_empty().then(|| World {
            model,
            policies: world.policies.clone(),
            digest: world.digest.clone(),
            notices: world.notices.clone(),
            files: world.files,
            aside: world.aside,
            excluded: world.excluded,
            read: Read::default(),
            waiver_max: world.waiver_max,
            judges: Judges::default(),
            own_waivers: Vec::new(),
            own_statements: Vec::new(),
            declared: Inventory::default(),
        })
    }
}

fn flows(inventory: &mut Inventory, place: Place) -> Option<&mut Vec<Flow>> {
    match place.under_agreement {
        true => inventory.agreements.get_mut(place.list).map(|agreement| &mut agreement.flows),
        false => inventory.flows.get_mut(place.list),
    }
}

/// Derives nothing from a category any more.
fn underive(system: &mut System, key: Key) {
    system.derives.iter_mut().for_each(|derive| derive.from.retain(|named| named.value != key));
    system.derives.retain(|derive| !derive.from.is_empty());
}

/// Makes an edit of a flow; a cut is made of the list that it is in.
fn write(model: &Model, flow: &mut Flow, made: &Made) {
    let span = flow.id.span;
    match made {
        Made::Cut | Made::Derives(_) => {}
        Made::Data(keys) => {
            flow.stated.held = false;
            flow.stated.data = keys.iter().map(|&key| Spanned::new(key, span)).collect();
        }
        Made::OnlyFrom(parties) => {
            let names = parties.iter().map(|&party| Spanned::new(Arc::from(model.parties[party].id()), span));
            flow.exceptions.get_or_insert_default().only_from = Some(names.collect());
        }
        Made::Purposes(keys) => flow.purposes = Some(keys.as_slice().into()),
        Made::Transform(transform) => flow.stated.transform = Some(*transform),
        Made::Consent(consent) => flow.stated.consent = Some(*consent),
        Made::Assurance(word) => flow.stated.edit_seldom(|seldom| {
            let id = Spanned::new(word.to_string(), span);
            seldom.assurances.push(Assurance { id, evidence: None, date: None, valid_until: None });
        }),
    }
}

/// Which flow of another world each of a world's flows is: both are in the order of names.
pub fn same_flows(of: &Model, before: &Model) -> Vec<Option<FlowId>> {
    let mut names = before.flows.iter().map(|(id, flow)| (flow.name.as_str(), id)).peekable();
    let find = |name: &str| {
        while names.peek().is_some_and(|(known, _)| *known < name) {
            names.next();
        }
        names.peek().filter(|(known, _)| *known == name).map(|&(_, id)| id)
    };
    of.flows.values().map(|flow| flow.name.as_str()).map(find).collect()
}

/// A flow of a table that [`same_flows`] made.
pub fn before(same: &[Option<FlowId>], flow: FlowId) -> Option<FlowId> {
    same.get(flow.index()).copied().flatten()
}
