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

/// The safetensors files of `folder`: the single one, or the shards that the index lists.
pub(crate) fn weight_files(folder: &Path) -> Result<Vec<PathBuf>, ZooError> {
    #[derive(Deserialize)]
    struct Index {
        weight_map: BTreeMap<String, String>,
    }

    let single = folder.join("model.safetensors");
    if single.is_file() {
        return Ok(vec![single]);
    }
    let index = folder.join("model.safetensors.index.json");
    if !index.is_file() {
        return Err(ZooError::NoWeights { folder: folder.to_owned() });
    }
    let shards: BTreeSet<String> = read_json::<Index>(&index)?.weight_map.into_values().collect();
    shards
        .into_iter()
        .map(|file| {
            // An index is an untrusted file: it must not lead out of the folder.
            let mut parts = Path::new(&file).components();
            match (parts.next(), parts.next()) {
                (Some(Component::Normal(_)), None) => Ok(folder.join(&file)),
                _ => Err(ZooError::BadShard { index: index.clone(), file }),
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
    fn a_folder_without_weights_says_what_was_looked_for() {
        let folder = folder("empty");
        let error = weight_files(&folder).unwrap_err().to_string();
        assert!(error.contains("model.safetensors"), "{error}");
        fs::remove_dir_all(folder).unwrap();
    }
}
