//! A short run of the chaos harness against the program as it was just built: three kills, and no rule broken.

use std::path::Path;
use std::process::Command;

#[test]
fn three_kills_lose_nothing() {
    let load = Path::new(env!("CARGO_BIN_EXE_sluice-load"));
    // `make test` builds the whole workspace at once, so the program lies beside the harness.
    let sluice = load.with_file_name(format!("sluice{}", std::env::consts::EXE_SUFFIX));
    if !sluice.is_file() {
        eprintln!("not checked: {} is not built; cargo build --workspace --bins", sluice.display());
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(load)
        .arg("--binary")
        .arg(&sluice)
        .arg("--folder")
        .arg(folder.path())
        .args(["chaos", "--kills", "3", "--seconds", "3", "--faults", "kill,cut", "--seed", "3"])
        .args(["--customers", "5", "--callers", "2"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("acknowledged inputs lost = 0") && said.contains("every rule held"), "{said}");
}
