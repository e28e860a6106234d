//! Words for messages: names that a module chose, and suggestions.

/// What a user is told about a component, in either format.
pub(crate) const COMPONENT: &str = "this is a WebAssembly component, not a module; wasmlark runs core modules: \
    take the core module out of it, or build for a target such as wasm32-wasip1";

/// Returns a name from a module, for people to read. Control characters, line feeds and marks that change the direction
/// of writing are escaped, so that no module can forge a line of a message or control a terminal.
pub(crate) fn shown(name: &str) -> String {
    const MAX_LEN: usize = 100;
    let mut out = String::new();
    name.chars().take(MAX_LEN).for_each(|c| push_visible(c, &mut out));
    if name.chars().nth(MAX_LEN).is_some() {
        out.push('…');
    }
    out
}

/// Returns a text with lines, such as a report, escaped like a name except for line feeds and tabs.
pub(crate) fn visible(text: String) -> String {
    let is_layout = |c: char| matches!(c, '\n' | '\t');
    if text.chars().all(|c| is_layout(c) || !is_hidden(c)) {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    text.chars().for_each(|c| if is_layout(c) { out.push(c) } else { push_visible(c, &mut out) });
    out
}

/// Returns whether a character moves the cursor, controls a terminal, or changes the direction of writing.
fn is_hidden(c: char) -> bool {
    let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || c.is_control()
}

fn push_visible(c: char, out: &mut String) {
    match c {
        c if c.is_control() => out.extend(c.escape_default()),
        c if is_hidden(c) => out.extend(c.escape_unicode()),
        c => out.push(c),
    }
}

/// Returns a hint as the end of a message.
pub(crate) fn ending(hint: Option<String>) -> String {
    hint.map(|hint| format!("; {hint}")).unwrap_or_default()
}

/// Returns how many arguments a function takes by position, in words; `None` means any number.
pub(crate) fn argument_count(least: usize, most: Option<usize>) -> String {
    match most {
        None => format!("at least {least} arguments"),
        Some(1) if least == 1 => "1 argument".to_owned(),
        Some(most) if most == least => format!("{least} arguments"),
        Some(most) => format!("{least} to {most} arguments"),
    }
}

/// Returns the question "did you mean …?" with the names closest to one that does not exist; `None` if no name is close.
pub(crate) fn did_you_mean<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<String> {
    // Names may have any length, and computing a distance takes time in proportion to the product of two lengths.
    const MAX_LEN: usize = 64;
    if name.len() > MAX_LEN {
        return None;
    }
    let most = (name.chars().count() / 3).clamp(1, 4);
    let mut close: Vec<(usize, &str)> = names
        .filter(|n| n.len() <= MAX_LEN)
        .map(|n| {
            let distance = strsim::damerau_levenshtein(&name.to_lowercase(), &n.to_lowercase());
            (
                if n.len() > 2 && name.len() > 2 && (n.contains(name) || name.contains(n)) {
                    distance.min(1)
                } else {
                    distance
                },
                n,
            )
        })
        .filter(|(distance, _)| *distance <= most)
        .collect();
    close.sort();
    close.dedup();
    let close: Vec<String> = close.iter().take(3).map(|(_, n)| format!("`{}`", shown(n))).collect();
    match close.split_last() {
        None => None,
        Some((one, [])) => Some(format!("did you mean {one}?")),
        Some((last, rest)) => Some(format!("did you mean {} or {last}?", rest.join(", "))),
    }
}
