//! Passes requests and replies between a session and its evaluation, which is a future that is polled by hand.

use std::cell::Cell;
use std::future::poll_fn;
use std::task::Poll;

use starlark::values::Heap;

use super::call_limits::CallLimits;
use super::functions::ScriptFunction;
#[cfg(feature = "serde")]
use super::lent::Lent;
use super::memories::MemoryInfo;
use crate::error::Error;
use crate::value::{Arguments, MakeSet, Value};

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

impl Call {
    /// Makes the arguments on a heap.
    pub(super) fn arguments<'n, 'v>(
        &'n self,
        heap: Heap<'v>,
        make_set: &mut MakeSet<'_, 'v>,
    ) -> starlark::Result<Arguments<'n, 'v>> {
        let mut convert = |value: &Value| value.to_starlark(heap, make_set);
        let positional = self.args.iter().map(&mut convert).collect::<starlark::Result<_>>()?;
        let named = self.kwargs.iter().map(|(name, value)| Ok((name.as_str(), convert(value)?)));
        Ok(Arguments { positional, named: named.collect::<starlark::Result<_>>()? })
    }
}

/// What the evaluation is to work on.
pub(super) enum Work {
    Request(Request),
    /// The call that is lent.
    #[cfg(feature = "serde")]
    DirectCall,
}

#[derive(Default)]
pub(super) struct Mailbox {
    work: Cell<Option<Work>>,
    reply: Cell<Option<Reply>>,
    #[cfg(feature = "serde")]
    pub(super) lent: Lent,
}

impl Mailbox {
    pub(super) fn send(&self, work: Work) {
        self.work.set(Some(work));
    }

    pub(super) fn receive(&self) -> Option<Reply> {
        self.reply.take()
    }

    pub(super) fn reply(&self, reply: Reply) {
        self.reply.set(Some(reply));
    }

    /// Waits for work.
    pub(super) async fn work(&self) -> Work {
        poll_fn(|_| match self.work.take() {
            Some(work) => Poll::Ready(work),
            None => Poll::Pending,
        })
        .await
    }
}
