//! Rust closures that scripts call.

use std::sync::Arc;

#[cfg(feature = "isolated")]
use starlark::environment::Module;
#[cfg(feature = "isolated")]
use starlark::eval::Evaluator;
use starlark::values::Heap;

use super::argument::{Argument, Mismatch, Slot};
use super::guarded::guarded;
use super::result::FunctionResult;
use crate::error::Error;
use crate::value::Value;
#[cfg(feature = "isolated")]
use crate::value::make_set;

/// A closure that [`Sandbox::function`](crate::Sandbox::function) accepts: it takes up to eight arguments, each an
/// [`Argument`], and returns a `Result`. `Args` is inferred.
pub trait Function<Args>: Send + Sync + 'static {
    #[doc(hidden)]
    const COUNT: usize;

    /// Whether the last argument takes all remaining ones.
    #[doc(hidden)]
    const IS_OPEN: bool;

    /// Returns the result, or which argument is wrong and how.
    #[doc(hidden)]
    fn invoke(&self, args: &[Slot<'_>]) -> Result<Result<Value, Error>, (usize, Mismatch)>;
}

macro_rules! functions {
    ($($count:literal: $($type:ident $at:tt),*;)*) => {$(
        impl<F, R, $($type),*> Function<(R, $($type,)*)> for F
        where
            F: Fn($($type),*) -> R + for<'a> Fn($(<$type as Argument<'a>>::Output),*) -> R + Send + Sync + 'static,
            R: FunctionResult,
            $($type: for<'a> Argument<'a>,)*
        {
            const COUNT: usize = $count;
            const IS_OPEN: bool = false $(|| <$type as Argument<'static>>::IS_REST)*;

            #[allow(unused)]
            fn invoke(&self, args: &[Slot<'_>]) -> Result<Result<Value, Error>, (usize, Mismatch)> {
                let mut args = args.iter();
                Ok(self($(
                    <$type as Argument<'_>>::take(&mut args).map_err(|(more, mismatch)| ($at + more, mismatch))?
                ),*).into_result())
            }
        }
    )*};
}

functions! {
    0: ;
    1: A 0;
    2: A 0, B 1;
    3: A 0, B 1, C 2;
    4: A 0, B 1, C 2, D 3;
    5: A 0, B 1, C 2, D 3, E 4;
    6: A 0, B 1, C 2, D 3, E 4, G 5;
    7: A 0, B 1, C 2, D 3, E 4, G 5, H 6;
    8: A 0, B 1, C 2, D 3, E 4, G 5, H 6, I 7;
}

/// What is known of a function but what it does.
#[cfg(feature = "wire")]
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub(crate) struct Description {
    pub(crate) name: String,
    pub(crate) params: Vec<String>,
    pub(crate) count: usize,
    pub(crate) is_open: bool,
    pub(crate) doc: Option<String>,
}

type Invoke = dyn Fn(&[Slot<'_>]) -> Result<Result<Value, Error>, (usize, Mismatch)> + Send + Sync;

/// A function of the application that scripts call by name. [`Sandbox::function`](crate::Sandbox::function) returns it
/// so that it can be described further.
#[derive(Clone)]
pub struct HostFunction {
    name: Arc<str>,
    params: Arc<[String]>,
    count: usize,
    is_open: bool,
    doc: Option<Arc<str>>,
    invoke: Arc<Invoke>,
}

impl HostFunction {
    /// Makes a function from a closure, for an application with its own evaluator: [`add_to`](Self::add_to) adds it to the globals.
    /// [`Sandbox::function`](crate::Sandbox::function) does both.
    pub fn new<Args, F: Function<Args>>(name: impl Into<String>, function: F) -> Self {
        Self {
            name: name.into().into(),
            params: Arc::default(),
            count: F::COUNT,
            is_open: F::IS_OPEN,
            doc: None,
            invoke: Arc::new(move |args| function.invoke(args)),
        }
    }

    /// Makes a function that passes its arguments on, with what [`describe`](Self::describe) says of it.
    #[cfg(feature = "core")]
    pub(crate) fn forwarding(
        description: Description,
        forward: impl Fn(Vec<Option<Value>>) -> Result<Value, Error> + Send + Sync + 'static,
    ) -> Self {
        let Description { name, params, count, is_open, doc } = description;
        let invoke = move |args: &[Slot<'_>]| {
            let copy = |(at, slot): (usize, &Slot<'_>)| slot.forwarded().map_err(|mismatch| (at, mismatch));
            Ok(forward(args.iter().enumerate().map(copy).collect::<Result<_, _>>()?))
        };
        let doc = doc.map(Into::into);
        Self { name: name.into(), params: params.into(), count, is_open, doc, invoke: Arc::new(invoke) }
    }

    /// Returns all that is known of the function but what it does.
    #[cfg(feature = "isolated")]
    pub(crate) fn describe(&self) -> Description {
        Description {
            name: self.name.to_string(),
            params: self.params.to_vec(),
            count: self.count,
            is_open: self.is_open,
            doc: self.doc.as_deref().map(str::to_owned),
        }
    }

    /// Calls it with copies of arguments of a script that runs elsewhere.
    #[cfg(feature = "isolated")]
    pub(crate) fn call(&self, args: &[Option<Value>]) -> Result<Value, Error> {
        Module::with_temp_heap(|module| {
            let mut eval = Evaluator::new(&module);
            let mut made = Vec::new();
            for value in args {
                let place = |value: &Value| value.to_starlark(module.heap(), &mut |list| make_set(list, &mut eval));
                made.push(value.as_ref().map(place).transpose().map_err(|error| Error::of_starlark(&error))?);
            }
            self.invoke(&made, module.heap())
        })
    }

    /// Names the parameters in order, so that scripts may also pass arguments by name. If there are fewer names than
    /// parameters, the last ones can be passed only by position.
    pub fn params(&mut self, names: impl IntoIterator<Item = impl Into<String>>) -> &mut Self {
        self.params = names.into_iter().map(Into::into).collect();
        self
    }

    /// Describes what the function does, for tools that list what scripts may call.
    pub fn doc(&mut self, text: impl Into<String>) -> &mut Self {
        self.doc = Some(text.into().into());
        self
    }

    /// Returns the name by which scripts call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn param_names(&self) -> &[String] {
        &self.params
    }

    pub(crate) fn description(&self) -> Option<&str> {
        self.doc.as_deref()
    }

    /// Returns the number of its parameters.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Returns whether the last parameter takes all remaining arguments.
    pub(crate) fn is_open(&self) -> bool {
        self.is_open
    }

    /// Calls it with one argument per parameter; if the last parameter takes all remaining ones, with any number for that.
    pub(crate) fn invoke<'v>(
        &self,
        args: &[Option<starlark::values::Value<'v>>],
        heap: Heap<'v>,
    ) -> Result<Value, Error> {
        let slots: Vec<Slot<'v>> = args.iter().map(|arg| Slot::new(*arg, heap)).collect();
        match guarded(&self.name, || (self.invoke)(&slots))? {
            Ok(result) => result,
            Err((at, mismatch)) => Err(Error::value(format!("{}: {}", self.name, mismatch.about(&self.argument(at))))),
        }
    }

    /// Returns how messages name an argument.
    fn argument(&self, at: usize) -> String {
        match self.params.get(at) {
            Some(name) => format!("argument `{name}`"),
            None => format!("argument {}", at.saturating_add(1)),
        }
    }
}

impl std::fmt::Debug for HostFunction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut fields = f.debug_struct("HostFunction");
        fields.field("name", &self.name).field("params", &self.params).finish_non_exhaustive()
    }
}
