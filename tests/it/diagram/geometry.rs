//! What is wrong with a picture, measured on its SVG alone.

use std::collections::{BTreeMap, BTreeSet};

use roxmltree::{Document, Node};

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Area {
    pub left: f64,
    pub top: f64,
    pub right: f64,
    pub bottom: f64,
}

impl Area {
    fn overlaps(&self, other: &Area) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }

    fn contains(&self, other: &Area) -> bool {
        self.left <= other.left
            && other.right <= self.right
            && self.top <= other.top
            && other.bottom <= self.bottom
    }

    /// Whether a straight line has a point inside.
    pub fn is_crossed(&self, (ax, ay): (f64, f64), (bx, by): (f64, f64)) -> bool {
        let (mut from, mut to) = (0.0_f64, 1.0_f64);
        for (start, way, low, high) in
            [(ax, bx - ax, self.left, self.right), (ay, by - ay, self.top, self.bottom)]
        {
            if way.abs() < 1e-9 {
                if start <= low || start >= high {
                    return false;
                }
                continue;
            }
            let (a, b) = ((low - start) / way, (high - start) / way);
            from = from.max(a.min(b));
            to = to.min(a.max(b));
        }
        to - from > 1e-9
    }
}

/// What a picture shows, read from its SVG.
#[derive(Default)]
pub struct Seen {
    pub width: f64,
    pub height: f64,
    pub parties: Vec<(String, Area)>,
    pub systems: Vec<(String, Area, String)>,
    pub edges: Vec<SeenEdge>,
    /// Texts other than the legend's: whose, what, where, the size of the font.
    pub texts: Vec<(String, String, Area, f64)>,
}

pub struct SeenEdge {
    pub id: String,
    pub flows: Vec<String>,
    pub parties: Vec<String>,
    /// The whole line; none where what flows within a party has a sign in its box.
    pub points: Vec<(f64, f64)>,
}

fn number(node: Node, name: &str) -> f64 {
    node.attribute(name).unwrap_or_else(|| panic!("no {name}: {node:?}")).parse().unwrap()
}

fn area(rect: Node) -> Area {
    let (x, y) = (number(rect, "x"), number(rect, "y"));
    Area { left: x, top: y, right: x + number(rect, "width"), bottom: y + number(rect, "height") }
}

fn has_class(node: Node, class: &str) -> bool {
    node.attribute("class").is_some_and(|c| c.split(' ').any(|c| c == class))
}

/// How wide a character is at most in the usual fonts, in parts of the font's size.
fn wide(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | 't' | 'f' | 'r' | 'I' | ' ' | '.' | ',' | ':' | '-' | '(' | ')' | '/' | '·' => {
            0.41
        }
        'm' | 'w' | 'M' | 'W' | '@' | '%' | '…' | '&' => 0.99,
        'D' | 'G' | 'H' | 'N' | 'O' | 'Q' => 0.79,
        c if c.is_ascii_lowercase() => 0.62,
        c if c.is_ascii() => 0.7,
        _ => 1.0,
    }
}

/// A text's area.
fn text_area(text: Node) -> (Area, f64) {
    let size = number(text, "font-size");
    let bold = if text.attribute("font-weight").is_some() { 1.12 } else { 1.0 };
    let wide: f64 = text.text().unwrap_or_default().chars().map(wide).sum();
    let (x, y) = (number(text, "x"), number(text, "y"));
    let wide = wide * size * bold;
    let left = if text.attribute("text-anchor") == Some("end") { x - wide } else { x };
    (Area { left, top: y - size * 0.75, right: left + wide, bottom: y + size * 0.2 }, size)
}

