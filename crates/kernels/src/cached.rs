//! Attention of new tokens over a cache of keys and values that grows.
//!
//! The cache holds keys with places side by side, as the scores want them, and values one after
//! another, as the sums want them; both for each row of the batch and each head in a piece of their
//! own, so that rows are kept, copied and dropped piece by piece. Rows that go on from a common
//! text share what was read of it ([`Cache::branch`]): its keys are loaded once for several rows.

use std::sync::Arc;

use crate::LANES;
use crate::attention::{Grouped, add, by_width, products, softmax};
use crate::groups::{GROUP, Wide, unite};
use crate::heads::Heads;
use crate::simd::{Kernel, Lanes, dispatch, madd};
use crate::visible::Visible;

/// Keys and values of one layer.
#[derive(Debug, Clone)]
pub struct Cache {
    heads: Heads,
    own: Store,
    trunk: Option<Trunk>,
}

/// Keys and values of some rows.
#[derive(Debug, Clone, Default)]
struct Store {
    /// Rows, each as often as there are heads of keys.
    pieces: usize,
    /// Places for which there is room, a multiple of [`LANES`].
    room: usize,
    /// `[rows, heads of keys, room / LANES, d, LANES]`.
    keys: Vec<f32>,
    /// `[rows, heads of keys, room, d]`.
    vals: Vec<f32>,
}

/// What rows that go on apart have in common.
#[derive(Debug, Clone)]
struct Trunk {
    store: Arc<Store>,
    /// The row of the store that each row of the cache goes on from.
    of: Vec<usize>,
}

impl Store {
    fn make_room(&mut self, places: usize, growth: usize, floats: usize) {
        if places <= self.room {
            return;
        }
        let room = places.div_ceil(growth) * growth;
        let (old, new) = (self.room * floats, room * floats);
        let widen = |values: &[f32]| {
            let mut wide = vec![0.0; self.pieces * new];
            if old > 0 {
                for (wide, values) in wide.chunks_exact_mut(new).zip(values.chunks_exact(old)) {
                    wide[..old].copy_from_slice(values);
                }
            }
            wide
        };
        (self.keys, self.vals, self.room) = (widen(&self.keys), widen(&self.vals), room);
    }
}

impl Cache {
    /// An empty cache for so many rows.
    pub fn new(rows: usize, heads: Heads) -> Self {
        let own = Store { pieces: rows * heads.keys, ..Store::default() };
        Self { heads, own, trunk: None }
    }

    /// The first place that rows hold apart; what stands before it is shared.
    fn base(&self) -> usize {
        self.trunk.as_ref().map_or(0, |trunk| trunk.store.room)
    }

    /// Makes room for so many places in all.
    pub fn make_room(&mut self, places: usize, growth: usize) {
        // What goes on from a common text is short.
        let (base, growth) = match &self.trunk {
            Some(trunk) => (trunk.store.room, LANES),
            None => (0, growth),
        };
        self.own.make_room(places.saturating_sub(base), growth, self.heads.d);
    }

    /// Keeps these rows, in this order.
    pub fn keep(&mut self, rows: &[usize]) {
        let piece = self.heads.narrow() * self.own.room;
        let gather = |values: &[f32]| {
            let mut kept = Vec::with_capacity(rows.len() * piece);
            rows.iter().for_each(|row| kept.extend_from_slice(&values[row * piece..][..piece]));
            kept
        };
        (self.own.keys, self.own.vals) = (gather(&self.own.keys), gather(&self.own.vals));
        self.own.pieces = rows.len() * self.heads.keys;
        if let Some(trunk) = &mut self.trunk {
            trunk.of = rows.iter().map(|&row| trunk.of[row]).collect();
        }
    }

    /// The same where rows are copied more than they are dropped: what was read so far is shared,
    /// not copied. Returns the first place at which they can go on.
    pub fn branch(&mut self, rows: &[usize]) -> usize {
        match &mut self.trunk {
            Some(_) => self.keep(rows),
            None => {
                let store = Arc::new(std::mem::take(&mut self.own));
                self.own.pieces = rows.len() * self.heads.keys;
                self.trunk = Some(Trunk { store, of: rows.to_vec() });
            }
        }
        self.base()
    }

