//! Each operation against the same by burn's own operations: values and gradients.

use burn::module::Module;

use super::scores::plain_log_prob;
use super::*;
use crate::nn::layers;
use crate::rng::{self, ChaCha8Rng, stream};

/// Two numbers that should be one, to the accuracy of sums in 32 bits.
fn close<const D: usize>(ours: Tensor<D>, plain: Tensor<D>, what: &str) {
    assert_eq!(ours.dims(), plain.dims(), "{what}");
    let [ours, plain] = [ours, plain]
        .map(|tensor| tensor.into_data().iter::<f32>().map(f64::from).collect::<Vec<f64>>());
    let size = plain.iter().fold(1e-3, |max: f64, x| max.max(x.abs()));
    for (ours, plain) in ours.iter().zip(&plain) {
        assert!((ours - plain).abs() < 1e-5 * size, "{what}: {ours} is not {plain}");
    }
}

fn device() -> Device {
    Device::flex().autodiff()
}

fn draw<const D: usize>(rng: &mut ChaCha8Rng, shape: [usize; D]) -> Tensor<D> {
    let n = shape.iter().product::<usize>();
    let values: Vec<f32> = (0..n).map(|_| rng::normal(rng) as f32).collect();
    Tensor::from_data(TensorData::new(values, shape), &device())
}

/// Values and gradients of a function of one tensor and of another that should be the same.
fn same<const D: usize, const E: usize>(
    x: Tensor<D>,
    ours: impl Fn(Tensor<D>) -> Tensor<E>,
    plain: impl Fn(Tensor<D>) -> Tensor<E>,
    what: &str,
) {
    let weights = draw(&mut stream(9, "fused.weights", 0), plain(x.clone()).dims());
    let run = |f: &dyn Fn(Tensor<D>) -> Tensor<E>| {
        let x = x.clone().detach().require_grad();
        let y = f(x.clone());
        let grads = (y.clone() * weights.clone()).sum().backward();
        (y, x.grad(&grads).expect("a gradient"))
    };
    let (ours, plain) = (run(&ours), run(&plain));
    close(ours.0.inner(), plain.0.inner(), what);
    close(ours.1, plain.1, &format!("gradient of {what}"));
}

/// The same for the parameters of a dense layer.
fn same_layer(layer: &Linear, f: [&dyn Fn(&Linear) -> Tensor<3>; 2], what: &str) {
    let weights = draw(&mut stream(9, "fused.weights", 1), f[1](layer).dims());
    let [ours, plain] = f.map(|f| {
        let grads = (f(layer) * weights.clone()).sum().backward();
        let bias = layer.bias.as_ref().unwrap().val().grad(&grads).unwrap();
        (layer.weight.val().grad(&grads).unwrap(), bias)
    });
    close(ours.0, plain.0, &format!("weights of {what}"));
    close(ours.1, plain.1, &format!("bias of {what}"));
}

#[test]
fn layer_norm_is_burns() {
    let rng = &mut stream(1, "fused", 0);
    for width in [5, 16, 48] {
        let mut layer = layers::layer_norm(width, 1e-5, &device());
        layer.gamma = layer.gamma.map(|_| draw(rng, [width]).require_grad());
        layer.beta = layer.beta.map(|beta| beta.map(|_| draw(rng, [width]).require_grad()));
        let x = draw(rng, [2, 7, width]).mul_scalar(3.0).add_scalar(1.0);
        same(x.clone(), |x| layer_norm(&layer, 1e-5, x), |x| layer.forward(x), "layer norm");
        let weights = draw(rng, [2, 7, width]);
        let [ours, plain] = [layer_norm(&layer, 1e-5, x.clone()), layer.forward(x)].map(|y| {
            let grads = (y * weights.clone()).sum().backward();
            let beta = layer.beta.as_ref().unwrap().val().grad(&grads).unwrap();
            (layer.gamma.val().grad(&grads).unwrap(), beta)
        });
        close(ours.0, plain.0, "gain");
        close(ours.1, plain.1, "shift");
    }
}

