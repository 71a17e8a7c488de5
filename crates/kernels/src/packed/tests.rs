use super::*;

const KINDS: [Kind; 5] = [Kind::Bf16, Kind::F16, Kind::Q8, Kind::Q4, Kind::Q4Shifted];

/// Numbers of some size, the same each time.
fn floats(count: usize, salt: usize) -> Vec<f32> {
    (0..count).map(|i| (((i * 7919 + salt * 104_729) % 2003) as f32 / 1001.0 - 1.0) / 3.0).collect()
}

fn unpacked(weight: Packed<'_>) -> Vec<f32> {
    let [rows, columns] = weight.shape();
    let mut all = vec![0.0; rows * columns];
    weight.unpack(&mut all);
    all
}

#[test]
fn blocks_are_those_of_ggml() {
    let f16 = |w: f32| to_f16(w).to_le_bytes();
    // By hand: the scale 0.5, then numbers.
    let mut q8 = f16(0.5).to_vec();
    q8.extend((0..32).map(|i| (i as i8 - 16) as u8));
    let got = unpacked(Packed::new(Kind::Q8, [1, 32], &q8));
    assert_eq!(got, (0..32).map(|i| (i as f32 - 16.0) * 0.5).collect::<Vec<_>>());
    // The low halves of all bytes come first.
    let mut q4 = f16(2.0).to_vec();
    q4.extend((0..16).map(|i| i | (15 - i) << 4));
    let got = unpacked(Packed::new(Kind::Q4, [1, 32], &q4));
    let want = (0..16).map(|i| (i as f32 - 8.0) * 2.0);
    assert_eq!(got, want.chain((0..16).map(|i| (7.0 - i as f32) * 2.0)).collect::<Vec<_>>());
    let mut shifted = [f16(0.25), f16(-3.0)].concat();
    shifted.extend((0..16).map(|i| i | (15 - i) << 4));
    let got = unpacked(Packed::new(Kind::Q4Shifted, [1, 32], &shifted));
    assert_eq!(got[0], -3.0);
    assert_eq!(got[16], 0.75);
}

#[test]
fn half_floats_are_exact_and_rounded_to_the_nearest() {
    for bits in 0..=u16::MAX {
        let value = from_f16(bits);
        let (exponent, fraction) = (bits >> 10 & 31, f64::from(bits & 1023));
        let size = match exponent {
            0 => fraction * 2f64.powi(-24),
            31 => f64::INFINITY,
            _ => (1024.0 + fraction) * 2f64.powi(i32::from(exponent) - 25),
        };
        let want = if bits & 0x8000 == 0 { size } else { -size };
        assert_eq!(f64::from(value), want, "{bits:#x}");
        if exponent < 31 {
            assert_eq!(to_f16(value), bits, "{value}");
        }
    }
    // Halfway between two: to the even one.
    assert_eq!(to_f16(1.0 + 1.0 / 2048.0), 0x3c00);
    assert_eq!(to_f16(1.0 + 3.0 / 2048.0), 0x3c02);
    assert_eq!(to_f16(65_519.9), 0x7bff);
    assert_eq!(to_f16(-65_520.0), 0xfc00);
    assert_eq!(to_f16(2f32.powi(-25)), 0);
    assert_eq!(to_f16(1.5 * 2f32.powi(-25)), 1);
    assert!(to_f16(f32::NAN) & 0x7fff > 0x7c00);
    assert_eq!(to_bf16(1.0 + 1.0 / 256.0), 0x3f80);
    assert_eq!(to_bf16(1.0 + 3.0 / 256.0), 0x3f82);
}

#[test]
fn what_is_packed_is_near_what_it_was() {
    let values = floats(64 * 32, 1);
    for (kind, near) in
        [(Kind::Bf16, 0.002), (Kind::F16, 0.0002), (Kind::Q8, 0.0015), (Kind::Q4, 0.05)]
            .into_iter()
            .chain([(Kind::Q4Shifted, 0.03)])
    {
        let bytes = pack(kind, &values);
        let got = unpacked(Packed::new(kind, [64, 32], &bytes));
        for (got, want) in got.iter().zip(&values) {
            assert!((got - want).abs() <= near, "{kind:?}: {got} for {want}");
        }
        // What a kind can say it says again.
        assert_eq!(pack(kind, &got), bytes, "{kind:?}");
        let zeros = pack(kind, &[0.0; 32]);
        assert_eq!(unpacked(Packed::new(kind, [1, 32], &zeros)), [0.0; 32]);
    }
}

#[test]
fn products_are_those_of_the_unpacked_matrix() {
    for kind in KINDS {
        for [n, rows, columns] in [
            [1, 3, 32],
            [2, 65, 64],
            [3, 5, 96],
            [4, 8, 32],
            [5, 700, 288],
            [40, 33, 64],
            [0, 4, 32],
        ] {
            let bytes = pack(kind, &floats(rows * columns, 3));
            let weight = Packed::new(kind, [rows, columns], &bytes);
            let (dense, x, dy) = (unpacked(weight), floats(n * columns, 5), floats(n * rows, 9));
            let got = product(&x, weight);
            assert_eq!(got.len(), n * rows);
            for (place, got) in got.iter().enumerate() {
                let (at, row) = (place / rows, place % rows);
                let terms = (0..columns)
                    .map(|i| f64::from(x[at * columns + i]) * f64::from(dense[row * columns + i]));
                let want: f64 = terms.sum();
                assert!((f64::from(*got) - want).abs() < 1e-4, "{kind:?} {n}: {got} for {want}");
            }
            let got = product_back(&dy, weight);
            assert_eq!(got.len(), n * columns);
            for (place, got) in got.iter().enumerate() {
                let (at, column) = (place / columns, place % columns);
                let terms = (0..rows).map(|row| {
                    f64::from(dy[at * rows + row]) * f64::from(dense[row * columns + column])
                });
                let want: f64 = terms.sum();
                assert!((f64::from(*got) - want).abs() < 1e-3, "{kind:?} {n}: {got} for {want}");
            }
        }
    }
}

#[test]
#[should_panic(expected = "the bytes of 2 rows of 32")]
fn a_matrix_has_the_bytes_of_all_its_rows() {
    Packed::new(Kind::Q8, [2, 32], &[0; 34]);
}
