//! The only `unsafe` code of the project, block by block with a reason: memory maps, allocator tuning, and at run time the
//! CUDA half of libtorch and the library of a speech synthesiser.

mod allocator;
mod cuda;
mod espeak;
mod mapped;
mod process;

pub use allocator::tune_allocator;
pub use cuda::{CudaError, load_cuda};
pub use espeak::{Espeak, EspeakError, EspeakProsody, EspeakSpeech};
pub use mapped::Mapped;
pub use process::peak_memory_bytes;
