//! Parties and their systems.

use super::meta::{Meta, meta, text};

use crate::base::duration::Duration;
use crate::base::source::Span;
use crate::base::taxonomy::Key;
use crate::base::vocabulary::Role;
use crate::declare::places;
use crate::read::decode::{Decoder, Fields, Spanned, Words};
use crate::read::yaml::Node;

/// A legal entity.
#[derive(Debug, Clone)]
pub struct Party {
    /// Its id.
    pub id: Spanned<String>,
    /// Its name.
    pub name: String,
    /// What it is, if stated.
    pub role: Option<Role>,
    /// Where it is established, by its code.
    pub jurisdiction: Option<String>,
    /// The party that it belongs to.
    pub affiliate_of: Option<Spanned<String>>,
    /// Whom to write to about data.
    pub contact: Option<String>,
    /// Its data protection officer.
    pub dpo: Option<String>,
    /// Its representative.
    pub representative: Option<String>,
    /// The systems it runs.
    pub systems: Vec<System>,
    /// Title, labels, source, basis.
    pub meta: Meta,
}

/// A place that holds data.
#[derive(Debug, Clone)]
pub struct System {
    /// Its id within the party.
    pub id: Spanned<String>,
    /// What it is run for.
    pub purposes: Vec<Spanned<Key>>,
    /// The data that starts here.
    pub originates: Vec<Spanned<Key>>,
    /// Whose data starts here, if it is not the party's.
    pub controller: Option<Spanned<String>>,
    /// What it makes of data.
    pub derives: Vec<Derive>,
    /// How long it keeps data.
    pub retention: Option<Spanned<Duration>>,
    /// Where it stands, by the codes of the places.
    pub region: Words,
    /// How many people's data it holds.
    pub subjects: Option<u64>,
    /// Free marks.
    pub tags: Words,
    /// Title, labels, source, basis.
    pub meta: Meta,
}

/// Processing that turns data into other data.
#[derive(Debug, Clone)]
pub struct Derive {
    /// What goes in.
    pub from: Vec<Spanned<Key>>,
    /// What comes out.
    pub into: Vec<Spanned<Key>>,
    /// Whether what comes out singles people out again, if that is stated.
    pub reidentifies: Option<Spanned<bool>>,
    /// Where it is declared.
    pub span: Span,
}

/// Reads a party.
pub fn party(d: &mut Decoder, node: &Node) -> Option<Party> {
    let mut f = Fields::new(d, node, "a party")?;
    let id = f.required(d, "id", |d, n| d.id(n));
    let name = f.required(d, "name", |d, n| d.text(n));
    let role = f.with(d, "role", |d, n| d.word(n)).map(|w: Spanned<Role>| w.value);
    let jurisdiction = f.with(d, "jurisdiction", places::place).map(|code| code.value);
    let affiliate_of = f.with(d, "affiliate_of", |d, n| d.text(n));
    let contact = text(d, &mut f, "contact");
    let dpo = text(d, &mut f, "dpo");
    let representative = text(d, &mut f, "representative");
    let systems = f.list(d, "systems", system);
    let meta = meta(d, &mut f);
    f.finish(d);
    Some(Party {
        id: id?,
        name: name.map(|n| n.value).unwrap_or_default(),
        role,
        jurisdiction,
        affiliate_of,
        contact,
        dpo,
        representative,
        systems,
        meta,
    })
}

fn system(d: &mut Decoder, node: &Node) -> Option<System> {
    let mut f = Fields::new(d, node, "a system")?;
    let id = f.required(d, "id", |d, n| d.id(n));
    let purposes = f.list(d, "purposes", |d, n| d.purpose(n));
    let originates = f.list(d, "originates", |d, n| d.category(n));
    let controller = f.with(d, "controller", |d, n| d.text(n));
    let derives = f.list(d, "derives", derive);
    let retention = f.with(d, "retention", |d, n| d.duration(n));
    let region = places::codes(d, &mut f, "region");
    let subjects = f.with(d, "subjects", |d, n| d.count(n)).map(|n| n.value);
    let tags = texts(d, &mut f, "tags");
    let meta = meta(d, &mut f);
    f.finish(d);
    Some(System {
        id: id?,
        purposes,
        originates,
        controller,
        derives,
        retention,
        region,
        subjects,
        tags,
        meta,
    })
}

fn derive(d: &mut Decoder, node: &Node) -> Option<Derive> {
    let mut f = Fields::new(d, node, "a derivation")?;
    let from = f.list(d, "from", |d, n| d.category(n));
    let into = f.list(d, "into", |d, n| d.category(n));
    for key in ["from", "into"] {
        if f.get(key).is_none() {
            f.missing(d, key);
        }
    }
    let reidentifies = f.with(d, "reidentifies", |d, n| d.flag(n));
    let span = f.head();
    f.finish(d);
    Some(Derive { from, into, reidentifies, span })
}

/// A list of texts, their places not needed.
pub fn texts(d: &mut Decoder, fields: &mut Fields, key: &'static str) -> Words {
    let node = fields.get(key);
    d.words(node)
}
