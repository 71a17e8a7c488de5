//! How an operation of ours enters burn's tensors and burn's backward pass.
//!
//! An [`Op`] computes on the CPU backend's own tensors. [`apply`] takes burn's tensors apart, runs
//! it, and where gradients are tracked leaves its backward step in burn's graph, by the extension
//! points that burn offers for this. [`fits`] says where that can be done; elsewhere the caller
//! computes the same by burn's own operations.

use std::fmt::Debug;
use std::marker::PhantomData;

use archer_kernels::product::{Matrix, product};
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::ops::FloatTensorOps;
use burn::backend::tensor::FloatTensor;
use burn::backend::{
    Autodiff, BackendTensor, DispatchKindConversion, DispatchTensor, Flex, TensorMetadata,
};
#[cfg(feature = "llama")]
use burn::tensor::Int;
use burn::tensor::{DType, Device, Shape, Tensor, TensorData};

/// A tensor of the CPU backend.
pub type Raw = FloatTensor<Flex>;

/// An operation with `N` inputs that may carry gradients.
pub trait Op<const N: usize>: Debug + Send + Sized + 'static {
    /// What the backward pass needs.
    type Kept: Clone + Debug + Send + 'static;

    /// Computes the output; what the backward pass needs is only made where `keep`.
    fn forward(self, inputs: [Raw; N], keep: bool) -> (Raw, Option<Self::Kept>);

    /// The gradients of those inputs that are `wanted`, from that of the output.
    fn backward(kept: Self::Kept, grad: Raw, wanted: [bool; N]) -> [Option<Raw>; N];
}

/// Whether operations of ours can run on this device.
pub fn fits(device: &Device) -> bool {
    *device == Device::flex()
}

/// The same for a tensor, which must hold 32-bit floats.
pub fn fits_tensor<const D: usize>(tensor: &Tensor<D>) -> bool {
    fits(&tensor.device()) && tensor.dtype() == DType::F32
}

/// Runs an operation on tensors that [fit](fits); all of them must be with autodiff, or none.
pub fn apply<O: Op<N>, const N: usize, const D: usize>(
    op: O,
    inputs: [DispatchTensor; N],
    tracked: bool,
) -> Tensor<D> {
    if !tracked {
        let (output, _) = op.forward(inputs.map(raw), false);
        return Tensor::from_primitive::<Flex>(output);
    }
    let parts = inputs.map(|input| {
        match <DispatchTensor as DispatchKindConversion<Autodiff<Flex>>>::try_into_backend(input) {
            Ok(BackendTensor::Float(tensor)) => tensor.into_parts(),
            other => unreachable!("a float tensor with autodiff on the CPU, and not {other:?}"),
        }
    });
    let mut raws = Vec::with_capacity(N);
    let guards = parts.map(|(raw, guard)| {
        raws.push(raw);
        guard
    });
    let raws: [Raw; N] = raws.try_into().expect("as many as there were");
    let step = Step::<O, N>(PhantomData);
    let output = match step.prepare::<NoCheckpointing>(guards).compute_bound().stateful() {
        OpsKind::Tracked(prepared) => {
            let (output, kept) = op.forward(raws, true);
            prepared.finish(kept.expect("it was asked to keep"), output)
        }
        OpsKind::UnTracked(prepared) => prepared.finish(op.forward(raws, false).0),
    };
    Tensor::from_primitive::<Autodiff<Flex>>(output)
}

/// The CPU backend's tensor inside one without autodiff.
pub fn raw(tensor: DispatchTensor) -> Raw {
    match <DispatchTensor as DispatchKindConversion<Flex>>::try_into_backend(tensor) {
        Ok(BackendTensor::Float(tensor)) => tensor,
        other => unreachable!("a float tensor on the CPU, and not {other:?}"),
    }
}

