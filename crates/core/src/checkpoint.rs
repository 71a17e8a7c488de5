//! A container of named sections with a checksum, and the few things a trainer puts into it.
//!
//! ```text
//! "ARCHERCK" · version u32 · sections u32 · { name, length u64, bytes } … · crc32 of all before
//! ```
//!
//! All numbers are little-endian. A file that is cut or altered anywhere is refused as a whole;
//! nothing is guessed from what is left of it.

use std::collections::HashMap;
use std::sync::Arc;

use archer_input::Format;
use burn::module::Module;
use burn::tensor::{Tensor, TensorData};
use bytes::Bytes;

use crate::choices::Trie;
use crate::error::Error;
use crate::finite;
use crate::nn::optim::Adam;
use crate::nn::params;
use crate::rl::replay_buffer::ReplayBuffer;
use crate::rl::text::Text;
use crate::rl::transition::Transition;

pub mod packed;
pub mod survey;

/// How a container begins.
pub const MAGIC: &[u8; 8] = b"ARCHERCK";
/// Files of version 1 know no packed weights ([`packed`]) and are read as before.
const VERSION: u32 = 2;

/// Named byte sections. Copies share their bytes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sections(Vec<(String, Bytes)>);

impl Sections {
    /// No section yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a section.
    pub fn push(&mut self, name: &str, bytes: Vec<u8>) {
        self.0.push((name.to_string(), bytes.into()));
    }

    /// The bytes of a section, shared with the container; `None` if there is none of this name.
    pub fn shared(&self, name: &str) -> Option<&Bytes> {
        self.0.iter().find(|(section, _)| section == name).map(|(_, bytes)| bytes)
    }

    /// The bytes of a section.
    ///
    /// # Errors
    /// If there is none of this name.
    pub fn get(&self, name: &str) -> Result<&[u8], Error> {
        self.shared(name)
            .map(|bytes| &bytes[..])
            .ok_or_else(|| damaged(&format!("it has no section {name}")))
    }

    /// The sections in their order, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|(name, bytes)| (name.as_str(), &bytes[..]))
    }

    /// The container as bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let sections: usize = self.0.iter().map(|(name, bytes)| 9 + name.len() + bytes.len()).sum();
        let mut out = Vec::with_capacity(MAGIC.len() + 8 + sections + 4);
        out.extend(MAGIC);
        out.extend(VERSION.to_le_bytes());
        out.extend((self.0.len() as u32).to_le_bytes());
        for (name, bytes) in &self.0 {
            out.push(name.len() as u8);
            out.extend(name.as_bytes());
            out.extend((bytes.len() as u64).to_le_bytes());
            out.extend(bytes);
        }
        let sum = crc32fast::hash(&out);
        out.extend(sum.to_le_bytes());
        out
    }

    /// Reads a container, of which it makes a copy.
    ///
    /// # Errors
    /// If it is cut, altered, of another version, or no checkpoint at all.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        Self::from_shared(&Bytes::copy_from_slice(bytes))
    }

    /// Reads a container, whose bytes the sections share.
    ///
    /// # Errors
    /// As [`from_bytes`](Self::from_bytes).
    pub fn from_shared(bytes: &Bytes) -> Result<Self, Error> {
        if !bytes.is_empty() && MAGIC.starts_with(bytes) {
            return Err(damaged("it is cut"));
        }
        if !bytes.starts_with(MAGIC) {
            return Err(match archer_input::instead_of(Format::Archer, bytes) {
                Some(fault) => {
                    Error::Checkpoint(format!("the checkpoint is none: the file {fault}"))
                }
                None => damaged("it does not begin as a checkpoint does"),
            });
        }
        let Some((body, sum)) = bytes.split_last_chunk::<4>() else {
            return Err(damaged("it is cut"));
        };
        let mut reader = Reader(body.strip_prefix(MAGIC).ok_or_else(|| damaged("it is cut"))?);
        let version = reader.u32()?;
        if version > VERSION {
            return Err(Error::Version(format!(
                "the checkpoint is of version {version}; this program reads versions 1 to {VERSION}: use a newer version of archer"
            )));
        }
        if version == 0 {
            return Err(damaged("there is no version 0"));
        }
        if crc32fast::hash(body) != u32::from_le_bytes(*sum) {
            return Err(damaged("its checksum does not match its contents"));
        }
        let count = reader.u32()?;
        let mut sections = Vec::new();
        for _ in 0..count {
            let length = reader.take(1)?[0] as usize;
            let name = name_of(reader.take(length)?)?;
            let length = reader.u64()? as usize;
            sections.push((name, bytes.slice_ref(reader.take(length)?)));
        }
        match reader.0.is_empty() {
            true => Ok(Self(sections)),
            false => Err(damaged("it is followed by more than it needs")),
        }
    }
}

