//! `wasm.Module`: compiled code, immutable and independent of any evaluation.

use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use allocative::Allocative;
use starlark::any::ProvidesStaticType;
use starlark::collections::StarlarkHasher;
use starlark::environment::{Methods, MethodsBuilder};
use starlark::eval::Evaluator;
use starlark::values::list::AllocList;
use starlark::values::none::NoneOr;
use starlark::values::structs::AllocStruct;
use starlark::values::{Heap, NoSerialize, StarlarkPagablePanic, StarlarkValue, Value, ValueLike, starlark_value};
use starlark::{starlark_module, starlark_simple_value};

use super::convert;
use super::evaluation::Evaluation;
use crate::engine::{Engine, Wanted};
use crate::error::{Error, ErrorKind};
use crate::module::Compiled;
use crate::module::types::{describe, kind, type_name};

#[derive(ProvidesStaticType, NoSerialize, Allocative, StarlarkPagablePanic, Clone)]
#[allocative(skip)]
pub(crate) struct Module {
    compiled: Arc<Compiled>,
    /// The name under which it was loaded.
    file: Option<Arc<str>>,
}

starlark_simple_value!(Module);

impl Module {
    /// Compiles bytes, or the file that a name stands for. A module is returned as it is.
    pub(crate) fn from_source<'v>(source: Value<'v>, eval: &mut Evaluator<'v, '_, '_>) -> Result<Self, Error> {
        let evaluation = Evaluation::current(eval).as_ref();
        let engine = &evaluation.engine;
        if let Some(module) = source.downcast_ref::<Self>() {
            return module.check_engine(engine).map(|()| module.clone());
        }
        if let Some(bytes) = convert::bytes(source) {
            return Self::compile(evaluation, bytes);
        }
        let Some(name) = source.unpack_str() else {
            return Err(Error::value(format!(
                "expected a wasm.Module, bytes, or the name of a module as str, got {}",
                convert::describe(source)
            )));
        };
        let from = eval.call_stack_top_location().map(|l| l.filename().to_owned());
        let name = match from {
            Some(file) => crate::lang::names::resolve(&file, name)?,
            None => name.to_owned(),
        };
        let bytes = engine.load(Wanted::Module, &name)?;
        let bytes = if name.ends_with(".wat") { translate(&name, &bytes)? } else { bytes };
        let compiled = Self::compile(evaluation, &bytes);
        compiled
            .map(|module| Self { file: Some(name.as_str().into()), ..module })
            .map_err(|e| Error::new(e.kind(), format!("module \"{name}\": {}", e.message())))
    }

    fn compile(evaluation: &Evaluation<'_>, bytes: &[u8]) -> Result<Self, Error> {
        let compiled = evaluation.engine.compile(bytes, |hash, code| evaluation.budget.add_code(hash, code))?;
        Ok(Self { compiled, file: None })
    }

    /// Returns an error for code that was compiled for another engine, since it cannot run on this one.
    fn check_engine(&self, engine: &Engine) -> Result<(), Error> {
        if wasmi::Engine::same(self.compiled.module.engine(), engine.wasmi()) {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Module,
            "this module was compiled for another engine; attach the same `Engine` to the file that made it and to the one that loads it",
        ))
    }

    /// Returns the module's own name, otherwise the name under which it was loaded.
    pub(crate) fn name_or_file(&self) -> Option<&str> {
        self.compiled.name.as_deref().or(self.file.as_deref())
    }

    pub(crate) fn compiled(&self) -> &Arc<Compiled> {
        &self.compiled
    }
}

/// Translates a file in the text format to the binary format.
#[cfg(feature = "wat")]
fn translate(name: &str, text: &[u8]) -> Result<Vec<u8>, Error> {
    let text = std::str::from_utf8(text)
        .map_err(|e| Error::new(ErrorKind::Module, format!("module \"{name}\" is not text: {e}")))?;
    crate::module::wat::to_binary(text, Some(name))
        .map_err(|e| Error::new(ErrorKind::Module, format!("module \"{name}\": {e}")))
}

