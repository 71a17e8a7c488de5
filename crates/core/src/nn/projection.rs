//! Weights that are trained, or frozen with a small trained adapter beside them.
//!
//! A trained weight is a parameter of the network. A frozen one is none: it is shared by every copy of the
//! network, and neither optimiser, gradient, target nor checkpoint holds it. What learns is then an
//! adapter of low rank: `y = x W + b + (α/r) · (x A) B` (Hu et al., LoRA, arXiv:2106.09685, equation 3).

use burn::module::{Module, Param};
use burn::tensor::{Device, Int, Tensor, TensorData};

use super::fused::{self, Activation, Rows};
use super::layers::transposed;
use super::packed::{Loaded, Packed, Part, Values};
use crate::rng::ChaCha8Rng;

/// `x W + b`.
#[derive(Module, Debug)]
pub(super) struct Projection {
    /// `[d_in, d_out]`; none where it is frozen.
    weight: Option<Param<Tensor<2>>>,
    /// `[d_out]`, likewise.
    bias: Option<Param<Tensor<1>>>,
    lora_a: Option<Param<Tensor<2>>>,
    lora_b: Option<Param<Tensor<2>>>,
    #[module(skip)]
    frozen: Option<Frozen>,
    /// α/r.
    #[module(skip)]
    scale: f64,
}

/// A frozen weight and bias.
#[derive(Debug, Clone)]
struct Frozen {
    weight: Weight,
    bias: Option<Tensor<1>>,
}

/// A frozen weight.
#[derive(Debug, Clone)]
enum Weight {
    /// 32-bit floats, `[d_in, d_out]`.
    Dense(Tensor<2>),
    /// Fewer bits, `[d_out, d_in]`.
    Packed(Packed),
}

impl Weight {
    /// Inputs and outputs.
    fn dims(&self) -> [usize; 2] {
        match self {
            Weight::Dense(weight) => weight.dims(),
            Weight::Packed(weight) => {
                let [outputs, inputs] = weight.shape();
                [inputs, outputs]
            }
        }
    }

    /// `x W`.
    fn product<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        match self {
            Weight::Dense(weight) => fused::frozen_product(x, weight),
            Weight::Packed(weight) => fused::packed_product(x, weight),
        }
    }

    /// As 32-bit floats, `[d_in, d_out]`.
    fn dense(self, device: &Device) -> Tensor<2> {
        match self {
            Weight::Dense(weight) => weight,
            Weight::Packed(weight) => {
                let [outputs, inputs] = weight.shape();
                let values = transposed(&weight.unpack(), outputs, inputs);
                Tensor::from_data(TensorData::new(values, [inputs, outputs]), device)
            }
        }
    }
}

/// A table of rows, one for each token.
#[derive(Module, Debug)]
pub(super) struct Table {
    /// `[rows, width]`; none where it is frozen.
    weight: Option<Param<Tensor<2>>>,
    #[module(skip)]
    frozen: Option<Rows>,
}

/// Root-mean-square normalisation over the last axis: `x / √(mean x² + ε) · γ`.
#[derive(Module, Debug)]
pub(super) struct Norm {
    /// γ, `[width]`; none where it is frozen.
    weight: Option<Param<Tensor<1>>>,
    #[module(skip)]
    frozen: Option<Tensor<1>>,
    #[module(skip)]
    epsilon: f64,
}

/// A tensor as a part of what is computed on this device: with autodiff where that is, as a constant.
fn constant<const D: usize>(tensor: &Tensor<D>, device: &Device) -> Tensor<D> {
    let tensor = tensor.clone();
    if device.is_autodiff() { tensor.autodiff() } else { tensor }
}

/// A frozen tensor as a file has it.
fn part<const D: usize>(name: String, tensor: &Tensor<D>) -> Part {
    let shape = tensor.dims().to_vec();
    let size = shape.iter().product::<usize>();
    Part { name, shape, values: Values::Floats(tensor.clone().reshape([size])) }
}

/// A frozen matrix of few bits as a file has it.
fn packed_part(name: String, matrix: &Packed) -> Part {
    Part { name, shape: matrix.shape().to_vec(), values: Values::Packed(matrix.clone()) }
}

/// A frozen tensor as a parameter on this device.
fn trained<const D: usize>(tensor: Tensor<D>, device: &Device) -> Param<Tensor<D>> {
    let tensor = if device.is_autodiff() { tensor.autodiff() } else { tensor };
    Param::from_tensor(tensor)
}

/// Takes a parameter out, as a frozen tensor.
fn frozen<const D: usize>(weight: &mut Option<Param<Tensor<D>>>) -> Option<Tensor<D>> {
    let tensor = weight.take()?.val();
    Some(if tensor.is_autodiff() { tensor.inner() } else { tensor })
}

