//! How the 157 words stand in a sentence.

use archer_games::knowledge::{NounForm, table};
use archer_games::words::words;

#[test]
fn every_word_has_its_article() {
    let table = table();
    let (mut mass, mut pairs, mut an) = (Vec::new(), Vec::new(), Vec::new());
    for word in words() {
        let object = &table.objects()[table.object(word.name()).unwrap().0];
        let named = object.with_article();
        assert_eq!(object.guess_question(), format!("Is it {named}?"));
        match object.noun {
            NounForm::Mass => mass.push(named),
            NounForm::Pair => pairs.push(named),
            NounForm::Unique => panic!("{named}: there are many of it"),
            NounForm::Count if named.starts_with("an ") => an.push(named),
            NounForm::Count => assert_eq!(named, format!("a {}", object.name)),
        }
    }
    let expected_mass =
        ["paper", "toothpaste", "broccoli", "spinach", "corn", "peas", "celery", "glue", "lego"];
    let expected_pairs = [
        "a pair of pants",
        "a pair of shoes",
        "a pair of boots",
        "a pair of socks",
        "a pair of headphones",
        "a pair of scissors",
        "a pair of earrings",
        "a pair of gloves",
        "a pair of pliers",
    ];
    assert_eq!(mass, expected_mass);
    assert_eq!(pairs, expected_pairs);
    assert_eq!(
        an,
        [
            "an elephant",
            "an apple",
            "an orange",
            "an airplane",
            "an onion",
            "an eraser",
            "an ocean"
        ]
    );
}
