//! Manifests and task cards: from a folder of recordings to lists of labelled utterances.
