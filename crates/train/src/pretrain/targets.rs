//! From recordings to one cluster a frame.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use rand::{SeedableRng as _, seq::SliceRandom as _};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use sure_audio::{MFCC_WIDTH, Mfcc};
use sure_data::DataError;
use sure_nn::{
    Backbone, Checkpoint, ConvShape, Cx, Input, Keep, NoAdapter, Prepare, Seed,
    tch::{self, Device, Kind, Tensor},
};
use sure_records::write_atomic;

use super::{KMeans, Recording};
use crate::{Event, Observer, TrainError};

/// Frames that are clustered at most; the others are only assigned.
const FRAMES: usize = 100_000;
/// Lloyd's iterations at most, and the part of the inertia that one must win for another to follow.
const ITERATIONS: usize = 100;
const TOLERANCE: f64 = 1e-4;
/// Recordings between two reports.
const PART: usize = 64;

/// Where a network's frames lie in the samples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grid {
    convolutions: Vec<ConvShape>,
    /// Samples from frame to frame.
    pub hop: usize,
    /// Samples that a frame sees.
    pub field: usize,
}

impl Grid {
    /// The grid of a front end of these convolutions, without padding.
    pub fn new(convolutions: &[ConvShape]) -> Self {
        let hop = convolutions.iter().map(|conv| conv.stride).product::<i64>();
        let field =
            convolutions.iter().rev().fold(1, |frames, conv| (frames - 1) * conv.stride + conv.kernel);
        Self { convolutions: convolutions.to_vec(), hop: hop as usize, field: field as usize }
    }

    /// Frames of so many samples.
    pub fn frames(&self, samples: usize) -> usize {
        self.convolutions.iter().fold(samples as i64, |frames, conv| conv.frames(frames)) as usize
    }
}

/// What is clustered, frame by frame on the grid of the network that is trained.
#[derive(Debug)]
pub enum Features<'a> {
    /// Cepstral coefficients of windows that have their middle where the network's frames have it. They are those of the
    /// prepared recording: the network does not hear how loud the recording was before, so no target may depend on that.
    Mfcc {
        /// What computes them.
        mfcc: Mfcc,
        /// Where the frames lie.
        grid: Grid,
        /// What makes recordings ready for the network.
        preparer: Arc<dyn Prepare>,
    },
    /// Hidden states, numbered as `Keep::All` gives them.
    Layer {
        /// The network.
        network: &'a dyn Backbone,
        /// The number.
        layer: usize,
    },
}

impl Features<'_> {
    /// Cepstral coefficients of what `network` hears, on its grid.
    pub fn mfcc(network: &dyn Backbone) -> Self {
        let grid = Grid::new(&network.anatomy().front_end);
        Self::Mfcc { mfcc: Mfcc::new(network.rate_hz(), grid.hop), grid, preparer: network.preparer() }
    }

    /// `[frames, width]` of a recording, without the mean of its own frames: clusters are to tell sounds apart, not rooms,
    /// microphones and speakers (cepstral mean normalisation).
    fn of(&self, recording: &Recording) -> Result<Tensor, TrainError> {
        let raw = self.raw(recording)?;
        Ok(&raw - raw.mean_dim(0, true, Kind::Float))
    }

    fn raw(&self, recording: &Recording) -> Result<Tensor, TrainError> {
        match self {
            Self::Mfcc { mfcc, grid, preparer } => {
                let clip = preparer.prepare(&recording.samples)?;
                let first = (grid.field as isize - mfcc.window() as isize) / 2;
                let rows = mfcc
                    .compute(&clip.data, first, grid.frames(clip.length))
                    .map_err(|source| DataError::Audio { id: recording.id.clone(), source })?;
                Ok(Tensor::from_slice(rows.as_flattened()).view([-1, MFCC_WIDTH as i64]))
            }
            Self::Layer { network, layer } => {
                let _guard = tch::no_grad_guard();
                let clip = network.preparer().prepare(&recording.samples)?;
                let input = Input::collate(&[clip], Device::Cpu);
                let encoded = network.encode(&input, &NoAdapter, &Cx::eval(), Keep::All);
                let states = encoded.layers.get(*layer).ok_or_else(|| TrainError::Config {
                    key: "iterations.targets",
                    value: format!("layer {layer}"),
                    reason: "the model has fewer blocks",
                })?;
                Ok(states.squeeze_dim(0))
            }
        }
    }
}

/// Clusters of normalised features.
#[derive(Debug)]
pub struct Clustering {
    /// `[1, width]`: taken away first.
    mean: Tensor,
    /// `[1, width]`: divided by then.
    deviation: Tensor,
    kmeans: KMeans,
    /// Frames that were clustered.
    pub frames: usize,
}

/// What a file says of the clusters in it.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    run: String,
    inertia: f64,
    iterations: usize,
    frames: usize,
}

