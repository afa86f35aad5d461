//! The adaptation methods.
