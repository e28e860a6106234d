//! What the core runs: one session, whose application is a host behind messages.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_bytes::ByteBuf;

use super::message::{Ask, ImportGrant, Order, Outcome, Script, Setup, decode, encode};
use crate::budget::held;
use crate::data::Channels;
use crate::engine::Engine;
use crate::error::{Error, ErrorKind};
use crate::files::FileSource;
use crate::host::Grants;
use crate::host::caller::Caller;
use crate::host::dynamic_import::Number;
use crate::host::function::{Description, HostFunction};
use crate::interrupt::Interrupt;
use crate::limits::Limits;
use crate::progress::Progress;
use crate::session::{self, Answer, CallLimits, Files, Program, Session, Source, Stats};
use crate::value::Value;
use crate::wire::{Fault, Nodes};

/// The application, as far as messages tell.
pub trait Host: Send + Sync + 'static {
    /// Returns the answer to an encoded `Ask`.
    fn ask(&self, message: &[u8]) -> Vec<u8>;
    /// Sets how many bytes may be allocated beside what there was after [`warm`](Inside::warm).
    fn allow(&self, bytes: u64);
}

/// The evaluator of one sandbox.
pub struct Inside {
    outside: Outside,
    interrupt: Interrupt,
    program: Option<Program>,
    session: Option<Session>,
    has_profile: bool,
}

impl Inside {
    /// An evaluator that has run nothing.
    pub fn new(host: impl Host) -> Self {
        let host = Arc::new(host);
        let told = host.clone();
        held::on_change(move |bytes| told.allow(bytes));
        Self {
            outside: Outside(host),
            interrupt: Interrupt::default(),
            program: None,
            session: None,
            has_profile: false,
        }
    }

    /// Makes what every script needs, and what is made once for all of them.
    pub fn warm(&mut self) {
        let engine = Engine::for_sandbox(Limits::new(), None, crate::frames::Told::Nothing, self.outside.clone());
        let files = Files::new(engine, Vec::new(), Channels::default(), &self.interrupt);
        // Nothing is left of it but what is kept for ever.
        let _ = Session::start(files, "warm.star", Source::Text("[str(1 + 1)]".to_owned()));
    }

    /// Returns where a 1 ends what runs.
    pub fn stop_flag(&self) -> *const bool {
        self.interrupt.flag()
    }

    /// Returns where a 1 says that a guest was told to end.
    pub fn told_flag(&self) -> *const bool {
        self.interrupt.told_flag()
    }

    /// Carries out an encoded `Order`, and returns the encoded `Outcome`.
    pub fn exchange(&mut self, message: &[u8]) -> Vec<u8> {
        self.interrupt.reset();
        let result = decode(message).and_then(|order| self.carry_out(order));
        let files = self.session.as_mut().map(Session::take_files).unwrap_or_default();
        let stats = self.session.as_ref().map(Session::stats).unwrap_or_default();
        let profile = self.session.as_ref().filter(|_| self.has_profile).and_then(Session::profile);
        let outcome = Outcome {
            // The errors of the application stay with it; the core has only their numbers.
            result: result.map_err(|error| Fault::new(&error, |_| u32::MAX)),
            stats,
            profile: profile.map(|profile| profile.to_records()),
            files: files.into_iter().map(|(name, content)| (name, ByteBuf::from(content))).collect(),
        };
        encode(&outcome).unwrap_or_default()
    }

    fn carry_out(&mut self, order: Order) -> Result<Answer, Error> {
        match order {
            Order::Run { setup, script: Script { name, text } } => {
                let files = self.files(setup)?;
                let (session, result) = Session::start(files, &name, Source::Text(text));
                self.session = Some(session);
                result.map(Answer::Value)
            }
            Order::Prepare { setup, script: Script { name, text } } => {
                let Setting { engine, args, channels } = self.set_up(setup)?;
                let program = Program::new(engine, &args, channels, self.interrupt.clone(), &name, &text)?;
                let names = program.functions().into_iter().map(Value::Str).collect();
                self.program = Some(program);
                Ok(Answer::Value(Value::List(names)))
            }
            Order::Begin(limits) => self.begin(limits),
            Order::Ask(request) => self.session()?.ask(request),
        }
    }

    fn begin(&mut self, limits: CallLimits) -> Result<Answer, Error> {
        let program = self.program.as_ref().ok_or_else(|| Error::new(ErrorKind::Internal, "nothing was prepared"))?;
        let (session, result) = program.open(limits)?;
        self.session = Some(session);
        result.map(Answer::Value)
    }

    fn session(&mut self) -> Result<&mut Session, Error> {
        self.session.as_mut().ok_or_else(|| Error::new(ErrorKind::Internal, "nothing was run"))
    }

    fn files(&mut self, setup: Setup) -> Result<Files, Error> {
        let Setting { engine, args, channels } = self.set_up(setup)?;
        Ok(Files::new(engine, args, channels, &self.interrupt))
    }

