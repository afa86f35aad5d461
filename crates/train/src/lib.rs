//! One training loop: optimise, evaluate, stop, checkpoint; the trunk cache and the run's own checks.
