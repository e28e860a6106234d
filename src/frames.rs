//! Reads the frames of a store's guests, which their rewritten modules keep: see `module::frames`.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wasmi::{AsContext, AsContextMut, Extern, Global, Instance, Memory, Mutability, StoreContextMut, TrapCode, Val};

use crate::frame::{Frame, FunctionMap};
use crate::linear_memory::{LinearMemory, word};

/// The names under which a rewritten module imports and exports what it shares with the host. If a module already uses one
/// of them, the rewritten module is not valid, and the module keeps no frames.
pub(crate) const IMPORTED: &str = "\0wasmlark";
pub(crate) const DEPTH: &str = "\0depth";
pub(crate) const SERIAL: &str = "\0serial";
pub(crate) const SLOTS: &str = "\0wasmlark slots";
pub(crate) const PLACE: &str = "\0wasmlark place";
pub(crate) const START: &str = "\0wasmlark start";

/// The size of a slot in bytes, and the offset of the serial number in it. The place of the frame is at offset 0.
pub(crate) const SLOT: i32 = 16;
pub(crate) const SERIAL_AT: u64 = 8;

/// The bit that marks the place of an instruction whose function has given its slot back.
pub(crate) const LEFT: u32 = 1 << 31;

const SLOT_BYTES: usize = SLOT as usize;

/// What guests are compiled to report about themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "wire", derive(serde::Serialize, serde::Deserialize))]
pub(crate) enum Told {
    #[default]
    Nothing,
    /// Their frames, after a trap.
    Frames,
    /// The fuel that each function spends.
    Fuel,
}

impl Told {
    /// Turns `other` on or off. Guests report one thing at a time.
    pub(crate) fn set(&mut self, other: Self, is_on: bool) {
        if is_on {
            *self = other;
        } else if *self == other {
            *self = Self::Nothing;
        }
    }
}

/// Describes a compiled module that keeps frames.
pub(crate) struct FramedModule {
    pub(crate) map: Arc<FunctionMap>,
    pub(crate) has_tail_calls: bool,
    /// The number of memories that it defines itself. The memory of the slots is made after them.
    pub(crate) memories: u32,
    pub(crate) has_start: bool,
}

/// Returns the number of pages of slots for guests that may nest `stack_depth` deep. Twice as much as one call from the host
/// needs, so that another one can begin anywhere in the first half.
pub(crate) fn pages(stack_depth: usize) -> u32 {
    const PAGE: usize = 1 << 16;
    /// With more, modules would not compile. Frames beyond it are lost, and the guests trap at their usual depth.
    const MAX: u32 = 1 << 14;
    let bytes = needed(stack_depth).saturating_mul(2);
    u32::try_from(bytes.div_ceil(PAGE)).unwrap_or(MAX).min(MAX)
}

/// Returns the maximum size of the slots of one call from the host, in bytes.
fn needed(stack_depth: usize) -> usize {
    stack_depth.saturating_add(4).saturating_mul(SLOT_BYTES)
}

/// The frames of a store.
pub(crate) struct Frames {
    /// The address of the slot of the innermost frame, in all instances.
    depth: Global,
    /// The number of functions that were entered from outside their module.
    serial: Global,
    stack_depth: usize,
    instances: Vec<Guest>,
    /// The frames of the last call that failed, until they are taken.
    failed: Vec<Frame>,
}

/// An instance that keeps frames.
struct Guest {
    slots: Memory,
    place: Global,
    layout: Arc<FramedModule>,
}

/// The data of a store that may keep frames.
pub(crate) trait Framed: 'static {
    fn frames(&self) -> Option<&Frames>;
    fn frames_mut(&mut self) -> Option<&mut Frames>;
    /// Does not count the memory that is made after `count` others as used by the store.
    fn pass_memory(&mut self, count: u32);
}

/// The state of the call around one from the host, which `end` restores.
pub(crate) struct OuterCall {
    base: i32,
    /// The slots of the frames below, for each instance, if there was no room above them.
    moved: Option<Vec<Vec<u8>>>,
}

impl Frames {
    /// Makes the frames of a store whose guests may nest `stack_depth` deep.
    pub(crate) fn new(mut context: impl AsContextMut, stack_depth: usize) -> Self {
        let depth = Global::new(&mut context, Val::I32(0), Mutability::Var);
        let serial = Global::new(&mut context, Val::I64(0), Mutability::Var);
        Self { depth, serial, stack_depth, instances: Vec::new(), failed: Vec::new() }
    }

