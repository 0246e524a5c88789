//! Seeded randomness (SplitMix64), for jitter and ids; not for secrets.
//!
//! Each subsystem draws from a stream of its own, so that one more draw in one of them does not shift the
//! others and a run replays from its seed.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The increment of SplitMix64: 2^64 divided by the golden ratio, made odd.
const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// A stream of numbers; clones share it.
#[derive(Clone, Debug)]
pub struct Rng {
    seed: u64,
    state: Arc<AtomicU64>,
}

impl Rng {
    /// The stream that belongs to `seed`.
    pub fn from_seed(seed: u64) -> Self {
        Self { seed, state: Arc::new(AtomicU64::new(seed)) }
    }

    /// A stream that differs between runs.
    pub fn from_entropy() -> Self {
        // The standard library seeds its hasher from the operating system; nothing else there hands out entropy.
        Self::from_seed(RandomState::new().build_hasher().finish())
    }

    /// A stream of its own for the subsystem called `name`.
    pub fn stream(&self, name: &str) -> Self {
        // FNV-1a: the standard hasher's result may change between releases of Rust.
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self::from_seed(mix(self.seed ^ hash))
    }

    pub fn next_u64(&self) -> u64 {
        mix(self.state.fetch_add(GAMMA, Ordering::Relaxed).wrapping_add(GAMMA))
    }

    /// A number below `bound`; 0 when `bound` is 0.
    pub fn below(&self, bound: u64) -> u64 {
        // The bias of taking the upper half of a 128-bit product is below bound / 2^64.
        let product = u128::from(self.next_u64()) * u128::from(bound);
        u64::try_from(product >> 64).unwrap_or(0)
    }
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_the_published_one() {
        // First three outputs of the reference implementation for seed 1234567.
        let rng = Rng::from_seed(1_234_567);
        let drawn: Vec<u64> = (0..3).map(|_| rng.next_u64()).collect();
        assert_eq!(drawn, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn one_more_draw_in_one_stream_leaves_the_others_as_they_are() {
        let (first, second) = (Rng::from_seed(7), Rng::from_seed(7));
        let _ = first.stream("retry").next_u64();
        let _ = first.next_u64();
        assert_eq!(first.stream("ids").next_u64(), second.stream("ids").next_u64());
        assert_ne!(second.stream("ids").next_u64(), second.stream("retry").next_u64());
    }

    #[test]
    fn numbers_stay_below_their_bound() {
        let rng = Rng::from_seed(1);
        assert_eq!(rng.below(0), 0);
        assert_eq!(rng.below(1), 0);
        assert!((0..1000).all(|_| rng.below(6) < 6));
        assert!((0..1000).map(|_| rng.below(6)).any(|n| n == 5));
    }
}
