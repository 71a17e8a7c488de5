//! Codes, their numbers and the pegs between two of them.

use std::fmt;

use crate::catalogue::code_breaking::Answers;

/// The most digits in a code.
const LONGEST: usize = 6;

/// The most different digits.
const MOST: usize = 12;

/// A code, its digits counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Code {
    digits: [u8; LONGEST],
    length: u8,
}

/// The pegs of a guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pegs {
    pub black: u8,
    pub white: u8,
}

impl Pegs {
    pub fn told(self) -> String {
        format!("{} black, {} white.", self.black, self.white)
    }

    /// The pegs that were told, if this tells any.
    pub fn parsed(text: &str) -> Option<Pegs> {
        let (black, white) = text.strip_suffix(" white.")?.split_once(" black, ")?;
        Some(Pegs { black: black.parse().ok()?, white: white.parse().ok()? })
    }

    /// A number for each pair, small enough for a table.
    fn number(self) -> u8 {
        self.black * (LONGEST as u8 + 1) + self.white
    }
}

impl Code {
    fn digits(&self) -> &[u8] {
        &self.digits[..usize::from(self.length)]
    }

    /// Whether digits stand in rising order, each once for the first so many, none more often than the
    /// one before. Renaming digits and places turns any code into such a one.
    fn is_plain(&self) -> bool {
        let digits = self.digits();
        let count = |digit: u8| digits.iter().filter(|other| **other == digit).count();
        let highest = digits.iter().copied().max().unwrap_or(0);
        digits.is_sorted()
            && (0..=highest).map(count).is_sorted_by(|one, other| one >= other && *other > 0)
    }

    /// The pegs of a guess, where this is the code.
    pub fn answer(&self, guess: &Code) -> Pegs {
        let (mut black, mut here, mut there) = (0, [0_u8; MOST], [0_u8; MOST]);
        for (one, other) in self.digits().iter().zip(guess.digits()) {
            black += u8::from(one == other);
            here[usize::from(*one)] += 1;
            there[usize::from(*other)] += 1;
        }
        let common: u8 = here.iter().zip(there).map(|(one, other)| other.min(*one)).sum();
        Pegs { black, white: common - black }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, digit) in self.digits().iter().enumerate() {
            write!(f, "{}{}", if place == 0 { "" } else { " " }, digit + 1)?;
        }
        Ok(())
    }
}

/// The codes of a game. They are numbered in the order of their digits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Codes {
    pub length: usize,
    pub digits: usize,
    pub repeats: bool,
}

impl Codes {
    pub fn count(self) -> usize {
        (0..self.length).map(|place| self.width(place)).product()
    }

    /// How many digits can stand at a place after those before.
    fn width(self, place: usize) -> usize {
        if self.repeats { self.digits } else { self.digits - place }
    }

    pub fn code(self, number: usize) -> Code {
        let mut code = Code { digits: [0; LONGEST], length: self.length as u8 };
        let (mut rest, mut block) = (number, self.count());
        let mut free: Vec<u8> = (0..self.digits as u8).collect();
        for place in 0..self.length {
            block /= self.width(place);
            let chosen = rest / block;
            rest %= block;
            code.digits[place] = if self.repeats { chosen as u8 } else { free.remove(chosen) };
        }
        code
    }

    pub fn number(self, code: &Code) -> usize {
        let mut free: Vec<u8> = (0..self.digits as u8).collect();
        let mut number = 0;
        for (place, digit) in code.digits().iter().enumerate() {
            let chosen = free.iter().position(|other| other == digit).expect("a code of these");
            number = number * self.width(place) + chosen;
            if !self.repeats {
                free.remove(chosen);
            }
        }
        number
    }

    pub fn all(self) -> impl Iterator<Item = Code> {
        (0..self.count()).map(move |number| self.code(number))
    }

    /// The code that was said: its digits with blanks between.
    pub fn parsed(self, said: &str) -> Option<Code> {
        let mut code = Code { digits: [0; LONGEST], length: self.length as u8 };
        let mut places = 0;
        for word in said.split_whitespace() {
            let digit = word.parse::<usize>().ok().filter(|d| (1..=self.digits).contains(d))?;
            let digit = digit as u8 - 1;
            if places == self.length || (!self.repeats && code.digits[..places].contains(&digit)) {
                return None;
            }
            code.digits[places] = digit;
            places += 1;
        }
        (places == self.length).then_some(code)
    }

    /// The table of all answers.
    pub fn answers(self) -> Answers {
        let codes: Vec<Code> = self.all().collect();
        let answer = |guess: usize, secret: usize| codes[secret].answer(&codes[guess]).number();
        let openings = (0..codes.len()).filter(|&code| codes[code].is_plain()).collect();
        Answers::new(codes.len(), answer).with_openings(openings)
    }

    /// A mean return that no player exceeds: a guess has at most so many answers, of which one is
    /// right, so after `t` guesses at most that many codes to the power of `t` are told apart.
    pub fn bound(self, turns: usize) -> f64 {
        // All in place but one, and that one elsewhere, cannot be.
        let wrong = (self.length + 1) * (self.length + 2) / 2 - 2;
        let (mut left, mut room, mut cost) = (self.count(), 1, 0);
        for depth in 0..turns {
            let found = left.min(room);
            cost += found * depth;
            left -= found;
            room = room.saturating_mul(wrong);
        }
        -((cost + left * turns) as f64) / self.count() as f64
    }
}
