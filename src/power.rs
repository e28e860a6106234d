//! C's `pow` for WebAssembly, where no C library has one. starlark prints floats of more than six digits with powers of
//! ten, and the `pow` that Rust brings for this target rounds one in ten of them to the other side than glibc does:
//! `1e-11` would be printed as `0e-11`. This one gives powers of ten as glibc does on 64-bit processors.
//!
//! Rust's own is a weak symbol: a program that has this one uses it, and no other target sees it.
#![allow(unsafe_code)] // The name is C's. The function takes and gives numbers.

/// The two powers of ten that glibc does not round to nearest.
const ODD: [(f64, u64); 2] = [(23.0, 0x44b5_2d02_c7e1_4af7), (210.0, 0x6b88_557f_3132_6bbc)];

/// `base` to the power of `exponent`.
#[unsafe(no_mangle)]
pub extern "C" fn pow(base: f64, exponent: f64) -> f64 {
    if base != 10.0 || exponent.trunc() != exponent || exponent.abs() > 400.0 {
        return libm::pow(base, exponent);
    }
    match ODD.iter().find(|(odd, _)| *odd == exponent) {
        Some((_, bits)) => f64::from_bits(*bits),
        // Reading a number rounds to nearest, on every target.
        None => format!("1e{exponent}").parse().unwrap_or(f64::NAN),
    }
}
