//! A module that leaves a mark in many slots of the value stack.

use std::sync::LazyLock;

use wasm_encoder::{CodeSection, ExportKind, ExportSection, Function, FunctionSection, Module, TypeSection, ValType};

pub const NAME: &str = "mark";
const SLOTS: u32 = 150;

/// Returns the bytes of the module. It exports one function, without parameters.
pub fn module() -> &'static [u8] {
    static BYTES: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let mut types = TypeSection::new();
        types.ty().function([], []);
        let mut functions = FunctionSection::new();
        functions.function(0);
        let mut exports = ExportSection::new();
        exports.export(NAME, ExportKind::Func, 0);
        let mut function = Function::new([(SLOTS, ValType::I64)]);
        for slot in 0..SLOTS {
            function.instructions().i64_const(0x7777_7777_7777_7777 - i64::from(slot)).local_set(slot);
        }
        function.instructions().end();
        let mut code = CodeSection::new();
        code.function(&function);
        Module::new().section(&types).section(&functions).section(&exports).section(&code).clone().finish()
    });
    &BYTES
}
