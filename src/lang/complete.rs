//! Completion of names, attributes and exports.

/// Names that no session lists.
const KEYWORDS: &[&str] = &[
    "and", "break", "continue", "def", "elif", "else", "for", "if", "in", "lambda", "load", "not", "or", "pass",
    "return",
];

/// Returns where the name begins that ends at `end`, and the names that it may become. `names` gives those behind a path.
pub(crate) fn complete(
    line: &str,
    end: usize,
    names: impl FnOnce(Option<&str>) -> Vec<String>,
) -> (usize, Vec<String>) {
    let before = line.get(..end).unwrap_or_default();
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.');
    let path = before.rfind(|c| !is_part(c)).and_then(|at| before.get(at..)).map_or(before, |rest| {
        let mut chars = rest.chars();
        chars.next();
        chars.as_str()
    });
    let (known, start) = match path.rsplit_once('.') {
        // A number, or what only a call would tell.
        Some((owner, start)) if !owner.starts_with(|c: char| c.is_alphabetic() || c == '_') => (Vec::new(), start),
        Some((owner, start)) => (names(Some(owner)), start),
        None => {
            let mut known = names(None);
            known.extend(KEYWORDS.iter().map(|word| (*word).to_owned()));
            (known, path)
        }
    };
    // An export may have any name; only an identifier can stand behind a dot.
    let is_name = |name: &String| name.chars().all(|c| c.is_alphanumeric() || c == '_');
    let mut fitting: Vec<String> = known.into_iter().filter(|name| name.starts_with(start) && is_name(name)).collect();
    fitting.sort();
    fitting.dedup();
    (end.saturating_sub(start.len()), fitting)
}

#[cfg(test)]
mod tests {
    use super::complete;

    fn completed(line: &str) -> (usize, Vec<String>) {
        complete(line, line.len(), |path| {
            let names: &[&str] = match path {
                None => &["instance", "int", "memory"],
                Some("instance") => &["exports", "memory"],
                Some("instance.exports") => &["add", "any name", "adc"],
                Some(_) => &["never asked for"],
            };
            names.iter().map(|name| (*name).to_owned()).collect()
        })
    }

    #[test]
    fn names_attributes_and_exports() {
        let found = |at: usize, names: &[&str]| (at, names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(completed("in"), found(0, &["in", "instance", "int"]));
        assert_eq!(completed("f(mem"), found(2, &["memory"]));
        assert_eq!(completed("x = instance.e"), found(13, &["exports"]));
        assert_eq!(completed("instance.exports.ad"), found(17, &["adc", "add"]));
        assert_eq!(completed("é + instance."), found(14, &["exports", "memory"]));
        assert_eq!(completed("1."), found(2, &[]));
        assert_eq!(completed("f()."), found(4, &[]));
    }
}
