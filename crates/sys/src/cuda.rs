//! The CUDA half of libtorch, loaded when it is asked for.

use std::path::{Path, PathBuf};

/// Why the CUDA half of libtorch could not be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CudaError {
    /// The folder holds a CPU-only libtorch.
    #[error("{folder} holds no libtorch_cuda.so: this libtorch is CPU-only; run `cargo xtask setup --cuda`")]
    CpuOnly {
        /// Where the loaded libtorch lives.
        folder: PathBuf,
    },
    /// The dynamic linker refused the library.
    #[error("cannot load {library}: {reason}")]
    Refused {
        /// The library that was tried.
        library: PathBuf,
        /// The linker's own words.
        reason: String,
    },
    /// The loaded `libtorch_cpu` could not be located.
    #[error(
        "cannot find out where libtorch_cpu.so was loaded from; set LIBTORCH and run `cargo xtask setup --cuda`"
    )]
    NotFound,
}

/// Loads `libtorch_cuda.so` from the folder that the running `libtorch_cpu.so` came from.
///
/// Rust links libtorch with `--as-needed`, which drops the CUDA library, so a binary sees no GPU until this has been
/// called. It must happen before the first CUDA query of the process, and before its first tensor is computed.
///
/// NVIDIA's libraries are told to compute 32-bit numbers in 32 bits (`NVIDIA_TF32_OVERRIDE=0`), unless the environment
/// says something about it already: by default cuDNN convolves them with 10 bits of mantissa, which puts hidden states
/// 1e-3 apart from the CPU's where 1e-5 is due.
///
/// # Errors
/// When this libtorch is CPU-only, or the linker refuses the library (no driver, wrong version).
pub fn load_cuda() -> Result<(), CudaError> {
    let folder = loaded_libtorch().ok_or(CudaError::NotFound)?;
    let library = folder.join("libtorch_cuda.so");
    if !library.is_file() {
        return Err(CudaError::CpuOnly { folder });
    }
    full_precision();
    open_global(&library).map_err(|reason| CudaError::Refused { library, reason })
}

/// What cuBLAS and cuDNN read when they are loaded.
const TF32: &str = "NVIDIA_TF32_OVERRIDE";

fn full_precision() {
    if std::env::var_os(TF32).is_none() {
        // SAFETY: the environment is changed before libtorch's CUDA half and with it any of its threads exist; our own
        // threads read the environment through the standard library alone, which locks it.
        #[expect(unsafe_code, reason = "the libraries read nothing but the environment")]
        unsafe {
            std::env::set_var(TF32, "0");
        }
    }
}

/// The folder of the `libtorch_cpu.so` that this process has mapped.
fn loaded_libtorch() -> Option<PathBuf> {
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    let line = maps.lines().find(|line| line.ends_with("/libtorch_cpu.so"))?;
    let path = &line[line.find('/')?..];
    Path::new(path).parent().map(Path::to_path_buf)
}

#[cfg(unix)]
fn open_global(library: &Path) -> Result<(), String> {
    use std::{
        ffi::{CStr, CString},
        os::unix::ffi::OsStrExt,
    };

    let name =
        CString::new(library.as_os_str().as_bytes()).map_err(|_| "the path holds a zero byte".to_owned())?;
    // SAFETY: `name` is a valid C string that outlives the call. The library's initialisers are libtorch's own, from
    // the folder of the libtorch that already runs. dlerror returns a valid string, or null, until the next call of the dl
    // family on this thread.
    #[expect(unsafe_code, reason = "dlopen is a C call; the library registers itself with libtorch on load")]
    unsafe {
        if !libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_GLOBAL).is_null() {
            return Ok(());
        }
        let reason = libc::dlerror();
        if reason.is_null() {
            return Err("no reason given".to_owned());
        }
        Err(CStr::from_ptr(reason).to_string_lossy().into_owned())
    }
}

#[cfg(not(unix))]
fn open_global(_library: &Path) -> Result<(), String> {
    Err("only Unix is supported".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_libtorch_in_the_process_the_error_says_so() {
        assert!(matches!(load_cuda(), Err(CudaError::NotFound)));
    }

    #[test]
    #[cfg(unix)]
    fn a_file_that_is_no_library_is_refused_with_the_linkers_words() {
        let path = std::env::temp_dir().join(format!("sure-sys-nolib-{}.so", std::process::id()));
        std::fs::write(&path, b"text").unwrap();
        assert!(!open_global(&path).unwrap_err().is_empty());
        std::fs::remove_file(&path).unwrap();
    }
}
