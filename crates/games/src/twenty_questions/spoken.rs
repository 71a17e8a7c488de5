//! Answers as people say them: "yep", "I don't think so", "it depends".

use super::Answer;
use crate::letters;

const YES: &str = "\
    absolutely, affirmative, always, aye, certainly, correct, definitely, exactly, for sure, i \
    believe so, i guess, i guess so, i suppose so, i think so, indeed, it can, it does, it has, \
    it is, ja, likely, mostly, most likely, naturally, obviously, of course, oh yes, ok, okay, \
    oui, probably, probably yes, right, si, sure, sure is, that is right, thats right, they are, \
    they do, totally, true, usually, very much, very much so, y, ya, yea, yeah, yeap, yeh, yep, \
    yes, yess, yesss, yh, yip, yup";

const NO: &str = "\
    absolutely not, certainly not, definitely not, false, hardly, hardly ever, i do not believe \
    so, i do not think so, i dont believe so, i dont think so, i doubt it, incorrect, it can \
    not, it cannot, it cant, it does not, it doesnt, it has not, it hasnt, it is not, it isnt, \
    its not, mostly not, n, na, nah, naw, nay, negative, nein, never, no, no way, noo, nooo, \
    nop, nope, not, not at all, not exactly, not likely, not quite, not really, not usually, of \
    course not, oh no, probably no, probably not, rarely, surely not, they are not, they arent, \
    they do not, they dont, unlikely, usually not, wrong";

const SOMETIMES: &str = "\
    a bit, a little, at times, both, can be, depends, either, from time to time, half and half, \
    in a way, in some cases, in some ways, in part, it can be, it depends, it may be, it might \
    be, it varies, kind of, kinda, not always, now and then, occasionally, often, on occasion, \
    partially, partly, s, so so, some, some are, some do, somehow, sometimes, sometimes yes \
    sometimes no, somewhat, sort of, sorta, that depends, varies, yes and no";

const UNKNOWN: &str = "\
    beats me, cant say, cant tell, could be, d, difficult to say, do not know, dont care, dont \
    know, dunno, hard to say, hard to tell, i am not sure, i can not say, i cannot say, i cant \
    say, i cant tell, i do not know, i dont know, i dunno, i have no clue, i have no idea, idk, im \
    not sure, im unsure, it could be, may be, maybe, maybe not, might be, next, no clue, no idea, \
    not certain, not clear, not sure, pass, perhaps, possibly, skip, unclear, uncertain, unknown, \
    unsure, who knows";

/// What people say of a question that they do not understand.
const INVALID: &str = "huh, invalid, invalid question, what";

/// What people say before an answer without changing it.
const BEFORE: &str = "\
    actually, ah, and, aw, but, eh, er, erm, hm, hmm, hmmm, i guess, i mean, i suppose, i think, \
    i would say, id say, id have to say, just, oh, oof, so, uh, uhm, um, umm, well";

/// What people say after an answer without changing it.
const AFTER: &str = "\
    actually, again, as far as i know, definitely, exactly, honestly, i am afraid, i am sure, i \
    believe, i guess, i suppose, i think, im afraid, im sure, in fact, indeed, it can, it can \
    not, it cannot, it cant, it does, it does not, it doesnt, it has, it has not, it hasnt, it \
    is, it is not, it isnt, its not, lol, man, of course, please, really, sir, sorry, thank you, \
    thanks, that is right, thats right, they are, they are not, they arent, they do, they do \
    not, they dont, to be honest, too, you are right";

/// The longest answer that is read, in bytes. Nobody takes as many words to say yes, and each of them
/// costs a look into the lists.
const LONGEST: usize = 400;

