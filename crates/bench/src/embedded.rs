//! What the repository itself has to run on: a small corpus, and a small backbone that was trained on speech like it.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::{
    backbone::Missing,
    environment,
    suite::{Profile, Suite},
};

/// The word after `--backbone` for the embedded one, and its name in records and tables.
pub const BACKBONE: &str = "nano-hubert";
/// What it is, in one line for the registry.
pub const SUMMARY: &str = "the embedded checkpoint: a small HuBERT, the default of `bench`";
/// The profile for data of one's own.
pub const GENERAL: &str = "small";

/// Where the corpus lies in a checkout: a folder of data sets, and the backbone beside them.
const FOLDER: &str = "datasets/mini";

/// The embedded corpus.
///
/// # Errors
/// [`Missing`] where neither this program nor the current folder is in a checkout.
pub fn corpus() -> Result<PathBuf> {
    let found = environment::places().iter().find_map(|place| above(place));
    found.ok_or_else(|| {
        let error = Missing(format!(
            "no embedded corpus: {FOLDER} lies in no folder above this program or the current folder; run `cargo xtask` \
             in a checkout, or name --data DIR and --backbone DIR"
        ));
        error.into()
    })
}

/// The folder of the embedded backbone.
///
/// # Errors
/// As [`corpus`].
pub fn backbone() -> Result<PathBuf> {
    Ok(corpus()?.join(BACKBONE))
}

/// The corpus in the first folder above `place` that has it.
fn above(place: &Path) -> Option<PathBuf> {
    place.ancestors().map(|folder| folder.join(FOLDER)).find(|folder| folder.is_dir())
}

/// What a benchmark runs on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// The profile.
    pub profile: String,
    /// The folder of data sets; `None` = the embedded corpus.
    pub data: Option<PathBuf>,
    /// The word after `--backbone`.
    pub backbone: String,
    /// What is to be said of it: which part was not named by the user.
    pub said: Option<String>,
}

