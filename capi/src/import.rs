//! What modules import from an application, with no script between.

use std::ffi::c_void;

use wasmlark::{Caller, Error, ImportResult, Sandbox, WasmNumber};

use crate::callback::{self, Context, Drop};
use crate::caller::{self, CallerNumber};
use crate::misuse::{Misuse, Status, bytes, status, text};
use crate::objects::Handle;
use crate::sandbox::change;

/// The type of a number of WebAssembly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub enum WasmType {
    /// 32 bits.
    I32 = 0,
    /// 64 bits.
    I64 = 1,
    /// A float of 32 bits.
    F32 = 2,
    /// A float of 64 bits.
    F64 = 3,
}

impl WasmType {
    const ALL: [Self; 4] = [Self::I32, Self::I64, Self::F32, Self::F64];

    fn find(number: u8) -> Result<Self, Misuse> {
        let known = Self::ALL.into_iter().find(|known| *known as u32 == u32::from(number));
        known.ok_or_else(|| Misuse::unknown("wasm_type", number.into()))
    }
}

/// A number of WebAssembly: the member of its type.
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

/// A function of the application that modules import. `arguments` has a number for each parameter, good during the call only; the
/// result, where there is one, goes to `results`, which has 0 in it. Returns 0, or what `wasmlark_error` made, which ends the
/// guest and is freed. It must return: no exception of C++, no `longjmp`.
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
    fn call(&self, caller: &mut Caller<'_>, arguments: &[Wasm]) -> Result<Wasm, Error> {
        let mut result = Wasm { i64: 0 };
        let returned = caller::lend(caller, |caller| {
            // SAFETY: the duty of whoever called `wasmlark_sandbox_import`.
            unsafe { (self.import)(self.context.pointer, caller, arguments.as_ptr(), &raw mut result) }
        });
        match callback::result(returned)? {
            None => Ok(result),
            Some(_) => Err(Error::host("the import returned a value: its result goes to `results`")),
        }
    }
}

/// A parameter.
trait Parameter: WasmNumber {
    fn wasm(self) -> Wasm;
}

/// A result, or none.
trait Outcome: Sized {
    fn of(wasm: Wasm) -> Self;
}

impl Outcome for () {
    fn of(_: Wasm) -> Self {}
}

macro_rules! numbers {
    ($($number:ident),*) => {$(
        impl Parameter for $number {
            fn wasm(self) -> Wasm {
                // The rest of it is 0, so that whichever member is read has a value.
                let mut wasm = Wasm { i64: 0 };
                wasm.$number = self;
                wasm
            }
        }

        impl Outcome for $number {
            fn of(wasm: Wasm) -> Self {
                // SAFETY: all its bytes are set, and any are a number.
                unsafe { wasm.$number }
            }
        }
    )*};
}

numbers!(i32, i64, f32, f64);

/// Where an import goes.
struct Place<'a> {
    sandbox: &'a mut Sandbox,
    module: &'a str,
    name: &'a str,
    callback: Callback,
}

/// Functions that give a sandbox an import, if the `rest` of the parameters' types, after those that are known, is one that they know.
/// One that is marked with `+` knows the signature that ends with it.
///
/// The type of a closure says the signature of its import, so each signature is code: that is why not all are there.
macro_rules! binders {
    ($($name:ident $mark:tt $args:tt => $next:tt;)*) => {$(
        binders!(@function $name $mark $args $args $next);
    )*};
    (@function $name:ident $mark:tt ($($arg:ident: $type:ident),*) $args:tt [$($next:ident: $known:ident $more:ident),*]) => {
        fn $name<R: Outcome + 'static, $($type: Parameter + 'static),*>(place: Place<'_>, rest: &[WasmType]) -> bool
        where
            Result<R, Error>: ImportResult,
        {
            match rest {
                [] => binders!(@here $mark place R $args),
                $([WasmType::$known, rest @ ..] => binders!(@next $next place rest R $args $more),)*
                #[allow(unreachable_patterns)] // Where all types are known.
                _ => false,
            }
        }
    };
    (@next $next:ident $place:ident $rest:ident $result:ident ($($arg:ident: $type:ident),*) $more:ident) => {
        $next::<$result, $($type,)* $more>($place, $rest)
    };
    (@here - $place:ident $result:ident $args:tt) => {{
        let _ = $place;
        false
    }};
    (@here + $place:ident $result:ident ($($arg:ident: $type:ident),*)) => {{
        let Place { sandbox, module, name, callback } = $place;
        sandbox.import(module, name, move |caller: &mut Caller<'_>, $($arg: $type),*| -> Result<$result, Error> {
            callback.call(caller, &[$($arg.wasm()),*]).map($result::of)
        });
        true
    }};
}

