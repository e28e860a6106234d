//! Our side: a script in an evaluator, and its functions, which are timed.

use std::cell::RefCell;
use std::fmt;
use std::time::{Duration, Instant};

use allocative::Allocative;
use starlark::any::ProvidesStaticType;
use starlark::environment::{Globals, GlobalsBuilder, LibraryExtension, Methods, MethodsBuilder, Module};
use starlark::eval::Evaluator;
use starlark::starlark_module;
use starlark::syntax::{AstModule, Dialect};
use starlark::values::bytes::StarlarkBytes;
use starlark::values::float::UnpackFloat;
use starlark::values::list::AllocList;
use starlark::values::none::NoneType;
use starlark::values::{Heap, NoSerialize, StarlarkPagablePanic, StarlarkValue, Value, ValueLike, starlark_value};
use wasmlark::{Engine, Limits};

/// The statements in the body of a loop, enough to make the loop itself negligible.
pub const UNROLLED: u64 = 16;

/// A function `name(n)` that runs `locals` and then `statement` `n * UNROLLED` times.
pub fn repeat(name: &str, locals: &str, statement: &str) -> String {
    let body = format!("        {statement}\n").repeat(UNROLLED as usize);
    format!("def {name}(n):\n    {locals}\n    for _ in range(n):\n{body}\n")
}

/// The default limits, except for those that a long measurement would reach.
pub fn limits() -> Limits {
    Limits::new().fuel(100_000_000_000_000).ticks(1_000_000_000_000).heap(16 << 30).memory(4 << 30)
}

/// An engine like those of applications that has compiled nothing yet.
pub fn engine() -> Engine {
    Engine::new(limits())
}

/// A script that has run and whose functions can be called.
pub struct Session<'v, 'a, 'e> {
    module: &'a Module<'v>,
    eval: Evaluator<'v, 'a, 'e>,
}

impl<'v> Session<'v, '_, '_> {
    /// Calls a function of the script with `n` and returns how long that took.
    pub fn time(&mut self, name: &str, n: u64) -> Duration {
        let function = self.module.get(name).unwrap();
        let n = self.module.heap().alloc(n);
        let start = Instant::now();
        self.eval.eval_function(function, &[n], &[]).unwrap();
        start.elapsed()
    }

    /// The bytes of a variable of the script.
    pub fn value(&self, name: &str) -> &'v [u8] {
        self.module.get(name).unwrap().downcast_ref::<StarlarkBytes>().unwrap().as_bytes()
    }

    /// The bytes that a function of the script returns.
    pub fn bytes(&mut self, name: &str) -> Vec<u8> {
        let function = self.module.get(name).unwrap();
        let n = self.module.heap().alloc(1);
        let value = self.eval.eval_function(function, &[n], &[]).unwrap();
        value.downcast_ref::<StarlarkBytes>().unwrap().as_bytes().to_vec()
    }
}

/// Runs `source` in a new evaluator, with the bytes of `given` as variables, and calls `f` with the session.
pub fn with<R>(
    engine: &Engine,
    given: &[(&str, &[u8])],
    source: &str,
    f: impl for<'v, 'a, 'e> FnOnce(&mut Session<'v, 'a, 'e>) -> R,
) -> R {
    let ast = AstModule::parse("bench.star", source.to_owned(), &Dialect::Extended).unwrap();
    let globals = globals();
    Module::with_temp_heap(|module| {
        engine.attach(&module);
        for (name, bytes) in given {
            module.set(name, module.heap().alloc(StarlarkBytes::new(bytes)));
        }
        let mut eval = Evaluator::new(&module);
        engine.configure(&mut eval).unwrap();
        eval.eval_module(ast, &globals).unwrap();
        f(&mut Session { module: &module, eval })
    })
}

fn globals() -> Globals {
    GlobalsBuilder::extended_by(&[LibraryExtension::StructType]).with(wasmlark::globals).with(builtins).build()
}

thread_local! {
    /// Stands for a memory: the methods copy to and from it.
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; 64 << 20]);
}

/// Builtins that do the least possible, to show what starlark itself costs.
#[starlark_module]
fn builtins(builder: &mut GlobalsBuilder) {
    const probe: Probe = Probe;

    fn give_int(#[starlark(require = pos)] x: i32) -> anyhow::Result<i32> {
        Ok(x)
    }

    #[allow(clippy::too_many_arguments, reason = "the figure is about eight arguments")]
    fn take_eight(
        #[starlark(require = pos)] a: i64,
        #[starlark(require = pos)] b: i64,
        #[starlark(require = pos)] c: i64,
        #[starlark(require = pos)] d: i64,
        #[starlark(require = pos)] e: i64,
        #[starlark(require = pos)] f: i64,
        #[starlark(require = pos)] g: i64,
        #[starlark(require = pos)] h: i64,
    ) -> anyhow::Result<NoneType> {
        std::hint::black_box([a, b, c, d, e, f, g, h]);
        Ok(NoneType)
    }

    /// An import, which gets its caller first.
    fn second<'v>(
        #[starlark(require = pos)] _caller: Value<'v>,
        #[starlark(require = pos)] x: i32,
    ) -> anyhow::Result<i32> {
        Ok(x)
    }
}

