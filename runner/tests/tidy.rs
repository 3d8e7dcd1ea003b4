//! House rules that a reader would otherwise have to check by eye: headers, sizes, words that must not stay, paths
//! of one machine, and migrations that come in pairs.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Longest file, in lines.
const LONGEST: usize = 1_000;

/// Folders that are made, not written.
const MADE: &[&str] = &["target", "node_modules", "dist", "data", "__pycache__"];

/// Endings of the files that people write.
const WRITTEN: &[&str] =
    &["rs", "toml", "md", "sh", "json", "yml", "yaml", "sql", "py", "txt", "ts", "tsx", "css", "html"];

/// Words that must not stay in any Rust file. Split, so that this file does not hold them itself.
const UNFINISHED: &[&str] = &[
    concat!("to", "do!("),
    concat!("unimplement", "ed!("),
    concat!("#[ign", "ore"),
    concat!("should_", "panic"),
];

/// A test that sleeps is slow on a good day and wrong on a bad one: wait for an event, or poll with a deadline.
const SLEEPS: &[&str] = &[concat!("thread::sl", "eep("), concat!("time::sl", "eep(")];

/// Traces of one machine or one registry.
const LOCAL: &[&str] = &[
    concat!("/ro", "ot/"),
    concat!("/wo", "rk/"),
    concat!("/tm", "p/"),
    concat!("/ho", "me/"),
    concat!("/Us", "ers/"),
    concat!("index", "-url"),
    concat!("registry.", "npmjs"),
    concat!("index.", "crates.io"),
    concat!("sparse", "+http"),
    concat!("files.", "pythonhosted"),
];

struct File {
    path: PathBuf,
    text: String,
}

impl File {
    fn is_rust(&self) -> bool {
        self.path.extension().is_some_and(|ending| ending == "rs")
    }

    /// The lines that are test code: all of a test file, or what follows the test module's mark.
    fn test_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let is_test = |part: &std::ffi::OsStr| part == "tests" || part == "tests.rs" || part == "benches";
        let all = self.path.iter().any(is_test);
        let lines = self.text.lines().zip(1..).map(|(line, number)| (number, line));
        lines.skip_while(move |(_, line)| !all && !line.trim_start().starts_with("#[cfg(test)]"))
    }
}

fn root() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    folder.expect("the crate lies in a folder of the workspace").to_owned()
}

/// Every file of the repository that people write, with paths from its root.
fn files() -> Vec<File> {
    let root = root();
    let (mut open, mut found) = (vec![root.clone()], Vec::new());
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).expect("the repository can be read") {
            let path = entry.expect("the repository can be read").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() {
                if !MADE.contains(&&*name) && (!name.starts_with('.') || name == ".ci" || name == ".config") {
                    open.push(path);
                }
                continue;
            }
            let ending = path.extension().unwrap_or_default().to_string_lossy().into_owned();
            if WRITTEN.contains(&&*ending) || name == "Makefile" || folder.ends_with(".ci") {
                let text = std::fs::read_to_string(&path).expect("the repository can be read");
                found.push(File {
                    path: path.strip_prefix(&root).expect("the repository can be read").to_owned(),
                    text,
                });
            }
        }
    }
    assert!(found.len() > 100, "the repository has moved; this test must follow it");
    found
}

fn rust_files() -> impl Iterator<Item = File> {
    files().into_iter().filter(File::is_rust)
}

/// Fails with every place at once.
fn refuse(rule: &str, places: Vec<String>) {
    assert!(places.is_empty(), "{rule}:\n  {}", places.join("\n  "));
}

#[test]
fn every_file_says_what_it_is() {
    let bare = rust_files().filter(|file| !file.text.starts_with("//! "));
    refuse("files without a `//!` header", bare.map(|file| file.path.display().to_string()).collect());
}

#[test]
fn no_file_is_too_long_to_read() {
    let long = rust_files().filter_map(|file| {
        let lines = file.text.lines().count();
        (lines > LONGEST).then(|| format!("{} has {lines} lines", file.path.display()))
    });
    refuse("files of more than a thousand lines", long.collect());
}

#[test]
fn nothing_is_left_unfinished_or_switched_off() {
    let mut places = Vec::new();
    for file in rust_files() {
        for (line, number) in file.text.lines().zip(1..) {
            if let Some(word) = UNFINISHED.iter().find(|word| line.contains(**word)) {
                places.push(format!("{}:{number}: {word}", file.path.display()));
            }
        }
    }
    refuse("words that must not stay", places);
}

#[test]
fn no_test_sleeps() {
    let mut places = Vec::new();
    for file in rust_files() {
        for (number, line) in file.test_lines() {
            if SLEEPS.iter().any(|word| line.contains(word)) {
                places.push(format!("{}:{number}: {}", file.path.display(), line.trim()));
            }
        }
    }
    refuse("tests that sleep", places);
}

#[test]
fn nothing_points_at_one_machine_or_one_registry() {
    let mut places = Vec::new();
    for file in files() {
        for (line, number) in file.text.lines().zip(1..) {
            if let Some(word) = LOCAL.iter().find(|word| line.contains(**word)) {
                places.push(format!("{}:{number}: {word}", file.path.display()));
            }
        }
    }
    refuse("traces of one machine", places);
}

#[test]
fn both_databases_have_the_same_migrations() {
    let names = |engine: &str| -> BTreeSet<String> {
        let folder = root().join("migrations").join(engine);
        std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect()
    };
    let (sqlite, postgres) = (names("sqlite"), names("postgres"));
    assert_eq!(sqlite, postgres);
    let numbers: BTreeSet<&str> = sqlite.iter().filter_map(|name| name.split('_').next()).collect();
    assert_eq!(numbers.len(), sqlite.len(), "two migrations share a number: {sqlite:?}");
}
