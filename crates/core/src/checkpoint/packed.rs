//! Weights in fewer bytes, for travel: half precision, or eight bits with a scale for each block.
//!
//! ```text
//! tensors u32 · for each: rank u8 · sizes u32 … · encoding u8 · values
//!   encoding 0   f32 each
//!   encoding 1   f16 each
//!   encoding 2   for each block of 64 values, the last maybe shorter: scale f32, then i8 each;
//!                a value is its i8 times the scale
//! ```
//!
//! Matrices are rounded, vectors (norms, biases) stay as they are: they are few, and what they do
//! is felt everywhere. Whoever reads computes in f32 again. Rounding what was rounded before
//! changes nothing, so a file that is read and written again stays the same.

use std::fmt;
use std::str::FromStr;

use burn::module::Module;
use burn::tensor::{Tensor, TensorData};
use half::f16;
use serde::{Deserialize, Serialize};

use super::{Reader, damaged};
use crate::error::Error;
use crate::finite;
use crate::nn::params;

/// Values that share a scale.
const BLOCK: usize = 64;

/// How exactly weights are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// As they are.
    #[default]
    F32,
    /// Matrices in half precision: eleven significant bits.
    F16,
    /// Matrices in eight bits, scaled by the largest value of each block.
    Q8,
    /// The frozen matrices of a language model as the upper halves of 32-bit floats.
    Bf16,
    /// The frozen matrices of a language model in four bits, with a scale and a shift for each block.
    Q4,
}

impl Precision {
    /// All of them; those of any network first.
    const ALL: [Precision; 5] =
        [Precision::F32, Precision::F16, Precision::Q8, Precision::Bf16, Precision::Q4];

    /// Whether the weights of any network can be written so, rather than frozen ones alone.
    pub fn is_for_all(self) -> bool {
        !matches!(self, Precision::Bf16 | Precision::Q4)
    }

    /// The name on the command line and in files.
    fn name(self) -> &'static str {
        match self {
            Precision::F32 => "f32",
            Precision::F16 => "f16",
            Precision::Q8 => "q8",
            Precision::Bf16 => "bf16",
            Precision::Q4 => "q4",
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Precision {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|precision| precision.name() == name).ok_or_else(|| {
            Error::Config(format!(
                "there is no precision {name}: choose f32, f16 or q8; for a language model also bf16 or q4"
            ))
        })
    }
}

/// The name of the section that holds the packed weights of a network.
pub fn section(name: &str) -> String {
    format!("{name}_packed")
}

/// A network's parameters with so many bits.
///
/// # Errors
/// If the device fails, or a value is no number or too large for the precision.
pub async fn pack<M: Module>(module: &M, precision: Precision) -> Result<Vec<u8>, Error> {
    let infos = params::infos(module);
    let values = params::read(params::tensors(module)).await?;
    let mut out = (infos.len() as u32).to_le_bytes().to_vec();
    for (info, values) in infos.iter().zip(values) {
        out.push(info.shape.len() as u8);
        info.shape.iter().for_each(|&size| out.extend((size as u32).to_le_bytes()));
        let precision = if info.shape.len() > 1 { precision } else { Precision::F32 };
        put(&mut out, &values, precision).ok_or_else(|| {
            Error::Model(format!(
                "the weights {} hold a value that cannot be written in {precision}: the model has gone astray, or needs a higher precision",
                info.name
            ))
        })?;
    }
    Ok(out)
}

/// Fills a network of the right shape.
///
/// # Errors
/// If the bytes are not those of such a network.
pub fn unpack<M: Module>(module: M, bytes: &[u8]) -> Result<M, Error> {
    let mut reader = Reader(bytes);
    let infos = params::infos(&module);
    if reader.u32()? as usize != infos.len() {
        return Err(damaged(
            "a network in it has more or fewer tensors than the configuration says",
        ));
    }
    let mut tensors = Vec::with_capacity(infos.len());
    for (info, like) in infos.iter().zip(params::tensors(&module)) {
        let rank = reader.take(1)?[0] as usize;
        let shape = (0..rank).map(|_| reader.u32().map(|size| size as usize));
        if shape.collect::<Result<Vec<_>, _>>()? != info.shape {
            return Err(damaged("a network in it has another shape than the configuration says"));
        }
        let size = like.dims()[0];
        let values = take(&mut reader, size)?;
        finite::check_tensor("the checkpoint", &info.name, &values)?;
        tensors.push(Tensor::from_data(TensorData::new(values, [size]), &like.device()));
    }
    match reader.0 {
        [] => Ok(params::replace(module, tensors)),
        _ => Err(damaged("a network in it is followed by more than it needs")),
    }
}

