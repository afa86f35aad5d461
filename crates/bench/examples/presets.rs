//! What is compiled in: methods with their parameters, tasks, suites. `cargo run -p sure-bench --example presets`.

#![expect(clippy::print_stdout, reason = "an example shows what it found")]

use anyhow::Result;
use sure_bench::presets;

fn main() -> Result<()> {
    for name in presets::methods() {
        println!("method {name:20} {}", presets::method(name)?.summary);
    }
    for name in presets::tasks() {
        println!("task   {name:20} {}", presets::task(name)?.title);
    }
    for name in presets::suites() {
        let suite = presets::suite(name)?;
        println!("suite  {name:20} version {}, {}", suite.version, suite.title);
    }
    Ok(())
}
