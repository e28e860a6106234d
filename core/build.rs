//! Tells whether the bytes of the core are there: a published package has them, a clone makes them.

fn main() {
    // The folder, since a file that is missing would make each build run this again.
    println!("cargo::rerun-if-changed=bytes");
    println!("cargo::rustc-check-cfg=cfg(has_core)");
    if std::path::Path::new("bytes/core.wasm.br").exists() {
        println!("cargo::rustc-cfg=has_core");
    }
}
