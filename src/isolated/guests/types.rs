//! Types, as the core has them: see `request`.

use wasmi::{ExternType, FuncType, MemoryType, TableType, ValType};

use super::request::{Signature, Sizes, Type};
use super::slot::{number, ref_type, value_type};
use super::unknown;
use crate::module;

pub(super) fn func_type(signature: &Signature) -> Result<FuncType, wasmi::Error> {
    let types = |all: &[u8]| all.iter().map(|ty| value_type(*ty)).collect::<Option<Vec<ValType>>>();
    match (types(&signature.params), types(&signature.results)) {
        // wasmi panics at more.
        (Some(params), Some(results)) if params.len() <= 1000 && results.len() <= 1000 => {
            Ok(FuncType::new(params, results))
        }
        _ => Err(unknown()),
    }
}

pub(super) fn memory_type(Sizes { is_64, minimum, maximum }: Sizes) -> Result<MemoryType, wasmi::Error> {
    let mut ty = MemoryType::builder();
    ty.memory64(is_64).min(minimum).max(maximum.map(module::clip_memory_maximum));
    Ok(ty.build()?)
}

pub(super) fn table_type(element: u8, Sizes { is_64, minimum, maximum }: Sizes) -> Result<TableType, wasmi::Error> {
    // wasmi panics at such a type.
    if maximum.is_some_and(|maximum| maximum < minimum) {
        return Err(unknown());
    }
    Ok(match (is_64, u32::try_from(minimum), maximum.map(u32::try_from).transpose()) {
        (false, Ok(minimum), Ok(maximum)) => TableType::new(ref_type(element), minimum, maximum),
        _ => TableType::new64(ref_type(element), minimum, maximum),
    })
}

impl Type {
    pub(super) fn of(ty: &ExternType) -> Self {
        let types = |all: &[ValType]| all.iter().map(|ty| number(*ty)).collect();
        match ty {
            ExternType::Func(ty) => Self::Func(Signature { params: types(ty.params()), results: types(ty.results()) }),
            ExternType::Memory(ty) => {
                Self::Memory(Sizes { is_64: ty.is_64(), minimum: ty.minimum(), maximum: ty.maximum() })
            }
            ExternType::Table(ty) => {
                let sizes = Sizes { is_64: ty.is_64(), minimum: ty.minimum(), maximum: ty.maximum() };
                Self::Table(number(ty.element().into()), sizes)
            }
            ExternType::Global(ty) => Self::Global(number(ty.content()), ty.mutability().is_mut()),
        }
    }
}
