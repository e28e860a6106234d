//! The modules of the guests of an isolated sandbox, as the host runs them.

#[allow(dead_code, unused_imports)]
mod exposed;