/// The points along a path, bends in small steps.
fn points(d: &str) -> Vec<(f64, f64)> {
    let mut out: Vec<(f64, f64)> = Vec::new();
    let mut at = 0;
    let bytes: Vec<char> = d.chars().collect();
    while at < bytes.len() {
        let command = bytes[at];
        at += 1;
        let start = at;
        while at < bytes.len() && !bytes[at].is_ascii_alphabetic() {
            at += 1;
        }
        let text: String = bytes[start..at].iter().collect();
        let n: Vec<f64> = text.replace('-', " -").split_whitespace().map(|n| n.parse().unwrap()).collect();
        let last = out.last().copied().unwrap_or_default();
        match (command, n.as_slice()) {
            ('M' | 'L', [x, y]) => out.push((*x, *y)),
            ('H', [x]) => out.push((*x, last.1)),
            ('V', [y]) => out.push((last.0, *y)),
            ('C', [ax, ay, bx, by, x, y]) => out.extend((1..=32).map(|i| {
                let t = f64::from(i) / 32.0;
                let u = 1.0 - t;
                let of = |p: f64, a: f64, b: f64, q: f64| {
                    u * u * u * p + 3.0 * u * u * t * a + 3.0 * u * t * t * b + t * t * t * q
                };
                (of(last.0, *ax, *bx, *x), of(last.1, *ay, *by, *y))
            })),
            ('Q', [ax, ay, x, y]) => out.extend((1..=8).map(|i| {
                let t = f64::from(i) / 8.0;
                let u = 1.0 - t;
                let of = |p: f64, a: f64, q: f64| u * u * p + 2.0 * u * t * a + t * t * q;
                (of(last.0, *ax, *x), of(last.1, *ay, *y))
            })),
            other => panic!("unknown command {other:?} in {d}"),
        }
    }
    out
}

/// Reads an SVG.
pub fn read(svg: &str) -> Seen {
    let document = Document::parse(svg).unwrap();
    let root = document.root_element();
    let mut seen = Seen { width: number(root, "width"), height: number(root, "height"), ..Seen::default() };
    assert_eq!(root.attribute("viewBox").unwrap(), format!("0 0 {} {}", seen.width, seen.height));
    for group in root.descendants().filter(|n| n.has_tag_name("g")) {
        let elements = || group.children().filter(|n| n.is_element());
        let boxed = |class: &str| area(elements().find(|n| has_class(*n, class)).unwrap());
        let mut owner = String::new();
        if let Some(id) = group.attribute("data-party") {
            seen.parties.push((id.to_owned(), boxed("party-box")));
            owner = id.to_owned();
        } else if let Some(id) = group.attribute("data-system") {
            let label = elements().find(|n| has_class(*n, "label")).unwrap();
            let text = label.text().unwrap().to_owned();
            seen.systems.push((id.to_owned(), boxed("system-box"), text));
            owner = id.to_owned();
        } else if let Some(id) = group.attribute("data-edge") {
            let words = |name: &str| -> Vec<String> {
                group.attribute(name).unwrap().split_whitespace().map(str::to_owned).collect()
            };
            let line = elements().find(|n| has_class(*n, "line")).unwrap();
            let within = has_class(group, "within");
            seen.edges.push(SeenEdge {
                id: id.to_owned(),
                flows: words("data-flows"),
                parties: words("data-parties"),
                points: if within { Vec::new() } else { points(line.attribute("d").unwrap()) },
            });
            owner = id.to_owned();
        }
        if !owner.is_empty() {
            for text in elements().filter(|n| n.has_tag_name("text")) {
                let (area, size) = text_area(text);
                seen.texts.push((owner.clone(), text.text().unwrap_or_default().to_owned(), area, size));
            }
        }
    }
    for text in root.descendants().filter(|n| n.has_tag_name("text")) {
        assert!(number(text, "font-size") >= 10.0);
    }
    seen
}

/// Everything that is wrong.
pub fn faults(seen: &Seen) -> Vec<String> {
    let mut faults = Vec::new();
    let whole = Area { left: 0.0, top: 0.0, right: seen.width, bottom: seen.height };
    for (at, (a, one)) in seen.parties.iter().enumerate() {
        if !whole.contains(one) {
            faults.push(format!("{a} is outside of the picture"));
        }
        for (b, _) in seen.parties.iter().skip(at + 1).filter(|(_, other)| one.overlaps(other)) {
            faults.push(format!("{a} and {b} overlap"));
        }
    }
    for (at, (a, one, label)) in seen.systems.iter().enumerate() {
        let party = a.split('/').next().unwrap();
        if !seen.parties.iter().any(|(p, area)| p == party && area.contains(one)) {
            faults.push(format!("{a} is not inside its party"));
        }
        for (b, ..) in seen.systems.iter().skip(at + 1).filter(|(_, other, _)| one.overlaps(other)) {
            faults.push(format!("{a} and {b} overlap"));
        }
        let id = a.split_once('/').unwrap().1;
        let (length, shown) = (id.chars().count(), label.chars().count());
        if length <= 24 && label != id || length > 24 && !(label.contains('…') && shown == 24) {
            faults.push(format!("{a} is labelled {label}"));
        }
    }
    faults.extend(edge_faults(seen, &whole));
    faults.extend(text_faults(seen, &whole));
    faults
}

