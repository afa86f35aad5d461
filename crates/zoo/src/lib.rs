//! Pretrained backbones: read a checkpoint's configuration and tensors, build the network.
//!
//! [`from_dir`] opens a folder laid out like a Hugging Face repository (`config.json`, `preprocessor_config.json`,
//! weights as safetensors or PyTorch's `.bin`). A family is one folder here and one line in [`FAMILIES`].

mod ctc;
mod error;
mod family;
mod files;
mod speech;
mod text;

pub use ctc::{CtcVocabulary, PublishedCtc, published_ctc};
pub use error::ZooError;
pub use family::{Compat, Family, LoadOptions, Published, Weights, from_dir, published};
pub use speech::{
    Buckets, FrontNorm, PositionStack, PreprocessorConfig, SpeechConfig, SpeechEncoder, Variant,
};
pub use text::{TextConfig, TextEncoder};
pub use whisper::{Whisper, WhisperConfig};

family::families! {
    wav2vec2,
    hubert,
    wavlm,
    data2vec,
    whisper,
    bert,
    distilbert,
}
