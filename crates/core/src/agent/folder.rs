//! A model folder as files: read into an agent after one check of all of them, and written so that other
//! programs read the same text into the same tokens and the same words out of them.

use archer_world::Style;
use burn::tensor::Device;
use serde_json::{Value, json};

use super::{About, Agent, Base, Card};
#[cfg(all(feature = "llama", not(target_family = "wasm")))]
use crate::config::ChatConfig;
use crate::config::Held;
use crate::error::Error;
use crate::foreign;
#[cfg(feature = "llama")]
use crate::hf::peft;
#[cfg(feature = "llama")]
use crate::hf::weights::Weights;
use crate::hf::weights::{self, Files, NamedBytes};
use crate::hf::{self, Format};
#[cfg(feature = "llama")]
use crate::nn::causal_critic::CausalCritic;
use crate::nn::causal_lm::CausalLm;
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
/// Before the names of files of the model that a folder's adapters belong to.
#[cfg(feature = "llama")]
const BASE: &str = weights::BASE;

/// How a model folder is read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reading {
    /// The seed from which what a published critic's files lack (its heads, its pooler) is drawn.
    pub seed: u64,
    /// How the weights of a model that can have adapters are held; `None` for as they were when its
    /// adapters were trained.
    pub held: Option<Held>,
}

impl Agent {
    /// Reads a model folder; `file` gives the bytes of a relative path, or `None` if there is none.
    ///
    /// A folder without `archer.json` (a plain GPT-2) has no world of its own.
    ///
    /// # Errors
    /// If a file is missing, damaged or something else, or the files do not fit each other; the error
    /// names it.
    pub fn from_files(file: Files<'_>, device: &Device) -> Result<Self, Error> {
        Self::from_files_as(file, Reading::default(), device)
    }

    /// The same, read in another way than usual.
    ///
    /// # Errors
    /// As [`from_files`](Self::from_files).
    pub fn from_files_as(
        file: Files<'_>,
        reading: Reading,
        device: &Device,
    ) -> Result<Self, Error> {
        let need = |path: &str| {
            file(path)?.ok_or_else(|| Error::Model(format!("the model folder has no file {path}")))
        };
        let mut notices = Vec::new();
        let config = need(CONFIG)?;
        let tokenizer_json = need(TOKENIZER)?;
        let adapters = Adapters::read(file)?;
        let of_base = adapters.as_ref().map_or("", Adapters::folder);
        let files = weights::files(file, of_base)?;
        let (shape, weights) = hf::actor_weights((CONFIG, &config), &files, &mut notices)?;
        let specials = specials(file, "", &config)?;
        let tokenizer = Tokenizer::from_json_with(&tokenizer_json, &specials)?;
        notices.extend(cleared(TOKENIZER, &tokenizer));
        let about = match file(ABOUT)? {
            Some(bytes) => read_about(&bytes, &tokenizer_json, shape.positions)?,
            None => {
                let about = About::of_strangers(&tokenizer_json);
                let chat = chat(file, &tokenizer, &mut notices)?;
                About { style: chat.unwrap_or_else(|| about.style.clone()), ..about }
            }
        };
        check_vocabulary(TOKENIZER, &tokenizer, CONFIG, shape.vocab_size)?;
        let tokenizer = tokenizer
            .ending_by(&about.style)
            .map_err(|error| Error::Model(format!("{ABOUT}: {error}")))?;
        let held = reading.held.unwrap_or(about.base_weights);
        let whole = hf::made_of(&shape, &weights, held, device)?;
        let base = Base {
            place: String::new(),
            sha256: if shape.has_adapters() { weights::sha256(&files) } else { String::new() },
        };
        let actor = match &adapters {
            Some(adapters) => adapters.beside(whole.clone(), (&about, &base), device)?,
            None => whole.clone(),
        };
        let own = (&tokenizer, &tokenizer_json[..], &whole);
        let critic = read_critic(file, reading.seed, device, own, &mut notices)?;
        let Some((critic, own)) = critic else {
            if about.samples > 1 {
                return Err(Error::Model(format!(
                    "{ABOUT} says that a critic chooses among {} utterances, and there is no {CRITIC}{CONFIG}: put back the critic that came with the model",
                    about.samples
                )));
            }
            return Ok(Self { notices, base, ..Self::new(actor, None, tokenizer, about) });
        };
        let agent = Self::new(actor, Some(critic), tokenizer, about).with_critic_tokenizer(own);
        Ok(Self { notices, base, ..agent })
    }

