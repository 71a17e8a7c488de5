//! What `docs/environments` says of the worlds: its counts are those of the data, and the games it
//! shows are games that the worlds still play so.

use archer_games::knowledge::{ObjectId, PropertyId, Value, table};
use archer_games::{GuessingGame, WorldConfig, WorldName, guess_my_city};

const TWENTY_QUESTIONS: &str = include_str!("../../../docs/environments/twenty_questions.md");
const GUESS_MY_CITY: &str = include_str!("../../../docs/environments/guess_my_city.md");

#[test]
fn the_counts_are_those_of_the_table() {
    let table = table();
    let (objects, properties) = (table.objects(), table.properties());
    let wordings: usize =
        properties.iter().map(|p| 1 + p.paraphrases.len() + p.opposites.len()).sum();
    let cells = objects.len() * properties.len();
    let sometimes = (0..cells)
        .filter(|cell| {
            let (object, property) = (cell / properties.len(), cell % properties.len());
            let value = table.value(ObjectId(object), PropertyId(property));
            matches!(value, Value::Sometimes(_))
        })
        .count();
    for row in [
        format!("| objects | {} |", objects.len()),
        format!(
            "| names, aliases counted | {} |",
            objects.iter().map(|object| 1 + object.aliases.len()).sum::<usize>()
        ),
        format!("| properties | {} |", properties.len()),
        format!(
            "| of them kinds (\"Is it a bird?\") | {} |",
            properties.iter().filter(|property| property.kind).count()
        ),
        format!("| wordings of their questions | {wordings} |"),
        format!("| cells that say \"sometimes\" | {sometimes} of {cells} |"),
    ] {
        assert!(TWENTY_QUESTIONS.contains(&row), "the document should say {row}");
    }
}

#[test]
fn the_counts_are_those_of_the_atlas() {
    let properties = guess_my_city::table().properties();
    let wordings: usize =
        properties.iter().map(|p| 1 + p.paraphrases.len() + p.opposites.len()).sum();
    let said = format!("{} properties with {wordings} wordings", properties.len());
    assert!(GUESS_MY_CITY.contains(&said), "the document should say {said}");
    assert!(GUESS_MY_CITY.contains(&format!("- {} cities", guess_my_city::cities().len())));
}

#[test]
fn free_questions_are_answered_as_the_document_says() {
    let rows = GUESS_MY_CITY.lines().skip_while(|line| *line != "| question | an answer |");
    let mut count = 0;
    for row in rows.skip(2).take_while(|line| line.starts_with('|')) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let guess_my_city::Asked::What(topic) = guess_my_city::read(cells[1]) else {
            panic!("{} is no free question", cells[1]);
        };
        let answers = (0..91).any(|city| guess_my_city::tell(city, topic) == cells[2]);
        assert!(answers, "no city answers {:?} to {:?}", cells[2], cells[1]);
        count += 1;
    }
    assert_eq!(count, guess_my_city::free_questions().len());
}

/// The games of a document: the secret behind `# `, then a line for each turn.
fn games(document: &str) -> Vec<(&str, Vec<&str>)> {
    let mut games: Vec<(&str, Vec<&str>)> = Vec::new();
    for block in document.split("```text\n").skip(1) {
        let block = block.split("```").next().unwrap_or_default();
        for line in block.lines().filter(|line| !line.is_empty()) {
            if let Some(secret) = line.strip_prefix("# ") {
                games.push((secret, Vec::new()));
            } else if let Some((_, turns)) = games.last_mut().filter(|_| line.contains("? ")) {
                turns.push(line);
            }
        }
    }
    games
}

#[test]
fn the_games_shown_are_played_so() {
    for (name, document, least) in [
        (WorldName::TwentyQuestions, TWENTY_QUESTIONS, 6),
        (WorldName::GuessMyCity, GUESS_MY_CITY, 4),
    ] {
        let config = WorldConfig { name, ..WorldConfig::default() };
        let mut world: Box<dyn GuessingGame> = config.guessing().unwrap().unwrap();
        let games = games(document);
        assert!(games.len() >= least, "{} games of {name}", games.len());
        for (secret, turns) in games {
            world.start_word(secret, 0).unwrap();
            let mut won = false;
            for line in turns {
                let (question, answer) = line.split_once("? ").unwrap();
                let turn = world.act(&format!("{question}?"));
                assert_eq!(turn.reply, answer, "{secret}: {question}?");
                won = turn.won();
            }
            assert!(won, "the game of {secret} is shown to its end");
        }
    }
}
