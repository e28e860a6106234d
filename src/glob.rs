//! Patterns for file names.

/// A pattern: a path in which `*` stands for any characters within a part, `?` for one, and a part `**` for any number
/// of parts. Everything else stands for itself.
pub(crate) struct Glob<'a> {
    parts: Vec<&'a str>,
}

impl<'a> Glob<'a> {
    pub(crate) fn new(pattern: &'a str) -> Self {
        let mut parts: Vec<&str> = pattern.split('/').collect();
        // At the end it stands for what is in a folder, not for the folder.
        if parts.last() == Some(&"**") {
            parts.push("*");
        }
        Self { parts }
    }

    /// Returns the folder in which all names are that may match: the parts before the first one with a wildcard.
    pub(crate) fn folder(&self) -> String {
        let plain = self.parts.iter().take_while(|part| !part.contains(['*', '?'])).count();
        let plain = plain.min(self.parts.len().saturating_sub(1));
        self.parts.get(..plain).unwrap_or_default().join("/")
    }

    /// Returns whether a name in a folder of `parts` parts may match.
    pub(crate) fn reaches(&self, parts: usize) -> bool {
        self.parts.contains(&"**") || parts < self.parts.len()
    }

    pub(crate) fn matches(&self, name: &str) -> bool {
        let name: Vec<&str> = name.split('/').collect();
        matches(
            &self.parts,
            &name,
            |part| *part == "**",
            |part, name| {
                let (part, name): (Vec<char>, Vec<char>) = (part.chars().collect(), name.chars().collect());
                matches(&part, &name, |c| *c == '*', |c, d| *c == '?' || c == d)
            },
        )
    }
}

/// Matches a sequence with a pattern whose items are wild, for any number of items, or stand for one. The last wild item
/// takes as little as it can, so it is enough to go back to that one.
fn matches<T>(pattern: &[T], text: &[T], is_wild: impl Fn(&T) -> bool, fits: impl Fn(&T, &T) -> bool) -> bool {
    let (mut at, mut text_at) = (0_usize, 0_usize);
    // The item behind the last wild one, and the first item of the text that this one is tried at.
    let mut retry: Option<(usize, usize)> = None;
    while let Some(item) = text.get(text_at) {
        match pattern.get(at) {
            Some(wild) if is_wild(wild) => {
                at = at.saturating_add(1);
                retry = Some((at, text_at));
            }
            Some(one) if fits(one, item) => (at, text_at) = (at.saturating_add(1), text_at.saturating_add(1)),
            _ => match retry {
                Some((behind, from)) => {
                    let next = from.saturating_add(1);
                    (at, text_at, retry) = (behind, next, Some((behind, next)));
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(at).all(is_wild)
}

#[cfg(test)]
mod tests {
    use super::Glob;

    #[test]
    fn names_match() {
        for (pattern, yes, no) in [
            ("**", &["a", "a/b", "a/b/c.txt"][..], &[][..]),
            ("*", &["a", "a.txt"], &["a/b"]),
            ("*.txt", &["a.txt", ".txt", "a.b.txt"], &["a.txt.gz", "a/b.txt", "atxt"]),
            ("data/*.txt", &["data/a.txt"], &["data/x/a.txt", "other/a.txt", "data"]),
            ("data/**", &["data/a", "data/b/c"], &["data", "database/a"]),
            ("**/*.wasm", &["a.wasm", "x/a.wasm", "x/y/a.wasm"], &["a.wat", "x/a.wasm/b"]),
            ("a/**/z", &["a/z", "a/b/z", "a/b/z/z", "a/z/b/z"], &["a/b", "b/z"]),
            ("a?c*d", &["abcd", "abcxxd", "aéc-d-d"], &["acd", "abcde"]),
            ("plain", &["plain"], &["plain/x", "Plain"]),
        ] {
            let glob = Glob::new(pattern);
            yes.iter().for_each(|name| assert!(glob.matches(name), "{pattern} {name}"));
            no.iter().for_each(|name| assert!(!glob.matches(name), "{pattern} {name}"));
        }
    }

    #[test]
    fn many_wildcards_take_no_longer() {
        let (stars, name) = ("a*".repeat(300) + "b", "a".repeat(3000));
        assert!(!Glob::new(&stars).matches(&name));
        let (parts, name) = ("**/a/".repeat(300) + "b", "a/".repeat(3000) + "c");
        assert!(!Glob::new(&parts).matches(&name));
    }

    #[test]
    fn the_folder_is_what_stands_before_a_wildcard() {
        for (pattern, folder) in
            [("**", ""), ("a", ""), ("a/b", "a"), ("a/b/*.c", "a/b"), ("a/b?/c/*", "a"), ("a/**", "a")]
        {
            assert_eq!(Glob::new(pattern).folder(), folder, "{pattern}");
        }
    }
}
