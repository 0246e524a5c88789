//! Inputs from a corpus: each is a function of its seed, so that a finding is one number.

/// SplitMix64: small, and every seed is a good one.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; 0 where there is none.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    pub(crate) fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// Longer inputs only find again what a shorter one finds.
const LONGEST: usize = 4 << 10;

/// An entry of the corpus with up to eight changes: bytes, words of the dictionary, pieces taken out, doubled, or of another entry.
pub(crate) fn mutated(random: &mut Random, corpus: &[Vec<u8>], words: &[&str]) -> Vec<u8> {
    let mut input = random.one(corpus).clone();
    for _ in 0..random.below(9) {
        let at = random.below(input.len() + 1);
        let to = at + random.below((input.len() - at).min(64) + 1);
        match random.below(7) {
            0 if at < input.len() => input[at] ^= 1 << random.below(8),
            1 if at < input.len() => input[at] = random.next().to_le_bytes()[0],
            2 => drop(input.drain(at..to)),
            3 => {
                let piece = input[at..to].repeat(1 + random.below(32));
                input.splice(at..at, piece);
            }
            4 => {
                let other = random.one(corpus);
                let from = random.below(other.len() + 1);
                let until = from + random.below((other.len() - from).min(256) + 1);
                input.splice(at..to, other[from..until].iter().copied());
            }
            5 if random.below(4) == 0 => input.truncate(at),
            _ => drop(input.splice(at..to, (*random.one(words)).bytes())),
        }
        input.truncate(LONGEST);
    }
    input
}