/// Fills a network of the right shape from its section, packed or not.
///
/// # Errors
/// If there is none, or it is of another shape.
pub fn module_from_section<M: Module>(
    module: M,
    sections: &Sections,
    name: &str,
) -> Result<M, Error> {
    match sections.get(&packed::section(name)) {
        Ok(bytes) => packed::unpack(module, bytes),
        Err(_) => module_from_bytes(module, sections.get(name)?),
    }
}

/// The name of a section.
fn name_of(bytes: &[u8]) -> Result<String, Error> {
    let name = str::from_utf8(bytes).map_err(|_| damaged("the name of a section is no text"))?;
    Ok(name.to_string())
}

fn damaged(why: &str) -> Error {
    Error::Checkpoint(format!("the checkpoint is damaged: {why}"))
}

/// Bytes that are read from the front.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], Error> {
        let (front, rest) =
            self.0.split_at_checked(n).ok_or_else(|| damaged("it ends too early"))?;
        self.0 = rest;
        Ok(front)
    }

    fn u32(&mut self) -> Result<u32, Error> {
        Ok(u32::from_le_bytes(self.take(4)?.try_into().expect("four bytes")))
    }

    fn u64(&mut self) -> Result<u64, Error> {
        Ok(u64::from_le_bytes(self.take(8)?.try_into().expect("eight bytes")))
    }

    fn f32(&mut self) -> Result<f32, Error> {
        Ok(f32::from_bits(self.u32()?))
    }

    /// A number in groups of seven bits, the lowest first.
    fn varint(&mut self) -> Result<u64, Error> {
        let (mut value, mut shift) = (0u64, 0);
        loop {
            let byte = self.take(1)?[0];
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
            shift += 7;
            if shift > 63 {
                return Err(damaged("a number is too long"));
            }
        }
    }

    /// A list of choices by its number, or the next one itself.
    fn choices(&mut self, lists: &mut Vec<Arc<Trie>>) -> Result<Arc<Trie>, Error> {
        let number = self.varint()?;
        if number == lists.len() as u64 {
            let count = self.varint()?;
            let utterances: Result<Vec<_>, _> = (0..count).map(|_| self.tokens()).collect();
            lists.push(Arc::new(Trie::new(utterances?)));
        }
        let found = lists.get(number as usize).cloned();
        found.ok_or_else(|| damaged("a list of choices is not there"))
    }

    fn tokens(&mut self) -> Result<Vec<u32>, Error> {
        let length = self.varint()?;
        (0..length).map(|_| self.varint().map(|token| token as u32)).collect()
    }
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn put_tokens(out: &mut Vec<u8>, tokens: &[u32]) {
    put_varint(out, tokens.len() as u64);
    tokens.iter().for_each(|&token| put_varint(out, u64::from(token)));
}

/// The parameters of a network, one after another.
///
/// # Errors
/// If the device fails, or a parameter is not finite.
pub async fn module_bytes<M: Module>(module: &M) -> Result<Vec<u8>, Error> {
    let values = params::read(params::tensors(module)).await?;
    check_finite(module, &values)?;
    Ok(values.into_iter().flatten().flat_map(f32::to_le_bytes).collect())
}