fn edge_faults(seen: &Seen, whole: &Area) -> Vec<String> {
    let mut faults = Vec::new();
    let ids: BTreeSet<&str> = seen.edges.iter().map(|e| e.id.as_str()).collect();
    if ids.len() != seen.edges.len() {
        faults.push("an edge is drawn twice".to_owned());
    }
    for edge in &seen.edges {
        let (from, to) = edge.id.split_once(':').unwrap();
        let mut crossed: BTreeSet<String> = BTreeSet::new();
        for pair in edge.points.windows(2) {
            for (party, area) in &seen.parties {
                if !edge.parties.contains(party) && area.is_crossed(pair[0], pair[1]) {
                    crossed.insert(party.clone());
                }
            }
            for (system, area, _) in &seen.systems {
                if area.is_crossed(pair[0], pair[1]) {
                    crossed.insert(system.clone());
                }
            }
            for (owner, text, area, _) in &seen.texts {
                if *owner != edge.id && area.is_crossed(pair[0], pair[1]) {
                    crossed.insert(format!("the text {text} of {owner}"));
                }
            }
        }
        faults.extend(crossed.iter().map(|what| format!("{} is drawn through {what}", edge.id)));
        // It starts and ends at the sides of its ends.
        let areas: BTreeMap<&str, &Area> = match seen.systems.is_empty() {
            true => seen.parties.iter().map(|(id, area)| (id.as_str(), area)).collect(),
            false => seen.systems.iter().map(|(id, area, _)| (id.as_str(), area)).collect(),
        };
        for (end, point, room) in [(from, edge.points.first(), 0.1), (to, edge.points.last(), 12.0)] {
            let Some(&(x, y)) = point else { continue };
            let area = areas[end];
            let near = (x - area.left).abs().min((x - area.right).abs()) <= room;
            if !near || y <= area.top || y >= area.bottom {
                faults.push(format!("{} does not touch {end}", edge.id));
            }
        }
        if edge.points.iter().any(|&(x, y)| x < 0.0 || y < 0.0 || x > whole.right || y > whole.bottom) {
            faults.push(format!("{} leaves the picture", edge.id));
        }
    }
    faults
}

fn text_faults(seen: &Seen, whole: &Area) -> Vec<String> {
    let mut faults = Vec::new();
    let owners: BTreeMap<&str, Area> = seen.parties.iter().map(|(id, area)| (id.as_str(), *area)).collect();
    for (at, (owner, text, one, size)) in seen.texts.iter().enumerate() {
        if *size < 10.0 {
            faults.push(format!("{text} has {size} px"));
        }
        if !whole.contains(one) {
            faults.push(format!("{text} of {owner} leaves the picture"));
        }
        for (other, word, ..) in seen.texts.iter().skip(at + 1).filter(|(.., area, _)| one.overlaps(area)) {
            faults.push(format!("{text} of {owner} collides with {word} of {other}"));
        }
        for (system, ..) in seen.systems.iter().filter(|(id, area, _)| id != owner && one.overlaps(area)) {
            faults.push(format!("{text} of {owner} collides with {system}"));
        }
        let own: Vec<&str> = owner.split(':').map(|end| end.split('/').next().unwrap()).collect();
        for (party, _) in owners.iter().filter(|(p, area)| !own.contains(*p) && one.overlaps(area)) {
            faults.push(format!("{text} of {owner} collides with {party}"));
        }
        let home = seen.systems.iter().find(|(id, ..)| id == owner).map(|(_, area, _)| *area);
        if let Some(home) = home.or_else(|| owners.get(owner.as_str()).copied())
            && !home.contains(one)
        {
            faults.push(format!("{text} leaves {owner}"));
        }
    }
    faults
}