impl Clustering {
    /// Clusters the frames of recordings, as many as fit a bound, in an order that `seed` shuffles. Each dimension is brought
    /// to mean 0 and variance 1 before.
    ///
    /// # Errors
    /// When a recording cannot be used, or there are fewer frames than clusters.
    pub fn fit(
        features: &Features,
        recordings: &[Recording],
        clusters: usize,
        seed: Seed,
    ) -> Result<Self, TrainError> {
        let mut order: Vec<&Recording> = recordings.iter().collect();
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed.derive("frames").value()));
        let (mut rows, mut frames) = (Vec::new(), 0);
        for recording in order {
            if frames >= FRAMES {
                break;
            }
            let row = features.of(recording)?;
            frames += row.size()[0] as usize;
            rows.push(row);
        }
        if frames < clusters {
            return Err(TrainError::TooFewFrames { clusters, frames });
        }
        let points = Tensor::cat(&rows, 0);
        let mean = points.mean_dim([0_i64].as_slice(), true, Kind::Float);
        // A dimension that never changes stays as it is.
        let deviation = points.std_dim([0_i64].as_slice(), false, true);
        let deviation = deviation.where_self(&deviation.gt(1e-6), &deviation.ones_like());
        let points = (points - &mean) / &deviation;
        let kmeans = KMeans::fit(&points, clusters, seed, ITERATIONS, TOLERANCE);
        tracing::info!(
            frames,
            clusters,
            inertia = kmeans.inertia,
            iterations = kmeans.iterations,
            "clustered"
        );
        Ok(Self { mean, deviation, kmeans, frames })
    }

    /// Mean squared distance of a clustered frame to its centroid, a dimension having variance 1.
    pub fn inertia(&self) -> f64 {
        self.kmeans.inertia / self.frames.max(1) as f64
    }

    /// The clusters of every frame of every recording.
    ///
    /// # Errors
    /// When a recording cannot be used, or the observer asks to stop.
    pub fn targets(
        &self,
        features: &Features,
        recordings: &[Recording],
        observer: &mut dyn Observer,
    ) -> Result<Vec<Vec<u16>>, TrainError> {
        let (mut all, total) = (Vec::with_capacity(recordings.len()), recordings.len());
        for part in recordings.chunks(PART) {
            for recording in part {
                let points = (features.of(recording)? - &self.mean) / &self.deviation;
                all.push(self.kmeans.assign(&points).into_iter().map(|label| label as u16).collect());
            }
            if observer.on(Event::Filled { done: all.len(), total }).is_break() {
                return Err(TrainError::Interrupted { step: 0 });
            }
        }
        Ok(all)
    }

    /// Writes the clusters to `path`, as those of the run called `run`.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &Path, run: &str) -> Result<(), TrainError> {
        let tensors =
            [("mean", &self.mean), ("deviation", &self.deviation), ("centroids", &self.kmeans.centroids)];
        let tensors = tensors.map(|(name, tensor)| (name.to_owned(), tensor.shallow_clone()));
        let KMeans { inertia, iterations, .. } = self.kmeans;
        let note = Note { run: run.to_owned(), inertia, iterations, frames: self.frames };
        let note = serde_json::to_string(&note).map_err(|error| TrainError::BadCheckpoint {
            path: path.to_owned(),
            reason: error.to_string(),
        })?;
        write_atomic(path, &Checkpoint::to_bytes(&BTreeMap::from(tensors), Some(&note))?)?;
        Ok(())
    }

    /// Reads what [`Clustering::write`] wrote for the run called `run`; `None` where it is another's.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn read(path: &Path, run: &str) -> Result<Option<Self>, TrainError> {
        let bad = |reason: String| TrainError::BadCheckpoint { path: path.to_owned(), reason };
        let file = Checkpoint::open(&[path.to_owned()])?;
        let note: Note =
            serde_json::from_str(file.note().unwrap_or_default()).map_err(|error| bad(error.to_string()))?;
        if note.run != run {
            return Ok(None);
        }
        let tensor = |name: &str| file.tensor(name)?.ok_or_else(|| bad(format!("it has no {name}")));
        let centroids = tensor("centroids")?;
        Ok(Some(Self {
            mean: tensor("mean")?,
            deviation: tensor("deviation")?,
            kmeans: KMeans { centroids, inertia: note.inertia, iterations: note.iterations },
            frames: note.frames,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The front end of wav2vec 2.0 and HuBERT.
    fn grid() -> Grid {
        let windows = [(10, 5), (3, 2), (3, 2), (3, 2), (3, 2), (2, 2), (2, 2)];
        Grid::new(&windows.map(|(kernel, stride)| ConvShape::valid((1, 1), kernel, stride)))
    }

    #[test]
    fn a_frame_of_wav2vec2_sees_what_a_window_of_cepstra_sees() {
        let grid = grid();
        assert_eq!((grid.hop, grid.field), (320, 400));
        assert_eq!(Mfcc::new(16_000, grid.hop).window(), grid.field);
        for (samples, frames) in [(399, 0), (400, 1), (16_000, 49), (16_079, 49), (16_080, 50)] {
            assert_eq!(grid.frames(samples), frames, "{samples} samples");
        }
    }

    #[test]
    fn clusters_that_were_written_are_read_by_their_own_run_alone() {
        let centroids = Tensor::from_slice(&[0.0_f32, 1.0, 2.0, 3.0]).view([2, 2]);
        let kmeans = KMeans { centroids, inertia: 6.0, iterations: 3 };
        let [mean, deviation] = [0.0_f32, 1.0].map(|value| Tensor::from_slice(&[value, value]).view([1, 2]));
        let path =
            std::env::temp_dir().join(format!("sure-train-clusters-{}.safetensors", std::process::id()));
        Clustering { mean, deviation, kmeans, frames: 3 }.write(&path, "mine").unwrap();
        let read = Clustering::read(&path, "mine").unwrap().unwrap();
        assert_eq!((read.inertia(), read.frames), (2.0, 3));
        assert!(Clustering::read(&path, "another").unwrap().is_none());
        std::fs::remove_file(path).unwrap();
    }
}
