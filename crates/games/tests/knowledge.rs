//! What the embedded table promises: its measure, and that nothing in it contradicts itself.

use std::collections::HashSet;

use proptest::prelude::*;

use archer_games::knowledge::{
    Claim, ObjectId, PropertyId, Reading, Sources, Table, Value, guess_phrase, table,
};

fn objects() -> impl Iterator<Item = ObjectId> {
    (0..table().objects().len()).map(ObjectId)
}

fn properties() -> impl Iterator<Item = PropertyId> {
    (0..table().properties().len()).map(PropertyId)
}

/// A person may ask in their own words: a canonical question and at least four more.
#[test]
fn every_property_has_five_wordings() {
    let few: Vec<String> = table()
        .properties()
        .iter()
        .filter(|property| property.paraphrases.len() < 4)
        .map(|property| format!("{} {}", property.name, property.paraphrases.len()))
        .collect();
    assert!(few.is_empty(), "{} have fewer: {few:?}", few.len());
}

#[test]
fn the_table_has_its_full_measure() {
    let table = table();
    assert!(table.objects().len() >= 500, "{} objects", table.objects().len());
    assert!(table.properties().len() >= 200, "{} properties", table.properties().len());
    for property in table.properties() {
        assert!(
            property.paraphrases.len() >= 4,
            "\"{}\" has {} paraphrases",
            property.name,
            property.paraphrases.len()
        );
    }
}

#[test]
fn every_wording_is_read_as_its_own_property_and_means_the_same() {
    let table = table();
    for property in properties() {
        let known = &table.properties()[property.0];
        let alike = std::iter::once(&known.question).chain(&known.paraphrases);
        let contrary = known.opposites.iter().map(|question| (question, true));
        for (question, contrary) in alike.map(|question| (question, false)).chain(contrary) {
            let reading = table.read(question);
            for object in objects() {
                let value = table.value(object, property);
                let expected = if contrary { value.negated() } else { value }.weight();
                let said = table.answer(object, &reading).map(Value::weight);
                assert!(said.is_some_and(|said| (said - expected).abs() < 1e-6), "{question}");
            }
        }
    }
}

#[test]
fn some_clear_answer_tells_every_pair_of_objects_apart() {
    let table = table();
    let row = |object| -> Vec<Value> { properties().map(|p| table.value(object, p)).collect() };
    let rows: Vec<Vec<Value>> = objects().map(row).collect();
    for i in 0..rows.len() {
        for j in 0..i {
            let apart = rows[i]
                .iter()
                .zip(&rows[j])
                .any(|pair| matches!(pair, (Value::Yes, Value::No) | (Value::No, Value::Yes)));
            let names = (&table.objects()[i].name, &table.objects()[j].name);
            assert!(apart, "{names:?} have no clear difference");
        }
    }
}

#[test]
fn every_property_is_good_for_something() {
    let table = table();
    for property in properties() {
        let values: HashSet<bool> =
            objects().map(|object| table.value(object, property).is_mostly_yes()).collect();
        assert_eq!(values.len(), 2, "\"{}\"", table.properties()[property.0].name);
    }
}

#[test]
fn every_object_is_won_by_its_guess_in_many_forms() {
    let table = table();
    for object in objects() {
        let this = &table.objects()[object.0];
        let names = std::iter::once(&this.name).chain(&this.aliases).chain([&this.plural]);
        for name in names {
            assert_eq!(table.object(name), Some(object), "{name}");
        }
        let guesses = [
            this.guess_question(),
            format!("Could it be {}?", this.with_article()),
            format!("I think it's {}.", this.with_article()),
            format!("{}?", this.name),
        ];
        for guess in &guesses {
            let answer = table.answer(object, &table.read(guess));
            // "Is it orange?" and "Honey?" may ask for something else; with an article they do not.
            if guess != &guesses[3] {
                assert_eq!(answer, Some(Value::Yes), "{guess}");
                let phrase = guess_phrase(guess).unwrap_or_default();
                assert_eq!(table.object(&phrase), Some(object), "{guess}: {phrase}");
            }
            let negated = guess_phrase(&format!("Is it not {}?", this.with_article()));
            assert_eq!(negated, None, "{guess}");
        }
    }
}

