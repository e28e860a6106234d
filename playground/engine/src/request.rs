//! What the page asks for.

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "camelCase")]
pub enum Request {
    /// Replaces all files. The body has the contents of those that are not kept, one after the other.
    Files { files: Vec<File> },
    /// Runs a file as a script, and keeps its session.
    Run { name: String },
    /// Evaluates statements in the session.
    Eval { text: String },
    /// Calls the script's function `frame`, for a picture.
    Frame { milliseconds: i64, events: Vec<(String, bool)> },
    /// Reads from a memory of the session; the reply's body has the bytes.
    Memory { name: String, offset: u64, length: u64 },
    /// Checks a file without running it: a script, or a module.
    Check { name: String },
    /// The names that may stand at a place of a script.
    Complete { name: String, line: usize, column: usize },
    /// What is at a place of a script.
    Describe { name: String, line: usize, column: usize },
    /// What a module has.
    Inspect { name: String },
}

#[derive(Debug, Deserialize)]
pub struct File {
    pub name: String,
    /// The bytes that it takes of the request's body; none for a file that is kept as it is.
    pub length: Option<usize>,
}