#[test]
fn dense_layers_are_burns() {
    let rng = &mut stream(2, "fused", 0);
    let mut layer = layers::linear(rng, 24, 40, 0.4, &device());
    layer.bias = layer.bias.map(|bias| bias.map(|_| draw(rng, [40]).require_grad()));
    let x = draw(rng, [3, 5, 24]);
    for activation in
        [Activation::None, Activation::Relu, Activation::GeluTanh, Activation::GeluErf]
    {
        let what = format!("{activation:?}");
        let plain = |layer: &Linear, x| plain_activation(activation, layer.forward(x));
        same(x.clone(), |x| linear(&layer, activation, x), |x| plain(&layer, x), &what);
        same_layer(
            &layer,
            [&|layer| linear(layer, activation, x.clone()), &|layer| plain(layer, x.clone())],
            &what,
        );
    }
    let residual = draw(rng, [3, 5, 40]);
    let plain = |layer: &Linear, x, residual| layer.forward(x) + residual;
    same(
        x.clone(),
        |x| linear_add(&layer, x, residual.clone()),
        |x| plain(&layer, x, residual.clone()),
        "residual layer",
    );
    same(
        residual.clone(),
        |residual| linear_add(&layer, x.clone(), residual),
        |residual| plain(&layer, x.clone(), residual),
        "residual",
    );
    same_layer(
        &layer,
        [&|layer| linear_add(layer, x.clone(), residual.clone()), &|layer| {
            plain(layer, x.clone(), residual.clone())
        }],
        "residual layer",
    );
}

/// A mask that opens keys at random, at least one for each query.
fn random_mask(rng: &mut ChaCha8Rng, shape: [usize; 3]) -> Mask {
    let keys = shape[2];
    Mask::new(shape, |_, _, open| {
        let sure = rng::below(rng, keys);
        let all = (0..keys).filter(|&key| key == sure || rng::below(rng, 3) == 0);
        open.extend(all.map(|key| key..key + 1));
    })
}

#[test]
fn attention_is_burns() {
    let rng = &mut stream(3, "fused", 0);
    for (d, time, queries, keys) in [
        (8, 3, 2, 2),
        (16, 16, 2, 2),
        (32, 37, 2, 2),
        (64, 20, 2, 2),
        (16, 21, 6, 2),
        (64, 18, 3, 1),
        (128, 17, 2, 1),
    ] {
        let (batch, heads) = (3, Heads { queries, keys, d });
        let qkv = draw(rng, [batch, time, heads.row()]);
        assert!(has_kernel(&qkv, heads), "there is a kernel for {d}");
        for (texts, queries) in [(1, time), (batch, time), (batch, 1)] {
            let mask = random_mask(rng, [texts, queries, time]);
            same(
                qkv.clone(),
                |qkv| attention(qkv, &mask, heads),
                |qkv| plain_attention(qkv, &mask, heads),
                &format!("attention of width {d} over {time}"),
            );
            let rows = [0, time - 1, time, 2 * time + 1];
            same(
                qkv.clone(),
                |qkv| attention_at(qkv, &mask, heads, &rows),
                |qkv| rows_at(plain_attention(qkv, &mask, heads), &rows),
                "attention of some queries",
            );
            let plain = attention(qkv.clone().inner(), &mask, heads);
            close(plain, attention(qkv.clone(), &mask, heads).inner(), "without gradients");
        }
    }
}

#[test]
fn a_query_that_may_look_at_nothing_gets_nothing() {
    let rng = &mut stream(4, "fused", 0);
    let qkv = draw(rng, [1, 4, 3 * 8]).require_grad();
    let mask = Mask::new([1, 4, 4], |_, query, open| {
        if query != 1 {
            open.push(0..query + 1);
        }
    });
    let out = attention(qkv.clone(), &mask, Heads::even(1, 8));
    let grads = out.clone().sum().backward();
    let row: Vec<f32> = out.inner().narrow(1, 1, 1).into_data().iter::<f32>().collect();
    assert_eq!(row, [0.0; 8]);
    let grad: Vec<f32> = qkv.grad(&grads).unwrap().into_data().iter::<f32>().collect();
    assert!(grad.iter().all(|x| x.is_finite()));
    assert_eq!(grad[24..32], [0.0; 8], "its query moves nothing");
}

