//! `random_get`: pseudo-random bytes from a seed.
//!
//! They come from [SplitMix64], word by word, each little-endian. Word `i`, from 0, is
//!
//! ```text
//! z = seed + (i + 1) * 0x9e3779b97f4a7c15
//! z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9
//! z = (z ^ (z >> 27)) * 0x94d049bb133111eb
//! z ^ (z >> 31)
//! ```
//!
//! modulo 2⁶⁴. The bytes form one stream: it does not matter how a guest divides it into requests. They must not be
//! used for secrets.
//!
//! [SplitMix64]: https://doi.org/10.1145/2714064.2660195

use super::WasiCall;
use super::abi::WasiResult;

#[derive(Clone, Debug)]
pub(crate) struct Random {
    seed: u64,
    /// The number of bytes returned so far.
    given: u64,
}

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, given: 0 }
    }

    fn word(&self, index: u64) -> u64 {
        let mut z = self.seed.wrapping_add(index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn fill(&mut self, mut buffer: &mut [u8]) {
        while !buffer.is_empty() {
            let word = self.word(self.given / 8).to_le_bytes();
            let rest = word.get((self.given % 8) as usize..).unwrap_or_default();
            let count = rest.len().min(buffer.len());
            let (front, back) = buffer.split_at_mut(count);
            front.copy_from_slice(rest.get(..count).unwrap_or_default());
            buffer = back;
            self.given = self.given.wrapping_add(count as u64);
        }
    }
}

/// Fills the `len` bytes at `buf`.
///
/// `EFAULT`: the range is not in bounds; nothing is written. [Specification].
///
/// [Specification]: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#random_get
pub(super) fn random_get(call: &mut WasiCall<'_>, buf: u32, len: u32) -> WasiResult {
    call.memory.check(buf, len)?;
    // A word takes about ten instructions.
    call.pay(u64::from(len).saturating_mul(64))?;
    call.memory.write_parts(buf, len, |buffer| {
        call.system.random.fill(buffer);
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::Random;

    /// The first words for the seed 1234567, as published with the reference implementation.
    #[test]
    fn is_splitmix64() {
        let random = Random::new(1_234_567);
        let words: Vec<u64> = (0..3).map(|i| random.word(i)).collect();
        assert_eq!(words, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn requests_cut_one_stream() {
        let mut whole = [0; 29];
        Random::new(7).fill(&mut whole);
        let (mut parts, mut random) = ([0; 29], Random::new(7));
        for part in parts.chunks_mut(3) {
            random.fill(part);
        }
        assert_eq!(whole, parts);
    }
}