binders! {
    any + () => [any_1: I32 i32, any_1: I64 i64, any_1: F32 f32, any_1: F64 f64];
    any_1 + (a: A) => [any_2: I32 i32, any_2: I64 i64, any_2: F32 f32, any_2: F64 f64];
    any_2 + (a: A, b: B) => [];

    ints - () => [ints_1: I32 i32, ints_1: I64 i64];
    ints_1 - (a: A) => [ints_2: I32 i32, ints_2: I64 i64];
    ints_2 - (a: A, b: B) => [ints_3: I32 i32, ints_3: I64 i64];
    ints_3 + (a: A, b: B, c: C) => [ints_4: I32 i32, ints_4: I64 i64];
    ints_4 + (a: A, b: B, c: C, d: D) => [];

    words - () => [words_1: I32 i32];
    words_1 - (a: A) => [words_2: I32 i32];
    words_2 - (a: A, b: B) => [words_3: I32 i32];
    words_3 - (a: A, b: B, c: C) => [words_4: I32 i32];
    words_4 - (a: A, b: B, c: C, d: D) => [words_5: I32 i32];
    words_5 + (a: A, b: B, c: C, d: D, e: E) => [words_6: I32 i32];
    words_6 + (a: A, b: B, c: C, d: D, e: E, f: F) => [words_7: I32 i32];
    words_7 + (a: A, b: B, c: C, d: D, e: E, f: F, g: G) => [words_8: I32 i32];
    words_8 + (a: A, b: B, c: C, d: D, e: E, f: F, g: G, h: H) => [];
}

/// Gives a sandbox an import. Returns whether its signature is one of those that are there.
fn bind<R: Outcome + 'static>(place: Place<'_>, parameters: &[WasmType]) -> bool
where
    Result<R, Error>: ImportResult,
{
    match parameters.len() {
        0..=2 => any::<R>(place, parameters),
        3..=4 => ints::<R>(place, parameters),
        _ => words::<R>(place, parameters),
    }
}

/// Gives modules a function that they import from `module` under `name`, in place of one that was given before. No script stands
/// between; what a script gives itself in `imports` goes first. `parameters` and `results` have a `wasmlark_wasm_type` in each
/// byte. There is at most one result, and the parameters are up to two of any types, up to four of I32 and I64, or
/// up to eight of I32: `WASMLARK_STATUS_ARGUMENT` for others. `context` is passed along, and `drop`, which may be null, frees it
/// once no module can call the function any more; also where this fails.
///
/// An error of the function ends the guest, and the run with it: `WASMLARK_KIND_HOST` is its kind. What the function does costs no fuel.
///
/// # Safety
///
/// `module_length` bytes can be read at `module`, `name_length` at `name`, `parameter_count` at `parameters`, and `result_count` at
/// `results`; each may be null where its length is 0. `import` may be called from other threads, several at a time, with
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
        let types = |all: &[u8]| all.iter().map(|number| WasmType::find(*number)).collect::<Result<Vec<_>, _>>();
        let (parameters, results) = (types(parameters)?, types(results)?);
        let is_bound = change(sandbox, |sandbox| {
            let place = Place { sandbox, module, name, callback };
            match results.as_slice() {
                [] => bind::<()>(place, &parameters),
                [WasmType::I32] => bind::<i32>(place, &parameters),
                [WasmType::I64] => bind::<i64>(place, &parameters),
                [WasmType::F32] => bind::<f32>(place, &parameters),
                [WasmType::F64] => bind::<f64>(place, &parameters),
                _ => false,
            }
        })?;
        if is_bound {
            return Ok(());
        }
        let message = format!(
            "an import with {parameters:?} -> {results:?} cannot be given: at most one result can, with up to two parameters of any types, \
             four of I32 and I64, or eight of I32"
        );
        Err(Misuse::new(Status::Argument, message))
    })
}
