//! Requests to the host.
#![allow(unsafe_code)]

use serde::de::DeserializeOwned;

use crate::edge;
use crate::request::Request;

/// Asks the host. The answer is of the type that the request says.
pub(crate) fn ask<T: DeserializeOwned>(request: &Request) -> T {
    let message = postcard::to_stdvec(request).unwrap_or_default();
    answer(edge::guest_ask(message.as_ptr(), message.len()))
}

/// Fetches an answer of `length` bytes.
pub(crate) fn answer<T: DeserializeOwned>(length: usize) -> T {
    let mut reply = vec![0; length];
    // SAFETY: the host copies as many bytes as it said that the answer has.
    unsafe { edge::guest_answer(reply.as_mut_ptr()) };
    match postcard::from_bytes(&reply) {
        Ok(answer) => answer,
        // The host was built from other sources, or is broken: nothing that this module says can be trusted then.
        Err(_) => core::arch::wasm32::unreachable(),
    }
}
