//! One cell, from the manifest to the record.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Result, anyhow, ensure};
use sure_data::{LabelledSet, Split, TaskCard};
use sure_metrics::{Metric, Score, SplitMix64, bootstrap, metric};
use sure_nn::{Backbone, DeviceChoice, Seed, tch};
use sure_records::{
    CheckResult, Cost, Counts, Outcome, PredictionRow, RunRecord, SCHEMA_VERSION, SplitScore, write_atomic,
};
use sure_tasks::{Task, task_for};
use sure_train::{
    CacheMode, Clip, Doctor, Evaluation, Model, Observer, Subset, TrainError, Trained, Trunk, TrunkKey,
    evaluate, train,
};
use sure_zoo::Compat;

use crate::{
    backbone::BackboneRef,
    celldata::CellData,
    environment,
    model::{self, Declared, Start},
    rundir::{self, RunFile},
};

/// Resamples of an interval, and draws of the random floor.
const RESAMPLES: usize = 1000;
/// Clips on which the doctor compares models.
const PROBE: usize = 4;

/// A change of a model's parts before training, for tests that plant a fault.
pub type Tamper<'a> = &'a dyn Fn(&mut Model);

/// How a cell is run.
#[derive(Default)]
#[expect(missing_debug_implementations, reason = "it holds a closure")]
pub struct CellOptions<'a> {
    /// A fault to plant.
    pub tamper: Option<Tamper<'a>>,
    /// Called with the folder once the model is saved, before it is checked.
    pub after_save: Option<&'a dyn Fn(&Path)>,
}

/// Runs the cell that `folder` describes and writes its record; an error in the run is written as a record too.
///
/// # Errors
/// When the run's own files cannot be read or written, or it was interrupted.
pub fn run_cell(folder: &Path, options: &CellOptions, observer: &mut dyn Observer) -> Result<RunRecord> {
    let run = RunFile::read(folder)?;
    let result = execute(folder, &run, options, observer);
    let record = match result {
        Ok(finished) => {
            let text = finished.predictions.iter().map(|row| Ok(serde_json::to_string(row)? + "\n"));
            let text = text.collect::<Result<String>>()?;
            write_atomic(&folder.join("predictions.jsonl"), text.as_bytes())?;
            write_atomic(
                &folder.join("cost.json"),
                serde_json::to_string_pretty(&finished.cost)?.as_bytes(),
            )?;
            finished.record
        }
        Err(error) if is_interrupt(&error) => return Err(error),
        Err(error) => failed(&run, &error),
    };
    write_atomic(&folder.join("record.json"), record.to_json().as_bytes())?;
    if record.outcome.is_ok() {
        // What is needed for resuming is needed no more.
        let _ = std::fs::remove_file(folder.join("checkpoint.safetensors"));
    }
    Ok(record)
}

/// Whether the run was asked to stop, and can be resumed.
pub fn is_interrupt(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(TrainError::Interrupted { .. }))
}

/// The record of a run that failed.
pub fn failed(run: &RunFile, error: &anyhow::Error) -> RunRecord {
    let found = error.chain().find_map(|cause| cause.downcast_ref::<TrainError>());
    let outcome = Outcome::Error {
        kind: found.map_or("error", TrainError::kind).to_owned(),
        message: format!("{error:#}"),
        tensor: found.and_then(TrainError::tensor).map(str::to_owned),
    };
    RunRecord {
        schema_version: SCHEMA_VERSION,
        id: run.cell.id(),
        cell: run.cell.clone(),
        provenance: environment::provenance(&run.cell.device),
        counts: Counts::default(),
        outcome,
        scores: Vec::new(),
        floor: None,
        curve: Vec::new(),
        best_step: None,
        converged: false,
        checks: Vec::new(),
    }
}

struct Finished {
    record: RunRecord,
    predictions: Vec<PredictionRow>,
    cost: Cost,
}

