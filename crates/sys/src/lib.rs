//! The only `unsafe` code of the project, block by block with a reason: memory maps, allocator tuning, the CUDA half
//! of libtorch at run time.

mod allocator;
mod cuda;
mod mapped;
mod process;

pub use allocator::tune_allocator;
pub use cuda::{CudaError, load_cuda};
pub use mapped::Mapped;
pub use process::peak_memory_bytes;
