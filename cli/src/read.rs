//! Modules of the command line.

use crate::streams;

/// Reads a module from a file, or from stdin for `-`. Returns its name for messages, and its bytes.
pub fn module(file: &str) -> Result<(String, Vec<u8>), String> {
    if file == "-" {
        let bytes = streams::read_all().map_err(|e| format!("cannot read the module from stdin: {e}"))?;
        return Ok(("<stdin>".to_owned(), bytes));
    }
    Ok((file.to_owned(), std::fs::read(file).map_err(|e| format!("cannot read {file}: {e}"))?))
}