    /// Takes the frames of the last call that failed, innermost first.
    pub(crate) fn take_failed(&mut self) -> Vec<Frame> {
        std::mem::take(&mut self.failed)
    }
}

/// The frames of the guests that an error of a script's function has ended. starlark's own errors cannot carry them to
/// the report.
#[derive(Clone, Default)]
pub(crate) struct StrayFrames(Arc<Mutex<Option<Vec<Frame>>>>);

impl StrayFrames {
    /// Adds those of one more call, behind those of the calls inside it.
    pub(crate) fn add(&self, more: Vec<Frame>) {
        self.frames().get_or_insert_default().extend(more);
    }

    pub(crate) fn take(&self) -> Option<Vec<Frame>> {
        self.frames().take()
    }

    fn frames(&self) -> MutexGuard<'_, Option<Vec<Frame>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes an instance of a module that keeps frames, and runs its start function.
pub(crate) fn instantiate<T: Framed>(
    context: &mut StoreContextMut<'_, T>,
    module: &wasmi::Module,
    layout: &Arc<FramedModule>,
    externs: &[Extern],
) -> Result<Instance, wasmi::Error> {
    let Some((depth, serial)) = context.data().frames().map(|frames| (frames.depth, frames.serial)) else {
        return Err(wasmi::Error::new("a module that keeps frames in a store that has none"));
    };
    context.data_mut().pass_memory(layout.memories);
    let externs: Vec<Extern> = externs.iter().cloned().chain([depth.into(), serial.into()]).collect();
    let instance = Instance::new(&mut *context, module, &externs)?;
    let slots = instance.get_memory(&*context, SLOTS);
    let place = instance.get_global(&*context, PLACE);
    if let (Some(slots), Some(place), Some(frames)) = (slots, place, context.data_mut().frames_mut()) {
        frames.instances.push(Guest { slots, place, layout: layout.clone() });
    }
    if layout.has_start
        && let Some(start) = instance.get_func(&*context, START)
    {
        let entry = begin(context);
        let outcome = start.call(&mut *context, &[], &mut []);
        end(context, entry, outcome.as_ref().err());
        outcome?;
    }
    Ok(instance)
}

/// Begins a call from the host. Returns `None` for a store that keeps no frames.
pub(crate) fn begin<T: Framed>(context: &mut StoreContextMut<'_, T>) -> Option<OuterCall> {
    let frames = context.data().frames()?;
    let (depth, stack_depth) = (frames.depth, frames.stack_depth);
    let base = depth.get(&*context).i32().unwrap_or_default();
    let used = usize::try_from(base).unwrap_or_default();
    let slots: Vec<Memory> = frames.instances.iter().map(|guest| guest.slots).collect();
    let room = slots.iter().map(|slots| slots.data_size(&*context)).min().unwrap_or(usize::MAX);
    if used.saturating_add(needed(stack_depth)) <= room {
        return Some(OuterCall { base, moved: None });
    }
    let below = used.saturating_add(SLOT_BYTES);
    let moved = |slots: &Memory| LinearMemory::new(*slots, context).to_vec(0, below as u64).unwrap_or_default();
    let moved = slots.iter().map(moved).collect();
    set_depth(context, depth, 0);
    Some(OuterCall { base, moved: Some(moved) })
}

/// Ends the call that `begin` began. If it failed, its frames are kept for whoever reports the error.
pub(crate) fn end<T: Framed>(
    context: &mut StoreContextMut<'_, T>,
    entry: Option<OuterCall>,
    error: Option<&wasmi::Error>,
) {
    let Some(OuterCall { base, moved }) = entry else { return };
    if let Some(error) = error {
        let failed = read(context, if moved.is_some() { 0 } else { base }, error.as_trap_code());
        if let Some(frames) = context.data_mut().frames_mut() {
            frames.failed = failed;
        }
    }
    let Some(frames) = context.data().frames() else { return };
    let depth = frames.depth;
    if let Some(moved) = moved {
        let slots: Vec<Memory> = frames.instances.iter().map(|guest| guest.slots).collect();
        let below = moved.first().map_or(0, Vec::len);
        // Instances that were made meanwhile had no frames there when these were moved.
        for (slots, moved) in slots.iter().zip(moved.into_iter().map(Some).chain(std::iter::repeat(None))) {
            let mut slots = LinearMemory::new(*slots, context);
            // `None` means that it has no slots there.
            let _ = match moved {
                Some(moved) => slots.write(0, &moved),
                None => slots.fill(0, below as u64, 0),
            };
        }
    }
    set_depth(context, depth, base);
}

fn set_depth<T>(context: &mut StoreContextMut<'_, T>, depth: Global, to: i32) {
    // Cannot fail: the global is mutable and an i32.
    let _ = depth.set(&mut *context, Val::I32(to));
}

/// Reads the frames of a call that failed, innermost first.
fn read<T: Framed>(context: &StoreContextMut<'_, T>, base: i32, trap: Option<TrapCode>) -> Vec<Frame> {
    let Some(frames) = context.data().frames() else { return Vec::new() };
    let top = frames.depth.get(context).i32().unwrap_or_default();
    let mut walk = Walk { guests: &frames.instances, known: None, serial: 0 };
    let slots = |guest: &Guest, at: usize| Slot::read(guest.slots, context, at);
    let noted = |guest: &Guest| guest.place.get(context).i32().unwrap_or_default().cast_unsigned();
    let mut found: Vec<(&Guest, u32)> = Vec::new();
    let mut at = usize::try_from(base.saturating_add(SLOT)).unwrap_or_default();
    let top = usize::try_from(top).unwrap_or_default();
    while at <= top {
        found.extend(walk.step(|guest| slots(guest, at)));
        at = at.saturating_add(SLOT_BYTES);
    }
    // A function whose tail call failed has given its slot back, but the slot is unchanged.
    let left = match trap {
        Some(code) if is_of_indirect_call(code) => walk.step(|guest| slots(guest, at)).filter(|(guest, place)| {
            let noted = noted(guest);
            let is_left = noted & LEFT != 0 && guest.layout.map.is_same_function(*place, noted & !LEFT);
            // The slot may belong to a call that has returned.
            is_left
                && found.last().is_none_or(|(last, place)| std::ptr::eq(*last, *guest) || last.layout.map.calls(*place))
        }),
        _ => None,
    };
    match (left, found.last_mut()) {
        (Some((guest, _)), _) => found.push((guest, noted(guest) & !LEFT)),
        (None, Some((guest, place))) if trap.is_some_and(notes_its_place) => {
            let noted = noted(guest);
            if guest.layout.map.is_same_function(*place, noted) {
                *place = noted;
            }
        }
        _ => {}
    }
    let frame =
        |(index, (guest, place)): (usize, (&Guest, u32))| Frame::new(guest.layout.map.clone(), place, index == 0);
    found.into_iter().enumerate().map(frame).rev().collect()
}

/// Walks from the outermost frame of a call to the innermost.
struct Walk<'a> {
    guests: &'a [Guest],
    /// The instance of the next frame, if its caller determines it.
    known: Option<&'a Guest>,
    /// The highest serial number so far.
    serial: u64,
}

