//! `--profile`.

use std::fs;
use std::path::Path;

use wasmlark::Profile;

use crate::flame;

/// Writes a profile to a file: as a picture if its name ends in `.svg`, else as folded stacks. An error is a message.
pub fn write(file: &Path, profile: Option<&Profile>) -> Result<(), String> {
    let folded = profile.map(Profile::folded).unwrap_or_default();
    let is_picture = file.extension().is_some_and(|extension| extension == "svg");
    let text = if is_picture { flame::draw(&folded) } else { folded };
    fs::write(file, text).map_err(|error| format!("cannot write {}: {error}", file.display()))
}
