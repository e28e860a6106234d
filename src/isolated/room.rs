//! What the store of a core holds: what its imports do, what it may grow to, and how it is told to stop.

use std::panic::{AssertUnwindSafe, catch_unwind};

use wasmi::{Caller, Linker, Memory, StoreContextMut, TrapCode};

use super::host::{Host, Kept};
use super::image::slice_mut;
use super::message::{Ask, decode};
use crate::error::{Error, ErrorKind};
use crate::frames::{Framed, Frames};
use crate::interrupt::{Interrupt, Stop};
use crate::profile::{Profiled, Teller};
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
    pub(super) kept: Kept,
    /// What the core said when it panicked.
    pub(super) panic: Option<String>,
    max_bytes: u64,
    /// Whether the last growth of the memory was refused, or the core's allocator refused what the limit `heap` does not allow.
    pub(super) is_refused: bool,
    slices: Slices,
    pub(super) memory: Option<Memory>,
    /// Where the flag is that stops what runs in the core.
    pub(super) stop_flag: Option<usize>,
    /// Why the core was told to stop, and for how many slices it has gone on since then.
    pub(super) stop: Option<(Stop, u32)>,
}

impl Room {
    pub(super) fn new(host: Option<Host>, max_bytes: u64, interrupt: &Interrupt) -> Self {
        Self {
            host,
            answer: Vec::new(),
            kept: Kept::default(),
            panic: None,
            max_bytes,
            is_refused: false,
            slices: Slices::new(SLICE, interrupt.clone()),
            memory: None,
            stop_flag: None,
            stop: None,
        }
    }

    /// An order begins.
    pub(super) fn begin(&mut self) {
        self.kept.clear();
        self.stop = None;
        self.is_refused = false;
    }
}

/// Defines what the core imports.
pub(super) fn define(linker: &mut Linker<Room>) -> Result<(), wasmi::Error> {
    linker.func_wrap(HOST, "ask", ask)?.func_wrap(HOST, "answer", answer)?.func_wrap(HOST, "panicked", panicked)?;
    linker.func_wrap(HOST, "full", full)?;
    Ok(())
}

/// The core asks its host. Returns the length of the answer.
fn ask(mut caller: Caller<'_, Room>, address: u32, length: u32) -> Result<u32, wasmi::Error> {
    let memory = caller.data().memory.ok_or(TrapCode::MemoryOutOfBounds)?;
    let (data, room) = memory.data_and_store_mut(&mut caller);
    let message: Ask =
        decode(slice_mut(data, address, length).ok_or(TrapCode::MemoryOutOfBounds)?).map_err(Error::into_wasmi)?;
    let host = room.host.as_ref().ok_or(TrapCode::UnreachableCodeReached)?;
    // A closure of the application that loads or writes may panic, which nothing of wasmi can unwind. It ends the core, and
    // what it leaves half done is dropped.
    let answered = catch_unwind(AssertUnwindSafe(|| host.answer(message, data, &mut room.kept)));
    let answered = answered.unwrap_or_else(|panic| {
        Err(Error::panicked(ErrorKind::Internal, panic, |why| format!("a panic ended the script{why}")))
    });
    room.answer = answered.map_err(Error::into_wasmi)?;
    u32::try_from(room.answer.len())
        .map_err(|_| Error::host("a file or a value of more than 4 GiB cannot enter an isolated script").into_wasmi())
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
        let (Some(memory), Some(flag)) = (room.memory, room.stop_flag) else { return false };
        if let Some(flag) = memory.data_mut(&mut *context).get_mut(flag) {
            *flag = 1;
        }
        passed < GRACE
    }
}
