//! The identity of the things inside a store.
//!
//! wasmi's handles can neither be compared nor hashed. But they print the number of their store and
//! their own number in it, and nothing else, so two handles print the same if and only if they
//! refer to the same thing. The test below checks that for every version of wasmi. Printing takes
//! some hundred nanoseconds, which is too slow for the call path.

use std::fmt;

use starlark::values::Trace;

/// The identity of a function, memory, table or global, whichever handle refers to it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Trace)]
pub(crate) struct Identity(String);

/// The wasmi handles whose `Debug` output is their identity.
pub(crate) trait Identifiable: fmt::Debug {}

impl Identifiable for wasmi::Func {}
impl Identifiable for wasmi::Memory {}
impl Identifiable for wasmi::Table {}
impl Identifiable for wasmi::Global {}
impl Identifiable for wasmi::Extern {}

impl Identity {
    /// Returns the identity of what `handle` refers to.
    pub(crate) fn of(handle: &impl Identifiable) -> Self {
        Self(format!("{handle:?}"))
    }
}

/// Returns whether two handles refer to the same thing.
pub(crate) fn are_same<H: Identifiable>(one: &H, other: &H) -> bool {
    Identity::of(one) == Identity::of(other)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Makes two of each kind, and adds all of their identities. Returns the number of handles.
    fn make(store: &mut wasmi::Store<()>, identities: &mut BTreeSet<Identity>) -> usize {
        let memory_type = wasmi::MemoryType::new(1, None);
        let table_type = wasmi::TableType::new(wasmi::RefType::Func, 1, None);
        let mut externs: Vec<wasmi::Extern> = Vec::new();
        for _ in 0..2 {
            let func = wasmi::Func::wrap(&mut *store, || {});
            let memory = wasmi::Memory::new(&mut *store, memory_type).unwrap();
            let null = wasmi::Ref::default_for_ty(wasmi::RefType::Func);
            let table = wasmi::Table::new(&mut *store, table_type, null).unwrap();
            let global = wasmi::Global::new(&mut *store, wasmi::Val::I32(0), wasmi::Mutability::Const);
            for same in [are_same(&func, &func.clone()), are_same(&memory, &memory.clone())] {
                assert!(same);
            }
            assert!(are_same(&table, &table.clone()) && are_same(&global, &global.clone()));
            externs.extend([func.into(), memory.into(), table.into(), wasmi::Extern::from(global)]);
        }
        identities.extend(externs.iter().map(Identity::of));
        externs.len()
    }

    #[test]
    fn distinct_things_have_distinct_identities() {
        let engine = wasmi::Engine::default();
        let mut identities = BTreeSet::new();
        let mut stores = [(); 2].map(|()| wasmi::Store::new(&engine, ()));
        let made: usize = stores.iter_mut().map(|store| make(store, &mut identities)).sum();
        assert_eq!((made, identities.len()), (16, 16), "{identities:?}");
    }

    #[test]
    fn an_export_is_the_same_by_each_of_its_names() {
        let text = r#"(module (func $f (export "a") (export "b")) (memory (export "m") (export "n") 1))"#;
        let engine = wasmi::Engine::default();
        let module = wasmi::Module::new(&engine, wat::parse_str(text).unwrap()).unwrap();
        let mut store = wasmi::Store::new(&engine, ());
        let instance = wasmi::Linker::new(&engine).instantiate_and_start(&mut store, &module).unwrap();
        let export = |name| instance.get_export(&store, name).unwrap();
        assert!(are_same(&export("a"), &export("b")) && are_same(&export("m"), &export("n")));
        assert!(!are_same(&export("a"), &export("m")));
    }
}
