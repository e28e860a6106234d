//! What static libraries for iOS import from the system, which must not include any way to executable memory.
//!
//! `cargo test --test symbols -- LIBRARY.a …`. Every symbol that a library refers to and does not define must be listed
//! in `ios_symbols.txt`, so that someone looks at each new one. In the code, calls of `mmap` and `mprotect` must pass a
//! constant protection without `PROT_EXEC`. Prints `symbols: N passed, N failed, N skipped`.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use object::read::archive::ArchiveFile;
use object::{File, Object, ObjectSection, ObjectSymbol, RelocationTarget};

const ALLOWED: &str = include_str!("ios_symbols.txt");
/// Symbols that give executable memory, which the list cannot allow.
const FORBIDDEN: &[&str] = &[
    "_pthread_jit_",
    "_sys_icache_invalidate",
    "_vm_protect",
    "_mach_vm_protect",
    "_mach_vm_remap",
    "_vm_remap",
    "_dlopen",
];
/// Calls whose third argument is a protection.
const PROTECTED: &[&str] = &["_mmap", "_mprotect"];
const PROT_EXEC: u32 = 4;

fn main() -> ExitCode {
    decoder_works();
    let libraries: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let mut failed = 0;
    for path in &libraries {
        let problems = std::fs::read(path).map_or_else(|error| vec![error.to_string()], |data| check(&data));
        for problem in &problems {
            println!("{path}: {problem}");
        }
        failed += usize::from(!problems.is_empty());
    }
    println!("symbols: {} passed, {failed} failed, 0 skipped", libraries.len() - failed);
    if libraries.is_empty() {
        println!("no library given: cargo test --test symbols -- LIBRARY.a …");
    }
    ExitCode::from(u8::from(failed > 0 || libraries.is_empty()))
}

fn check(data: &[u8]) -> Vec<String> {
    let allowed: BTreeSet<&str> = ALLOWED.lines().filter(|line| line.starts_with('_')).collect();
    let mut problems = Vec::new();
    let mut defined = BTreeSet::new();
    let mut wanted = BTreeMap::new();
    let mut calls = 0;
    let archive = ArchiveFile::parse(data).expect("a static library");
    for member in archive.members() {
        let member = member.expect("a member");
        let name = String::from_utf8_lossy(member.name()).into_owned();
        let bytes = member.data(data).expect("its bytes");
        // An archive may also hold Rust's metadata.
        let Ok(file) = File::parse(bytes) else { continue };
        for symbol in file.symbols() {
            let Ok(symbol_name) = symbol.name() else { continue };
            if symbol.is_undefined() {
                wanted.entry(symbol_name.to_owned()).or_insert_with(|| name.clone());
            } else if symbol.is_global() {
                defined.insert(symbol_name.to_owned());
            }
        }
        calls += protections(&file, &name, &mut problems);
    }
    let outside: Vec<_> = wanted.iter().filter(|(symbol, _)| !defined.contains(*symbol)).collect();
    println!("{} undefined symbols, {calls} calls of mmap and mprotect checked", outside.len());
    if outside.len() < 20 {
        problems.push("fewer than 20 undefined symbols: is this a library for iOS?".to_owned());
    }
    // The linker defines the bounds of the library's sections.
    for (symbol, member) in outside.into_iter().filter(|(symbol, _)| !symbol.starts_with("section$")) {
        if FORBIDDEN.iter().any(|start| symbol.starts_with(start)) {
            problems.push(format!("{symbol}, in {member}, is a way to executable memory"));
        } else if !allowed.contains(symbol.as_str()) {
            problems.push(format!("{symbol}, in {member}, is not in tests/targets/ios_symbols.txt: what does it do?"));
        }
    }
    problems
}

/// Checks each call of a function that takes a protection, and returns the number of calls.
fn protections(file: &File<'_>, member: &str, problems: &mut Vec<String>) -> usize {
    let mut calls = 0;
    for section in file.sections() {
        let Ok(code) = section.data() else { continue };
        for (at, relocation) in section.relocations() {
            let RelocationTarget::Symbol(index) = relocation.target() else { continue };
            let Ok(name) = file.symbol_by_index(index).and_then(|symbol| symbol.name().map(str::to_owned)) else {
                continue;
            };
            if !PROTECTED.contains(&name.as_str()) {
                continue;
            }
            calls += 1;
            match third_argument(code, at as usize) {
                Some(protection) if protection & PROT_EXEC == 0 => {}
                Some(protection) => {
                    problems.push(format!("{name} in {member} at {at:#x} asks for protection {protection}"))
                }
                None => problems.push(format!("{name} in {member} at {at:#x}: its protection is not a constant")),
            }
        }
    }
    calls
}

/// Returns the constant that the instructions before a call put into `w2`, the third argument.
fn third_argument(code: &[u8], call: usize) -> Option<u32> {
    const LOOK_BACK: usize = 24;
    (1..=LOOK_BACK).find_map(|back| {
        let start = call.checked_sub(4 * back)?;
        let word = u32::from_le_bytes(code.get(start..start + 4)?.try_into().ok()?);
        match word & 0xffe0_001f {
            0x5280_0002 => Some(word >> 5 & 0xffff),              // movz w2, #imm
            0x2a00_0002 if word >> 16 & 31 == 31 => Some(0),      // mov w2, wzr
            0x3200_0002 | 0x3220_0002 => logical_immediate(word), // mov w2, #bits
            _ => None,
        }
    })
}

/// Tests the decoder with `mov w2, #5; bl`, with the other encoding of `mov w2, #7`, and with an argument passed on.
fn decoder_works() {
    let argument = |word: u32| third_argument(&[word.to_le_bytes(), 0x9400_0000_u32.to_le_bytes()].concat(), 4);
    assert_eq!([argument(0x5280_00a2), argument(0x3200_0be2), argument(0xaa03_03e4)], [Some(5), Some(7), None]);
}

/// Returns the constant of `orr w2, wzr, #imm`, for runs of ones.
fn logical_immediate(word: u32) -> Option<u32> {
    if word >> 5 & 31 != 31 {
        return None;
    }
    let (rotate, ones) = (word >> 16 & 63, (word >> 10 & 63) + 1);
    (ones < 32).then(|| ((1u32 << ones) - 1).rotate_right(rotate & 31))
}
