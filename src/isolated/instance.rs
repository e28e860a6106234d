//! A core that runs: its store, its memory, what it may spend, and how it ends.

use wasmi::{AsContextMut, Extern, Linker, Memory, Store, StoreContextMut, TrapCode, TypedFunc};

use super::guests::Restoring;
use super::host::Host;
use super::image::{Core, Image, broken, slice_mut};
use super::message::{Order, Outcome, decode, encode};
use super::room::{self, Exports, Room, SLICE};
use crate::error::{Error, ErrorKind, Limit};
use crate::interrupt::{Interrupt, Stop};
use crate::slices::{self, Stopped, stopped};
use crate::wire::Source;

/// How much fuel there is where cost has no limit.
const ENDLESS: u64 = u64::MAX >> 1;

/// What a core may use.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowance {
    /// Fuel; `None` for no limit.
    pub(super) cost: Option<u64>,
    /// Bytes of linear memory beyond the image that every core begins with.
    pub(super) memory: u64,
    /// What its guests may have.
    pub(super) guests: Restoring,
}

impl Allowance {
    fn fuel(self) -> u64 {
        self.cost.unwrap_or(ENDLESS)
    }
}

pub(super) struct Instance {
    store: Store<Room>,
    memory: Memory,
    room: TypedFunc<u32, u32>,
    exchange: TypedFunc<(), u64>,
    allowance: Allowance,
}

/// A core that has run nothing.
struct Bare {
    store: Store<Room>,
    instance: wasmi::Instance,
    memory: Memory,
}

impl Instance {
    /// Runs a core until it can take orders, and returns its memory.
    pub(super) fn warm(core: &Core) -> Result<Image, Error> {
        let mut bare = Bare::new(core, None, u64::MAX, &Interrupt::default())?;
        let warm: TypedFunc<(), ()> = bare.export("warm")?;
        slices::call_typed(&warm, &mut bare.store.as_context_mut(), ()).map_err(|error| broken(&error.to_string()))?;
        let guests = bare.store.data_mut().guests.freeze()?;
        Ok(Image::new(bare.memory.data(&bare.store), guests))
    }

    /// Makes a core that goes on from the memory of `image`.
    pub(super) fn new(
        core: &Core,
        image: &Image,
        host: Host,
        allowance: Allowance,
        interrupt: &Interrupt,
    ) -> Result<Self, Error> {
        let max_bytes = (core.image.length as u64).saturating_add(allowance.memory);
        let mut bare = Bare::new(core, Some(host), max_bytes, interrupt)?;
        bare.fill(image)?;
        let exports = Exports {
            call: bare.export("host_call")?,
            growing: bare.export("host_growing")?,
            grow_failed: bare.export("host_grow_failed")?,
        };
        bare.store.data_mut().set_exports(exports);
        bare.store.data_mut().guests.thaw(&image.guests, allowance.guests, interrupt)?;
        let (room, exchange) = (bare.export("room")?, bare.export("exchange")?);
        let (stop_flag, told_flag) = (bare.export("stop_flag")?, bare.export("told_flag")?);
        let Bare { mut store, memory, .. } = bare;
        // The image may be of bytes that someone made on purpose: what runs on it must end.
        slices::set_fuel(&mut store, SLICE);
        let mut address = |flag: TypedFunc<(), u32>| match slices::call_typed(&flag, &mut store.as_context_mut(), ()) {
            Ok(address) => Ok(usize::try_from(address).ok()),
            Err(_) => Err(Error::value("the memory of the session does not make sense")),
        };
        let (stop_flag, told_flag) = (address(stop_flag)?, address(told_flag)?);
        (store.data_mut().stop_flag, store.data_mut().told_flag) = (stop_flag, told_flag);
        slices::set_fuel(&mut store, allowance.fuel());
        Ok(Self { store, memory, room, exchange, allowance })
    }

    /// Returns what it is now.
    ///
    /// # Errors
    ///
    /// If one of its guests cannot be made once more.
    pub(super) fn image(&mut self) -> Result<Image, Error> {
        let guests = self.store.data_mut().guests.freeze()?;
        Ok(Image::new(self.memory.data(&self.store), guests))
    }

    /// Returns its host.
    pub(super) fn host(&self) -> Option<&Host> {
        self.store.data().host.as_ref()
    }

    pub(super) fn allowance(&self) -> Allowance {
        self.allowance
    }

    /// Returns what it has spent of its allowance.
    pub(super) fn spent(&self) -> u64 {
        self.allowance.fuel().saturating_sub(slices::fuel(&self.store).unwrap_or_default())
    }

    /// Sets what it has spent of its allowance.
    pub(super) fn set_spent(&mut self, spent: u64) {
        slices::set_fuel(&mut self.store, self.allowance.fuel().saturating_sub(spent));
    }

