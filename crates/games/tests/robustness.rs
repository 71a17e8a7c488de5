//! What no reader of questions should fall over, and what it should not pretend to understand.

use archer_games::knowledge::table;
use archer_games::oracle::{INVALID, Oracle, TableOracle};
use archer_games::{GuessMyCity, Rules, TwentyQuestions};
use archer_world::{Start, World};

/// Texts that ask nothing a table can answer by yes or no.
fn unreadable() -> Vec<String> {
    let plain = [
        "",
        " ",
        "?",
        "???!!!",
        "...",
        "\t",
        "a",
        "the",
        "yes",
        "no",
        "hello",
        "What is it?",
        "What color is it?",
        "How big is it?",
        "Why?",
        "Tell me the word.",
        "Give me a hint",
        "Is it?",
        "Is it a?",
        "Is it the the the?",
        "Does it?",
        "Can you?",
        "Is it a zorblax?",
        "Is it bigger than a zorblax?",
        "Does it frobnicate?",
        "Is it made of unobtainium?",
        "Is it an animal and does it sing opera on Tuesdays?",
        "Is it an animal? Is it a plant?",
        "Is it cat dog?",
        "Is it more expensive than love?",
        "Ist es ein Tier?",
        "¿Es un animal?",
        "Est-ce un animal ?",
        "это животное?",
        "それは動物ですか?",
        "هل هو حيوان؟",
        "🐱?",
        "Is it a 🐱?",
        "Is it a c\u{301}at?",
        "<script>alert(1)</script>",
        "'; DROP TABLE objects; --",
        "{\"cmd\":\"reset\"}",
        "is-it-an-animal-that-is-not-here",
        "isitananimal",
    ];
    let mut texts: Vec<String> = plain.iter().map(|text| text.to_string()).collect();
    texts.push("Is it ".repeat(1000));
    texts.push(format!("Is it {}animal?", "very ".repeat(500)));
    texts.push(format!("Is it a {}?", "z".repeat(100_000)));
    texts.push("?".repeat(10_000));
    texts.push("漢".repeat(5_000));
    texts.push(format!("Is it an animal{}", " or a plant".repeat(100)));
    texts
}

#[test]
fn what_cannot_be_read_is_an_invalid_question() {
    let mut oracle = TableOracle::default();
    for text in unreadable() {
        for object in ["cat", "lake", "pants", "santa claus"] {
            let start: String = text.chars().take(60).collect();
            assert_eq!(oracle.answer(object, &text), INVALID, "{object}: {start:?}");
        }
    }
}

#[test]
fn worlds_survive_any_text() {
    for rules in [Rules::Fixed, Rules::Official] {
        let options = archer_games::twenty_questions::Options { rules, ..Default::default() };
        let worlds: [Box<dyn World>; 2] = [
            Box::new(TwentyQuestions::subset(options).unwrap()),
            Box::new(GuessMyCity::new(rules, 20).unwrap()),
        ];
        for mut world in worlds {
            for text in unreadable() {
                world.start(&Start { task: None, seed: 1 });
                let step = world.act(&text);
                assert!(!step.won() && step.reward == -1.0);
                let start: String = text.chars().take(60).collect();
                // "What is it?" and "How big is it?" are questions where answers are free.
                let free = text.contains("What") || text.contains("How");
                assert!(step.reply == INVALID || free, "{start:?}");
            }
        }
    }
}

/// The same question in many words: all must have the answers of the first.
const ALIKE: &[&[&str]] = &[
    &[
        "Is it an animal?",
        "is it an animal",
        "IS IT AN ANIMAL???",
        "  Is   it  an   animal  ?  ",
        "Is it a kind of animal?",
        "Is it some sort of animal?",
        "Are they animals?",
        "Is the object an animal?",
        "Is this thing an animal?",
        "Would you say it is an animal?",
        "Would you call it an animal?",
        "Is it considered an animal?",
        "Is it classified as an animal?",
        "Is it a type of animal, perhaps?",
        "So, is it an animal?",
        "Hmm, is it an animal?",
        "It's an animal, right?",
        "Is it an animal or not?",
        "Could it be an animal?",
        "Is the word you are thinking of an animal?",
        "I wonder if it is an animal.",
        "Isn't it an animal?",
        "“Is it an animal?”",
    ],
    &[
        "Can you eat it?",
        "Can people eat it?",
        "Is it edible?",
        "Is it something you can eat?",
        "Is it something that people eat?",
        "Could a person eat it?",
        "Can I eat it?",
        "Do people eat it?",
        "Are you able to eat it?",
        "Can it be eaten?",
    ],
    &[
        "Is it made of metal?",
        "Is it made out of metal?",
        "Is it usually made of metal?",
        "Is it mostly made of metal?",
        "Is it metal?",
        "Is it made from metal?",
        "Is it constructed from metal?",
        "Are they made of metal?",
        "Is it a metal object?",
    ],
    &[
        "Would you find it in a house?",
        "Can you find it in a house?",
        "Is it found in a house?",
        "Is it usually found in a house?",
        "Would I find it in a house?",
        "Can it be found in a house?",
        "Is it something you would find in a house?",
        "Is it found in most houses?",
    ],
    &[
        "Is it bigger than a car?",
        "Is it larger than a car?",
        "Is it bigger than an automobile?",
        "Are they bigger than a car?",
        "Is it bigger in size than a car?",
        "Is the object larger than a car?",
    ],
];

#[test]
fn many_words_for_one_question() {
    let table = table();
    for group in ALIKE {
        let answers = |question: &str| -> Vec<bool> {
            let mut oracle = TableOracle::default();
            let said = |name: &str| oracle.answer(name, question).into_owned();
            let all: Vec<String> =
                table.objects().iter().map(|o| o.name.as_str()).map(said).collect();
            assert!(!all.contains(&INVALID.to_string()), "{question} is not read");
            all.iter().map(|answer| answer == "Yes.").collect()
        };
        let expected = answers(group[0]);
        for question in &group[1..] {
            assert!(answers(question) == expected, "{question} is answered otherwise");
        }
    }
}
