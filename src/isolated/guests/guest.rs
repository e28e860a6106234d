//! What the store of a guest has: its fuel, and the way to the core.

use wasmi::StoreContextMut;
use wasmi_core::LimiterError;

use super::lent::CoreRef;
use crate::frames::{Framed, Frames};
use crate::interrupt::Interrupt;
use crate::isolated::room::Room;
use crate::profile::{Profiled, Teller};
use crate::slices::{self, SLICE, Sliced, Slices};

/// The fuel of a store where the core sets none.
const ENDLESS: u64 = u64::MAX >> 1;

/// The data of a guest's store.
pub(super) struct Guest {
    /// The number of the store.
    pub(super) number: u32,
    /// What the core calls the store.
    pub(super) address: u32,
    pub(super) core: CoreRef,
    /// What ended the core while a guest ran, until the guest has ended too.
    pub(super) ended: Option<wasmi::Error>,
    slices: Slices,
    /// Whether the core sets the fuel.
    is_metered: bool,
    /// What the core lets the store spend, as of the last time that nothing ran in it.
    fuel: u64,
    /// What the store got of it when something began to run: less, if the core may cost less.
    granted: u64,
    /// How many tables are made before one that is the host's.
    passed: Option<u32>,
    /// What may still be made while the store is restored, when the core cannot be asked.
    restoring: Option<Restoring>,
}

/// What the guests of a session that is restored may have.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Restoring {
    /// Bytes of memories.
    pub(in super::super) memory: u64,
    /// Elements of tables.
    pub(in super::super) elements: u64,
    /// References to objects of the core.
    pub(in super::super) objects: u64,
    /// Bytes of instances, without their memories and tables.
    pub(in super::super) instances: u64,
}

impl Restoring {
    fn take(&mut self, is_table: bool, more: u64) -> bool {
        let left = if is_table { &mut self.elements } else { &mut self.memory };
        let after = left.checked_sub(more);
        *left = after.unwrap_or(*left);
        after.is_some()
    }
}

impl Guest {
    pub(super) fn new(number: u32, address: u32, is_metered: bool, interrupt: &Interrupt) -> Self {
        Self {
            number,
            address,
            core: CoreRef::default(),
            ended: None,
            slices: Slices::new(SLICE, interrupt.clone()),
            is_metered,
            fuel: ENDLESS,
            granted: 0,
            passed: None,
            restoring: None,
        }
    }

    pub(super) fn fuel(&self) -> u64 {
        self.fuel
    }

    pub(super) fn set_fuel(&mut self, fuel: u64) {
        self.fuel = fuel;
    }

    /// Does not count the table that is made after `count` others.
    pub(super) fn pass_table(&mut self, count: u32) {
        self.passed = Some(count);
    }

    /// Sets what may be made without the core, or returns what is left of it.
    pub(super) fn set_restoring(&mut self, restoring: Option<Restoring>) -> Option<Restoring> {
        std::mem::replace(&mut self.restoring, restoring)
    }

    /// Returns whether it was the core's own limit that left no more.
    pub(super) fn is_limited_by_cost(&self) -> bool {
        self.granted < self.fuel
    }

    /// Asks the core whether something may grow.
    fn growing(&mut self, is_table: bool, current: usize, desired: usize, maximum: Option<usize>) -> bool {
        // What no host with 32-bit addresses has is refused everywhere.
        let (Ok(current), Ok(desired)) = (u32::try_from(current), u32::try_from(desired)) else { return false };
        if is_table && let Some(passed) = self.passed {
            self.passed = passed.checked_sub(1);
            if passed == 0 {
                return true;
            }
        }
        if let Some(restoring) = &mut self.restoring {
            return restoring.take(is_table, desired.saturating_sub(current).into());
        }
        let maximum = maximum.map_or(u64::MAX, |maximum| maximum as u64);
        let args = (self.address, u32::from(is_table), current, desired, maximum);
        let asked = self.core.with(|core| {
            let growing = core.data().exports()?.growing;
            Some(slices::call_typed(&growing, &mut wasmi::AsContextMut::as_context_mut(core), args))
        });
        match asked.flatten() {
            Some(Ok(is_granted)) => is_granted != 0,
            Some(Err(fault)) => {
                self.ended.get_or_insert(fault);
                false
            }
            None => false,
        }
    }

    fn grow_failed(&mut self, is_table: bool) {
        if self.restoring.is_some() {
            return;
        }
        let args = (self.address, u32::from(is_table));
        let told = self.core.with(|core| {
            let grow_failed = core.data().exports()?.grow_failed;
            Some(slices::call_typed(&grow_failed, &mut wasmi::AsContextMut::as_context_mut(core), args))
        });
        if let Some(Some(Err(fault))) = told {
            self.ended.get_or_insert(fault);
        }
    }
}

/// Gives a store its fuel, of which there is no more than `cost`. Something is about to run in it.
pub(super) fn begin(context: &mut StoreContextMut<'_, Guest>, cost: u64) {
    let granted = context.data().fuel.min(cost);
    context.data_mut().granted = granted;
    slices::set_fuel(&mut *context, granted);
}

/// Returns what the store has spent since it began to run.
pub(super) fn end(context: &mut StoreContextMut<'_, Guest>) -> u64 {
    let left = slices::fuel(&*context).unwrap_or_default();
    let guest = context.data_mut();
    let spent = guest.granted.saturating_sub(left);
    // What limits the store stays so until it begins again: `granted` and `fuel` shrink alike.
    guest.granted = left;
    guest.fuel = guest.fuel.saturating_sub(spent);
    if !guest.is_metered {
        guest.fuel = guest.fuel.max(ENDLESS >> 1);
    }
    spent
}

impl wasmi::ResourceLimiter for Guest {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool, LimiterError> {
        Ok(self.growing(false, current, desired, maximum))
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool, LimiterError> {
        Ok(self.growing(true, current, desired, maximum))
    }

    fn memory_grow_failed(&mut self, _error: &wasmi::errors::MemoryError) -> Result<(), LimiterError> {
        self.grow_failed(false);
        Ok(())
    }

    fn table_grow_failed(&mut self, _error: &wasmi::errors::TableError) -> Result<(), LimiterError> {
        self.grow_failed(true);
        Ok(())
    }

    // The core counts them.
    fn instances(&self) -> usize {
        usize::MAX
    }

    fn tables(&self) -> usize {
        usize::MAX
    }

    fn memories(&self) -> usize {
        usize::MAX
    }
}

// The core keeps frames and profiles.
impl Framed for Guest {
    fn frames(&self) -> Option<&Frames> {
        None
    }

    fn frames_mut(&mut self) -> Option<&mut Frames> {
        None
    }

    fn pass_memory(&mut self, _count: u32) {}
}

impl Profiled for Guest {
    fn teller_mut(&mut self) -> Option<&mut Teller> {
        None
    }

    fn pass_table(&mut self) {}

    fn fuel_of(&self, counter: Option<u64>) -> u64 {
        counter.unwrap_or_default().saturating_add(self.slices.reserve())
    }
}

impl Sliced for Guest {
    fn is_plain(&self) -> bool {
        false
    }

    fn slices(&self) -> Option<&Slices> {
        Some(&self.slices)
    }

    fn slices_mut(&mut self) -> Option<&mut Slices> {
        Some(&mut self.slices)
    }

    fn pass_slice(&self, fuel: u64) {
        self.core.look(|room: &Room| room.report(fuel));
    }
}
