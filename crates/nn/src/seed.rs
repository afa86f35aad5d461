//! Seeds from hashes: everything random is a function of (seed, purpose), so no generator state is ever saved.

use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};

/// A seed from which others are derived by name or number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seed(u64);

impl Seed {
    /// A run's own seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The seed for `purpose`, for example a parameter's name.
    pub fn derive(self, purpose: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(self.0.to_le_bytes());
        hash.update(purpose.as_bytes());
        let digest = hash.finalize();
        let mut first = [0; 8];
        first.copy_from_slice(&digest[..8]);
        Self(u64::from_le_bytes(first))
    }

    /// The seed for step `index` of this purpose.
    pub fn at(self, index: u64) -> Self {
        self.derive(&format!("#{index}"))
    }

    /// The number itself.
    pub const fn value(self) -> u64 {
        self.0
    }
}

/// libtorch has one generator for the whole process: who seeds it and draws must not be disturbed by other threads.
static GENERATOR: Mutex<()> = Mutex::new(());

/// Reseeds libtorch's one global generator.
pub fn seed_torch(seed: Seed) {
    draw_from(seed, || {});
}

/// What `draw` draws from libtorch's generator, seeded with `seed`: a function of the seed, whatever other threads do.
pub(crate) fn draw_from<T>(seed: Seed, draw: impl FnOnce() -> T) -> T {
    // The lock guards no data: a panic elsewhere leaves nothing behind.
    let _guard = GENERATOR.lock().unwrap_or_else(PoisonError::into_inner);
    // libtorch takes an i64 and refuses nothing: the sign bit is dropped to stay clear of its "random seed" value.
    tch::manual_seed((seed.0 >> 1) as i64);
    draw()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_drawn_does_not_depend_on_other_threads() {
        use tch::{Device, Kind, Tensor};

        let options = (Kind::Float, Device::Cpu);
        let draw = || draw_from(Seed::new(5), || Tensor::rand([64], options) + Tensor::rand([64], options));
        let first = Vec::<f32>::try_from(draw()).unwrap();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                scope.spawn(move || (0..500).for_each(|round| seed_torch(Seed::new(thread * 1000 + round))));
            }
            for _ in 0..500 {
                assert_eq!(Vec::<f32>::try_from(draw()).unwrap(), first);
            }
        });
    }

    #[test]
    fn derived_seeds_differ_by_purpose_and_repeat() {
        let seed = Seed::new(7);
        assert_eq!(seed.derive("a"), seed.derive("a"));
        assert_ne!(seed.derive("a"), seed.derive("b"));
        assert_ne!(seed.at(1), seed.at(2));
        assert_ne!(Seed::new(7).derive("a"), Seed::new(8).derive("a"));
    }
}
