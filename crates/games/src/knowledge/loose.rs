//! What is tried on a question that stays unread: other spellings of numbers, slang, other openings,
//! two questions in one, and typing errors.
//!
//! None of this touches a question that is read as it stands, so that neither the meaning nor the
//! speed of those changes. Here text may be allocated.

use super::alike::MAX_REPHRASED;
use super::clause::{Clause, FRAME_BE, FRAME_DO};
use super::reader::{Claim, Joint, Literal, Part, Reader, Reading};
use super::words::{
    CAN, DO, HAVE, IS, IT, NT, PEOPLE, THAT, THING, THIS, Tokens, WAS, WOULD, WordId,
};

/// Whether the known questions are rephrased, too, and what stands before a question is left out. A page,
/// which goes without most of the wordings that this finds, does not pay for it.
pub(super) const THOROUGHLY: bool = cfg!(feature = "heard");
/// Most ways to mend one question that are tried.
const MAX_TRIES: usize = 40;
/// Most words with an error in one question.
const MAX_ERRORS: usize = 2;

/// A question as it was heard.
#[derive(Debug, Clone, PartialEq)]
pub struct Hearing {
    /// What it asks.
    pub reading: Reading,
    /// The question as it was taken, where a word was mended: "Is it a mammal?" of "Is it a mamal?".
    pub meant: Option<String>,
}

impl Reader {
    /// Reads a question, if need be with an error of typing mended.
    pub fn hear(&self, question: &str) -> Hearing {
        let reading = self.read(question);
        if reading == Reading::Invalid
            && let Some((meant, reading)) = self.mended(question)
        {
            return Hearing { reading, meant: Some(meant) };
        }
        Hearing { reading, meant: None }
    }

    /// Reads what people say in a looser way.
    pub fn read_loosely(&self, question: &str) -> Option<Reading> {
        let polished = polished(question);
        let tokens = self.vocabulary.split(&polished)?;
        self.read_tokens(tokens).or_else(|| {
            let asked = if THOROUGHLY { self.without_preface(&polished)? } else { return None };
            self.read_tokens(asked)
        })
    }

    /// What stands behind the last stop: "An apple a day... is it healthy?" asks whether it is healthy.
    /// Not behind a condition: "If you drop it, does it break?".
    fn without_preface(&self, question: &str) -> Option<Tokens> {
        let (before, asked) = question.rsplit_once([',', '.'])?;
        let tokens = self.vocabulary.split(asked)?;
        let asks = matches!(tokens.ids(), [IS | DO | CAN | WOULD | HAVE, IT | PEOPLE, ..]);
        let first = before.split(' ').next()?.to_ascii_lowercase();
        let conditional = ["if", "when", "in", "at", "on", "besides", "except"];
        (asks && !conditional.contains(&first.as_str())).then_some(tokens)
    }

    fn read_tokens(&self, mut tokens: Tokens) -> Option<Reading> {
        self.replace(&self.loose, &mut tokens)?;
        self.replace(&self.anywhere, &mut tokens)?;
        self.trim(&mut tokens)?;
        self.replace(&self.loose, &mut tokens)?;
        self.replace(&self.anywhere, &mut tokens)?;
        self.trim(&mut tokens)?;
        // "Would a plumber use it?" as "Does a plumber use it?"
        let subject = |id: &WordId| matches!(*id, IT | THIS | THAT | THING | PEOPLE | NT);
        if tokens.ids().first() == Some(&WOULD)
            && tokens.text(0) == "would"
            && !tokens.ids().get(1).is_some_and(subject)
        {
            tokens.replace(0, 1, &[DO])?;
        }
        self.people_as_parts(&mut tokens)?;
        self.loosely(&tokens).map(|part| part.alone()).or_else(|| self.two_parts(&tokens))
    }

    /// Reads the words of one question, in the openings that mean the same.
    fn loosely(&self, tokens: &Tokens) -> Option<Part> {
        let mut clause = Clause::of_question(tokens.ids());
        clause.settle_tag(tokens);
        for _ in 0..=MAX_REPHRASED {
            if let Some((claim, clause)) = self.claim(clause.clone(), tokens, true) {
                return Some(Part { claim, negated: clause.negated, degree: clause.degree });
            }
            let claim = self.alike(&clause).or_else(|| self.part_of_a_kind(&clause));
            if let Some(claim) = claim {
                return Some(Part { claim, negated: clause.negated, degree: clause.degree });
            }
            clause = match self.without_inside(clause.key()) {
                Some(len) => clause.shortened(len),
                None => {
                    let (count, new) = self.frames.longest(clause.key().iter().copied())?;
                    clause.rephrased(count, new)?
                }
            };
        }
        None
    }

