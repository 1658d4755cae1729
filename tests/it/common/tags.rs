//! The tags of a page.

/// A tag: name, attributes, whether it closes.
pub type Tag = (String, Vec<(String, String)>, bool);

/// A page's tags in order.
pub fn tags(page: &str) -> Vec<Tag> {
    let mut tags = Vec::new();
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if rest.starts_with('!') {
            continue;
        }
        let end = rest.find('>').expect("a tag ends");
        let text = &rest[..end];
        let (text, closes) = match text.strip_prefix('/') {
            Some(name) => (name, true),
            None => (text, false),
        };
        let (name, mut list) = text.split_once(' ').unwrap_or((text, ""));
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric()), "no tag: <{text}>");
        let mut attributes = Vec::new();
        while !list.trim().is_empty() {
            list = list.trim_start();
            let key = list.split([' ', '=']).next().unwrap();
            list = &list[key.len()..];
            let mut value = "";
            if let Some(quoted) = list.strip_prefix("=\"") {
                value = quoted.split('"').next().unwrap();
                list = &quoted[value.len() + 1..];
            }
            attributes.push((key.to_owned(), value.to_owned()));
            if list == "/" {
                attributes.push((list.to_owned(), String::new()));
                list = "";
            }
        }
        tags.push((name.to_owned(), attributes, closes));
        rest = &rest[end + 1..];
        if let ("script" | "style", false) = (name, closes) {
            rest = &rest[rest.find(&format!("</{name}")).expect("it ends")..];
        }
    }
    tags
}