/// What a game is answered is the same whoever plays beside it: alone a row is summed as among others.
#[test]
fn a_row_alone_is_summed_as_among_others() {
    let rng = &mut stream(11, "fused", 0);
    let (x, table) = (draw(rng, [5, 128]).inner(), draw(rng, [300, 128]).inner());
    let (weight, bias) = (draw(rng, [128, 384]).inner(), draw(rng, [384]).inner());
    let dense = |x| linear_of(weight.clone(), bias.clone(), Activation::GeluTanh, x);
    let floats = |tensor: Tensor<2>| tensor.into_data().iter::<f32>().collect::<Vec<f32>>();
    let (all_scores, all_dense) = (scores(x.clone(), Rows::Dense(table.clone())), dense(x.clone()));
    for row in 0..5 {
        let own = |all: &Tensor<2>| floats(all.clone().narrow(0, row, 1));
        let alone = x.clone().narrow(0, row, 1);
        assert_eq!(floats(scores(alone.clone(), Rows::Dense(table.clone()))), own(&all_scores));
        assert_eq!(floats(dense(alone)), own(&all_dense));
    }
}

#[test]
fn a_cache_that_grows_is_the_whole_text() {
    for (queries, keys) in [(2, 2), (6, 2)] {
        grows(Heads { queries, keys, d: 16 });
    }
}

fn grows(heads: Heads) {
    let rng = &mut stream(8, "fused", 0);
    let batch = 3;
    // A long piece first, then single tokens across the step in which room grows.
    let pieces = [60, 1, 1, 1, 5];
    let total: usize = pieces.iter().sum();
    let qkv = draw(rng, [batch, total, heads.row()]).inner();
    let whole = attention(qkv.clone(), &Mask::causal(total), heads);
    let order = [2, 0, 0];
    let all = [0, 1, 2];
    for (own, shared) in [(true, false), (true, true), (false, false)] {
        let (mut cache, mut used) = (None::<LayerCache>, 0);
        for (n, piece) in pieces.into_iter().enumerate() {
            // Before the last piece the rows change places, and one is doubled; where they share
            // what was read, the next column is the first of a block.
            let last = n + 1 == pieces.len();
            let rows = |tensor: Tensor<3>| match last {
                true => tensor
                    .select(0, Tensor::from_ints(order.map(|row| row as i32), &Device::flex())),
                false => tensor,
            };
            let mut at = used;
            match (&mut cache, last, shared) {
                (Some(cache), true, false) => LayerCache::keep(cache, &order),
                (Some(cache), true, true) => at = at.max(LayerCache::branch(cache, &order)),
                _ => {}
            }
            let mask = Mask::new([1, piece, at + piece], |_, query, open| {
                open.push(0..used);
                open.push(at..at + query + 1);
            });
            let new = rows(qkv.clone().narrow(1, used, piece));
            // Of the last piece not every query is asked.
            let asked: Vec<usize> = match last {
                false => (0..order.len() * piece).collect(),
                true => (0..order.len() * piece).filter(|place| place % 3 != 1).collect(),
            };
            let mixed = match own {
                true => LayerCache::attend(&mut cache, new, &all, &asked, at, &mask, heads),
                false => {
                    rows_at(LayerCache::attend_plainly(&mut cache, new, at, &mask, heads), &asked)
                }
            };
            let want = rows_at(rows(whole.clone().narrow(1, used, piece)), &asked);
            close(mixed, want, "attention over a cache");
            used += piece;
        }
    }
}

/// Single tokens of some rows alone, which share a text or do not.
#[test]
fn a_cache_takes_some_rows_alone() {
    for (queries, keys) in [(2, 2), (6, 2)] {
        takes_some(Heads { queries, keys, d: 16 });
    }
}

