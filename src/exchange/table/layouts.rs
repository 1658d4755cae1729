//! The layouts of tables: which headings say what a column holds.

use crate::exchange::fold::heading;
use crate::exchange::mapping::Mapping;

use super::read::Grid;

/// What reads the rows of a layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// A row is a flow.
    Flows,
    /// A row is an activity of a register.
    Register,
    /// A row is a sub-processor.
    Subprocessors,
}

/// A layout.
#[derive(Debug, PartialEq, Eq)]
pub struct Layout {
    /// Its name.
    pub name: &'static str,
    /// What reads it.
    pub reader: Reader,
    /// The fields without which a table has another layout.
    required: &'static [&'static str],
    columns: &'static [(&'static str, &'static [&'static str])],
    /// The law under which bases are named.
    pub law: &'static str,
}

/// The headings of the layout `flows`, as the guide gives them.
#[cfg(test)]
const FLOWS_TEMPLATE: [&str; 26] = [
    "id",
    "title",
    "from party",
    "from system",
    "to party",
    "to system",
    "data",
    "purpose",
    "agreement",
    "agreement kind",
    "provider",
    "status",
    "transform",
    "consent",
    "safeguards",
    "legal basis",
    "retention",
    "only from",
    "from date",
    "until",
    "tags",
    "originates",
    "permitted purposes",
    "prohibited purposes",
    "onward",
    "retention limit",
];

const FLOWS: &[(&str, &[&str])] = &[
    ("id", &["id", "flow id", "reference", "ref"]),
    ("title", &["title", "description", "flow", "flow name"]),
    (
        "from_party",
        &[
            "from party",
            "sender",
            "source party",
            "from",
            "exporter",
            "sending party",
            "von",
            "absender",
            "emetteur",
            "de",
        ],
    ),
    ("from_system", &["from system", "source system", "sending system", "quellsystem", "systeme source"]),
    (
        "to_party",
        &[
            "to party",
            "recipient",
            "receiver",
            "target party",
            "to",
            "importer",
            "receiving party",
            "an",
            "empfaenger",
            "destinataire",
            "vers",
        ],
    ),
    (
        "to_system",
        &[
            "to system",
            "target system",
            "receiving system",
            "destination system",
            "zielsystem",
            "systeme cible",
        ],
    ),
    (
        "data",
        &[
            "data",
            "data categories",
            "data elements",
            "data types",
            "categories of data",
            "personal data",
            "daten",
            "datenkategorien",
            "donnees",
            "categories de donnees",
        ],
    ),
    (
        "purpose",
        &["purpose", "purposes", "purpose of processing", "zweck", "zwecke", "finalite", "finalites"],
    ),
    ("agreement", &["agreement", "contract", "dpa", "contract id", "agreement id", "vertrag", "contrat"]),
    ("agreement_kind", &["agreement kind", "kind", "agreement type", "contract type", "vertragsart"]),
    ("provider", &["provider", "data provider", "controller"]),
    ("status", &["status", "agreement status"]),
    ("transform", &["transform", "transformation", "de-identification", "pseudonymisation"]),
    ("consent", &["consent", "opt in", "einwilligung", "consentement"]),
    ("safeguards", &["safeguards", "security", "security measures", "massnahmen", "mesures de securite"]),
    ("legal_basis", &["legal basis", "lawful basis", "rechtsgrundlage", "base legale"]),
    (
        "retention",
        &["retention", "retention period", "aufbewahrung", "speicherdauer", "duree de conservation"],
    ),
    ("only_from", &["only from"]),
    ("from_date", &["from date", "start", "start date", "since", "effective from"]),
    ("until", &["until", "end", "end date", "effective until"]),
    ("tags", &["tags"]),
    ("originates", &["originates", "starts here"]),
    ("permitted_purposes", &["permitted purposes", "allowed purposes"]),
    ("prohibited_purposes", &["prohibited purposes", "forbidden purposes"]),
    ("onward", &["onward", "onward transfer"]),
    ("retention_limit", &["retention limit", "maximum retention"]),
];

const LINEAGE: &[(&str, &[&str])] = &[
    ("from_system", &["fromfullyqualifiedname", "from fully qualified name"]),
    ("to_system", &["tofullyqualifiedname", "to fully qualified name"]),
    ("title", &["description"]),
    (
        "minor",
        &[
            "fromid",
            "fromentitytype",
            "toid",
            "toentitytype",
            "pipelineid",
            "pipelinefullyqualifiedname",
            "pipelinedisplayname",
            "sqlquery",
            "source",
        ],
    ),
    ("columns", &["columnlineage"]),
];

