//! The functions with which a script reads and writes data that its application grants.

use std::collections::BTreeSet;

use starlark::environment::GlobalsBuilder;
use starlark::eval::Evaluator;
use starlark::starlark_module;
use starlark::typing::Ty;
use starlark::values::bytes::StarlarkBytes;
use starlark::values::none::NoneType;
use starlark::values::type_repr::StarlarkTypeRepr;
use starlark::values::typing::StarlarkNever;
use starlark::values::{Value, ValueOfUnchecked};

use super::convert;
use super::evaluation::Evaluation;
use crate::data::Stream;
use crate::engine::{Engine, Wanted};
use crate::error::Error;
use crate::glob::Glob;
use crate::lang::compat::ticks;
use crate::lang::names;

/// The number of bytes of data that count a tick.
const BYTES_PER_TICK: u64 = 1024;

/// The maximum length of a pattern in bytes.
const MAX_PATTERN: usize = 1024;

/// Files, standard input and output, and the end of a script.
///
/// Scripts reach nothing of the host except what the application grants. `Sandbox::file`, `Sandbox::loader` and
/// `Sandbox::lister` provide files, `Sandbox::stdin` provides standard input, and `Sandbox::writable` lets a script
/// write files. `wasmlark run` provides the files below `--root`, by default the script's folder, and its own standard
/// input, and lets a script write files below `--out DIR`.
///
/// Each KiB read or written counts a tick. What is read counts against the limit `heap`, and what is written against
/// `output` and `files`.
#[starlark_module]
pub(crate) fn functions(builder: &mut GlobalsBuilder) {
    /// Returns the content of a file. `name` is resolved as in `load`: relative to the root, or to the script if it
    /// begins with `./` or `../`.
    ///
    /// Fails if there is no such file. Files that `write_file` wrote are not found.
    fn read_file<'v>(
        #[starlark(require = pos)] name: &str,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<ValueOfUnchecked<'v, StarlarkBytes>> {
        let name = resolve(name, eval)?;
        let bytes = engine(eval).load(Wanted::File, &name)?;
        deliver(&bytes, "read from a file", eval)
    }

    /// Returns whether there is a file of this name, which is resolved as in `read_file`. A folder is not a file.
    fn file_exists<'v>(
        #[starlark(require = pos)] name: &str,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<bool> {
        let name = resolve(name, eval)?;
        Ok(engine(eval).is_file(&name)?)
    }

    /// Returns the names of the files that match `pattern`, sorted, in the form that `read_file` takes. In a pattern,
    /// `*` stands for any characters except a slash, `?` for one, and a part `**` for any number of folders:
    /// `"data/*.csv"`, `"**/*.wasm"`. A pattern that begins with `./` or `../` is relative to the script.
    ///
    /// Each file and folder visited counts a tick.
    fn list_files<'v>(
        #[starlark(require = pos, default = "**")] pattern: &str,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Vec<String>> {
        if pattern.len() > MAX_PATTERN {
            let length = pattern.len();
            return Err(Error::value(format!(
                "list_files: the pattern has {length} bytes; at most {MAX_PATTERN} are allowed"
            ))
            .into());
        }
        let pattern = resolve(pattern, eval)?;
        list(&Glob::new(&pattern), eval)
    }

    /// Returns all of standard input. A second call fails.
    fn stdin<'v>(eval: &mut Evaluator<'v, '_, '_>) -> starlark::Result<ValueOfUnchecked<'v, StarlarkBytes>> {
        let data = Evaluation::current(eval).as_ref().data.clone();
        let bytes = data.read_stdin()?;
        deliver(&bytes, "read from standard input", eval)
    }

    /// Writes `data`, `bytes` or `str`, to standard output unchanged. `print` adds a line feed, and
    /// loses bytes that are not UTF-8.
    fn write<'v>(
        #[starlark(require = pos)] data: ValueOfUnchecked<'v, BytesOrStr>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<NoneType> {
        put(Stream::Output, data.get(), eval)
    }

    /// Writes `data`, `bytes` or `str`, to standard error unchanged.
    fn write_error<'v>(
        #[starlark(require = pos)] data: ValueOfUnchecked<'v, BytesOrStr>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<NoneType> {
        put(Stream::ErrorOutput, data.get(), eval)
    }

    /// Writes a file with the content `data`, `bytes` or `str`, replacing one that the script wrote under this name
    /// before. `name` is a path with `/`, relative to the output folder.
    ///
    /// The files appear once the script has succeeded, all or none: in `Run::files` of an application, and below the
    /// folder of `--out` on the command line.
    fn write_file<'v>(
        #[starlark(require = pos)] name: &str,
        #[starlark(require = pos)] data: ValueOfUnchecked<'v, BytesOrStr>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<NoneType> {
        let name = names::below_out(name)?;
        let bytes = bytes(data.get(), "write_file")?;
        spend(bytes, eval)?;
        Evaluation::current(eval).as_ref().data.write_file(name, bytes)?;
        Ok(NoneType)
    }

    /// Ends the script, wherever it is called: with success if `code` is 0, the default, otherwise as a failure. `code`
    /// is from 0 to 255, and becomes the exit status of `wasmlark run`. `wasm.attempt` does not catch it.
    fn exit<'v>(#[starlark(require = pos, default = 0)] code: i32) -> starlark::Result<StarlarkNever> {
        Err(match u8::try_from(code) {
            Ok(code) => Error::script_exit(code),
            Err(_) => Error::value(format!("exit: the code must be from 0 to 255, got {code}")),
        }
        .into())
    }
}

