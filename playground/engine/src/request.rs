//! The page's requests.

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
    /// Reads from a memory of the session. The reply's body has the bytes.
    Memory { name: String, offset: u64, length: u64 },
    /// Checks a file without running it: a script, or a module.
    Check { name: String },
    /// Returns the names that can be used at a place in a script.
    Complete { name: String, line: usize, column: usize },
    /// Describes the name at a place in a script.
    Describe { name: String, line: usize, column: usize },
    /// Lists the imports and exports of a module.
    Inspect { name: String },
}

#[derive(Debug, Deserialize)]
pub struct File {
    pub name: String,
    /// Its length in the request's body; `None` for a file that is kept unchanged.
    pub length: Option<usize>,
}
