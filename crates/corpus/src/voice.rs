//! Who speaks: variants of eSpeak NG's voices, each with one accent, and flite's voices of real speakers.

use std::fmt;

/// A voice, and so a speaker of the corpus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Voice {
    /// The speaker's name in manifests.
    pub name: &'static str,
    /// What the engine calls it.
    pub engine_name: &'static str,
    /// Which program speaks.
    pub engine: Engine,
    /// The accent: eSpeak NG's code of the language; `en-us` for most of flite's.
    pub accent: &'static str,
    /// What the voice is for: speakers of validation and test are never heard in training.
    pub part: Part,
}

/// A speech synthesiser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Engine {
    /// eSpeak NG: formants.
    Espeak,
    /// flite: recorded speakers; heard in test splits alone.
    Flite,
}

impl Engine {
    /// Its name in manifests.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Espeak => "espeak-ng",
            Self::Flite => "flite",
        }
    }
}

/// A split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// Training.
    Train,
    /// Validation.
    Valid,
    /// Test.
    Test,
}

impl Part {
    /// All, in order.
    pub const ALL: [Self; 3] = [Self::Train, Self::Valid, Self::Test];

    /// Its name in manifests.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Valid => "valid",
            Self::Test => "test",
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

const fn espeak(name: &'static str, engine_name: &'static str, accent: &'static str, part: Part) -> Voice {
    Voice { name, engine_name, engine: Engine::Espeak, accent, part }
}

const fn flite(name: &'static str, engine_name: &'static str, accent: &'static str) -> Voice {
    Voice { name, engine_name, engine: Engine::Flite, accent, part: Part::Test }
}

use Part::{Test, Train, Valid};

/// All voices. Each variant has one accent; every accent is heard in training, and the splits have low and high voices.
pub const VOICES: [Voice; 40] = [
    espeak("alex", "en-us+Alex", "en-us", Train),
    espeak("alicia", "en-us+Alicia", "en-us", Train),
    espeak("andy", "en+Andy", "en-gb", Train),
    espeak("annie", "en-gb-x-rp+Annie", "en-gb-x-rp", Train),
    espeak("denis", "en-gb-scotland+Denis", "en-gb-scotland", Train),
    espeak("jacky", "en-gb-x-gbclan+Jacky", "en-gb-x-gbclan", Train),
    espeak("marco", "en-029+Marco", "en-029", Train),
    espeak("ricishay", "en-us+RicishayMax2", "en-us", Train),
    espeak("adam", "en-gb-x-gbcwmd+adam", "en-gb-x-gbcwmd", Train),
    espeak("anika", "en-us+anika", "en-us", Train),
    espeak("announcer", "en-gb-x-rp+announcer", "en-gb-x-rp", Train),
    espeak("antonio", "en-us-nyc+antonio", "en-us-nyc", Train),
    espeak("belinda", "en-gb-x-gbclan+belinda", "en-gb-x-gbclan", Train),
    espeak("david", "en-gb-scotland+david", "en-gb-scotland", Train),
    espeak("f1", "en-029+f1", "en-029", Train),
    espeak("grandma", "en+grandma", "en-gb", Train),
    espeak("kaukovalta", "en-gb-x-gbcwmd+kaukovalta", "en-gb-x-gbcwmd", Train),
    espeak("norbert", "en-us-nyc+norbert", "en-us-nyc", Train),
    espeak("paul", "en-us+paul", "en-us", Train),
    espeak("quincy", "en-gb-x-rp+quincy", "en-gb-x-rp", Train),
    espeak("shelby", "en-us-nyc+shelby", "en-us-nyc", Train),
    espeak("zac", "en+zac", "en-gb", Train),
    espeak("andrea", "en-us+Andrea", "en-us", Valid),
    espeak("gene", "en+Gene", "en-gb", Valid),
    espeak("boris", "en-gb-scotland+boris", "en-gb-scotland", Valid),
    espeak("iven", "en-029+iven", "en-029", Valid),
    espeak("steph", "en-gb-x-rp+steph", "en-gb-x-rp", Valid),
    espeak("anxious", "en-us+AnxiousAndy", "en-us", Test),
    espeak("mario", "en+Mario", "en-gb", Test),
    espeak("storm", "en-us+Storm", "en-us", Test),
    espeak("aunty", "en-gb-x-gbclan+aunty", "en-gb-x-gbclan", Test),
    espeak("edward", "en-gb-x-rp+edward", "en-gb-x-rp", Test),
    espeak("marcelo", "en-029+marcelo", "en-029", Test),
    espeak("pablo", "en-us-nyc+pablo", "en-us-nyc", Test),
    espeak("pedro", "en-gb-scotland+pedro", "en-gb-scotland", Test),
    espeak("sandro", "en-gb-x-gbcwmd+sandro", "en-gb-x-gbcwmd", Test),
    flite("awb", "awb", "en-gb-scotland"),
    flite("kal", "kal16", "en-us"),
    flite("rms", "rms", "en-us"),
    flite("slt", "slt", "en-us"),
];

/// The voices of the set for text-to-speech: of all accents, low and high.
pub const READERS: [&str; 8] =
    ["alicia", "anika", "antonio", "belinda", "david", "marco", "norbert", "quincy"];

/// The voices of a part.
pub(crate) fn voices(part: Part) -> Vec<Voice> {
    VOICES.into_iter().filter(|voice| voice.part == part).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn there_are_at_least_thirty_voices_and_five_accents_and_all_accents_are_heard_in_training() {
        let names: BTreeSet<_> = VOICES.iter().map(|voice| voice.name).collect();
        let engine_names: BTreeSet<_> = VOICES.iter().map(|voice| voice.engine_name).collect();
        assert_eq!((names.len(), engine_names.len()), (VOICES.len(), VOICES.len()));
        assert!(VOICES.len() >= 30);
        let accents = |part| voices(part).iter().map(|voice| voice.accent).collect::<BTreeSet<_>>();
        assert!(accents(Train).len() >= 5);
        assert!(accents(Valid).is_subset(&accents(Train)) && accents(Test).is_subset(&accents(Train)));
    }

    #[test]
    fn readers_are_training_voices_and_the_second_engine_is_heard_in_test_alone() {
        for reader in READERS {
            assert!(voices(Train).iter().any(|voice| voice.name == reader), "{reader}");
        }
        assert!(VOICES.iter().all(|voice| voice.engine == Engine::Espeak || voice.part == Test));
    }
}