/// Puts the embedded corpus and backbone in the place of what was not named, and finds the profile that belongs to the
/// data.
///
/// # Errors
/// When the profile does not belong to the data; [`Missing`] where that is because no data was named.
pub fn choose(
    suite: &Suite,
    profile: Option<String>,
    data: Option<PathBuf>,
    backbone: Option<String>,
) -> Result<Chosen> {
    let own = suite.profiles.iter().find(|(_, profile)| profile.embedded).map(|(name, _)| name.clone());
    let profile = match (profile, &own) {
        (Some(name), _) => name,
        (None, Some(own)) if data.is_none() => own.clone(),
        (None, _) => GENERAL.to_owned(),
    };
    let Profile { embedded: is_embedded, backbone: own_backbone, .. } = suite.profile(&profile)?;
    let is_embedded = *is_embedded;
    if data.is_some() && is_embedded {
        bail!(
            "the profile {profile} is for the embedded corpus and takes no --data; for data of your own there is \
             --profile {GENERAL}"
        );
    }
    // A profile with a backbone of its own names its data sets too, and both are downloaded.
    let downloaded = || own_backbone.as_ref().map(|_| environment::datasets());
    let data = data.or_else(downloaded);
    if data.is_none() && !is_embedded {
        let way =
            own.map(|own| format!(", or leave --profile out: {own} has data with it")).unwrap_or_default();
        return Err(Missing(format!(
            "the profile {profile} needs --data: a folder with a manifest.jsonl, a published data set, or a folder of \
             such folders (`cargo xtask datasets --json` says where sets are had){way}"
        ))
        .into());
    }
    if let (Some(own), Some(data)) = (own_backbone, &data) {
        let said = (backbone.is_none()).then(|| {
            format!("profile {profile}: the data sets in {}, and its backbone {own}", data.display())
        });
        let backbone = backbone.unwrap_or_else(|| own.clone());
        return Ok(Chosen { profile, data: Some(data.clone()), backbone, said });
    }
    let real = "real data and checkpoints: --data DIR --backbone DIR (README, \"Quick start\")";
    let said = match (&data, &backbone) {
        (None, None) => Some(format!(
            "profile {profile}: the embedded synthetic corpus and {BACKBONE}, as nothing else was named; {real}"
        )),
        (None, Some(_)) => {
            Some(format!("profile {profile}: the embedded synthetic corpus, as no --data was named"))
        }
        (Some(_), None) => Some(format!("backbone {BACKBONE}: the embedded one, as no --backbone was named")),
        (Some(_), Some(_)) => None,
    };
    Ok(Chosen { profile, data, backbone: backbone.unwrap_or_else(|| BACKBONE.to_owned()), said })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presets;

    fn choice(profile: Option<&str>, data: Option<&str>, backbone: Option<&str>) -> Result<Chosen> {
        let suite = presets::suite("sure").unwrap();
        choose(&suite, profile.map(str::to_owned), data.map(PathBuf::from), backbone.map(str::to_owned))
    }

    #[test]
    fn what_is_not_named_is_embedded_and_said() {
        for (data, backbone, profile, uses, word) in [
            (None, None, "mini", BACKBONE, "nothing else was named"),
            (None, Some("b"), "mini", "b", "no --data"),
            (Some("d"), None, "small", BACKBONE, "no --backbone"),
        ] {
            let chosen = choice(None, data, backbone).unwrap();
            assert_eq!((chosen.profile.as_str(), chosen.backbone.as_str()), (profile, uses));
            assert_eq!(chosen.data, data.map(PathBuf::from));
            assert!(chosen.said.unwrap().contains(word));
        }
        let named = choice(None, Some("d"), Some("b")).unwrap();
        assert_eq!((named.profile.as_str(), named.said), ("small", None));
        assert_eq!(choice(Some("paper"), Some("d"), Some("b")).unwrap().profile, "paper");
        assert_eq!(choice(Some("mini"), None, None).unwrap(), choice(None, None, None).unwrap());
    }

    #[test]
    fn a_profile_without_its_data_names_the_way_out() {
        let missing = choice(Some("small"), None, None).unwrap_err();
        assert!(missing.downcast_ref::<Missing>().is_some());
        assert!(missing.to_string().contains("small needs --data"), "{missing}");
        let wrong = choice(Some("mini"), Some("d"), None).unwrap_err();
        assert!(wrong.downcast_ref::<Missing>().is_none());
        assert!(wrong.to_string().contains("--profile small"), "{wrong}");
        let unknown = choice(Some("minni"), None, None).unwrap_err().to_string();
        assert!(unknown.contains("minni") && unknown.contains("paper"), "{unknown}");
    }

    #[test]
    fn a_profile_with_a_backbone_runs_on_what_was_downloaded() {
        let own = "jonatasgrosman/wav2vec2-large-xlsr-53-english";
        let chosen = choice(Some("paper"), None, None).unwrap();
        assert_eq!((chosen.data, chosen.backbone.as_str()), (Some(environment::datasets()), own));
        assert!(chosen.said.unwrap().contains(own));
        let chosen = choice(Some("paper"), Some("d"), None).unwrap();
        assert_eq!((chosen.data, chosen.backbone.as_str()), (Some(PathBuf::from("d")), own));
        let chosen = choice(Some("paper"), None, Some("b")).unwrap();
        assert_eq!((chosen.data, chosen.backbone.as_str()), (Some(environment::datasets()), "b"));
    }

    #[test]
    fn the_corpus_is_found_above_a_place() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("target/release");
        std::fs::create_dir_all(&deep).unwrap();
        assert_eq!(above(&deep), None);
        std::fs::create_dir_all(folder.path().join(FOLDER)).unwrap();
        assert_eq!(above(&deep), Some(folder.path().join(FOLDER)));
    }
}
