//! One store's view of the budget: what wasmi may let grow.

use std::fmt;

use wasmi_core::LimiterError;

use super::Budget;
use crate::error::{Error, Limit};
use crate::limits::Limits;

/// The linear memory that a store may still take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MemoryRoom {
    /// In bytes.
    pub(crate) left: u64,
    /// The value of the limit that leaves this much.
    limit: u64,
    ceiling: Ceiling,
}

/// Which limit on memory a store meets first.
#[derive(Debug, Clone, Copy)]
enum Ceiling {
    /// The store's own `max_memory`.
    Store,
    /// The sandbox's limit `memory`.
    Sandbox,
}

impl MemoryRoom {
    /// Makes the error for something that does not fit. `what` is the beginning of the message.
    pub(crate) fn error(self, what: impl fmt::Display) -> Error {
        let Self { left, limit, ceiling } = self;
        match ceiling {
            Ceiling::Store => {
                Error::value(format!("{what}: the store's `max_memory` is {limit} bytes, and {left} are left"))
            }
            Ceiling::Sandbox => Error::limit(
                Limit::Memory,
                format!("{what}: the sandbox's limit `memory` is {limit} bytes, and {left} are left"),
            ),
        }
    }
}

/// One store's view of the budget, which wasmi asks before anything grows.
#[derive(Debug)]
pub(crate) struct Limiter {
    budget: Budget,
    limits: Limits,
    /// The store's own limit on memory, within the sandbox's.
    max_memory: Option<u64>,
    memory: u64,
    table_elements: u64,
    pub(crate) instances: usize,
    /// The last growth of a memory, in bytes, and the room that was left, if it was refused. A growth that is granted later
    /// clears this: then the guest has coped.
    refused: Option<(u64, MemoryRoom)>,
    /// What the last granted growth added, to be taken back if the growth itself fails.
    last: u64,
    last_elements: u64,
    /// The number of memories before one that is not counted, since it was added to the guest's module.
    passed: Option<u32>,
    /// Whether the next growth of a table is not counted.
    passes_table: bool,
}

impl Limiter {
    pub(crate) fn new(budget: Budget, limits: Limits, max_memory: Option<u64>) -> Self {
        Self {
            budget,
            limits,
            max_memory,
            memory: 0,
            table_elements: 0,
            instances: 0,
            refused: None,
            last: 0,
            last_elements: 0,
            passed: None,
            passes_table: false,
        }
    }

    /// Does not count the memory that is made after `count` others.
    pub(crate) fn pass_memory(&mut self, count: u32) {
        self.passed = Some(count);
    }

    /// Does not count the next growth of a table.
    pub(crate) fn pass_table(&mut self) {
        self.passes_table = true;
    }

    /// Notes that a guest of the store has spent a slice of fuel.
    #[cfg_attr(feature = "core", allow(dead_code))]
    pub(crate) fn pass_slice(&self, fuel: u64) {
        self.budget.pass_slice(fuel);
    }

    /// Returns the linear memory that this store may still take.
    pub(crate) fn memory_room(&self) -> MemoryRoom {
        let limit = self.limits.memory;
        let shared = MemoryRoom { left: limit.saturating_sub(self.budget.memory()), limit, ceiling: Ceiling::Sandbox };
        match self.max_memory {
            Some(own) if own.saturating_sub(self.memory) < shared.left => {
                MemoryRoom { left: own.saturating_sub(self.memory), limit: own, ceiling: Ceiling::Store }
            }
            _ => shared,
        }
    }

    /// Returns the whole run's limit on fuel.
    pub(crate) fn fuel_limit(&self) -> Option<u64> {
        self.limits.fuel
    }

    /// Takes the refused growth of a memory that may have made a guest give up, as the end of a message.
    pub(crate) fn take_refused(&mut self) -> Option<String> {
        let (bytes, MemoryRoom { left, limit, ceiling }) = self.refused.take()?;
        let name = match ceiling {
            Ceiling::Store => "the store's `max_memory`",
            Ceiling::Sandbox => "the sandbox's limit `memory`",
        };
        Some(format!(
            "; a growth of its memory by {bytes} bytes was refused before: {name} is {limit} bytes, and {left} were left"
        ))
    }