#[test]
fn a_guess_wins_only_its_own_object() {
    let table = table();
    for named in objects() {
        let reading = table.read(&table.objects()[named.0].guess_question());
        let Reading::Asks { claim: Claim::Is(_), .. } = reading else {
            // The name of a kind ("Is it a tree?"), of which other objects may be.
            continue;
        };
        for object in objects() {
            assert_eq!(table.answer(object, &reading) == Some(Value::Yes), object == named);
        }
    }
}

#[test]
fn guess_phrases_are_told_from_descriptions() {
    let phrase = |question| guess_phrase(question);
    for (question, named) in [
        ("Could it be a tennis racket?", "tennis racket"),
        ("cat?", "cat"),
        ("Is it an orange?", "orange"),
        ("Is it a kind of dog?", "dog"),
        ("Is it spinach?", "spinach"),
        ("Are they PANTS?!", "pants"),
        ("Is it the sun?", "sun"),
        ("I think it's a cat!", "cat"),
        ("Is it a zorb?", "zorb"),
    ] {
        assert_eq!(phrase(question).as_deref(), Some(named), "{question}");
    }
    for question in [
        "Is it made of paper?",
        "Is it bigger than a cat?",
        "Is it not a cat?",
        "It isn't a cat.",
        "Is it orange?",
        "Does it have a cat?",
        "Can you eat it?",
        "Is it something like a cat?",
        "Is it used with paper?",
        "Is it ever a cat?",
        "What is it?",
        "",
    ] {
        assert_eq!(phrase(question), None, "{question}");
    }
}

/// The ten words of the small game can be told apart as fast as any ten words can: 2.8 questions
/// on average before the winning one, which the optimum of ten equally likely words is.
#[test]
fn the_ten_words_split_as_well_as_ten_words_can() {
    let table = table();
    let words = [
        "football", "dog", "banana", "truck", "pants", "computer", "piano", "chair", "pen",
        "scissors",
    ];
    let objects: Vec<ObjectId> = words.iter().filter_map(|word| table.object(word)).collect();
    let splits: HashSet<usize> = properties()
        .filter_map(|property| {
            let values: Vec<Value> = objects.iter().map(|&o| table.value(o, property)).collect();
            let clear = values.iter().all(|value| matches!(value, Value::Yes | Value::No));
            let yes = (0..10).filter(|&i| values[i] == Value::Yes).map(|i| 1 << i).sum();
            clear.then_some(yes)
        })
        .filter(|&yes| yes != 0 && yes != 1023)
        .collect();
    assert!(splits.len() >= 20, "{} splits", splits.len());
    // cost[set]: the least sum, over the words of the set, of the questions before the winning one.
    let mut cost = vec![usize::MAX; 1024];
    for set in 1..1024usize {
        let size = set.count_ones() as usize;
        let guesses = (0..10).filter(|i| set >> i & 1 == 1).map(|i| set & !(1 << i));
        let guess = guesses.map(|rest| if rest == 0 { 0 } else { size - 1 + cost[rest] }).min();
        let halves = splits.iter().map(|yes| (set & yes, set & !yes));
        let split =
            halves.filter(|&(a, b)| a != 0 && b != 0).map(|(a, b)| size + cost[a] + cost[b]).min();
        cost[set] = guess.into_iter().chain(split).min().unwrap_or(0);
    }
    assert_eq!(cost[1023], 28);
}

const SMALL: Sources<'static> = Sources {
    properties: (
        "properties.txt",
        "tail\n  Does it have a tail?\nalive\n  Is it alive?\n  > moves\nmoves\n  Does it move?\n",
    ),
    kinds: ("kinds.txt", "thing <\nanimal < thing\n  Is it an animal?\n  + alive\n"),
    phrases: ("phrases.txt", ""),
    references: ("references.txt", ""),
    heard: ("heard.txt", ""),
    amounts: ("amounts.txt", ""),
    objects: &[("o.txt", "= animal\ncat | size: 46cm 4kg\n  + tail\nworm | size: 9cm 5g\n")],
};

