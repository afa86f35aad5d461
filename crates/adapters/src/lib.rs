//! The adaptation methods. Each is one file: its configuration, its patch, its parameter formula, its tests.
//!
//! A method knows no backbone: it is told the sites (a [`Placement`](sure_nn::Placement) resolved against an
//! [`Anatomy`]) and their widths, and acts through [`sure_nn::Adapter`].

mod lora;
mod method;

pub use lora::{Lora, LoraConfig};
pub use method::{AdapterConfig, Built};
#[doc(no_inline)]
pub use sure_nn::Anatomy;