/// Scalars in a packed network, which is not unpacked.
///
/// # Errors
/// If the bytes are not those of a network.
pub fn parameters(bytes: &[u8]) -> Result<u64, Error> {
    let (mut reader, mut all) = (Reader(bytes), 0u64);
    let much = || damaged("a network in it is larger than its bytes");
    for _ in 0..reader.u32()? {
        let rank = reader.take(1)?[0];
        let mut size = 1u64;
        for _ in 0..rank {
            size = size.checked_mul(u64::from(reader.u32()?)).ok_or_else(much)?;
        }
        let bytes = match reader.take(1)?[0] {
            0 => size.checked_mul(4),
            1 => size.checked_mul(2),
            _ => size.checked_add(4 * size.div_ceil(BLOCK as u64)),
        };
        let bytes = bytes.and_then(|bytes| usize::try_from(bytes).ok()).ok_or_else(much)?;
        reader.take(bytes)?;
        all += size;
    }
    Ok(all)
}

/// The network as whoever reads it with so many bits will have it.
///
/// # Errors
/// As [`pack`].
pub async fn rounded<M: Module>(module: M, precision: Precision) -> Result<M, Error> {
    match precision {
        Precision::F32 => Ok(module),
        _ => {
            let bytes = pack(&module, precision).await?;
            unpack(module, &bytes)
        }
    }
}

/// Writes some values; `None` if one of them cannot be.
fn put(out: &mut Vec<u8>, values: &[f32], precision: Precision) -> Option<()> {
    out.push(precision as u8);
    match precision {
        Precision::F32 if !values.iter().all(|value| value.is_finite()) => return None,
        Precision::F32 => out.extend(values.iter().flat_map(|value| value.to_le_bytes())),
        Precision::F16 => {
            for &value in values {
                let half = f16::from_f32(value);
                half.is_finite().then(|| out.extend(half.to_le_bytes()))?;
            }
        }
        Precision::Q8 => {
            for block in values.chunks(BLOCK) {
                let scale = scale(block)?;
                out.extend(scale.to_le_bytes());
                let each =
                    |&value: &f32| if scale > 0.0 { (value / scale).round() as i8 } else { 0 };
                out.extend(block.iter().map(each).map(|byte| byte as u8));
            }
        }
        Precision::Bf16 | Precision::Q4 => return None,
    }
    Some(())
}

fn take(reader: &mut Reader<'_>, size: usize) -> Result<Vec<f32>, Error> {
    let mut values = Vec::new();
    match reader.take(1)?[0] {
        0 => {
            let bytes = reader.take(4 * size)?.chunks_exact(4);
            values.extend(bytes.map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])));
        }
        1 => {
            let bytes = reader.take(2 * size)?.chunks_exact(2);
            values.extend(bytes.map(|b| f16::from_le_bytes([b[0], b[1]]).to_f32()));
        }
        2 => {
            while values.len() < size {
                let scale = reader.f32()?;
                let block = reader.take(BLOCK.min(size - values.len()))?;
                values.extend(block.iter().map(|&byte| scale * f32::from(byte as i8)));
            }
        }
        other => {
            return Err(Error::Version(format!(
                "the weights are written in encoding {other}, which this program does not know; use a newer version of archer"
            )));
        }
    }
    Ok(values)
}