const SUBPROCESSORS: &[(&str, &[&str])] = &[
    (
        "name",
        &[
            "subprocessor",
            "sub-processor",
            "sub processor",
            "processor",
            "name",
            "vendor",
            "supplier",
            "company",
            "entity",
            "unterauftragsverarbeiter",
            "auftragsverarbeiter",
            "dienstleister",
            "sous-traitant",
            "sous-traitant ulterieur",
        ],
    ),
    (
        "purpose",
        &[
            "purpose",
            "service",
            "service provided",
            "purpose of processing",
            "activity",
            "zweck",
            "leistung",
            "finalite",
            "service fourni",
        ],
    ),
    (
        "data",
        &[
            "data types",
            "data",
            "personal data",
            "data processed",
            "categories of data",
            "datenarten",
            "daten",
            "donnees",
            "types de donnees",
        ],
    ),
    (
        "location",
        &[
            "location",
            "country",
            "hosting location",
            "region",
            "location of processing",
            "entity country",
            "standort",
            "land",
            "ort",
            "pays",
            "localisation",
        ],
    ),
    (
        "contract",
        &["contract/dpa", "contract dpa", "dpa", "contract", "dpa link", "avv", "vertrag", "contrat"],
    ),
    ("transfer", &["transfer mechanism", "safeguards", "transfers", "garantien", "garanties"]),
];

