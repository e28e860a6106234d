//! The values, functions and imports that an application gives to its scripts.

use std::sync::Arc;

use super::Sandbox;
use crate::error::Error;
use crate::host::caller::Caller;
use crate::host::dynamic_import::{Number, NumberType};
use crate::host::function::{Function, HostFunction};
use crate::host::import::Import;
use crate::session;
use crate::value::Value;

impl Sandbox {
    /// Gives scripts, and the files that they load, a global: anything that serde serialises, as
    /// [`Value::from_serialize`] makes it. It is frozen: no script can change it. A name is what it was last set to, and a
    /// session keeps what it was loaded with.
    ///
    /// ```
    /// use wasmlark::Sandbox;
    ///
    /// #[derive(serde::Serialize)]
    /// struct Config { name: String, sizes: Vec<u32> }
    ///
    /// let mut sandbox = Sandbox::new();
    /// sandbox.value("config", &Config { name: "main".into(), sizes: vec![1, 2] })?;
    /// let run = sandbox.run("main.star", "config['name'] + str(config['sizes'][1])")?;
    /// assert_eq!(run.value.as_str(), Some("main2"));
    /// assert!(sandbox.run("main.star", "config['sizes'].append(3)").is_err());
    /// # Ok::<(), wasmlark::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the name is not an identifier, or is a keyword or the name of a builtin; if the value is nested deeper than 200
    /// levels, contains a [`Value::Opaque`], has a key that cannot be hashed, or its `Serialize` fails.
    #[cfg(feature = "serde")]
    pub fn value<T: serde::Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<&mut Self, Error> {
        let value =
            Value::from_serialize(value).map_err(|error| error.within(&format!("cannot give scripts `{name}`")))?;
        self.set_value(name, value)
    }

    /// Does what [`value`](Self::value) does, without serde.
    ///
    /// # Errors
    ///
    /// Those of [`value`](Self::value).
    pub fn set_value(&mut self, name: &str, value: impl Into<Value>) -> Result<&mut Self, Error> {
        let value = value.into();
        let frozen = session::grant(name, &value)?;
        Arc::make_mut(&mut self.grants).set_value(name, frozen, value);
        Ok(self)
    }

    /// Gives scripts, and the files that they load, a function of the application: a closure of up to eight arguments,
    /// each an [`Argument`](crate::Argument), that returns a `Result`.
    ///
    /// Its error comes back from the run as [`source`](std::error::Error::source) of an error of the kind
    /// [`Host`](crate::ErrorKind::Host), with the script's frames in the message. A panic is such an error too, where panics unwind.
    ///
    /// What it reads of the world is no longer the same on every run: a script is as deterministic as its functions.
    ///
    /// ```
    /// use wasmlark::{Error, Sandbox, Value};
    ///
    /// let mut sandbox = Sandbox::new();
    /// sandbox
    ///     .function("lookup", |key: &str, default: Option<u64>| -> Result<Option<u64>, Error> {
    ///         Ok(if key == "ann" { Some(7) } else { default })
    ///     })
    ///     .params(["key", "default"])
    ///     .doc("Returns the number of a user.");
    /// let run = sandbox.run("main.star", "[lookup('ann'), lookup('bob'), lookup('bob', default = 1)]")?;
    /// assert_eq!(run.value.to_string(), "[7, None, 1]");
    ///
    /// let error = sandbox.run("main.star", "lookup(3)").unwrap_err();
    /// assert_eq!(error.message(), "lookup: argument `key` must be str, not int");
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// A name that is not an identifier, or is a keyword or the name of a builtin, is an error of each run.
    pub fn function<Args>(&mut self, name: impl Into<String>, function: impl Function<Args>) -> &mut HostFunction {
        let name = name.into();
        let function = HostFunction::new(name.clone(), function);
        Arc::make_mut(&mut self.grants).set_function(name, function)
    }

    /// Gives what modules import from `module` under `name`: a closure of a [`Caller`](crate::Caller) and up to twelve numbers, that
    /// returns a `Result` of none, one or several. No script stands between. What a script gives itself in `imports`, and
    /// what it gives as `wasi`, go first.
    ///
    /// Errors and panics are those of [`function`](Self::function). Its own work costs no fuel.
    ///
    /// ```
    /// use wasmlark::{Caller, Error, Sandbox, Value};
    ///
    /// let mut sandbox = Sandbox::new();
    /// sandbox.import("env", "now", |_caller: &mut Caller<'_>, zone: i32| -> Result<i64, Error> {
    ///     Ok(1_700_000_000 + i64::from(zone) * 3600)
    /// });
    /// let script = r#"
    /// guest = wasm.wat('(module (import "env" "now" (func (param i32) (result i64))) (export "now" (func 0)))')
    /// wasm.instantiate(guest).exports.now(-1)
    /// "#;
    /// assert_eq!(sandbox.run("main.star", script)?.value, Value::from(1_699_996_400));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn import<Args: 'static>(
        &mut self,
        module: impl Into<String>,
        name: impl Into<String>,
        function: impl Import<Args>,
    ) -> &mut Self {
        Arc::make_mut(&mut self.grants).set_import(module.into(), name.into(), function);
        self
    }

    /// Gives an import as [`import`](Self::import) does, of a type that is known only when the program runs: the types of its
    /// parameters and of its results. The closure gets the arguments, and the results as zeros of their types, to be set.
    ///
    /// A result of another type is an error of the run, of the kind [`Host`](crate::ErrorKind::Host).
    ///
    /// # Errors
    ///
    /// If there are more than a thousand parameters or results: no module can have such a function.
    ///
    /// ```
    /// use wasmlark::{Caller, Error, Number, NumberType, Sandbox};
    ///
    /// let mut sandbox = Sandbox::new();
    /// let types = (&[NumberType::I32; 3][..], &[NumberType::I64][..]);
    /// sandbox.import_dynamic("env", "sum", types, |_: &mut Caller<'_>, arguments, results| {
    ///     let numbers = arguments.iter().map(|number| if let Number::I32(n) = number { i64::from(*n) } else { 0 });
    ///     results[0] = Number::I64(numbers.sum());
    ///     Ok::<(), Error>(())
    /// })?;
    /// let script = r#"
    /// guest = wasm.wat('(module (import "env" "sum" (func (param i32 i32 i32) (result i64))) (export "sum" (func 0)))')
    /// wasm.instantiate(guest).exports.sum(1, 2, 3)
    /// "#;
    /// assert_eq!(sandbox.run("main.star", script)?.value, 6.into());
    /// # Ok::<(), Error>(())
    /// ```
    pub fn import_dynamic<Fault>(
        &mut self,
        module: impl Into<String>,
        name: impl Into<String>,
        types: (&[NumberType], &[NumberType]),
        function: impl Fn(&mut Caller<'_>, &[Number], &mut [Number]) -> Result<(), Fault> + Send + Sync + 'static,
    ) -> Result<&mut Self, Error>
    where
        Fault: Into<Box<dyn std::error::Error + Send + Sync>> + 'static,
    {
        let imports = Arc::make_mut(&mut self.grants).imports_mut();
        imports.set_dynamic(module.into(), name.into(), types, function)?;
        Ok(self)
    }
}
