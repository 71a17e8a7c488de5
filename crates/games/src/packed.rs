//! Texts in few bytes: what `data/` is built in as. The build script packs and the library unpacks, by
//! the one model of this file.
//!
//! A text is read backwards and sorted by what comes before each byte (Burrows and Wheeler 1994), so that
//! bytes which are alike stand together. Each is then told by yes or no: is it the last one, is it one of
//! the two others before, and if none of them its eight bits. How likely a yes is, a mixture of counts
//! says (Mahoney 2005), and an arithmetic coder takes few bits for what is likely. Half of the size is
//! that of DEFLATE's output's third; it unpacks in some hundredths of a second.

/// The byte that ends a text, which no text may hold.
pub const END: u8 = 1;

/// Either end of the arithmetic coding.
pub trait Coder {
    /// Codes a yes or no that is a yes with this chance, in 65536ths, and gives it back. Who writes is told
    /// it by `yes`; who reads ignores that.
    fn code(&mut self, chance: u32, yes: bool) -> bool;
}

/// How often yes was the answer in some context.
#[derive(Clone, Copy)]
struct Count {
    chance: f32,
    /// How far the next answer moves the chance.
    rate: f32,
}

/// One question, asked in several contexts at once.
struct Question<const CONTEXTS: usize> {
    /// 65536 for each context.
    counts: Vec<Count>,
    weights: Vec<[f32; CONTEXTS]>,
}

impl<const CONTEXTS: usize> Question<CONTEXTS> {
    fn new() -> Self {
        let fresh = Count { chance: 0.5, rate: 0.6 };
        Self {
            counts: vec![fresh; CONTEXTS << 16],
            weights: vec![[1.4 / CONTEXTS as f32; CONTEXTS]; 16],
        }
    }

    /// Asks it in these contexts, with the weights of number `trust`. Only arithmetic that gives the same
    /// everywhere: a root is that, a logarithm is not.
    fn ask<C: Coder>(
        &mut self,
        coder: &mut C,
        contexts: [usize; CONTEXTS],
        trust: usize,
        yes: bool,
    ) -> bool {
        let weights = &mut self.weights[trust];
        let mut votes = [0.0; CONTEXTS];
        let mut sum = 0.0;
        for (at, &context) in contexts.iter().enumerate() {
            let lean = (2.0 * self.counts[at << 16 | context].chance - 1.0).clamp(-0.999, 0.999);
            votes[at] = lean / (1.0 - lean * lean).sqrt();
            sum += weights[at] * votes[at];
        }
        let chance = (0.5 + 0.5 * sum / (1.0 + sum * sum).sqrt()).clamp(0.0004, 0.9996);
        let yes = coder.code((chance * 65536.0) as u32, yes);
        let answer = f32::from(u8::from(yes));
        for (at, &context) in contexts.iter().enumerate() {
            weights[at] += 0.005 * (answer - chance) * votes[at];
            let count = &mut self.counts[at << 16 | context];
            count.chance += (answer - count.chance) * count.rate;
            count.rate = (count.rate / (1.0 + count.rate)).max(SLOWEST);
        }
        yes
    }
}

/// The least that an answer moves a chance.
const SLOWEST: f32 = 1.0 / 30.0;

/// What the bytes so far say of the next.
pub struct Model {
    repeats: Question<4>,
    returns: Question<3>,
    bits: Question<3>,
    /// The three bytes seen last that differ from the next of them.
    last: [usize; 3],
    run: u32,
    /// Whether the last bytes repeated, a bit each.
    repeated: usize,
}

impl Model {
    /// Before the first byte.
    pub fn new() -> Self {
        let (repeats, returns, bits) = (Question::new(), Question::new(), Question::new());
        Self { repeats, returns, bits, last: [0; 3], run: 0, repeated: 0 }
    }

    /// Codes the next byte and gives it back, as [`Coder::code`] does.
    pub fn code<C: Coder>(&mut self, coder: &mut C, byte: u8) -> u8 {
        let byte = usize::from(byte);
        let [a, b, c] = self.last;
        let long = (32 - self.run.leading_zeros()).min(15) as usize;
        let history = self.repeated;
        let contexts = [a << 4 | long, history & 0xFFF, a << 8 | b, long << 8 | b];
        let repeats = self.repeats.ask(coder, contexts, long, byte == a);
        self.repeated = history << 1 | usize::from(repeats);
        if repeats {
            self.run += 1;
            return a as u8;
        }
        self.run = 0;
        let contexts = [a << 8 | b, a << 4 | long, b << 8 | c];
        if self.returns.ask(coder, contexts, long, byte == b) {
            self.last = [b, a, c];
            return b as u8;
        }
        let mut node = 1;
        for bit in (0..8).rev() {
            let contexts = [node, a << 8 | node, b << 8 | node];
            let yes = self.bits.ask(coder, contexts, bit, byte >> bit & 1 == 1);
            node = node << 1 | usize::from(yes);
        }
        self.last = [node & 0xFF, a, b];
        node as u8
    }
}

/// Reads what was coded. Beyond its end it reads zeros.
struct Reader<'a> {
    bytes: std::slice::Iter<'a, u8>,
    low: u32,
    high: u32,
    at: u32,
}

impl Reader<'_> {
    fn shift(&mut self) {
        self.at = self.at << 8 | u32::from(self.bytes.next().copied().unwrap_or(0));
    }
}

impl Coder for Reader<'_> {
    fn code(&mut self, chance: u32, _: bool) -> bool {
        let middle = middle(self.low, self.high, chance);
        let yes = self.at <= middle;
        if yes {
            self.high = middle;
        } else {
            self.low = middle + 1;
        }
        while (self.low ^ self.high) >> 24 == 0 {
            self.low <<= 8;
            self.high = self.high << 8 | 0xFF;
            self.shift();
        }
        yes
    }
}

/// Where a range is parted so that a yes has its share of it.
pub fn middle(low: u32, high: u32, chance: u32) -> u32 {
    low + ((u64::from(high - low) * u64::from(chance)) >> 16) as u32
}

/// The text that was packed, after its length in four bytes.
pub fn unpack(packed: &[u8]) -> Vec<u8> {
    let (length, coded) = packed.split_at(4);
    let length = length.iter().rev().fold(0, |sum, &byte| sum << 8 | usize::from(byte));
    let mut reader = Reader { bytes: coded.iter(), low: 0, high: u32::MAX, at: 0 };
    (0..4).for_each(|_| reader.shift());
    let mut model = Model::new();
    let sorted: Vec<u8> = (0..=length).map(|_| model.code(&mut reader, 0)).collect();
    unsorted(&sorted)
}

/// The text whose bytes stand in the order of what comes before each.
fn unsorted(sorted: &[u8]) -> Vec<u8> {
    // Where the bytes of each value begin, once they too are sorted.
    let mut next = [0; 257];
    sorted.iter().for_each(|&byte| next[usize::from(byte) + 1] += 1);
    (0..256).for_each(|value| next[value + 1] += next[value]);
    let mut before = vec![0; sorted.len()];
    for (row, &byte) in sorted.iter().enumerate() {
        let place = &mut next[usize::from(byte)];
        before[row] = *place;
        *place += 1;
    }
    let mut row = sorted.iter().position(|&byte| byte == END).unwrap_or(0);
    let mut text = Vec::with_capacity(sorted.len() - 1);
    for _ in 1..sorted.len() {
        row = before[row];
        text.push(sorted[row]);
    }
    text
}