fn takes_some(heads: Heads) {
    let rng = &mut stream(9, "fused", 0);
    let text = 20;
    let qkv = draw(rng, [6, text + 2, heads.row()]).inner();
    let index = |rows: &[usize]| {
        let rows: Vec<i32> = rows.iter().map(|&row| row as i32).collect();
        Tensor::<1, Int>::from_ints(rows.as_slice(), &Device::flex())
    };
    for shared in [true, false] {
        // Of the six, the first five go on from the first text where they share it.
        let from = if shared { [0, 0, 0, 0, 0, 1] } else { [0, 1, 2, 3, 4, 5] };
        let read = qkv.clone().narrow(1, 0, text);
        let whole = read.clone().select(0, index(&from));
        let whole = Tensor::cat(vec![whole, qkv.clone().narrow(1, text, 2)], 1);
        let whole = attention(whole, &Mask::causal(text + 2), heads);
        let (mut cache, all) = (None::<LayerCache>, [0, 1, 2, 3, 4, 5]);
        let places: Vec<usize> = (0..6 * text).collect();
        LayerCache::attend(&mut cache, read, &all, &places, 0, &Mask::causal(text), heads);
        let cache_of = cache.as_mut().unwrap();
        let begin = if shared { cache_of.branch(&from) } else { text };
        for (n, rows) in [&all[..], &[0, 1, 3, 4, 5]].into_iter().enumerate() {
            let at = begin + n;
            let mask = Mask::new([1, 1, at + 1], |_, _, open| {
                open.push(0..text);
                open.push(begin..at + 1);
            });
            let new = qkv.clone().narrow(1, text + n, 1).select(0, index(rows));
            let places = &places[..rows.len()];
            let mixed = LayerCache::attend(&mut cache, new, rows, places, at, &mask, heads);
            let want = whole.clone().narrow(1, text + n, 1).select(0, index(rows)).squeeze_dim(1);
            close(mixed, want, "attention of some rows");
        }
    }
}

#[test]
fn adam_and_averages_are_burns() {
    let rng = &mut stream(10, "fused", 0);
    let mut draw = || draw(rng, [37]).inner();
    let state = [draw(), draw(), draw().abs()];
    let (grad, other) = (draw(), draw());
    let step = AdamStep {
        rate: 1e-2,
        first: [0.9, 0.1],
        second: [0.999, 0.001],
        scale_2: 1.7,
        epsilon: 1e-8,
    };
    let ours = adam(step, state.clone(), grad.clone());
    for (ours, plain) in ours.into_iter().zip(plain_adam(step, state.clone(), grad.clone())) {
        close(ours, plain, "Adam");
    }
    let plain = grad.clone().mul_scalar(0.3) + other.clone().mul_scalar(0.7);
    close(mix_of(grad, other, [0.3, 0.7]), plain, "average");
}

#[test]
fn scores_are_burns() {
    let rng = &mut stream(8, "fused", 0);
    let (x, table) = (draw(rng, [7, 12]), draw(rng, [30, 12]));
    let plain = |x: Tensor<2>, table: Tensor<2>| x.matmul(table.transpose());
    let of = |table: &Tensor<2>| table.clone();
    same(x.clone(), |x| scores(x, Rows::Dense(of(&table))), |x| plain(x, of(&table)), "scores");
    same(
        table,
        |table| scores(of(&x), Rows::Dense(table)),
        |table| plain(of(&x), table),
        "scores by the table",
    );
}

#[test]
fn log_probabilities_are_burns() {
    let rng = &mut stream(5, "fused", 0);
    for (n, vocab) in [(5, 40), (700, 3), (300, 300)] {
        let (hidden, table) = (draw(rng, [n, 12]), draw(rng, [vocab, 12]));
        let targets: Vec<u32> = (0..n).map(|_| rng::below(rng, vocab) as u32).collect();
        same(
            hidden.clone(),
            |hidden| log_prob(hidden, Rows::Dense(table.clone()), &targets),
            |hidden| plain_log_prob(hidden, table.clone(), &targets),
            "log-probability",
        );
        same(
            table,
            |table| log_prob(hidden.clone(), Rows::Dense(table), &targets),
            |table| plain_log_prob(hidden.clone(), table, &targets),
            "log-probability by the table",
        );
    }
}

