//! The files of a model repository.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Component, Path, PathBuf},
};

use serde::{Deserialize, de::DeserializeOwned};

use crate::ZooError;

/// Reads a JSON file of the repository.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, ZooError> {
    let text = fs::read_to_string(path).map_err(|source| ZooError::Read { path: path.to_owned(), source })?;
    serde_json::from_str(&text).map_err(|source| ZooError::Json { path: path.to_owned(), source })
}

/// Where weights may lie in a repository, in the order in which they are looked for: safetensors before the files of
/// PyTorch, a single file before the shards that an index lists.
const WEIGHTS: [(&str, &str); 2] = [
    ("model.safetensors", "model.safetensors.index.json"),
    ("pytorch_model.bin", "pytorch_model.bin.index.json"),
];

/// The files of weights of `folder`: the first of [`WEIGHTS`] that is there.
pub(crate) fn weight_files(folder: &Path) -> Result<Vec<PathBuf>, ZooError> {
    for (single, index) in WEIGHTS.map(|(single, index)| (folder.join(single), folder.join(index))) {
        if single.is_file() {
            return Ok(vec![single]);
        }
        if index.is_file() {
            return shards(folder, &index);
        }
    }
    let looked_for = WEIGHTS.iter().flat_map(|(single, index)| [*single, *index]).collect();
    Err(ZooError::NoWeights { folder: folder.to_owned(), looked_for })
}

/// The files that an index lists, each once.
fn shards(folder: &Path, index: &Path) -> Result<Vec<PathBuf>, ZooError> {
    #[derive(Deserialize)]
    struct Index {
        weight_map: BTreeMap<String, String>,
    }

    let shards: BTreeSet<String> = read_json::<Index>(index)?.weight_map.into_values().collect();
    shards
        .into_iter()
        .map(|file| {
            // An index is an untrusted file: it must not lead out of the folder.
            let mut parts = Path::new(&file).components();
            match (parts.next(), parts.next()) {
                (Some(Component::Normal(_)), None) => Ok(folder.join(&file)),
                _ => Err(ZooError::BadShard { index: index.to_owned(), file }),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("sure-zoo-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn an_index_that_leads_out_of_the_folder_is_refused() {
        let folder = folder("escape");
        let index = r#"{"weight_map": {"a": "../../etc/passwd"}}"#;
        fs::write(folder.join("model.safetensors.index.json"), index).unwrap();
        assert!(matches!(weight_files(&folder), Err(ZooError::BadShard { .. })));
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn safetensors_come_before_pytorch_and_one_file_before_its_shards() {
        let folder = folder("order");
        let index = r#"{"weight_map": {"a": "SHARD-2", "b": "SHARD-1", "c": "SHARD-2"}}"#;
        let names = |files: Vec<PathBuf>| -> Vec<String> {
            files.iter().map(|file| file.file_name().unwrap().to_string_lossy().into_owned()).collect()
        };
        for (name, expected) in [
            ("pytorch_model.bin.index.json", &["bin-1", "bin-2"][..]),
            ("pytorch_model.bin", &["pytorch_model.bin"]),
            ("model.safetensors.index.json", &["safe-1", "safe-2"]),
            ("model.safetensors", &["model.safetensors"]),
        ] {
            let shard = if name.starts_with("pytorch") { "bin" } else { "safe" };
            fs::write(folder.join(name), index.replace("SHARD", shard)).unwrap();
            assert_eq!(names(weight_files(&folder).unwrap()), expected);
        }
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_folder_without_weights_says_what_was_looked_for() {
        let folder = folder("empty");
        let error = weight_files(&folder).unwrap_err().to_string();
        for name in WEIGHTS.iter().flat_map(|(single, index)| [single, index]) {
            assert!(error.contains(name), "{error}");
        }
        fs::remove_dir_all(folder).unwrap();
    }
}
