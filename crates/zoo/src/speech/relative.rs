//! WavLM's gated relative position bias (Chen et al. 2022, arXiv 2110.13900, section III-B).
//!
//! Every distance between two frames has a bucket and every bucket a number for each head. All blocks share these
//! numbers; each block scales them, frame by frame and head by head, with a gate on its attention's input.

use serde::Deserialize;
use sure_nn::{
    Dense, Init, Loader, NnError, Role,
    tch::{Kind, Tensor},
};

/// How distances are put into buckets, as in T5 (Raffel et al. 2020, arXiv 1910.10683): half of the buckets for each
/// direction; in each half the first half for single distances, the rest growing by a factor up to the longest one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Buckets {
    /// Number of buckets.
    pub num_buckets: i64,
    /// Distance in frames from which on all are alike.
    pub max_bucket_distance: i64,
}

impl Default for Buckets {
    fn default() -> Self {
        Self { num_buckets: 320, max_bucket_distance: 800 }
    }
}

impl Buckets {
    pub(super) fn check(&self) -> Result<(), NnError> {
        let refuse =
            |key, value: i64, reason: String| Err(NnError::Config { key, value: value.to_string(), reason });
        if !(4..=1 << 16).contains(&self.num_buckets) {
            return refuse("num_buckets", self.num_buckets, "must be between 4 and 65536".to_owned());
        }
        let single = self.num_buckets / 4;
        if !(single + 1..=1 << 20).contains(&self.max_bucket_distance) {
            let reason =
                format!("must be more than a quarter of num_buckets ({single}), and at most a million");
            return refuse("max_bucket_distance", self.max_bucket_distance, reason);
        }
        Ok(())
    }

    /// The bucket of a key that stands `distance` frames behind the query.
    pub fn of(&self, distance: i64) -> i64 {
        let half = self.num_buckets / 2;
        let single = half / 2;
        let start = if distance > 0 { half } else { 0 };
        let distance = distance.abs();
        if distance < single {
            return start + distance;
        }
        // In 32 bits, as it was when the checkpoints were trained: a bound between two buckets may depend on it.
        let growth = (distance as f32 / single as f32).ln();
        let most = (self.max_bucket_distance as f64 / single as f64).ln() as f32;
        let wide = single + (growth / most * (half - single) as f32) as i64;
        start + wide.min(half - 1)
    }
}

/// The numbers that all blocks share.
#[derive(Debug)]
pub(super) struct RelativeBias {
    /// `[buckets, heads]`.
    numbers: Tensor,
    /// The bucket of each distance from minus the longest to the longest.
    lookup: Tensor,
    longest: i64,
}

impl RelativeBias {
    /// `weight` `[buckets, heads]` at `loader`.
    pub(super) fn new(loader: &Loader, buckets: Buckets, heads: i64) -> Result<Self, NnError> {
        buckets.check()?;
        let longest = buckets.max_bucket_distance;
        let lookup: Vec<i64> = (-longest..=longest).map(|distance| buckets.of(distance)).collect();
        // As torch draws an embedding.
        let init = Init::Normal { std: 1.0 };
        Ok(Self {
            numbers: loader.param("weight", &[buckets.num_buckets, heads], Role::Weight, init)?,
            lookup: Tensor::from_slice(&lookup).to_device(loader.device()),
            longest,
        })
    }

    /// `[heads, time, time]`, query before key: a function of the length alone.
    pub(super) fn table(&self, time: i64) -> Tensor {
        let distances = Tensor::arange_start(1 - time, time, (Kind::Int64, self.lookup.device()));
        let places = distances.clamp(-self.longest, self.longest) + self.longest;
        let buckets = self.lookup.index_select(0, &places);
        let by_distance = self.numbers.index_select(0, &buckets).tr();
        // Each query sees a window of the distances; that of the last query comes first.
        by_distance.unfold(1, time, 1).flip([1])
    }
}

/// One block's gate.
#[derive(Debug)]
pub(super) struct Gate {
    projection: Dense,
    scale: Tensor,
    heads: i64,
}

impl Gate {
    /// Sums of four make one of a frame's two gates.
    const WIDTH: i64 = 4;

    /// `weight` `[8, head_dim]`, `bias` `[8]` and `scale` `[1, heads, 1, 1]` at `loader`.
    pub(super) fn new(loader: &Loader, hidden: i64, heads: i64) -> Result<Self, NnError> {
        Ok(Self {
            projection: Dense::new(loader, hidden / heads, 2 * Self::WIDTH)?,
            scale: loader.param("scale", &[1, heads, 1, 1], Role::Weight, Init::Ones)?,
            heads,
        })
    }

    /// What this block adds to its scores, `[batch, heads, time, time]`, from its attention's input `[batch, time,
    /// hidden]` and the `table` `[heads, time, time]`.
    pub(super) fn forward(&self, x: &Tensor, table: &Tensor) -> Tensor {
        let (batch, time) = (x.size()[0], x.size()[1]);
        let heads = x.view([batch, time, self.heads, -1]).transpose(1, 2);
        let gates = self.projection.forward(&heads).view([batch, self.heads, time, 2, Self::WIDTH]);
        let gates = gates.sum_dim_intlist([-1i64].as_slice(), false, None::<Kind>).sigmoid();
        let (update, reset) = (gates.narrow(-1, 0, 1), gates.narrow(-1, 1, 1));
        let gate = update * (reset * &self.scale - 1.0) + 2.0;
        gate * table
    }
}

#[cfg(test)]
mod tests {
    use sure_nn::{Loading, Seed, Source, tch::Device};

    use super::*;

    #[test]
    fn near_distances_have_buckets_of_their_own_and_far_ones_share_the_last() {
        let buckets = Buckets::default();
        assert_eq!([0, -1, -79, 1, 79].map(|distance| buckets.of(distance)), [0, 1, 79, 161, 239]);
        assert_eq!([-800, -5000, 800, 5000].map(|distance| buckets.of(distance)), [159, 159, 319, 319]);
        let falls = (0..2000).find(|&distance| buckets.of(-distance - 1) < buckets.of(-distance));
        assert_eq!(falls, None);
    }

    #[test]
    fn the_table_is_the_number_of_each_distance_whatever_the_length() {
        let loading = Loading::frozen(Source::Init(Seed::new(2)), Device::Cpu);
        let buckets = Buckets { num_buckets: 8, max_bucket_distance: 5 };
        let bias = RelativeBias::new(&loading.root(), buckets, 3).unwrap();
        for time in [1, 2, 9] {
            let table = bias.table(time);
            assert_eq!(table.size(), [3, time, time]);
            for (head, query, key) in [(0, 0, time - 1), (1, time - 1, 0), (2, time / 2, time / 3)] {
                let number = bias.numbers.double_value(&[buckets.of(key - query), head]);
                assert_eq!(table.double_value(&[head, query, key]).to_bits(), number.to_bits());
            }
        }
    }

    #[test]
    fn buckets_that_make_no_sense_are_refused_by_name() {
        let refused = |num_buckets, max_bucket_distance| {
            Buckets { num_buckets, max_bucket_distance }.check().unwrap_err().to_string()
        };
        assert!(refused(0, 800).contains("num_buckets"));
        assert!(refused(320, 80).contains("max_bucket_distance"));
        assert!(Buckets::default().check().is_ok());
    }
}