    /// Takes in the keys and values of new places of some rows, from place `used` on, and mixes the
    /// values for some of their queries. `qkv` is `[rows, new, …]` with the heads of a token side by side,
    /// `asked` lists places of the flattened `[rows · new]` in ascending order, the result is `[asked,
    /// queries · d]`; `visible` lists the same rows.
    pub fn attend(
        &mut self,
        qkv: &[f32],
        rows: &[usize],
        asked: &[usize],
        used: usize,
        visible: &Visible,
    ) -> Vec<f32> {
        let new = qkv.len() / (self.heads.row() * rows.len());
        self.take_in(qkv, rows, used - self.base(), new);
        let mut out = vec![0.0; asked.len() * self.heads.width()];
        let job = Attend { cache: self, qkv, rows, asked, visible, new, out: &mut out };
        by_width!(self.heads.d, AttendOf, job);
        out
    }

    fn take_in(&mut self, qkv: &[f32], rows: &[usize], used: usize, new: usize) {
        let (heads, d) = (self.heads, self.heads.d);
        for (at, row) in rows.iter().enumerate() {
            for place in 0..new {
                let at = &qkv[(at * new + place) * heads.row()..][..heads.row()];
                let (keys, vals) = at[heads.width()..].split_at(heads.narrow());
                let to = used + place;
                for head in 0..heads.keys {
                    let piece = (row * heads.keys + head) * self.own.room * d;
                    let (key, val) = (&keys[head * d..][..d], &vals[head * d..][..d]);
                    self.own.vals[piece + to * d..][..d].copy_from_slice(val);
                    let block = &mut self.own.keys[piece + to / LANES * LANES * d..][..LANES * d];
                    for (axis, key) in block.chunks_exact_mut(LANES).zip(key) {
                        axis[to % LANES] = *key;
                    }
                }
            }
        }
    }

    /// How many of the asked can go together, from the first of them on: queries of one row where it
    /// has several new tokens, else those of neighbours with one trunk.
    fn together(&self, rows: &[usize], asked: &[usize], new: usize) -> usize {
        let most = GROUP.min(asked.len());
        let kin = |query: usize| match (&self.trunk, new) {
            (None, 1) => true,
            (Some(trunk), 1) => trunk.of[rows[query]] == trunk.of[rows[asked[0]]],
            _ => query / new == asked[0] / new,
        };
        (1..most).find(|&n| !kin(asked[n])).unwrap_or(most)
    }
}

struct Attend<'a> {
    cache: &'a Cache,
    qkv: &'a [f32],
    rows: &'a [usize],
    asked: &'a [usize],
    visible: &'a Visible,
    new: usize,
    out: &'a mut [f32],
}

struct AttendOf<'a, const D: usize>(Attend<'a>);

/// The keys and values of one head of one row.
#[derive(Clone, Copy)]
struct Piece<'a, const D: usize> {
    keys: &'a [[Lanes; D]],
    vals: &'a [[f32; D]],
}

impl<'a, const D: usize> Piece<'a, D> {
    #[inline(always)]
    fn of(store: &'a Store, piece: usize) -> Self {
        let part = piece * store.room * D..(piece + 1) * store.room * D;
        let keys = store.keys[part.clone()].as_chunks::<LANES>().0;
        Self { keys: keys.as_chunks::<D>().0, vals: store.vals[part].as_chunks::<D>().0 }
    }

    #[inline(always)]
    fn vals(&self, block: usize) -> &'a [[f32; D]] {
        &self.vals[block * LANES..][..LANES]
    }
}