/// Holds the parameters of a network to be finite, before they are written and after they are read.
fn check_finite<M: Module>(module: &M, values: &[Vec<f32>]) -> Result<(), Error> {
    let infos = params::infos(module);
    let mut each = infos.iter().zip(values);
    each.try_for_each(|(info, values)| finite::check_tensor("the checkpoint", &info.name, values))
}

/// Some flat tensors, one after another.
///
/// # Errors
/// If the device fails.
pub async fn tensor_bytes(tensors: Vec<Tensor<1>>) -> Result<Vec<u8>, Error> {
    if tensors.is_empty() {
        return Ok(Vec::new());
    }
    let values = params::read(tensors).await?;
    Ok(values.into_iter().flatten().flat_map(f32::to_le_bytes).collect())
}

/// Fills a network of the right shape.
///
/// # Errors
/// If there are not as many values as the network has parameters, or one is not finite.
pub fn module_from_bytes<M: Module>(module: M, bytes: &[u8]) -> Result<M, Error> {
    let like = params::tensors(&module);
    let values = values_from_bytes(&like, bytes)?;
    check_finite(&module, &values)?;
    Ok(params::replace(module, on_device(&like, values)))
}

fn tensors_from_bytes(like: &[Tensor<1>], bytes: &[u8]) -> Result<Vec<Tensor<1>>, Error> {
    Ok(on_device(like, values_from_bytes(like, bytes)?))
}

fn on_device(like: &[Tensor<1>], values: Vec<Vec<f32>>) -> Vec<Tensor<1>> {
    let tensor = |(like, values): (&Tensor<1>, Vec<f32>)| {
        let size = values.len();
        Tensor::from_data(TensorData::new(values, [size]), &like.device())
    };
    like.iter().zip(values).map(tensor).collect()
}

fn values_from_bytes(like: &[Tensor<1>], mut bytes: &[u8]) -> Result<Vec<Vec<f32>>, Error> {
    let sizes = like.iter().map(|tensor| tensor.dims()[0]).sum::<usize>();
    if bytes.len() != sizes * 4 {
        return Err(damaged("a network in it has another size than the configuration says"));
    }
    Ok(like
        .iter()
        .map(|tensor| {
            let size = tensor.dims()[0];
            let (front, rest) = bytes.split_at(size * 4);
            bytes = rest;
            let floats = front.chunks_exact(4);
            floats.map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
        })
        .collect())
}

/// What Adam remembers.
///
/// # Errors
/// If the device fails.
pub async fn adam_bytes(adam: &Adam) -> Result<Vec<u8>, Error> {
    let mut out = adam.time.to_le_bytes().to_vec();
    out.extend(tensor_bytes(adam.moment_1.iter().chain(&adam.moment_2).cloned().collect()).await?);
    Ok(out)
}

/// The memory of an Adam of this network.
///
/// # Errors
/// If the sizes do not fit.
pub fn adam_from_bytes<M: Module>(module: &M, bytes: &[u8]) -> Result<Adam, Error> {
    let mut reader = Reader(bytes);
    let time = reader.u32()?;
    if reader.0.is_empty() {
        return Ok(Adam { time, ..Adam::new() });
    }
    let like = params::tensors(module);
    let (first, second) = reader.0.split_at(reader.0.len() / 2);
    Ok(Adam {
        time,
        moment_1: tensors_from_bytes(&like, first)?,
        moment_2: tensors_from_bytes(&like, second)?,
    })
}

/// One gradient for each parameter of this network, or none at all.
///
/// # Errors
/// If the sizes do not fit.
pub fn gradients_from_bytes<M: Module>(module: &M, bytes: &[u8]) -> Result<Vec<Tensor<1>>, Error> {
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    tensors_from_bytes(&params::tensors(module), bytes)
}

const TERMINATED: u8 = 1;
const TRUNCATED: u8 = 2;
/// The observation is the next observation of the transition before.
const FOLLOWS: u8 = 4;
/// The next observation begins with the observation; only what was added is written.
const GROWS: u8 = 8;
/// The task of its game is written.
const TASK: u8 = 16;
/// The number of its list of choices is written; at the first of a number the list follows.
const CHOICES: u8 = 32;