impl<'a> Walk<'a> {
    /// Returns the instance and the place of the next frame. `slot` reads its slot in an instance.
    fn step(&mut self, slot: impl Fn(&Guest) -> Slot) -> Option<(&'a Guest, u32)> {
        let guest = self.known.take().or_else(|| {
            let highest = self.guests.iter().max_by_key(|guest| slot(guest).serial)?;
            // If it is not above the last one, it belongs to a call that has returned, and the frame is in an instance that
            // could not be made.
            let serial = slot(highest).serial;
            let is_live = serial > self.serial;
            self.serial = serial.max(self.serial);
            is_live.then_some(highest)
        })?;
        let place = slot(guest).place;
        let map = &guest.layout.map;
        if !guest.layout.has_tail_calls && map.calls_own(place) {
            self.known = Some(guest);
        }
        map.has(place).then_some((guest, place))
    }
}

/// The content of a slot.
struct Slot {
    place: u32,
    serial: u64,
}

impl Slot {
    /// Reads the slot at `at`. Beyond the last one they are zero.
    fn read(slots: Memory, context: &impl AsContext, at: usize) -> Self {
        let slot: [u8; SLOT_BYTES] = word(slots, context, at as u64).unwrap_or([0; SLOT_BYTES]);
        let (halves, _) = slot.as_chunks();
        let number = |at: usize| halves.get(at).map_or(0, |half| u64::from_le_bytes(*half));
        Self { place: number(0) as u32, serial: number(1) }
    }
}

/// Returns whether an instruction that traps with this code has noted its place just before.
fn notes_its_place(code: TrapCode) -> bool {
    !matches!(code, TrapCode::StackOverflow | TrapCode::OutOfFuel)
}

fn is_of_indirect_call(code: TrapCode) -> bool {
    matches!(code, TrapCode::IndirectCallToNull | TrapCode::BadSignature | TrapCode::TableOutOfBounds)
}
