//! A world on disk: YAML in one file or in several, in any order.

use super::world::World;
use serde_json::{Map, Value};
use std::fs;
use std::path::Path;

/// A small generator for layouts: splitmix64.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(n.max(1)).unwrap()).unwrap()
    }

    fn shuffle<T>(&mut self, list: &mut [T]) {
        for i in (1..list.len()).rev() {
            let j = self.below(i + 1);
            list.swap(i, j);
        }
    }
}

/// Lists whose order says nothing and shows nowhere.
const UNORDERED: [&str; 13] = [
    "provider",
    "systems",
    "flows",
    "data",
    "originates",
    "derives",
    "tags",
    "safeguards",
    "only_from",
    "onward_to",
    "assurances",
    "prohibited_purposes",
    "released_by",
];

/// Matchers: one of them may stand without its list.
const MATCHERS: [&str; 7] = ["from", "to", "at", "where", "through", "arriving", "not"];

/// The world as the files' values: absent keys left out.
pub fn inventory(world: &World) -> Value {
    pruned(serde_json::to_value(world).expect("a value"), "")
}

/// The policy file's value.
pub fn policy(world: &World) -> Value {
    let value = serde_json::to_value(&world.policy).expect("a value");
    let mut value = pruned(value, "");
    if let Value::Object(map) = &mut value {
        map.entry("rules").or_insert(Value::Array(Vec::new()));
    }
    value
}

fn says_something_when_empty(parent: &str, key: &str) -> bool {
    parent == "terms" && (key == "purposes" || key == "released_by")
}

fn pruned(value: Value, name: &str) -> Value {
    match value {
        Value::Array(list) => Value::Array(list.into_iter().map(|v| pruned(v, name)).collect::<Vec<_>>()),
        Value::Object(map) => Value::Object(
            map.into_iter()
                .map(|(key, value)| {
                    let value = pruned(value, &key);
                    (key, value)
                })
                .filter(|(key, value)| match value {
                    Value::Null => false,
                    Value::Array(list) => !list.is_empty() || says_something_when_empty(name, key),
                    Value::Object(map) => !map.is_empty(),
                    _ => true,
                })
                .collect(),
        ),
        other => other,
    }
}

/// The same value in another order and dress: lists and keys shuffled, single
/// elements without their list, nulls where nothing is.
fn dressed(value: Value, name: &str, dice: &mut Dice) -> serde_yaml::Value {
    match value {
        Value::Array(list) => {
            let mut list: Vec<_> = list.into_iter().map(|v| dressed(v, name, dice)).collect();
            if UNORDERED.contains(&name) {
                dice.shuffle(&mut list);
            }
            let bare = list.first().is_some_and(|one| {
                (one.is_string() && name != "parties") || (one.is_mapping() && MATCHERS.contains(&name))
            });
            if list.len() == 1 && bare && dice.below(2) == 0 {
                list.swap_remove(0)
            } else {
                serde_yaml::Value::Sequence(list)
            }
        }
        Value::Object(map) => {
            let mut entries: Vec<(String, Value)> = map.into_iter().collect();
            dice.shuffle(&mut entries);
            let mut mapping = serde_yaml::Mapping::new();
            for (key, value) in entries {
                let value = dressed(value, &key, dice);
                mapping.insert(key.into(), value);
            }
            serde_yaml::Value::Mapping(mapping)
        }
        other => serde_yaml::to_value(other).expect("a value"),
    }
}

/// Nulls for optional keys that are not written.
fn with_nulls(value: &mut Value, dice: &mut Dice) {
    let mut nulls = |map: &mut Map<String, Value>, keys: &[&str]| {
        for key in keys {
            if !map.contains_key(*key) && dice.below(4) == 0 {
                map.insert((*key).to_owned(), Value::Null);
            }
        }
    };
    let each = |value: Option<&mut Value>, act: &mut dyn FnMut(&mut Map<String, Value>)| {
        for entry in value.and_then(Value::as_array_mut).into_iter().flatten() {
            act(entry.as_object_mut().expect("a map"));
        }
    };
    const FLOW: [&str; 7] =
        ["consent", "transform", "only_from", "safeguards", "retention", "legal_basis", "tags"];
    each(value.get_mut("parties"), &mut |party| {
        nulls(party, &["role", "jurisdiction", "affiliate_of"]);
        each(party.get_mut("systems"), &mut |system| {
            nulls(system, &["purposes", "retention", "region", "originates"]);
        });
    });
    each(value.get_mut("agreements"), &mut |agreement| {
        nulls(agreement, &["status", "kind", "provider", "disposed"]);
        each(agreement.get_mut("flows"), &mut |flow| nulls(flow, &FLOW));
    });
    each(value.get_mut("flows"), &mut |flow| nulls(flow, &FLOW));
}

/// Writes the inventory to `dir/inventory` and the policy to `dir/policy.yaml`.
/// Layout 0 is one plain file; any other number shuffles, splits and dresses.
pub fn write(world: &World, dir: &Path, layout: u64) {
    let root = dir.join("inventory");
    fs::create_dir_all(&root).expect("a folder");
    fs::write(dir.join("policy.yaml"), yaml(&policy(world))).expect("written");
    let mut value = inventory(world);
    if layout == 0 {
        fs::write(root.join("world.yaml"), yaml(&value)).expect("written");
        return;
    }
    let mut dice = Dice::new(layout);
    with_nulls(&mut value, &mut dice);
    let names = ["one.yaml", "two.yml", "deep/three.yaml", "deep/er/four.yml"];
    let mut files: Vec<Vec<String>> = vec![Vec::new(); 1 + dice.below(names.len())];
    // Every top-level list falls apart into documents of some of its entries.
    let mut documents: Vec<Value> = Vec::new();
    let Value::Object(map) = value else { unreachable!("an inventory is a map") };
    for (key, value) in map {
        match value {
            Value::Array(mut list) => {
                dice.shuffle(&mut list);
                while !list.is_empty() {
                    let rest = list.split_off(1 + dice.below(list.len()));
                    let list = std::mem::replace(&mut list, rest);
                    documents.push(Value::Object(Map::from_iter([(key.clone(), list.into())])));
                }
            }
            other => documents.push(Value::Object(Map::from_iter([(key, other)]))),
        }
    }
    dice.shuffle(&mut documents);
    for document in documents {
        let file = dice.below(files.len());
        let document = dressed(document, "", &mut dice);
        files[file].push(serde_yaml::to_string(&document).expect("YAML"));
    }
    for (name, documents) in names.iter().zip(files) {
        let path = root.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, documents.join("---\n")).expect("written");
    }
}

/// A value as YAML.
pub fn yaml(value: &Value) -> String {
    serde_yaml::to_string(value).expect("YAML")
}