/// The answer that a person gives; nothing for words that are none.
///
/// Capitals, punctuation, the kind of apostrophe and blanks do not matter. A "maybe" is that of someone
/// who does not know, which is [`Answer::Unknown`]; one who does not understand the question says
/// [`Answer::Invalid`].
///
/// ```
/// use archer_games::Answer;
/// use archer_games::twenty_questions::spoken::answer;
///
/// assert_eq!(answer("Well, I don’t think so."), Some(Answer::No));
/// assert_eq!(answer("a unicorn"), None);
/// ```
pub fn answer(said: &str) -> Option<Answer> {
    let plain = plain(said);
    let mut rest = plain.as_str();
    if rest.len() > LONGEST {
        return None;
    }
    loop {
        if let Some(answer) = known(rest) {
            return Some(answer);
        }
        let after_first = |word| rest.strip_prefix(word)?.strip_prefix(' ');
        let before_last = |word| rest.strip_suffix(word)?.strip_suffix(' ');
        rest = phrases(BEFORE)
            .find_map(after_first)
            .or_else(|| phrases(AFTER).find_map(before_last))?;
    }
}

fn known(said: &str) -> Option<Answer> {
    let lists = [
        (YES, Answer::Yes),
        (NO, Answer::No),
        (SOMETIMES, Answer::Sometimes),
        (UNKNOWN, Answer::Unknown),
        (INVALID, Answer::Invalid),
    ];
    let found = lists.into_iter().find(|(list, _)| phrases(list).any(|phrase| phrase == said));
    found.map(|(_, answer)| answer)
}

fn phrases(list: &str) -> impl Iterator<Item = &str> {
    list.split(", ")
}

/// Words in lower case with one blank between them: apostrophes are left out, and other marks separate.
pub fn plain(said: &str) -> String {
    let is_apostrophe = |c: char| "'’‘ʼ`´′＇".contains(c);
    let kept: String = said
        .chars()
        .filter(|c| !is_apostrophe(*c))
        .map(|c| if c.is_alphanumeric() { c } else { ' ' })
        .collect();
    letters::lower(&kept).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_long_text_is_no_answer_and_costs_no_time() {
        assert_eq!(answer(&"oh ".repeat(100)), None);
        assert_eq!(answer(&format!("{}yes", "oh ".repeat(100))), Some(Answer::Yes));
        // Word by word ten million of these would take a minute.
        assert_eq!(answer(&format!("{}yes", "oh ".repeat(10_000_000 / 3))), None);
    }

    #[test]
    fn people_say_it_in_their_own_words() {
        for (said, answer) in [
            ("y\n", Answer::Yes),
            (" YES. ", Answer::Yes),
            ("Yep!", Answer::Yes),
            ("yeah", Answer::Yes),
            ("Yes, it is.", Answer::Yes),
            ("probably", Answer::Yes),
            ("hmm, I think yes", Answer::Yes),
            ("n", Answer::No),
            ("No, it isn’t!", Answer::No),
            ("nope", Answer::No),
            ("Probably not", Answer::No),
            ("I DON'T THINK SO", Answer::No),
            ("Sometimes", Answer::Sometimes),
            ("it depends…", Answer::Sometimes),
            ("Kind of?", Answer::Sometimes),
            ("I don't know", Answer::Unknown),
            ("I don’t know", Answer::Unknown),
            ("i don`t know.", Answer::Unknown),
            ("dont know", Answer::Unknown),
            ("IDK", Answer::Unknown),
            ("maybe", Answer::Unknown),
            ("Well... maybe not", Answer::Unknown),
            ("unknown", Answer::Unknown),
            ("Huh?", Answer::Invalid),
        ] {
            assert_eq!(super::answer(said), Some(answer), "{said:?}");
        }
        for said in ["", "  ", "?", "…", "a unicorn", "yesterday", "no yes", "nothing", "I", "7"]
        {
            assert_eq!(super::answer(said), None, "{said:?}");
        }
    }

    #[test]
    fn every_phrase_is_plain_and_means_one_thing() {
        let mut seen = HashSet::new();
        for phrase in [YES, NO, SOMETIMES, UNKNOWN, INVALID].into_iter().flat_map(phrases) {
            assert_eq!(plain(phrase), phrase);
            assert!(seen.insert(phrase), "{phrase} stands twice");
        }
        for phrase in [BEFORE, AFTER].into_iter().flat_map(phrases) {
            assert_eq!(plain(phrase), phrase);
        }
    }
}
