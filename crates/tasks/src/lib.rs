//! Heads, losses and decoding of the tasks.
