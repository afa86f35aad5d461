//! From a file to a mono waveform or a log-mel matrix, with typed errors and no panic on any input.