impl Projection {
    /// A frozen one: its weights as a file has them, `[d_out, d_in]`, and its bias.
    pub fn new(
        weight: Loaded,
        bias: Option<Vec<f32>>,
        [d_in, d_out]: [usize; 2],
        device: &Device,
    ) -> Self {
        let weight = match weight {
            Loaded::Packed(weight) => Weight::Packed(weight),
            Loaded::Floats(weight) => {
                let weight = TensorData::new(transposed(&weight, d_out, d_in), [d_in, d_out]);
                Weight::Dense(Tensor::from_data(weight, device))
            }
        };
        let bias = bias.map(|bias| Tensor::from_data(TensorData::new(bias, [d_out]), device));
        Self {
            weight: None,
            bias: None,
            lora_a: None,
            lora_b: None,
            frozen: Some(Frozen { weight, bias }),
            scale: 0.0,
        }
    }

    /// Freezes its weights.
    pub fn frozen(mut self) -> Self {
        if let Some(weight) = frozen(&mut self.weight) {
            let weight = Weight::Dense(weight);
            self.frozen = Some(Frozen { weight, bias: frozen(&mut self.bias) });
        }
        self
    }

    /// Adds a fresh adapter of this rank: A as PyTorch's linear layers begin, B zero, so that it
    /// changes nothing at first.
    pub fn adapted(
        mut self,
        rng: &mut ChaCha8Rng,
        (rank, alpha): (usize, f64),
        device: &Device,
    ) -> Self {
        let [d_in, d_out] = self.dims();
        let bound = 1.0 / (d_in as f64).sqrt();
        let draw = |_| ((crate::rng::unit(rng) * 2.0 - 1.0) * bound) as f32;
        let a: Vec<f32> = (0..d_in * rank).map(draw).collect();
        let param = |values, shape| Some(Param::from_data(TensorData::new(values, shape), device));
        self.lora_a = param(a, [d_in, rank]);
        self.lora_b = param(vec![0.0; rank * d_out], [rank, d_out]);
        self.scale = alpha / rank as f64;
        self
    }

    /// Adds its adapter to the weight, which is trained again.
    pub fn merged(mut self, device: &Device) -> Self {
        let Some(Frozen { weight, bias }) = self.frozen.take() else { return self };
        let weight = weight.dense(&device.clone().inner());
        let weight = match (self.lora_a.take(), self.lora_b.take()) {
            (Some(a), Some(b)) => {
                let plain =
                    |tensor: Tensor<2>| if tensor.is_autodiff() { tensor.inner() } else { tensor };
                weight + plain(a.val()).matmul(plain(b.val())).mul_scalar(self.scale)
            }
            _ => weight,
        };
        self.weight = Some(trained(weight, device));
        self.bias = bias.map(|bias| trained(bias, device));
        self
    }

    /// Inputs and outputs.
    fn dims(&self) -> [usize; 2] {
        match (&self.weight, &self.frozen) {
            (Some(weight), _) => weight.dims(),
            (None, Some(frozen)) => frozen.weight.dims(),
            (None, None) => unreachable!("a weight is trained or frozen"),
        }
    }

    /// Its weights that are frozen, as a file has those of the product `name`.
    pub fn parts(&self, name: &str) -> Vec<Part> {
        let Some(Frozen { weight, bias }) = &self.frozen else { return Vec::new() };
        let (weight_name, bias_name) = (format!("{name}.weight"), format!("{name}.bias"));
        let weight = match weight {
            Weight::Dense(weight) => part(weight_name, &weight.clone().transpose()),
            Weight::Packed(weight) => packed_part(weight_name, weight),
        };
        std::iter::once(weight).chain(bias.as_ref().map(|bias| part(bias_name, bias))).collect()
    }

    /// Its weights that are frozen.
    pub fn frozen_count(&self) -> usize {
        let of = |frozen: &Frozen| {
            let [d_in, d_out] = frozen.weight.dims();
            d_in * d_out + if frozen.bias.is_some() { d_out } else { 0 }
        };
        self.frozen.as_ref().map_or(0, of)
    }

    /// `[…, d_in]` to `[…, d_out]`.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let y = match (&self.frozen, &self.weight, &self.bias) {
            (Some(Frozen { weight, bias }), ..) => {
                let y = weight.product(x.clone());
                match bias {
                    Some(bias) => {
                        let bias = constant(bias, &y.device()).unsqueeze();
                        y + bias
                    }
                    None => y,
                }
            }
            (None, Some(weight), Some(bias)) => {
                fused::linear_of(weight.val(), bias.val(), Activation::None, x.clone())
            }
            (None, Some(weight), None) => fused::product(x.clone(), weight.val()),
            (None, None, _) => unreachable!("a weight is trained or frozen"),
        };
        match (&self.lora_a, &self.lora_b) {
            (Some(a), Some(b)) => {
                let low = fused::product(x, a.val()).mul_scalar(self.scale);
                y + fused::product(low, b.val())
            }
            _ => y,
        }
    }

    /// The device of what is trained of it.
    pub fn trained_on(&self) -> Option<Device> {
        let param = self.weight.as_ref().or(self.lora_a.as_ref())?;
        Some(param.val().device())
    }
}

