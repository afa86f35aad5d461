//! `tidy`: the house rules that no compiler and no lint knows.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::exit::Stop;
use crate::workspace::Workspace;

/// Lines that no file may exceed. The habit is 400.
const MOST_LINES: usize = 700;

/// Words that may stand in no line of code. In pieces, for this file is code too.
const FORBIDDEN: [(&str, &str); 6] = [
    (concat!("to", "do!("), "unfinished code"),
    (concat!("unimpl", "emented!("), "unfinished code"),
    (concat!("#[ign", "ore"), "a test that is not run; say in the test why it cannot run here"),
    (concat!("should_", "panic"), "test the error instead"),
    (concat!("#[al", "low("), "write #[expect(lint, reason = \"...\")]"),
    (concat!("#![al", "low("), "write #![expect(lint, reason = \"...\")]"),
];

/// `cargo xtask tidy`.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let faults = check(workspace.root())?;
    for fault in &faults {
        eprintln!("{fault}");
    }
    if faults.is_empty() {
        return Ok(());
    }
    Err(Stop::Failed(format!("{} breaches of the house rules", faults.len())).into())
}

fn check(root: &Path) -> Result<Vec<String>> {
    let mut files = Vec::new();
    for folder in ["crates", "datasets", "tests", "xtask"] {
        walk(&root.join(folder), &mut files)?;
    }
    files.sort();
    let mut faults = Vec::new();
    for file in files {
        let name = file.strip_prefix(root).unwrap_or(&file);
        let read = || fs::read_to_string(&file).with_context(|| format!("reading {}", name.display()));
        let found = match file.extension().and_then(|extension| extension.to_str()) {
            Some("rs") => check_code(name, &read()?),
            Some("toml") => check_toml(name, &read()?),
            _ => continue,
        };
        faults.extend(found.into_iter().map(|fault| format!("{}{fault}", name.display())));
    }
    Ok(faults)
}

/// Every file below a folder, without what cargo built.
fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry?.path();
        if path.is_symlink() || path.file_name().is_some_and(|name| name == "target") {
            continue;
        }
        if path.is_dir() {
            walk(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

fn check_code(name: &Path, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if !text.trim_start().starts_with("//!") {
        faults.push(":1: no `//!` that says what the file is".to_owned());
    }
    let count = text.lines().count();
    if count > MOST_LINES {
        faults.push(format!(": {count} lines, at most {MOST_LINES}"));
    }
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")) {
        for (word, reason) in FORBIDDEN.iter().filter(|(word, _)| line.contains(word)) {
            faults.push(format!(":{}: `{word}`: {reason}", index + 1));
        }
        if !name.starts_with("crates/sys") && has_unsafe(line) {
            faults.push(format!(":{}: only crates/sys is unsafe", index + 1));
        }
    }
    faults
}

/// Whether a line has the keyword `unsafe` before a block, an item, or inside an attribute.
fn has_unsafe(line: &str) -> bool {
    let keyword = concat!("un", "safe");
    line.match_indices(keyword).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        let rest = &line[start + keyword.len()..];
        let follows = ["{", "fn ", "impl ", "trait ", "extern "];
        let item =
            rest.strip_prefix(' ').is_some_and(|rest| follows.iter().any(|word| rest.starts_with(word)));
        !before.is_some_and(|letter| letter.is_alphanumeric() || "_\"`".contains(letter))
            && (item || rest.starts_with('('))
    })
}

