//! What a comparison found, as data.

use serde::Serialize;

/// All comparisons of a folder of fixtures.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Report {
    /// In the order in which they were made.
    pub checks: Vec<Check>,
    /// How many passed.
    pub passed: usize,
    /// How many did not.
    pub failed: usize,
    /// What was left out.
    pub skipped: Vec<Skip>,
}

/// A comparison.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Check {
    /// `<file>/<case>/<quantity>`.
    pub name: String,
    /// The largest difference.
    pub max_abs_diff: f64,
    /// What was allowed there.
    pub tolerance: f64,
    /// Whether all differences were.
    pub pass: bool,
    /// The reference's number at the largest difference.
    pub reference: Option<f64>,
    /// Ours there.
    pub ours: Option<f64>,
}

/// What could not be compared.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Skip {
    /// Name of the quantity or file.
    pub name: String,
    /// Why.
    pub reason: String,
}
