//! What was found: a table for people, JSON for programs. Must not know how it was measured.

use crate::pressure::Measured;
use serde::Serialize;

/// One line of the table.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Finding {
    /// Which workload.
    pub(crate) workload: String,
    /// Where it stored, with its setting.
    pub(crate) place: String,
    /// Which figure.
    pub(crate) figure: String,
    /// Its value.
    pub(crate) value: f64,
    /// Its unit.
    pub(crate) unit: &'static str,
    /// Half of all answers took at most so long.
    pub(crate) p50_ms: Option<f64>,
    /// All but one of a hundred answers took at most so long.
    pub(crate) p99_ms: Option<f64>,
    /// What the machine itself reaches, in the same unit.
    pub(crate) limit: Option<f64>,
    /// Value by limit.
    pub(crate) ratio: Option<f64>,
    /// What is wanted, in words.
    pub(crate) target: Option<String>,
    /// Whether it is reached.
    pub(crate) met: Option<bool>,
    /// What else must be known.
    pub(crate) note: String,
}

impl Finding {
    /// A figure without target.
    pub(crate) fn new(workload: &str, place: &str, figure: &str, value: f64, unit: &'static str) -> Self {
        let (workload, place, figure) = (workload.to_owned(), place.to_owned(), figure.to_owned());
        Self { workload, place, figure, value, unit, ..Self::default() }
    }

    /// Requests per second with their latencies.
    pub(crate) fn rate(workload: &str, place: &str, figure: &str, measured: &Measured) -> Self {
        Self {
            p50_ms: Some(measured.latency.quantile_ms(0.5)),
            p99_ms: Some(measured.latency.quantile_ms(0.99)),
            note: measured.trouble(),
            ..Self::new(workload, place, figure, measured.rate(), "req/s")
        }
    }

    /// Wants the value to be at most so much.
    pub(crate) fn at_most(mut self, most: f64) -> Self {
        self.met = Some(self.value <= most);
        self.target = Some(format!("≤ {}", number(most)));
        self
    }

    /// Wants the value to be at least so much.
    pub(crate) fn at_least(mut self, least: f64) -> Self {
        self.met = Some(self.value >= least);
        self.target = Some(format!("≥ {}", number(least)));
        self
    }

    /// Compares with the machine's own limit, and wants at least a share of it.
    pub(crate) fn against(mut self, limit: Option<f64>, share: Option<f64>) -> Self {
        self.limit = limit;
        self.ratio = limit.filter(|limit| *limit > 0.0).map(|limit| self.value / limit);
        if let (Some(ratio), Some(share)) = (self.ratio, share) {
            self.met = Some(ratio >= share);
            self.target = Some(format!("ratio ≥ {share}"));
        }
        self
    }

    /// Adds to what else must be known.
    pub(crate) fn remark(mut self, text: impl AsRef<str>) -> Self {
        if !self.note.is_empty() && !text.as_ref().is_empty() {
            self.note.push_str("; ");
        }
        self.note.push_str(text.as_ref());
        self
    }
}

/// A number with as many digits as it deserves.
pub(crate) fn number(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude >= 100.0 || value.fract().abs() < 1e-9 {
        format!("{value:.0}")
    } else if magnitude >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

/// The table, as Markdown.
pub(crate) fn table(findings: &[Finding]) -> String {
    let mut text = String::from(
        "| workload | place | figure | value | p50 ms | p99 ms | limit | ratio | target | |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for finding in findings {
        let optional = |value: Option<f64>| value.map(number).unwrap_or_default();
        let verdict = match finding.met {
            Some(true) => "met",
            Some(false) => "missed",
            None => "",
        };
        let cells = [
            finding.workload.clone(),
            finding.place.clone(),
            finding.figure.clone(),
            format!("{} {}", number(finding.value), finding.unit).trim().to_owned(),
            optional(finding.p50_ms),
            optional(finding.p99_ms),
            optional(finding.limit),
            finding.ratio.map(|ratio| format!("{ratio:.2}")).unwrap_or_default(),
            finding.target.clone().unwrap_or_default(),
            [verdict, &finding.note]
                .iter()
                .filter(|part| !part.is_empty())
                .copied()
                .collect::<Vec<_>>()
                .join(": "),
        ];
        text.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_judged_and_misses_are_shown() {
        let rate =
            |share| Finding::new("five", "SQLite", "32", 500.0, "req/s").against(Some(1_000.0), Some(share));
        assert_eq!((rate(0.5).met, rate(0.6).met), (Some(true), Some(false)));
        assert_eq!(Finding::new("a", "b", "c", 5.0, "ms").at_most(4.0).met, Some(false));
        let shown = table(&[rate(0.6).remark("slow disk")]);
        assert!(
            shown.contains("| 500 req/s |  |  | 1000 | 0.50 | ratio ≥ 0.6 | missed: slow disk |"),
            "{shown}"
        );
    }
}
