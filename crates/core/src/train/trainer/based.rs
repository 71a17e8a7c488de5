//! Files that hold, beside adapters, the model that they belong to, so that whoever has the file needs no
//! other.

use burn::tensor::Device;

use super::Trainer;
use super::begin::has_adapters;
use super::restored::same_adapters;
use super::saved::State;
use crate::agent::Base;
use crate::checkpoint::Sections;
use crate::checkpoint::packed::{self, Precision};
use crate::config::Config;
use crate::error::Error;
#[cfg(feature = "llama")]
use crate::hf::{base, weights};
use crate::nn::causal_lm::CausalLm;
#[cfg(feature = "llama")]
use crate::nn::critic::Critic;

/// The section of the model under adapters.
pub(super) const SECTION: &str = "base/model.safetensors";

/// The model under adapters as it stands in a file, and its SHA-256.
pub(super) struct Held {
    pub(super) bytes: Vec<u8>,
    pub(super) sha256: String,
}

impl Trainer {
    /// Whether only adapters are trained, and the model that they belong to is frozen.
    pub fn has_adapters(&self) -> bool {
        has_adapters(&self.learner.policy.lm)
    }

    /// Lets every file of this run hold the model that its adapters belong to.
    pub fn carry_base(&mut self) {
        self.base.place.clear();
        if self.has_adapters() {
            self.config.actor.clear();
        }
    }

    /// The model under the adapters, where a file is to hold it: an export does, and a checkpoint where
    /// nobody knows another place from which it could be read.
    #[cfg(feature = "llama")]
    pub(super) async fn held(&self, export: bool) -> Result<Option<Held>, Error> {
        if !self.has_adapters() || !(export || self.base.place.is_empty()) {
            return Ok(None);
        }
        let bytes = base::write(&self.learner.policy.lm, None).await?;
        let named = [(SECTION.to_string(), bytes.into())];
        let sha256 = weights::sha256(&named);
        let [(_, bytes)] = named;
        Ok(Some(Held { bytes: bytes.into(), sha256 }))
    }

    #[cfg(not(feature = "llama"))]
    pub(super) async fn held(&self, _: bool) -> Result<Option<Held>, Error> {
        Ok(None)
    }

    /// The precision of a file that holds weights as they lie.
    pub(super) fn precision(&self) -> Precision {
        #[cfg(feature = "llama")]
        if self.has_adapters() {
            return base::precision_of(&self.learner.policy.lm);
        }
        Precision::F32
    }

    /// The run with weights of so many bits: those of the frozen model where there is one, for what was
    /// learned beside it is small and stays as it is; else all matrices.
    pub(super) async fn rounded(mut self, precision: Precision) -> Result<Self, Error> {
        #[cfg(feature = "llama")]
        if self.has_adapters() {
            return self.on_rounded_base(precision).await;
        }
        if !precision.is_for_all() {
            return Err(Error::Config(format!(
                "the precision {precision} is for the frozen weights under adapters, and this model has none: choose f32, f16 or q8"
            )));
        }
        let learner = &mut self.learner;
        learner.policy = packed::rounded(learner.policy.clone(), precision).await?;
        if let Some(critics) = &mut learner.critics {
            critics.online = packed::rounded(critics.online.clone(), precision).await?;
        }
        Ok(self)
    }

    #[cfg(feature = "llama")]
    async fn on_rounded_base(mut self, precision: Precision) -> Result<Self, Error> {
        let lm = &self.learner.policy.lm;
        let shape = crate::hf::actor_config(lm.config(), self.tokenizer.end, &[]);
        let bytes = base::write(lm, Some(precision)).await?.into();
        let device = lm.device().inner();
        let (read, _) = base::read(("actor_config", &shape), &bytes, &device)?;
        let unadapted = || Error::Model("the model under the adapters cannot be replaced".into());
        let learner = &mut self.learner;
        learner.policy.lm = learner.policy.lm.clone().on(&read).ok_or_else(unadapted)?;
        if let Some(critics) = &mut learner.critics
            && let Critic::Causal(critic) = &critics.online
            && critic.body().lora().is_some()
        {
            let body = critic.body().clone().on(&read).ok_or_else(unadapted)?;
            critics.online = Critic::Causal(critic.clone().with_body(body));
        }
        Ok(self)
    }

    /// Whether a file holds the model that its adapters belong to.
    pub fn holds_base(sections: &Sections) -> bool {
        sections.shared(SECTION).is_some()
    }
}

/// The model that the adapters of a file belong to, where the file holds it.
pub(super) fn of_file(
    sections: &Sections,
    (config, state): (&Config, &State),
    device: &Device,
) -> Result<Option<(CausalLm, Base)>, Error> {
    let Some(file) = sections.shared(SECTION) else {
        return match state.export {
            false => Ok(None),
            true => Err(Error::Checkpoint(format!(
                "the file holds adapters and has no section {SECTION}, which holds the model that they belong to: take another copy of the file"
            ))),
        };
    };
    same_adapters(config, state)?;
    #[cfg(feature = "llama")]
    {
        const CONFIG: &str = "actor_config";
        let (lm, sha256) =
            base::read((CONFIG, sections.get(CONFIG)?), file, &device.clone().inner())?;
        if sha256 != state.base_sha256 {
            return Err(Error::Checkpoint(format!(
                "the adapters in the file belong to another model than the one beside them: its SHA-256 is {sha256}, and theirs {}; take another copy of the file",
                state.base_sha256
            )));
        }
        Ok(Some((lm, Base { place: config.actor.clone(), sha256 })))
    }
    #[cfg(not(feature = "llama"))]
    {
        let _ = (file, device);
        Err(Error::Model(
            "the file holds a language model, which this module cannot compute: load it with the module for language models".into(),
        ))
    }
}