/// The type of data to write.
struct BytesOrStr;

impl StarlarkTypeRepr for BytesOrStr {
    type Canonical = Self;

    fn starlark_type_repr() -> Ty {
        Ty::union2(StarlarkBytes::starlark_type_repr(), Ty::string())
    }
}

fn engine<'v>(eval: &Evaluator<'v, '_, '_>) -> Engine {
    Evaluation::current(eval).as_ref().engine.clone()
}

/// Resolves a name in the file that contains the call.
fn resolve(name: &str, eval: &Evaluator<'_, '_, '_>) -> Result<String, Error> {
    let from = eval.call_stack_top_location().map(|location| location.filename().to_owned()).unwrap_or_default();
    names::resolve(&from, name)
}

fn spend(bytes: &[u8], eval: &mut Evaluator<'_, '_, '_>) -> starlark::Result<()> {
    ticks::spend(eval, bytes.len() as u64 / BYTES_PER_TICK)
}

fn deliver<'v>(
    bytes: &[u8],
    what: &str,
    eval: &mut Evaluator<'v, '_, '_>,
) -> starlark::Result<ValueOfUnchecked<'v, StarlarkBytes>> {
    spend(bytes, eval)?;
    Evaluation::current(eval).as_ref().hold(bytes.len() as u64, what)?;
    Ok(ValueOfUnchecked::new(eval.heap().alloc(StarlarkBytes::new(bytes))))
}

fn put<'v>(stream: Stream, data: Value<'v>, eval: &mut Evaluator<'v, '_, '_>) -> starlark::Result<NoneType> {
    let name = if stream == Stream::Output { "write" } else { "write_error" };
    let bytes = bytes(data, name)?;
    spend(bytes, eval)?;
    Evaluation::current(eval).as_ref().data.write(stream, &[bytes], "writes")?;
    Ok(NoneType)
}

/// Returns the bytes of an argument that is `bytes` or `str`.
fn bytes<'v>(data: Value<'v>, function: &str) -> Result<&'v [u8], Error> {
    convert::bytes(data).or_else(|| data.unpack_str().map(str::as_bytes)).ok_or_else(|| {
        Error::value(format!("{function}: `data` must be bytes or str, got {}", convert::describe(data)))
    })
}

fn list(pattern: &Glob<'_>, eval: &mut Evaluator<'_, '_, '_>) -> starlark::Result<Vec<String>> {
    let engine = engine(eval);
    let mut found = BTreeSet::new();
    let mut folders = vec![pattern.folder()];
    while let Some(folder) = folders.pop() {
        let entries = engine.folder(&folder)?;
        ticks::spend(eval, (entries.len() as u64).saturating_add(1))?;
        for entry in entries {
            let (name, is_folder) = entry.strip_suffix('/').map_or((entry.as_str(), false), |name| (name, true));
            // The application lists it, but it is not a valid name.
            if matches!(name, "" | "." | "..") || name.contains(['/', '\\', '\0']) {
                continue;
            }
            let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
            if !is_folder && pattern.matches(&path) {
                found.insert(path);
            } else if is_folder && pattern.reaches(path.split('/').count()) {
                folders.push(path);
            }
        }
    }
    Ok(found.into_iter().collect())
}