#[cfg(not(feature = "wat"))]
fn translate(name: &str, _text: &[u8]) -> Result<Vec<u8>, Error> {
    Err(Error::new(
        ErrorKind::Module,
        format!("module \"{name}\": this build has no text format (feature `wat`); translate it to the binary format"),
    ))
}

fn record<'v>(heap: Heap<'v>, module: Option<&str>, name: &str, ty: &wasmi::ExternType) -> Value<'v> {
    let mut fields: Vec<(&str, Value<'v>)> = Vec::new();
    if let Some(module) = module {
        fields.push(("module", heap.alloc(module)));
    }
    fields.push(("name", heap.alloc(name)));
    fields.push(("kind", heap.alloc(kind(ty))));
    fields.push(("type", heap.alloc(describe(ty))));
    if let Some(function) = ty.func() {
        let names = |types: &[wasmi::ValType]| heap.alloc(AllocList(types.iter().map(|ty| type_name(*ty))));
        fields.push(("params", names(function.params())));
        fields.push(("results", names(function.results())));
    }
    heap.alloc(AllocStruct(fields))
}

starlark::methods_static!(MODULE = module_methods);

/// Compiled WebAssembly code. It is immutable, `load` can share it, and it can be instantiated any number of times.
#[starlark_module]
fn module_methods(builder: &mut MethodsBuilder) {
    /// The module's imports, in its order: a list of structs with `module`, `name`, `kind` (`"func"`, `"memory"`, `"table"`
    /// or `"global"`) and `type`, which is the type as the script API writes it. For a function, the structs also have the
    /// lists of types `params` and `results`.
    #[starlark(attribute)]
    fn imports<'v>(this: &Module, heap: Heap<'v>) -> starlark::Result<Vec<Value<'v>>> {
        Ok(this.compiled.imports_in_order().iter().map(|i| record(heap, Some(&i.module), &i.name, &i.ty)).collect())
    }

    /// The module's exports, in its order: a list of structs as in `imports`, without `module`.
    #[starlark(attribute)]
    fn exports<'v>(this: &Module, heap: Heap<'v>) -> starlark::Result<Vec<Value<'v>>> {
        Ok(this.compiled.exports.iter().map(|(name, ty)| record(heap, None, name, ty)).collect())
    }

    /// The module's name in its name section, or `None`.
    #[starlark(attribute)]
    fn name<'v>(this: &Module, heap: Heap<'v>) -> starlark::Result<NoneOr<Value<'v>>> {
        Ok(NoneOr::from_option(this.compiled.name.as_deref().map(|n| heap.alloc(n))))
    }

    /// Returns the contents of all custom sections with this name, in the module's order.
    fn custom_sections<'v>(
        this: &Module,
        #[starlark(require = pos)] name: &str,
        heap: Heap<'v>,
    ) -> starlark::Result<Vec<Value<'v>>> {
        let sections = this.compiled.module.custom_sections();
        Ok(sections.filter(|s| s.name() == name).map(|s| heap.alloc(s.data())).collect())
    }
}

#[starlark_value(type = "wasm.Module")]
impl<'v> StarlarkValue<'v> for Module {
    fn get_methods() -> Option<&'static Methods> {
        Some(MODULE.methods())
    }

    /// Compares by content, which does not depend on what was compiled before.
    fn equals(&self, other: Value<'v>) -> starlark::Result<bool> {
        Ok(other.downcast_ref::<Self>().is_some_and(|other| other.compiled.hash == self.compiled.hash))
    }

    fn write_hash(&self, hasher: &mut StarlarkHasher) -> starlark::Result<()> {
        self.compiled.hash.hash(hasher);
        Ok(())
    }
}

impl fmt::Debug for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.compiled.name {
            Some(name) => write!(f, "<wasm.Module {name}>"),
            None => f.write_str("<wasm.Module>"),
        }
    }
}