    /// The files of this agent's model folder, whose card says besides what `card` knows.
    ///
    /// # Errors
    /// If the device fails.
    pub async fn files(&self, card: &Card) -> Result<Vec<(String, Vec<u8>)>, Error> {
        let tokenizer = self.tokenizer.to_json();
        // Of the file as it is written, which may be another than the one that was read.
        let about = About { tokenizer_crc32: crc32fast::hash(&tokenizer), ..self.about.clone() };
        let about = serde_json::to_string_pretty(&about).expect("JSON can be written") + "\n";
        let shape = self.actor.config();
        let mut files = vec![
            (
                CONFIG.to_string(),
                hf::actor_config(shape, self.tokenizer.end, self.tokenizer.stops()),
            ),
            (GENERATION.to_string(), self.generation_config()),
            (TOKENIZER_CONFIG.to_string(), self.tokenizer_config()),
            (ABOUT.to_string(), about.into_bytes()),
            (CARD.to_string(), card.text(self).into_bytes()),
        ];
        files.extend(self.weights().await?);
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
        files.push((TOKENIZER.to_string(), tokenizer));
        Ok(files)
    }

    /// The actor's weights, or its adapters alone where the model that they belong to is frozen.
    async fn weights(&self) -> Result<Vec<(String, Vec<u8>)>, Error> {
        #[cfg(feature = "llama")]
        if let Some(lora) = self.actor.lora() {
            return Ok(vec![
                (peft::CONFIG.to_string(), peft::config(lora, &self.base.place)),
                (peft::WEIGHTS.to_string(), peft::write_adapters(&self.actor).await?),
            ]);
        }
        let actor = self.actor.clone().unfrozen();
        Ok(vec![(MODEL.to_string(), hf::write(&actor, Format::Actor).await?)])
    }

    /// `tokenizer_config.json`, with the template of a chat where it reads one.
    fn tokenizer_config(&self) -> Vec<u8> {
        let positions = self.actor.config().positions;
        #[cfg(all(feature = "llama", not(target_family = "wasm")))]
        if let Style::Chat(chat) = &self.about.style {
            let config = tokenizer_config(&self.tokenizer, positions);
            let mut config: Value = serde_json::from_slice(&config).unwrap_or_default();
            config["chat_template"] = hf::chat::template(chat).into();
            return hf::config::pretty(&config);
        }
        tokenizer_config(&self.tokenizer, positions)
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
    (tokenizer, tokenizer_json, whole): (&Tokenizer, &[u8], &CausalLm),
    notices: &mut Vec<String>,
) -> Result<Option<(Critic, Option<Tokenizer>)>, Error> {
    let (config_name, tokenizer_name) =
        (format!("{CRITIC}{CONFIG}"), format!("{CRITIC}{TOKENIZER}"));
    let Some(config) = file(&config_name)? else {
        return Ok(None);
    };
    let files = weights::files(file, CRITIC)?;
    let adapted = adapted_critic((&config_name, &config), &files, (whole, seed), device)?;
    let shape = hf::read_critic_config(&config_name, &config)?;
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
    if let Some(critic) = adapted {
        return Ok(Some((critic, own)));
    }
    let weights = hf::critic_weights(&config_name, &shape, &files, notices)?;
    let critic = shape.init(&mut rng::stream(seed, "critic.init", 0), device);
    Ok(Some((hf::fill_critic(critic, &weights)?, own)))
}

/// A critic of adapters and heads, whose body is the actor's model; `None` where it is a whole one.
#[cfg(feature = "llama")]
fn adapted_critic(
    (config_name, config): (&str, &[u8]),
    files: &[NamedBytes],
    (whole, seed): (&CausalLm, u64),
    device: &Device,
) -> Result<Option<Critic>, Error> {
    let Some(lora) = peft::read_critic_config(config_name, config)? else {
        return Ok(None);
    };
    let rng = &mut rng::stream(seed, "critic.init", 0);
    let body = whole.clone().adapted(&lora, rng, device).ok_or_else(|| {
        Error::Model(format!("{config_name}: its adapters belong to a model of another layout"))
    })?;
    let critic = CausalCritic::around(body, rng, device);
    let filled = Weights::new(files)?.fill(critic, Format::CausalCritic, |_| false)?;
    Ok(Some(Critic::Causal(filled)))
}

#[cfg(not(feature = "llama"))]
fn adapted_critic(
    _: (&str, &[u8]),
    _: &[NamedBytes],
    _: (&CausalLm, u64),
    _: &Device,
) -> Result<Option<Critic>, Error> {
    Ok(None)
}

/// The adapters of a folder, in PEFT's files.
struct Adapters {
    #[cfg(feature = "llama")]
    lora: crate::nn::llama::Lora,
    #[cfg(feature = "llama")]
    files: Vec<NamedBytes>,
    folder: &'static str,
}

impl Adapters {
    /// Those of a folder, if it holds some: beside the whole model, or beside none, and then the model is
    /// in the folder that they name.
    fn read(file: Files<'_>) -> Result<Option<Self>, Error> {
        #[cfg(feature = "llama")]
        {
            let Some(config) = file(peft::CONFIG)? else { return Ok(None) };
            let weights = file(peft::WEIGHTS)?.ok_or_else(|| {
                Error::Model(format!(
                    "the model folder has the file {}, and no {}, which holds the adapters",
                    peft::CONFIG,
                    peft::WEIGHTS
                ))
            })?;
            let beside = file(MODEL)?.is_some() || file(weights::INDEX)?.is_some();
            let lora = peft::read_config(peft::CONFIG, &config)?;
            let files = vec![(peft::WEIGHTS.to_string(), weights)];
            Ok(Some(Self { lora, files, folder: if beside { "" } else { BASE } }))
        }
        #[cfg(not(feature = "llama"))]
        {
            let _ = file;
            Ok(None)
        }
    }

