//! The page's own style and scripts without what only their writers need.

/// Lines without their indentation, and without those that are remarks.
pub fn script(text: &str) -> String {
    let lines = text.lines().map(str::trim_start).filter(|line| !line.is_empty() && !line.starts_with("//"));
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// Without remarks, spaces that part nothing, and colours for programs that know no custom
/// properties: browsers do.
pub fn style(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let token = if rest.starts_with("/*") {
            let end = rest.find("*/").map_or(rest.len(), |at| at + 2);
            rest = rest.get(end..).unwrap_or_default();
            continue;
        } else if c == '"' {
            let end = rest.get(1..).and_then(|r| r.find('"')).map_or(rest.len(), |at| at + 2);
            rest.get(..end).unwrap_or(rest)
        } else if c.is_whitespace() {
            rest = rest.trim_start();
            let parts = !out.is_empty() && !out.ends_with(['{', '}', ';', ':', ',', ' ']);
            if parts && !rest.starts_with(['{', '}', ';', ',']) {
                out.push(' ');
            }
            continue;
        } else {
            rest.get(..c.len_utf8()).unwrap_or_default()
        };
        if token == "}" && out.ends_with(';') {
            out.pop();
        }
        out.push_str(token);
        rest = rest.get(token.len()..).unwrap_or_default();
    }
    without_fallbacks(&out)
}

/// Of `fill:#123456;fill:var(--x)` the second.
fn without_fallbacks(style: &str) -> String {
    let mut out = String::with_capacity(style.len());
    let mut declarations = style.split(';').peekable();
    while let Some(one) = declarations.next() {
        let next = declarations.peek().and_then(|next| next.split_once(":var("));
        let start = one.rfind(['{', '}']).map_or(0, |at| at + 1);
        let colour = one.get(start..).and_then(|own| own.split_once(":#"));
        match (next, colour) {
            (Some((name, _)), Some((own, _))) if name == own => {
                out.push_str(one.get(..start).unwrap_or_default());
            }
            _ => {
                out.push_str(one);
                if declarations.peek().is_some() {
                    out.push(';');
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_style_says_stays() {
        let text = "/* x */ a  b > :not(i, u) ,\n c { fill: #123456; fill: var(--x);\n content: \"a: b; \" attr(y); }\n\
                    @media (min-width: 1rem) { p { width: calc(1px + 2px); stroke: #123456; } }\n";
        let packed = "a b > :not(i,u),c{fill:var(--x);content:\"a: b; \" attr(y)}\
                      @media (min-width:1rem){p{width:calc(1px + 2px);stroke:#123456}}";
        assert_eq!(style(text), packed);
    }

    #[test]
    fn a_script_loses_remarks_and_indentation() {
        assert_eq!(script("a;\n  // b\n\n    c; // d\n"), "a;\nc; // d\n");
    }
}