const REGISTER: &[(&str, &[&str])] = &[
    (
        "unit",
        &[
            "business function",
            "department",
            "business unit",
            "team",
            "abteilung",
            "bereich",
            "service",
            "direction",
        ],
    ),
    (
        "function",
        &[
            "processing activity",
            "activity",
            "name of processing",
            "activity name",
            "verarbeitungstaetigkeit",
            "bezeichnung der verarbeitung",
            "nom / sigle",
            "nom du traitement",
            "activite",
            "traitement",
        ],
    ),
    (
        "purpose",
        &[
            "purpose of processing",
            "purpose of the processing",
            "purposes of processing",
            "purpose",
            "purposes",
            "zweck der verarbeitung",
            "zwecke der verarbeitung",
            "zweck",
            "finalite principale",
            "finalite",
            "finalites",
            "finalite du traitement",
        ],
    ),
    (
        "sub_purpose",
        &[
            "sous-finalite 1",
            "sous-finalite 2",
            "sous-finalite 3",
            "sous-finalite 4",
            "sous-finalite 5",
            "sous-finalites",
        ],
    ),
    (
        "joint",
        &[
            "name and contact details of joint controller",
            "joint controller",
            "joint controllers",
            "gemeinsam verantwortliche",
            "responsable conjoint",
            "responsables conjoints",
        ],
    ),
    (
        "people",
        &[
            "categories of individuals",
            "categories of data subjects",
            "data subjects",
            "individuals",
            "betroffene personen",
            "kategorien betroffener personen",
            "personnes concernees",
            "categories de personnes concernees",
        ],
    ),
    (
        "data",
        &[
            "categories of personal data",
            "personal data",
            "data categories",
            "categories of data",
            "data",
            "kategorien personenbezogener daten",
            "datenkategorien",
            "categories de donnees personnelles concernees",
            "categories de donnees personnelles",
            "categories de donnees",
            "donnees traitees",
        ],
    ),
    (
        "recipients",
        &[
            "categories of recipients",
            "recipients",
            "recipient",
            "third parties",
            "shared with",
            "empfaenger",
            "kategorien von empfaengern",
            "destinataires",
            "categories de destinataires",
            "organismes externes",
            "destinataires externes",
        ],
    ),
    (
        "processors",
        &[
            "processors",
            "data processors",
            "processor",
            "auftragsverarbeiter",
            "sous-traitants",
            "sous-traitant",
        ],
    ),
    (
        "internal",
        &["internal recipients", "interne empfaenger", "destinataires internes", "services internes"],
    ),
    ("contract", &["link to contract with processor", "contract", "contract link", "vertrag", "contrat"]),
    (
        "countries",
        &[
            "names of third countries or international organisations that personal data are transferred to",
            "third countries",
            "third country transfers",
            "countries",
            "transfers",
            "drittlaender",
            "drittlandtransfer",
            "transferts hors ue",
            "pays tiers",
            "transferts hors de l'union europeenne",
        ],
    ),
    (
        "transfer",
        &[
            "safeguards for exceptional transfers of personal data to third countries or international organisations",
            "transfer safeguards",
            "transfer mechanism",
            "garantien",
            "garanties",
        ],
    ),
    (
        "retention",
        &[
            "retention schedule",
            "retention",
            "retention period",
            "loeschfristen",
            "loeschfrist",
            "aufbewahrungsfrist",
            "speicherdauer",
            "duree de conservation",
            "durees de conservation",
            "delais d'effacement",
        ],
    ),
    (
        "security",
        &[
            "general description of technical and organisational security measures",
            "security measures",
            "technical and organisational measures",
            "security",
            "tom",
            "technische und organisatorische massnahmen",
            "mesures de securite",
            "mesures de securite techniques et organisationnelles",
        ],
    ),
    (
        "basis",
        &[
            "article 6 lawful basis for processing personal data",
            "gdpr article 6 lawful basis for processing",
            "lawful basis",
            "legal basis",
            "rechtsgrundlage",
            "base legale",
            "base juridique",
        ],
    ),
    ("art9", &["article 9 condition for processing special category data"]),
    (
        "profiling",
        &[
            "existence of automated decision-making, including profiling",
            "automated decision making",
            "profiling",
            "automatisierte entscheidungen",
        ],
    ),
    (
        "source",
        &[
            "the source of the personal data",
            "source of data",
            "source of the data",
            "source",
            "datenquelle",
            "herkunft der daten",
            "source des donnees",
            "origine des donnees",
        ],
    ),
    ("consent_record", &["link to record of consent", "record of consent"]),
    (
        "system",
        &[
            "location of personal data",
            "system",
            "systems",
            "application",
            "applications",
            "it system",
            "anwendung",
            "it-system",
            "nom du logiciel",
            "logiciel",
            "logiciels",
        ],
    ),
    ("region", &["hosting country", "system location", "standort", "pays d'hebergement"]),
    ("dpia_progress", &["data protection impact assessment progress"]),
    ("dpia_link", &["link to data protection impact assessment"]),
    (
        "id",
        &[
            "id",
            "reference",
            "ref",
            "no",
            "nr",
            "ref.",
            "reference number",
            "numero",
            "lfd. nr.",
            "record id",
        ],
    ),
    (
        "minor",
        &[
            "legitimate interests for the processing",
            "link to record of legitimate interests assessment",
            "rights available to individuals",
            "data protection impact assessment required?",
            "data protection impact assessment required",
            "has a personal data breach occurred?",
            "has a personal data breach occurred",
            "link to record of personal data breach",
            "data protection act 2018 schedule 1 condition for processing",
            "link to retention and erasure policy document",
            "is personal data retained and erased in accordance with the policy document?",
            "is personal data retained and erased in accordance with the policy document",
            "reasons for not adhering to policy document",
            "date de creation",
            "mise a jour",
            "last updated",
            "last reviewed",
            "letzte aenderung",
            "owner",
            "comments",
            "notes",
            "remarks",
            "bemerkungen",
            "commentaires",
        ],
    ),
];

/// All layouts, the more telling first.
static LAYOUTS: [Layout; 6] = [
    Layout {
        name: "flows",
        reader: Reader::Flows,
        required: &["to_party", "data"],
        columns: FLOWS,
        law: "gdpr",
    },
    Layout {
        name: "openmetadata",
        reader: Reader::Flows,
        required: &["from_system", "to_system"],
        columns: LINEAGE,
        law: "gdpr",
    },
    Layout {
        name: "ico-controller",
        reader: Reader::Register,
        required: &["purpose", "people", "recipients", "contract", "consent_record"],
        columns: REGISTER,
        law: "uk-gdpr",
    },
    Layout {
        name: "cnil",
        reader: Reader::Register,
        required: &["purpose", "people", "data", "processors", "internal"],
        columns: REGISTER,
        law: "gdpr",
    },
    Layout {
        name: "register",
        reader: Reader::Register,
        required: &["purpose", "data"],
        columns: REGISTER,
        law: "gdpr",
    },
    Layout {
        name: "subprocessors",
        reader: Reader::Subprocessors,
        required: &["name", "purpose"],
        columns: SUBPROCESSORS,
        law: "gdpr",
    },
];

