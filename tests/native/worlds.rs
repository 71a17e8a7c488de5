//! The worlds and their scripted players through the binary: what can be reached, what the players
//! reach, and that every command knows every world.

use crate::common;

use std::fs;
use std::path::Path;

use common::{folder, root, run, run_with_input};
use serde_json::{Value, json};

const ASKERS: [&str; 5] = ["random", "mediocre", "information-gain", "tree", "optimal"];

fn json_of(folder: &Path, args: &[&str]) -> Value {
    run(folder, &[args, &["--json"]].concat()).success().json_lines().remove(0)
}

fn number(value: &Value, key: &str) -> f64 {
    value[key].as_f64().unwrap_or_else(|| panic!("{key} of {value} is no number"))
}

#[test]
fn the_optimum_is_framed_by_what_players_reach() {
    let folder = folder();
    let small = json_of(folder.path(), &["optimum", "--words", "subset"]);
    for key in ["bound_return", "exact_return", "optimum_return"] {
        assert_eq!(number(&small, key), -2.8, "{small}");
    }
    assert_eq!((&small["words"], &small["winnable"]), (&json!(10), &json!(10)));
    assert_eq!(number(&small, "worst_return"), -20.0);

    for (rules, winnable, bound) in [("fixed", 157, -6.78), ("official", 150, -7.31)] {
        let all = json_of(folder.path(), &["optimum", "--rules", rules]);
        assert_eq!((&all["rules"], &all["winnable"]), (&json!(rules), &json!(winnable)), "{all}");
        assert!((number(&all, "bound_return") - bound).abs() < 0.01, "{all}");
        assert!(number(&all, "greedy_return") <= number(&all, "bound_return") + 1e-9, "{all}");
        assert!(number(&all, "greedy_return") > bound - 0.4, "{all}");
        // The line of the learning curves is the one that evaluations print.
        let args = ["eval", "--asker", "tree", "--rules", rules, "--games", "157"];
        let tree = json_of(folder.path(), &args);
        assert_eq!(tree["optimum_return"], all["optimum_return"]);
        assert!((number(&tree, "mean_return") - number(&all, "greedy_return")).abs() < 1e-9);
    }
    let cities = json_of(folder.path(), &["optimum", "--name", "guess_my_city"]);
    assert_eq!((number(&cities, "optimum_return"), &cities["words"]), (-1.0, &json!(91)));

    let text = run(folder.path(), &["optimum", "--words", "subset"]).success().stdout;
    for part in ["10 secrets", "bound", "exact", "greedy", "−2.80", "−20.00"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn every_asker_makes_data_and_is_measured() {
    let folder = folder();
    for asker in ASKERS {
        let out = format!("{asker}.jsonl");
        let args = ["--words", "subset", "--asker", asker, "--games", "40"];
        let data = [&["data", "--out", &out], &args[..]].concat();
        run(folder.path(), &data).success();
        let text = fs::read_to_string(folder.path().join(&out)).unwrap();
        assert_eq!(text.lines().count(), 40, "{asker}");
        let eval = json_of(folder.path(), &[&["eval"], &args[..]].concat());
        assert_eq!(number(&eval, "invalid_rate"), 0.0, "{asker}");
        let worst = if asker == "random" { -20.0 } else { -9.0 };
        assert!((worst..=-2.8 + 1e-9).contains(&number(&eval, "mean_return")), "{eval}");
    }
}

#[test]
fn a_noisy_oracle_is_reckoned_with() {
    let folder = folder();
    let noise = ["--answer-noise", "0.1", "--sometimes", "--sometimes-noise", "0.2"];
    let measure = |asker: &str, noise: &[&str]| {
        let args = ["eval", "--words", "subset", "--games", "300", "--asker", asker];
        json_of(folder.path(), &[&args, noise].concat())
    };
    let (clear, noisy) = (measure("tree", &[]), measure("tree", &noise));
    assert!(number(&noisy, "mean_return") < number(&clear, "mean_return"));
    assert_eq!(noisy["optimum_return"], Value::Null, "nobody knows the optimum under noise");
    let wary = measure("information-gain", &noise);
    assert!(number(&wary, "mean_return") > number(&noisy, "mean_return"), "{wary} {noisy}");

    let data = ["data", "--words", "subset", "--games", "50", "--out", "noisy.jsonl"];
    run(folder.path(), &[&data[..], &noise].concat()).success();
    let text = fs::read_to_string(folder.path().join("noisy.jsonl")).unwrap();
    assert!(text.contains("\"Sometimes.\""), "a fifth of the answers are vague");
}

#[test]
fn people_answer_where_they_are_asked_for() {
    let folder = folder();
    let measure = |asker: &str, more: &[&str]| {
        let args = ["eval", "--games", "300", "--asker", asker, "--oracle", "people"];
        json_of(folder.path(), &[&args, more].concat())
    };
    let (wary, tree) = (measure("information-gain", &[]), measure("tree", &[]));
    assert_eq!(wary["rules"], "fixed (oracle: people)");
    assert_eq!(wary["optimum_return"], Value::Null);
    assert!(number(&wary, "win_rate") > number(&tree, "win_rate") + 0.1, "{wary} {tree}");
    let certain = ["world.people.unknown=0", "world.people.sometimes=0", "world.people.wrong=0"];
    let sets: Vec<&str> = certain.iter().flat_map(|set| ["--set", *set]).collect();
    assert_eq!(number(&measure("information-gain", &sets), "win_rate"), 1.0);

    let data = ["data", "--words", "subset", "--games", "50", "--out", "people.jsonl"];
    run(folder.path(), &[&data[..], &["--set", "world.oracle=people"]].concat()).success();
    let text = fs::read_to_string(folder.path().join("people.jsonl")).unwrap();
    assert!(text.contains("\"Sometimes.\"") && text.contains("\"I don't know.\""));

    let sent: String = [
        json!({"cmd": "reset", "word": "dog"}),
        json!({"cmd": "step", "action": "Is it alive?", "oracle_answer": "I don't know."}),
        json!({"cmd": "step", "action": "Is it a dog?"}),
    ]
    .iter()
    .map(|line| format!("{line}\n"))
    .collect();
    let args = ["env", "--oracle", "people"];
    let replies = run_with_input(folder.path(), &args, sent.as_bytes()).success().json_lines();
    assert_eq!(
        (&replies[1]["answer"], &replies[2]["answer"]),
        (&json!("I don't know."), &json!("Yes."))
    );

    let done = run(folder.path(), &["eval", "--asker", "tree", "--oracle", "peple"]);
    assert_eq!(done.code, 2);
    assert!(done.stderr.contains("choose table or people"), "{}", done.stderr);
}

/// The ten things of a workshop that are shown as an example, and the mistakes that people make in files
/// of their own.
#[test]
fn things_of_ones_own_are_guessed() {
    let folder = folder();
    let example = root().join("examples/knowledge/workshop.txt");
    let file = format!("world.knowledge={}", example.display());
    let own = ["--words", "own", "--set", &file];
    let tree =
        json_of(folder.path(), &[&["eval", "--asker", "tree", "--games", "10"], &own[..]].concat());
    assert_eq!(number(&tree, "win_rate"), 1.0, "{tree}");
    assert!(number(&tree, "mean_return") > -3.5, "{tree}");
    let optimum = json_of(folder.path(), &[&["optimum"], &own[..]].concat());
    assert_eq!(optimum["words"], 10);

    let sent: String = [
        json!({"cmd": "reset", "word": "bench vise"}),
        json!({"cmd": "step", "action": "Is it bolted to the bench?"}),
        json!({"cmd": "step", "action": "Can it be carried to another bench?"}),
        json!({"cmd": "step", "action": "Do sparks fly from it?"}),
        json!({"cmd": "step", "action": "Is it heavier than a caliper?"}),
        json!({"cmd": "step", "action": "Is it a vise?"}),
    ]
    .iter()
    .map(|line| format!("{line}\n"))
    .collect();
    let args = [&["env"], &own[..]].concat();
    let replies = run_with_input(folder.path(), &args, sent.as_bytes()).success().json_lines();
    let answers: Vec<&Value> = replies[1..].iter().map(|reply| &reply["answer"]).collect();
    assert_eq!(answers, ["Yes.", "No.", "No.", "Yes.", "Yes."]);

    let listed = json_of(
        folder.path(),
        &[
            "eval",
            "--asker",
            "optimal",
            "--games",
            "3",
            "--set",
            r#"world.words=["cat", "sea lion", "tv"]"#,
        ],
    );
    assert_eq!(number(&listed, "mean_return"), -1.0, "{listed}");

    fs::write(
        folder.path().join("mine.txt"),
        "= tool\nangle grinder | size: 30cm 2kg\n  + spraks\n",
    )
    .unwrap();
    fs::write(folder.path().join("latin.txt"), b"= tool\nB\xfcrste | size: 3cm 2g\n").unwrap();
    for (set, parts) in [
        ("world.knowledge=mine.txt", &["mine.txt:3: there is no property \"spraks\""][..]),
        ("world.knowledge=absent.txt", &["world.knowledge", "absent.txt"]),
        ("world.knowledge=latin.txt", &["latin.txt", "line 2"]),
        (r#"world.words=["cat", "dgo"]"#, &["world.words", "dgo", "dog"]),
        ("world.words=own", &["world.knowledge"]),
    ] {
        let done = run(folder.path(), &["eval", "--asker", "tree", "--set", set]);
        assert_eq!(done.code, 2, "{set}: {}", done.stderr);
        assert!(parts.iter().all(|part| done.stderr.contains(part)), "{set}: {}", done.stderr);
    }
}

#[test]
fn guess_my_city_is_served_and_played() {
    let folder = folder();
    let sent: String = [
        json!({"cmd": "reset", "word": "Mumbai"}),
        json!({"cmd": "step", "action": "What language do you speak?"}),
        json!({"cmd": "step", "action": "Which city is it?"}),
        json!({"cmd": "step", "action": "Is it Lima?"}),
        json!({"cmd": "step", "action": "Are you from Bombay?"}),
        json!({"cmd": "reset", "word": "Atlantis"}),
    ]
    .iter()
    .map(|line| format!("{line}\n"))
    .collect();
    let args = ["env", "--name", "guess_my_city"];
    let replies = run_with_input(folder.path(), &args, sent.as_bytes()).success().json_lines();
    let answers: Vec<&Value> = replies[1..5].iter().map(|reply| &reply["answer"]).collect();
    let refusal = "I can't answer that question.";
    assert_eq!(answers, ["Marathi, Hindi and English.", refusal, "No.", "Yes."]);
    assert_eq!((&replies[4]["reward"], &replies[4]["terminated"]), (&json!(0.0), &json!(true)));
    assert!(replies[5]["error"].as_str().unwrap().contains("not in this world's list"));

    // A question about the climate wins Lima under the reference's rules.
    let sent = "{\"cmd\":\"reset\",\"word\":\"Lima\"}\n\
                {\"cmd\":\"step\",\"action\":\"What is the climate like?\"}\n";
    for (rules, won) in [("fixed", false), ("official", true)] {
        let args = ["env", "--name", "guess_my_city", "--rules", rules];
        let replies = run_with_input(folder.path(), &args, sent.as_bytes()).success().json_lines();
        assert_eq!(replies[1]["terminated"], won, "{rules}: {}", replies[1]);
    }

    for asker in &ASKERS[..4] {
        let args = ["eval", "--name", "guess_my_city", "--games", "91", "--asker", asker];
        let eval = json_of(folder.path(), &args);
        assert_eq!(eval["environment"], "guess_my_city");
        assert_eq!(number(&eval, "invalid_rate"), 0.0, "{asker}");
        assert!(number(&eval, "mean_return") <= -1.0, "{eval}");
    }
    let data = ["data", "--name", "guess_my_city", "--games", "30", "--out", "cities.jsonl"];
    run(folder.path(), &data).success();
    let text = fs::read_to_string(folder.path().join("cities.jsonl")).unwrap();
    assert!(text.contains("What "), "a warm start sees questions with free answers");
}

#[test]
fn what_a_world_does_not_have_is_refused() {
    let folder = folder();
    for (args, part) in [
        (&["eval", "--asker", "tree", "--name", "bandit"][..], "no scripted player"),
        (&["optimum", "--name", "chess"], "guess_my_city"),
        (&["optimum", "--max-turns", "0"], "1 or more"),
        (&["optimum", "--sometimes", "--rules", "official"], "official rules know only"),
        (&["eval", "--asker", "tree", "--name", "guess_my_city", "--words", "subset"], "no words"),
        (&["eval", "--asker", "optimal"], "at most 16 words"),
        (&["eval", "--asker", "tree", "--answer-noise", "1.5"], "from 0 to 1"),
        (&["eval", "--asker", "tree", "--sometimes-noise", "0.5"], "set sometimes to true"),
        (&["eval", "--asker", "information-gain", "--answer-noise", "0.5"], "nothing to learn"),
        (&["eval", "--model", "x", "--name", "guess_my_city"], "--model"),
        (&["env", "--answer-noise", "-1"], "from 0 to 1"),
    ] {
        let done = run(folder.path(), args);
        assert_eq!(done.code, 2, "{args:?}: {}", done.stderr);
        assert!(done.stderr.contains(part), "{args:?} should speak of {part:?}: {}", done.stderr);
        assert_eq!(done.stdout, "", "{args:?}");
    }
}

/// The documents of the worlds quote what the program prints; here it prints it again.
#[test]
fn the_documents_tell_the_numbers_that_the_program_prints() {
    let folder = folder();
    for (document, commands) in [
        (
            "docs/environments/twenty_questions.md",
            &[
                &["optimum"][..],
                &["optimum", "--words", "subset"],
                &["optimum", "--rules", "official"],
            ][..],
        ),
        ("docs/environments/guess_my_city.md", &[&["optimum", "--name", "guess_my_city"][..]][..]),
    ] {
        let text = fs::read_to_string(root().join(document)).unwrap();
        for args in commands {
            let printed = run(folder.path(), args).success().stdout;
            assert!(text.contains(printed.trim()), "{document} should show:\n{printed}");
        }
        let shown: Vec<&str> =
            text.lines().filter_map(|line| line.strip_prefix("$ archer data ")).collect();
        assert!(!shown.is_empty(), "{document} shows games");
        for command in shown {
            let args: Vec<&str> = command.split(' ').collect();
            run(folder.path(), &[&["data", "--force", "--form", "lines"], &args[..]].concat())
                .success();
            let games = fs::read_to_string(folder.path().join("games.jsonl")).unwrap();
            for game in games.lines() {
                let game: Value = serde_json::from_str(game).unwrap();
                let lines = game["lines"].as_array().unwrap().iter();
                let lines: Vec<&str> = lines.map(|line| line.as_str().unwrap()).collect();
                let played =
                    format!("# {}\n{}", game["word"][0].as_str().unwrap(), lines.join("\n"));
                assert!(text.contains(&played), "{document} should show:\n{played}");
            }
        }
    }
}

#[test]
fn a_world_is_changed_by_its_keys() {
    let folder = folder();
    let eval = |more: &[&str]| {
        let eval = ["eval", "--asker", "tree", "--words", "subset", "--games", "90", "--json"];
        run(folder.path(), &[&eval[..], more].concat())
    };
    let number =
        |more: &[&str], name: &str| eval(more).success().json_lines().remove(0)[name].as_f64();
    assert_eq!(number(&[], "optimum_return"), Some(-2.8));
    // The tree finds dogs at its third question, and here they are half of all games.
    let plain = number(&[], "mean_return").unwrap();
    let dogs = ["--set", "world.weights.dog=8", "--set", "world.weights.pen=0"];
    assert_eq!(number(&dogs, "optimum_return"), None);
    assert!((number(&dogs, "mean_return").unwrap() - plain).abs() > 0.1);
    // Who reckons with the answers plays as well as before, whatever they are.
    let alive = ["--set", "world.answers.Is it alive?.computer=yes"];
    assert!((number(&alive, "mean_return").unwrap() - plain).abs() < 0.5);
    for (set, parts) in [
        ("gamma=1", &["only keys of the world", "world.weights.dog"][..]),
        ("world.weights.zorb=2", &["world.weights", "\"zorb\"", "not in the table"]),
        ("seed=1", &["--set seed=1", "only keys of the world"]),
        ("world.weights.dog=often", &["world.weights.dog", "often"]),
        ("world.answers.Is it a zorb?.dog=yes", &["zorb", "Is it alive?"]),
        ("world.answers.Is it alive?.dog=maybe", &["maybe", "`yes`"]),
        ("world.wieghts.dog=2", &["no key world.wieghts.dog", "did you mean world.weights.dog?"]),
    ] {
        let done = eval(&["--set", set]);
        assert_eq!(done.code, 2, "{set}: {}", done.stderr);
        for part in parts {
            assert!(done.stderr.contains(part), "{set}: {}", done.stderr);
        }
    }
}
