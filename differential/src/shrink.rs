//! Reduces a module in which the engines differ.

use std::convert::Infallible;
use std::path::Path;

use anyhow::Result;
use wasm_encoder::reencode::{Error, Reencode};
use wasm_encoder::{CodeSection, Function, Module};
use wasm_shrink::WasmShrink;
use wasmparser::{FunctionBody, Parser, Payload, Validator, WasmFeatures};

use crate::case::Case;
use crate::parent;
use crate::worker::{Status, Work};

/// The number of unsuccessful changes that wasm-shrink tries in a row.
const ATTEMPTS: u32 = 600;
/// The longest run of instructions that is removed at once.
const LONGEST: usize = 64;

/// Returns the smallest module found that still differs in the same way. `work` tries it with its calls.
pub fn shrink(work: &Work, case: &Case, class: &str, scratch: &Path) -> Result<Vec<u8>> {
    let interesting = |bytes: &[u8]| -> Result<bool> {
        std::fs::write(scratch, bytes)?;
        let tried = parent::one(&Work { file: Some(scratch.to_owned()), ..work.clone() });
        // A module that the harness cannot run is not interesting.
        Ok(tried.is_ok_and(|report| report.status == Status::Differs && report.class == class))
    };
    let mut bytes = case.bytes.clone();
    loop {
        let before = bytes.len();
        let shrink = WasmShrink::default().attempts(ATTEMPTS).allow_empty(false).seed(work.first);
        bytes = shrink.run(bytes, &interesting)?.output;
        bytes = instructions(bytes, &interesting)?;
        if bytes.len() >= before {
            return Ok(bytes);
        }
    }
}

/// Removes runs of instructions, or replaces them by a constant, as long as the module stays valid and interesting.
fn instructions(mut bytes: Vec<u8>, interesting: &dyn Fn(&[u8]) -> Result<bool>) -> Result<Vec<u8>> {
    const STEAD: [&[u8]; 6] =
        [&[], &[0x41, 0], &[0x42, 0], &[0x43, 0, 0, 0, 0], &[0x44, 0, 0, 0, 0, 0, 0, 0, 0], &[0x1a]];
    let mut longest = LONGEST;
    while longest > 0 {
        let mut shrunk = false;
        for function in 0..bodies(&bytes)?.len() {
            let mut at = 0;
            while let Some(body) = bodies(&bytes)?.get(function).filter(|body| at + 1 < body.len()) {
                let mut found = None;
                for length in (1..=longest.min(body.len() - 1 - at)).rev() {
                    let old: usize = body.iter().skip(at).take(length).map(Vec::len).sum();
                    for stead in STEAD.into_iter().filter(|stead| stead.len() < old) {
                        let tried = Cut { function, at, length, stead, next: 0 }.apply(&bytes)?;
                        if is_valid(&tried) && interesting(&tried)? {
                            found = Some(tried);
                            break;
                        }
                    }
                    if found.is_some() {
                        break;
                    }
                }
                match found {
                    Some(smaller) => {
                        bytes = smaller;
                        shrunk = true;
                    }
                    None => at += 1,
                }
            }
        }
        if !shrunk {
            longest /= 4;
        }
    }
    Ok(bytes)
}

fn is_valid(bytes: &[u8]) -> bool {
    Validator::new_with_features(WasmFeatures::all()).validate_all(bytes).is_ok()
}

/// Returns the bytes of the instructions of each function.
fn bodies(bytes: &[u8]) -> Result<Vec<Vec<Vec<u8>>>> {
    let mut bodies = Vec::new();
    for payload in Parser::new(0).parse_all(bytes) {
        if let Payload::CodeSectionEntry(body) = payload? {
            bodies.push(pieces(&body)?);
        }
    }
    Ok(bodies)
}

fn pieces(body: &FunctionBody<'_>) -> wasmparser::Result<Vec<Vec<u8>>> {
    let mut operators = body.get_operators_reader()?.get_binary_reader();
    let mut pieces = Vec::new();
    let mut reader = body.get_operators_reader()?;
    let mut from = reader.original_position();
    while !reader.eof() {
        reader.read()?;
        let to = reader.original_position();
        pieces.push(operators.read_bytes((to - from) as usize)?.to_vec());
        from = to;
    }
    Ok(pieces)
}

/// Replaces a run of a function's instructions.
struct Cut<'a> {
    function: usize,
    at: usize,
    length: usize,
    stead: &'a [u8],
    next: usize,
}

impl Cut<'_> {
    fn apply(mut self, bytes: &[u8]) -> Result<Vec<u8>> {
        let mut module = Module::new();
        self.parse_core_module(&mut module, Parser::new(0), bytes)?;
        Ok(module.finish())
    }
}

impl Reencode for Cut<'_> {
    type Error = Infallible;

    fn parse_function_body(
        &mut self,
        code: &mut CodeSection,
        body: FunctionBody<'_>,
    ) -> Result<(), Error<Self::Error>> {
        let mut function: Function = self.new_function_with_parsed_locals(&body)?;
        let pieces = pieces(&body)?;
        let cut = if self.next == self.function { self.at..self.at + self.length } else { 0..0 };
        for (index, piece) in pieces.into_iter().enumerate() {
            if index == cut.start && !cut.is_empty() {
                function.raw(self.stead.iter().copied());
            }
            if !cut.contains(&index) {
                function.raw(piece);
            }
        }
        code.function(&function);
        self.next += 1;
        Ok(())
    }
}
