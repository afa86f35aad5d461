//! What the loop does with its budget: accumulation and early stopping.
#![expect(clippy::unwrap_used, reason = "a test's helpers may panic as the test itself may")]

#[expect(dead_code, reason = "the cells run in this process")]
mod common;
#[path = "common/planned.rs"]
mod planned;

use planned::planned;
use sure_bench::cell::{CellOptions, run_cell};
use sure_records::RunRecord;
use sure_train::{Silent, TrainConfig};

/// Runs LoRA on the small corpus with a changed budget.
fn run(change: impl Fn(&mut TrainConfig)) -> RunRecord {
    let folder = tempfile::tempdir().unwrap();
    let mut run = planned("lora", folder.path(), None);
    let mut config = run.config().unwrap();
    change(&mut config.train);
    run.cell.config = serde_json::to_value(&config).unwrap();
    let cell = folder.path().join("cell");
    run.write(&cell).unwrap();
    run_cell(&cell, &CellOptions::default(), &mut Silent).unwrap()
}

fn curve(record: &RunRecord) -> Vec<f64> {
    record.curve.iter().map(|point| point.train_loss).collect()
}

#[test]
fn accumulated_batches_count_as_one_batch_of_all_their_clips() {
    // The training set at once, or in two halves.
    let budget = |batch, accumulate| {
        move |train: &mut TrainConfig| {
            (train.steps, train.batch, train.eval_every, train.accumulate) = (6, batch, 1, accumulate);
        }
    };
    let (once, twice) = (curve(&run(budget(24, 1))), curve(&run(budget(12, 2))));
    assert_eq!((once.len(), twice.len()), (6, 6));
    assert!(once[0] > once[5], "nothing was learned: {once:?}");
    for (one, two) in once.iter().zip(&twice) {
        assert!((one - two).abs() < 1e-4, "{once:?}\n{twice:?}");
    }
}

#[test]
fn training_stops_after_so_many_evaluations_without_a_better_one() {
    let record = run(|train| {
        // At this rate the first steps learn what there is, and the later ones destroy it.
        (train.steps, train.eval_every, train.patience) = (200, 1, 3);
        (train.lr, train.head_lr) = (0.3, 0.3);
    });
    let best = record.best_step.unwrap();
    let last = record.curve.last().unwrap().step;
    assert!(last < 200, "the whole budget was used");
    assert_eq!(last, best + 3, "three evaluations after the best one");
}

#[test]
fn without_patience_the_whole_budget_is_used() {
    let record = run(|train| (train.steps, train.eval_every, train.patience) = (9, 2, 0));
    let steps: Vec<u64> = record.curve.iter().map(|point| point.step).collect();
    assert_eq!(steps, [2, 4, 6, 8, 9]);
}
