//! What the fuel of a run was spent on.
//!
//! The functions of a rewritten module report where they begin and end: see `module::profile`. The fuel that a store's
//! counter loses between two such events was spent by the innermost function.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wasmi::{Caller, Extern, Func, Instance, Nullable, StoreContextMut};

/// The names under which a rewritten module exports what it shares with the host. If a module already uses one of them, the
/// rewritten module is not valid, and its functions are not told apart.
pub(crate) const TOLD: &str = "\0wasmlark told";
pub(crate) const START: &str = "\0wasmlark start";

/// The elements of the table: the functions that a function calls when it begins and when it ends.
pub(crate) const ENTER: i32 = 0;
pub(crate) const LEAVE: i32 = 1;

/// The fuel of the instructions that report the end of a function.
const LEAVE_COST: u64 = 4;

/// How the fuel of a run is spread over the functions of both languages: see
/// [`Sandbox::profile`](crate::Sandbox::profile).
///
/// A Starlark function, `file.star:name`, spends fuel only through the guests that it calls. Work that the host does for a
/// guest, such as WASI's, counts for the function of the guest that asked for it.
#[derive(Clone, Debug, Default)]
pub struct Profile {
    nodes: Vec<Node>,
    known: BTreeMap<(usize, Arc<str>), usize>,
    /// The same for functions of guests, by instance and index, so that no names are compared at each call.
    called: BTreeMap<(usize, usize, usize), usize>,
    instances: usize,
    /// The running function.
    current: usize,
    /// The number of Starlark functions around the running guests, and the functions that are about to call another one.
    callers: usize,
    pending: Vec<String>,
}

/// A function, as called by those above it.
#[derive(Clone, Debug)]
struct Node {
    parent: usize,
    name: Arc<str>,
    depth: usize,
    fuel: u64,
}

/// The node above all others, which has no name.
const ROOT: usize = 0;

/// The maximum number of functions in a stack, and of stacks. What is beyond counts for the function above: a guest may nest
/// deeply, and in more ways than there is memory for.
const MAX_DEPTH: usize = 250;
const MAX_NODES: usize = 100_000;

impl Profile {
    fn new() -> Self {
        let root = Node { parent: ROOT, name: "".into(), depth: 0, fuel: 0 };
        Self { nodes: vec![root], ..Self::default() }
    }

    /// Returns the fuel of the whole profile.
    pub fn fuel(&self) -> u64 {
        self.nodes.iter().fold(0, |sum, node| sum.saturating_add(node.fuel))
    }

    /// Returns the profile as folded stacks, the format that tools for flame graphs read. Each line has the functions that
    /// called each other, outermost first and separated by semicolons, and the fuel that the innermost one spent itself. The
    /// lines are sorted.
    ///
    /// A stack has at most 250 functions, and there are at most 100,000 stacks. What is beyond counts for the function above.
    pub fn folded(&self) -> String {
        let mut lines: Vec<String> = Vec::new();
        for (index, node) in self.nodes.iter().enumerate().filter(|(_, node)| node.fuel > 0) {
            let mut names = vec![&*node.name];
            let mut at = index;
            while at != ROOT {
                at = self.nodes.get(at).map_or(ROOT, |node| node.parent);
                names.extend(self.nodes.get(at).map(|node| &*node.name).filter(|name| !name.is_empty()));
            }
            names.reverse();
            lines.push(format!("{} {}\n", names.join(";"), node.fuel));
        }
        lines.sort();
        lines.concat()
    }

    /// Takes the profile apart: for each function its caller, its name and its fuel. A caller comes first.
    #[cfg(feature = "core")]
    pub(crate) fn to_records(&self) -> Vec<(u32, String, u64)> {
        let record = |node: &Node| {
            let parent = u32::try_from(node.parent).unwrap_or_default();
            (parent, (*node.name).to_owned(), node.fuel)
        };
        self.nodes.iter().map(record).collect()
    }

    /// Puts it together again. A function whose caller does not come first is called by none.
    #[cfg(feature = "isolated")]
    pub(crate) fn of_records(records: Vec<(u32, String, u64)>) -> Self {
        let mut profile = Self::default();
        for (index, (parent, name, fuel)) in records.into_iter().enumerate() {
            let parent = usize::try_from(parent).ok().filter(|parent| *parent < index).unwrap_or(ROOT);
            profile.nodes.push(Node { parent, name: name.into(), depth: 0, fuel });
        }
        profile
    }

    fn child(&mut self, parent: usize, name: &str) -> usize {
        let depth = self.nodes.get(parent).map_or(0, |node| node.depth).saturating_add(1);
        if depth > MAX_DEPTH {
            return parent;
        }
        let name: Arc<str> = name.into();
        if let Some(index) = self.known.get(&(parent, name.clone())) {
            return *index;
        }
        let next = self.nodes.len();
        if next >= MAX_NODES {
            return parent;
        }
        self.known.insert((parent, name.clone()), next);
        self.nodes.push(Node { parent, name, depth, fuel: 0 });
        next
    }

    fn add(&mut self, node: usize, fuel: u64) {
        if let Some(node) = self.nodes.get_mut(node) {
            node.fuel = node.fuel.saturating_add(fuel);
        }
    }
}

/// The profile that the stores of a run share.
#[derive(Clone, Debug)]
pub(crate) struct SharedProfile(Arc<Mutex<Profile>>);

impl SharedProfile {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(Profile::new())))
    }

    /// Returns a separate profile that begins as this one is now.
    pub(crate) fn fork(&self) -> Self {
        Self(Arc::new(Mutex::new(self.lock().clone())))
    }

    fn lock(&self) -> MutexGuard<'_, Profile> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the profile. Fuel of `used` that no function has spent is the host's.
    pub(crate) fn finished(&self, used: Option<u64>) -> Profile {
        let mut profile = self.lock().clone();
        let rest = used.unwrap_or_default().saturating_sub(profile.fuel());
        let host = profile.child(ROOT, "(host)");
        profile.add(host, rest);
        profile
    }

    /// Notes the Starlark functions, outermost first, that are about to call a guest.
    pub(crate) fn note_callers(&self, all: Vec<String>) {
        let mut profile = self.lock();
        profile.pending = all;
    }
}

/// Describes the functions of a compiled module.
pub(crate) struct Layout {
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

/// The state that `end` restores.
pub(crate) struct Entry {
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
    pub(crate) fn begin(&mut self, now: u64) -> Entry {
        self.observe(now);
        let mut profile = self.shared.lock();
        let entry = Entry { depth: self.stack.len(), current: profile.current, callers: profile.callers };
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
    pub(crate) fn end(&mut self, entry: &Entry, now: u64) {
        self.observe(now);
        self.stack.truncate(entry.depth);
        let mut profile = self.shared.lock();
        profile.current = entry.current;
        profile.callers = entry.callers;
    }

    /// Notes that a function begins: the one with this index, in the instance with this number.
    fn enter(&mut self, instance: usize, index: usize, layout: &Layout, now: u64) {
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
    layout: &Arc<Layout>,
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
fn enter<T: Profiled>(caller: &mut Caller<'_, T>, instance: usize, layout: &Layout, index: i32) {
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
