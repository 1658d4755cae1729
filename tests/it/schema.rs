//! The JSON and the schema that states its shape.

#![allow(clippy::unwrap_used)]

use ringfence::testing::report::{answer_schemas, difference_schema, promises_schema, schema};
use ringfence::{Format, Look, Report};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas");

/// `UPDATE_SCHEMAS=1 cargo test --test it schema` writes the files.
#[test]
fn the_committed_schemas_are_the_generated_ones() {
    let others = [
        ("audit", schema().unwrap()),
        ("diff", difference_schema().unwrap()),
        ("promises", promises_schema().unwrap()),
        ("import", ringfence::testing::exchange::schema().unwrap()),
    ];
    for (name, schema) in others.into_iter().chain(answer_schemas().unwrap()) {
        let file = std::path::Path::new(FOLDER).join(format!("{name}.schema.json"));
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            std::fs::create_dir_all(FOLDER).unwrap();
            std::fs::write(&file, &schema).unwrap();
        }
        assert_eq!(std::fs::read_to_string(&file).unwrap_or_default(), schema);
    }
}

#[test]
fn the_json_is_valid_and_its_bytes_are_stable() {
    let schema: serde_json::Value = serde_json::from_str(&schema().unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for audit in [crate::common::full(), crate::common::audit(Vec::new())] {
        let json = |look| Report::new(&audit).look(look).render(Format::Json).unwrap();
        let text = json(Look::default());
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        let mistakes: Vec<String> = validator.iter_errors(&value).map(|e| e.to_string()).collect();
        assert_eq!(mistakes, Vec::<String>::new());
        assert!(text.ends_with("}\n"));
        assert_eq!(
            text,
            json(Look { limit: Some(1), width: 40, color: true, quiet: true, ..Look::default() })
        );
        let mut broken = value.clone();
        broken["summary"].as_object_mut().unwrap().remove("high");
        assert!(!validator.is_valid(&broken), "a missing key must not pass");
    }
}

#[test]
fn the_json_is_as_documented() {
    let text = Report::new(&crate::common::full()).render(Format::Json).unwrap();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&value["findings"][3]).unwrap());
    let keys: Vec<&String> = value.as_object().unwrap().keys().collect();
    for key in ["ringfence", "judged", "inventory", "findings", "notices", "relied_on", "summary"] {
        assert!(keys.iter().any(|k| *k == key), "{key}");
    }
}