    /// The folder of the model that they belong to.
    fn folder(&self) -> &'static str {
        self.folder
    }

    /// The model with the adapters beside its weights.
    fn beside(
        &self,
        whole: CausalLm,
        (about, base): (&About, &Base),
        device: &Device,
    ) -> Result<CausalLm, Error> {
        if !about.base_sha256.is_empty() && about.base_sha256 != base.sha256 {
            return Err(Error::Model(format!(
                "the adapters belong to another model: the weights in the folder that {} names have the SHA-256 {}, and {ABOUT} says {}",
                "adapter_config.json", base.sha256, about.base_sha256
            )));
        }
        #[cfg(feature = "llama")]
        return peft::read(whole, &self.lora, &self.files, device);
        #[cfg(not(feature = "llama"))]
        {
            let _ = device;
            Ok(whole)
        }
    }
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

/// How the messages of a chat are framed, by the template of a folder; `None` where there is none that can
/// be used, which is told.
#[cfg(all(feature = "llama", not(target_family = "wasm")))]
fn chat(
    file: Files<'_>,
    tokenizer: &Tokenizer,
    notices: &mut Vec<String>,
) -> Result<Option<Style>, Error> {
    const TEMPLATE: &str = "chat_template.jinja";
    let config = file(TOKENIZER_CONFIG)?;
    let config: Value =
        config.and_then(|bytes| foreign::json(TOKENIZER_CONFIG, &bytes).ok()).unwrap_or_default();
    let text = |value: &Value| value.as_str().or(value["content"].as_str()).map(str::to_string);
    let own = match &config["chat_template"] {
        // Several by their names.
        Value::Array(all) => {
            let default = all.iter().find(|one| one["name"] == "default");
            default.and_then(|one| text(&one["template"]))
        }
        one => text(one),
    };
    let template = match file(TEMPLATE)? {
        Some(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
        None => own,
    };
    let Some(template) = template else { return Ok(None) };
    let map = file(SPECIALS)?;
    let map: Value = map.and_then(|bytes| foreign::json(SPECIALS, &bytes).ok()).unwrap_or_default();
    let named: Vec<(String, String)> = ["bos_token", "eos_token", "pad_token", "unk_token"]
        .into_iter()
        .filter_map(|name| {
            Some((name.to_string(), text(&config[name]).or_else(|| text(&map[name]))?))
        })
        .collect();
    match hf::chat::pieces(&template, &tokenizer.specials(), &named) {
        Ok(chat) if ChatConfig::of(chat.clone()).check().is_ok() => {
            if template.contains("enable_thinking") {
                notices.push(
                    "its chat template is for a model that may think before it speaks: an utterance ends with its line, and so may its thoughts".into(),
                );
            }
            let style = Style::Chat(Box::new(chat));
            match tokenizer.clone().ending_by(&style) {
                Ok(_) => Ok(Some(style)),
                Err(error) => {
                    notices.push(format!(
                        "its chat template is set aside, and it reads a world's plain text: {error}"
                    ));
                    Ok(None)
                }
            }
        }
        Ok(_) => {
            notices.push("its chat template is set aside, and it reads a world's plain text: its pieces are too long".into());
            Ok(None)
        }
        Err(why) => {
            notices.push(format!(
                "its chat template is set aside, and it reads a world's plain text: {why}"
            ));
            Ok(None)
        }
    }
}

#[cfg(not(all(feature = "llama", not(target_family = "wasm"))))]
fn chat(_: Files<'_>, _: &Tokenizer, _: &mut [String]) -> Result<Option<Style>, Error> {
    Ok(None)
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

fn read_about(bytes: &[u8], tokenizer_json: &[u8], positions: usize) -> Result<About, Error> {
    let about: About = foreign::json(ABOUT, bytes)?;
    if about.version != 1 {
        return Err(Error::Model(format!(
            "{ABOUT} is of version {}; this program reads version 1",
            about.version
        )));
    }
    about.check(positions).map_err(|error| Error::Model(format!("{ABOUT}: {error}")))?;
    if about.tokenizer_crc32 != crc32fast::hash(tokenizer_json) {
        return Err(Error::Model(format!(
            "{TOKENIZER} is not the one that the weights were trained with; put back the one that came with the model"
        )));
    }
    Ok(about)
}
