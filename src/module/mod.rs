//! A compiled module, and the facts about it that the script API needs.

mod binary;
pub(crate) mod charges;
mod code_size;
pub(crate) mod counts;
mod diagnose;
mod frames;
pub(crate) mod inspect;
pub(crate) mod layout;
mod profile;
mod repair;
pub(crate) mod sections;
pub(crate) mod skim;
pub(crate) mod types;
#[cfg(feature = "wat")]
pub(crate) mod wat;

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

use starlark::collections::SmallMap;

pub(crate) use self::binary::Binary;
pub(crate) use self::diagnose::looks_like_module;
use self::diagnose::{check_header, diagnose};
use self::layout::ModuleLayout;
pub(crate) use self::layout::Tables;
use self::repair::{Repaired, repair};
pub(crate) use self::repair::{clip_memory_maximum, given_memory_maximum};
use self::types::kind;
use crate::budget::ModuleHash;
use crate::error::{Error, ErrorKind};
use crate::frame::FunctionMap;
use crate::frames::{self as kept, Told};
use crate::fuel;
use crate::limits::Limits;
use crate::profile as told;
use crate::slices::{self, Sliced};

/// Returns the configuration with which wasmi compiles and runs modules. Fuel is metered if it is limited or reported, or
/// `is_sliced`.
pub(crate) fn config(limits: &Limits, is_sliced: bool, told: Told) -> wasmi::Config {
    // With a stub before each function, calls nest twice as deep.
    let depth = if told == Told::Fuel { limits.stack_depth.saturating_mul(2) } else { limits.stack_depth };
    let is_metered = limits.fuel.is_some() || is_sliced || told == Told::Fuel;
    config_for(is_metered, depth)
}

/// Returns the configuration for calls that nest up to `depth`.
pub(crate) fn config_for(is_metered: bool, depth: usize) -> wasmi::Config {
    let mut config = wasmi::Config::default();
    config
        .consume_fuel(is_metered)
        // Lazy translation charges its fuel to whichever call comes first, so that costs would not be reproducible.
        .compilation_mode(wasmi::CompilationMode::Eager)
        .wasm_wide_arithmetic(true)
        .set_max_recursion_depth(depth);
    fuel::set_costs(&mut config);
    config.set_max_stack_height(stack_height(depth));
    config
}

/// Returns the bytes of the stack on which calls nest up to `depth`.
pub(crate) fn stack_height(depth: usize) -> usize {
    depth.saturating_mul(1 << 10).max(1 << 20)
}

/// Returns an estimate of the bytes that a compiled module takes.
pub(crate) fn code_size(binary: &Binary<'_>) -> u64 {
    code_size::code_size(binary)
}

/// Returns the hash that identifies a module.
pub(crate) fn hash(bytes: &[u8]) -> ModuleHash {
    *blake3::hash(bytes).as_bytes()
}

/// Returns the bytes that are compiled for a module if fuel is metered: repaired, and with charges for code that
/// branches may skip.
///
/// # Errors
///
/// If the module has a shape that must be rewritten and cannot be.
#[cfg(feature = "internals")]
pub(crate) fn metered<'a>(engine: &wasmi::Engine, binary: &Binary<'a>) -> Result<Cow<'a, [u8]>, Error> {
    let repaired = repair(engine, binary)?;
    Ok(charged(binary, &repaired).map_or(repaired.bytes, Cow::Owned))
}

/// Returns a repaired module with its charges; `None` if it needs none.
fn charged(binary: &Binary<'_>, repaired: &Repaired<'_>) -> Option<Vec<u8>> {
    match &repaired.bytes {
        Cow::Borrowed(_) => charges::split(binary, &repaired.tables, charges::SHORT),
        Cow::Owned(bytes) => charges::split(&Binary::parse(bytes), &repaired.tables, charges::SHORT),
    }
}

/// Returns the bytes of [`metered`] with a charge at each possible place, in all functions.
///
/// # Errors
///
/// If the module has a shape that must be rewritten and cannot be.
#[cfg(feature = "internals")]
pub(crate) fn charged_everywhere(engine: &wasmi::Engine, bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let repaired = repair(engine, &Binary::parse(bytes))?.bytes;
    let all = (0..bytes.len()).collect();
    Ok(charges::split(&Binary::parse(&repaired), &all, 0).unwrap_or_else(|| repaired.into_owned()))
}

