//! What was compared, by how much it differed, and how much it may.
//!
//! The tolerances stand here and nowhere else. Each is what two right implementations of the
//! reference were seen to differ by (its own 32-bit and 64-bit runs, or two versions of its library;
//! the fixtures' README has the table), times ten.

use std::collections::BTreeMap;

use super::fixtures::Node;
use crate::error::Error;
use crate::report::{Check, Report, Skip};

/// What kind of number is compared, which settles how far it may be off.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// Ids, counts, texts: no difference at all.
    Exact,
    /// Values of the critic, their targets and statistics, around −5.
    Value,
    /// Hidden states, pooled states, logits: what values have, which are around 5, also by the
    /// largest of them, because what a residual stream adds up is as exact as that.
    Hidden,
    /// Advantages and their statistics.
    Advantage,
    /// Log-probabilities of utterances, −17 to −159, and of tokens.
    LogProb,
    /// The critic's losses, the baseline's values and loss.
    Loss,
    /// The policy-gradient loss at the utterance level.
    PolicyLoss,
    /// The same at the token level.
    TokenPolicyLoss,
    /// The loss of behaviour cloning.
    CloningLoss,
    /// Gradient norms, by their size.
    Norm,
    /// Single gradients, by the norm of all of them.
    Gradient,
    /// Parameters after steps, and their mean over a tensor.
    Parameter,
    /// Single gradients of one tensor, by the largest of them.
    LargestOf,
    /// Monte Carlo returns, by their size: one sum in 32 bits.
    Return,
}

/// Allowed difference, absolute and by the size of the reference's number, as seen; the code allows
/// [`MARGIN`] times that.
const TOLERANCES: [(Kind, f64, f64); 14] = [
    (Kind::Exact, 0.0, 0.0),
    (Kind::Value, 2.0e-6, 0.0),
    (Kind::Hidden, 2.0e-6, 4.0e-7),
    (Kind::Advantage, 1.9e-6, 0.0),
    (Kind::LogProb, 1.5e-5, 0.0),
    (Kind::Loss, 1.9e-6, 0.0),
    (Kind::PolicyLoss, 3.2e-5, 0.0),
    (Kind::TokenPolicyLoss, 3.1e-5, 0.0),
    (Kind::CloningLoss, 3.8e-6, 0.0),
    (Kind::Norm, 0.0, 1.9e-6),
    (Kind::Gradient, 0.0, 1.9e-6),
    (Kind::Parameter, 1.1e-6, 0.0),
    (Kind::LargestOf, 0.0, 1.0e-6),
    (Kind::Return, 0.0, 6.0e-8),
];

/// What is allowed, in multiples of what was seen.
const MARGIN: f64 = 10.0;

/// What a number of some kind and size may be off by.
pub fn tolerance(kind: Kind, size: f64) -> f64 {
    let (_, absolute, relative) =
        TOLERANCES.iter().find(|(of, _, _)| *of == kind).expect("every kind is in the table");
    // What is not a number has no size.
    let size = if size.is_finite() { size.abs() } else { 0.0 };
    MARGIN * (absolute + relative * size)
}

/// Compares numbers and keeps what came of it.
#[derive(Debug, Default)]
pub struct Ledger {
    /// What was found so far.
    pub report: Report,
}

impl Ledger {
    /// Compares two lists of numbers of a kind.
    pub fn compare(
        &mut self,
        name: impl Into<String>,
        kind: Kind,
        reference: &[f64],
        ours: &[f64],
    ) {
        let largest = reference.iter().fold(0.0f64, |top, value| top.max(value.abs()));
        let size =
            |own: f64| if matches!(kind, Kind::Hidden | Kind::LargestOf) { largest } else { own };
        let allowed: Vec<f64> = reference.iter().map(|&own| tolerance(kind, size(own))).collect();
        self.compare_within(name, &allowed, reference, ours);
    }

    /// Compares two numbers of a kind.
    pub fn compare_one(&mut self, name: impl Into<String>, kind: Kind, reference: f64, ours: f64) {
        self.compare(name, kind, &[reference], &[ours]);
    }

