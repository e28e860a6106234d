//! The examples for applications, which check what they do.

#[path = "../../examples/game.rs"]
mod game;
#[path = "../../examples/plugins.rs"]
mod plugins;
#[path = "../../examples/policy.rs"]
mod policy;
#[path = "../../examples/service.rs"]
mod service;
#[path = "../../examples/tokio.rs"]
mod tokio_example;

#[test]
fn policy() {
    policy::main().unwrap();
}

#[test]
#[cfg_attr(feature = "core", ignore = "imports get no memory where guests run outside")]
fn plugins() {
    plugins::main().unwrap();
}

#[test]
fn game() {
    game::main().unwrap();
}

#[test]
fn service() {
    service::main().unwrap();
}

#[test]
fn tokio() {
    tokio_example::main().unwrap();
}