/// Compiles a module, and returns whether its code grows a table.
fn translate(engine: &wasmi::Engine, binary: &Binary<'_>, is_metered: bool) -> Result<(wasmi::Module, bool), Error> {
    let compile = |bytes: &[u8]| wasmi::Module::new(engine, bytes);
    // The host of the core repairs its modules.
    if cfg!(all(feature = "core", target_family = "wasm")) {
        let module = compile(binary.bytes()).map_err(|error| match error.to_string() {
            refused if refused.starts_with(repair::REFUSED) => Error::new(ErrorKind::Module, refused),
            _ => diagnose(binary.bytes(), &error),
        });
        return module.map(|module| (module, false));
    }
    translate_with(engine, binary, is_metered, compile).map_err(|fault| match fault {
        Untranslatable::Refused(error) => error,
        Untranslatable::Invalid(error) => diagnose(binary.bytes(), &error),
    })
}

/// Why a module cannot be compiled.
pub(crate) enum Untranslatable {
    /// It has a shape that must be rewritten and cannot be.
    Refused(Error),
    /// wasmi says so.
    Invalid(wasmi::Error),
}

/// Compiles the bytes that wasmi gets for a module: repaired, and with charges if fuel is metered. Returns also whether its
/// code grows a table.
pub(crate) fn translate_with<T>(
    engine: &wasmi::Engine,
    binary: &Binary<'_>,
    is_metered: bool,
    compile: impl Fn(&[u8]) -> Result<T, wasmi::Error>,
) -> Result<(T, bool), Untranslatable> {
    let repaired = repair(engine, binary).map_err(Untranslatable::Refused)?;
    let grows_tables = repaired.grows_tables;
    if is_metered && let Some(charged) = charged(binary, &repaired) {
        if let Ok(module) = compile(&charged) {
            return Ok((module, grows_tables));
        }
        // Errors give the offset in the module without charges. Validating leaves nothing in the engine.
        wasmi::Module::validate(engine, &repaired.bytes).map_err(Untranslatable::Invalid)?;
    }
    let module = compile(&repaired.bytes).map_err(Untranslatable::Invalid)?;
    Ok((module, grows_tables))
}

/// Compiles a module so that it keeps frames. Returns `None` if it has no code, is not valid, or cannot keep any.
fn translate_framed(
    engine: &wasmi::Engine,
    binary: &Binary<'_>,
    is_metered: bool,
    stack_depth: usize,
) -> Option<((wasmi::Module, bool), kept::FramedModule)> {
    wasmi::Module::validate(engine, binary.bytes()).ok()?;
    let frames::WithFrames { bytes, has_tail_calls, memories } = frames::keeping(binary, kept::pages(stack_depth))?;
    let map = Arc::new(FunctionMap::of(binary.bytes())?);
    let (module, grows_tables) = translate(engine, &Binary::parse(&bytes), is_metered).ok()?;
    let has_start = module.get_export(kept::START).is_some();
    Some(((module, grows_tables), kept::FramedModule { map, has_tail_calls, memories, has_start }))
}

/// Compiles a module so that it reports on its functions. Returns `None` if that is not possible.
fn translate_telling(
    engine: &wasmi::Engine,
    binary: &Binary<'_>,
) -> Option<((wasmi::Module, bool), told::ProfiledModule)> {
    wasmi::Module::validate(engine, binary.bytes()).ok()?;
    let profile::Telling { bytes, costs } = profile::telling(binary)?;
    let names = FunctionMap::of(binary.bytes())?.names();
    let translated = translate(engine, &Binary::parse(&bytes), true).ok()?;
    let has_start = translated.0.get_export(told::START).is_some();
    Some((translated, told::ProfiledModule { names, costs, has_start }))
}

