//! What inputs are made of.

use std::fs;
use std::path::{Path, PathBuf};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::mutate::{Seed, mutated};
use crate::targets::Target;

/// The inputs that a target begins with, and the seed of the others.
pub struct Corpus {
    target: Target,
    seeds: Vec<Seed>,
    seed: u64,
}

impl Corpus {
    /// Reads the folder of a target.
    ///
    /// # Errors
    /// If it cannot be read, or is empty.
    pub fn read(target: Target, folder: &Path, seed: u64) -> Result<Self, String> {
        let folder = folder.join(target.name);
        let failed = |path: &Path, error| format!("{} cannot be read: {error}", path.display());
        let entries = fs::read_dir(&folder).map_err(|error| failed(&folder, error))?;
        let mut paths: Vec<PathBuf> =
            entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        // By name, so that the same corpus gives the same inputs everywhere.
        paths.sort_unstable();
        let read = |path: &PathBuf| {
            let bytes = fs::read(path).map_err(|error| failed(path, error))?;
            Ok::<_, String>(Seed::new(target.shape, bytes))
        };
        let seeds: Vec<Seed> = paths.iter().map(read).collect::<Result<_, _>>()?;
        match seeds.is_empty() {
            true => Err(format!("{} is empty: put an input there", folder.display())),
            false => Ok(Self { target, seeds, seed }),
        }
    }

    /// The input of a number: first the corpus itself, then what is made of it.
    pub fn input(&self, number: u64) -> Vec<u8> {
        if let Some(seed) = usize::try_from(number).ok().and_then(|number| self.seeds.get(number)) {
            return seed.bytes.clone();
        }
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(number);
        let one = &self.seeds[rng.random_range(0..self.seeds.len())];
        let other = &self.seeds[rng.random_range(0..self.seeds.len())];
        mutated(&mut rng, self.target.shape, one, &other.bytes)
    }
}