    fn set_up(&mut self, setup: Setup) -> Result<Setting, Error> {
        let limits = setup.limits()?;
        held::set_heap(limits.heap as u64);
        self.has_profile = setup.told == crate::frames::Told::Fuel;
        // Guests pause outside of the core.
        let engine = Engine::for_sandbox(limits, None, setup.told, self.outside.clone());
        let grants = self.outside.grants(setup.functions, setup.values, setup.imports, setup.has_asserts)?;
        let channels = self.outside.channels(setup.has_stdin, setup.is_writable, setup.has_progress);
        Ok(Setting { engine: engine.with_grants(Arc::new(grants)), args: setup.args, channels })
    }
}

/// What a run begins with.
struct Setting {
    engine: Engine,
    args: Vec<String>,
    channels: Channels,
}

/// The host, as the evaluator uses it.
#[derive(Clone)]
struct Outside(Arc<dyn Host>);

impl Outside {
    fn ask<T: DeserializeOwned>(&self, ask: &Ask) -> Result<T, Error> {
        decode(&self.0.ask(&encode(ask)?))
    }

    /// Asks what fails with a message.
    fn ask_text<T: DeserializeOwned>(&self, ask: &Ask) -> Result<T, String> {
        self.ask::<Result<T, String>>(ask).unwrap_or_else(|error| Err(error.message().to_owned()))
    }

    /// Asks for what a function of the application returns.
    fn call<T: DeserializeOwned>(&self, ask: &Ask) -> Result<T, Error> {
        self.ask::<Result<T, Fault>>(ask)?.map_err(Fault::into_core_error)
    }

    fn channels(&self, has_stdin: bool, is_writable: bool, has_progress: bool) -> Channels {
        let write = |is_error| {
            let outside = self.clone();
            move |bytes: &[u8]| {
                let _: Result<(), Error> = outside.ask(&Ask::Write { is_error, bytes: ByteBuf::from(bytes) });
            }
        };
        let mut channels = Channels {
            output: Some(Arc::new(write(false))),
            error_output: Some(Arc::new(write(true))),
            is_writable,
            ..Channels::default()
        };
        if has_stdin {
            let outside = self.clone();
            channels.stdin = Some(Arc::new(move || outside.ask_text(&Ask::Stdin).map(ByteBuf::into_vec)));
        }
        if has_progress {
            let outside = self.clone();
            channels.progress = Progress::new(move |fuel, ticks, memory_peak| {
                let spent = Stats { fuel, ticks, memory_peak, cost: None };
                let _: Result<(), Error> = outside.ask(&Ask::Progress(spent));
            });
        }
        channels
    }

    fn grants(
        &self,
        functions: Vec<Description>,
        values: Vec<(String, Nodes)>,
        imports: Vec<ImportGrant>,
        has_asserts: bool,
    ) -> Result<Grants, Error> {
        let mut grants = Grants::default();
        grants.set_asserts(has_asserts);
        for (number, description) in (0..).zip(functions) {
            let (outside, name) = (self.clone(), description.name.clone());
            let function = HostFunction::forwarding(description, move |args| {
                let args = args.iter().map(|arg| arg.as_ref().map(Nodes::from)).collect();
                let nodes: Nodes = outside.call(&Ask::Function { number, args })?;
                nodes.into_value().ok_or_else(|| Error::host("the value is nested too deeply to enter a script"))
            });
            grants.set_function(name, function);
        }
        for (name, nodes) in values {
            let value = nodes.into_value().unwrap_or_default();
            grants.set_value(&name, session::grant(&name, &value)?, value);
        }
        for (number, ImportGrant { module, name, params, results }) in (0..).zip(imports) {
            let outside = self.clone();
            let call = move |caller: &mut Caller<'_>, args: &[Number], results: &mut [Number]| {
                let memory = caller.memory_handle().and_then(handle);
                let returned: Vec<Number> = outside.call(&Ask::Import { number, args: args.to_vec(), memory })?;
                results.iter_mut().zip(returned).for_each(|(slot, number)| *slot = number);
                Ok::<_, Error>(())
            };
            grants.imports_mut().set_dynamic(module, name, (&params, &results), call)?;
        }
        Ok(grants)
    }
}

/// Returns the store of a guest's memory, and its handle, as the host knows them.
#[cfg(target_family = "wasm")]
fn handle(memory: wasmi::Memory) -> Option<(u32, u32)> {
    Some(memory.handle())
}

/// The core is always wasm, where another crate stands in for wasmi.
#[cfg(not(target_family = "wasm"))]
fn handle(_memory: wasmi::Memory) -> Option<(u32, u32)> {
    None
}

impl FileSource for Outside {
    fn load(&self, name: &str) -> Result<Option<Vec<u8>>, String> {
        let content: Option<ByteBuf> = self.ask_text(&Ask::Load(name.to_owned()))?;
        Ok(content.map(ByteBuf::into_vec))
    }

    fn is_file(&self, name: &str) -> Result<bool, String> {
        self.ask_text(&Ask::IsFile(name.to_owned()))
    }

    fn folder(&self, name: &str) -> Result<Vec<String>, String> {
        self.ask_text(&Ask::Folder(name.to_owned()))
    }

    fn suggest(&self, name: &str) -> Option<String> {
        self.ask(&Ask::Suggest(name.to_owned())).unwrap_or_default()
    }
}
