//! Policies as they are: what there is, and what one of them looks at and cannot see.

use serde_json::{Value, json};

use super::page::{Page, Style};
use super::say;
use crate::base::visible::in_json;
use crate::base::vocabulary::{Confidence, PolicyStatus};
use crate::declare::policy::{Body, Policy};

/// Whether findings of such a policy can fail an audit, unless the call says otherwise.
fn binds(status: PolicyStatus) -> bool {
    use PolicyStatus::{Contractual, House, InForce};
    matches!(status, InForce | Contractual | House)
}

fn head(page: &mut Page, policy: &Policy) {
    let title = policy.title.as_ref().map_or(String::new(), |title| format!(" · {title}"));
    page.para(0, &format!("{}{title}", policy.id.value), Style::Bold);
    let mut facts = vec![say::standing(policy.status)];
    facts.extend(policy.version.as_ref().map(|v| format!("version {v}")));
    facts.extend(policy.as_of.map(|day| format!("as of {day}")));
    facts.push(say::rules(policy.rules.len(), policy.following()));
    if !binds(policy.status) {
        facts.push("findings are shown and do not fail an audit".to_owned());
    }
    page.para(2, &facts.join(" · "), Style::Plain);
}

/// All of them, some lines for each.
pub fn list(policies: &[Policy], width: usize, color: bool) -> String {
    let mut page = Page::new(width, color);
    for policy in policies {
        head(&mut page, policy);
        if let Some(about) = &policy.about {
            page.para(2, about, Style::Plain);
        }
        page.gap();
    }
    page.para(0, "`ringfence policies NAME` says more, `--policy NAME` applies one.", Style::Dim);
    page.finish()
}

/// Some of them, with their rules.
pub fn detail(policies: &[Policy], width: usize, color: bool) -> String {
    let mut page = Page::new(width, color);
    for policy in policies {
        page.gap();
        head(&mut page, policy);
        if let Some(about) = &policy.about {
            page.gap();
            page.item("  Looks at    ", about, Style::Plain);
        }
        if let Some(cannot_see) = &policy.cannot_see {
            page.item("  Cannot see  ", cannot_see, Style::Plain);
        }
        for rule in &policy.rules {
            page.gap();
            let severity = rule.severity;
            let title = rule.title.as_ref().map_or(String::new(), |title| format!(" · {title}"));
            page.para(2, &format!("{}{title}", rule.id.value), Style::Bold);
            let mut facts = vec![severity.to_string(), kind(&rule.body).to_owned()];
            facts.extend((rule.status != policy.status).then(|| say::standing(rule.status)));
            let own_day = rule.as_of.filter(|_| rule.as_of != policy.as_of);
            facts.extend(own_day.map(|day| format!("as of {day}")));
            facts.extend((!rule.law.is_empty()).then(|| rule.law.join(", ")));
            facts.extend(rule.confidence.map(|read| match read {
                Confidence::Memory => "from memory".to_owned(),
                Confidence::Verified => "verified in the text".to_owned(),
                Confidence::Secondary => "read in secondary text".to_owned(),
            }));
            page.para(4, &facts.join(" · "), super::text::severity_style(severity));
            if !rule.cite.is_empty() {
                page.item("    cites       ", &rule.cite.join("; "), Style::Plain);
            }
            if let Some(sees) = &rule.sees {
                page.item("    looks at    ", sees, Style::Plain);
            }
            if let Some(cannot_see) = &rule.cannot_see {
                page.item("    cannot see  ", cannot_see, Style::Plain);
            }
        }
    }
    page.gap();
    page.para(0, "`ringfence explain POLICY/RULE` says what a rule means.", Style::Dim);
    page.para(0, say::CAUTION, Style::Dim);
    page.finish()
}

fn kind(body: &Body) -> &'static str {
    match body {
        Body::Forbid(_) => "forbids, follows flows",
        Body::Limit(_) => "limits, follows flows",
        Body::Require(_) => "requires",
    }
}

/// All that is declared of them.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn json(policies: &[Policy]) -> Result<String, serde_json::Error> {
    let policies: Vec<Value> = policies
        .iter()
        .map(|policy| {
            let rules: Vec<Value> = policy
                .rules
                .iter()
                .map(|rule| {
                    json!({
                        "id": rule.id.value,
                        "title": rule.title,
                        "severity": rule.severity,
                        "kind": match rule.body {
                            Body::Forbid(_) => "forbid",
                            Body::Limit(_) => "limit",
                            Body::Require(_) => "require",
                        },
                        "follows_flows": rule.body.follows_flows(),
                        "law": rule.law,
                        "status": rule.status,
                        "binds": binds(rule.status),
                        "as_of": rule.as_of.map(|day| day.to_string()),
                        "confidence": rule.confidence,
                        "cite": rule.cite,
                        "why": rule.why,
                        "remedy": rule.remedy,
                        "sees": rule.sees,
                        "cannot_see": rule.cannot_see,
                    })
                })
                .collect();
            json!({
                "id": policy.id.value,
                "title": policy.title,
                "version": policy.version,
                "status": policy.status,
                "binds": binds(policy.status),
                "as_of": policy.as_of.map(|day| day.to_string()),
                "about": policy.about,
                "cannot_see": policy.cannot_see,
                "following": policy.following(),
                "rules": rules,
            })
        })
        .collect();
    Ok(in_json(&serde_json::to_string_pretty(&json!({"policies": policies}))?) + "\n")
}
