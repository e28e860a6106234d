//! The core of [wasmlark]'s isolated sandboxes: its evaluator, compiled to WebAssembly and compressed.
//!
//! Not for use by itself. A published package has the core's bytes; in a clone of the repository,
//! `cargo run -p wasmlark-make-core` makes them.
//!
//! [wasmlark]: https://crates.io/crates/wasmlark

use std::io::Read;

#[cfg(has_core)]
static COMPRESSED: Option<&[u8]> = Some(include_bytes!("../bytes/core.wasm.br"));
#[cfg(not(has_core))]
static COMPRESSED: Option<&[u8]> = None;

/// Returns the size in bytes of the compressed module; `None` where the bytes have not been made.
pub fn compressed_size() -> Option<usize> {
    COMPRESSED.map(<[u8]>::len)
}

/// Returns the module; `None` where the bytes have not been made.
///
/// ```
/// if let Some(module) = wasmlark_core::module() {
///     assert!(module?.starts_with(b"\0asm"));
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn module() -> Option<std::io::Result<Vec<u8>>> {
    COMPRESSED.map(|compressed| {
        let mut module = Vec::new();
        brotli_decompressor::Decompressor::new(compressed, 1 << 16).read_to_end(&mut module)?;
        Ok(module)
    })
}
