//! k-means: k-means++ for the first centroids (Arthur and Vassilvitskii 2007), then Lloyd's iterations.

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use sure_nn::{
    Seed,
    tch::{Device, Kind, Tensor},
};

/// Rows compared at once: bounds the matrix of distances.
const CHUNK: i64 = 16_384;

/// Clusters of points.
#[derive(Debug)]
pub struct KMeans {
    /// `[clusters, width]`.
    pub centroids: Tensor,
    /// Sum of the squared distances of the points to their centroids.
    pub inertia: f64,
    /// Lloyd's iterations.
    pub iterations: usize,
}

/// The nearest centroids of points.
#[derive(Debug)]
struct Nearest {
    labels: Vec<i64>,
    distances: Vec<f32>,
}

impl KMeans {
    /// Clusters `points` `[points, width]`: starts by k-means++ and goes on as [`KMeans::lloyd`].
    pub fn fit(points: &Tensor, clusters: usize, seed: Seed, most: usize, tolerance: f64) -> Self {
        Self::lloyd(points, &plus_plus(points, clusters, seed), most, tolerance)
    }

    /// Lloyd's iterations from `centroids` `[clusters, width]` on, until no point changes its cluster, an iteration lowers
    /// the inertia by less than its part `tolerance`, or there were `most`. A cluster that has lost its points starts anew
    /// at the point that is farthest from its own centroid.
    pub fn lloyd(points: &Tensor, centroids: &Tensor, most: usize, tolerance: f64) -> Self {
        let mut centroids = centroids.copy();
        let mut now = nearest(points, &centroids);
        let mut inertia = now.inertia();
        let mut iterations = 0;
        while iterations < most {
            iterations += 1;
            centroids = means(points, &mut now, centroids.size()[0]);
            let next = nearest(points, &centroids);
            let lower = next.inertia();
            let settled = next.labels == now.labels || inertia - lower <= tolerance * inertia;
            (now, inertia) = (next, lower);
            if settled {
                break;
            }
        }
        Self { centroids, inertia, iterations }
    }

    /// The nearest centroid of each point: `[points, width]` to as many labels.
    pub fn assign(&self, points: &Tensor) -> Vec<i64> {
        nearest(points, &self.centroids).labels
    }
}

impl Nearest {
    fn inertia(&self) -> f64 {
        self.distances.iter().map(|&distance| f64::from(distance)).sum()
    }
}

/// `|x|^2 - 2 x c + |c|^2` is smallest for the nearest centroid.
fn nearest(points: &Tensor, centroids: &Tensor) -> Nearest {
    let (mut labels, mut distances) = (Vec::new(), Vec::new());
    let norms = square_norms(centroids);
    let count = points.size()[0];
    for start in (0..count).step_by(CHUNK as usize) {
        let rows = points.narrow(0, start, CHUNK.min(count - start));
        let (lowest, label) = norms.addmm(&rows, &(centroids.tr() * -2.0)).min_dim(1, false);
        let distance = (lowest + square_norms(&rows)).clamp_min(0.0);
        labels.extend(copied(&label, 0_i64));
        distances.extend(copied(&distance, 0_f32));
    }
    Nearest { labels, distances }
}

/// The mean of each cluster's points, summed in double precision in the points' order.
fn means(points: &Tensor, nearest: &mut Nearest, clusters: i64) -> Tensor {
    let width = points.size()[1] as usize;
    let values = copied(&points.reshape(-1), 0_f32);
    let mut sums = vec![0.0; clusters as usize * width];
    let mut counts = vec![0_usize; clusters as usize];
    for &label in &nearest.labels {
        counts[label as usize] += 1;
    }
    for cluster in 0..counts.len() {
        let farthest = nearest.distances.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
        if let Some((point, _)) = farthest.filter(|_| counts[cluster] == 0) {
            let old = std::mem::replace(&mut nearest.labels[point], cluster as i64);
            nearest.distances[point] = 0.0;
            counts[old as usize] -= 1;
            counts[cluster] = 1;
        }
    }
    for (row, &label) in values.chunks_exact(width.max(1)).zip(&nearest.labels) {
        let sum = &mut sums[label as usize * width..][..width];
        sum.iter_mut().zip(row).for_each(|(sum, &value)| *sum += f64::from(value));
    }
    let means: Vec<f32> = sums
        .chunks_exact(width.max(1))
        .zip(&counts)
        .flat_map(|(sum, &count)| sum.iter().map(move |sum| (sum / count.max(1) as f64) as f32))
        .collect();
    Tensor::from_slice(&means).view([clusters, width as i64])
}

/// The first centroids: each new one is a point drawn with the probability of its squared distance to the nearest so far.
fn plus_plus(points: &Tensor, clusters: usize, seed: Seed) -> Tensor {
    let mut rng = ChaCha8Rng::seed_from_u64(seed.derive("k-means++").value());
    let count = points.size()[0] as usize;
    let norms = square_norms(points);
    let mut distances = vec![f32::INFINITY; count];
    let mut chosen = vec![rng.random_range(0..count.max(1)) as i64];
    while chosen.len() < clusters {
        let last = points.get(chosen[chosen.len() - 1]);
        let to_last = &norms - points.mv(&last) * 2.0 + last.dot(&last);
        for (distance, new) in distances.iter_mut().zip(copied(&to_last, 0_f32)) {
            *distance = distance.min(new.max(0.0));
        }
        let total: f64 = distances.iter().map(|&distance| f64::from(distance)).sum();
        let mut left = rng.random::<f64>() * total;
        let drawn = distances.iter().position(|&distance| {
            left -= f64::from(distance);
            left < 0.0
        });
        chosen.push(drawn.unwrap_or_else(|| rng.random_range(0..count.max(1))) as i64);
    }
    points.index_select(0, &Tensor::from_slice(&chosen))
}

fn square_norms(rows: &Tensor) -> Tensor {
    rows.square().sum_dim_intlist([1_i64].as_slice(), false, Kind::Float)
}

/// The values of a tensor; `zero` says of which type.
fn copied<T: sure_nn::tch::kind::Element + Copy>(tensor: &Tensor, zero: T) -> Vec<T> {
    let tensor = tensor.to_device(Device::Cpu).contiguous();
    let mut values = vec![zero; tensor.numel()];
    let count = values.len();
    tensor.copy_data(&mut values, count);
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(values: &[f32]) -> Tensor {
        Tensor::from_slice(values).view([-1, 1])
    }

    #[test]
    fn two_heaps_are_found_whatever_the_seed() {
        for seed in 0..20 {
            let fitted = KMeans::fit(&points(&[0.0, 1.0, 10.0, 11.0, 12.0]), 2, Seed::new(seed), 50, 0.0);
            assert!((fitted.inertia - 2.5).abs() < 1e-3, "{}", fitted.inertia);
        }
    }

    #[test]
    fn a_cluster_without_points_starts_anew_at_the_farthest_point() {
        let fitted = KMeans::lloyd(&points(&[0.0, 1.0, 50.0]), &points(&[0.4, 900.0]), 50, 0.0);
        assert!((fitted.inertia - 0.5).abs() < 1e-4, "{}", fitted.inertia);
    }

    #[test]
    fn equal_points_do_not_end_in_an_error() {
        let fitted = KMeans::fit(&points(&[1.0; 6]), 3, Seed::new(0), 50, 0.0);
        assert_eq!(fitted.inertia, 0.0);
        assert_eq!(fitted.assign(&points(&[1.0])).len(), 1);
    }
}
