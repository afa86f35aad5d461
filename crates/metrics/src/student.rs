//! Quantiles of Student's t distribution.

use std::f64::consts::{FRAC_2_PI, FRAC_PI_2};

/// The two-sided quantile of Student's t: the `t` for which a share `level` of the distribution with this many degrees
/// of freedom lies within -t..t.
pub(crate) fn two_sided_quantile(level: f64, degrees: usize) -> f64 {
    // The angle is bounded and the share rises with it, so plain bisection reaches the last bit.
    let (mut low, mut high) = (0.0, FRAC_PI_2);
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        if share_within(middle, degrees) < level {
            low = middle;
        } else {
            high = middle;
        }
    }
    (degrees as f64).sqrt() * low.tan()
}

/// The share of Student's t within -t..t, for `t = sqrt(degrees) * tan(angle)`: the finite series for whole degrees of
/// freedom, Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4.
fn share_within(angle: f64, degrees: usize) -> f64 {
    let (sine, cosine) = angle.sin_cos();
    let odd = degrees % 2 == 1;
    if degrees == 1 {
        return FRAC_2_PI * angle;
    }
    let mut term = if odd { cosine } else { 1.0 };
    let mut sum = term;
    // The factors are 2/3, 4/5, ... up to (degrees - 3)/(degrees - 2), or 1/2, 3/4, ... likewise.
    let mut numerator = if odd { 2 } else { 1 };
    while numerator + 3 <= degrees {
        term *= cosine * cosine * numerator as f64 / (numerator + 1) as f64;
        sum += term;
        numerator += 2;
    }
    if odd { FRAC_2_PI * (angle + sine * sum) } else { sine * sum }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quantiles_of_the_printed_tables_come_out() {
        // Two-sided 95 %, any table of Student's t.
        let table = [(1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (9, 2.262), (10, 2.228), (120, 1.980)];
        for (degrees, expected) in table {
            let quantile = two_sided_quantile(0.95, degrees);
            assert!((quantile - expected).abs() < 5e-4, "{degrees}: {quantile}");
        }
    }
}
