//! Calls whose arguments and results are types of the application's, made on the script's heap and read from there.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use serde::Serialize;
use serde::de::DeserializeOwned;
use starlark::values::{Heap, Value as Starlark};

use super::call_limits::CallLimits;
use super::lent::DirectCall;
use super::mailbox::Answer;
#[cfg(feature = "isolated")]
use super::mailbox::Call;
use crate::error::Error;
#[cfg(feature = "isolated")]
use crate::value::Value;
use crate::value::{Arguments, MakeSet, deserialize};

/// A call with arguments `A`, named ones `K`, and a result `R`.
pub(super) struct TypedCall<'a, A, K, R> {
    name: &'a str,
    args: &'a A,
    kwargs: &'a K,
    limits: CallLimits,
    state: Cell<CallState<R>>,
}

enum CallState<R> {
    /// The call has not come to its end.
    Open,
    Done(R),
    /// The arguments cannot be made, or the result does not fit.
    Misfit(Error),
    /// A `Serialize` or `Deserialize` of the application's panicked.
    Panicked(Box<dyn Any + Send>),
}

impl<'a, A: Serialize, K: Serialize, R: DeserializeOwned> TypedCall<'a, A, K, R> {
    pub(super) fn new(name: &'a str, args: &'a A, kwargs: &'a K, limits: CallLimits) -> Self {
        Self { name, args, kwargs, limits, state: Cell::new(CallState::Open) }
    }

    /// Returns the result, given what the evaluation has replied.
    pub(super) fn into_result(self, reply: Result<Answer, Error>) -> Result<R, Error> {
        match self.state.into_inner() {
            CallState::Done(result) => reply.map(|_| result),
            CallState::Misfit(error) => Err(error),
            // The session is as before the call, and the panic is not its own.
            CallState::Panicked(panic) => resume_unwind(panic),
            // The function has called `exit()`, or failed, or was called elsewhere.
            CallState::Open => fit(self.name, reply?.into_value().to()),
        }
    }

    /// Makes a call of values, for an evaluation elsewhere.
    #[cfg(feature = "isolated")]
    pub(super) fn to_call(&self) -> Result<Call, Error> {
        let within = |error: Error| error.within(&format!("cannot call `{}`", self.name));
        let args = Value::arguments(self.args).map_err(within)?;
        let kwargs = Value::named_arguments(self.kwargs).map_err(within)?;
        Ok(Call { name: self.name.to_owned(), args, kwargs, limits: self.limits })
    }

    fn fail(&self, state: CallState<R>) -> Error {
        self.state.set(state);
        Error::value("the call failed outside of the script")
    }
}

impl<A: Serialize, K: Serialize, R: DeserializeOwned> DirectCall for TypedCall<'_, A, K, R> {
    fn name(&self) -> &str {
        self.name
    }

    fn limits(&self) -> CallLimits {
        self.limits
    }

    fn arguments<'v>(&self, heap: Heap<'v>, make_set: &mut MakeSet<'_, 'v>) -> starlark::Result<Arguments<'v, 'v>> {
        let make = || Arguments::serialize(self.args, self.kwargs, heap, make_set);
        // Without this, a panic would end the session.
        let state = match catch_unwind(AssertUnwindSafe(make)) {
            Ok(Ok(Ok(arguments))) => return Ok(arguments),
            Ok(Ok(Err(error))) => CallState::Misfit(error.within(&format!("cannot call `{}`", self.name))),
            Ok(Err(error)) => return Err(error),
            Err(panic) => CallState::Panicked(panic),
        };
        Err(self.fail(state).into())
    }

    fn finish<'v>(&self, result: Starlark<'v>, heap: Heap<'v>) -> Result<(), Error> {
        let state = match catch_unwind(AssertUnwindSafe(|| deserialize(result, heap))) {
            Ok(made) => match fit(self.name, made?) {
                Ok(made) => {
                    self.state.set(CallState::Done(made));
                    return Ok(());
                }
                Err(error) => CallState::Misfit(error),
            },
            Err(panic) => CallState::Panicked(panic),
        };
        Err(self.fail(state))
    }
}

fn fit<R>(name: &str, result: Result<R, Error>) -> Result<R, Error> {
    result.map_err(|error| error.within(&format!("the result of `{name}` does not fit")))
}
