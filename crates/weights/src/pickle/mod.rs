//! Pickles, read without running them.

mod calls;
mod machine;
pub(crate) mod opcode;
pub(crate) mod state;
pub(crate) mod value;

pub(crate) use machine::{Fault, read};