/// A type with methods that do the least possible, to show what starlark takes for a method.
#[derive(Debug, ProvidesStaticType, NoSerialize, Allocative, StarlarkPagablePanic)]
struct Probe;

starlark::starlark_simple_value!(Probe);
starlark::methods_static!(PROBE = probe_methods);

#[starlark_value(type = "probe")]
impl<'v> StarlarkValue<'v> for Probe {
    fn get_methods() -> Option<&'static Methods> {
        Some(PROBE.methods())
    }
}

impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("probe")
    }
}

#[starlark_module]
fn probe_methods(builder: &mut MethodsBuilder) {
    fn int(#[starlark(this)] _probe: &Probe, #[starlark(require = pos)] x: i32) -> anyhow::Result<i32> {
        Ok(x)
    }

    fn wide_int(#[starlark(this)] _probe: &Probe, #[starlark(require = pos)] x: i32) -> anyhow::Result<i64> {
        Ok(i64::from(x) << 40)
    }

    fn float(#[starlark(this)] _probe: &Probe, #[starlark(require = pos)] x: i32) -> anyhow::Result<f64> {
        Ok(f64::from(x))
    }

    fn take_int(
        #[starlark(this)] _probe: &Probe,
        #[starlark(require = pos)] at: i32,
        #[starlark(require = pos)] x: i32,
    ) -> anyhow::Result<NoneType> {
        std::hint::black_box((at, x));
        Ok(NoneType)
    }

    fn take_float(
        #[starlark(this)] _probe: &Probe,
        #[starlark(require = pos)] at: i32,
        #[starlark(require = pos)] x: UnpackFloat,
    ) -> anyhow::Result<NoneType> {
        std::hint::black_box((at, x.0));
        Ok(NoneType)
    }

    fn bytes(
        #[starlark(this)] _probe: &Probe,
        #[starlark(require = pos)] _at: i32,
        #[starlark(require = pos)] length: i32,
    ) -> anyhow::Result<StarlarkBytes> {
        Ok(BUFFER.with_borrow(|buffer| StarlarkBytes::new(&buffer[..length as usize])))
    }

    fn str<'v>(
        #[starlark(this)] _probe: &Probe,
        #[starlark(require = pos)] _at: i32,
        #[starlark(require = pos)] length: i32,
        heap: Heap<'v>,
    ) -> anyhow::Result<Value<'v>> {
        Ok(BUFFER.with_borrow(|buffer| heap.alloc(std::str::from_utf8(&buffer[..length as usize]).unwrap())))
    }

    fn take_bytes<'v>(
        #[starlark(this)] _probe: &Probe,
        #[starlark(require = pos)] at: i32,
        #[starlark(require = pos)] bytes: Value<'v>,
    ) -> anyhow::Result<NoneType> {
        let bytes = bytes.downcast_ref::<StarlarkBytes>().unwrap().as_bytes();
        BUFFER.with_borrow_mut(|buffer| buffer[at as usize..][..bytes.len()].copy_from_slice(bytes));
        Ok(NoneType)
    }

    fn take_str<'v>(
        #[starlark(this)] _probe: &Probe,
        #[starlark(require = pos)] _at: i32,
        #[starlark(require = pos)] text: Value<'v>,
    ) -> anyhow::Result<i32> {
        let bytes = text.unpack_str().unwrap().as_bytes();
        BUFFER.with_borrow_mut(|buffer| buffer[..bytes.len()].copy_from_slice(bytes));
        Ok(bytes.len() as i32)
    }

    fn ints<'v>(
        #[starlark(this)] _probe: &Probe,
        #[starlark(require = pos)] count: i32,
        heap: Heap<'v>,
    ) -> anyhow::Result<Value<'v>> {
        let list = |buffer: &Vec<u8>| heap.alloc(AllocList(buffer[..count as usize].iter().map(|b| i32::from(*b))));
        Ok(BUFFER.with_borrow(list))
    }

    fn floats<'v>(
        #[starlark(this)] _probe: &Probe,
        #[starlark(require = pos)] count: i32,
        heap: Heap<'v>,
    ) -> anyhow::Result<Value<'v>> {
        let list = |buffer: &Vec<u8>| heap.alloc(AllocList(buffer[..count as usize].iter().map(|b| f64::from(*b))));
        Ok(BUFFER.with_borrow(list))
    }
}
