//! What the host does when a guest calls it: the same in every engine, depending only on what it is passed.

use crate::engine::Trap;
use crate::interface::{Export, Interface, Kind};
use crate::plan::FUEL_EXPORT;
use crate::random::{Random, digest, mix};
use crate::value::{Type, Value};

/// The maximum nesting of calls from the host into the guest.
const MAX_DEPTH: u32 = 3;
/// The maximum number of calls that the host makes because of one call of a guest.
const MAX_CALLS: u32 = 40;

/// The host of one instance, with its state.
#[derive(Debug, Default)]
pub struct Host {
    /// A digest of all calls so far, and of the guest's answers.
    pub trace: u64,
    /// Changes all answers.
    salt: u64,
    depth: u32,
    calls: u32,
    /// The answer that is waiting for a change.
    waiting: u64,
}

/// What a host function does next.
#[derive(Debug)]
pub enum Action {
    Return(Vec<Value>),
    Trap(Trap),
    /// Calls the function of this index among those that the instance exports.
    Call(usize, Vec<Value>),
    /// Changes what the instance exports, and continues.
    Change(Change),
}

/// A change to the export of this index. One that is out of bounds is left out.
#[derive(Debug)]
pub enum Change {
    Byte(usize, u64, u8),
    Grow(usize),
    Global(usize, Value),
    Element(usize, u64, Value),
}

impl Host {
    /// Makes a host whose answers depend on the salt: the harness's own tests use an engine with a different host.
    pub fn new(salt: u64) -> Self {
        Self { salt, ..Self::default() }
    }

    /// Begins a call of the harness.
    pub fn begin(&mut self) {
        self.depth = 0;
        self.calls = 0;
    }

    /// Decides what calling an import leads to. While the instance is being made, there is nothing to call.
    pub fn called(&mut self, interface: &Interface, import: usize, args: &[Value], ready: bool) -> Action {
        let hash = self.note(import as u64, args);
        let Some(import) = interface.imports.get(import) else {
            return Action::Trap(Trap::Other("no such import".to_owned()));
        };
        let mut random = Random::new(hash);
        let name = digest(import.name.as_bytes()) ^ mix(digest(import.module.as_bytes()));
        // By its name: a module that is being reduced keeps the behaviour of its imports.
        match mix(name) % 8 {
            0 if random.one_in(6) => Action::Trap(Trap::Host),
            1..=3 if ready && self.depth < MAX_DEPTH && self.calls < MAX_CALLS => {
                self.calls += 1;
                let funcs = interface.funcs().count() as u32;
                if funcs == 0 {
                    return self.answer(interface, import_results(&import.kind), hash, ready);
                }
                let index = random.below(funcs) as usize;
                let params = interface.funcs().nth(index).map(|(_, ty)| ty.params.clone()).unwrap_or_default();
                let args = params.iter().map(|ty| Value::random(*ty, funcs, &mut random)).collect();
                self.depth += 1;
                Action::Call(index, args)
            }
            4 | 5 if ready && !random.one_in(3) => {
                self.waiting = hash;
                match change(interface, &mut random) {
                    Some(change) => Action::Change(change),
                    None => self.answer(interface, import_results(&import.kind), hash, ready),
                }
            }
            _ => self.answer(interface, import_results(&import.kind), hash, ready),
        }
    }

    /// Continues after a change.
    pub fn changed(&mut self, interface: &Interface, import: usize) -> Action {
        let results = interface.imports.get(import).map(|import| import_results(&import.kind)).unwrap_or_default();
        self.answer(interface, results, self.waiting, true)
    }

    /// Continues after a call into the guest.
    pub fn returned(&mut self, interface: &Interface, import: usize, result: Result<Vec<Value>, Trap>) -> Action {
        self.depth = self.depth.saturating_sub(1);
        let hash = match result {
            Ok(values) => self.note(1 << 32, &values),
            // Half of the time, the host continues as if nothing had happened.
            Err(trap) if trap.is_comparable() && mix(self.trace).is_multiple_of(2) => {
                self.note(2 << 32 | u64::from(trap.number()), &[])
            }
            Err(trap) => return Action::Trap(trap),
        };
        let results = interface.imports.get(import).map(|import| import_results(&import.kind)).unwrap_or_default();
        self.answer(interface, results, hash, true)
    }

