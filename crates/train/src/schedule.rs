//! How the learning rate changes over the steps: a factor on the preset's rate.

use serde::{Deserialize, Serialize};

/// A learning-rate schedule.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Schedule {
    /// Linear warm-up, then linear decay to zero (classification, phonemes).
    Linear {
        /// How long it warms up.
        warmup: Warmup,
    },
    /// Linear warm-up, a flat phase, linear decay to zero (speech recognition, slot filling): with `T` steps the flat
    /// phase ends at `ceil(T (0.4 + warmup_ratio))`.
    TriStage {
        /// Steps that warm up.
        warmup_steps: u64,
        /// Moves the end of the flat phase.
        warmup_ratio: f64,
    },
}

/// The length of a warm-up.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Warmup {
    /// A share of all steps.
    Ratio(f64),
    /// A number of steps.
    Steps(u64),
}

impl Schedule {
    /// The schedule of a run that is cut to `steps` for a quick look: a warm-up of a number of steps takes a third of them
    /// at most. It would never end otherwise, and nothing would be trained.
    pub fn shortened(self, steps: u64) -> Self {
        let short = |warm: u64| warm.min(steps / 3);
        match self {
            Self::Linear { warmup: Warmup::Steps(warm) } => {
                Self::Linear { warmup: Warmup::Steps(short(warm)) }
            }
            Self::TriStage { warmup_steps, warmup_ratio } => {
                Self::TriStage { warmup_steps: short(warmup_steps), warmup_ratio }
            }
            Self::Linear { warmup: Warmup::Ratio(_) } => self,
        }
    }

    /// The factor for step `step`, counted from zero, of `total`.
    pub fn factor(self, step: u64, total: u64) -> f64 {
        let (warm, flat_until) = match self {
            Self::Linear { warmup: Warmup::Steps(warm) } => (warm, warm),
            Self::Linear { warmup: Warmup::Ratio(ratio) } => {
                let warm = (total as f64 * ratio).ceil() as u64;
                (warm, warm)
            }
            Self::TriStage { warmup_steps, warmup_ratio } => {
                (warmup_steps, (total as f64 * (0.4 + warmup_ratio)).ceil() as u64)
            }
        };
        if step < warm {
            return step as f64 / warm.max(1) as f64;
        }
        if step < flat_until {
            return 1.0;
        }
        let left = total.saturating_sub(step) as f64;
        left / total.saturating_sub(flat_until).max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quick_look_reaches_the_peak() {
        for schedule in [
            Schedule::TriStage { warmup_steps: 5_000, warmup_ratio: 0.1 },
            Schedule::Linear { warmup: Warmup::Steps(1_000) },
        ] {
            assert!(schedule.factor(2, 3) < 0.01);
            let factors = [0, 1].map(|step| schedule.shortened(3).factor(step, 3));
            assert_eq!(factors, [0.0, 1.0]);
            assert_eq!(schedule.shortened(30_000), schedule, "it ends in time");
        }
        let share = Schedule::Linear { warmup: Warmup::Ratio(0.1) };
        assert_eq!(share.shortened(3), share);
    }
}