/// A compiled module and the facts about it that the script API needs.
pub(crate) struct Compiled {
    pub(crate) module: wasmi::Module,
    /// The hash of the bytes that it was compiled from.
    pub(crate) hash: ModuleHash,
    /// In the order in which wasmi expects them.
    pub(crate) imports: Vec<Import>,
    /// In the module's order, which wasmi does not keep.
    pub(crate) exports: SmallMap<String, wasmi::ExternType>,
    pub(crate) name: Option<String>,
    /// The pages of all memories that the module defines, as an instance begins.
    pub(crate) pages: u64,
    pub(crate) tables: Tables,
    /// Whether its code grows a table: wasmi cannot resume there.
    pub(crate) grows_tables: bool,
    /// An estimate of the bytes that it takes when compiled, the same on every target.
    pub(crate) code: u64,
    /// How it keeps frames, if it does.
    frames: Option<Arc<kept::FramedModule>>,
    /// How it reports on its functions, if it does.
    profile: Option<Arc<told::ProfiledModule>>,
}

pub(crate) struct Import {
    pub(crate) module: String,
    pub(crate) name: String,
    pub(crate) ty: wasmi::ExternType,
    /// Its position among the module's imports, which wasmi groups by kind.
    pub(crate) position: usize,
    /// Whether the function is passed on by an export, a table or a reference, so that instances other than the one
    /// that imported it may call it.
    pub(crate) escapes: bool,
}

impl Compiled {
    /// Returns the imports in the module's order.
    pub(crate) fn imports_in_order(&self) -> Vec<&Import> {
        let mut imports: Vec<&Import> = self.imports.iter().collect();
        imports.sort_by_key(|import| import.position);
        imports
    }

    /// Compiles a module whose [`hash`] and [`code_size`] are known, under these limits, so that it tells what it can of
    /// `told`.
    pub(crate) fn new(
        engine: &wasmi::Engine,
        binary: &Binary<'_>,
        hash: ModuleHash,
        code: u64,
        limits: &Limits,
        told: Told,
    ) -> Result<Self, Error> {
        check_header(binary.bytes())?;
        let is_metered = limits.fuel.is_some() || told == Told::Fuel;
        let (mut frames, mut profile) = (None, None);
        let telling = match told {
            Told::Nothing => None,
            Told::Frames => translate_framed(engine, binary, is_metered, limits.stack_depth).map(|(module, layout)| {
                frames = Some(Arc::new(layout));
                module
            }),
            Told::Fuel => translate_telling(engine, binary).map(|(module, layout)| {
                profile = Some(Arc::new(layout));
                module
            }),
        };
        let (module, grows_tables) = match telling {
            Some(telling) => telling,
            None => translate(engine, binary, is_metered)?,
        };
        let layout = ModuleLayout::of(binary);
        let exports =
            layout.exports.into_iter().filter_map(|name| module.get_export(&name).map(|ty| (name, ty))).collect();
        let mut positions = layout.imports;
        let mut function = 0;
        let imports = module
            .imports()
            // What a module that keeps frames imports from the host for them comes last.
            .filter(|import| frames.is_none() || import.module() != kept::IMPORTED)
            .map(|import| {
                let kind = kind(import.ty());
                let is_function = kind == "func";
                let escapes = is_function && layout.escaping.contains(&function);
                function += u32::from(is_function);
                // The next import of its kind in the binary.
                let position = positions.get_mut(kind).and_then(VecDeque::pop_front).unwrap_or(usize::MAX);
                Import {
                    module: import.module().to_owned(),
                    name: import.name().to_owned(),
                    ty: import.ty().clone(),
                    position,
                    escapes,
                }
            })
            .collect();
        let ModuleLayout { name, pages, tables, .. } = layout;
        Ok(Self { module, hash, imports, exports, name, pages, tables, code, grows_tables, frames, profile })
    }

    /// Makes an instance, and runs its start function.
    pub(crate) fn instantiate<T: Sliced>(
        &self,
        context: &mut wasmi::StoreContextMut<'_, T>,
        externs: &[wasmi::Extern],
    ) -> Result<wasmi::Instance, wasmi::Error> {
        match (&self.frames, &self.profile) {
            (Some(layout), _) => kept::instantiate(context, &self.module, layout, externs),
            (None, Some(layout)) => {
                let call = |start: &wasmi::Func, context: &mut wasmi::StoreContextMut<'_, T>| {
                    slices::call(start, context, &[], &mut [])
                };
                told::instantiate(context, &self.module, layout, externs, call)
            }
            (None, None) => wasmi::Instance::new(context, &self.module, externs),
        }
    }
}
