//! The tokens of CTC tasks.

use sure_text::Alphabet;

use crate::select::Labelled;
use crate::truth::Truth;
use crate::{DataError, Labels, Manifest, Split, Target, TaskCard, TaskKind, Vocabulary};

/// A split whose texts have a larger share of unknown tokens cannot be scored honestly.
const MAX_UNKNOWN: f64 = 0.01;

/// The alphabet of the training texts, and the texts as targets. Tokens that it does not know are counted, and fatal where
/// they are many.
pub(crate) fn label(
    card: &TaskCard,
    manifest: &Manifest,
    rows: &[Labelled<'_>],
    notes: &mut Vec<String>,
) -> Result<(Labels, Vec<Target>), DataError> {
    let texts = |split: Option<Split>| {
        rows.iter().filter(move |row| split.is_none_or(|split| row.split == split)).map(|row| {
            match &row.truth {
                Truth::Text(text) => text.as_str(),
                Truth::Label(_) | Truth::Fields(_) => "",
            }
        })
    };
    let train = || texts(Some(Split::Train));
    let alphabet = match (card.kind, card.vocabulary) {
        (TaskKind::Phones, Vocabulary::Training) => Alphabet::phones(train()),
        (TaskKind::Phones, Vocabulary::Reference) => Ok(Alphabet::phones_reference()),
        (TaskKind::Slots, Vocabulary::Training) => Alphabet::slots(train()),
        (TaskKind::Slots, Vocabulary::Reference) => Alphabet::slots(texts(None)),
        (_, Vocabulary::Training) => Alphabet::characters(train()),
        (_, Vocabulary::Reference) => Alphabet::characters(train().chain(texts(Some(Split::Test)))),
    };
    let alphabet = alphabet.map_err(|source| DataError::Alphabet {
        task: card.name.clone(),
        set: manifest.name.clone(),
        source: Box::new(source),
    })?;
    for split in Split::ALL {
        let (mut unknown, mut total) = (0, 0);
        let mut examples = Vec::new();
        for row in rows.iter().filter(|row| row.split == split) {
            let Truth::Text(text) = &row.truth else { continue };
            let encoded = alphabet.encode(text);
            total += encoded.ids.len();
            unknown += encoded.unknown;
            if encoded.unknown > 0 && examples.len() < 3 {
                examples.push(format!("{} ({text})", row.row.id));
            }
        }
        if unknown as f64 > MAX_UNKNOWN * total as f64 {
            let (set, task) = (manifest.name.clone(), card.name.clone());
            return Err(DataError::UnknownTokens { set, task, split, unknown, total, examples });
        }
        if unknown > 0 {
            notes.push(format!(
                "{unknown} of {total} {split} tokens occur in no training text, as in {}",
                examples.join(", ")
            ));
        }
    }
    let targets = texts(None).map(|text| Target::Text(text.to_owned())).collect();
    Ok((Labels::Tokens(alphabet), targets))
}
