//! Files of the command line and of the root, and standard input, up to a size.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::streams::Stdin;

/// The most bytes of a script or module that are read: 1 GiB, which is also the most that a browser takes of a module.
const MAX_LEN: u64 = 1 << 30;

/// Reads a module from a file, or from stdin for `-`. Returns its name for messages, and its bytes.
pub fn module(file: &str) -> Result<(String, Vec<u8>), String> {
    if file == "-" {
        let bytes = stdin().map_err(|e| format!("cannot read the module from stdin: {e}"))?;
        return Ok(("<stdin>".to_owned(), bytes));
    }
    Ok((file.to_owned(), bytes(Path::new(file)).map_err(|e| format!("cannot read {file}: {e}"))?))
}

/// Reads all of standard input.
pub fn stdin() -> io::Result<Vec<u8>> {
    limited(Stdin)
}

/// Reads a file. One that is too large is refused by its size.
pub fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let len = file.metadata()?.len();
    if len > MAX_LEN {
        return Err(io::Error::other(format!("it has {len} bytes, and at most {MAX_LEN} are read")));
    }
    limited(file)
}

/// Reads to the end. A device or a pipe does not tell its size before.
fn limited(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(MAX_LEN + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_LEN {
        return Err(io::Error::other(format!("it has more than {MAX_LEN} bytes, the most that are read")));
    }
    Ok(bytes)
}