impl Table {
    /// A frozen one of these rows.
    pub fn new(rows: Loaded, shape: [usize; 2], device: &Device) -> Self {
        let rows = match rows {
            Loaded::Packed(rows) => Rows::Packed(rows),
            Loaded::Floats(rows) => {
                Rows::Dense(Tensor::from_data(TensorData::new(rows, shape), device))
            }
        };
        Self { weight: None, frozen: Some(rows) }
    }

    /// Freezes its weights.
    pub fn frozen(mut self) -> Self {
        self.frozen = frozen(&mut self.weight).map(Rows::Dense).or(self.frozen);
        self
    }

    /// Lets its weights be trained again.
    pub fn merged(mut self, device: &Device) -> Self {
        self.weight = match self.frozen.take() {
            None => self.weight,
            Some(Rows::Dense(rows)) => Some(trained(rows, device)),
            Some(Rows::Packed(rows)) => Some(trained(rows.dense(&device.clone().inner()), device)),
        };
        self
    }

    /// The rows of some tokens, `[batch, time]` to `[batch, time, width]`, on the tokens' device.
    pub fn forward(&self, tokens: Tensor<2, Int>) -> Tensor<3> {
        match self.rows(&tokens.device()) {
            Rows::Dense(rows) => burn::tensor::module::embedding(rows, tokens),
            Rows::Packed(rows) => fused::packed_rows(&rows, tokens),
        }
    }

    /// Its weights where they are frozen, as a file has those of the table `name`.
    pub fn parts(&self, name: &str) -> Vec<Part> {
        let name = format!("{name}.weight");
        match &self.frozen {
            None => Vec::new(),
            Some(Rows::Dense(rows)) => vec![part(name, rows)],
            Some(Rows::Packed(rows)) => vec![packed_part(name, rows)],
        }
    }

    /// Its weights that are frozen.
    pub fn frozen_count(&self) -> usize {
        let shape = match &self.frozen {
            None => return 0,
            Some(Rows::Dense(rows)) => rows.dims(),
            Some(Rows::Packed(rows)) => rows.shape(),
        };
        shape[0] * shape[1]
    }

    /// All rows, for what is computed on this device.
    pub fn rows(&self, device: &Device) -> Rows {
        match (&self.weight, &self.frozen) {
            (Some(weight), _) => Rows::Dense(weight.val()),
            (None, Some(Rows::Dense(rows))) => Rows::Dense(constant(rows, device)),
            (None, Some(rows)) => rows.clone(),
            (None, None) => unreachable!("a weight is trained or frozen"),
        }
    }
}

impl Norm {
    /// A frozen one with these gains.
    pub fn new(gains: Vec<f32>, epsilon: f64, device: &Device) -> Self {
        let width = gains.len();
        let gains = Tensor::from_data(TensorData::new(gains, [width]), device);
        Self { weight: None, frozen: Some(gains), epsilon }
    }

    /// Its gains where they are frozen, as a file has those of the norm `name`.
    pub fn parts(&self, name: &str) -> Vec<Part> {
        let gains = self.frozen.iter();
        gains.map(|gains| part(format!("{name}.weight"), gains)).collect()
    }

    /// Its gains that are frozen.
    pub fn frozen_count(&self) -> usize {
        self.frozen.as_ref().map_or(0, |gains| gains.dims()[0])
    }

    /// Where its gains are.
    pub fn device(&self) -> Device {
        match (&self.weight, &self.frozen) {
            (Some(weight), _) => weight.val().device(),
            (None, Some(frozen)) => frozen.device(),
            (None, None) => unreachable!("a weight is trained or frozen"),
        }
    }

    /// Freezes its weights.
    pub fn frozen(mut self) -> Self {
        self.frozen = frozen(&mut self.weight).or(self.frozen);
        self
    }

    /// Lets its weights be trained again.
    pub fn merged(mut self, device: &Device) -> Self {
        if let Some(frozen) = self.frozen.take() {
            self.weight = Some(trained(frozen, device));
        }
        self
    }

    /// Divides its gain by `divisor`.
    pub fn divided(mut self, divisor: f64) -> Self {
        let scaled = |weights: Tensor<1>| weights.div_scalar(divisor).detach().require_grad();
        self.weight = self.weight.map(|weight| weight.map(scaled));
        self.frozen = self.frozen.map(|weight| weight.div_scalar(divisor));
        self
    }

    /// Over the last axis.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let gamma = match (&self.weight, &self.frozen) {
            (Some(weight), _) => weight.val(),
            (None, Some(frozen)) => constant(frozen, &x.device()),
            (None, None) => unreachable!("a weight is trained or frozen"),
        };
        fused::rms_norm(gamma, self.epsilon, x)
    }
}
