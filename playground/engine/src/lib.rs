//! The engine of the playground. `playground/src/engine.mjs` sends it requests, in a worker of the page.
//!
//! A request has a head, which is JSON, and a body of bytes, and so has a reply. While a request is served, two functions
//! tell the page what the script prints and what it has spent. They are the only imports of the module.

#[cfg(target_family = "wasm")]
mod edge;
mod frame;
mod playground;
mod reply;
mod request;

pub use playground::{Page, Playground, Stream};
pub use reply::Reply;
