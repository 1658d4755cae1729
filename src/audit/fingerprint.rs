//! Names for findings that stay.

use crate::audit::analysis::On;
use crate::model::Model;

/// `rf1:` and 16 hexadecimal digits over a rule's full id and what the finding is
/// on: nothing of files, lines, walks, data or wording goes in.
///
/// Each part is preceded by its length in bytes, so that no two keys read alike.
pub fn fingerprint(model: &Model, rule: &str, on: On) -> String {
    of_key(rule, &key(model, on))
}

/// As [`fingerprint`], of a key in words.
pub fn of_key<T: AsRef<str>>(rule: &str, key: &[T]) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in [rule].into_iter().chain(key.iter().map(AsRef::as_ref)) {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    let hash = hasher.finalize().to_hex();
    format!("rf1:{}", hash.chars().take(16).collect::<String>())
}

fn key(model: &Model, on: On) -> Vec<String> {
    let system = |s| model.systems[s].name.clone();
    match on {
        On::Pair(source, sink) => vec!["pair".into(), system(source), system(sink)],
        On::Flow(flow) => vec!["flow".into(), model.flows[flow].name.clone()],
        On::Unsourced(at, key) => vec!["unsourced".into(), system(at), model.data.name(key).to_owned()],
        On::System(at) => vec!["system".into(), system(at)],
        On::Party(party) => vec!["party".into(), model.parties[party].id().to_owned()],
        On::Agreement(agreement) => vec!["agreement".into(), model.agreements[agreement].id().to_owned()],
    }
}
