//! The builtins that every script of a sandbox has.

use starlark::environment::{GlobalsBuilder, LibraryExtension};

use crate::api::data;
use crate::globals::globals;
use crate::lang::compat;

/// Begins the globals of a sandbox: nothing in them tells of the host, or of addresses.
pub(crate) fn builtins() -> GlobalsBuilder {
    use LibraryExtension as L;
    let extensions = [
        L::StructType,
        L::RecordType,
        L::EnumType,
        L::NamespaceType,
        L::Map,
        L::Filter,
        L::Partial,
        L::Print,
        L::Pprint,
        L::Pstr,
        L::Prepr,
        L::Json,
        L::Typing,
        L::SetType,
    ];
    GlobalsBuilder::extended_by(&extensions).with(globals).with(data::functions).with(compat::globals)
}
