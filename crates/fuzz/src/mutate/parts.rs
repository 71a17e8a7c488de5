//! Changes to files that are made of parts: the container, and weights behind a header.

use archer::checkpoint::Sections;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use super::{json, plain, sealed};

/// Changes the contents of one section by what they are.
pub fn container(rng: &mut ChaCha8Rng, bytes: &[u8]) -> Vec<u8> {
    let Some(mut sections) = opened(bytes) else { return plain(rng, bytes.to_vec(), bytes) };
    if sections.is_empty() {
        return bytes.to_vec();
    }
    let (one, two) = (rng.random_range(0..sections.len()), rng.random_range(0..sections.len()));
    match rng.random_range(0..10) {
        0 => drop(sections.remove(one)),
        1 => sections[one].0 = sections[two].0.clone(),
        2 => sections[one].1 = sections[two].1.clone(),
        _ => {
            let (_, contents) = &mut sections[one];
            *contents = content(rng, contents);
        }
    }
    let mut packed = Sections::new();
    sections.iter().for_each(|(name, bytes)| packed.push(name, bytes.clone()));
    packed.to_bytes()
}

/// Changes a file by what it looks like.
fn content(rng: &mut ChaCha8Rng, bytes: &[u8]) -> Vec<u8> {
    match (bytes.first(), Safetensors::of(bytes)) {
        (Some(b'{'), _) => json::document(rng, bytes),
        (_, Some(weights)) if rng.random_bool(0.7) => weights.changed(rng),
        _ => plain(rng, bytes.to_vec(), bytes),
    }
}

/// The sections of a container, by name.
fn opened(bytes: &[u8]) -> Option<Vec<(String, Vec<u8>)>> {
    let sections = Sections::from_bytes(&sealed(bytes.to_vec())).ok()?;
    Some(sections.iter().map(|(name, bytes)| (name.to_string(), bytes.to_vec())).collect())
}

/// Weights: a header in JSON, and what it places.
#[derive(Debug)]
pub struct Safetensors<'a> {
    header: Value,
    data: &'a [u8],
}

impl<'a> Safetensors<'a> {
    /// Takes a file apart, if it is one.
    pub fn of(bytes: &'a [u8]) -> Option<Self> {
        let (length, rest) = bytes.split_first_chunk::<8>()?;
        let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
        let (header, data) = rest.split_at_checked(length)?;
        Some(Self { header: serde_json::from_slice(header).ok()?, data })
    }

    /// The file with a change in its header.
    pub fn changed(mut self, rng: &mut ChaCha8Rng) -> Vec<u8> {
        json::change(rng, &mut self.header);
        let header = serde_json::to_vec(&self.header).expect("a value is JSON");
        let length = (header.len() as u64).to_le_bytes();
        [&length, &header[..], self.data].concat()
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn most_changed_containers_are_containers() {
        let mut sections = Sections::new();
        sections.push("config", b"{\"layers\": 2}".to_vec());
        let weights = [&14u64.to_le_bytes()[..], b"{\"a\":[0, 4]}  ", &[0; 4]].concat();
        assert!(Safetensors::of(&weights).is_some());
        sections.push("weights", weights);
        let bytes = sections.to_bytes();
        assert_eq!(sealed(bytes.clone()), bytes);
        let read = (0..100).filter(|seed| {
            let made = sealed(container(&mut ChaCha8Rng::seed_from_u64(*seed), &bytes));
            Sections::from_bytes(&made).is_ok()
        });
        assert!(read.count() > 90);
    }
}
