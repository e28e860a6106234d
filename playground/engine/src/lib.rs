//! The engine of the playground: `playground/src/engine.mjs` sends it requests, in a worker of the page.
//!
//! A request and a reply each are a head, which is JSON, and a body of bytes. While a request is served, the page gets
//! what the script prints and what it has spent by two functions, the only imports of the module.

#[cfg(target_family = "wasm")]
mod edge;
mod frame;
mod playground;
mod reply;
mod request;

pub use playground::{Page, Playground, Stream};
pub use reply::Reply;
