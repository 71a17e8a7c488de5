//! A model folder as files: read into an agent after one check of all of them, and written so that other
//! programs read the same text into the same tokens and the same words out of them.

use burn::tensor::Device;
use serde_json::{Value, json};

use super::{About, Agent, Card};
use crate::error::Error;
use crate::foreign;
use crate::hf::weights::{self, Files};
use crate::hf::{self, Format};
use crate::nn::critic::Critic;
use crate::rng;
use crate::text::Tokenizer;
use crate::text::tokenizer::Specials;

const MODEL: &str = weights::SINGLE;
const CONFIG: &str = "config.json";
const TOKENIZER: &str = "tokenizer.json";
const TOKENIZER_CONFIG: &str = "tokenizer_config.json";
const GENERATION: &str = "generation_config.json";
const SPECIALS: &str = "special_tokens_map.json";
const ABOUT: &str = "archer.json";
const CARD: &str = "README.md";
const CRITIC: &str = "critic/";

impl Agent {
    /// Reads a model folder; `file` gives the bytes of a relative path, or `None` if there is none.
    ///
    /// A folder without `archer.json` (a plain GPT-2) has no world of its own.
    ///
    /// # Errors
    /// If a file is missing, damaged or something else, or the files do not fit each other; the error
    /// names it.
    pub fn from_files(file: Files<'_>, device: &Device) -> Result<Self, Error> {
        Self::from_files_to_train(file, 0, device)
    }

    /// The same for a run with this seed, from which what a published critic's files lack (its
    /// heads, its pooler) is drawn.
    ///
    /// # Errors
    /// As [`from_files`](Self::from_files).
    pub fn from_files_to_train(file: Files<'_>, seed: u64, device: &Device) -> Result<Self, Error> {
        let need = |path: &str| {
            file(path)?.ok_or_else(|| Error::Model(format!("the model folder has no file {path}")))
        };
        let mut notices = Vec::new();
        let config = need(CONFIG)?;
        let tokenizer_json = need(TOKENIZER)?;
        let files = weights::files(file, "")?;
        let (shape, weights) = hf::actor_weights((CONFIG, &config), &files, &mut notices)?;
        let specials = specials(file, "", &config)?;
        let tokenizer = Tokenizer::from_json_with(&tokenizer_json, &specials)?;
        notices.extend(cleared(TOKENIZER, &tokenizer));
        let about = match file(ABOUT)? {
            Some(bytes) => read_about(&bytes, &tokenizer_json)?,
            None => About::of_strangers(&tokenizer_json),
        };
        check_vocabulary(TOKENIZER, &tokenizer, CONFIG, shape.vocab_size)?;
        // The values drawn here are replaced at once; the seed does not matter.
        let actor = shape.init(&mut rng::stream(0, "actor.init", 0), device);
        let actor = weights.fill(actor, Format::Actor, |_| false)?;
        let critic = read_critic(file, seed, device, (&tokenizer, &tokenizer_json), &mut notices)?;
        let Some((critic, own)) = critic else {
            if about.samples > 1 {
                return Err(Error::Model(format!(
                    "{ABOUT} says that a critic chooses among {} utterances, and there is no {CRITIC}{CONFIG}: put back the critic that came with the model",
                    about.samples
                )));
            }
            return Ok(Self { notices, ..Self::new(actor, None, tokenizer, about) });
        };
        let agent = Self::new(actor, Some(critic), tokenizer, about).with_critic_tokenizer(own);
        Ok(Self { notices, ..agent })
    }

    /// The files of this agent's model folder, whose card says besides what `card` knows.
    ///
    /// # Errors
    /// If the device fails.
    pub async fn files(&self, card: &Card) -> Result<Vec<(String, Vec<u8>)>, Error> {
        let about = serde_json::to_string_pretty(&self.about).expect("JSON can be written") + "\n";
        let shape = self.actor.config();
        let mut files = vec![
            (CONFIG.to_string(), hf::actor_config(shape, self.tokenizer.end)),
            (GENERATION.to_string(), self.generation_config()),
            (TOKENIZER_CONFIG.to_string(), tokenizer_config(&self.tokenizer, shape.positions)),
            (ABOUT.to_string(), about.into_bytes()),
            (CARD.to_string(), card.text(self).into_bytes()),
            (MODEL.to_string(), hf::write(&self.actor, Format::Actor).await?),
        ];
        if let Some(critic) = &self.critic {
            let read_by = self.critic_tokenizer.as_ref().unwrap_or(&self.tokenizer);
            let beside = tokenizer_config(read_by, critic.positions());
            let inside = [
                (CONFIG, hf::critic_folder_config(critic, read_by)),
                (MODEL, hf::write_critic(critic).await?),
                (TOKENIZER_CONFIG, beside),
                (TOKENIZER, read_by.to_json()),
            ];
            files.extend(inside.map(|(name, bytes)| (format!("{CRITIC}{name}"), bytes)));
        }
        files.push((TOKENIZER.to_string(), self.tokenizer.to_json()));
        Ok(files)
    }