/// The step between the values of a block: its largest over 127, rounded up to sixteen significant
/// bits, so that 127 steps are an exact f32 and rounding twice is rounding once. `None` where a
/// value is no number.
fn scale(block: &[f32]) -> Option<f32> {
    const LOW: u32 = 0xff;
    let largest = block.iter().fold(0f32, |largest, value| largest.max(value.abs()));
    let finite = block.iter().all(|value| value.is_finite());
    finite.then(|| {
        let step = largest / 127.0;
        let rounded = f32::from_bits((step.to_bits() + LOW) & !LOW);
        // Steps that are no normal numbers lose their bits: such a block is as good as 0.
        if rounded.is_normal() { rounded } else { 0.0 }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::causal_lm::{CausalLm, CausalLmConfig, Layout};
    use crate::rng;
    use burn::tensor::Device;
    use proptest::prelude::*;

    fn round(values: &[f32], precision: Precision) -> Vec<f32> {
        let mut out = Vec::new();
        put(&mut out, values, precision).unwrap();
        let mut reader = Reader(&out);
        let read = take(&mut reader, values.len()).unwrap();
        assert!(reader.0.is_empty());
        read
    }

    #[test]
    fn eight_bits_by_hand() {
        // The step is 1 where the largest is 127.
        assert_eq!(round(&[127.0, -3.4, 0.6, 0.0], Precision::Q8), [127.0, -3.0, 1.0, 0.0]);
        assert_eq!(round(&[0.0; 3], Precision::Q8), [0.0; 3]);
        // Each block has its own: the second is not drowned by the first.
        let two: Vec<f32> = (0..65).map(|i| if i == 64 { 1e-3 } else { 100.0 }).collect();
        assert!((round(&two, Precision::Q8)[64] - 1e-3).abs() < 1e-6);
        assert_eq!(round(&[1.0 + 1.0 / 1024.0, 7e4 - 5e3], Precision::F16)[0], 1.0 + 1.0 / 1024.0);
        let mut out = Vec::new();
        assert!(put(&mut out, &[7e4], Precision::F16).is_none());
        assert!(put(&mut out, &[f32::NAN], Precision::Q8).is_none());
    }

    proptest! {
        #[test]
        fn rounding_is_near_and_rounding_twice_is_rounding_once(
            values in proptest::collection::vec(-9f32..9.0, 1..200),
        ) {
            for precision in Precision::ALL.into_iter().filter(|one| one.is_for_all()) {
                let once = round(&values, precision);
                prop_assert_eq!(&round(&once, precision), &once);
                for (block, near) in values.chunks(BLOCK).zip(once.chunks(BLOCK)) {
                    let largest = block.iter().fold(0f32, |most, value| most.max(value.abs()));
                    let most = match precision {
                        Precision::F32 => 0.0,
                        Precision::F16 => largest / 2048.0 + 1e-7,
                        // Half a step, and what the step was rounded up by.
                        _ => largest / 127.0 * 0.51,
                    };
                    for (a, b) in block.iter().zip(near) {
                        prop_assert!((a - b).abs() <= most, "{precision}: {a} to {b}");
                    }
                }
            }
        }

        #[test]
        fn bytes_that_are_no_weights_are_refused_and_never_panic(
            bytes in proptest::collection::vec(prop_oneof![0u8..4, any::<u8>()], 0..64),
        ) {
            // An encoding, and not the bytes that ten values take in it.
            let needed = bytes.first().and_then(|encoding| [40, 20, 4 + 10].get(*encoding as usize));
            let whole = needed.is_some_and(|needed| bytes.len() > *needed);
            prop_assert_eq!(take(&mut Reader(&bytes), 10).is_ok(), whole);
        }
    }

    #[test]
    fn a_network_survives_in_its_size_and_another_shape_is_refused() {
        let config = CausalLmConfig {
            layers: 1,
            width: 32,
            heads: 2,
            positions: 64,
            vocab_size: 300,
            norm_epsilon: 1e-5,
            layout: Layout::Gpt2,
        };
        let device = Device::flex();
        let lm = config.init(&mut rng::stream(1, "test", 0), &device);
        let bytes = |lm: &CausalLm, precision| pollster::block_on(pack(lm, precision)).unwrap();
        let whole = bytes(&lm, Precision::F32);
        for (precision, share) in [(Precision::F16, 0.52), (Precision::Q8, 0.30)] {
            let packed = bytes(&lm, precision);
            assert!((packed.len() as f64) < share * whole.len() as f64, "{}", packed.len());
            let read = unpack(lm.clone(), &packed).unwrap();
            assert_eq!(bytes(&read, precision), packed);
            assert!(bytes(&read, Precision::F32) != whole);
            for end in [0, 3, 5, 60, packed.len() - 1] {
                assert!(unpack(lm.clone(), &packed[..end]).is_err(), "cut at {end}");
            }
            let other = CausalLmConfig { positions: 65, ..config.clone() };
            let other = other.init(&mut rng::stream(1, "test", 0), &device);
            assert!(unpack(other, &packed).unwrap_err().to_string().contains("another shape"));
            let mut unknown = packed.clone();
            unknown[4 + 1 + 8] = 9;
            let error = unpack(lm.clone(), &unknown).unwrap_err().to_string();
            assert!(error.contains("encoding 9"), "{error}");
        }
        assert_eq!(bytes(&unpack(lm.clone(), &whole).unwrap(), Precision::F32), whole);
    }
}
