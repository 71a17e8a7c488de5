//! Which letters Unicode has, and their lower case, in runs: `src/letters.rs` reads them.

use unicode_general_category::{GeneralCategory, get_general_category};

/// Letters beyond ASCII by Unicode categories L*: of each run the gap before it and its length.
pub fn letters() -> Vec<u8> {
    let mut runs: Vec<[u32; 2]> = Vec::new();
    for c in beyond_ascii().filter(|c| is_letter(*c)).map(u32::from) {
        match runs.last_mut() {
            Some([first, count]) if *first + *count == c => *count += 1,
            _ => runs.push([c, 1]),
        }
    }
    let mut bytes = Vec::new();
    let mut end = 0;
    for [first, count] in runs {
        number(&mut bytes, first - end);
        number(&mut bytes, count);
        end = first + count;
    }
    bytes
}

fn is_letter(c: char) -> bool {
    matches!(
        get_general_category(c),
        GeneralCategory::UppercaseLetter
            | GeneralCategory::LowercaseLetter
            | GeneralCategory::TitlecaseLetter
            | GeneralCategory::ModifierLetter
            | GeneralCategory::OtherLetter
    )
}

/// A run of letters whose lower case is equally far away.
struct Run {
    first: u32,
    count: u32,
    stride: u32,
    away: i32,
}

/// Letters beyond ASCII with a lower case of one other letter: of each run the gap before it, its length,
/// its stride, and how far its lower case is away, with the sign in the lowest bit.
pub fn lower_cases() -> Vec<u8> {
    let mut runs: Vec<Run> = Vec::new();
    for c in beyond_ascii() {
        let mut lower = c.to_lowercase();
        let (Some(small), None) = (lower.next(), lower.next()) else { continue };
        let (first, away) = (u32::from(c), u32::from(small) as i32 - u32::from(c) as i32);
        if away == 0 {
            continue;
        }
        match runs.last_mut() {
            Some(run) if run.away == away && run.count == 1 && first - run.first <= 2 => {
                (run.stride, run.count) = (first - run.first, 2);
            }
            Some(run) if run.away == away && run.first + run.count * run.stride == first => {
                run.count += 1;
            }
            _ => runs.push(Run { first, count: 1, stride: 1, away }),
        }
    }
    let mut bytes = Vec::new();
    let mut last = 0;
    for Run { first, count, stride, away } in runs {
        number(&mut bytes, first - last);
        number(&mut bytes, count);
        number(&mut bytes, stride);
        number(&mut bytes, away.unsigned_abs() << 1 | u32::from(away < 0));
        last = first;
    }
    bytes
}

fn beyond_ascii() -> impl Iterator<Item = char> {
    '\u{80}'..=char::MAX
}

/// Seven bits a byte, the lowest first; all but the last byte have the highest bit set.
fn number(bytes: &mut Vec<u8>, mut number: u32) {
    while number > 0x7F {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}