    /// `generation_config.json`: greedy, and ended by what ends an utterance here.
    fn generation_config(&self) -> Vec<u8> {
        let rows = self.actor.config().vocab_size as u32;
        let (tokenizer, end) = (&self.tokenizer, self.tokenizer.end);
        let ends = (0..rows).filter(|&id| id != end && tokenizer.ends_utterance(id));
        let ends: Vec<u32> = std::iter::once(end).chain(ends).collect();
        let mut config = json!({
            "bos_token_id": end,
            "eos_token_id": ends,
            "pad_token_id": tokenizer.pad,
            "max_new_tokens": self.about.max_new_tokens.max(1),
            "do_sample": false,
        });
        let none: Vec<u32> = (0..rows).filter(|&row| !tokenizer.has(row)).collect();
        if !none.is_empty() {
            config["suppress_tokens"] = json!(none);
        }
        hf::config::pretty(&config)
    }
}

/// `tokenizer_config.json`: that `tokenizer.json` is all there is to it, and its special tokens.
fn tokenizer_config(tokenizer: &Tokenizer, positions: usize) -> Vec<u8> {
    let mut config = json!({
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": positions,
        "clean_up_tokenization_spaces": false,
    });
    for (key, id) in [("eos_token", tokenizer.end), ("pad_token", tokenizer.pad)] {
        // A token that is not found in a text as it is would become one that is.
        let name = tokenizer.name_of(id).filter(|name| tokenizer.encode(name) == [id]);
        if let Some(name) = name {
            config[key] = name.into();
        }
    }
    hf::config::pretty(&config)
}

/// The critic of a folder and the tokenizer that it reads by, where that is one of its own.
fn read_critic(
    file: Files<'_>,
    seed: u64,
    device: &Device,
    (tokenizer, tokenizer_json): (&Tokenizer, &[u8]),
    notices: &mut Vec<String>,
) -> Result<Option<(Critic, Option<Tokenizer>)>, Error> {
    let (config_name, tokenizer_name) =
        (format!("{CRITIC}{CONFIG}"), format!("{CRITIC}{TOKENIZER}"));
    let Some(config) = file(&config_name)? else {
        return Ok(None);
    };
    let shape = hf::read_critic_config(&config_name, &config)?;
    let files = weights::files(file, CRITIC)?;
    let weights = hf::critic_weights(&config_name, &shape, &files, notices)?;
    let own = file(&tokenizer_name)?.filter(|json| json != tokenizer_json);
    let own = match own {
        None => None,
        Some(json) => {
            let specials = specials(file, CRITIC, &config)?;
            let own = Tokenizer::from_json_of(&tokenizer_name, &json, &specials)?;
            notices.extend(cleared(&tokenizer_name, &own));
            // Written otherwise, and yet the actor's.
            Some(own).filter(|own| own.to_json() != tokenizer.to_json())
        }
    };
    let (name, read_by) = match &own {
        Some(own) => (&tokenizer_name[..], own),
        None => (TOKENIZER, tokenizer),
    };
    check_vocabulary(name, read_by, &config_name, shape.vocab_size())?;
    let critic = shape.init(&mut rng::stream(seed, "critic.init", 0), device);
    Ok(Some((hf::fill_critic(critic, &weights)?, own)))
}

/// The special tokens that the files of a folder name.
fn specials(file: Files<'_>, folder: &str, config: &[u8]) -> Result<Specials, Error> {
    let mut all = hf::read_specials(&format!("{folder}{CONFIG}"), config)?;
    // The others only help where the tokenizer's own names do not: a damaged one is no hindrance.
    if let Some(bytes) = file(&format!("{folder}{GENERATION}"))? {
        all = all.or(hf::read_specials(GENERATION, &bytes).unwrap_or_default());
    }
    for name in [TOKENIZER_CONFIG, SPECIALS] {
        let Some(bytes) = file(&format!("{folder}{name}"))? else { continue };
        let named: Value = foreign::json(name, &bytes).unwrap_or_default();
        let token = &named["eos_token"];
        let end_names = token.as_str().or(token["content"].as_str()).map(str::to_string);
        let end_names = end_names.into_iter().collect();
        all = all.or(Specials { end_names, ..Specials::default() });
    }
    Ok(all)
}

/// The notice of what was cleared in a tokenizer's file.
fn cleared(file: &str, tokenizer: &Tokenizer) -> Option<String> {
    let keys = tokenizer.cleared();
    (!keys.is_empty()).then(|| {
        format!(
            "{file}: {} set aside: every text is read whole and always in the same way",
            match keys {
                [one] => format!("{one} is"),
                _ => format!("{} are", keys.join(", ")),
            }
        )
    })
}

fn check_vocabulary(
    tokenizer_file: &str,
    tokenizer: &Tokenizer,
    config_file: &str,
    rows: usize,
) -> Result<(), Error> {
    if tokenizer.vocab_size() <= rows {
        return Ok(());
    }
    Err(Error::Model(format!(
        "{tokenizer_file} has tokens with ids up to {}, but the weights of {config_file} only {rows} rows: the two do not belong together",
        tokenizer.vocab_size() - 1
    )))
}

fn read_about(bytes: &[u8], tokenizer_json: &[u8]) -> Result<About, Error> {
    let about: About = foreign::json(ABOUT, bytes)?;
    if about.version != 1 {
        return Err(Error::Model(format!(
            "{ABOUT} is of version {}; this program reads version 1",
            about.version
        )));
    }
    if about.tokenizer_crc32 != crc32fast::hash(tokenizer_json) {
        return Err(Error::Model(format!(
            "{TOKENIZER} is not the one that the weights were trained with; put back the one that came with the model"
        )));
    }
    Ok(about)
}