    /// Compares two lists of numbers, each within its own tolerance.
    pub fn compare_within(
        &mut self,
        name: impl Into<String>,
        allowed: &[f64],
        reference: &[f64],
        ours: &[f64],
    ) {
        let name = name.into();
        if reference.len() != ours.len() || reference.len() != allowed.len() {
            let (reference, ours) = (reference.len() as f64, ours.len() as f64);
            return self.book(name, f64::MAX, 0.0, Some((reference, ours)));
        }
        let share = |diff: f64, allowed: f64| match (diff, allowed) {
            (0.0, _) => 0.0,
            (_, 0.0) => f64::MAX,
            (diff, allowed) => diff / allowed,
        };
        let worst = reference
            .iter()
            .zip(ours)
            .zip(allowed)
            .map(|((&reference, &ours), &allowed)| {
                (difference(reference, ours), allowed, reference, ours)
            })
            .max_by(|a, b| share(a.0, a.1).total_cmp(&share(b.0, b.1)));
        match worst {
            Some((diff, allowed, reference, ours)) => {
                self.book(name, diff, allowed, Some((reference, ours)));
            }
            None => self.book(name, 0.0, 0.0, None),
        }
    }

    /// Compares two lists of things that are equal or not; the difference is how many are not.
    pub fn same<T: PartialEq>(&mut self, name: impl Into<String>, reference: &[T], ours: &[T]) {
        let unequal = reference.iter().zip(ours).filter(|(reference, ours)| reference != ours);
        let count = unequal.count() + reference.len().abs_diff(ours.len());
        self.book(name.into(), count as f64, 0.0, None);
    }

    /// Leaves something out, and says why.
    pub fn skip(&mut self, name: impl Into<String>, reason: impl Into<String>) {
        self.report.skipped.push(Skip { name: name.into(), reason: reason.into() });
    }

    fn book(&mut self, name: String, diff: f64, tolerance: f64, at: Option<(f64, f64)>) {
        let pass = diff <= tolerance;
        *(if pass { &mut self.report.passed } else { &mut self.report.failed }) += 1;
        let (reference, ours) = at.unzip();
        self.report.checks.push(Check {
            name,
            max_abs_diff: diff,
            tolerance,
            pass,
            reference,
            ours,
        });
    }
}

/// The distance of two numbers; two that are not a number agree, and nothing is infinite, because
/// JSON has no such number.
fn difference(reference: f64, ours: f64) -> f64 {
    if reference == ours || (reference.is_nan() && ours.is_nan()) {
        return 0.0;
    }
    let distance = (reference - ours).abs();
    if distance.is_finite() { distance } else { f64::MAX }
}

/// Tensors by the name that they have in a file: shape there and values.
pub type Tensors = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// Parameters to whose gradient the truth is 0, because the softmax does not see them: in whole (an
/// encoder's key biases) or in their middle third (GPT-2's joint bias of queries, keys and values).
/// What a step makes of them is chance.
pub fn is_key_bias(name: &str, element: usize, size: usize) -> bool {
    name.ends_with("attention.self.key.bias")
        || (name.ends_with("attn.c_attn.bias") && (size / 3..2 * size / 3).contains(&element))
}

/// How the numbers of a tensor are summed up in the fixtures.
struct Checksum {
    sums: [f64; 3],
    listed: Vec<f64>,
}

/// Elements that a checksum lists: the first six and the last three.
fn listed(size: usize) -> Vec<usize> {
    (0..size.min(6)).chain(size.saturating_sub(3)..size).collect()
}

impl Checksum {
    /// Of some values.
    fn of(values: &[f32]) -> Self {
        let all = || values.iter().map(|&value| f64::from(value));
        Self {
            sums: [
                all().sum(),
                all().map(f64::abs).sum(),
                all().map(|value| value * value).sum::<f64>().sqrt(),
            ],
            listed: listed(values.len()).into_iter().map(|i| f64::from(values[i])).collect(),
        }
    }

    /// Of a fixture.
    fn read(node: &Node<'_>) -> Result<Self, Error> {
        let number = |key: &str| node.get(key)?.number();
        let mut listed = node.get("first")?.numbers()?;
        listed.extend(node.get("last")?.numbers()?);
        Ok(Self { sums: [number("sum")?, number("abs_sum")?, number("l2")?], listed })
    }
}

/// What a tensor's checksum may be off by.
#[derive(Clone, Copy)]
pub enum Scale {
    /// Gradients: in parts of the norm of all of them.
    Norm(f64),
    /// Parameters.
    Parameter,
}

impl Scale {
    fn element(self) -> f64 {
        match self {
            Scale::Norm(norm) => tolerance(Kind::Gradient, norm),
            Scale::Parameter => tolerance(Kind::Parameter, 0.0),
        }
    }
}

