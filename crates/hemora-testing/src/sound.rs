//! What every page must be.

/// Names the tags that do not balance. Knows quoted attributes and void elements; the style sheet
/// holds no `<`.
pub fn unbalanced(html: &str) -> Vec<String> {
    let mut open: Vec<&str> = Vec::new();
    let mut wrong = Vec::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        let mut quoted = false;
        let end = rest.find(|character| {
            quoted ^= character == '"';
            character == '>' && !quoted
        });
        let Some(end) = end else {
            wrong.push(format!("no end: {rest}"));
            break;
        };
        let tag = &rest[..end];
        rest = &rest[end + 1..];
        let name = tag.trim_start_matches('/').split([' ', '\n']).next().unwrap_or_default();
        if tag.starts_with('/') {
            if open.pop() != Some(name) {
                wrong.push(format!("</{name}>"));
            }
        } else if !tag.starts_with('!') && !tag.ends_with('/') && name != "meta" {
            open.push(name);
        }
    }
    wrong.extend(open.into_iter().map(str::to_owned));
    wrong
}

/// Fails unless a page is well formed, inert, and its links lead somewhere.
pub fn assert_sound(html: &str) {
    assert_eq!(unbalanced(html), Vec::<String>::new());
    for forbidden in ["<script", "http://", "https://", "NaN", "\"inf", ">inf<", "javascript:"] {
        assert!(!html.contains(forbidden), "the page contains {forbidden}");
    }
    // Every link inside the page has its target, and no id stands twice.
    let values = |name: &str| -> Vec<String> {
        html.split(name)
            .skip(1)
            .map(|part| part.split('"').next().unwrap_or_default().to_owned())
            .collect()
    };
    let ids = values(" id=\"");
    for (index, id) in ids.iter().enumerate() {
        assert!(!ids[..index].contains(id), "id {id} stands twice");
    }
    for target in values("href=\"").iter().filter(|target| !target.starts_with("data:")) {
        assert!(ids.contains(&target[1..].to_owned()), "link to {target} leads nowhere");
    }
}
