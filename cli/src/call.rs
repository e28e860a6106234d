//! `wasmlark call`.

use std::io::Write;

use wasmlark::{Crossing, Error, Int, Sandbox, Session, Value};

use crate::trace::Trace;
use crate::{args, exit, interrupt, profile, read, session, streams};

/// What calls the export. WASI is there for a module that imports it, as `wasmlark wasi` has it without options.
const SCRIPT: &str = r#"
module = wasm.Module(argv[0])
wants_wasi = [i for i in module.imports if i.module == "wasi_snapshot_preview1"]
machine = wasm.wasi() if wants_wasi else None
instance = wasm.instantiate(module, wasi = machine)
if "_initialize" in instance.exports:
    instance.initialize()

def kind(name):
    return type(instance.exports[name])

def params(name):
    return instance.exports[name].params

def signature(name):
    return repr(instance.exports[name]).removeprefix("<wasm.Function ").removesuffix(">")

def call(name, args):
    return instance.exports[name](*args)

def written():
    return [machine.stdout, machine.stderr] if machine else []
"#;

/// Calls an export, or a function of a session, and returns the exit status.
pub fn run(options: args::CallArguments) -> u8 {
    match &options.session {
        Some(session) => session::call(session, &options),
        None => call_export(options),
    }
}

fn call_export(options: args::CallArguments) -> u8 {
    let [file, name, arguments @ ..] = &options.command[..] else {
        eprintln!("error: which function of the module? the arguments are FILE NAME ARG…");
        return exit::USAGE;
    };
    let (file, bytes) = match read::module(file) {
        Ok(read) => read,
        Err(message) => return exit::fail(&message),
    };
    // By its name a module is known to be in the text format.
    let is_text = std::str::from_utf8(&bytes).is_ok_and(|text| text.trim_start().starts_with(['(', ';']));
    let module = if is_text { "module.wat" } else { "module.wasm" };
    let trace = match options.records.trace.as_deref().map(Trace::create).transpose() {
        Ok(trace) => trace,
        Err(message) => return exit::fail(&message),
    };
    let pauses = interrupt::should_pause(&options.limits.0, options.timeout);
    let has_profile = options.guests.profile.is_some();
    let sandbox = Sandbox::new().interruptible(pauses).backtrace(options.guests.backtrace).profile(has_profile);
    let mut sandbox = sandbox.limits(options.limits.0).args([module]);
    if let Some(trace) = trace.clone() {
        sandbox = sandbox.observer(move |crossing: &Crossing<'_>| trace.add(crossing));
    }
    sandbox.file(module, bytes);
    interrupt::watch(sandbox.interrupt(), options.timeout);
    let mut spent = None;
    let (stats, result) = match sandbox.load("call.star", SCRIPT) {
        Ok(mut session) => {
            let result = call(&mut session, name, arguments);
            spent = session.profile();
            (Some(session.stats()), result)
        }
        Err(error) => (None, Err(error.into())),
    };
    interrupt::is_over();
    if let Some(stats) = stats.filter(|_| options.records.stats) {
        exit::print_stats(&stats, false);
    }
    let written = options.guests.profile.map_or(Ok(()), |file| profile::write(&file, spent.as_ref()));
    let status = match result {
        Ok(()) => written.map_or_else(|message| exit::fail(&message), |()| exit::DONE),
        Err(Failure::Usage(message)) => {
            eprintln!("error: {file}: {message}");
            exit::USAGE
        }
        Err(Failure::Run(error)) => {
            // The report would show the script above, which nobody wrote who sees it.
            eprintln!("error: {file}: {}", error.message());
            error.guest_note().inspect(|note| eprintln!("{note}"));
            // As systems do: the low eight bits.
            error.exit_code().map_or_else(|| exit::status(&error), |code| code.to_le_bytes()[0])
        }
        Err(Failure::Output(error)) => exit::fail(&format!("cannot write the results: {error}")),
    };
    exit::traced(trace.as_ref(), status)
}

/// Why a call gave no results.
enum Failure {
    /// Arguments that do not fit the function.
    Usage(String),
    Run(Error),
    Output(std::io::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Run(error)
    }
}

fn call(session: &mut Session, name: &str, args: &[String]) -> Result<(), Failure> {
    let named = [Value::from(name)];
    let kind = session.call_values("kind", &named)?;
    let kind = kind.as_str().unwrap_or_default();
    if kind != "wasm.Function" {
        return Err(Failure::Usage(format!("`{name}` is exported as a {kind}, not as a function")));
    }
    let params = session.call_values("params", &named)?;
    let params: Vec<&str> = params.as_slice().unwrap_or_default().iter().filter_map(Value::as_str).collect();
    if params.len() != args.len() {
        let signature = session.call_values("signature", &named)?;
        let signature = signature.as_str().unwrap_or(name);
        return Err(Failure::Usage(format!(
            "{signature} takes {} argument{}, not {}",
            params.len(),
            if params.len() == 1 { "" } else { "s" },
            args.len()
        )));
    }
    let values = params.iter().zip(args).enumerate();
    let values = values
        .map(|(index, (ty, text))| argument(ty, text).map_err(|why| format!("argument {}: {why}", index + 1)))
        .collect::<Result<Vec<_>, _>>()
        .map_err(Failure::Usage)?;
    let result = session.call_values("call", &[Value::from(name), Value::List(values)]);
    // What the guest wrote before a trap helps to understand it.
    if let Ok(written) = session.call_values("written", &[]) {
        let [stdout, stderr] = [0, 1].map(|index| written.as_slice().and_then(|both| both.get(index)?.as_bytes()));
        streams::print(stdout.unwrap_or_default()).map_err(Failure::Output)?;
        std::io::stderr().write_all(stderr.unwrap_or_default()).map_err(Failure::Output)?;
    }
    let text = match result? {
        Value::None => String::new(),
        Value::Tuple(results) => results.iter().map(|result| format!("{}\n", shown(result))).collect(),
        result => format!("{}\n", shown(&result)),
    };
    streams::print(text.as_bytes()).map_err(Failure::Output)
}

/// A result on a line of its own, in the form in which an argument is given.
fn shown(result: &Value) -> String {
    match result {
        Value::Bytes(lanes) => {
            format!("0x{}", lanes.iter().rev().map(|byte| format!("{byte:02x}")).collect::<String>())
        }
        other => other.to_string(),
    }
}

/// Reads an argument of a WebAssembly type: ints in decimal, or in hexadecimal after `0x`; floats as Rust writes them;
/// a vector as the hexadecimal number whose lowest byte is the first lane's.
fn argument(ty: &str, text: &str) -> Result<Value, String> {
    match ty {
        "i32" => int(text, i128::from(i32::MIN), i128::from(u32::MAX)),
        "i64" => int(text, i128::from(i64::MIN), i128::from(u64::MAX)),
        "f32" | "f64" => text
            .parse::<f64>()
            .map(Value::Float)
            .map_err(|_| format!("`{text}` is not a float, such as 1.5, -2e10 or inf")),
        "v128" => {
            let number = text.strip_prefix("0x").and_then(|digits| u128::from_str_radix(digits, 16).ok());
            let number = number.ok_or_else(|| format!("`{text}` is not a vector: 0x and at most 32 digits"))?;
            Ok(Value::Bytes(number.to_le_bytes().to_vec()))
        }
        reference if text == "null" && reference.ends_with("ref") => Ok(Value::None),
        "externref" => Err("an externref can only be given as `null`; use a script for others".to_owned()),
        reference => Err(format!("a {reference} can only be given as `null`; use a script for others")),
    }
}

fn int(text: &str, least: i128, most: i128) -> Result<Value, String> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let number = match digits.strip_prefix("0x") {
        Some(digits) if !digits.starts_with(['+', '-']) => i128::from_str_radix(digits, 16),
        _ if digits.starts_with(['+', '-']) => "".parse(),
        _ => digits.parse(),
    };
    let number = number.ok().and_then(|number| number.checked_mul(sign));
    match number {
        Some(number) if (least..=most).contains(&number) => Ok(Value::Int(Int::from(number))),
        Some(_) => Err(format!("{text} is out of range: {least} to {most}")),
        None => Err(format!("`{text}` is not an int, such as 42, -1 or 0xff")),
    }
}
