//! Clusters and loss of pretraining against scikit-learn and torch (`tests/golden/pretrain`).
#![expect(clippy::unwrap_used, reason = "a test's helpers may panic as the test itself may")]

use std::collections::BTreeMap;

use sure_nn::{
    Checkpoint, Loading, Source,
    tch::{Device, Kind, Tensor},
};
use sure_train::pretrain::{KMeans, PretrainHead};

const TEMPERATURE: f64 = 0.1;

fn golden() -> Checkpoint {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/pretrain/pretrain.safetensors");
    Checkpoint::open(&[path.into()]).unwrap()
}

fn difference(ours: &Tensor, theirs: &Tensor) -> f64 {
    assert_eq!(ours.size(), theirs.size());
    (ours - theirs).abs().max().double_value(&[])
}

#[test]
fn the_same_first_centroids_end_in_the_clusters_of_scikit_learn() {
    let golden = golden();
    let tensor = |name: &str| golden.tensor(&format!("kmeans.{name}")).unwrap().unwrap();
    let points = tensor("points");
    let fitted = KMeans::lloyd(&points, &tensor("init"), 300, 0.0);
    let labels: Vec<i64> = Vec::try_from(tensor("labels").to_kind(Kind::Int64)).unwrap();
    assert_eq!(fitted.assign(&points), labels);
    assert!(difference(&fitted.centroids, &tensor("centroids")) < 1e-4);
    let inertia = tensor("inertia").double_value(&[0]);
    assert!((fitted.inertia / inertia - 1.0).abs() < 1e-4, "{} is not {inertia}", fitted.inertia);
}

#[test]
fn the_loss_and_its_gradients_are_those_of_the_formula() {
    let golden = golden();
    let tensor = |name: &str| golden.tensor(&format!("head.{name}")).unwrap().unwrap();
    let weights = ["projection.weight", "projection.bias", "clusters"];
    let weights: BTreeMap<String, Tensor> =
        weights.map(|name| (name.to_owned(), tensor(name))).into_iter().collect();
    let folder = std::env::temp_dir().join(format!("sure-train-head-{}.safetensors", std::process::id()));
    std::fs::write(&folder, Checkpoint::to_bytes(&weights, None).unwrap()).unwrap();
    let source = Source::own_names(Checkpoint::open(std::slice::from_ref(&folder)).unwrap());
    std::fs::remove_file(folder).unwrap();
    let loading = Loading::trainable(source, Device::Cpu);
    let head = PretrainHead::new(&loading.root(), (16, 8), 11, TEMPERATURE).unwrap();
    let store = loading.finish(|_| false).unwrap();

    let hidden = tensor("hidden").set_requires_grad(true);
    let logits = head.forward(&hidden);
    let (loss, accuracy) = PretrainHead::loss(&logits, &tensor("targets").to_kind(Kind::Int64));
    loss.backward();
    assert!(difference(&logits.detach(), &tensor("logits")) < 1e-5);
    assert!((loss.double_value(&[]) - tensor("loss").double_value(&[0])).abs() < 1e-5);
    assert!((accuracy - tensor("accuracy").double_value(&[0])).abs() < 1e-6);
    assert!(difference(&hidden.grad(), &tensor("hidden.grad")) < 1e-5);
    let clusters = store.get("clusters").unwrap().tensor.grad();
    assert!(difference(&clusters, &tensor("clusters.grad")) < 1e-5);
}