fn check_toml(name: &Path, text: &str) -> Vec<String> {
    let table: toml::Table = match toml::from_str(text) {
        Ok(table) => table,
        Err(error) => return vec![format!(": {}", error.to_string().trim())],
    };
    let mut faults = Vec::new();
    let file_name = name.file_name().unwrap_or_default().to_string_lossy();
    // A manifest with a workspace of its own is a crate outside ours, as a test of being used.
    if file_name == "Cargo.toml" && !table.contains_key("workspace") {
        let inherits =
            table.get("lints").and_then(|lints| lints.get("workspace")).and_then(toml::Value::as_bool);
        if inherits != Some(true) {
            faults.push(": `[lints] workspace = true` is missing".to_owned());
        }
    }
    let preset = name.components().any(|part| part.as_os_str() == "presets");
    let card = name.parent() == Some(Path::new("datasets"));
    if (preset || card) && !is_kebab_case(file_name.trim_end_matches(".toml")) {
        faults.push(": presets and cards have names in kebab-case".to_owned());
    }
    if card && !["licence", "license"].iter().any(|key| has_key(&table, key)) {
        faults.push(": the card names no licence".to_owned());
    }
    faults
}

fn is_kebab_case(name: &str) -> bool {
    let letter = |letter: char| {
        letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-' || letter == '.'
    };
    !name.is_empty() && name.chars().all(letter)
}

fn has_key(table: &toml::Table, wanted: &str) -> bool {
    table.iter().any(|(key, value)| match value {
        _ if key == wanted => true,
        toml::Value::Table(inner) => has_key(inner, wanted),
        toml::Value::Array(items) => {
            items.iter().filter_map(toml::Value::as_table).any(|inner| has_key(inner, wanted))
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_workspace_is_tidy() {
        let faults = check(Workspace::here().root()).unwrap();
        assert!(faults.is_empty(), "{faults:#?}");
    }

    fn code(text: &str) -> Vec<String> {
        check_code(Path::new("crates/nn/src/x.rs"), text)
    }

    #[test]
    fn a_file_says_what_it_is_and_ends_in_time() {
        assert!(code("//! Why.\nfn f() {}\n").is_empty());
        assert_eq!(code("fn f() {}\n").len(), 1);
        assert!(code(&format!("//! Why.\n{}", "\n".repeat(MOST_LINES - 1))).is_empty());
        assert_eq!(code(&format!("//! Why.\n{}", "\n".repeat(MOST_LINES))).len(), 1);
    }

    #[test]
    fn each_forbidden_word_is_found_in_code_and_spared_in_comments() {
        for (word, _) in FORBIDDEN {
            assert_eq!(code(&format!("//! Why.\n{word})]\n")).len(), 1, "{word}");
            assert!(code(&format!("//! Why.\n// {word}\n")).is_empty(), "{word}");
        }
    }

    #[test]
    fn the_unsafe_keyword_belongs_to_one_crate() {
        for line in ["let x = KEYWORD { f() };", "KEYWORD impl Send for X {}", "#[KEYWORD(no_mangle)]"] {
            let line = line.replace("KEYWORD", concat!("un", "safe"));
            let text = format!("//! Why.\n{line}\n");
            assert_eq!(code(&text).len(), 1, "{line}");
            assert!(check_code(Path::new("crates/sys/src/x.rs"), &text).is_empty());
        }
        for line in ["fn is_unsafe() {}", "#![deny(unsafe_code)]", "let s = \"unsafe {\";"] {
            assert!(code(&format!("//! Why.\n{line}\n")).is_empty(), "{line}");
        }
    }

    #[test]
    fn a_crate_inherits_the_lints() {
        let manifest = Path::new("crates/nn/Cargo.toml");
        assert!(check_toml(manifest, "[lints]\nworkspace = true\n").is_empty());
        assert_eq!(check_toml(manifest, "[package]\nname = 'x'\n").len(), 1);
        assert!(check_toml(manifest, "[package]\nname = 'outside'\n[workspace]\n").is_empty());
        assert_eq!(check_toml(manifest, "not toml").len(), 1);
    }

    #[test]
    fn a_card_names_its_licence() {
        let card = Path::new("datasets/emodb.toml");
        assert!(check_toml(card, "[source]\nlicence = 'CC0-1.0'\n").is_empty());
        assert_eq!(check_toml(card, "name = 'emodb'\n").len(), 1);
        assert_eq!(check_toml(Path::new("crates/bench/presets/tasks/KS_one.toml"), "").len(), 1);
    }
}
