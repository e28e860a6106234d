//! What the store of a core holds: what its imports do, what it may grow to, and how it is told to stop.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::Serialize;
use wasmi::{Caller, Linker, Memory, StoreContextMut, TrapCode, TypedFunc};

use super::guests::{self, Guests, calls};
use super::host::{Host, Kept};
use super::image::slice_mut;
use super::message::{Ask, decode, encode};
use crate::error::{Error, ErrorKind};
use crate::frames::{Framed, Frames};
use crate::interrupt::{Interrupt, Stop};
use crate::profile::{Profiled, Teller};
use crate::session::Stats;
use crate::slices::{Sliced, Slices};

/// The fuel of a core between two looks at its interrupt: some milliseconds.
pub(super) const SLICE: u64 = 1_000_000;

/// How many slices a script may take to end by itself, once it is told to. It looks after each thousand ticks, which a few
/// large operations can make long.
const GRACE: u32 = 1000;

/// The namespace of the core's imports.
const HOST: &str = "wasmlark";

/// What the store of a core has.
pub(super) struct Room {
    pub(super) host: Option<Host>,
    /// Until the core fetches it.
    answer: Vec<u8>,
    pub(super) guests: Guests,
    exports: Option<Exports>,
    /// What the core has told of its progress, and what guests have spent since then.
    progress: Cell<Stats>,
    pub(super) kept: Kept,
    /// What the core said when it panicked.
    pub(super) panic: Option<String>,
    max_bytes: u64,
    /// Whether the last growth of the memory was refused, or the core's allocator refused what the limit `heap` does not allow.
    pub(super) is_refused: bool,
    interrupt: Interrupt,
    slices: Slices,
    pub(super) memory: Option<Memory>,
    /// Where the flag is that stops what runs in the core.
    pub(super) stop_flag: Option<usize>,
    /// Where the flag is that says that a guest was told to stop.
    pub(super) told_flag: Option<usize>,
    /// Why the core was told to stop, and for how many slices it has gone on since then.
    pub(super) stop: Option<(Stop, u32)>,
}

impl Room {
    pub(super) fn new(host: Option<Host>, max_bytes: u64, interrupt: &Interrupt) -> Self {
        Self {
            host,
            answer: Vec::new(),
            guests: Guests::default(),
            exports: None,
            progress: Cell::default(),
            kept: Kept::default(),
            panic: None,
            max_bytes,
            is_refused: false,
            interrupt: interrupt.clone(),
            slices: Slices::new(SLICE, interrupt.clone()),
            memory: None,
            stop_flag: None,
            told_flag: None,
            stop: None,
        }
    }

    /// An order begins.
    pub(super) fn begin(&mut self) {
        self.kept.clear();
        self.stop = None;
        self.is_refused = false;
    }

    pub(super) fn set_exports(&mut self, exports: Exports) {
        self.exports = Some(exports);
    }

    /// Returns what guests call.
    pub(super) fn exports(&self) -> Option<&Exports> {
        self.exports.as_ref()
    }

    pub(super) fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    /// Keeps an answer until the core fetches it. Returns its length.
    pub(super) fn set_answer(&mut self, answer: Vec<u8>) -> Result<u32, wasmi::Error> {
        self.answer = answer;
        u32::try_from(self.answer.len()).map_err(|_| {
            Error::host("a file or a value of more than 4 GiB cannot enter an isolated script").into_wasmi()
        })
    }

    /// Encodes an answer, and keeps it.
    pub(super) fn answer_with(&mut self, answer: &impl Serialize) -> Result<u32, wasmi::Error> {
        let answer = encode(answer).map_err(Error::into_wasmi)?;
        self.set_answer(answer)
    }

    /// Reports the fuel that a guest has spent. What else there is to report is from the core's last report.
    pub(super) fn report(&self, fuel: u64) {
        let Some(host) = &self.host else { return };
        let mut spent = self.progress.get();
        spent.fuel = spent.fuel.map(|before| before.saturating_add(fuel));
        self.progress.set(spent);
        host.report(spent);
    }
}

/// What a core exports for its guests.
pub(super) struct Exports {
    /// Calls a function of a store. Returns whether it failed.
    pub(super) call: TypedFunc<(u32, u32), u32>,
    /// Asks whether something of a store may grow: a table or a memory, from a size to another, and its maximum.
    pub(super) growing: TypedFunc<(u32, u32, u32, u32, u64), u32>,
    /// Tells that it could not.
    pub(super) grow_failed: TypedFunc<(u32, u32), ()>,
}

/// Notes that a guest was told to stop: then the script must stop too, with the guest's error.
pub(super) fn guest_stopped(context: &mut StoreContextMut<'_, Room>, stop: Stop) {
    Room::tell_stop(context, stop);
    let flag = context.data().told_flag;
    raise(context, flag);
}

/// Sets a flag in the core.
fn raise(context: &mut StoreContextMut<'_, Room>, flag: Option<usize>) -> bool {
    let (Some(memory), Some(flag)) = (context.data().memory, flag) else { return false };
    memory.data_mut(context).get_mut(flag).map(|flag| *flag = 1).is_some()
}

