//! Patterns of paths in a repository: `*` within a name, `**` for any folders.

/// Whether `path` is one that `pattern` means.
pub(super) fn fits(pattern: &str, path: &str) -> bool {
    let (pattern, path): (Vec<&str>, Vec<&str>) = (pattern.split('/').collect(), path.split('/').collect());
    folders(&pattern, &path)
}

fn folders(pattern: &[&str], path: &[&str]) -> bool {
    match (pattern, path) {
        ([], []) => true,
        (["**", rest @ ..], _) => (0..=path.len()).any(|skip| folders(rest, &path[skip..])),
        ([first, rest @ ..], [name, names @ ..]) => letters(first, name) && folders(rest, names),
        _ => false,
    }
}

fn letters(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, rest)) => name.strip_prefix(start).is_some_and(|name| {
            let mut ends = name.char_indices().map(|(at, _)| at).chain([name.len()]);
            ends.any(|end| letters(rest, &name[end..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stay_in_a_name_and_two_cross_folders() {
        for (pattern, path, expected) in [
            ("data/en_us/*.tsv", "data/en_us/train.tsv", true),
            ("data/en_us/*.tsv", "data/en_us/audio/x.tsv", false),
            ("data/en_us/audio/*.tar.gz", "data/en_us/audio/train.tar.gz", true),
            ("en_us/**/*.parquet", "en_us/train/0000.parquet", true),
            ("en_us/**/*.parquet", "en_us/0000.parquet", true),
            ("en_us/**/*.parquet", "de_de/train/0000.parquet", false),
            ("slots.txt", "slots.txt", true),
            ("slots.txt", "a/slots.txt", false),
            ("*", "ü", true),
            ("a*c*e", "abcde", true),
            ("a*c*e", "abde", false),
        ] {
            assert_eq!(fits(pattern, path), expected, "{pattern} {path}");
        }
    }
}