    /// "Can it carry more than 20 people?" and "Could three people sit on it?": people are counted as
    /// parts are.
    fn people_as_parts(&self, tokens: &mut Tokens) -> Option<()> {
        let ids = tokens.ids();
        let number = |at: usize| super::compare::number(tokens.text(at)).is_some();
        let Some(people) = (2..ids.len()).find(|&at| ids[at] == PEOPLE && number(at - 1)) else {
            return Some(());
        };
        let first = if ids[1] == IT { 3 } else { 1 };
        if !matches!(ids[0], DO | CAN | WOULD) || first >= people {
            return Some(());
        }
        let places: Vec<usize> = [&[0, 0, 0][..], &(first..=people).collect::<Vec<_>>()].concat();
        *tokens = tokens.picked(&places)?;
        tokens.replace(0, 3, &[DO, IT, HAVE])
    }

    /// "Does it have orange fur?", "Is its skin soft?": a part, and how it is. Only where the whole
    /// thing can be said to be so.
    fn part_of_a_kind(&self, clause: &Clause) -> Option<Claim> {
        let (&frame, words) = (clause.ids.first()?, clause.words());
        let known = |frame: WordId, words: &[WordId]| {
            self.questions.get(&[&[frame], words].concat()[..]).filter(|known| !known.object_named)
        };
        if let (FRAME_DO, [HAVE, how, part @ ..]) = (frame, words)
            && let Some([_, contrary]) = self.antonyms.iter().find(|[few, _]| few == how)
        {
            let much = known(FRAME_DO, &[&[HAVE, *contrary], part].concat())?.literal;
            let part = known(FRAME_DO, &[&[HAVE], part].concat())?.literal;
            return Some(Claim::HasBoth(part, Literal { opposite: !much.opposite, ..much }));
        }
        let [how, part] = match (frame, words) {
            (FRAME_DO, [HAVE, how, part @ ..]) if !part.is_empty() => {
                [known(FRAME_BE, &[*how])?, known(FRAME_DO, &[&[HAVE], part].concat())?]
            }
            (FRAME_BE, [IS, part @ .., how]) if !part.is_empty() => {
                [known(FRAME_BE, &[*how])?, known(FRAME_DO, &[&[HAVE], part].concat())?]
            }
            _ => return None,
        };
        (how.narrows && !how.kind).then_some(Claim::HasBoth(part.literal, how.literal))
    }

    /// Reads two questions in one: "Is it red or green?", "Is it big and does it have wheels?".
    fn two_parts(&self, tokens: &Tokens) -> Option<Reading> {
        let ids = tokens.ids();
        let joints = (1..ids.len().saturating_sub(1)).filter_map(|at| match ids[at] {
            id if id == self.and => Some((at, Joint::And)),
            id if id == self.or => Some((at, Joint::Or)),
            _ => None,
        });
        let joints: Vec<(usize, Joint)> = joints.take(3).collect();
        let [(at, joint)] = joints[..] else { return None };
        let (left, right): (Vec<usize>, Vec<usize>) =
            ((0..at).collect(), (at + 1..ids.len()).collect());
        let read = |places: &[usize]| self.loosely(&tokens.picked(places)?);
        // The second may be a question of its own, or take over as much of the first as it can.
        let opens = |id: WordId| matches!(id, IS | DO | CAN | WOULD | HAVE | WAS);
        let own = opens(ids[right[0]]).then(|| {
            let subject = right.get(1).is_some_and(|&i| matches!(ids[i], IT | PEOPLE));
            let it = left.iter().position(|&i| ids[i] == IT);
            match (subject, it) {
                (false, Some(it)) => [&right[..1], &[it], &right[1..]].concat(),
                _ => right.clone(),
            }
        });
        let second = own.as_deref().and_then(read).or_else(|| {
            (1..left.len()).rev().find_map(|cut| read(&[&left[..cut], &right[..]].concat()))
        })?;
        // The first may lack what both end with: "bigger or smaller than a cat".
        let first = read(&left).or_else(|| {
            (1..right.len()).find_map(|cut| read(&[&left[..], &right[cut..]].concat()))
        })?;
        let (first, second) = (first.simple()?, second.simple()?);
        Some(Reading::Asks {
            claim: Claim::Two(joint, [first, second]),
            negated: false,
            degree: super::Degree::Typically,
        })
    }

