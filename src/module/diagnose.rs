//! Explains what is wrong with bytes that are not a module, or not one for this engine.

use wasmparser::{Validator, WasmFeatures};

use crate::error::{Error, ErrorKind};
use crate::wording::COMPONENT;

/// Checks that the bytes begin like a module, and otherwise says what they are.
pub(crate) fn check_header(bytes: &[u8]) -> Result<(), Error> {
    let refuse = |why: String| Err(Error::new(ErrorKind::Module, why));
    match (bytes.get(..4), bytes.get(4..8)) {
        (Some(b"\0asm"), Some([1, 0, 0, 0])) => Ok(()),
        (Some(b"\0asm"), Some([_, _, 1, 0])) => refuse(COMPONENT.to_owned()),
        (Some(b"\0asm"), Some(version)) => refuse(format!(
            "this is WebAssembly of an unknown version ({}); only version 1 exists",
            version.iter().map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(" ")
        )),
        (Some(b"\0asm"), None) => refuse("this module ends within its header".to_owned()),
        _ if bytes.is_empty() => refuse("this is not a WebAssembly module: it is empty".to_owned()),
        _ if looks_like_text(bytes) => refuse(
            "this is WebAssembly in text format, not a module; wasm.wat(text) makes one of it, and a file of it is \
             named .wat"
                .to_owned(),
        ),
        _ => refuse(match other_format(bytes) {
            Some(format) => format!("this is not a WebAssembly module: it is {format}"),
            None => format!(
                "this is not a WebAssembly module: it begins with {}, where a module has the bytes 00 61 73 6d (\"\\0asm\")",
                bytes.iter().take(4).map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(" ")
            ),
        }),
    }
}

/// Recognises files that people mistake for modules.
fn other_format(bytes: &[u8]) -> Option<&'static str> {
    let known: [(&[u8], &str); 8] = [
        (b"\x1f\x8b", "compressed with gzip; unpack it first"),
        (b"\x28\xb5\x2f\xfd", "compressed with zstd; unpack it first"),
        (b"PK\x03\x04", "a zip archive; unpack it first"),
        (b"\x7fELF", "a native program or library (ELF); build for a wasm target"),
        (b"!<arch>", "a static library; link it to a module first"),
        (b"<!", "an HTML page, perhaps the error page of a failed download"),
        (b"<html", "an HTML page, perhaps the error page of a failed download"),
        (b"version https://git-lfs", "a Git LFS pointer; fetch the file itself"),
    ];
    known.iter().find(|(start, _)| bytes.starts_with(start)).map(|(_, name)| *name)
}

/// Returns whether bytes that are not a script are a module, in either format.
pub(crate) fn looks_like_module(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\0asm") || looks_like_text(bytes)
}

pub(crate) fn looks_like_text(bytes: &[u8]) -> bool {
    let start = bytes.trim_ascii_start();
    [&b"(module"[..], b"(component"].iter().any(|form| start.starts_with(form))
        || start.starts_with(b";;")
        || start.starts_with(b"(;")
}

/// The proposals that wasmparser knows and wasmi does not run.
const UNSUPPORTED: &[(WasmFeatures, &str)] = &[
    (WasmFeatures::EXCEPTIONS, "exception handling"),
    (WasmFeatures::LEGACY_EXCEPTIONS, "legacy exception handling"),
    (WasmFeatures::GC, "garbage collection (gc)"),
    (WasmFeatures::FUNCTION_REFERENCES, "typed function references"),
    (WasmFeatures::THREADS, "threads"),
    (WasmFeatures::SHARED_EVERYTHING_THREADS, "shared-everything threads"),
    (WasmFeatures::STACK_SWITCHING, "stack switching"),
    (WasmFeatures::MEMORY_CONTROL, "memory control"),
    (WasmFeatures::CUSTOM_PAGE_SIZES, "custom page sizes"),
];

/// Returns the features that a module may use.
pub(super) fn supported_features() -> WasmFeatures {
    UNSUPPORTED.iter().fold(WasmFeatures::all(), |features, (unsupported, _)| features.difference(*unsupported))
}

/// Explains why wasmi refused a module: it names the proposal that the module needs, or quotes the validator.
pub(crate) fn diagnose(bytes: &[u8], error: &wasmi::Error) -> Error {
    let accepts = |features| Validator::new_with_features(features).validate_all(bytes).is_ok();
    let all = WasmFeatures::all();
    if accepts(all) {
        // Proposals that can be left out are left out, so that of two that would each suffice only one is named.
        let mut features = all;
        let mut needed = Vec::new();
        for (feature, name) in UNSUPPORTED {
            match features.difference(*feature) {
                fewer if accepts(fewer) => features = fewer,
                _ => needed.push(*name),
            }
        }
        if !needed.is_empty() {
            return unsupported(&needed);
        }
    }
    let Err(invalid) = Validator::new_with_features(all).validate_all(bytes) else {
        return Error::new(ErrorKind::Module, format!("this module cannot be compiled: {error}"));
    };
    let (why, place) = (invalid.message(), invalid.offset());
    if let Some(name) = bytes.get(place).and_then(|opcode| newer_proposal(*opcode)) {
        return unsupported(&[name]);
    }
    let is_cut_short = why.contains("unexpected end") || why.contains("unexpected-eof");
    let message = if is_cut_short {
        format!("this module is cut short: {why} at byte {place} of {}", bytes.len())
    } else {
        format!("this module is invalid: {why} (at byte {place:#x})")
    };
    Error::new(ErrorKind::Module, message)
}

/// Returns the proposal of an opcode that wasmparser refuses, since it does not know all that these proposals contain by now.
fn newer_proposal(opcode: u8) -> Option<&'static str> {
    match opcode {
        0xfb => Some("garbage collection (gc)"),
        0xe0..=0xe6 => Some("stack switching"),
        _ => None,
    }
}

fn unsupported(proposals: &[&str]) -> Error {
    let (names, s) = (proposals.join(" and "), if proposals.len() > 1 { "s" } else { "" });
    Error::new(
        ErrorKind::Module,
        format!(
            "this module needs the WebAssembly {names} proposal{s}, which wasmlark does not support; build it without"
        ),
    )
}