fn execute(
    folder: &Path,
    run: &RunFile,
    options: &CellOptions,
    observer: &mut dyn Observer,
) -> Result<Finished> {
    let start = Instant::now();
    let config = run.config()?;
    tch::set_num_threads(i32::try_from(run.cell.threads)?);
    let device: DeviceChoice = run.cell.device.parse()?;
    let device = device.resolve()?;
    let backbone = BackboneRef::find(&run.backbone)?.open(device, Compat::Sure)?;
    let data = CellData::read(&config.task, config.limit, config.protocol, &run.data, &*backbone)?;
    check_identity(run, &*backbone, &data)?;
    let task = task_for(&config.task, &data.set.labels);
    let metrics = metrics(&config.task)?;
    let metric = metrics[0];
    let seed = Seed::new(run.cell.seed);
    let (mut model, declared) =
        model::build(backbone, &config.method, &*task, config.regime(), Start::Seeded(seed))?;
    if let Some(tamper) = options.tamper {
        tamper(&mut model);
    }
    let mut doctor = Doctor::new(&model);
    doctor.counts(&model, declared.adapter, declared.head)?;

    let trunk = open_trunk(folder, run, &model, data.clips())?;
    let filling = Instant::now();
    trunk.fill(&*model.backbone, observer)?;
    let seconds_trunk = filling.elapsed().as_secs_f64();

    let training = Instant::now();
    let [train_set, valid, test] = [Split::Train, Split::Valid, Split::Test].map(|split| data.subset(split));
    let trained = train(
        &model,
        &*task,
        &trunk,
        (&train_set, &valid),
        metric,
        &config.train,
        (run.cell.id().as_str(), seed),
        folder,
        &mut doctor,
        observer,
    )?;
    let seconds_train = training.elapsed().as_secs_f64();

    let probe = || trunk.batch(&test.clips[..PROBE.min(test.clips.len())]);
    doctor.after_training(&model, &probe)?;
    rundir::save_model(folder, &model)?;
    if let Some(after_save) = options.after_save {
        after_save(folder);
    }
    doctor.reloaded(&model, &run.load_model(folder, device)?, &probe)?;

    let evaluating = Instant::now();
    let scored = evaluate(&model, &*task, &trunk, &test, metric)?;
    let on_valid = evaluate(&model, &*task, &trunk, &valid, metric)?;
    let seconds_eval = evaluating.elapsed().as_secs_f64();

    let mut scores = Vec::new();
    for (split, on) in [(Split::Valid, &on_valid), (Split::Test, &scored)] {
        for metric in &metrics {
            scores.push(split_score(split, on, *metric)?);
        }
    }
    let predictions = rows(&test, &scored);
    let cost = Cost {
        seconds_total: start.elapsed().as_secs_f64(),
        seconds_trunk,
        seconds_train,
        seconds_eval,
        seconds_per_step: seconds_train / trained.steps_here.max(1) as f64,
        steps: trained.steps_here,
        peak_memory_bytes: sure_sys::peak_memory_bytes().unwrap_or(0),
        adapter_bytes: model.adapted.store.bytes() + model.unfrozen.bytes(),
        head_bytes: model.headed.store.bytes(),
    };
    let floor = random_floor(&data.set, &*task, metric)?;
    let findings = findings(&data.set, &scored, &trained);
    let mut record = finish(run, &model, declared, &doctor, trained, scores, floor);
    record.checks.extend(findings);
    Ok(Finished { record, predictions, cost })
}

/// The metrics of a task: the one that decides, then the others.
fn metrics(card: &TaskCard) -> Result<Vec<&'static dyn Metric>> {
    card.metrics().map(|name| Ok(metric(name)?)).collect()
}

/// What is known of labels and answers that no number shows.
fn findings(set: &LabelledSet, scored: &Evaluation, trained: &Trained) -> Vec<CheckResult> {
    let finding = |name: &str, detail| CheckResult { name: name.to_owned(), ok: true, detail };
    let mut found: Vec<CheckResult> = set.notes.iter().map(|note| finding("data", note.clone())).collect();
    let short = "have fewer frames than their transcript needs";
    if scored.too_short > 0 {
        let (short_ones, all) = (scored.too_short, scored.references.len());
        found.push(finding(
            "too-short",
            format!("{short_ones} of {all} test utterances {short} and cannot be right"),
        ));
    }
    if trained.too_short > 0 {
        let (short_ones, all) = (trained.too_short, trained.seen);
        found.push(finding(
            "too-short",
            format!("{short_ones} of the {all} utterances seen in training {short} and taught nothing"),
        ));
    }
    found
}

/// The cell's id must speak of what is really there.
fn check_identity(run: &RunFile, backbone: &dyn Backbone, data: &CellData) -> Result<()> {
    ensure!(
        backbone.identity() == run.cell.weights_hash,
        "the weights of {} changed since the run was planned",
        run.backbone
    );
    ensure!(
        data.fingerprint.hash == run.cell.data_fingerprint,
        "the data in {} changed since the run was planned",
        run.data.display()
    );
    ensure!(
        data.set.labels == run.labels,
        "the labels in {} changed since the run was planned",
        run.data.display()
    );
    Ok(())
}

