//! Files as the protocol names them: `file:` and a path, with some bytes as `%` and two hexadecimal digits.

use std::path::{Path, PathBuf};

/// Returns the path of a file; `None` for what is not one, such as a text that was never saved.
pub fn to_path(uri: &str) -> Option<PathBuf> {
    let rest = uri.strip_prefix("file://")?;
    // A host may stand before the path; only this machine makes sense.
    let path = match rest.strip_prefix("localhost") {
        Some(path) if path.starts_with('/') => path,
        _ => rest,
    };
    if !path.starts_with('/') {
        return None;
    }
    let mut bytes = Vec::new();
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(if byte == b'%' { digit(rest.next()?)? << 4 | digit(rest.next()?)? } else { byte });
    }
    let path = String::from_utf8(bytes).ok()?;
    let path = if cfg!(windows) { path.trim_start_matches('/') } else { &path };
    Some(PathBuf::from(path))
}

/// Returns the name of a file, whose path is absolute.
pub fn of_path(path: &Path) -> String {
    let text = path.to_string_lossy();
    // What Windows puts before a canonical path.
    let text = text.strip_prefix(r"\\?\").unwrap_or(&text);
    let text = if cfg!(windows) { text.replace('\\', "/") } else { text.to_owned() };
    let mut uri = String::from(if text.starts_with('/') { "file://" } else { "file:///" });
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' => uri.push(char::from(byte)),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
#[cfg(not(windows))]
mod tests {
    use super::{of_path, to_path};
    use std::path::Path;

    #[test]
    fn paths_survive() {
        for (path, uri) in [("/a/b.star", "file:///a/b.star"), ("/a b/é%.star", "file:///a%20b/%C3%A9%25.star")] {
            assert_eq!(of_path(Path::new(path)), uri);
            assert_eq!(to_path(uri).as_deref(), Some(Path::new(path)));
        }
        assert_eq!(to_path("file://localhost/a").as_deref(), Some(Path::new("/a")));
        for uri in
            ["", "untitled:1", "file://", "file://host/a", "file:///%", "file:///%f", "file:///%gg", "file:///%ff"]
        {
            assert_eq!(to_path(uri), None, "{uri}");
        }
    }
}
