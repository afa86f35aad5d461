//! Types of elements.

use std::fmt;

/// The type of a tensor's elements, all of them little-endian in the file.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Dtype {
    /// A truth value in a byte.
    Bool,
    /// Whole numbers from 0, of 8 bits.
    U8,
    /// Whole numbers of 8 bits.
    I8,
    /// Whole numbers from 0, of 16 bits.
    U16,
    /// Whole numbers of 16 bits.
    I16,
    /// Whole numbers from 0, of 32 bits.
    U32,
    /// Whole numbers of 32 bits.
    I32,
    /// Whole numbers from 0, of 64 bits.
    U64,
    /// Whole numbers of 64 bits.
    I64,
    /// Floating point of 16 bits, 11 of them precise.
    F16,
    /// Floating point of 16 bits, with the range of 32 bits.
    BF16,
    /// Floating point of 32 bits.
    F32,
    /// Floating point of 64 bits.
    F64,
}

impl Dtype {
    /// Bytes of an element.
    pub fn size(self) -> usize {
        match self {
            Self::Bool | Self::U8 | Self::I8 => 1,
            Self::U16 | Self::I16 | Self::F16 | Self::BF16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
        }
    }

    /// The type of that name in safetensors, if it is one of these.
    pub(crate) fn of(dtype: safetensors::Dtype) -> Option<Self> {
        use safetensors::Dtype as Other;
        Some(match dtype {
            Other::BOOL => Self::Bool,
            Other::U8 => Self::U8,
            Other::I8 => Self::I8,
            Other::U16 => Self::U16,
            Other::I16 => Self::I16,
            Other::U32 => Self::U32,
            Other::I32 => Self::I32,
            Other::U64 => Self::U64,
            Other::I64 => Self::I64,
            Other::F16 => Self::F16,
            Other::BF16 => Self::BF16,
            Other::F32 => Self::F32,
            Other::F64 => Self::F64,
            _ => return None,
        })
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
