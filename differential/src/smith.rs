//! Modules made by wasm-smith.

use std::convert::Infallible;

use anyhow::Result;
use arbitrary::Unstructured;
use wasm_encoder::reencode::{self, Reencode};
use wasm_encoder::{ExportKind, ExportSection};
use wasm_smith::{Config, InstructionKind, InstructionKinds, MemoryOffsetChoices};

use crate::plan::{FUEL, FUEL_EXPORT};
use crate::random::Random;

/// Makes a module in which each feature that all engines support may or may not be present.
pub fn module(random: &mut Random) -> Result<Vec<u8>> {
    let config = config(random);
    let size = 1 << random.within(12, 15);
    let bytes = random.bytes(size);
    let mut module = wasm_smith::Module::new(config, &mut Unstructured::new(&bytes))?;
    // Without a counter of its own, a module ends when the engine's fuel runs out, and no call that does not end is
    // compared; but then no code is inserted at the start of its functions and loops.
    if random.one_in(3) {
        return Ok(module.to_bytes());
    }
    let fuel = module.ensure_termination(FUEL)?;
    let bytes = module.to_bytes();
    let mut out = wasm_encoder::Module::new();
    ExportFuel(fuel).parse_core_module(&mut out, wasmparser::Parser::new(0), &bytes)?;
    Ok(out.finish())
}

fn config(random: &mut Random) -> Config {
    let mut half = || !random.one_in(2);
    let mut config = Config {
        bulk_memory_enabled: half(),
        reference_types_enabled: half(),
        simd_enabled: half(),
        relaxed_simd_enabled: half(),
        tail_call_enabled: half(),
        memory64_enabled: half(),
        wide_arithmetic_enabled: half(),
        extended_const_enabled: half(),
        disallow_traps: half() && half(),
        ..Config::default()
    };
    config.relaxed_simd_enabled &= config.simd_enabled;
    config.multi_value_enabled = true;
    config.export_everything = true;
    config.gc_enabled = false;
    config.exceptions_enabled = false;
    config.threads_enabled = false;
    config.compact_imports_enabled = false;
    config.allow_start_export = random.one_in(4);
    config.max_memory32_bytes = 4 << 16;
    config.max_memory64_bytes = 4 << 16;
    config.max_table_elements = 20;
    config.max_memories = random.within(0, 3) as usize;
    config.max_tables = random.within(0, 3) as usize;
    config.min_types = 2;
    config.max_types = random.within(2, 12) as usize;
    config.min_funcs = 1;
    config.max_funcs = random.within(1, 12) as usize;
    config.max_imports = random.within(0, 6) as usize;
    config.max_globals = random.within(0, 6) as usize;
    config.max_instructions = *random.pick(&[20, 60, 150, 300]);
    config.max_nesting_depth = random.within(2, 10) as usize;
    config.max_data_segments = 3;
    config.max_element_segments = 4;
    config.max_elements = 10;
    config.max_exports = 60;
    // Most addresses should be within a memory.
    config.memory_offset_choices = MemoryOffsetChoices(*random.pick(&[100, 400]), 5, 1);
    if random.one_in(2) {
        config.allowed_instructions = InstructionKinds::new(&some_instructions(random));
    }
    config
}

fn some_instructions(random: &mut Random) -> Vec<InstructionKind> {
    use InstructionKind::*;
    let mut some = vec![Control, Parametric, Variable];
    for kind in [NumericInt, NumericInt, Numeric, VectorInt, Vector, Reference, Table, Memory, Aggregate] {
        if random.one_in(2) {
            some.push(kind);
        }
    }
    some
}

/// Exports the counting global, which was added after everything had been exported.
struct ExportFuel(u32);

impl Reencode for ExportFuel {
    type Error = Infallible;

    fn parse_export_section(
        &mut self,
        exports: &mut ExportSection,
        section: wasmparser::ExportSectionReader<'_>,
    ) -> Result<(), reencode::Error<Infallible>> {
        reencode::utils::parse_export_section(self, exports, section)?;
        exports.export(FUEL_EXPORT, ExportKind::Global, self.0);
        Ok(())
    }
}
