//! Which device to run on.

use std::{fmt, str::FromStr};

use sure_sys::CudaError;
use tch::{Cuda, Device};

/// What the user asked for: `auto`, `cpu`, `cuda` or `cuda:N`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeviceChoice {
    /// A GPU where there is one, else the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The GPU with this number.
    Cuda(usize),
}

/// Why a device cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// Not a device name.
    #[error("unknown device {0:?}: auto, cpu, cuda and cuda:N are known")]
    Unknown(String),
    /// The CUDA half of libtorch is not there.
    #[error("CUDA was asked for: {0}")]
    Library(#[from] CudaError),
    /// No such GPU.
    #[error(
        "CUDA was asked for, but GPU {wanted} is not there: libtorch sees {found} (is the NVIDIA driver loaded?)"
    )]
    Absent {
        /// The GPU's number.
        wanted: usize,
        /// How many there are.
        found: i64,
    },
}

impl DeviceChoice {
    /// The device to use. Loads the CUDA half of libtorch first, unless the CPU was asked for.
    ///
    /// # Errors
    /// When a GPU was asked for and is not there.
    pub fn resolve(self) -> Result<Device, DeviceError> {
        match self {
            Self::Cpu => Ok(Device::Cpu),
            Self::Auto => match sure_sys::load_cuda() {
                Ok(()) if Cuda::is_available() => Ok(Device::Cuda(0)),
                _ => Ok(Device::Cpu),
            },
            Self::Cuda(wanted) => {
                sure_sys::load_cuda()?;
                let found = if Cuda::is_available() { Cuda::device_count() } else { 0 };
                if (wanted as i64) < found {
                    Ok(Device::Cuda(wanted))
                } else {
                    Err(DeviceError::Absent { wanted, found })
                }
            }
        }
    }
}

impl FromStr for DeviceChoice {
    type Err = DeviceError;

    fn from_str(text: &str) -> Result<Self, DeviceError> {
        match text.split_once(':') {
            None if text == "auto" => Ok(Self::Auto),
            None if text == "cpu" => Ok(Self::Cpu),
            None if text == "cuda" => Ok(Self::Cuda(0)),
            Some(("cuda", number)) => {
                number.parse().map(Self::Cuda).map_err(|_| DeviceError::Unknown(text.to_owned()))
            }
            _ => Err(DeviceError::Unknown(text.to_owned())),
        }
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(number) => write!(f, "cuda:{number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_parse_and_print() {
        for name in ["auto", "cpu", "cuda:1"] {
            assert_eq!(name.parse::<DeviceChoice>().unwrap().to_string(), name);
        }
        assert_eq!("cuda".parse::<DeviceChoice>().unwrap(), DeviceChoice::Cuda(0));
        assert!("tpu".parse::<DeviceChoice>().is_err());
        assert!("cuda:x".parse::<DeviceChoice>().is_err());
    }

    #[test]
    fn a_gpu_that_is_not_there_is_an_error_with_the_mend() {
        let error = DeviceChoice::Cuda(99).resolve().unwrap_err().to_string();
        assert!(error.contains("setup --cuda") || error.contains("driver"), "{error}");
    }
}
