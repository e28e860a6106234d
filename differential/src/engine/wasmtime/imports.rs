//! What a module imports from the host.

use wasmtime::{
    Caller, Extern, Func, FuncType, Global, GlobalType, Memory, MemoryType, Mutability, Ref, RefType, Store, Table,
    TableType, Val,
};

use super::convert::{HostTrap, trap, type_of, val, value};
use super::{Data, invoke};
use crate::host::{Action, Change};
use crate::interface::{Import, Kind, Limits};
use crate::value::{Type, Value};

/// Makes what a module imports.
pub fn provide(store: &mut Store<Data>, index: usize, import: &Import) -> wasmtime::Result<Extern> {
    Ok(match &import.kind {
        Kind::Func(signature) => {
            let (params, results) = (signature.params.iter().map(type_of), signature.results.iter().map(type_of));
            let ty = FuncType::new(store.engine(), params, results);
            Extern::Func(Func::new(store, ty, move |mut caller: Caller<'_, Data>, args, results| {
                let args: Vec<_> = args.iter().map(|arg| value((&mut caller).into(), arg)).collect();
                let returned = called(&mut caller, index, &args)?;
                for (slot, result) in results.iter_mut().zip(returned) {
                    *slot = val((&mut caller).into(), result)?;
                }
                Ok(())
            }))
        }
        Kind::Memory(Limits { is_64, minimum, maximum }) => {
            let ty = if *is_64 {
                MemoryType::new64(*minimum, *maximum)
            } else {
                MemoryType::new(*minimum as u32, maximum.map(|pages| pages as u32))
            };
            Extern::Memory(Memory::new(store, ty)?)
        }
        Kind::Table(element, Limits { is_64, minimum, maximum }) => {
            let (element, null) = match element {
                Type::Func => (RefType::FUNCREF, Ref::Func(None)),
                _ => (RefType::EXTERNREF, Ref::Extern(None)),
            };
            let ty = if *is_64 {
                TableType::new64(element, *minimum, *maximum)
            } else {
                TableType::new(element, *minimum as u32, maximum.map(|elements| elements as u32))
            };
            Extern::Table(Table::new(store, ty, null)?)
        }
        Kind::Global { ty, mutable } => {
            let initial = val((&mut *store).into(), crate::plan::initial(*ty, import))?;
            let mutability = if *mutable { Mutability::Var } else { Mutability::Const };
            Extern::Global(Global::new(store, GlobalType::new(type_of(ty), mutability), initial)?)
        }
    })
}

fn called(caller: &mut Caller<'_, Data>, import: usize, args: &[Value]) -> wasmtime::Result<Vec<Value>> {
    let interface = caller.data().interface.clone();
    let ready = !caller.data().funcs.is_empty();
    let mut action = caller.data_mut().host.called(&interface, import, args, ready);
    loop {
        match action {
            Action::Return(values) => return Ok(values),
            Action::Trap(trap) => return Err(wasmtime::Error::new(HostTrap(trap))),
            Action::Call(index, args) => {
                let func = caller.data().funcs.get(index).copied();
                let signature = interface.funcs().nth(index).map(|(_, ty)| ty.clone());
                let (Some(func), Some(signature)) = (func, signature) else {
                    return Err(wasmtime::Error::msg("no such export"));
                };
                let result = invoke((&mut *caller).into(), func, &signature, &args).map_err(|error| trap(&error));
                action = caller.data_mut().host.returned(&interface, import, result);
            }
            Action::Change(change) => {
                apply(caller, change)?;
                action = caller.data_mut().host.changed(&interface, import);
            }
        }
    }
}

/// Changes an export. A change that is not possible is left out, in all engines alike.
fn apply(caller: &mut Caller<'_, Data>, change: Change) -> wasmtime::Result<()> {
    let export = |caller: &Caller<'_, Data>, index: usize| caller.data().exports.get(index).cloned();
    match change {
        Change::Byte(index, at, byte) => {
            let Some(Extern::Memory(memory)) = export(caller, index) else { return Ok(()) };
            _ = memory.write(caller, at as usize, &[byte]);
        }
        Change::Grow(index) => {
            let Some(Extern::Memory(memory)) = export(caller, index) else { return Ok(()) };
            _ = memory.grow(caller, 1);
        }
        Change::Global(index, value) => {
            let Some(Extern::Global(global)) = export(caller, index) else { return Ok(()) };
            let val = val((&mut *caller).into(), value)?;
            _ = global.set(caller, val);
        }
        Change::Element(index, at, value) => {
            let Some(Extern::Table(table)) = export(caller, index) else { return Ok(()) };
            let element = match val((&mut *caller).into(), value)? {
                Val::FuncRef(func) => Ref::Func(func),
                Val::ExternRef(object) => Ref::Extern(object),
                _ => return Ok(()),
            };
            _ = table.set(caller, at, element);
        }
    }
    Ok(())
}