/// A replay buffer; texts that neighbours share are written once.
pub fn replay_bytes(buffer: &ReplayBuffer) -> Vec<u8> {
    let mut out = Vec::new();
    put_varint(&mut out, buffer.len() as u64);
    let mut before: Option<&Transition> = None;
    let mut lists: HashMap<&[Vec<u32>], u64> = HashMap::new();
    for item in buffer.iter() {
        let follows = before.is_some_and(|before| before.next_observation == item.observation);
        let added = item.next_observation.strip_prefix(&item.observation[..]);
        let flags = [
            (item.terminated, TERMINATED),
            (item.truncated, TRUNCATED),
            (follows, FOLLOWS),
            (added.is_some(), GROWS),
            (item.task.is_some(), TASK),
            (item.choices.is_some(), CHOICES),
        ];
        out.push(flags.iter().filter(|(on, _)| *on).map(|(_, flag)| flag).sum());
        for value in [item.reward, item.mc_return, item.log_prob] {
            out.extend(value.to_le_bytes());
        }
        if let Some(task) = item.task {
            put_varint(&mut out, u64::from(task));
        }
        if let Some(choices) = &item.choices {
            let fresh = lists.len() as u64;
            let number = *lists.entry(choices.utterances()).or_insert(fresh);
            put_varint(&mut out, number);
            if number == fresh {
                put_varint(&mut out, choices.utterances().len() as u64);
                choices.utterances().iter().for_each(|tokens| put_tokens(&mut out, tokens));
            }
        }
        put_tokens(&mut out, &item.action);
        if !follows {
            put_tokens(&mut out, &item.observation);
        }
        put_tokens(&mut out, added.unwrap_or(&item.next_observation));
        before = Some(item);
    }
    out
}

/// Turns whose texts grow from one to the next, which share the memory of the last.
#[derive(Default)]
struct Chain {
    text: Vec<u32>,
    /// Each with the lengths of its observation and of the next.
    turns: Vec<(Transition, usize, usize)>,
}

impl Chain {
    fn grow(&mut self, turn: Transition, tail: Vec<u32>) {
        let before = self.text.len();
        self.text.extend(tail);
        self.turns.push((turn, before, self.text.len()));
    }

    /// Puts the turns into a buffer; gives the text that the last of them led to.
    fn end_into(&mut self, buffer: &mut ReplayBuffer) -> Text {
        let whole: Arc<[u32]> = std::mem::take(&mut self.text).into();
        for (turn, before, after) in self.turns.drain(..) {
            let observation = Text::beginning(&whole, before);
            let next_observation = Text::beginning(&whole, after);
            buffer.insert(Transition { observation, next_observation, ..turn });
        }
        whole.into()
    }
}