fn open_trunk(folder: &Path, run: &RunFile, model: &Model, clips: Vec<Clip>) -> Result<Trunk> {
    let provenance = environment::provenance(&run.cell.device);
    let key = TrunkKey {
        weights: run.cell.weights_hash.clone(),
        precision: run.cell.precision.clone(),
        threads: run.cell.threads,
        machine: format!("{} libtorch {}", provenance.processor, provenance.libtorch),
    };
    let cache = match &run.cache {
        Some(shared) => CacheMode::Shared(shared.clone()),
        None => CacheMode::Private(folder.join("trunk")),
    };
    Ok(Trunk::open(&*model.backbone, model.cut, clips, &key, &cache)?)
}

fn finish(
    run: &RunFile,
    model: &Model,
    declared: Declared,
    doctor: &Doctor,
    trained: Trained,
    scores: Vec<SplitScore>,
    floor: SplitScore,
) -> RunRecord {
    let (backbone, unfrozen) = (model.backbone.store().count(), model.unfrozen.count());
    let Declared { adapter, head } = declared;
    RunRecord {
        schema_version: SCHEMA_VERSION,
        id: run.cell.id(),
        cell: run.cell.clone(),
        provenance: environment::provenance(&run.cell.device),
        counts: Counts {
            backbone,
            adapter,
            head,
            unfrozen,
            trainable: adapter + head + unfrozen,
            total: backbone + adapter + head,
        },
        outcome: Outcome::Ok,
        scores,
        floor: Some(floor),
        curve: trained.curve,
        best_step: Some(trained.best_step),
        converged: trained.converged,
        checks: doctor.results().to_vec(),
    }
}

fn split_score(split: Split, scored: &Evaluation, metric: &dyn Metric) -> Result<SplitScore> {
    let answers: Vec<String> = scored.predictions.iter().map(|prediction| prediction.value.clone()).collect();
    let statistic = metric.statistic(&answers, &scored.references)?;
    // The score is the statistic of all items.
    let value = statistic(&(0..answers.len()).collect::<Vec<_>>());
    Ok(SplitScore {
        split: split.name().to_owned(),
        score: score(metric, value, answers.len()),
        interval: Some(bootstrap(answers.len(), RESAMPLES, 0, statistic)?),
    })
}

/// What drawing labels from the training distribution scores on the test split, or saying nothing.
fn random_floor(set: &LabelledSet, task: &dyn Task, metric: &dyn Metric) -> Result<SplitScore> {
    let references: Vec<String> = set.test.iter().map(|example| task.reference(example)).collect();
    let value = if let Some(silence) = task.silence() {
        metric.score(&vec![silence; references.len()], &references)?
    } else {
        let pool: Vec<String> = set.train.iter().map(|example| task.reference(example)).collect();
        let mut random = SplitMix64::new(0);
        let mut values = Vec::with_capacity(RESAMPLES);
        for _ in 0..RESAMPLES {
            let drawn: Vec<String> =
                references.iter().map(|_| pool[random.below(pool.len())].clone()).collect();
            values.push(metric.score(&drawn, &references)?);
        }
        values.iter().sum::<f64>() / values.len() as f64
    };
    Ok(SplitScore {
        split: Split::Test.name().to_owned(),
        score: score(metric, value, references.len()),
        interval: None,
    })
}

fn score(metric: &dyn Metric, value: f64, n: usize) -> Score {
    let info = metric.info();
    Score {
        name: info.name.to_string(),
        value,
        unit: "ratio".to_owned(),
        higher_is_better: info.higher_is_better,
        n,
    }
}

fn rows(test: &Subset, scored: &Evaluation) -> Vec<PredictionRow> {
    let all = test.examples.iter().zip(&scored.predictions).zip(&scored.references);
    all.map(|((example, prediction), reference)| PredictionRow {
        id: example.id.clone(),
        reference: reference.clone(),
        prediction: prediction.value.clone(),
        score: prediction.score,
    })
    .collect()
}

/// The manifest's absolute path, for a run file.
///
/// # Errors
/// When it is not there.
pub fn absolute(path: &Path) -> Result<PathBuf> {
    path.canonicalize().map_err(|error| anyhow!("{}: {error}", path.display()))
}
