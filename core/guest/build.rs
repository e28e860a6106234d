//! Gives the module a stack that fits a script's nested calls.

fn main() {
    if std::env::var("CARGO_CFG_TARGET_ARCH").as_deref() == Ok("wasm32") {
        // Its pages are zero, and cost nothing until they are used.
        println!("cargo::rustc-link-arg-cdylib=-zstack-size=16777216");
    }
}
