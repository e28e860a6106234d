//! Gives the module a stack that fits a script's nested calls.

fn main() {
    if std::env::var("CARGO_CFG_TARGET_ARCH").as_deref() == Ok("wasm32") {
        // Every instance begins by filling it with zeros, so it is not larger than the default limits on nesting need.
        println!("cargo::rustc-link-arg-cdylib=-zstack-size=2097152");
    }
}
