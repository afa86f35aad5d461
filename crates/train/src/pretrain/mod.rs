//! Pretraining without labels, after HuBERT (Hsu et al. 2021, arXiv 2106.07447): spans of frames are hidden, and the network
//! says to which cluster each hidden frame belongs.
//!
//! One [`Iteration`] of a [`Recipe`] clusters features of the recordings (cepstral coefficients, or a block's output of the
//! model of the iteration before) by [`KMeans`], then trains on the clusters' numbers. [`pretrain`] runs one iteration; who
//! calls it builds the networks and hands the [`Corpus`] over.

mod corpus;
mod head;
mod kmeans;
mod progress;
mod recipe;
mod run;
mod step;
mod targets;

pub use corpus::{Corpus, CorpusSet, Recording};
pub use head::PretrainHead;
pub use kmeans::KMeans;
pub use recipe::{FeatureSource, InitFrom, Iteration, Mask, Recipe};
pub use run::{Iterating, IterationRecord, PretrainPoint, pretrain};
pub use targets::{Clustering, Features, Grid};
