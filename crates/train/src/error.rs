//! What can end a run.

use std::path::PathBuf;

use sure_data::DataError;
use sure_metrics::MetricError;
use sure_nn::NnError;
use sure_records::RecordsError;

/// Errors of this crate. The doctor's findings name the tensor or site at fault.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// A trainable parameter got no gradient in the first step.
    #[error("dead parameter {name}: it got no gradient in the first step, so nothing would train it")]
    DeadParameter {
        /// Its name.
        name: String,
    },
    /// A trainable parameter is where it was before training.
    #[error("parameter {name} never moved during training")]
    NeverMoved {
        /// Its name.
        name: String,
    },
    /// The adapter declares a site that no forward pass visits.
    #[error("the adapter acts at {site}, but the backbone never called it there")]
    UnvisitedSite {
        /// The site.
        site: String,
    },
    /// A frozen parameter changed.
    #[error("frozen parameter {name} changed during training")]
    FrozenChanged {
        /// Its name.
        name: String,
    },
    /// The trained adapter makes no difference.
    #[error("the trained adapter does not change the output (first parameter: {name})")]
    NoEffect {
        /// One of its parameters.
        name: String,
    },
    /// Merging the adapter into the weights gives another answer.
    #[error("merging the adapter into the weights changes the output by {difference:e} (first site: {site})")]
    MergeDiffers {
        /// Largest difference, relative to the largest output.
        difference: f64,
        /// The first merged site.
        site: String,
    },
    /// What was saved answers differently from what was trained.
    #[error("the saved model answers differently after reloading (first difference in {name})")]
    ReloadDiffers {
        /// The first tensor that differs.
        name: String,
    },
    /// The built modules have another number of parameters than the method's formula says.
    #[error("{part} has {built} parameters, its formula says {declared}")]
    CountDiffers {
        /// Adapter or head.
        part: &'static str,
        /// Built.
        built: u64,
        /// Declared.
        declared: u64,
    },
    /// The loss is not a finite number.
    #[error("the loss is {loss} at step {step}; a smaller learning rate may help")]
    Diverged {
        /// The step.
        step: u64,
        /// The loss.
        loss: f64,
    },
    /// A saved file lacks a trained parameter, or has it in another shape.
    #[error("the saved model has no tensor {name} of the right shape")]
    MissingTensor {
        /// Its name.
        name: String,
    },
    /// A saved file holds a parameter that this model does not have.
    #[error("the saved model has a tensor {name} that this model does not know")]
    UnexpectedTensor {
        /// Its name.
        name: String,
    },
    /// A checkpoint of a running cell cannot be taken up.
    #[error("the checkpoint {path} cannot be used: {reason}; delete it to start the run anew")]
    BadCheckpoint {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The run was asked to stop; a checkpoint has been written.
    #[error("interrupted at step {step}; the same command resumes there")]
    Interrupted {
        /// The step.
        step: u64,
    },
    /// A setting makes no sense.
    #[error("{key} = {value}: {reason}")]
    Config {
        /// The key.
        key: &'static str,
        /// The value.
        value: String,
        /// Why.
        reason: &'static str,
    },
    /// A data set does not say which recordings may be learnt from.
    #[error(
        "{path} has neither the key `split` nor `sid_split`, so nothing says which recordings other results are measured on"
    )]
    NoSplit {
        /// The manifest, or the folder.
        path: PathBuf,
    },
    /// Too few recordings to learn from some and validate on others.
    #[error("{count} recordings are left to learn from, and holding some of them out leaves none")]
    TooFewRecordings {
        /// How many there are.
        count: usize,
    },
    /// There are more clusters than frames.
    #[error("{clusters} clusters cannot be made of {frames} frames")]
    TooFewFrames {
        /// Clusters.
        clusters: usize,
        /// Frames.
        frames: usize,
    },
    /// A clip cannot be used by this backbone.
    #[error("{path}: {source}")]
    Clip {
        /// The recording.
        path: PathBuf,
        /// Why.
        #[source]
        source: NnError,
    },
    /// A file of the cache cannot be read or written.
    #[error("cannot use the cache file {path}")]
    Cache {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
    /// A network error.
    #[error(transparent)]
    Nn(#[from] NnError),
    /// A data error.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A scoring error.
    #[error(transparent)]
    Metric(#[from] MetricError),
    /// A records error.
    #[error(transparent)]
    Records(#[from] RecordsError),
}

impl TrainError {
    /// A short machine-readable name.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::DeadParameter { .. } => "dead-parameter",
            Self::NeverMoved { .. } => "never-moved",
            Self::UnvisitedSite { .. } => "unvisited-site",
            Self::FrozenChanged { .. } => "frozen-changed",
            Self::NoEffect { .. } => "no-effect",
            Self::MergeDiffers { .. } => "merge-differs",
            Self::ReloadDiffers { .. } => "reload-differs",
            Self::CountDiffers { .. } => "count-differs",
            Self::Diverged { .. } => "diverged",
            Self::MissingTensor { .. } => "missing-tensor",
            Self::UnexpectedTensor { .. } => "unexpected-tensor",
            Self::BadCheckpoint { .. } => "bad-checkpoint",
            Self::Interrupted { .. } => "interrupted",
            Self::Config { .. } => "config",
            Self::Clip { .. }
            | Self::Data(_)
            | Self::NoSplit { .. }
            | Self::TooFewRecordings { .. }
            | Self::TooFewFrames { .. } => "data",
            Self::Cache { .. } => "cache",
            Self::Nn(_) => "network",
            Self::Metric(_) => "metric",
            Self::Records(_) => "records",
        }
    }

    /// The tensor or site at fault, where there is one.
    pub fn tensor(&self) -> Option<&str> {
        match self {
            Self::DeadParameter { name }
            | Self::NeverMoved { name }
            | Self::FrozenChanged { name }
            | Self::NoEffect { name }
            | Self::ReloadDiffers { name }
            | Self::MissingTensor { name }
            | Self::UnexpectedTensor { name } => Some(name),
            Self::UnvisitedSite { site } | Self::MergeDiffers { site, .. } => Some(site),
            _ => None,
        }
    }
}
