//! `wasm.Table`: a table of references.

use starlark::any::ProvidesStaticType;
use starlark::environment::{Methods, MethodsBuilder};
use starlark::values::none::NoneOr;
use starlark::values::{Heap, StarlarkValue, Value, ValueLike, ValueOfUnchecked, starlark_value};
use starlark::{starlark_complex_value, starlark_module};
use wasmi::{AsContextMut, Ref, RefType, TableType, Val, ValType};

use super::convert;
use super::function::{to_starlark, to_wasm};
use super::handle::handle;
use super::identity::are_same;
use super::store_ref::{LiveStore, StoreRef};
use crate::budget;
use crate::error::{Error, Limit};

handle! { TableGen as Table { table: wasmi::Table } prints "<wasm.Table>" }

/// The maximum number of elements of a table with 32-bit indices.
const MAX_ELEMENTS: u64 = u32::MAX as u64;

/// Refuses a maximum of a 64-bit table that a 32-bit host cannot represent: wasmi makes no such table there.
pub(crate) fn check_maximum(maximum: u64) -> Result<(), String> {
    match usize::try_from(maximum) {
        Ok(_) => Ok(()),
        Err(_) => Err(format!("a table's maximum may be at most {} elements on this host, got {maximum}", usize::MAX)),
    }
}

impl<'v> Table<'v> {
    /// Makes a table of null references for a script.
    pub(crate) fn make(
        store: Value<'v>,
        initial: Value<'v>,
        maximum: Option<Value<'v>>,
        element: &str,
        is_64: bool,
    ) -> Result<Self, Error> {
        let store = LiveStore::new(store)?;
        let initial = convert::size(initial, "initial")?;
        let maximum = maximum.map(|m| convert::size(m, "maximum")).transpose()?;
        let element = match element {
            "funcref" => RefType::Func,
            "externref" => RefType::Extern,
            other => return Err(Error::value(format!("`type` must be \"funcref\" or \"externref\", got \"{other}\""))),
        };
        if let Some(maximum) = maximum.filter(|m| *m < initial) {
            return Err(Error::value(format!("`maximum` ({maximum}) is less than `initial` ({initial})")));
        }
        let ty = if is_64 {
            TableType::new64(element, initial, maximum)
        } else {
            let narrow = |n: u64| {
                u32::try_from(n)
                    .map_err(|_| Error::value(format!("a table may have at most 4294967295 elements, got {n}")))
            };
            TableType::new(element, narrow(initial)?, maximum.map(narrow).transpose()?)
        };
        check_maximum(maximum.unwrap_or(0)).map_err(Error::value)?;
        let limit = store.evaluation.as_ref().engine.limits().table_elements;
        // Checked here as well as by the limiter: a 32-bit host may not be able to address that many.
        let table = match store.with(|context| {
            if initial > limit { None } else { Some(wasmi::Table::new(context, ty, Ref::null(element))) }
        })? {
            Some(Ok(table)) => table,
            Some(Err(error)) if budget::denied(&error).is_none() => {
                return Err(Error::value(format!("cannot make a table of {initial} elements: {error}")));
            }
            _ => {
                return Err(Error::limit(
                    Limit::TableElements,
                    format!(
                        "cannot make a table of {initial} elements: the sandbox's limit `table_elements` is {limit} for all tables together"
                    ),
                ));
            }
        };
        Ok(Self { owner: store.to_ref(), table })
    }

    fn ty(&self) -> Result<TableType, Error> {
        self.owner.store()?.with(|context| self.table.ty(&context))
    }

    fn len(&self) -> Result<u64, Error> {
        self.owner.store()?.with(|context| self.table.size(&context))
    }