#[test]
fn scores_that_are_made_again_give_the_same_gradients() {
    let rng = &mut stream(6, "fused", 0);
    // More scores than are kept.
    let (n, vocab) = (2100, 2100);
    let (hidden, table) = (draw(rng, [n, 8]), draw(rng, [vocab, 8]));
    let targets: Vec<u32> = (0..n).map(|_| rng::below(rng, vocab) as u32).collect();
    same(
        hidden,
        |hidden| log_prob(hidden, Rows::Dense(table.clone()), &targets),
        |hidden| plain_log_prob(hidden, table.clone(), &targets),
        "log-probability",
    );
}

#[test]
fn one_input_without_gradient_is_no_obstacle() {
    let rng = &mut stream(7, "fused", 0);
    let layer = layers::linear(rng, 8, 8, 0.4, &device());
    let frozen = layer.clone().no_grad();
    let x = draw(rng, [1, 3, 8]).require_grad();
    let y = linear(&frozen, Activation::GeluTanh, x.clone());
    let grads = y.sum().backward();
    assert!(x.grad(&grads).is_some() && frozen.weight.val().grad(&grads).is_none());
}

#[cfg(feature = "llama")]
mod llama {
    use super::*;
    use crate::nn::packed::{Kind, Packed};
    use crate::nn::rope::{Rope, Rotation, Scaling};

    #[test]
    fn the_rms_norm_is_that_of_its_definition() {
        let rng = &mut stream(1, "fused.llama", 0);
        for width in [5, 16, 48] {
            let gamma = draw(rng, [width]);
            let x = draw(rng, [2, 7, width]).mul_scalar(3.0).add_scalar(1.0);
            let plain = |x: Tensor<3>, gamma: Tensor<1>| {
                let mean = x.clone().square().mean_dim(2);
                x * mean.add_scalar(1e-5).sqrt().recip() * gamma.unsqueeze()
            };
            let of_x = |x| rms_norm(gamma.clone(), 1e-5, x);
            same(x.clone(), of_x, |x| plain(x, gamma.clone()), "rms norm");
            let of_gamma = |gamma| rms_norm(gamma, 1e-5, x.clone());
            same(gamma.clone(), of_gamma, |gamma| plain(x.clone(), gamma), "gain");
        }
    }

    #[test]
    fn the_gated_activation_is_burns() {
        let rng = &mut stream(1, "fused.llama", 1);
        let (gate, up) = (draw(rng, [3, 5, 21]).mul_scalar(4.0), draw(rng, [3, 5, 21]));
        let plain = |gate, up| burn::tensor::activation::silu(gate) * up;
        same(gate.clone(), |x| gated(x, up.clone()), |x| plain(x, up.clone()), "gate");
        same(up, |x| gated(gate.clone(), x), |x| plain(gate.clone(), x), "up");
    }

    #[test]
    fn products_without_a_bias_are_burns() {
        let rng = &mut stream(1, "fused.llama", 2);
        let (x, weight) = (draw(rng, [2, 7, 12]), draw(rng, [12, 20]));
        let plain = |x, weight| burn::tensor::module::linear(x, weight, None);
        same(x.clone(), |x| product(x, weight.clone()), |x| plain(x, weight.clone()), "input");
        let constant = weight.clone().inner();
        same(x.clone(), |x| frozen_product(x, &constant), |x| plain(x, weight.clone()), "frozen");
        same(weight, |w| product(x.clone(), w), |w| plain(x.clone(), w), "weight");
    }

    /// A packed matrix, and the same in 32 bits.
    fn packed(rng: &mut ChaCha8Rng, kind: Kind, shape: [usize; 2]) -> (Packed, Tensor<2>) {
        let values: Vec<f32> = draw(rng, shape).inner().into_data().iter().collect();
        let packed = Packed::of(kind, shape, &values).expect("rows of whole blocks");
        let dense = packed.dense(&device().inner()).autodiff();
        (packed, dense)
    }

