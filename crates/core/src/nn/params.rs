//! A network's parameters as a plain list: named, flat, always in the same order.
//!
//! The optimiser, the target network, clipping and the files all want the parameters one after
//! another and do not care for their rank. They get them here as flat tensors in the order of the
//! fields, and give them back the same way.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Gradients, Tensor, Transaction};

use crate::error::Error;

/// What is known of a parameter beside its values.
#[derive(Debug, Clone, PartialEq)]
pub struct ParamInfo {
    /// Path of fields, joined by dots.
    pub name: String,
    /// Shape in the module.
    pub shape: Vec<usize>,
}

/// Names and shapes of all parameters, in order.
pub fn infos<M: Module>(module: &M) -> Vec<ParamInfo> {
    let mut visitor = InfoVisitor { path: Vec::new(), infos: Vec::new() };
    module.visit(&mut visitor);
    visitor.infos
}

/// All parameters, flat, without autodiff.
pub fn tensors<M: Module>(module: &M) -> Vec<Tensor<1>> {
    let mut visitor = TensorVisitor { tensors: Vec::new() };
    module.visit(&mut visitor);
    visitor.tensors
}

/// The gradients of all parameters, flat, without autodiff: the sum of these, and zeros where the loss did
/// not reach.
pub fn gradients<M: Module>(module: &M, grads: &[Gradients]) -> Vec<Tensor<1>> {
    let mut visitor = GradientVisitor { grads, tensors: Vec::new() };
    module.visit(&mut visitor);
    visitor.tensors
}

/// The module with its parameters replaced by these, in order.
///
/// # Panics
/// If there are too few tensors, or one of the wrong size.
pub fn replace<M: Module>(module: M, tensors: Vec<Tensor<1>>) -> M {
    let mut mapper = Replace { tensors: tensors.into_iter() };
    let module = module.map(&mut mapper);
    assert!(mapper.tensors.next().is_none(), "more tensors than parameters");
    module
}

/// The same network with autodiff leaves of its own; the values are shared until one is changed.
///
/// burn's autodiff joins the graphs of all losses that meet at a leaf. Two threads that go
/// backward from one leaf wait for each other, and under burn 0.22.1 can wait for ever; so each
/// takes a fork.
pub fn fork<M: Module>(module: &M) -> M {
    replace(module.clone(), tensors(module))
}

/// The number of scalars in a network.
pub fn count<M: Module>(module: &M) -> usize {
    let mut visitor = CountVisitor { scalars: 0 };
    module.visit(&mut visitor);
    visitor.scalars
}

/// The values of some flat tensors, read from the device in one transaction.
pub async fn read(tensors: Vec<Tensor<1>>) -> Result<Vec<Vec<f32>>, Error> {
    let transaction =
        tensors.into_iter().fold(Transaction::default(), |all, tensor| all.register(tensor));
    let data = transaction.execute_async().await?;
    Ok(data.into_iter().map(|data| data.iter::<f32>().collect()).collect())
}

struct InfoVisitor {
    path: Vec<String>,
    infos: Vec<ParamInfo>,
}

impl ModuleVisitor for InfoVisitor {
    fn enter_module(&mut self, name: &str, container: &str) {
        // Which of several kinds a network is stands in no file: the field that holds it has no name.
        let is_choice = container.starts_with("Enum:");
        if let Some(field) = self.path.last_mut().filter(|_| is_choice) {
            field.clear();
        }
        self.path.push(if is_choice { String::new() } else { name.to_string() });
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let shape = param.val().dims().to_vec();
        let named: Vec<&str> =
            self.path.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
        self.infos.push(ParamInfo { name: named.join("."), shape });
    }
}

/// Counts without names: a page asks for the size before each game.
struct CountVisitor {
    scalars: usize,
}

impl ModuleVisitor for CountVisitor {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.scalars += param.val().dims().iter().product::<usize>();
    }
}

struct TensorVisitor {
    tensors: Vec<Tensor<1>>,
}

impl ModuleVisitor for TensorVisitor {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = param.val().inner();
        let size = tensor.shape().num_elements();
        self.tensors.push(tensor.reshape([size]));
    }
}

struct GradientVisitor<'a> {
    grads: &'a [Gradients],
    tensors: Vec<Tensor<1>>,
}

impl ModuleVisitor for GradientVisitor<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = param.val();
        let size = tensor.shape().num_elements();
        let found = self.grads.iter().filter_map(|grads| tensor.grad(grads));
        self.tensors.push(match found.reduce(|sum, more| sum + more) {
            Some(grad) => grad.reshape([size]),
            None => Tensor::zeros([size], &tensor.device().inner()),
        });
    }
}

struct Replace {
    tensors: std::vec::IntoIter<Tensor<1>>,
}

impl ModuleMapper for Replace {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let new = self.tensors.next().expect("a tensor for each parameter");
        param.map(|old| {
            let new: Tensor<D> = new.reshape(old.shape());
            if !old.is_autodiff() {
                return new;
            }
            let tracked = old.is_require_grad();
            new.autodiff().set_require_grad(tracked)
        })
    }
}
