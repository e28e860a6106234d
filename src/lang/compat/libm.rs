//! `log10` and `pow` for wasm32-unknown-unknown, which has no C library.
//!
//! Upstream: starlark prints floats using `log10` and `pow(10, exponent)`. Rust's versions for this
//! target are off by a unit in the last place at powers of ten, where it shows: `1e-283` would be
//! printed as `0e-283`. These are exact at powers of ten, like those of other targets; everywhere
//! else they are the crate libm's. The linker prefers them to Rust's.
//!
//! Upstream change: none known.
//!
//! Remove when: starlark formats floats without functions of the C library, or Rust's are exact at powers of ten.
#![allow(unsafe_code)] // The names of the C library.

/// Computes `log10` of C: for x = m · 2ⁿ, n · log₁₀ 2 + ln m / ln 10, with m around 1 and log₁₀ 2 in two parts, so that
/// the errors stay below the last place of the result if that is a whole number.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub(crate) extern "C" fn log10(x: f64) -> f64 {
    /// 32 bits of log₁₀ 2, so that a product with n is exact, and the rest.
    const LOG10_2: (f64, f64) = (f64::from_bits(0x3fd3_4413_509f_6000), f64::from_bits(0x3d59_fef3_11f1_2b36));
    if !x.is_normal() || x < 0.0 {
        return ::libm::log10(x);
    }
    let (mut m, mut n) = ::libm::frexp(x); // m from 0.5 to 1
    if n >= 1 {
        (m, n) = (2.0 * m, n - 1);
    }
    let n = f64::from(n);
    n * LOG10_2.1 + std::f64::consts::LOG10_E * ::libm::log(m) + n * LOG10_2.0
}

/// Computes `pow` of C.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub(crate) extern "C" fn pow(x: f64, y: f64) -> f64 {
    match (x == 10.0).then(|| power_of_ten(y)).flatten() {
        // The C libraries that this follows round these two, which are halfway, up.
        Some(power) if y == 23.0 || y == 210.0 => power.next_up(),
        Some(power) => power,
        None => ::libm::pow(x, y),
    }
}

/// Returns the float nearest to ten to the power of a whole number, as far as those have all their digits.
fn power_of_ten(exponent: f64) -> Option<f64> {
    let whole = exponent as i32;
    if f64::from(whole) != exponent || !(-307..=308).contains(&whole) {
        return None;
    }
    format!("1e{whole}").parse().ok()
}

#[cfg(test)]
mod tests {
    /// On Linux with the GNU C library, which these follow.
    #[test]
    #[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
    fn as_the_c_library_near_powers_of_ten() {
        let fused = std::arch::is_x86_feature_detected!("fma");
        for exponent in -307..=308 {
            let power: f64 = format!("1e{exponent}").parse().unwrap_or_default();
            // Without fused multiplication, the C library rounds one more of them the other way.
            if fused || exponent != 126 {
                assert_eq!(
                    super::pow(10.0, exponent.into()),
                    std::hint::black_box(10f64).powf(exponent.into()),
                    "{exponent}"
                );
            }
            for ulps in -30..=30 {
                let x = f64::from_bits(power.to_bits().wrapping_add_signed(ulps));
                assert_eq!(
                    super::log10(x).floor(),
                    std::hint::black_box(x).log10().floor(),
                    "1e{exponent} and {ulps} ulps"
                );
            }
        }
    }

    #[test]
    fn odd_arguments() {
        assert!(super::log10(f64::NAN).is_nan() && super::log10(-1.0).is_nan());
        assert_eq!((super::log10(f64::INFINITY), super::log10(0.0)), (f64::INFINITY, f64::NEG_INFINITY));
        assert_eq!((super::pow(10.0, 400.0), super::pow(10.0, -400.0)), (f64::INFINITY, 0.0));
        assert_eq!((super::pow(10.0, 0.5), super::pow(2.0, 3.0)), (10f64.sqrt(), 8.0));
        assert!(super::pow(10.0, f64::NAN).is_nan());
    }
}
