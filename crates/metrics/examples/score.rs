//! A score with its interval, and a paired comparison: `cargo run -p sure-metrics --example score`.

#![expect(clippy::print_stdout, reason = "an example shows what it found")]

use sure_metrics::{MetricError, bootstrap, metric, paired_bootstrap};

fn main() -> Result<(), MetricError> {
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let references = words("yes no stop go yes no stop go yes no stop go");
    let first = words("yes no stop go yes no stop go no no stop go");
    let second = words("yes no stop go no no go go no no stop stop");

    let accuracy = metric("accuracy")?;
    for (name, answers) in [("first", &first), ("second", &second)] {
        let score = accuracy.evaluate(answers, &references)?;
        let interval = bootstrap(references.len(), 1000, 0, accuracy.statistic(answers, &references)?)?;
        println!(
            "{name:7} {} {:.3}, 95 % in {:.3} to {:.3}",
            score.name, score.value, interval.low, interval.high
        );
    }
    let (a, b) = (accuracy.statistic(&first, &references)?, accuracy.statistic(&second, &references)?);
    let difference = paired_bootstrap(references.len(), 1000, 0, |items| a(items) - b(items))?;
    println!("{:+.3}, 95 % in {:+.3} to {:+.3}", difference.mean, difference.low, difference.high);
    println!("a tie: {}", difference.is_tie());
    Ok(())
}
