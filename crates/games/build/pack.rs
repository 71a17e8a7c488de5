//! The packing side of `src/packed.rs`.

use crate::packed::{Coder, END, Model, middle};

/// The text in few bytes, after its length in four.
pub fn pack(text: &[u8]) -> Vec<u8> {
    assert!(!text.contains(&END), "the byte {END} ends a text");
    let mut writer =
        Writer { bytes: (text.len() as u32).to_le_bytes().to_vec(), low: 0, high: u32::MAX };
    let mut model = Model::new();
    for byte in sorted(text) {
        model.code(&mut writer, byte);
    }
    writer.bytes.extend(writer.high.to_be_bytes());
    writer.bytes
}

/// The bytes of a text in the order of what comes before each, and among them its end.
fn sorted(text: &[u8]) -> Vec<u8> {
    let backwards: Vec<u8> = text.iter().rev().copied().chain([END]).collect();
    let mut rows: Vec<usize> = (0..backwards.len()).collect();
    rows.sort_unstable_by(|&a, &b| backwards[a..].cmp(&backwards[b..]));
    let count = backwards.len();
    rows.into_iter().map(|row| backwards[(row + count - 1) % count]).collect()
}

struct Writer {
    bytes: Vec<u8>,
    low: u32,
    high: u32,
}

impl Coder for Writer {
    fn code(&mut self, chance: u32, yes: bool) -> bool {
        let middle = middle(self.low, self.high, chance);
        if yes {
            self.high = middle;
        } else {
            self.low = middle + 1;
        }
        while (self.low ^ self.high) >> 24 == 0 {
            self.bytes.push((self.high >> 24) as u8);
            self.low <<= 8;
            self.high = self.high << 8 | 0xFF;
        }
        yes
    }
}