#[test]
fn values_are_inherited_and_implied() {
    let table = Table::parse(&SMALL).unwrap();
    let value = |object: &str, property: &str| {
        table.value(table.object(object).unwrap(), table.property(property).unwrap())
    };
    assert_eq!(value("worm", "animal"), Value::Yes);
    assert_eq!(value("worm", "alive"), Value::Yes);
    assert_eq!(value("worm", "moves"), Value::Yes);
    assert_eq!((value("cat", "tail"), value("worm", "tail")), (Value::Yes, Value::No));
}

#[test]
fn mistakes_in_the_data_are_named_with_file_and_line() {
    let message =
        |sources: Sources<'_>| Table::parse(&sources).map(|_| ()).unwrap_err().to_string();
    let objects = |text| message(Sources { objects: &[("o.txt", text)], ..SMALL });
    let cases = [
        ("= pet\ncat | size: 1cm 1g\n", "o.txt:2: there is no kind \"pet\""),
        ("= animal\ncat | size: 1cm 1g\n  + fur\n", "o.txt:3: there is no property \"fur\""),
        (
            "= animal\ncat | size: 1cm 1g\n  + tail\n  - tail\n",
            "o.txt:4: \"cat\" says \"tail\" twice",
        ),
        (
            "= animal\ncat | size: 1cm 1g\n  - moves\n",
            "o.txt:2: \"cat\" is \"alive\" but not \"moves\"",
        ),
        (
            "= animal\ncat | size: 1cm 1g\ndog | size: 1cm 1g\n",
            "o.txt:3: nothing tells \"dog\" from \"cat\"",
        ),
        (
            "= animal\ncat | size: 1cm 1g\ndog | also: cat | size: 1cm 1g\n",
            "o.txt:3: \"cat\" names \"cat\" too",
        ),
        (
            "= animal\ncat | size: big\n",
            "o.txt:2: \"big\" is no size and weight such as \"46cm 4kg\"",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(objects(text), expected);
    }
    let properties = |text| message(Sources { properties: ("p.txt", text), ..SMALL });
    assert_eq!(
        properties("tail\n  Does it have a tail?\nalive\n  Does it have tails?\n"),
        "p.txt:4: \"Does it have tails?\" already asks for \"tail\""
    );
    assert_eq!(properties("tail\n  > legs\n"), "p.txt:1: \"tail\" has no question");
    assert_eq!(properties("big\n  Is it big?\n  = size > zorb\n"), "p.txt:3: \"zorb\" has no size");
}

/// Words as people use them in questions, in any order.
fn jumbled_question() -> impl Strategy<Value = String> {
    let questions =
        table().properties().iter().flat_map(|p| [&p.question].into_iter().chain(&p.paraphrases));
    let names = table().objects().iter().map(|object| &object.name);
    let mut words: Vec<String> = questions
        .chain(names)
        .flat_map(|text| text.split(' '))
        .map(|word| word.trim_end_matches('?').to_string())
        .collect();
    words.extend(["not", "it's", "isn't", "than", "ever", "always", "a", "7"].map(str::to_string));
    words.sort();
    words.dedup();
    prop::collection::vec(prop::sample::select(words), 0..50).prop_map(|words| words.join(" "))
}

proptest! {
    #[test]
    fn any_text_is_read_without_harm(text in ".{0,300}") {
        let reading = table().read(&text);
        prop_assert_eq!(reading, table().read(&text));
        guess_phrase(&text);
    }

    #[test]
    fn any_jumble_of_known_words_is_read_without_harm(text in jumbled_question()) {
        let reading = table().read(&text);
        let answered = table().answer(ObjectId(0), &reading).is_some();
        prop_assert_eq!(answered, reading != Reading::Invalid);
        guess_phrase(&text);
    }

    #[test]
    fn case_and_marks_do_not_matter(property in 0..table().properties().len()) {
        let question = &table().properties()[property].question;
        let shouted = format!("  {}!?!", question.to_uppercase().replace(' ', "   "));
        prop_assert_eq!(table().read(question), table().read(&shouted));
    }
}