    /// Returns how many more elements the tables of this store may have.
    pub(crate) fn table_room(&self) -> u64 {
        self.limits.table_elements.saturating_sub(self.budget.usage().table_elements)
    }

    /// Gives back what the store holds, when a script closes it. Dropping it gives back nothing: the garbage collector does
    /// that, at a time that depends on the word size of the host.
    pub(crate) fn give_back(&mut self) {
        let mut usage = self.budget.usage();
        usage.memory = usage.memory.saturating_sub(std::mem::take(&mut self.memory));
        usage.table_elements = usage.table_elements.saturating_sub(std::mem::take(&mut self.table_elements));
        usage.instances = usage.instances.saturating_sub(std::mem::take(&mut self.instances));
    }
}

impl wasmi::ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool, LimiterError> {
        if let Some(passed) = self.passed {
            self.passed = passed.checked_sub(1);
            if passed == 0 {
                self.last = 0;
                return Ok(true);
            }
        }
        let more = (desired as u64).saturating_sub(current as u64);
        let room = self.memory_room();
        if more > room.left {
            // A growth beyond the memory's own maximum would be refused without the limit too. One beyond 32 bits is not
            // noted, so that messages are the same everywhere: on a host with 32-bit addresses, wasmi does not ask.
            let is_possible = maximum.is_none_or(|maximum| desired <= maximum) && u32::try_from(desired).is_ok();
            self.refused = is_possible.then_some((more, room));
            return Ok(false);
        }
        self.refused = None;
        let mut usage = self.budget.usage();
        usage.memory = usage.memory.saturating_add(more);
        usage.memory_peak = usage.memory_peak.max(usage.memory);
        self.memory = self.memory.saturating_add(more);
        self.last = more;
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> Result<bool, LimiterError> {
        if std::mem::take(&mut self.passes_table) {
            self.last_elements = 0;
            return Ok(true);
        }
        let more = (desired as u64).saturating_sub(current as u64);
        if more > self.table_room() {
            return Ok(false);
        }
        let mut usage = self.budget.usage();
        usage.table_elements = usage.table_elements.saturating_add(more);
        self.table_elements = self.table_elements.saturating_add(more);
        self.last_elements = more;
        Ok(true)
    }

    fn memory_grow_failed(&mut self, _error: &wasmi::errors::MemoryError) -> Result<(), LimiterError> {
        let mut usage = self.budget.usage();
        usage.memory = usage.memory.saturating_sub(self.last);
        self.memory = self.memory.saturating_sub(self.last);
        self.last = 0;
        Ok(())
    }

    fn table_grow_failed(&mut self, _error: &wasmi::errors::TableError) -> Result<(), LimiterError> {
        let mut usage = self.budget.usage();
        usage.table_elements = usage.table_elements.saturating_sub(self.last_elements);
        self.table_elements = self.table_elements.saturating_sub(self.last_elements);
        self.last_elements = 0;
        Ok(())
    }

    // The budget counts instances, across stores.
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

/// Returns the limit that refused a new memory or table, if that is the error. When one that exists cannot grow, wasmi does
/// not say why: compare with the room before.
pub(crate) fn denied(error: &wasmi::Error) -> Option<Limit> {
    use wasmi::errors::{ErrorKind as K, InstantiationError as I, MemoryError as M, TableError as T};
    match error.kind() {
        K::Memory(M::ResourceLimiterDeniedAllocation)
        | K::Instantiation(I::FailedToInstantiateMemory(M::ResourceLimiterDeniedAllocation)) => Some(Limit::Memory),
        K::Table(T::ResourceLimiterDeniedAllocation)
        | K::Instantiation(I::FailedToInstantiateTable(T::ResourceLimiterDeniedAllocation)) => {
            Some(Limit::TableElements)
        }
        _ => None,
    }
}
