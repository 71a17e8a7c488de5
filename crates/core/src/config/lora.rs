//! What of a model that is read from a folder is trained: all of it, or adapters of low rank.

use serde::{Deserialize, Serialize};

use super::ranges::{above_zero, at_most, within};
use crate::error::Error;

/// The largest rank.
const MOST_RANK: usize = 1 << 10;
/// The largest α.
const MOST_ALPHA: f64 = 1e4;

/// Adapters of low rank beside frozen weights (Hu et al., LoRA, arXiv:2106.09685): `y = x W + (α/r) (x A) B`.
/// Actor, critic, target and reference are then adapters of one model, which is held once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct LoraConfig {
    /// r, the width between the two matrices of an adapter; 0 trains the whole model. Above 0, `actor`
    /// names a model of a layout that has adapters.
    pub rank: usize,
    /// α: what an adapter computes is multiplied by α/r.
    pub alpha: f64,
    /// The products that have adapters, of q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj and
    /// down_proj.
    pub targets: Vec<String>,
    /// How the frozen weights are held in memory: "stored" as their file has them, or "f32", "bf16",
    /// "q8" (8 bits and a scale for 32 weights) or "q4" (4 bits, a scale and a shift). On a device that
    /// is no CPU they are held as they are here and computed with in 32 bits.
    pub weights: Held,
}

/// How the weights of a frozen model are held in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Held {
    /// As their file has them.
    #[default]
    Stored,
    /// 32-bit floats.
    F32,
    /// The upper halves of 32-bit floats.
    Bf16,
    /// 8 bits, and a 16-bit scale for 32 weights.
    Q8,
    /// 4 bits, and a 16-bit scale and shift for 32 weights.
    Q4,
}

impl Default for LoraConfig {
    fn default() -> Self {
        Self {
            rank: 0,
            alpha: 16.0,
            targets: ["q_proj", "v_proj"].map(str::to_string).to_vec(),
            weights: Held::Stored,
        }
    }
}

/// The products of a block that can have adapters.
const TARGETS: [&str; 7] =
    ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"];

impl LoraConfig {
    /// Whether only adapters are trained.
    pub fn is_on(&self) -> bool {
        self.rank > 0
    }

    /// Checks every range.
    ///
    /// # Errors
    /// The first fault, as a sentence that names the key.
    pub(super) fn check(&self) -> Result<(), Error> {
        at_most("lora.rank", self.rank, MOST_RANK)?;
        above_zero("lora.alpha", self.alpha, MOST_ALPHA)?;
        let shown = || format!("{:?}", self.targets);
        let known = self.targets.iter().all(|name| TARGETS.contains(&name.as_str()));
        within("lora.targets", shown(), known, format_args!("some of {}", TARGETS.join(", ")))?;
        let good = !self.targets.is_empty() || !self.is_on();
        within("lora.targets", shown(), good, "a name at least, where lora.rank is above 0")
    }
}
