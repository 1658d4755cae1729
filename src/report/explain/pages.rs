//! Rules as Markdown: a page for each pack, and one that lists them.

use std::fmt::Write as _;

use super::Entry;
use crate::declare::packs::PACKS;
use crate::declare::policy::Policy;
use crate::model::load::World;

/// The list of packs and of their rules; the world holds all packs.
pub fn index(world: &World) -> String {
    let mut out = String::from(
        "# Rules\n\n\
         The policies that come with Ringfence, and their rules: what each looks at, when it is broken,\n\
         what it rests on, an example that breaks it and one that keeps it. `ringfence explain RULE` says\n\
         the same. Findings are about declared flows; none is a legal conclusion.\n\n\
         This folder is made from the policies and their tests; `UPDATE_DOCS=1 cargo test --test it rules`\n\
         makes it again.\n\n\
         | policy | standing | rules | of these follow flows |\n| --- | --- | --- | --- |\n",
    );
    let policies = || PACKS.iter().filter_map(|pack| of(world, pack.id));
    let (mut rules, mut following) = (0, 0);
    for policy in policies() {
        rules += policy.rules.len();
        following += policy.following();
        let _ = writeln!(
            out,
            "| [{id}]({id}.md) {} | {} | {} | {} |",
            policy.title.as_deref().unwrap_or_default(),
            policy.status.to_string().replace('_', " "),
            policy.rules.len(),
            policy.following(),
            id = policy.id.value,
        );
    }
    let _ = writeln!(out, "| together | | {rules} | {following} |");
    out
}

fn of<'w>(world: &'w World, id: &str) -> Option<&'w Policy> {
    world.policies.iter().find(|policy| policy.id.value == id)
}

/// The page of one pack.
pub fn page(world: &World, id: &str, entries: &[Entry]) -> Option<String> {
    let policy = of(world, id)?;
    let mut out = String::new();
    let _ = writeln!(out, "# {}\n", policy.title.as_deref().unwrap_or(id));
    let as_of = policy.as_of.map_or(String::new(), |day| format!(", facts as of {day}"));
    let version = policy.version.as_deref().unwrap_or("without a version");
    let _ = writeln!(
        out,
        "`--policy {id}` · {version} · {}{as_of}\n",
        policy.status.to_string().replace('_', " ")
    );
    for text in [&policy.about, &policy.cannot_see].into_iter().flatten() {
        let _ = writeln!(out, "{}\n", text.trim());
    }
    let prefix = format!("{id}/");
    for entry in entries.iter().filter(|entry| entry.name.starts_with(&prefix)) {
        rule(&mut out, entry);
    }
    while out.ends_with("\n\n") {
        out.pop();
    }
    Some(out)
}

fn rule(out: &mut String, entry: &Entry) {
    let _ = writeln!(out, "## {}\n\n{} ({})\n", entry.name, entry.title, entry.severity);
    let mut item = |lead: &str, text: &str| {
        let _ = writeln!(out, "- **{lead}:** {}", text.trim().replace('\n', " "));
    };
    item("Broken when", &entry.violated);
    let mut opt = |lead: &str, text: &Option<String>| {
        if let Some(text) = text {
            item(lead, text);
        }
    };
    opt("Why", &entry.why);
    opt("What to do", &entry.remedy);
    opt("Sees", &entry.sees);
    opt("Cannot see", &entry.cannot_see);
    if !entry.cite.is_empty() {
        item("Rests on", &entry.cite.join("; "));
    }
    if !entry.law.is_empty() {
        let read_in = entry.read_in().map_or(String::new(), |read| format!(" (read in {read})"));
        item("Row", &format!("{}{read_in}", entry.law.join(", ")));
    }
    if let Some(example) = &entry.example {
        let _ = writeln!(out, "\n**Breaks it:** {}\n\n```yaml\n{}\n```\n", example.breaks, example.inventory);
        let _ = writeln!(out, "Found:\n\n```yaml\n{}\n```\n", example.finds);
        let _ =
            writeln!(out, "**Keeps it:** {}. Changed:\n\n```yaml\n{}\n```", example.keeps, example.change);
    }
    out.push('\n');
}
