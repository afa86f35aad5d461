//! The binary `sure`: see `sure --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    sure_sys::tune_allocator();
    sure_bench::cli::main()
}
