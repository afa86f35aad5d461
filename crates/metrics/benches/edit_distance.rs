//! A hundred thousand utterances scored, and a bootstrap over a test set.

mod pairs;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sure_metrics::{Unit, bootstrap, edit_counts, metric};

const UTTERANCES: usize = 100_000;
/// As many as `test-clean` of LibriSpeech has, about.
const TEST_SET: usize = 2_600;

fn scoring(criterion: &mut Criterion) {
    let (references, hypotheses) = pairs::pairs(UTTERANCES, 1);
    let mut group = criterion.benchmark_group("scoring, 100,000 utterances");
    group.sample_size(10);
    group.throughput(Throughput::Elements(UTTERANCES as u64));
    for name in ["wer", "cer"] {
        group.bench_function(name, |bencher| {
            bencher
                .iter(|| metric(name).and_then(|metric| metric.score(black_box(&hypotheses), &references)));
        });
    }
    group.bench_function("counts of words", |bencher| {
        bencher.iter(|| edit_counts(Unit::Word, black_box(&hypotheses), &references));
    });
    group.finish();
}

fn resampling(criterion: &mut Criterion) {
    let (references, hypotheses) = pairs::pairs(TEST_SET, 2);
    criterion.bench_function("bootstrap of wer, 1000 resamples of 2,600 utterances", |bencher| {
        bencher.iter(|| {
            let statistic = metric("wer")?.statistic(black_box(&hypotheses), &references)?;
            bootstrap(TEST_SET, 1000, 0, statistic)
        });
    });
}

criterion_group!(benches, scoring, resampling);
criterion_main!(benches);
