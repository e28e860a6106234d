//! Makes `core/bytes/core.wasm.br`: builds `core/guest` for wasm32, notes the hash of the sources in it, and compresses it.
//!
//! `cargo run -p wasmlark-make-core`, in the root of the repository; `rustup target add wasm32-unknown-unknown` comes
//! first. With `--check` it builds nothing, and fails if the bytes that are there were made from other sources.

mod locks;
mod sources;

use std::borrow::Cow;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use wasm_encoder::{CustomSection, Encode, Section};
use wasmparser::{Parser, Payload};

const TARGET: &str = "wasm32-unknown-unknown";

/// The custom section that has the hash of the sources, as lower-case hexadecimal digits.
const SOURCES: &str = "wasmlark-sources";

fn main() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let made = root.join("core/bytes/core.wasm.br");
    locks::agree(&root)?;
    let hash = sources::hash(&root)?;
    match std::env::args().nth(1).as_deref() {
        None => make(&root, &made, &hash),
        Some("--check") => check(&made, &hash),
        Some(other) => bail!("unknown argument `{other}`; there is only `--check`"),
    }
}

fn make(root: &Path, made: &Path, hash: &str) -> Result<()> {
    let module = build(root)?;
    let module = with_hash(&module, hash)?;
    check_state(&module)?;
    let mut compressed = Vec::new();
    let mut writer = brotli::CompressorWriter::new(&mut compressed, 1 << 16, 11, 24);
    writer.write_all(&module)?;
    drop(writer);
    std::fs::write(made, &compressed).with_context(|| made.display().to_string())?;
    println!("{}: {} bytes, {} compressed", made.display(), module.len(), compressed.len());
    Ok(())
}

fn check(made: &Path, hash: &str) -> Result<()> {
    let compressed =
        std::fs::read(made).context("the core was not made: `cargo run -p wasmlark-make-core` makes it")?;
    let mut module = Vec::new();
    brotli::BrotliDecompress(&mut &compressed[..], &mut module)?;
    let noted = custom_section(&module)?.context("the core does not say what it was made from")?;
    ensure!(
        noted == hash.as_bytes(),
        "the core was made from other sources: `cargo run -p wasmlark-make-core` makes it anew"
    );
    println!("the core belongs to the sources");
    Ok(())
}

/// Builds the guest, and returns its module.
fn build(root: &Path) -> Result<Vec<u8>> {
    // In a folder of its own: the cargo that runs this one holds the lock of the other.
    let target: PathBuf = match std::env::var_os("CARGO_TARGET_DIR") {
        Some(target) => Path::new(&target).join("core"),
        None => root.join("target/core"),
    };
    let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--locked", "--profile", "core", "--target", TARGET])
        .env("CARGO_TARGET_DIR", &target)
        .current_dir(root.join("core/guest"))
        .status()?;
    ensure!(status.success(), "the build failed; if {TARGET} is missing, `rustup target add {TARGET}` installs it");
    let module = target.join(TARGET).join("core/wasmlark_core_guest.wasm");
    std::fs::read(&module).with_context(|| module.display().to_string())
}

/// Returns the module without its custom sections, but for one with the hash.
fn with_hash(module: &[u8], hash: &str) -> Result<Vec<u8>> {
    let mut bare = module.get(..8).context("not a module")?.to_vec();
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload?;
        if let Some((id, range)) = payload.as_section()
            && !matches!(payload, Payload::CustomSection(_))
        {
            bare.push(id);
            module.get(range).context("a section beyond the end")?.encode(&mut bare);
        }
    }
    CustomSection { name: SOURCES.into(), data: Cow::Borrowed(hash.as_bytes()) }.append_to(&mut bare);
    Ok(bare)
}

fn custom_section(module: &[u8]) -> Result<Option<Vec<u8>>> {
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::CustomSection(section) = payload?
            && section.name() == SOURCES
        {
            return Ok(Some(section.data().to_vec()));
        }
    }
    Ok(None)
}

/// Checks that all that changes between two orders is in the memory: what is saved of a session is the memory alone.
fn check_state(module: &[u8]) -> Result<()> {
    let (mut variables, mut tables, mut memories) = (0, 0, 0);
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::GlobalSection(globals) => {
                for global in globals {
                    variables += usize::from(global?.ty.mutable);
                }
            }
            Payload::TableSection(section) => tables += section.count(),
            Payload::MemorySection(section) => memories += section.count(),
            Payload::CodeSectionEntry(body) => {
                for operator in body.get_operators_reader()? {
                    use wasmparser::Operator as O;
                    let changes = matches!(
                        operator?,
                        O::TableSet { .. }
                            | O::TableGrow { .. }
                            | O::TableFill { .. }
                            | O::TableCopy { .. }
                            | O::TableInit { .. }
                    );
                    ensure!(!changes, "the core changes a table");
                }
            }
            _ => {}
        }
    }
    // The pointer of the stack, which is where it was when an order has been carried out.
    ensure!(
        variables == 1 && tables <= 1 && memories == 1,
        "the core has state outside of its memory: {variables} {tables}"
    );
    Ok(())
}
