//! Directives: comments of a test script that say how to run it.
//!
//! - `# limits: fuel=1000 ticks=5000` sets limits of the sandbox, as [`Limits::set`] does; `fuel=none` turns metering
//!   off.
//! - `# file: NAME` gives the sandbox a file. Its content is the lines below that begin with `#|`; a file whose
//!   name ends in `.wasm` is written in the text format.
//! - `# backtrace: on` makes guests keep frames.
//! - `# native: REASON` leaves the script out where it would run isolated.
//! - `# skip: REASON` leaves the script out unless ignored tests are asked for.
//!
//! A comment that looks like a directive but is none of these is an error, so that a misspelt one is noticed.
//! `tests/targets/transcripts.mjs` and `inside.star` read the limits of transcripts outside Rust.

use wasmlark::Limits;

/// How to run a script.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Directives {
    pub limits: Limits,
    /// Names and contents, in the order of the script.
    pub files: Vec<(String, String)>,
    /// Whether guests keep frames.
    pub has_backtrace: bool,
    /// Why the script is not run isolated.
    pub native: Option<String>,
    /// Why the script is not run.
    pub skip: Option<String>,
}

impl Directives {
    /// Reads the directives in the lines of a script.
    pub fn parse<'a>(lines: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let mut directives = Self::default();
        let mut lines = lines.into_iter().peekable();
        while let Some(line) = lines.next() {
            if line.starts_with("#|") {
                return Err(format!("`{line}` belongs to no `# file:`"));
            }
            let Some((name, value)) = directive(line) else { continue };
            match name {
                "limits" => {
                    directives.limits = value.split_whitespace().try_fold(directives.limits, set_limit)?;
                }
                "file" => {
                    let mut content = String::new();
                    while let Some(line) = lines.next_if(|line| line.starts_with("#|")) {
                        content.push_str(line.strip_prefix("#| ").unwrap_or(&line["#|".len()..]));
                        content.push('\n');
                    }
                    directives.files.push((value.to_owned(), content));
                }
                "backtrace" if value == "on" => directives.has_backtrace = true,
                "native" if !value.is_empty() => directives.native = Some(value.to_owned()),
                "skip" if value.is_empty() => return Err("`# skip:` needs a reason".to_owned()),
                "skip" => directives.skip = Some(value.to_owned()),
                _ => {
                    return Err(format!(
                        "`{line}`: unknown directive; the directives are: limits, file, backtrace: on, native: REASON, skip: REASON"
                    ));
                }
            }
        }
        Ok(directives)
    }
}

/// Returns the name and value of a line `# name: value`, where the name is one word in lower case.
pub fn directive(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.strip_prefix("# ")?.split_once(':')?;
    let is_word = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase());
    is_word.then_some((name, value.trim()))
}

/// Applies one `name=value`.
fn set_limit(mut limits: Limits, setting: &str) -> Result<Limits, String> {
    let (name, value) = setting.split_once('=').ok_or_else(|| format!("`{setting}` does not set a limit"))?;
    limits.set(name, value).map_err(|error| error.message().to_owned())?;
    Ok(limits)
}
