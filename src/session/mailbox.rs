//! Passes requests and replies between a session and its evaluation, which is a future that is polled by hand.

use std::cell::Cell;
use std::future::poll_fn;
use std::task::Poll;

use super::call_limits::CallLimits;
use super::functions::ScriptFunction;
use super::memories::MemoryInfo;
use crate::error::Error;
use crate::value::Value;

/// A request to the evaluation.
#[cfg_attr(feature = "wire", derive(serde::Serialize, serde::Deserialize))]
pub(crate) enum Request {
    Call(Call),
    Get {
        name: String,
    },
    Functions,
    /// Makes available again what the limits allow to be spent.
    Refill,
    Eval {
        name: String,
        text: String,
    },
    /// Lists the linear memories with their names.
    Memories,
    /// Reads bytes of one of them.
    Memory {
        name: String,
        offset: u64,
        length: u64,
    },
    /// Lists the names that a statement can begin with, or those that can follow a path and its dot.
    Names {
        path: Option<String>,
    },
}

/// A call of a function of the script.
#[cfg_attr(feature = "wire", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Call {
    pub(crate) name: String,
    #[cfg_attr(feature = "wire", serde(with = "crate::wire::values"))]
    pub(crate) args: Vec<Value>,
    #[cfg_attr(feature = "wire", serde(with = "crate::wire::named_values"))]
    pub(crate) kwargs: Vec<(String, Value)>,
    pub(crate) limits: CallLimits,
}

/// An answer of the evaluation.
#[cfg_attr(feature = "wire", derive(serde::Serialize, serde::Deserialize))]
pub(crate) enum Answer {
    Value(#[cfg_attr(feature = "wire", serde(with = "crate::wire::value"))] Value),
    /// There is no such variable, or nothing to return.
    Nothing,
    Functions(Vec<ScriptFunction>),
    Memories(Vec<MemoryInfo>),
}

impl Answer {
    /// Returns the value, `None` for an answer that is none.
    pub(crate) fn into_value(self) -> Value {
        match self {
            Self::Value(value) => value,
            _ => Value::None,
        }
    }
}

pub(super) type Reply = Result<Answer, Error>;

#[derive(Default)]
pub(super) struct Mailbox {
    request: Cell<Option<Request>>,
    reply: Cell<Option<Reply>>,
}

impl Mailbox {
    pub(super) fn send(&self, request: Request) {
        self.request.set(Some(request));
    }

    pub(super) fn receive(&self) -> Option<Reply> {
        self.reply.take()
    }

    pub(super) fn reply(&self, reply: Reply) {
        self.reply.set(Some(reply));
    }

    /// Waits for a request.
    pub(super) async fn request(&self) -> Request {
        poll_fn(|_| match self.request.take() {
            Some(request) => Poll::Ready(request),
            None => Poll::Pending,
        })
        .await
    }
}
