//! Declarations of the samples with a few values changed: bytes say which and how.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::sample;

/// Of each sample all documents, as one list.
static DOCUMENTS: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let mut all: Vec<Value> = ["open-banking", "cambridge-analytica"]
        .iter()
        .map(|name| {
            let mut documents = Vec::new();
            below(&sample(name), &mut documents);
            Value::Array(documents)
        })
        .collect();
    all.push(Value::Array(documents(include_str!("../seeds/inventory/rich.yaml"))));
    all
});

fn below(folder: &Path, all: &mut Vec<Value>) {
    let mut entries: Vec<_> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            below(&path, all);
        } else if path.extension().is_some_and(|e| e == "yaml") && !path.ends_with("ringfence.yaml") {
            all.extend(documents(&fs::read_to_string(path).expect("a text")));
        }
    }
}

fn documents(text: &str) -> Vec<Value> {
    let each = serde_yaml::Deserializer::from_str(text);
    each.map(|document| Value::deserialize(document).expect("YAML")).collect()
}

/// Values that nobody writes, or that mean much.
const ODD: [&str; 16] = [
    "null",
    "\"\"",
    "[]",
    "{}",
    "0",
    "-1",
    "18446744073709551616",
    "true",
    "\"*\"",
    "\"a/b/c\"",
    "\"9999-12-31\"",
    "\"99999999999y\"",
    "\"0d\"",
    "[[]]",
    "[null]",
    "\"\\u202e\\u0007é\"",
];

/// Bytes, one after the other; zeros behind the last.
struct Drawn<'b>(std::slice::Iter<'b, u8>);

impl Drawn<'_> {
    fn byte(&mut self) -> usize {
        self.0.next().copied().unwrap_or_default().into()
    }

    fn below(&mut self, n: usize) -> usize {
        let (high, low) = (self.byte(), self.byte());
        (high << 8 | low) % n.max(1)
    }
}

/// The text that some bytes come to.
pub fn changed(bytes: &[u8]) -> String {
    let mut drawn = Drawn(bytes.iter());
    let at = drawn.byte() % DOCUMENTS.len();
    let mut tree = DOCUMENTS[at].clone();
    for _ in 0..48 {
        if drawn.0.len() == 0 {
            break;
        }
        change(&mut tree, &mut drawn);
    }
    let documents = match tree {
        Value::Array(documents) => documents,
        other => vec![other],
    };
    let written = documents.iter().map(|document| serde_yaml::to_string(document).expect("YAML"));
    written.collect::<Vec<_>>().join("---\n")
}

fn change(tree: &mut Value, drawn: &mut Drawn) {
    let mut places = Vec::new();
    pointers(tree, String::new(), &mut places);
    let how = drawn.byte();
    let place = places[drawn.below(places.len())].clone();
    let other = &places[drawn.below(places.len())];
    let copied = tree.pointer(other).cloned().unwrap_or_default();
    let key = other.rsplit('/').next().unwrap_or_default().to_owned();
    let Some(here) = tree.pointer_mut(&place) else {
        return;
    };
    match how % 8 {
        0 => *here = serde_json::from_str(ODD[drawn.byte() % ODD.len()]).expect("JSON"),
        // What stands elsewhere, so long as the tree does not outgrow everything.
        1 if places.len() < 2000 => *here = copied,
        2 => remove(tree, &place),
        3 => match here {
            Value::Array(list) if list.len() < 100 => list.extend(list.first().cloned()),
            Value::Array(list) => list.reverse(),
            single => *single = Value::Array(vec![single.take()]),
        },
        4 => match here {
            Value::Array(list) if !list.is_empty() => *here = list.swap_remove(0),
            Value::Object(map) => *here = Value::Array(map.values().cloned().collect()),
            _ => *here = Value::Object(Map::from_iter([(key, here.take())])),
        },
        5 => {
            if let Value::Object(map) = here
                && places.len() < 2000
            {
                map.insert(key, copied);
            }
        }
        6 => {
            if let Value::Object(map) = here
                && let Some(old) = map.keys().nth(drawn.byte() % map.len().max(1)).cloned()
            {
                let value = map.remove(&old).unwrap_or_default();
                map.insert(key, value);
            }
        }
        // A text that stands elsewhere: most of those have a meaning here, too.
        _ => {
            let texts: Vec<&String> =
                places.iter().filter(|p| tree.pointer(p).is_some_and(Value::is_string)).collect();
            let text = texts.get(drawn.below(texts.len())).and_then(|p| tree.pointer(p)).cloned();
            let target = texts.get(drawn.below(texts.len())).map(|p| (*p).clone());
            if let (Some(text), Some(target)) = (text, target.and_then(|t| tree.pointer_mut(&t))) {
                *target = text;
            }
        }
    }
}

fn remove(tree: &mut Value, place: &str) {
    let Some((above, last)) = place.rsplit_once('/') else {
        return;
    };
    match tree.pointer_mut(above) {
        Some(Value::Array(list)) => drop(last.parse().map(|at: usize| list.remove(at))),
        Some(Value::Object(map)) => drop(map.remove(&last.replace("~1", "/").replace("~0", "~"))),
        _ => {}
    }
}

/// The places of all values, as JSON pointers.
fn pointers(value: &Value, at: String, all: &mut Vec<String>) {
    match value {
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(n, value)| pointers(value, format!("{at}/{n}"), all));
        }
        Value::Object(map) => {
            for (key, value) in map {
                let key = key.replace('~', "~0").replace('/', "~1");
                pointers(value, format!("{at}/{key}"), all);
            }
        }
        _ => {}
    }
    all.push(at);
}