/// Fills an empty replay buffer.
///
/// # Errors
/// If the bytes are not those of a buffer.
pub fn replay_from_bytes(mut buffer: ReplayBuffer, bytes: &[u8]) -> Result<ReplayBuffer, Error> {
    let mut reader = Reader(bytes);
    let mut chain = Chain::default();
    let mut lists: Vec<Arc<Trie>> = Vec::new();
    for _ in 0..reader.varint()? {
        let flags = reader.take(1)?[0];
        let [reward, mc_return, log_prob] = [reader.f32()?, reader.f32()?, reader.f32()?];
        if let Some(value) = [reward, mc_return, log_prob].iter().find(|it| !it.is_finite()) {
            return Err(damaged(&format!("a remembered turn has the number {value}")));
        }
        let task = match flags & TASK != 0 {
            true => Some(reader.varint()? as u32),
            false => None,
        };
        let choices = match flags & CHOICES != 0 {
            true => Some(reader.choices(&mut lists)?),
            false => None,
        };
        let turn = Transition {
            observation: Text::default(),
            action: reader.tokens()?.into(),
            reward,
            next_observation: Text::default(),
            terminated: flags & TERMINATED != 0,
            truncated: flags & TRUNCATED != 0,
            mc_return,
            log_prob,
            choices,
            task,
        };
        if flags & FOLLOWS == 0 {
            chain.end_into(&mut buffer);
            chain.text = reader.tokens()?;
        }
        let tail = reader.tokens()?;
        match flags & GROWS != 0 {
            true => chain.grow(turn, tail),
            false => {
                let next_observation: Text = tail.as_slice().into();
                let observation = chain.end_into(&mut buffer);
                buffer.insert(Transition { observation, next_observation, ..turn });
                chain.text = tail;
            }
        }
    }
    chain.end_into(&mut buffer);
    Ok(buffer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sections() -> Sections {
        let mut sections = Sections::new();
        sections.push("meta", b"{}".to_vec());
        sections.push("empty", Vec::new());
        sections
    }

    #[test]
    fn sections_survive_and_any_cut_or_flip_is_refused() {
        let bytes = sections().to_bytes();
        assert_eq!(Sections::from_bytes(&bytes).unwrap(), sections());
        for end in 0..bytes.len() {
            assert!(Sections::from_bytes(&bytes[..end]).is_err(), "cut at {end}");
        }
        for at in 0..bytes.len() {
            let mut bytes = bytes.clone();
            bytes[at] ^= 0x10;
            let error = Sections::from_bytes(&bytes).unwrap_err().to_string();
            assert!(error.starts_with("the checkpoint is"), "{error}");
        }
        assert!(sections().get("other").unwrap_err().to_string().contains("no section other"));
    }

    /// Found by fuzzing: read with other letters in its place, such a name was longer than what it was
    /// written with.
    #[test]
    fn a_name_is_text_and_nothing_follows_the_last_section() {
        let summed = |mut bytes: Vec<u8>| {
            let sum = crc32fast::hash(&bytes);
            bytes.extend(sum.to_le_bytes());
            Sections::from_bytes(&bytes).unwrap_err().to_string()
        };
        let head =
            |sections: u32| [&MAGIC[..], &VERSION.to_le_bytes(), &sections.to_le_bytes()].concat();
        let mut named = head(1);
        named.push(255);
        named.extend([0xff; 255]);
        named.extend(0u64.to_le_bytes());
        assert!(summed(named).ends_with("the name of a section is no text"));
        let followed = [head(0), b"more".to_vec()].concat();
        assert!(summed(followed).ends_with("it is followed by more than it needs"));
    }

    fn tokens() -> impl Strategy<Value = Vec<u32>> {
        proptest::collection::vec(0..70_000u32, 0..6)
    }

    prop_compose! {
        fn game()(first in tokens(), turns in proptest::collection::vec(
            (tokens(), tokens(), any::<bool>(), -3.0f32..3.0), 1..5)) -> Vec<Transition> {
            let mut observation: Text = first.into();
            turns.into_iter().map(|(action, reply, rewritten, reward)| {
                let next: Text = if rewritten {
                    reply.into()
                } else {
                    observation.iter().chain(&action).copied().chain(reply).collect()
                };
                let before = std::mem::replace(&mut observation, next.clone());
                let list = |n: u32| Arc::new(Trie::new(vec![vec![n, 9], vec![n + 1, 9]]));
                Transition { observation: before, action: action.into(), reward, next_observation: next,
                    terminated: rewritten, truncated: !rewritten, mc_return: reward * 2.0, log_prob: -reward, choices: (reward > 0.0).then(|| list(u32::from(reward > 1.0))), task: rewritten.then_some(7) }
            }).collect()
        }
    }

    proptest! {
        #[test]
        fn any_replay_buffer_survives(games in proptest::collection::vec(game(), 0..5), capacity in 1..12usize) {
            let buffer = ReplayBuffer::from_oldest(capacity, games.into_iter().flatten().collect());
            let again = replay_from_bytes(ReplayBuffer::new(capacity), &replay_bytes(&buffer)).unwrap();
            prop_assert!(buffer.iter().eq(again.iter()));
        }

        #[test]
        fn bytes_that_are_no_buffer_are_refused_or_read_but_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = replay_from_bytes(ReplayBuffer::new(8), &bytes);
            let _ = Sections::from_bytes(&bytes);
        }
    }
}