impl Ledger {
    /// Compares the checksums of a network's tensors. One check for all listed elements, one for the
    /// sums: a sum may be off by as much for each of its elements, a norm by their root.
    ///
    /// # Errors
    /// If a checksum cannot be read.
    pub fn checksums(
        &mut self,
        name: &str,
        scale: Scale,
        reference: &Node<'_>,
        ours: &Tensors,
    ) -> Result<(), Error> {
        let (mut elements, mut sums) = (Columns::default(), Columns::default());
        let keys = reference.keys()?;
        self.same(format!("{name}.names"), &keys, &ours.keys().cloned().collect::<Vec<_>>());
        for key in &keys {
            let Some((shape, values)) = ours.get(key) else { continue };
            let node = reference.get(key)?;
            let want = Checksum::read(&node)?;
            let got = Checksum::of(values);
            let shape: Vec<f64> = shape.iter().map(|&n| n as f64).collect();
            if node.get("shape")?.numbers()? != shape || want.listed.len() != got.listed.len() {
                self.book(format!("{name}.shape of {key}"), f64::MAX, 0.0, None);
                continue;
            }
            let is_chance = |element: usize| {
                matches!(scale, Scale::Parameter) && is_key_bias(key, element, values.len())
            };
            let places = listed(values.len());
            for (place, (want, got)) in places.into_iter().zip(want.listed.iter().zip(&got.listed))
            {
                if !is_chance(place) {
                    elements.push(scale.element(), *want, *got);
                }
            }
            let n = values.len() as f64;
            // Where some elements are left to chance, so are the sums over them.
            if !(0..values.len()).any(is_chance) {
                for (i, share) in [n, n, n.sqrt()].into_iter().enumerate() {
                    sums.push(scale.element() * share, want.sums[i], got.sums[i]);
                }
            }
        }
        elements.book(self, format!("{name}.elements"));
        sums.book(self, format!("{name}.sums"));
        Ok(())
    }

    /// Compares whole tensors, one check for each.
    pub fn tensors(&mut self, name: &str, scale: Scale, reference: &Tensors, ours: &Tensors) {
        let names = |tensors: &Tensors| tensors.keys().cloned().collect::<Vec<_>>();
        self.same(format!("{name}.names"), &names(reference), &names(ours));
        for (key, (shape, want)) in reference {
            let Some((found, got)) = ours.get(key) else { continue };
            let name = format!("{name}.{key}");
            if shape != found {
                self.book(name, f64::MAX, 0.0, None);
                continue;
            }
            let mut column = Columns::default();
            for (i, (&want, &got)) in want.iter().zip(got).enumerate() {
                let is_chance = matches!(scale, Scale::Parameter) && is_key_bias(key, i, shape[0]);
                if !is_chance {
                    column.push(scale.element(), f64::from(want), f64::from(got));
                }
            }
            column.book(self, name);
        }
    }
}

/// Numbers that are compared together.
#[derive(Default)]
pub struct Columns {
    allowed: Vec<f64>,
    reference: Vec<f64>,
    ours: Vec<f64>,
}

impl Columns {
    /// Adds a pair.
    pub fn push(&mut self, allowed: f64, reference: f64, ours: f64) {
        self.allowed.push(allowed);
        self.reference.push(reference);
        self.ours.push(ours);
    }

    /// Compares all pairs in one check.
    pub fn book(self, ledger: &mut Ledger, name: String) {
        ledger.compare_within(name, &self.allowed, &self.reference, &self.ours);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_within_its_tolerance_passes() {
        let mut ledger = Ledger::default();
        ledger.compare("a", Kind::Value, &[1.0, 2.0], &[1.000_01, 2.0]);
        ledger.compare("b", Kind::Value, &[1.0, 2.0], &[1.000_1, 2.0]);
        ledger.compare("c", Kind::Value, &[f64::NAN], &[f64::NAN]);
        ledger.compare("d", Kind::Value, &[f64::NAN], &[0.0]);
        ledger.compare("e", Kind::Value, &[1.0], &[1.0, 2.0]);
        ledger.same("f", &["x"], &["y"]);
        let Ledger { report } = ledger;
        let passed: Vec<bool> = report.checks.iter().map(|check| check.pass).collect();
        assert_eq!(passed, [true, false, true, false, false, false]);
        assert_eq!((report.passed, report.failed), (2, 4));
        assert_eq!(report.checks[1].ours, Some(1.000_1));
        assert!(report.checks.iter().all(|check| check.max_abs_diff.is_finite()));
    }

    #[test]
    fn key_biases_are_left_to_chance() {
        assert!(is_key_bias("base_lm.encoder.layer.0.attention.self.key.bias", 0, 8));
        assert!(!is_key_bias("base_lm.encoder.layer.0.attention.self.query.bias", 0, 8));
        let joint = |element| is_key_bias("transformer.h.0.attn.c_attn.bias", element, 9);
        assert_eq!((joint(2), joint(3), joint(5), joint(6)), (false, true, true, false));
    }
}
