//! A cell of the small corpus, planned for a test that runs it in its own process.

use std::path::Path;

use sure_bench::{
    plan::{Choices, RateOverride, Request, Transcripts, plan},
    rundir::RunFile,
};
use sure_nn::DeviceChoice;

use crate::common::{backbone, corpus};

/// The one cell of `method` for keywords, on a corpus that is made in `folder`.
pub(crate) fn planned(method: &str, folder: &Path, max_steps: Option<u64>) -> RunFile {
    planned_on(&corpus(folder), "ks", method, max_steps)
}

/// The one cell of `method` for `task` on the data in `data`.
pub(crate) fn planned_on(data: &Path, task: &str, method: &str, max_steps: Option<u64>) -> RunFile {
    let request = Request {
        suite: "sure".to_owned(),
        profile: "small".to_owned(),
        tasks: vec![task.to_owned()],
        methods: vec![method.to_owned()],
        backbone: backbone().display().to_string(),
        data: data.to_owned(),
        seeds: vec![0],
        limit: None,
        max_steps,
        rates: RateOverride::default(),
        threads: 1,
        precision: "fp32".to_owned(),
        device: DeviceChoice::Cpu,
        cache: None,
        compat: Choices::Sure,
        transcripts: Transcripts::Gold,
    };
    plan(&request).unwrap().runs.remove(0)
}
