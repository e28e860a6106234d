//! wasmlark inside WebAssembly: a module with no imports that runs a script.
//!
//! The host writes a script to `alloc(length)`, calls `run(pointer, length)`, and reads what comes
//! back: the address of a length (four bytes, little-endian) and that many bytes of UTF-8.

#![allow(unsafe_code)] // The edge of the module: a pointer from the host, and names for it.

use wasmlark::Sandbox;

/// Room for `length` bytes, never freed: the instance lives for one script.
#[unsafe(no_mangle)]
pub extern "C" fn alloc(length: usize) -> *mut u8 {
    Box::leak(vec![0; length].into_boxed_slice()).as_mut_ptr()
}

/// Runs the script of `length` bytes at `script`.
///
/// # Safety
///
/// `script` must come from `alloc(length)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn run(script: *const u8, length: usize) -> *const u8 {
    // SAFETY: the caller's duty, above.
    let script = unsafe { std::slice::from_raw_parts(script, length) };
    let answer = match std::str::from_utf8(script) {
        Ok(script) => {
            let report = Sandbox::new().report("main.star", script);
            let end = match report.result {
                Ok(value) => format!("value: {value}\n"),
                Err(error) => format!("error: {error}\n"),
            };
            format!("{}{end}stats: {:?}\n", report.output, report.stats)
        }
        Err(error) => format!("error: {error}\n"),
    };
    let mut bytes = u32::try_from(answer.len()).unwrap_or(u32::MAX).to_le_bytes().to_vec();
    bytes.extend(answer.into_bytes());
    Box::leak(bytes.into_boxed_slice()).as_ptr()
}
