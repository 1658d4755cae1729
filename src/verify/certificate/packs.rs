//! Which policies a verdict is by, where whoever checks names none: what `audit` takes by default has to
//! be among them, and what is called like a policy of the program has to be that policy.

use crate::base::source::Sources;
use crate::declare::packs::{PACKS, pack};
use crate::model::load::World;

/// The policy that is applied where nothing else is said.
const DEFAULT: &str = "core";

/// What is wrong with policies that nobody named; `sources` hold their texts.
pub fn unnamed(world: &World, sources: &Sources) -> Vec<String> {
    let mut failures = Vec::new();
    let texts = world.read.policies.iter().filter_map(|&file| sources.get(file)?.text());
    let own = pack(DEFAULT).map(|pack| pack.policy);
    if !texts.into_iter().any(|text| Some(text) == own) {
        failures.push(format!(
            "the policy `{DEFAULT}` of this version was not applied: if that is meant, name all policies that were, \
             with `--policy`"
        ));
    }
    for policy in &world.policies {
        let Some(pack) = PACKS.iter().find(|pack| pack.id == policy.id.value) else { continue };
        let file = sources.get(policy.id.span.file);
        if file.and_then(|file| file.text()) != Some(pack.policy) {
            failures.push(format!(
                "the policy `{}` is not the one that comes with this version: if another one is meant, name its \
                 file with `--policy`",
                pack.id
            ));
        }
    }
    failures
}
