//! The application's side of an isolated evaluator: answers what the core asks.

use std::sync::Arc;

use serde_bytes::ByteBuf;

use super::message::{Ask, ImportGrant, Setup, encode};
use crate::data::{Channels, Data, Stream};
use crate::error::{Error, ErrorKind};
use crate::files::{FileSource, SandboxFiles};
use crate::host::Grants;
use crate::host::caller::Caller;
use crate::host::dynamic_import::{Number, NumberType};
use crate::host::function::HostFunction;
use crate::host::import::Granted;
use crate::session::Stats;
use crate::value::Value;
use crate::wire::{Fault, Nodes, Source};

/// What an application grants to one session.
#[derive(Clone)]
pub(super) struct Host {
    files: SandboxFiles,
    channels: Channels,
    pub(super) data: Data,
    /// Each function and import is known by its place.
    functions: Arc<[HostFunction]>,
    imports: Arc<[Arc<dyn Granted>]>,
}

/// What the host keeps while the core works on an order.
#[derive(Default)]
pub(super) struct Kept(Vec<Source>);

impl Kept {
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn find(&self, number: u32) -> Option<Source> {
        self.0.get(usize::try_from(number).ok()?).cloned()
    }

    fn keep(&mut self, source: Source) -> u32 {
        let number = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        self.0.push(source);
        number
    }
}

impl Host {
    pub(super) fn new(files: SandboxFiles, channels: Channels, grants: &Grants) -> Self {
        Self {
            files,
            data: Data::unlimited(channels.clone()),
            channels,
            functions: grants.functions().values().cloned().collect(),
            imports: grants.imports().iter().map(|(_, _, import)| import.clone()).collect(),
        }
    }

    /// Returns a host whose output goes on from what this one's is now, apart from it.
    pub(super) fn fork(&self) -> Self {
        Self { data: self.data.fork(), ..self.clone() }
    }

    /// Answers all but the call of an import.
    pub(super) fn answer(&self, ask: Ask, kept: &mut Kept) -> Result<Vec<u8>, Error> {
        match ask {
            Ask::Load(name) => encode(&self.files.load(&name).map(|content| content.map(ByteBuf::from))),
            Ask::IsFile(name) => encode(&self.files.is_file(&name)),
            Ask::Folder(name) => encode(&self.files.folder(&name)),
            Ask::Suggest(name) => encode(&self.files.suggest(&name)),
            Ask::Stdin => encode(&match &self.channels.stdin {
                Some(read) => read().map(ByteBuf::from),
                None => Err("there is none".to_owned()),
            }),
            Ask::Write { is_error, bytes } => {
                let stream = if is_error { Stream::ErrorOutput } else { Stream::Output };
                self.data.write(stream, &[&bytes], "wrote")?;
                encode(&())
            }
            Ask::Progress(spent) => {
                self.report(spent);
                encode(&())
            }
            Ask::Function { number, args } => encode(
                &self
                    .call(number, args)
                    .map(|value| Nodes::from(&value))
                    .map_err(|error| Fault::new(&error, |source| kept.keep(source))),
            ),
            Ask::Import { .. } => Err(unknown()),
        }
    }

    /// Calls an import for a guest with this memory, and answers with what it returns.
    pub(super) fn import(
        &self,
        number: u32,
        args: &[Number],
        memory: Option<&mut [u8]>,
        kept: &mut Kept,
    ) -> Result<Vec<u8>, wasmi::Error> {
        let returned = self.call_import(number, args, memory);
        let returned = returned.map_err(|error| Fault::new(&error, |source| kept.keep(source)));
        encode(&returned).map_err(Error::into_wasmi)
    }

    /// Tells the application how far a run is.
    pub(super) fn report(&self, spent: Stats) {
        self.channels.progress.report(spent.fuel, spent.ticks, spent.memory_peak);
    }

    fn call(&self, number: u32, args: Vec<Option<Nodes>>) -> Result<Value, Error> {
        let function =
            usize::try_from(number).ok().and_then(|number| self.functions.get(number)).ok_or_else(unknown)?;
        let value = |nodes: Option<Nodes>| match nodes {
            Some(nodes) => nodes.into_value().map(Some).ok_or_else(unknown),
            None => Ok(None),
        };
        function.call(&args.into_iter().map(value).collect::<Result<Vec<_>, _>>()?)
    }

    fn call_import(&self, number: u32, args: &[Number], memory: Option<&mut [u8]>) -> Result<Vec<Number>, Error> {
        let import = usize::try_from(number).ok().and_then(|number| self.imports.get(number)).ok_or_else(unknown)?;
        let args: Vec<wasmi::Val> = args.iter().map(|number| number.into_val()).collect();
        let results = import.call(&mut Caller::isolated(memory), &args)?;
        Ok(results.iter().filter_map(Number::of).collect())
    }
}

fn unknown() -> Error {
    Error::new(ErrorKind::Internal, "the isolated evaluator asked for what its host does not have")
}

impl Setup {
    /// Adds what the application gives.
    pub(super) fn grant(&mut self, grants: &Grants) {
        self.has_asserts = grants.has_asserts();
        self.functions = grants.functions().values().map(HostFunction::describe).collect();
        self.values = grants.originals().iter().map(|(name, value)| (name.clone(), Nodes::from(value))).collect();
        for (module, name, import) in grants.imports().iter() {
            let ty = import.ty();
            let types = |all: &[wasmi::ValType]| all.iter().filter_map(|ty| NumberType::of(*ty)).collect();
            self.imports.push(ImportGrant {
                module: module.to_owned(),
                name: name.to_owned(),
                params: types(ty.params()),
                results: types(ty.results()),
            });
        }
    }
}