    /// A question that is read once a word or two are mended, and what it then asks.
    fn mended(&self, question: &str) -> Option<(String, Reading)> {
        let polished = polished(question);
        if polished.len() > super::words::MAX_BYTES {
            return None;
        }
        let words = places(&polished);
        let unknown: Vec<(usize, usize)> = words
            .into_iter()
            .filter(|&(start, end)| {
                let word = &polished[start..end];
                // Units and numbers need no entry.
                let measures = super::compare::unit_of(word).is_some()
                    || super::compare::number(word).is_some();
                !measures && !self.vocabulary.knows(word)
            })
            .collect();
        if unknown.is_empty() || unknown.len() > MAX_ERRORS {
            return None;
        }
        let mut tries = vec![polished.clone()];
        // From the last to the first, so that the places before stay right.
        for &(start, end) in unknown.iter().rev() {
            let mends = self.vocabulary.one_edit_away(&polished[start..end]);
            tries = tries
                .iter()
                .flat_map(|text| {
                    mends
                        .iter()
                        .map(move |mend| format!("{}{mend}{}", &text[..start], &text[end..]))
                })
                .take(MAX_TRIES)
                .collect();
        }
        tries.into_iter().find_map(|text| match self.read(&text) {
            Reading::Invalid => None,
            reading => Some((text, reading)),
        })
    }
}

/// The places of the words of a text that could be misspelled: three letters or more, and only letters.
fn places(text: &str) -> Vec<(usize, usize)> {
    let mut places = Vec::new();
    let mut start = 0;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        if c.is_ascii_alphanumeric() || c == '\'' {
            continue;
        }
        let word = &text[start..at];
        if word.len() >= 3 && word.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            places.push((start, at));
        }
        start = at + c.len_utf8();
    }
    places
}

/// The same question with numbers, units and marks written out: "$20" as "20 dollars", "1,000kg" as
/// "1000 kg", "6'" as "6 feet", "½" as "half", "km/h" as "kmh", "&" as "and".
fn polished(question: &str) -> String {
    let chars: Vec<char> = question.trim().chars().take(2 * super::words::MAX_BYTES).collect();
    let digit =
        |i: Option<usize>| i.and_then(|i| chars.get(i)).is_some_and(|c: &char| c.is_ascii_digit());
    let mut text = String::with_capacity(question.len() + 16);
    // What is said behind the number that stands behind a sign of money.
    let mut money = None;
    for (i, &c) in chars.iter().enumerate() {
        let (before, after) = (digit(i.checked_sub(1)), digit(Some(i + 1)));
        if let Some(name) = money
            && !c.is_ascii_digit()
            && !(matches!(c, '.' | ',') && after)
            && before
        {
            text.push_str(name);
            money = None;
        }
        match c {
            '$' | '£' | '€' => {
                let name = match c {
                    '$' => " dollars ",
                    '£' => " quid ",
                    _ => " euros ",
                };
                match after {
                    true => money = Some(name),
                    false => text.push_str(name),
                }
            }
            // "1,000" and "1,5"
            ',' if before && after => {
                let digits = chars[i + 1..].iter().take_while(|c| c.is_ascii_digit()).count();
                if digits != 3 {
                    text.push('.');
                }
            }
            '\'' | '’' | '′' if before => text.push_str(" feet "),
            '"' | '”' | '″' if before => text.push_str(" inches "),
            '½' => text.push_str(if before { ".5" } else { " half " }),
            '¼' => text.push_str(" quarter "),
            '&' => text.push_str(" and "),
            '/' if text.ends_with("km") => {}
            '’' => text.push('\''),
            c if c.is_ascii_alphabetic() && before => {
                text.push(' ');
                text.push(c);
            }
            c => text.push(c),
        }
    }
    if let Some(name) = money {
        text.push_str(name.trim_end());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_out() {
        for (written, plain) in [
            ("Is it over 1,000kg?", "Is it over 1000 kg?"),
            ("Does it cost $20?", "Does it cost 20 dollars ?"),
            ("under £5", "under 5 quid"),
            ("taller than 6'?", "taller than 6 feet ?"),
            ("½ a metre", " half  a metre"),
            ("30km/h", "30 kmh"),
            ("1.5m", "1.5 m"),
        ] {
            assert_eq!(polished(written), plain);
        }
    }
}