impl<const D: usize> Kernel for AttendOf<'_, D> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let Attend { cache, qkv, rows, asked, visible, new, out } = self.0;
        let (heads, scale) = (cache.heads, 1.0 / (D as f32).sqrt());
        let (keys, width, sharing) = (heads.keys, heads.width(), heads.sharing());
        let base = cache.base() / LANES;
        let mut scores = vec![[[0.0; LANES]; GROUP]; base + cache.own.room / LANES];
        let mut blocks: Vec<Wide> = Vec::new();
        let mut done = 0;
        while done < asked.len() {
            let queries = cache.together(rows, &asked[done..], new);
            let group = &asked[done..][..queries];
            let row = rows[group[0] / new];
            blocks.clear();
            unite(&mut blocks, queries, |q| visible.of(group[q] / new, group[q] % new));
            let scores = &mut scores[..blocks.len()];
            for head in 0..heads.queries {
                let shared = head / sharing;
                let mut vectors = [[0.0; D]; GROUP];
                let mut own = [Piece::<D>::of(&cache.own, row * keys + shared); GROUP];
                for q in 0..GROUP {
                    // What fills the group up repeats the last.
                    let query = group[q.min(queries - 1)];
                    own[q] = Piece::of(&cache.own, rows[query / new] * keys + shared);
                    let at = &qkv[query * heads.row() + head * D..][..D];
                    for c in 0..D {
                        vectors[q][c] = at[c] * scale;
                    }
                }
                let trunk = match &cache.trunk {
                    Some(trunk) => Piece::of(&trunk.store, trunk.of[row] * keys + shared),
                    None => own[0],
                };
                let one = new > 1 || GROUP == 1;
                for (block, score) in blocks.iter().zip(&mut *scores) {
                    let block = block.number();
                    *score = if block < base {
                        products::<FMA, D>(&vectors, &trunk.keys[block])
                    } else if one {
                        products::<FMA, D>(&vectors, &own[0].keys[block - base])
                    } else {
                        products_apart::<FMA, D>(&vectors, &own, block - base)
                    };
                }
                softmax::<FMA>(&blocks, scores);
                let mut sums = [[0.0; D]; GROUP];
                for (block, weights) in blocks.iter().zip(&*scores) {
                    let block = block.number();
                    if block < base {
                        add::<FMA, D>(&mut sums, weights, trunk.vals(block));
                    } else if one {
                        add::<FMA, D>(&mut sums, weights, own[0].vals(block - base));
                    } else {
                        add_apart::<FMA, D>(&mut sums, weights, &own, block - base);
                    }
                }
                for (q, sum) in sums.iter().enumerate().take(queries) {
                    out[(done + q) * width + head * D..][..D].copy_from_slice(sum);
                }
            }
            done += queries;
        }
    }
}

/// The products of some vectors, each with a block of its own piece.
#[inline(always)]
fn products_apart<const FMA: bool, const D: usize>(
    vectors: &Grouped<[f32; D]>,
    pieces: &Grouped<Piece<'_, D>>,
    block: usize,
) -> Grouped<Lanes> {
    let mut columns = [&pieces[0].keys[block]; GROUP];
    for q in 0..GROUP {
        columns[q] = &pieces[q].keys[block];
    }
    let mut sums = [[0.0; LANES]; GROUP];
    for axis in 0..D {
        for q in 0..GROUP {
            for l in 0..LANES {
                sums[q][l] = madd::<FMA>(vectors[q][axis], columns[q][axis][l], sums[q][l]);
            }
        }
    }
    sums
}

/// Adds to the sum of each query the vectors of a block of its own piece, each with its weight.
#[inline(always)]
fn add_apart<const FMA: bool, const D: usize>(
    sums: &mut Grouped<[f32; D]>,
    weights: &Grouped<Lanes>,
    pieces: &Grouped<Piece<'_, D>>,
    block: usize,
) {
    let mut rows = [pieces[0].vals(block); GROUP];
    for q in 0..GROUP {
        rows[q] = pieces[q].vals(block);
    }
    for l in 0..LANES {
        for q in 0..GROUP {
            for c in 0..D {
                sums[q][c] = madd::<FMA>(weights[q][l], rows[q][l][c], sums[q][c]);
            }
        }
    }
}