/// The numbers of a tensor on the CPU, none of them below zero.
#[cfg(feature = "llama")]
pub fn whole_numbers(tensor: Tensor<2, Int>) -> Vec<usize> {
    let tensor = if tensor.is_autodiff() { tensor.inner() } else { tensor };
    let tensor = match <DispatchTensor as DispatchKindConversion<Flex>>::try_into_backend(
        tensor.into_dispatch(),
    ) {
        Ok(BackendTensor::Int(tensor)) => tensor.to_contiguous(),
        other => unreachable!("whole numbers on the CPU, and not {other:?}"),
    };
    match tensor.as_slice::<i32>() {
        Some(numbers) => numbers.iter().map(|&number| number as usize).collect(),
        None => {
            let numbers = tensor.as_slice::<i64>().expect("whole numbers of 32 or 64 bits");
            numbers.iter().map(|&number| number as usize).collect()
        }
    }
}

/// The step that burn's backward pass takes.
struct Step<O, const N: usize>(PhantomData<fn() -> O>);

impl<O, const N: usize> Debug for Step<O, N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(std::any::type_name::<O>())
    }
}

impl<O: Op<N>, const N: usize> Backward<Flex, N> for Step<O, N> {
    type State = O::Kept;

    fn backward(self, ops: Ops<O::Kept, N>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<Flex>(&ops.node);
        let wanted = ops.parents.each_ref().map(Option::is_some);
        let found = O::backward(ops.state, grad, wanted);
        for (parent, grad) in ops.parents.into_iter().zip(found) {
            if let (Some(parent), Some(grad)) = (parent, grad) {
                grads.register::<Flex>(parent.id, grad);
            }
        }
    }
}

/// A tensor whose floats lie in order, so that [`values`] can read them.
pub fn in_order(tensor: Raw) -> Raw {
    match tensor.as_slice::<f32>() {
        Some(_) => tensor,
        None => tensor.to_contiguous(),
    }
}

/// The floats of a tensor that is [in order](in_order).
pub fn values(tensor: &Raw) -> &[f32] {
    tensor.as_slice::<f32>().expect("a tensor of 32-bit floats in order")
}

/// A tensor of these floats.
pub fn tensor(values: Vec<f32>, shape: impl Into<Shape>) -> Raw {
    Raw::from_data(TensorData::new(values, shape.into()))
}

/// A tensor whose floats lie in order and are all that its memory holds, for [`values_mut`].
pub fn whole(tensor: Raw) -> Raw {
    match tensor.as_slice::<f32>() {
        Some(values) if values.len() == tensor.storage::<f32>().len() => tensor,
        _ => tensor.to_contiguous(),
    }
}

/// The floats of a [`whole`] tensor to write on: its own where nobody else holds them, else a copy
/// that becomes its own.
pub fn values_mut(tensor: &mut Raw) -> &mut [f32] {
    tensor.storage_mut::<f32>()
}

/// The matrix product of two matrices.
pub fn matmul(a: Raw, b: Raw) -> Raw {
    let ours = matrix(&a).zip(matrix(&b)).and_then(|(a, b)| {
        let shape = [a.shape()[0], b.shape()[1]];
        product(a, b).map(|values| tensor(values, shape))
    });
    ours.unwrap_or_else(|| Flex::float_matmul(a, b))
}

/// `x · weight` of plain floats: `x` is `[n, depth]` row by row, the result `[n, columns]`.
///
/// # Panics
/// If `weight` is no matrix.
pub fn times(x: &[f32], weight: &Raw) -> Vec<f32> {
    let weights = matrix(weight).expect("a matrix");
    let depth = weights.shape()[0];
    let shape = [x.len() / depth, depth];
    product(Matrix::new(x, shape, [depth, 1]), weights).unwrap_or_else(|| {
        let out = Flex::float_matmul(tensor(x.to_vec(), shape), weight.clone());
        values(&in_order(out)).to_vec()
    })
}

/// A tensor as a matrix of its own floats, where it is one.
fn matrix(tensor: &Raw) -> Option<Matrix<'_>> {
    let layout = tensor.layout();
    let [rows, columns] = *layout.shape().as_slice() else { return None };
    let [row, column] = *layout.strides() else { return None };
    let steps = [usize::try_from(row).ok()?, usize::try_from(column).ok()?];
    Some(Matrix::new(&tensor.storage()[layout.start_offset()..], [rows, columns], steps))
}

/// A tensor as a matrix of so many rows.
pub fn rows(tensor: &Raw, rows: usize) -> Raw {
    let columns = tensor.shape().num_elements() / rows.max(1);
    tensor.reshape([rows, columns].into())
}
