//! Calls of a script's functions, and what they may spend.

#[cfg(feature = "serde")]
use super::Place;
#[cfg(feature = "serde")]
use super::direct::TypedCall;
use super::mailbox::{Call, Request};
use super::{CallLimits, Session};
use crate::error::Error;
use crate::value::Value;

impl Session {
    /// Calls the function that the script has under this name, with arguments and a result of any types that serde knows.
    /// The arguments are a tuple, or a list.
    ///
    /// ```
    /// #[derive(serde::Serialize)]
    /// struct Request { user: String, size: u64 }
    /// #[derive(serde::Deserialize)]
    /// struct Decision { allow: bool, reason: Option<String> }
    ///
    /// let policy = "
    /// def decide(request, quota):
    ///     if request['size'] <= quota:
    ///         return {'allow': True}
    ///     return {'allow': False, 'reason': request['user'] + ' has no more than ' + str(quota)}
    /// ";
    /// let mut session = wasmlark::Sandbox::new().load("policy.star", policy)?;
    /// let request = Request { user: "ann".into(), size: 5 };
    /// let decision: Decision = session.call("decide", (&request, 3))?;
    /// assert!(!decision.allow);
    /// assert_eq!(decision.reason.as_deref(), Some("ann has no more than 3"));
    /// # Ok::<(), wasmlark::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`call_values`](Self::call_values); also if an argument is nested deeper than 200 levels or its `Serialize`
    /// fails or panics, and if the result does not fit its type: then the call was made all the same.
    #[cfg(feature = "serde")]
    pub fn call<R: serde::de::DeserializeOwned>(
        &mut self,
        name: &str,
        args: impl serde::Serialize,
    ) -> Result<R, Error> {
        self.call_with(name, args, (), CallLimits::new())
    }

    /// Calls the function that the script has under this name, with arguments by position and by name, and with limits of
    /// its own. Those by name are a map or a struct, `()` for none.
    ///
    /// A limit is held within what the session has left. After a call that one ended, the session can be called again.
    ///
    /// ```
    /// use std::time::Duration;
    /// use wasmlark::{CallLimits, ErrorKind, Limit, Sandbox};
    ///
    /// #[derive(serde::Serialize)]
    /// struct Options { indent: u32 }
    ///
    /// let script = "def repeat(text, n, indent = 0):\n    return [' ' * indent + text for _ in range(n)]";
    /// let mut session = Sandbox::new().load("repeat.star", script)?;
    /// let limits = CallLimits::new().fuel(1_000_000).ticks(100).deadline(Duration::from_secs(5));
    /// let lines: Vec<String> = session.call_with("repeat", ("a", 2), Options { indent: 1 }, limits)?;
    /// assert_eq!(lines, [" a", " a"]);
    ///
    /// let error = session.call_with::<Vec<String>>("repeat", ("a", 1 << 20), (), limits).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Limit(Limit::Ticks));
    /// assert_eq!(error.message(), "the call's ticks are used up: its limit `ticks` is 100");
    /// # Ok::<(), wasmlark::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`call`](Self::call); also if a limit of the call is reached, or the sandbox cannot keep it.
    #[cfg(feature = "serde")]
    pub fn call_with<R: serde::de::DeserializeOwned>(
        &mut self,
        name: &str,
        args: impl serde::Serialize,
        kwargs: impl serde::Serialize,
        limits: CallLimits,
    ) -> Result<R, Error> {
        match &mut self.0 {
            Place::Here(whole) => {
                let call = TypedCall::new(name, &args, &kwargs, limits);
                let reply = whole.call(&call);
                call.into_result(reply)
            }
            #[cfg(feature = "isolated")]
            Place::Isolated(_) => {
                let call = TypedCall::new(name, &args, &kwargs, limits);
                let reply = self.ask(Request::Call(call.to_call()?));
                call.into_result(reply)
            }
        }
    }

    /// Calls the function that the script has under this name.
    ///
    /// # Errors
    ///
    /// If there is no such function, an argument cannot be passed (it contains a [`Value::Opaque`], or is nested deeper
    /// than 200 levels), the call fails, a limit ends it, or its result is nested too deeply or too large to leave the script.
    pub fn call_values(&mut self, name: &str, args: &[Value]) -> Result<Value, Error> {
        self.send_call(name, args.to_vec(), Vec::new(), CallLimits::new())
    }

    /// Does what [`call_with`](Self::call_with) does, without serde.
    ///
    /// # Errors
    ///
    /// Those of [`call_values`](Self::call_values); also if a limit of the call is reached, or the sandbox cannot keep it.
    pub fn call_values_with(
        &mut self,
        name: &str,
        args: &[Value],
        kwargs: &[(&str, Value)],
        limits: CallLimits,
    ) -> Result<Value, Error> {
        let kwargs = kwargs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        self.send_call(name, args.to_vec(), kwargs, limits)
    }

    fn send_call(
        &mut self,
        name: &str,
        args: Vec<Value>,
        kwargs: Vec<(String, Value)>,
        limits: CallLimits,
    ) -> Result<Value, Error> {
        self.value(Request::Call(Call { name: name.to_owned(), args, kwargs, limits }))
    }

    /// Gives the session once more what the sandbox's limits allow to be spent: fuel, ticks and printed bytes. What is in
    /// use counts as before: memories, tables, instances, files, the heap. So do [`stats`](Self::stats).
    ///
    /// ```
    /// use wasmlark::{ErrorKind, Limit, Limits, Sandbox};
    ///
    /// let script = "def work():\n    for _ in range(600): pass";
    /// let mut session = Sandbox::new().limits(Limits::new().ticks(1000)).load("work.star", script)?;
    /// session.call_values("work", &[])?;
    /// assert_eq!(session.call_values("work", &[]).unwrap_err().kind(), ErrorKind::Limit(Limit::Ticks));
    /// session.refill()?;
    /// session.call_values("work", &[])?;
    /// assert!(session.stats().ticks > 1600);
    /// # Ok::<(), wasmlark::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the session has ended because a call panicked.
    pub fn refill(&mut self) -> Result<(), Error> {
        self.ask(Request::Refill).map(|_| ())
    }
}