    #[test]
    fn packed_weights_compute_as_the_same_in_32_bits() {
        let rng = &mut stream(1, "fused.packed", 0);
        for kind in [Kind::Bf16, Kind::F16, Kind::Q8, Kind::Q4, Kind::Q4Shifted] {
            let (packed, dense) = packed(rng, kind, [40, 64]);
            for x in [draw(rng, [2, 1, 64]), draw(rng, [2, 7, 64])] {
                let plain = |x: Tensor<3>| x.matmul(dense.clone().transpose().unsqueeze());
                same(x, |x| packed_product(x, &packed), plain, "a packed product");
            }
            let (hidden, targets) = (draw(rng, [6, 64]), [3, 0, 39, 7, 7, 21]);
            same(
                hidden.clone(),
                |hidden| log_prob(hidden, Rows::Packed(packed.clone()), &targets),
                |hidden| plain_log_prob(hidden, dense.clone(), &targets),
                "log-probabilities by packed rows",
            );
            let some = Rows::Packed(packed.clone()).select(&[5, 0], &device());
            let Rows::Packed(some) = some else { panic!("some rows are packed") };
            let some = some.dense(&device().inner());
            let of = Tensor::<1, Int>::from_ints([5, 0], &device());
            close(some, dense.clone().select(0, of).inner(), "some rows");
            let tokens = Tensor::<2, Int>::from_ints([[1, 39, 0], [7, 7, 2]], &device());
            let rows = burn::tensor::module::embedding(dense, tokens.clone());
            close(packed_rows(&packed, tokens).inner(), rows.inner(), "rows of tokens");
        }
    }

    /// The rotation written out: heads apart, parts joined.
    fn plainly(rotation: &Rotation, heads: Heads, [q, k, v]: [Tensor<3>; 3]) -> Tensor<3> {
        let turn = |x: Tensor<3>, number: usize| {
            let [batch, time, width] = x.dims();
            rotation.turn(x.reshape([batch, time, number, heads.d])).reshape([batch, time, width])
        };
        Tensor::cat(vec![turn(q, heads.queries), turn(k, heads.keys), v], 2)
    }

    #[test]
    fn queries_and_keys_are_turned() {
        let rng = &mut stream(1, "fused.llama", 3);
        let rope = Rope { theta: 100.0, scaling: Scaling::None };
        for (queries, keys, d) in [(4, 2, 8), (3, 1, 6), (2, 2, 16)] {
            let heads = Heads { queries, keys, d };
            let positions = Tensor::from_ints([[0, 1, 2, 7, 30], [3, 0, 1, 1, 2]], &device());
            let rotation = rope.at(positions, d);
            let [q, k, v] = [queries, keys, keys].map(|heads| draw(rng, [2, 5, heads * d]));
            let parts = |x: Tensor<3>, place: usize| {
                let mut parts = [q.clone(), k.clone(), v.clone()];
                parts[place] = x;
                parts
            };
            for (place, x) in [q.clone(), k.clone(), v.clone()].into_iter().enumerate() {
                let ours = |x| turned(&rotation, heads, parts(x, place));
                let plain = |x| plainly(&rotation, heads, parts(x, place));
                same(x, ours, plain, "turned");
            }
        }
    }

    #[test]
    fn a_step_further_turns_a_pair_by_its_angle() {
        // By hand: the pair of axes 0 and 2 of a head of four turns by 1 radian a token, 1 and 3 by θ^−½.
        let rope = Rope { theta: 100.0, scaling: Scaling::None };
        assert!(rope.speeds(4).iter().zip([1.0, 0.1]).all(|(a, b)| (a - b).abs() < 1e-12));
        let rotation = rope.at(Tensor::from_ints([[2]], &device()), 4);
        let x = Tensor::<4>::from_floats([[[[1.0, 0.0, 0.0, 1.0]]]], &device());
        let turned: Vec<f32> = rotation.turn(x).into_data().iter().collect();
        let by_hand = [2f32.cos(), -(0.2f32.sin()), 2f32.sin(), 0.2f32.cos()];
        assert!(turned.iter().zip(by_hand).all(|(a, b)| (a - b).abs() < 1e-6), "{turned:?}");
        let slower = Rope { scaling: Scaling::Linear { factor: 4.0 }, ..rope };
        assert!((slower.speeds(4)[0] - 0.25).abs() < 1e-12);
    }
}