/// The names of all layouts.
pub fn layout_names() -> impl Iterator<Item = &'static str> + Clone {
    LAYOUTS.iter().map(|layout| layout.name)
}

/// What columns can hold.
pub fn field_names() -> impl Iterator<Item = &'static str> + Clone {
    LAYOUTS.iter().flat_map(|layout| layout.columns).map(|(field, _)| *field)
}

/// Whether several columns may hold the same.
pub fn may_repeat(field: &str) -> bool {
    matches!(field, "minor" | "sub_purpose" | "basis")
}

/// So many rows are looked at for headings.
const DEEPEST: usize = 60;

/// The layout of a table, the row of its headings, and what each column holds.
pub fn recognise(
    grid: &Grid,
    named: Option<&str>,
    mapping: &Mapping,
) -> Option<(&'static Layout, usize, Vec<Option<&'static str>>)> {
    let candidates = LAYOUTS.iter().filter(|layout| named.is_none_or(|name| layout.name == name));
    let mut best: Option<(usize, &'static Layout, usize, Vec<Option<&'static str>>)> = None;
    let start: Vec<Vec<String>> =
        grid.rows.iter().take(DEEPEST).map(|row| row.iter().map(|cell| heading(cell)).collect()).collect();
    for layout in candidates {
        let heads = heads(layout, mapping);
        let row = mapping.header_row.and_then(|row| usize::try_from(row).ok()?.checked_sub(1));
        let rows = start.iter().enumerate().filter(|(at, _)| row.is_none_or(|row| row == *at));
        for (at, cells) in rows {
            let fields = fields(&heads, cells);
            let has = |field: &&str| fields.iter().any(|own| own.as_ref() == Some(field));
            let known = fields.iter().flatten().count();
            let enough = named.is_some() && known >= 2 && layout.required.iter().any(has);
            if !(enough || layout.required.iter().all(has)) || known < 2 {
                continue;
            }
            // The layout that asks for more goes first.
            let score = known * 4 + layout.required.len();
            if best.as_ref().is_none_or(|(old, ..)| score > *old) {
                best = Some((score, layout, at, fields));
            }
        }
    }
    best.map(|(_, layout, at, fields)| (layout, at, fields))
}

/// The headings of a layout as they compare, each with what its column holds.
type Heads = Vec<(String, &'static str)>;

fn heads(layout: &Layout, mapping: &Mapping) -> Heads {
    let known = |name: &str| layout.columns.iter().map(|(field, _)| *field).find(|field| *field == name);
    let own = mapping.columns.iter().filter_map(|(field, head)| Some((heading(head), known(field)?)));
    let mut all: Heads = own.collect();
    // What the mapping names elsewhere is not also here.
    let free = layout.columns.iter().filter(|(field, _)| !mapping.columns.contains_key(*field));
    for (field, heads) in free {
        all.extend(heads.iter().map(|head| (heading(head), *field)));
    }
    all
}

fn fields(heads: &Heads, cells: &[String]) -> Vec<Option<&'static str>> {
    let field = |cell: &String| {
        let found = heads.iter().find(|(head, _)| head == cell && !cell.is_empty());
        found.map(|(_, field)| *field)
    };
    cells.iter().map(field).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_heading_means_one_thing_in_a_layout() {
        for layout in &LAYOUTS {
            let mut seen = std::collections::BTreeMap::new();
            for (field, heads) in layout.columns {
                for head in *heads {
                    let other = seen.insert(heading(head), field);
                    assert!(
                        other.is_none_or(|other| other == field),
                        "{}: {head} is {other:?} and {field}",
                        layout.name
                    );
                }
            }
        }
    }

    #[test]
    fn the_template_is_the_layout_for_flows() {
        let row: Vec<String> = FLOWS_TEMPLATE.iter().map(|head| (*head).to_owned()).collect();
        let grid = Grid { name: String::new(), rows: vec![row], notes: Vec::new() };
        let (layout, head, fields) = recognise(&grid, None, &Mapping::default()).unwrap();
        assert_eq!((layout.name, head), ("flows", 0));
        assert!(fields.iter().all(Option::is_some), "{fields:?}");
    }
}
