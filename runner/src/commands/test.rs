//! `sluice test`: the tests inside workflow documents.

use super::{Answer, Extra, exit, files};
use crate::cli::TestArgs;
use crate::config::Settings;
use crate::wiring::MemoryHost;
use sluice_engine::document::Document;
use sluice_engine::testing::{TestReport, run_tests};
use std::fmt::Write as _;
use std::path::Path;

/// Runs the tests of files and folders.
pub(super) async fn run(args: &TestArgs, extra: Extra) -> Answer {
    let config = Settings::default().resolve().map_err(|error| error.to_string())?;
    let host = MemoryHost { extra, config };
    let mut reports: Vec<(String, TestReport)> = Vec::new();
    for path in files::find(&args.paths)? {
        let found = match files::read(&path) {
            Ok(document) => run_tests(&host, &document, &neighbours(&path)).await,
            Err(problems) => vec![TestReport {
                workflow: path.display().to_string(),
                test: "the document can be read".to_owned(),
                failures: problems.iter().map(|problem| files::line(&path, problem)).collect(),
                run: None,
            }],
        };
        for report in found {
            print_report(&path, &report);
            reports.push((path.display().to_string(), report));
        }
    }
    if let Some(path) = &args.junit {
        std::fs::write(path, junit(&reports)).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    let failed = reports.iter().filter(|(_, report)| !report.failures.is_empty()).count();
    println!("\n{} passed, {failed} failed", reports.len() - failed);
    Ok(exit(failed == 0 && !reports.is_empty()))
}

/// The other workflows of the same folder, which a workflow may call. One that cannot be read is reported when
/// its own turn comes.
fn neighbours(path: &Path) -> Vec<Document> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let files = files::find(&[folder.to_path_buf()]).unwrap_or_default();
    let others =
        files.iter().filter(|file| file.file_name() != path.file_name() && file.parent() == Some(folder));
    others.filter_map(|file| files::read(file).ok()).collect()
}

fn print_report(path: &Path, report: &TestReport) {
    let mark = if report.failures.is_empty() { "ok  " } else { "FAIL" };
    println!("{mark} {} · {} ({})", report.workflow, report.test, path.display());
    for failure in &report.failures {
        println!("     {failure}");
    }
    if let Some(run) = report.run.as_ref().filter(|_| !report.failures.is_empty()) {
        for line in crate::trace::table(run).lines() {
            println!("     {line}");
        }
    }
}

/// The reports in the form that CI servers read.
fn junit(reports: &[(String, TestReport)]) -> String {
    let failed = reports.iter().filter(|(_, report)| !report.failures.is_empty()).count();
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing to a string cannot fail.
    let _ = writeln!(xml, "<testsuite name=\"sluice\" tests=\"{}\" failures=\"{failed}\">", reports.len());
    for (file, report) in reports {
        let (file, name) = (escape(file), escape(&report.test));
        let _ = write!(xml, "  <testcase classname=\"{file}\" name=\"{name}\"");
        if report.failures.is_empty() {
            xml.push_str("/>\n");
        } else {
            let text = escape(&report.failures.join("\n"));
            let _ = writeln!(
                xml,
                "><failure message=\"{} check(s) failed\">{text}</failure></testcase>",
                report.failures.len()
            );
        }
    }
    xml.push_str("</testsuite>\n");
    xml
}

fn escape(text: &str) -> String {
    let keep = |c: &char| *c == '\n' || *c == '\t' || !c.is_control();
    let text: String = text.chars().filter(keep).collect();
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