    fn get(&self, index: u64, heap: Heap<'v>) -> Result<Value<'v>, Error> {
        let store = self.owner.store()?;
        match store.with(|context| self.table.get(&context, index))? {
            Some(reference) => to_starlark(&Val::from(reference), store, heap),
            None => Err(self.out_of_range(index)?),
        }
    }

    fn set(&self, index: u64, value: Value<'v>) -> Result<(), Error> {
        let store = self.owner.store()?;
        let reference = self.reference(store, value)?;
        match store.with(|context| self.table.set(context, index, reference))? {
            Ok(()) => Ok(()),
            Err(_) => Err(self.out_of_range(index)?),
        }
    }

    fn grow(&self, by: u64, init: Value<'v>) -> Result<u64, Error> {
        let store = self.owner.store()?;
        let init = self.reference(store, init)?;
        let (size, ty) = store.with(|context| (self.table.size(&context), self.table.ty(&context)))?;
        let refuse = |why: String| format!("cannot grow a table of {size} elements by {by}: {why}");
        let most = ty.maximum().unwrap_or(if ty.is_64() { u64::MAX } else { MAX_ELEMENTS });
        if size.checked_add(by).is_none_or(|wanted| wanted > most) {
            return Err(Error::value(refuse(match ty.maximum() {
                Some(maximum) => format!("its maximum is {maximum}"),
                None => "a table cannot be that large".to_owned(),
            })));
        }
        let limit = store.evaluation.as_ref().engine.limits().table_elements;
        let too_many = || {
            let why = format!("the sandbox's limit `table_elements` is {limit} for all tables together");
            Error::limit(Limit::TableElements, refuse(why))
        };
        // Checked before wasmi asks the limiter, since its error does not say who refused, and a
        // 32-bit host cannot count so far.
        if by > store.with(|context| context.data().limiter.table_room())? {
            return Err(too_many());
        }
        let grown = store.with(|mut context| self.table.grow(context.as_context_mut(), by, init))?;
        grown.map_err(|error| Error::value(refuse(error.to_string())))
    }

    fn reference(&self, store: LiveStore<'v>, value: Value<'v>) -> Result<Ref, Error> {
        let ty = match store.with(|context| self.table.ty(&context))?.element() {
            RefType::Func => ValType::FuncRef,
            RefType::Extern => ValType::ExternRef,
        };
        let val = to_wasm(value, ty, store).map_err(|expected| {
            Error::value(format!("an element of this table must be {expected}, got {}", convert::describe(value)))
        })?;
        match val {
            Val::FuncRef(reference) => Ok(reference.into()),
            Val::ExternRef(reference) => Ok(reference.into()),
            _ => Err(Error::value("an element of a table must be a reference")),
        }
    }

    fn out_of_range(&self, index: u64) -> Result<Error, Error> {
        Ok(Error::value(format!("table index {index} is out of range: the table has {} elements", self.len()?)))
    }
}

starlark::methods_static!(TABLE = table_methods);

/// A table of references: functions, or any values. `t[i]` and `t[i] = f` get and set.
#[starlark_module]
fn table_methods(builder: &mut MethodsBuilder) {
    /// Grows the table by `by` elements, all `init`, and returns its previous size.
    fn grow<'v>(
        this: &Table<'v>,
        #[starlark(require = pos)] by: ValueOfUnchecked<'v, i64>,
        #[starlark(default = NoneOr::None)] init: NoneOr<Value<'v>>,
    ) -> starlark::Result<u64> {
        let by = convert::size(by.get(), "by")?;
        Ok(this.grow(by, init.into_option().unwrap_or_else(Value::new_none))?)
    }

    /// The maximum number of elements in the table's type, or `None`.
    #[starlark(attribute)]
    fn maximum<'v>(this: &Table<'v>) -> starlark::Result<NoneOr<u64>> {
        Ok(NoneOr::from_option(this.ty()?.maximum()))
    }

    /// The type of the elements: `"funcref"` or `"externref"`.
    #[starlark(attribute)]
    fn r#type<'v>(this: &Table<'v>) -> starlark::Result<&'static str> {
        Ok(match this.ty()?.element() {
            RefType::Func => "funcref",
            RefType::Extern => "externref",
        })
    }
}

#[starlark_value(type = "wasm.Table")]
impl<'v, V: ValueLike<'v>> StarlarkValue<'v> for TableGen<V>
where
    Self: ProvidesStaticType<'v>,
{
    type Canonical = FrozenTable;

    fn get_methods() -> Option<&'static Methods> {
        Some(TABLE.methods())
    }

    fn length(&self) -> starlark::Result<i32> {
        let size = Table { owner: self.owner.to_store_ref(), table: self.table }.len()?;
        i32::try_from(size)
            .map_err(|_| Error::value(format!("the table has {size} elements, more than len() can return")).into())
    }

    fn at(&self, index: Value<'v>, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        let index = convert::size(index, "index")?;
        Ok(Table { owner: self.owner.to_store_ref(), table: self.table }.get(index, heap)?)
    }

    fn set_at(&self, index: Value<'v>, value: Value<'v>) -> starlark::Result<()> {
        let index = convert::size(index, "index")?;
        Ok(Table { owner: self.owner.to_store_ref(), table: self.table }.set(index, value)?)
    }

    fn equals(&self, other: Value<'v>) -> starlark::Result<bool> {
        Ok(Table::from_value(other).is_some_and(|other| {
            other.owner.to_value().ptr_eq(self.owner.to_value()) && are_same(&other.table, &self.table)
        }))
    }
}
