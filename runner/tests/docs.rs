//! Pages that must follow the program: every setting and every command is described, and links lead somewhere.

use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    folder.expect("the crate lies in a folder of the workspace").to_owned()
}

fn page(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).expect("the page is there")
}

fn help(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_sluice")).args(arguments).arg("--help").output();
    String::from_utf8(output.expect("the program runs").stdout).expect("help is text")
}

/// The flags and variables that a text names.
fn settings(text: &str) -> Vec<&str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let is_setting = |word: &&str| {
        let name = word.strip_prefix("--").or_else(|| word.strip_prefix("SLUICE_")).unwrap_or_default();
        name.starts_with(|c: char| c.is_ascii_alphabetic())
    };
    text.split(|c| !is_part(c)).filter(is_setting).collect()
}

#[test]
fn every_setting_is_on_the_configuration_page_and_no_other() {
    let (help, page) = (help(&["serve"]), page("docs/configuration.md"));
    let (known, described) = (settings(&help), settings(&page));
    assert!(known.len() > 20, "{help}");
    let left_out: Vec<_> =
        known.iter().filter(|name| **name != "--help" && !described.contains(name)).collect();
    assert!(left_out.is_empty(), "docs/configuration.md says nothing of {left_out:?}");
    let of_other_commands = ["--sandbox-listen", "--webhook", "--app-secret", "--smtp-listen"];
    let is_gone = |name: &&&str| !known.contains(*name) && !of_other_commands.contains(*name);
    let gone: Vec<_> = described.iter().filter(is_gone).collect();
    assert!(gone.is_empty(), "docs/configuration.md describes {gone:?}, which `sluice serve` does not know");
}

#[test]
fn every_command_is_in_the_readme() {
    let (help, page) = (help(&[]), page("README.md"));
    let list = help.split("Commands:").nth(1).and_then(|rest| rest.split("\n\n").next()).unwrap_or_default();
    let commands: Vec<&str> = list.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(commands.len() > 8, "{help}");
    for command in commands.into_iter().filter(|command| *command != "help") {
        assert!(page.contains(&format!("`sluice {command}")), "README.md says nothing of `sluice {command}`");
    }
}

#[test]
fn links_between_pages_lead_somewhere() {
    let mut pages = vec![root().join("README.md"), root().join("ARCHITECTURE.md")];
    for folder in ["docs", "docs/decisions"] {
        let entries = std::fs::read_dir(root().join(folder)).unwrap();
        pages.extend(entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()));
    }
    for path in pages {
        let text = std::fs::read_to_string(&path).unwrap();
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for target in targets.filter(|target| !target.contains("://") && !target.starts_with('#')) {
            let file = target.split('#').next().unwrap_or_default();
            let found = path.parent().is_some_and(|folder| folder.join(file).exists());
            assert!(found, "{} links to {target}, which is not there", path.display());
        }
    }
}
