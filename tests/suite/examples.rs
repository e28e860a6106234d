//! The examples for applications, which check what they do.

#[path = "../../examples/plugins.rs"]
mod plugins;
#[path = "../../examples/policy.rs"]
mod policy;

#[test]
fn policy() {
    policy::main().unwrap();
}

#[test]
fn plugins() {
    plugins::main().unwrap();
}