    fn answer(&mut self, interface: &Interface, results: Vec<Type>, hash: u64, ready: bool) -> Action {
        let mut random = Random::new(hash ^ 1 ^ self.salt);
        let funcs = if ready { interface.funcs().count() as u32 } else { 0 };
        Action::Return(results.iter().map(|ty| Value::random(*ty, funcs, &mut random)).collect())
    }

    /// Records that an instance was not made.
    pub fn failed(&mut self, trap: &Trap) {
        self.note(3 << 32 | u64::from(trap.number()), &[]);
    }

    fn note(&mut self, what: u64, values: &[Value]) -> u64 {
        self.trace = mix(self.trace ^ mix(what));
        for value in values {
            let bits = value.bits();
            self.trace = mix(self.trace ^ bits as u64 ^ mix((bits >> 64) as u64));
        }
        self.trace
    }
}

/// Returns a change to an export, mostly a memory: an engine may hold some of it in registers.
fn change(interface: &Interface, random: &mut Random) -> Option<Change> {
    let funcs = interface.funcs().count() as u32;
    let fit = |export: &Export| match &export.kind {
        Kind::Memory(_) | Kind::Table(..) => true,
        Kind::Global { mutable, .. } => *mutable && export.name != FUEL_EXPORT,
        Kind::Func(_) => false,
    };
    let all: Vec<_> = interface.exports.iter().enumerate().filter(|(_, export)| fit(export)).collect();
    if all.is_empty() {
        return None;
    }
    let (index, export) = *random.pick(&all);
    Some(match &export.kind {
        Kind::Memory(_) if random.one_in(3) => Change::Grow(index),
        Kind::Memory(_) => Change::Byte(index, u64::from(random.below(600)), random.bits() as u8),
        Kind::Table(ty, _) => Change::Element(index, u64::from(random.below(8)), Value::random(*ty, funcs, random)),
        Kind::Global { ty, .. } => Change::Global(index, Value::random(*ty, funcs, random)),
        Kind::Func(_) => return None,
    })
}

/// Returns the earlier import that is the same as this one: some memories, tables and globals are given twice.
pub fn same_as(interface: &Interface, index: usize) -> Option<usize> {
    let import = interface.imports.get(index)?;
    if matches!(import.kind, Kind::Func(_)) || mix(digest(import.name.as_bytes())).is_multiple_of(3) {
        return None;
    }
    let first = interface.imports.iter().position(|other| other.kind == import.kind)?;
    (first < index).then_some(first)
}

/// Returns the export of an earlier instance of the same module that is given to an import; other imports get the host's.
pub fn from_before(interface: &Interface, index: usize) -> Option<usize> {
    let import = interface.imports.get(index)?;
    let name = mix(digest(import.name.as_bytes()) ^ 1);
    if name.is_multiple_of(4) {
        return None;
    }
    let exports = interface.exports.iter().enumerate();
    let fit: Vec<_> = exports.filter(|(_, export)| export.kind == import.kind).map(|(index, _)| index).collect();
    fit.get((name >> 8) as usize % fit.len().max(1)).copied()
}

/// Returns the first position of each exported function, according to the module: positions of a second instance come
/// before those of the first, and a function that it imports may be one of them.
pub fn first_places(interface: &Interface, instances: usize) -> Vec<u32> {
    let imports: Vec<_> = (0..interface.imports.len())
        .filter(|index| matches!(interface.imports.get(*index).map(|import| &import.kind), Some(Kind::Func(_))))
        .collect();
    let funcs: Vec<_> =
        interface.exports.iter().enumerate().filter(|(_, export)| matches!(export.kind, Kind::Func(_))).collect();
    // An instance and the position of a function in it.
    let origin = |instance: usize, func: usize| {
        let linked = imports.get(func).filter(|_| instance + 1 < instances);
        let export = linked.and_then(|import| from_before(interface, *import));
        match export.and_then(|export| interface.exports.get(export)) {
            Some(export) => (instance + 1, export.index),
            None => (instance, func),
        }
    };
    let origins: Vec<_> =
        (0..instances).flat_map(|instance| funcs.iter().map(move |(_, export)| (instance, export.index))).collect();
    let origins: Vec<_> = origins.into_iter().map(|(instance, func)| origin(instance, func)).collect();
    origins.iter().map(|one| origins.iter().position(|other| one == other).unwrap_or_default() as u32).collect()
}

fn import_results(kind: &Kind) -> Vec<Type> {
    match kind {
        Kind::Func(signature) => signature.results.clone(),
        _ => Vec::new(),
    }
}
