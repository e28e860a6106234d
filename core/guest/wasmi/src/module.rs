//! Engines, modules and instances.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_bytes::ByteBuf;

use crate::context::{AsContext, AsContextMut};
use crate::error::Error;
use crate::func::Func;
use crate::items::{Global, Memory, Table};
use crate::outside::ask;
use crate::request::{Failure, Item, ModuleInfo, Request};
use crate::types::{Extern, ExternType};

/// How an engine compiles and runs. The host knows the prices and the proposals, which never differ.
#[derive(Debug, Clone, Copy, Default)]
pub struct Config {
    is_metered: bool,
    depth: usize,
    stack: usize,
}

#[derive(Debug, Clone, Copy)]
pub enum CompilationMode {
    Eager,
}

impl Config {
    pub fn consume_fuel(&mut self, is_metered: bool) -> &mut Self {
        self.is_metered = is_metered;
        self
    }

    pub fn compilation_mode(&mut self, _mode: CompilationMode) -> &mut Self {
        self
    }

    pub fn wasm_wide_arithmetic(&mut self, _is_enabled: bool) -> &mut Self {
        self
    }

    pub fn set_max_recursion_depth(&mut self, depth: usize) -> &mut Self {
        self.depth = depth;
        self
    }

    pub fn set_max_stack_height(&mut self, bytes: usize) -> &mut Self {
        self.stack = bytes;
        self
    }

    pub fn fuel_cost(&mut self, _costs: wasmi_core::CustomFuelCosts) -> &mut Self {
        self
    }
}

#[derive(Debug, Clone)]
pub struct Engine {
    id: u32,
    is_metered: bool,
}

impl Engine {
    pub fn new(config: &Config) -> Self {
        let Config { is_metered, depth, stack } = *config;
        let request = Request::Engine { is_metered, depth: depth as u64, stack: stack as u64 };
        Self { id: ask(&request), is_metered }
    }

    pub fn same(one: &Self, other: &Self) -> bool {
        one.id == other.id
    }

    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    pub(crate) fn is_metered(&self) -> bool {
        self.is_metered
    }
}

#[derive(Debug, Clone)]
pub struct Module(Arc<Compiled>);

#[derive(Debug)]
struct Compiled {
    engine: Engine,
    handle: u32,
    imports: Vec<(String, String, ExternType)>,
    exports: BTreeMap<String, ExternType>,
}

#[derive(Debug)]
pub struct ImportType<'a>(&'a (String, String, ExternType));

impl Module {
    pub fn new(engine: &Engine, bytes: impl AsRef<[u8]>) -> Result<Self, Error> {
        let request = Request::Module { engine: engine.id, bytes: ByteBuf::from(bytes.as_ref()) };
        let ModuleInfo { handle, imports, exports } = ask::<Result<_, String>>(&request).map_err(Error::new)?;
        let imports = imports.into_iter().map(|(module, name, ty)| (module, name, ExternType::of(&ty)));
        let exports = exports.into_iter().map(|(name, ty)| (name, ExternType::of(&ty)));
        let engine = engine.clone();
        Ok(Self(Arc::new(Compiled { engine, handle, imports: imports.collect(), exports: exports.collect() })))
    }

    pub fn validate(engine: &Engine, bytes: &[u8]) -> Result<(), Error> {
        let request = Request::Validate { engine: engine.id, bytes: ByteBuf::from(bytes) };
        ask::<Result<(), String>>(&request).map_err(Error::new)
    }

    pub fn engine(&self) -> &Engine {
        &self.0.engine
    }

    pub fn imports(&self) -> impl Iterator<Item = ImportType<'_>> {
        self.0.imports.iter().map(ImportType)
    }

    pub fn get_export(&self, name: &str) -> Option<ExternType> {
        self.0.exports.get(name).cloned()
    }

    pub fn custom_sections(&self) -> impl Iterator<Item = CustomSection> {
        let sections: Vec<(String, ByteBuf)> = ask(&Request::CustomSections(self.0.handle));
        sections.into_iter().map(|(name, data)| CustomSection { name, data })
    }
}

#[derive(Debug)]
pub struct CustomSection {
    name: String,
    data: ByteBuf,
}

impl CustomSection {
    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn data(&self) -> &[u8] {
        &self.data
    }
}

impl Drop for Compiled {
    fn drop(&mut self) {
        ask::<()>(&Request::DropModule(self.handle));
    }
}

impl<'a> ImportType<'a> {
    pub fn module(&self) -> &'a str {
        &self.0.0
    }

    pub fn name(&self) -> &'a str {
        &self.0.1
    }

    pub fn ty(&self) -> &'a ExternType {
        &self.0.2
    }
}

#[derive(Debug, Clone, Copy)]
pub struct Instance(u32);

impl Instance {
    /// Makes an instance, and runs its start function.
    pub fn new(mut context: impl AsContextMut, module: &Module, externs: &[Extern]) -> Result<Self, Error> {
        let mut context = context.as_context_mut();
        let (store, module) = (context.id(), module.0.handle);
        let externs = externs.iter().map(Extern::item).collect();
        let made: Result<u32, Failure> = ask(&Request::Instantiate { store, module, externs });
        made.map(Self).map_err(|failure| Error::of(failure, context.take_pending()))
    }

    pub fn get_export(&self, context: impl AsContext, name: &str) -> Option<Extern> {
        let store = context.as_context().id();
        let item: Option<Item> = ask(&Request::Export { store, instance: self.0, name: name.to_owned() });
        item.map(|item| Extern::of(store, item))
    }

    pub fn get_func(&self, context: impl AsContext, name: &str) -> Option<Func> {
        match self.get_export(context, name) {
            Some(Extern::Func(function)) => Some(function),
            _ => None,
        }
    }

    pub fn get_memory(&self, context: impl AsContext, name: &str) -> Option<Memory> {
        match self.get_export(context, name) {
            Some(Extern::Memory(memory)) => Some(memory),
            _ => None,
        }
    }

    pub fn get_table(&self, context: impl AsContext, name: &str) -> Option<Table> {
        match self.get_export(context, name) {
            Some(Extern::Table(table)) => Some(table),
            _ => None,
        }
    }

    pub fn get_global(&self, context: impl AsContext, name: &str) -> Option<Global> {
        match self.get_export(context, name) {
            Some(Extern::Global(global)) => Some(global),
            _ => None,
        }
    }
}