    /// Returns the application's error with this number, of those of the last order.
    pub(super) fn source(&self, number: u32) -> Option<Source> {
        self.store.data().kept.find(number)
    }

    /// Returns why the core was told to stop while it carried out the last order.
    pub(super) fn stop(&self) -> Option<Stop> {
        self.store.data().stop.map(|(stop, _)| stop)
    }

    /// Lets the core carry out an order.
    ///
    /// # Errors
    ///
    /// Those that end the core. It must not be used after that.
    pub(super) fn exchange(&mut self, order: &Order) -> Result<Outcome, Error> {
        let message = encode(order)?;
        self.store.data_mut().begin();
        let length = u32::try_from(message.len())
            .map_err(|_| Error::value("more than 4 GiB cannot be passed to an isolated script"))?;
        let mut context = self.store.as_context_mut();
        let call = |context: &mut StoreContextMut<'_, Room>| {
            let address = slices::call_typed(&self.room, context, length)?;
            let place = slice_mut(self.memory.data_mut(&mut *context), address, length);
            place.ok_or(TrapCode::MemoryOutOfBounds)?.copy_from_slice(&message);
            slices::call_typed(&self.exchange, context, ())
        };
        let reply = match call(&mut context) {
            Ok(reply) => reply,
            Err(error) => return Err(self.ended(&error)),
        };
        // The address in the upper half, the length in the lower one.
        let (address, length) = ((reply >> 32) as u32, reply as u32);
        let bytes = slice_mut(self.memory.data_mut(&mut self.store), address, length);
        decode(bytes.ok_or_else(|| broken("its answer is not in its memory"))?)
    }

    /// Returns why the core ended.
    fn ended(&self, error: &wasmi::Error) -> Error {
        let room = self.store.data();
        if let Some(stop) = Stopped::of(error) {
            return stopped(stop).followed_by("; it did not end by itself, so its session has ended");
        }
        if let Some(ours) = Error::of_host(error) {
            return ours.copy();
        }
        let code = error.as_trap_code();
        if code == Some(TrapCode::UnreachableCodeReached) && room.is_refused {
            // Rust aborts where it gets no memory, and some libraries panic.
            return Error::limit(
                Limit::Heap,
                "the sandbox's limit `heap` is reached: the evaluator gets no more memory",
            );
        }
        if let Some(panic) = &room.panic {
            return Error::new(ErrorKind::Internal, format!("a panic ended the script: {panic}"));
        }
        match code {
            Some(TrapCode::OutOfFuel) => {
                let limit = self.allowance.fuel();
                Error::limit(Limit::Cost, format!("the sandbox's limit `cost` is reached: {limit}"))
            }
            // The stack that the core has in its memory lies below all else.
            Some(TrapCode::StackOverflow | TrapCode::MemoryOutOfBounds) => Error::limit(
                Limit::CallDepth,
                "the script is nested more deeply, or calls more deeply, than the isolated evaluator's stack allows",
            ),
            _ => Error::new(ErrorKind::Internal, format!("a fault of the evaluator ended the script: {error}")),
        }
    }
}

impl Bare {
    fn new(core: &Core, host: Option<Host>, max_bytes: u64, interrupt: &Interrupt) -> Result<Self, Error> {
        let internal = |error: &dyn std::fmt::Display| broken(&error.to_string());
        let mut store = Store::new(core.engine.wasmi(), Room::new(host, max_bytes, interrupt));
        store.limiter(|room| room);
        slices::set_fuel(&mut store, ENDLESS);
        let mut linker = Linker::new(core.engine.wasmi());
        room::define(&mut linker).map_err(|error| internal(&error))?;
        let instance = linker.instantiate_and_start(&mut store, &core.compiled.module);
        let instance = instance.map_err(|error| internal(&error))?;
        let Some(Extern::Memory(memory)) = instance.get_export(&store, "memory") else {
            return Err(broken("it has no memory"));
        };
        store.data_mut().memory = Some(memory);
        Ok(Self { store, instance, memory })
    }

    fn export<Params: wasmi::WasmParams, Results: wasmi::WasmResults>(
        &self,
        name: &str,
    ) -> Result<TypedFunc<Params, Results>, Error> {
        let function = self.instance.get_typed_func(&self.store, name);
        function.map_err(|error| broken(&format!("its function `{name}`: {error}")))
    }

    fn fill(&mut self, image: &Image) -> Result<(), Error> {
        let missing = image.length.saturating_sub(self.memory.data_size(&self.store));
        self.memory.grow(&mut self.store, (missing >> 16) as u64).map_err(|_| no_room())?;
        image.write(self.memory.data_mut(&mut self.store));
        Ok(())
    }
}

fn no_room() -> Error {
    Error::limit(Limit::Heap, "the sandbox's limits leave no room for the memory of the session")
}
