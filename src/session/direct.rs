//! Calls whose arguments and results are types of the application's, made on the script's heap and read from there.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::Serialize;
use serde::de::DeserializeOwned;
use starlark::values::{Heap, Value as Starlark};

use super::call_limits::CallLimits;
use super::lent::DirectCall;
use super::mailbox::Answer;
#[cfg(feature = "isolated")]
use super::mailbox::Call;
use crate::error::{Error, ErrorKind};
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
}

impl<'a, A: Serialize, K: Serialize, R: DeserializeOwned> TypedCall<'a, A, K, R> {
    pub(super) fn new(name: &'a str, args: &'a A, kwargs: &'a K, limits: CallLimits) -> Self {
        Self { name, args, kwargs, limits, state: Cell::new(CallState::Open) }
    }

    /// Returns the result, given what the evaluation has replied.
    pub(super) fn into_result(self, reply: Result<Answer, Error>) -> Result<R, Error> {
        match self.state.replace(CallState::Open) {
            CallState::Done(result) => reply.map(|_| result),
            CallState::Misfit(error) => Err(error),
            // The function has called `exit()`, or failed, or was called elsewhere.
            CallState::Open => {
                let value = reply?.into_value();
                self.read(|| Ok(value.to()))
            }
        }
    }

    /// Makes a call of values, for an evaluation elsewhere.
    #[cfg(feature = "isolated")]
    pub(super) fn to_call(&self) -> Result<Call, Error> {
        let (args, kwargs) = self.offer(|| Ok::<_, Error>(Value::arguments(self.args, self.kwargs)))??;
        Ok(Call { name: self.name.to_owned(), args, kwargs, limits: self.limits })
    }

    /// Makes arguments with the application's `Serialize`. Returns the outer error of `make` as it is.
    fn offer<T, E>(&self, make: impl FnOnce() -> Result<Result<T, Error>, E>) -> Result<Result<T, Error>, E> {
        match caught(make) {
            Ok(made) => Ok(made?.map_err(|error| error.within(&format!("cannot call `{}`", self.name)))),
            Err(panic) => Ok(Err(Error::panicked(ErrorKind::Host, panic, |why| {
                format!("making the arguments of `{}` panicked{why}", self.name)
            }))),
        }
    }

    /// Makes the result with the application's `Deserialize`. Returns the outer error of `make` as it is.
    fn read(&self, make: impl FnOnce() -> Result<Result<R, Error>, Error>) -> Result<R, Error> {
        match caught(make) {
            Ok(made) => made?.map_err(|error| error.within(&format!("the result of `{}` does not fit", self.name))),
            Err(panic) => Err(Error::panicked(ErrorKind::Host, panic, |why| {
                format!("reading the result of `{}` panicked{why}", self.name)
            })),
        }
    }

    /// Keeps the reason for which the call ends here. Returns an error that takes its place in the evaluation.
    fn misfit(&self, error: Error) -> Error {
        self.state.set(CallState::Misfit(error));
        Error::value("the call failed outside of the script")
    }
}

/// Does work of the application's. A panic that unwound through the evaluation would end the session.
fn caught<T>(work: impl FnOnce() -> T) -> std::thread::Result<T> {
    catch_unwind(AssertUnwindSafe(work))
}

impl<A: Serialize, K: Serialize, R: DeserializeOwned> DirectCall for TypedCall<'_, A, K, R> {
    fn name(&self) -> &str {
        self.name
    }

    fn limits(&self) -> CallLimits {
        self.limits
    }

    fn arguments<'v>(&self, heap: Heap<'v>, make_set: &mut MakeSet<'_, 'v>) -> starlark::Result<Arguments<'v, 'v>> {
        let made = self.offer(|| Arguments::serialize(self.args, self.kwargs, heap, make_set))?;
        made.map_err(|error| self.misfit(error).into())
    }

    fn finish<'v>(&self, result: Starlark<'v>, heap: Heap<'v>) -> Result<(), Error> {
        let made = self.read(|| deserialize(result, heap)).map_err(|error| self.misfit(error))?;
        self.state.set(CallState::Done(made));
        Ok(())
    }
}
