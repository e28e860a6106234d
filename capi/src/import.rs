//! Functions of an application that modules import directly, with no script in between.

use std::ffi::c_void;

use wasmlark::{Caller, Error, Number, NumberType};

use crate::callback::{self, Context, Drop};
use crate::caller::{self, CallerNumber};
use crate::misuse::{Misuse, Status, bytes, status, text};
use crate::objects::Handle;
use crate::sandbox::change;

/// The type of a WebAssembly number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub enum WasmType {
    /// A 32-bit integer.
    I32 = 0,
    /// A 64-bit integer.
    I64 = 1,
    /// A 32-bit float.
    F32 = 2,
    /// A 64-bit float.
    F64 = 3,
}

impl WasmType {
    const ALL: [Self; 4] = [Self::I32, Self::I64, Self::F32, Self::F64];

    fn number_type(self) -> NumberType {
        match self {
            Self::I32 => NumberType::I32,
            Self::I64 => NumberType::I64,
            Self::F32 => NumberType::F32,
            Self::F64 => NumberType::F64,
        }
    }

    fn find(number: u8) -> Result<Self, Misuse> {
        let known = Self::ALL.into_iter().find(|known| *known as u32 == u32::from(number));
        known.ok_or_else(|| Misuse::unknown("wasm_type", number.into()))
    }
}

/// A WebAssembly number, in the member of its type.
#[derive(Clone, Copy)]
#[repr(C)]
pub union Wasm {
    /// For `WASMLARK_WASM_TYPE_I32`.
    pub i32: i32,
    /// For `WASMLARK_WASM_TYPE_I64`.
    pub i64: i64,
    /// For `WASMLARK_WASM_TYPE_F32`.
    pub f32: f32,
    /// For `WASMLARK_WASM_TYPE_F64`.
    pub f64: f64,
}

impl std::fmt::Debug for Wasm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Wasm")
    }
}

/// A function of the application that modules import. `arguments` has one number per parameter and is valid only during the call;
/// `results` has one number per result, initially 0, for the function to set. Returns 0, or an error made by `wasmlark_error`,
/// which ends the guest; the library frees the error. It must return: no C++ exception, no `longjmp`.
pub type Import = Option<
    unsafe extern "C" fn(
        context: *mut c_void,
        caller: CallerNumber,
        arguments: *const Wasm,
        results: *mut Wasm,
    ) -> Handle,
>;

struct Callback {
    import: unsafe extern "C" fn(*mut c_void, CallerNumber, *const Wasm, *mut Wasm) -> Handle,
    context: Context,
}

impl Callback {
    fn call(&self, caller: &mut Caller<'_>, arguments: &[Number], results: &mut [Number]) -> Result<(), Error> {
        let arguments: Vec<Wasm> = arguments.iter().map(|number| Wasm::of(*number)).collect();
        let mut returned: Vec<Wasm> = results.iter().map(|number| Wasm::of(*number)).collect();
        let object = caller::lend(caller, |caller| {
            // SAFETY: the duty of whoever called `wasmlark_sandbox_import`.
            unsafe { (self.import)(self.context.pointer, caller, arguments.as_ptr(), returned.as_mut_ptr()) }
        });
        if callback::result(object)?.is_some() {
            return Err(Error::host("the import returned a value: write its results to `results`"));
        }
        results.iter_mut().zip(returned).for_each(|(number, wasm)| *number = wasm.like(*number));
        Ok(())
    }
}

impl Wasm {
    fn of(number: Number) -> Self {
        // All other bytes are 0, so that reading any member is defined.
        let mut wasm = Self { i64: 0 };
        match number {
            Number::I32(number) => wasm.i32 = number,
            Number::I64(number) => wasm.i64 = number,
            Number::F32(number) => wasm.f32 = number,
            Number::F64(number) => wasm.f64 = number,
        }
        wasm
    }

    /// Returns the member that has the type of `number`.
    fn like(self, number: Number) -> Number {
        // SAFETY: all bytes are set, and any bit pattern is a valid number.
        unsafe {
            match number {
                Number::I32(_) => Number::I32(self.i32),
                Number::I64(_) => Number::I64(self.i64),
                Number::F32(_) => Number::F32(self.f32),
                Number::F64(_) => Number::F64(self.f64),
            }
        }
    }
}

/// Gives modules a function that they import from `module` under `name`, replacing one given before. No script is involved; what
/// a script passes in `imports` takes precedence. Each byte of `parameters` and `results` is a `wasmlark_wasm_type`; each may
/// have at most a thousand. `context` is passed to each call. `drop`, which may be null, frees it once no module can call the
/// function any more, or if this call fails.
///
/// An error returned by the function ends the guest and the run, with `WASMLARK_KIND_HOST` as its
/// kind. The function's own work costs no fuel.
///
/// # Safety
///
/// `module_length` bytes can be read at `module`, `name_length` at `name`, `parameter_count` at `parameters`, and `result_count` at
/// `results`; each may be null if its length is 0. `import` may be called from other threads, several at a time, with
/// `context`, and then `drop`.
#[unsafe(no_mangle)]
#[allow(clippy::too_many_arguments)] // C has no slices.
pub unsafe extern "C" fn wasmlark_sandbox_import(
    sandbox: Handle,
    module: *const u8,
    module_length: usize,
    name: *const u8,
    name_length: usize,
    parameters: *const u8,
    parameter_count: usize,
    results: *const u8,
    result_count: usize,
    import: Import,
    context: *mut c_void,
    drop: Drop,
) -> Status {
    status(|| {
        let context = Context::new(context, drop);
        let import = import.ok_or_else(|| Misuse::new(Status::Null, "the import is null"))?;
        let callback = Callback { import, context };
        // SAFETY: the caller's duty, above.
        let (module, name, parameters, results) = unsafe {
            (
                text(module, module_length, "module's name")?,
                text(name, name_length, "name")?,
                bytes(parameters, parameter_count, "list of parameters")?,
                bytes(results, result_count, "list of results")?,
            )
        };
        let types = |all: &[u8]| {
            all.iter().map(|number| WasmType::find(*number).map(WasmType::number_type)).collect::<Result<Vec<_>, _>>()
        };
        let (parameters, results) = (types(parameters)?, types(results)?);
        let given = change(sandbox, |sandbox| {
            let types = (parameters.as_slice(), results.as_slice());
            let call = move |caller: &mut Caller<'_>, arguments: &[Number], results: &mut [Number]| {
                callback.call(caller, arguments, results)
            };
            sandbox.import_dynamic(module, name, types, call).map(|_| ())
        })?;
        given.map_err(|error| Misuse::new(Status::Argument, error.message().to_owned()))
    })
}
