//! Counts the fuel of one store by function.

use std::sync::Arc;

use wasmi::{Caller, Extern, Func, Instance, Nullable, StoreContextMut};

use super::{MAX_NODES, SharedProfile};

/// The names under which a rewritten module exports what it shares with the host. If a module already uses one of them, the
/// rewritten module is not valid, and its functions are not told apart.
pub(crate) const TOLD: &str = "\0wasmlark told";
pub(crate) const START: &str = "\0wasmlark start";

/// The elements of the table: the functions that a function calls when it begins and when it ends.
pub(crate) const ENTER: i32 = 0;
pub(crate) const LEAVE: i32 = 1;

/// The fuel of the instructions that report the end of a function.
const LEAVE_COST: u64 = 4;

/// Describes the functions of a compiled module.
pub(crate) struct ProfiledModule {
    /// The name of each function that the module defines.
    pub(crate) names: Vec<String>,
    /// The fuel of each function's stub until it reports that the function begins.
    pub(crate) costs: Vec<u64>,
    pub(crate) has_start: bool,
}

/// One store's part of the profile.
pub(crate) struct Teller {
    shared: SharedProfile,
    /// The functions of this store that have not returned.
    stack: Vec<usize>,
    /// The counter when it was last read.
    last: u64,
}

/// The data of a store that may have a profile.
pub(crate) trait Profiled: 'static {
    fn teller_mut(&mut self) -> Option<&mut Teller>;
    /// Does not count the next growth of a table as used by the store.
    fn pass_table(&mut self);
    /// Returns the fuel of the store if its counter is `counter`.
    fn fuel_of(&self, counter: Option<u64>) -> u64;
}

/// The state of the call around one from the host, which `end` restores.
pub(crate) struct OuterCall {
    depth: usize,
    current: usize,
    callers: usize,
}

impl Teller {
    pub(crate) fn new(shared: SharedProfile) -> Self {
        Self { shared, stack: Vec::new(), last: 0 }
    }

    pub(crate) fn shared(&self) -> &SharedProfile {
        &self.shared
    }

    /// Counts the fuel that was spent until the counter was `now`.
    pub(crate) fn observe(&mut self, now: u64) {
        let spent = std::mem::replace(&mut self.last, now).saturating_sub(now);
        if let Some(top) = self.stack.last().filter(|_| spent > 0) {
            self.shared.lock().add(*top, spent);
        }
    }

    /// Continues from a counter that was set to `now`, which nobody has spent.
    pub(crate) fn rebase(&mut self, now: u64) {
        self.last = now;
    }

    /// Begins a call from the host, with the counter at `now`.
    pub(crate) fn begin(&mut self, now: u64) -> OuterCall {
        self.observe(now);
        let mut profile = self.shared.lock();
        let entry = OuterCall { depth: self.stack.len(), current: profile.current, callers: profile.callers };
        let callers = std::mem::take(&mut profile.pending);
        let mut node = profile.current;
        for caller in callers.iter().skip(entry.callers) {
            node = profile.child(node, caller);
        }
        profile.callers = callers.len();
        profile.current = node;
        drop(profile);
        self.stack.push(node);
        entry
    }

    /// Ends the call that `begin` began, even if functions in it did not return.
    pub(crate) fn end(&mut self, entry: &OuterCall, now: u64) {
        self.observe(now);
        self.stack.truncate(entry.depth);
        let mut profile = self.shared.lock();
        profile.current = entry.current;
        profile.callers = entry.callers;
    }

    /// Notes that a function begins: the one with this index, in the instance with this number.
    fn enter(&mut self, instance: usize, index: usize, layout: &ProfiledModule, now: u64) {
        self.observe(now);
        let mut profile = self.shared.lock();
        let key = (profile.current, instance, index);
        let known = profile.called.get(&key).copied();
        let node = known.unwrap_or_else(|| {
            let node = profile.child(key.0, layout.names.get(index).map_or("?", String::as_str));
            // Not every node is kept: there is no limit on the functions that are cut off, nor on instances.
            if node != key.0 && profile.called.len() < MAX_NODES {
                profile.called.insert(key, node);
            }
            node
        });
        profile.current = node;
        drop(profile);
        self.stack.push(node);
    }

    /// Returns the number of a new instance.
    fn add_instance(&self) -> usize {
        let mut profile = self.shared.lock();
        profile.instances = profile.instances.saturating_add(1);
        profile.instances
    }

    fn leave(&mut self, now: u64) {
        self.observe(now);
        self.stack.pop();
        if let Some(top) = self.stack.last() {
            self.shared.lock().current = *top;
        }
    }
}

/// Makes an instance of a module that reports on its functions, and runs its start function.
pub(crate) fn instantiate<T: Profiled>(
    context: &mut StoreContextMut<'_, T>,
    module: &wasmi::Module,
    layout: &Arc<ProfiledModule>,
    externs: &[Extern],
    call: impl FnOnce(&Func, &mut StoreContextMut<'_, T>) -> Result<(), wasmi::Error>,
) -> Result<Instance, wasmi::Error> {
    let instance = Instance::new(&mut *context, module, externs)?;
    if let Some(table) = instance.get_table(&*context, TOLD) {
        let known = layout.clone();
        let number = context.data_mut().teller_mut().map_or(0, |teller| teller.add_instance());
        let enter = Func::wrap(&mut *context, move |mut caller: Caller<'_, T>, index: i32| {
            enter(&mut caller, number, &known, index);
        });
        let leave = Func::wrap(&mut *context, |mut caller: Caller<'_, T>, _: i32| leave(&mut caller));
        context.data_mut().pass_table();
        table.grow(&mut *context, 2, wasmi::Ref::Func(Nullable::Null))?;
        for (index, function) in [(ENTER, enter), (LEAVE, leave)] {
            table.set(&mut *context, u64::from(index.cast_unsigned()), wasmi::Ref::from(Nullable::Val(function)))?;
        }
    }
    if layout.has_start
        && let Some(start) = instance.get_func(&*context, START)
    {
        call(&start, context)?;
    }
    Ok(instance)
}

/// Notes that a function begins, and gives back the fuel of its stub.
fn enter<T: Profiled>(caller: &mut Caller<'_, T>, instance: usize, layout: &ProfiledModule, index: i32) {
    let index = usize::try_from(index).unwrap_or(usize::MAX);
    let now = give_back(caller, layout.costs.get(index).copied().unwrap_or_default());
    if let Some(teller) = caller.data_mut().teller_mut() {
        teller.enter(instance, index, layout, now);
    }
}

/// Gives fuel back. Returns the fuel that the store has then.
fn give_back<T: Profiled>(caller: &mut Caller<'_, T>, fuel: u64) -> u64 {
    let counter = caller.get_fuel().ok().map(|counter| counter.saturating_add(fuel));
    if let Some(counter) = counter {
        // Cannot fail: fuel is metered.
        let _ = caller.set_fuel(counter);
    }
    caller.data().fuel_of(counter)
}

fn leave<T: Profiled>(caller: &mut Caller<'_, T>) {
    let now = give_back(caller, LEAVE_COST);
    if let Some(teller) = caller.data_mut().teller_mut() {
        teller.leave(now);
    }
}
