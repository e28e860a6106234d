//! Directives: comments of a chunk that say how to run it.
//!
//! - `# limits: fuel=1000 ticks=5000` sets limits, as [`Limits::set`] does; `fuel=none` turns metering off. They replace
//!   those of the command line.
//! - `# file: NAME` makes a file. Its content is the lines below that begin with `#|`; a file whose name ends in `.wasm`
//!   is written in the text format.
//! - `# backtrace: on` makes guests keep frames.
//! - `# native: REASON` skips the chunk where it would run isolated.
//! - `# skip: REASON` skips the chunk.
//!
//! A comment that looks like a directive but is none of these is an error, so that a misspelt one is noticed.

use wasmlark::Limits;

use super::chunk::Mistake;

/// How to run a chunk.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Directives {
    pub limits: Limits,
    /// Names and contents, in the order of the chunk.
    pub files: Vec<(String, Vec<u8>)>,
    /// Whether guests keep frames.
    pub has_backtrace: bool,
    /// Why the chunk is not run isolated.
    pub native: Option<String>,
    /// Why the chunk is not run.
    pub skip: Option<String>,
}

impl Directives {
    /// Reads the directives in lines that have these numbers. `limits` are those to start from.
    pub fn parse<'a>(limits: &Limits, lines: impl IntoIterator<Item = (usize, &'a str)>) -> Result<Self, Mistake> {
        let mut directives = Self { limits: limits.clone(), ..Self::default() };
        let mut lines = lines.into_iter().peekable();
        while let Some((number, line)) = lines.next() {
            let mistake = |text: String| Mistake { line: number, text };
            if line.starts_with(CONTENT) {
                let text = format!("`{line}` belongs to no file; lines of content follow `# file: NAME` at once");
                return Err(mistake(text));
            }
            let Some((name, value)) = directive(line) else { continue };
            match name {
                "limits" => directives.set_limits(value).map_err(mistake)?,
                "file" if value.is_empty() => return Err(mistake("`# file:` needs a name".to_owned())),
                "file" => {
                    let mut content = String::new();
                    while let Some((_, line)) = lines.next_if(|(_, line)| line.starts_with(CONTENT)) {
                        let text = line.strip_prefix(CONTENT).unwrap_or_default();
                        content.push_str(text.strip_prefix(' ').unwrap_or(text));
                        content.push('\n');
                    }
                    directives.files.push((value.to_owned(), bytes(value, content).map_err(mistake)?));
                }
                "backtrace" if value == "on" => directives.has_backtrace = true,
                "native" | "skip" if value.is_empty() => return Err(mistake(format!("`# {name}:` needs a reason"))),
                "native" => directives.native = Some(value.to_owned()),
                "skip" => directives.skip = Some(value.to_owned()),
                _ => {
                    return Err(mistake(format!(
                        "`{line}` is not a directive; these are `# limits: NAME=VALUE …`, `# file: NAME`, `# backtrace: on`, \
                         `# native: REASON` and `# skip: REASON`, and another comment does not begin with a word in lower \
                         case and a colon"
                    )));
                }
            }
        }
        Ok(directives)
    }

    /// Applies the settings `NAME=VALUE` of a line.
    fn set_limits(&mut self, settings: &str) -> Result<(), String> {
        for setting in settings.split_whitespace() {
            let pair = setting.split_once('=');
            let (name, value) = pair.ok_or_else(|| format!("`{setting}` does not set a limit; write NAME=VALUE"))?;
            self.limits.set(name, value).map_err(|error| error.message().to_owned())?;
        }
        Ok(())
    }
}

/// How a line of a file's content begins.
pub const CONTENT: &str = "#|";

/// Returns the name and value of a line `# name: value`, where the name is one word in lower case.
pub fn directive(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.strip_prefix("# ")?.split_once(':')?;
    let is_word = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase());
    is_word.then_some((name, value.trim()))
}

/// Returns the content of a file: for a module, that which its text is translated to.
fn bytes(name: &str, content: String) -> Result<Vec<u8>, String> {
    match name.ends_with(".wasm") {
        true => wat::parse_str(content).map_err(|mut error| {
            error.set_path(name);
            format!("cannot make the file {name:?}: {error}")
        }),
        false => Ok(content.into_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use wasmlark::Limits;

    use super::Directives;

    fn parse(text: &str) -> Result<Directives, (usize, String)> {
        Directives::parse(&Limits::new().memory(1), (1..).zip(text.lines()))
            .map_err(|mistake| (mistake.line, mistake.text))
    }

    #[test]
    fn all_directives() {
        let text = "# A title: with a colon.\n# limits: fuel=none heap=65536\n# limits: ticks=9\n\
                    # file: lib.star\n#| def f():\n#|     return 1\n#|\n# backtrace: on\n# native: needs a host\n\
                    # skip: takes long\nx = 1 # not: one\n# file: m.wasm\n#| (module)\n";
        let module = b"\0asm\x01\0\0\0".to_vec();
        let want = Directives {
            has_backtrace: true,
            limits: Limits::new().memory(1).fuel(None).heap(65_536).ticks(9),
            files: vec![("lib.star".to_owned(), b"def f():\n    return 1\n\n".to_vec()), ("m.wasm".to_owned(), module)],
            native: Some("needs a host".to_owned()),
            skip: Some("takes long".to_owned()),
        };
        assert_eq!(parse(text), Ok(want));
        assert_eq!(parse("x = 1\n").map(|directives| directives.limits), Ok(Limits::new().memory(1)));
    }

    #[test]
    fn mistakes_have_lines() {
        for (text, line, error) in [
            ("# limits: fule=5", 1, "there is no limit `fule`; did you mean `fuel`?"),
            ("\n# limits: fuel", 2, "`fuel` does not set a limit; write NAME=VALUE"),
            ("# limits: ticks=none", 1, "limit `ticks`: expected a whole number, got `none`"),
            ("# limits: ticks=-1", 1, "limit `ticks`: expected a whole number, got `-1`"),
            ("# skip:", 1, "`# skip:` needs a reason"),
            ("# native: ", 1, "`# native:` needs a reason"),
            ("# file:", 1, "`# file:` needs a name"),
            ("x = 1\n#| y = 2", 2, "`#| y = 2` belongs to no file; lines of content follow `# file: NAME` at once"),
        ] {
            assert_eq!(parse(text), Err((line, error.to_owned())));
        }
    }
}