/// Defines what the core imports.
pub(super) fn define(linker: &mut Linker<Room>) -> Result<(), wasmi::Error> {
    linker.func_wrap(HOST, "ask", ask)?.func_wrap(HOST, "answer", answer)?.func_wrap(HOST, "panicked", panicked)?;
    linker.func_wrap(HOST, "full", full)?;
    linker.func_wrap(HOST, "guest_ask", guests::ask)?.func_wrap(HOST, "guest_answer", answer)?;
    linker.func_wrap(HOST, "guest_call", calls::call)?;
    linker.func_wrap(HOST, "guest_read", calls::read)?.func_wrap(HOST, "guest_write", calls::write)?;
    linker.func_wrap(HOST, "guest_size", calls::size)?;
    linker.func_wrap(HOST, "guest_fuel", calls::fuel)?.func_wrap(HOST, "guest_set_fuel", calls::set_fuel)?;
    Ok(())
}

/// The core asks its host. Returns the length of the answer.
fn ask(mut caller: Caller<'_, Room>, address: u32, length: u32) -> Result<u32, wasmi::Error> {
    let memory = caller.data().memory.ok_or(TrapCode::MemoryOutOfBounds)?;
    let (data, room) = memory.data_and_store_mut(&mut caller);
    let message: Ask =
        decode(slice_mut(data, address, length).ok_or(TrapCode::MemoryOutOfBounds)?).map_err(Error::into_wasmi)?;
    if let Ask::Progress(spent) = &message {
        room.progress.set(*spent);
    }
    let host = room.host.take().ok_or(TrapCode::UnreachableCodeReached)?;
    let mut kept = std::mem::take(&mut room.kept);
    // A closure of the application that loads or writes may panic, which nothing of wasmi can unwind. It ends the core, and
    // what it leaves half done is dropped.
    let answered = catch_unwind(AssertUnwindSafe(|| match message {
        Ask::Import { number, args, memory } => {
            guests::with_memory(&mut caller, memory, |guest| host.import(number, &args, guest, &mut kept))?
        }
        other => host.answer(other, &mut kept).map_err(Error::into_wasmi),
    }));
    let room = caller.data_mut();
    (room.host, room.kept) = (Some(host), kept);
    let answered = answered.unwrap_or_else(|panic| {
        Err(Error::panicked(ErrorKind::Internal, panic, |why| format!("a panic ended the script{why}")).into_wasmi())
    });
    room.set_answer(answered?)
}

/// The core fetches the answer.
fn answer(mut caller: Caller<'_, Room>, address: u32) -> Result<(), wasmi::Error> {
    let memory = caller.data().memory.ok_or(TrapCode::MemoryOutOfBounds)?;
    let (data, room) = memory.data_and_store_mut(&mut caller);
    let answer = std::mem::take(&mut room.answer);
    let place = u32::try_from(answer.len()).ok().and_then(|length| slice_mut(data, address, length));
    place.ok_or(TrapCode::MemoryOutOfBounds)?.copy_from_slice(&answer);
    Ok(())
}

/// The core tells why it panics.
fn panicked(mut caller: Caller<'_, Room>, address: u32, length: u32) {
    let Some(memory) = caller.data().memory else { return };
    let (data, room) = memory.data_and_store_mut(&mut caller);
    room.panic = slice_mut(data, address, length).map(|text| String::from_utf8_lossy(text).into_owned());
}

/// The core has no more memory to give, and is about to end.
fn full(mut caller: Caller<'_, Room>) {
    caller.data_mut().is_refused = true;
}

impl wasmi::ResourceLimiter for Room {
    fn memory_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> Result<bool, wasmi_core::LimiterError> {
        self.is_refused = desired as u64 > self.max_bytes;
        Ok(!self.is_refused)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        _desired: usize,
        _maximum: Option<usize>,
    ) -> Result<bool, wasmi_core::LimiterError> {
        Ok(true)
    }

    fn instances(&self) -> usize {
        1
    }

    fn tables(&self) -> usize {
        16
    }

    fn memories(&self) -> usize {
        1
    }
}

impl Framed for Room {
    fn frames(&self) -> Option<&Frames> {
        None
    }

    fn frames_mut(&mut self) -> Option<&mut Frames> {
        None
    }

    fn pass_memory(&mut self, _count: u32) {}
}

impl Profiled for Room {
    fn teller_mut(&mut self) -> Option<&mut Teller> {
        None
    }

    fn pass_table(&mut self) {}

    fn fuel_of(&self, counter: Option<u64>) -> u64 {
        counter.unwrap_or_default().saturating_add(self.slices.reserve())
    }
}

impl Sliced for Room {
    fn is_plain(&self) -> bool {
        false
    }

    fn slices(&self) -> Option<&Slices> {
        Some(&self.slices)
    }

    fn slices_mut(&mut self) -> Option<&mut Slices> {
        Some(&mut self.slices)
    }

    /// Sets the flag in the core: a script that ends by itself leaves a session that can go on.
    fn tell_stop(context: &mut StoreContextMut<'_, Self>, stop: Stop) -> bool {
        let room = context.data_mut();
        let passed = room.stop.map_or(0, |(_, passed)| passed);
        room.stop = Some((stop, passed.saturating_add(1)));
        let flag = room.stop_flag;
        raise(context, flag) && passed < GRACE
    }
}
