//! `params` on the published configurations gives the counts of the SURE paper's logs and tables.
#![expect(clippy::unwrap_used, reason = "a test's helpers may panic as the test itself may")]

#[expect(dead_code, reason = "each test uses its part of the common helpers")]
mod common;

use std::path::PathBuf;

use common::{succeed, sure};
use serde_json::Value;

const LARGE: &str = "wav2vec2-large-xlsr-53";
const BASE: &str = "wav2vec2-base";

fn params(backbone: &str, method: &str, more: &[&str]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let configs = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/speech/configs");
    let mut command = sure(folder.path());
    command.args(["params", "--json", "--method", method, "--backbone"]);
    command.arg(PathBuf::from(configs).join(backbone)).args(more);
    serde_json::from_slice(&succeed(&mut command).stdout).unwrap()
}

#[test]
fn the_adapters_have_the_published_counts_and_shares() {
    for (method, large, base) in [
        ("bottleneck", 25_202_688, 7_091_712),
        ("prefix", 1_474_560, 552_960),
        ("lora", 3_538_944, 1_327_104),
        ("conv", 3_403_776, 981_504),
        ("tiny-attention", 172_296, 64_644),
        ("external-attention", 442_368, 165_888),
        ("tiny-conformer", 1_665_672, 476_628),
    ] {
        for (backbone, whole, adapter) in [(LARGE, 315_438_720, large), (BASE, 94_371_712, base)] {
            let counted = params(backbone, method, &[]);
            assert_eq!(counted["backbone"], whole, "{backbone}");
            assert_eq!(counted["adapter"], adapter, "{method} on {backbone}");
            let share = 100.0 * f64::from(adapter) / f64::from(whole);
            assert!((counted["percent"].as_f64().unwrap() - share).abs() < 1e-9);
        }
    }
}

#[test]
fn the_submissions_conv_adapter_has_its_published_count_at_124_frames() {
    assert_eq!(params(LARGE, "conv-2022", &[])["adapter"], 2_325_792 + 361_520);
    let longer = params(LARGE, "conv-2022", &["--frames", "249"]);
    assert!(longer["adapter"].as_u64().unwrap() > 4 * 2_325_792, "frames are channels: {longer}");
}

#[test]
fn with_heads_the_totals_are_those_of_the_paper() {
    let head = |kind: &'static str, classes: &'static str| ["--head", kind, "--classes", classes];
    let totals = [
        (head("classifier", "5"), [25_466_373, 1_738_245, 3_802_629, 3_667_461]),
        (head("classifier", "107"), [25_492_587, 1_764_459, 3_828_843, 3_693_675]),
        (head("classifier", "11"), [25_467_915, 1_739_787, 3_804_171, 3_669_003]),
        (head("classifier", "24"), [25_471_256, 1_743_128, 3_807_512, 3_672_344]),
        (head("ctc", "30"), [25_233_438, 1_505_310, 3_569_694, 3_434_526]),
        (head("ctc", "75"), [25_279_563, 1_551_435, 3_615_819, 3_480_651]),
        (head("ctc", "74"), [25_278_538, 1_550_410, 3_614_794, 3_479_626]),
        (head("ctc", "143"), [25_349_263, 1_621_135, 3_685_519, 3_550_351]),
    ];
    for (head, expected) in totals {
        for (method, total) in ["bottleneck", "prefix", "lora", "conv"].iter().zip(expected) {
            assert_eq!(params(LARGE, method, &head)["trainable"], total, "{method} {head:?}");
        }
    }
    // The denominator of the paper's shares: full fine-tuning with the head of eleven keywords.
    let whole = params(LARGE, "finetune", &head("classifier", "11"));
    assert_eq!(whole["total"], 315_703_947);
}
