//! Worlds of one's own through the binary: each example is learned, and each fault of a world ends with
//! one sentence, exit code 1 and a whole checkpoint.

use crate::common;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use common::{Done, folder, python, root, run, run_with_input};
use serde_json::{Value, json};

/// The command that runs an example, or nothing where this machine lacks what it needs.
fn example(program: &str, needs: &str, file: &str) -> Option<String> {
    let check = match needs {
        "" => "0".to_string(),
        module => format!("import {module}"),
    };
    let there = match program {
        "python3" => Command::new(python()).args(["-c", &check]).output(),
        other => Command::new(other).arg("--version").output(),
    };
    if !there.is_ok_and(|output| output.status.success()) {
        println!("skipped: {file}, for {program} {needs} is not on this machine");
        return None;
    }
    let program = if program == "python3" { python() } else { program.to_string() };
    Some(format!("{program} {}", root().join("examples/worlds").join(file).display()))
}

/// Trains on a world for so many iterations and gives the mean returns of the comparison at the end.
fn learn(folder: &Path, world: &str, more: &[&str]) -> [f64; 2] {
    let args = ["train", "--world", world, "--out", "run", "--final-games", "100", "--quiet"];
    run(folder, &[&args[..], more].concat()).success();
    let rows: Value =
        serde_json::from_str(&fs::read_to_string(folder.join("run/comparison.json")).unwrap())
            .unwrap();
    let rows = rows.as_array().unwrap();
    let mean = |row: &Value| row["mean_return"].as_f64().unwrap();
    [mean(&rows[0]), mean(rows.last().unwrap())]
}

/// From reward alone, in seconds: the puzzles of the countdown, the doors, the world in Node.
#[test]
fn examples_are_learned_from_reward_alone() {
    for (program, needs, file, iterations, reached) in [
        ("python3", "", "countdown.py", 100, 0.95),
        ("python3", "", "door.py", 20, 0.95),
        ("node", "", "node_world.mjs", 20, 0.95),
    ] {
        let Some(command) = example(program, needs, file) else { continue };
        let folder = folder();
        let iterations = format!("iterations={iterations}");
        let [random, learned] = learn(folder.path(), &command, &["--set", &iterations]);
        assert!(random < 0.6 && learned >= reached, "{file}: {random} to {learned}");
    }
}

/// Games of Gymnasium and TextArena get better than chance within a minute.
#[test]
fn worlds_of_other_packages_are_learned() {
    for (needs, file, iterations, gain) in [
        ("textarena", "textarena_guess_number.py", 60, 0.1),
        ("textarena", "textarena_frozen_lake.py", 60, 0.15),
        ("gymnasium", "frozen_lake.py", 60, 0.15),
    ] {
        let Some(command) = example("python3", needs, file) else { continue };
        let folder = folder();
        let iterations = format!("iterations={iterations}");
        let [random, learned] = learn(folder.path(), &command, &["--set", &iterations]);
        assert!(learned > random + gain, "{file}: {random} to {learned}");
    }
}

/// A story for the Z-machine that jericho does not know: the points stand in its text.
#[test]
fn a_text_adventure_is_learned() {
    let Some(command) = example("python3", "jericho", "jericho_story.py") else { return };
    let folder = folder();
    let source = root().join("tests/native/stories/door.inf");
    let compiler = Command::new("inform6").arg(source).arg(folder.path().join("door.z5")).output();
    if !compiler.is_ok_and(|done| done.status.success()) {
        println!("skipped: jericho_story.py, for there is no inform6 to compile the test's story");
        return;
    }
    let commands = "take key,open door,wait";
    let story = folder.path().join("door.z5");
    let world = format!("{command} {} '{commands}'", story.display());
    let set = ["--set", "world.max_turns=6", "--set", "iterations=30"];
    let [random, learned] = learn(folder.path(), &world, &set);
    assert!(random < 5.5 && learned > 5.9, "{random} to {learned}");
}

/// A server of OpenEnv is an address, and nothing else is said of it.
#[test]
fn a_server_of_openenv_is_learned() {
    let Some(command) = example("python3", "openenv, uvicorn", "openenv_server.py") else { return };
    let (program, script) = command.split_once(' ').unwrap();
    let mut server = Command::new(program);
    let mut server = server.args([script, "0"]).stderr(Stdio::piped()).spawn().unwrap();
    // It prints the port that it took. What it prints later is read too, so that its pipe never fills.
    let mut lines = BufReader::new(server.stderr.take().unwrap()).lines().map_while(Result::ok);
    let port = lines.by_ref().find_map(|line| {
        let port = line.split("http://127.0.0.1:").nth(1)?;
        port.split(' ').next().map(str::to_string)
    });
    std::thread::spawn(move || lines.for_each(drop));
    let folder = folder();
    let learned = std::panic::catch_unwind(|| {
        let url = format!("ws://127.0.0.1:{}/ws", port.expect("it says where it listens"));
        learn(folder.path(), &url, &["--set", "iterations=30"])
    });
    server.kill().unwrap();
    server.wait().unwrap();
    let [random, learned] = learned.unwrap();
    assert!(random < 0.6 && learned >= 0.95, "{random} to {learned}");
}

/// The blocks of code in a language that a page shows.
fn shown(page: &str, language: &str) -> Vec<String> {
    let page = fs::read_to_string(root().join(page)).unwrap();
    let fence = format!("```{language}\n");
    let blocks = page.split(&fence[..]).skip(1);
    blocks.map(|block| block.split("```").next().unwrap().to_string()).collect()
}

/// The worlds of the page for newcomers are learned as they stand there.
#[test]
fn the_worlds_of_the_page_for_newcomers_are_learned() {
    let folder = folder();
    let path = folder.path();
    let shown = |language| shown("docs/your-world.md", language);
    let [door, walk] = &shown("python")[..] else { panic!("two worlds") };
    fs::write(path.join("my_world.py"), door).unwrap();
    let [random, learned] = learn(path, "python3 my_world.py", &["--set", "iterations=60"]);
    assert!(random < 0.5 && learned > 0.9, "{random} to {learned}");

    fs::write(path.join("walk.py"), walk).unwrap();
    fs::write(path.join("walk.toml"), &shown("toml")[0]).unwrap();
    let args = ["train", "--preset", "new-world", "--config", "walk.toml", "--out", "walk"];
    let quick = ["--set", "iterations=30", "--final-games", "0", "-q"];
    run(path, &[&args[..], &quick].concat()).success();
    let eval = ["eval", "--model", "walk/model", "--games", "20", "--json"];
    // Named by hand, the world is known by its command alone.
    let named = ["--world", "python3 walk.py", "--set", "world.max_turns=20"];
    let walked = run(path, &[&eval[..], &named].concat()).success().json_lines().remove(0);
    assert!(walked["mean_return"].as_f64().unwrap() > 0.9, "{walked}");
}

/// So is that of the README.
#[test]
fn the_world_of_the_readme_is_learned() {
    let folder = folder();
    let [door] = &shown("README.md", "python")[..] else { panic!("one world") };
    fs::write(folder.path().join("my_world.py"), door).unwrap();
    let [random, learned] =
        learn(folder.path(), "python3 my_world.py", &["--set", "iterations=20"]);
    assert!(random < 0.5 && learned > 0.9, "{random} to {learned}");
}

/// A world in Python of the many-games form, of which a test changes one line.
const SOUND: &str = r#"
import json, sys
ABOUT = {"name": "coin", "max_turns": 2, "best": 1.0, "worst": 0.0, "protocol": 1}
CHOICES = ["heads", "tails"]
games = {}
def answer(message):
    cmd, game = message["cmd"], message.get("game")
    if cmd == "about":
        return ABOUT
    if cmd == "batch":
        return {"of": [answer(one) for one in message["of"]]}
    if cmd == "start":
        games[game] = 0
        return {"game": game, "text": "Call it.\n", "choices": CHOICES}
    if cmd == "act":
        games[game] += 1
        last = games[game] == 2
        return {"game": game, "reply": "So.", "reward": float(message["said"] == "heads") / 2,
                "end": "over" if last else None, "choices": None if last else CHOICES}
    return {"game": game}
for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
"#;

/// Trains on a changed world of that kind.
fn train(folder: &Path, from: &str, to: &str, more: &[&str]) -> Done {
    assert!(SOUND.contains(from), "{from}");
    fs::write(folder.join("world.py"), SOUND.replace(from, to)).unwrap();
    let args = ["train", "--world", "python3 world.py", "--out", "run", "--final-games", "0", "-q"];
    run(folder, &[&args[..], &["--set", "iterations=2"], more].concat())
}

#[test]
fn each_broken_rule_is_told_in_a_sentence() {
    for (from, to, parts) in [
        ("        games[game] += 1\n", "        sys.exit('out of coins')\n", &["out of coins"][..]),
        (
            "        games[game] += 1\n",
            "        import time; time.sleep(60)\n",
            &["timeout_seconds"],
        ),
        ("def answer", "print('hello')\ndef answer", &["hello"]),
        ("return {\"game\": game, \"reply\"", "return {\"game\": game + 1, \"reply\"", &["game"]),
        ("\"reply\": \"So.\", ", "", &["reply"]),
        ("float(message[\"said\"] == \"heads\") / 2", "float('nan')", &["reward"]),
        ("float(message[\"said\"] == \"heads\") / 2", "'much'", &["reward"]),
        ("\"So.\"", "\"So.\" * 4_000_000", &["bytes"]),
        ("last = games[game] == 2", "last = False", &["2 turns"]),
        ("\"Call it.\\n\"", "f\"Call {id(object()) % 7 + len(games)}.\\n\"", &["same seed"]),
        ("[\"heads\", \"tails\"]", "[]", &["choices", "at least one"]),
        ("[\"heads\", \"tails\"]", "[\"heads\", \"heads\"]", &["twice"]),
        ("[\"heads\", \"tails\"]", "[\"heads\", \"\"]", &["one line of text"]),
    ] {
        let folder = folder();
        let done = train(folder.path(), from, to, &["--set", "world.timeout_seconds=3"]);
        assert_eq!(done.code, 1, "{to}: {}", done.stderr);
        for part in parts {
            assert!(done.stderr.contains(part), "{to} should speak of {part}: {}", done.stderr);
        }
        assert_eq!(done.stderr.matches("error:").count(), 1, "{to}: {}", done.stderr);
        assert!(!done.stderr.contains("panicked"), "{to}: {}", done.stderr);
    }
}

/// What a world writes to its standard error is in the run's folder, and a world that is well lets the
/// run end with nothing left behind.
#[test]
fn notes_of_a_world_are_kept() {
    let folder = folder();
    let note = "sys.stderr.write('a note\\n')\ndef answer";
    train(folder.path(), "def answer", note, &[]).success();
    let log = fs::read_to_string(folder.path().join("run/world.log")).unwrap();
    assert!(log.lines().count() >= 1 && log.lines().all(|line| line == "a note"), "{log}");
}

/// One choice may begin another; a run on a process goes on bit for bit.
#[test]
fn a_sound_world_is_trained_on_and_resumed() {
    let folder = folder();
    let longer = "[\"heads\", \"heads up\"]";
    let steady = ["--set", "lr_final=1", "--set", "eval_freq=2"];
    let whole = [&steady[..], &["--set", "iterations=4"]].concat();
    train(folder.path(), "[\"heads\", \"tails\"]", longer, &whole).success();
    fs::rename(folder.path().join("run"), folder.path().join("whole")).unwrap();
    train(folder.path(), "[\"heads\", \"tails\"]", longer, &steady).success();
    let resume = ["train", "--resume", "run", "--set", "iterations=4", "--final-games", "0", "-q"];
    run(folder.path(), &resume).success();
    common::assert_same_run(&folder.path().join("whole"), &folder.path().join("run"));

    let eval = ["eval", "--model", "run/model", "--games", "1", "--json"];
    // A model starts no program by itself.
    let bare = run(folder.path(), &eval);
    assert_eq!(bare.code, 2, "{}", bare.stderr);
    assert!(bare.stderr.contains("--world \"python3 world.py\""), "{}", bare.stderr);
    let named = ["--world", "python3 world.py"];
    let eval = [&eval[..], &named].concat();
    let one = run(folder.path(), &eval).success().json_lines().remove(0);
    assert_eq!(one["return_ci95"], Value::Null, "one game has no interval");
    assert!(one.get("rules").is_none() && one.get("mean_questions").is_none(), "{one}");
    assert!(one["mean_turns"].is_f64(), "{one}");
    let me = ["play", "--world", "python3 world.py", "--me"];
    let played = run_with_input(folder.path(), &me, b"heads\n2\nn\n").success();
    assert!(played.stdout.contains("Call it.") && played.stdout.contains("0.50 in all"));
    let watched = {
        let play = [&["play", "--model", "run/model"], &named[..]].concat();
        run_with_input(folder.path(), &play, b"n\n")
    };
    assert!(watched.success().stdout.contains("The game is over"));
}

/// Every algorithm learns a world with choices whose screen replaces the last.
#[test]
fn every_algorithm_takes_choices_and_screens() {
    let folder = folder();
    let world = ["--world", "maze", "--set", "world.max_turns=12", "--set", "iterations=2"];
    let small = ["--set", "rollout_size=8", "--set", "warm_start.games=20", "--set", "eval_size=4"];
    let quick = ["--set", "warm_start.steps=8", "--final-games", "0", "-q"];
    let data = ["data", "--world", "maze", "--games", "20", "--out", "games.jsonl"];
    run(folder.path(), &data).success();
    for algorithm in ["archer", "ppo", "reinforce", "filtered_bc", "chai", "iql", "bc"] {
        for kind in ["causal", "encoder"] {
            let out = format!("{algorithm}-{kind}");
            let critic = format!("critic_model.kind={kind}");
            let own = [
                "--algorithm",
                algorithm,
                "--out",
                &out,
                "--set",
                &critic,
                "--set",
                "reply_coef=0",
                "--set",
                "iql.games=games.jsonl",
                "--set",
                "epochs=2",
                "--set",
                "actor_epochs=1",
                "--set",
                "warmup_iter=1",
                "--set",
                "normalize_advantage=false",
            ];
            let args = [&["train"][..], &world, &small, &quick, &own].concat();
            run(folder.path(), &args).success();
            let gaps: Vec<f64> = common::metrics(&folder.path().join(&out))
                .iter()
                .filter_map(|line| line["actor.log_prob_gap"].as_f64())
                .collect();
            // What is sampled among the choices is scored among them.
            assert!(gaps.iter().all(|gap| *gap < 1e-3), "{out}: {gaps:?}");
        }
    }
}

/// Demonstrations teach a world without choices what can be said.
#[test]
fn demonstrations_teach_what_can_be_said() {
    let folder = folder();
    let free =
        [("\"choices\": CHOICES}", "\"choices\": None}"), ("None if last else CHOICES", "None")];
    let world = free.iter().fold(SOUND.to_string(), |text, (from, to)| text.replace(from, to));
    fs::write(folder.path().join("world.py"), world).unwrap();
    let args =
        ["train", "--world", "python3 world.py", "--out", "run", "--final-games", "50", "-q"];
    let bare = run(folder.path(), &args);
    assert_eq!(bare.code, 2, "{}", bare.stderr);
    assert!(bare.stderr.contains("--demonstrations"), "{}", bare.stderr);

    let game = |said: [&str; 2]| {
        let turns = said.map(|said| json!({"said": said, "reply": "So.", "reward": 0.0}));
        json!({"opening": "Call it.\n", "turns": turns, "end": "over"}).to_string()
    };
    let games = [game(["heads", "tails"]), game(["tails", "heads"]), game(["tails", "tails"])];
    fs::write(folder.path().join("games.jsonl"), games.join("\n")).unwrap();
    let shown = ["--demonstrations", "games.jsonl", "--set", "iterations=20"];
    let few = ["--set", "warm_start.steps=200"];
    run(folder.path(), &[&args[..], &shown, &few].concat()).success();
    let eval = ["eval", "--model", "run/model", "--games", "50", "--json"];
    let eval = [&eval[..], &["--world", "python3 world.py"]].concat();
    let learned = run(folder.path(), &eval).success().json_lines().remove(0);
    assert!(learned["mean_return"].as_f64().unwrap() > 0.9, "{learned}");

    // Games of another world: by its name, and without it by how each game of this world begins.
    let turns = json!([{"said": "heads", "reply": "So.", "reward": 0.0}]);
    let named = json!({"world": "chess", "opening": "x", "turns": [], "end": null});
    let unnamed = json!({"opening": "White moves.\n", "turns": turns, "end": "over"});
    for (other, what) in [(named, "chess"), (unnamed, "White moves")] {
        fs::write(folder.path().join("games.jsonl"), other.to_string()).unwrap();
        let args = ["train", "--world", "python3 world.py", "--out", "other"];
        let shown = ["--demonstrations", "games.jsonl"];
        let done = run(folder.path(), &[&args[..], &shown].concat());
        assert_eq!(done.code, 2, "{}", done.stderr);
        assert!(done.stderr.contains(what), "{}", done.stderr);
    }
}

/// A world whose choices are longer than what a player who knows it says.
const WORDY: &str = r#"
import json, sys
MOVES = ["go", "walk slowly along the endless corridor", "sit down and wait for a very long time"]

def answer(message):
    cmd, game = message["cmd"], message.get("game")
    if cmd == "about":
        return {"name": "corridor", "max_turns": 1, "tasks": TASKS, "protocol": 1}
    if cmd == "batch":
        return {"of": [answer(one) for one in message["of"]]}
    if cmd == "start":
        return {"game": game, "text": "A corridor.\n", "choices": MOVES}
    if cmd == "close":
        return {"game": game}
    won = message["said"] == "go"
    end = "won" if won else "over"
    return {"game": game, "reply": "Out." if won else "Here.", "reward": REWARD * won, "end": end}

for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
"#;

/// Writes that world, with so many tasks and such a reward, and gives its command.
fn wordy(place: &Path, name: &str, tasks: &str, reward: &str) -> String {
    let text = WORDY.replace("TASKS", tasks).replace("REWARD", reward);
    fs::write(place.join(name), text).unwrap();
    format!("{} {}", python(), place.join(name).display())
}

#[test]
fn demonstrations_need_not_say_what_the_world_lists() {
    let folder = folder();
    let world = wordy(folder.path(), "world.py", "1", "1");
    let game = json!({"opening": "A corridor.\n", "turns": [{"said": "go", "reply": "Out.", "reward": 1}], "end": "won"});
    fs::write(folder.path().join("games.jsonl"), format!("{game}\n").repeat(20)).unwrap();
    let shown = ["--demonstrations", "games.jsonl", "--set", "iterations=3"];
    let small = ["--set", "warm_start.steps=60", "--set", "warm_start.games=40"];
    let [_, learned] = learn(folder.path(), &world, &[shown, small].concat());
    assert!(learned > 0.9, "{learned}");

    // What nobody can say here first was said elsewhere, also where no name tells.
    let strange = json!({"turns": [{"said": "heads", "reply": "So.", "reward": 1}], "end": "won"});
    fs::write(folder.path().join("games.jsonl"), strange.to_string()).unwrap();
    let args = ["train", "--world", &world, "--out", "iql", "--algorithm", "iql"];
    let games = ["--set", "iql.games=games.jsonl"];
    let done = run(folder.path(), &[&args[..], &games].concat());
    assert_eq!(done.code, 2, "{}", done.stderr);
    assert!(
        done.stderr.contains("games.jsonl: game 1") && done.stderr.contains("heads"),
        "{}",
        done.stderr
    );
}

#[test]
fn a_world_that_has_moved_is_no_damaged_checkpoint() {
    let folder = folder();
    let path = folder.path();
    let world = wordy(path, "world.py", "1", "1");
    learn(path, &world, &["--set", "iterations=2"]);
    fs::rename(path.join("world.py"), path.join("moved.py")).unwrap();
    let resume = ["train", "--resume", "run", "--set", "iterations=3", "--final-games", "0"];
    let lost = run(path, &resume);
    assert_eq!(lost.code, 1, "{}", lost.stderr);
    assert!(
        lost.stderr.contains("is whole") && !lost.stderr.contains("start again"),
        "{}",
        lost.stderr
    );
    let moved = format!("world.command={} {}", python(), path.join("moved.py").display());
    run(path, &[&resume[..], &["--set", &moved]].concat()).success();
}

#[test]
fn a_student_learns_from_a_teacher_of_a_world_outside() {
    let folder = folder();
    let path = folder.path();
    let world = wordy(path, "world.py", "1", "1");
    learn(path, &world, &["--algorithm", "archer", "--set", "iterations=2", "--set", "epochs=2"]);
    let small = [
        "iterations=1",
        "rollout_size=8",
        "epochs=1",
        "actor_epochs=1",
        "eval_size=8",
        "batch_size=8",
        "grad_accum_steps=1",
    ];
    let small: Vec<&str> = small.iter().flat_map(|set| ["--set", set]).collect();
    let args = [
        "distill",
        "--teacher",
        "run",
        "--world",
        &world,
        "--out",
        "student",
        "--final-games",
        "0",
    ];
    run(path, &[&args[..], &small].concat()).success();
    assert!(path.join("student/model/model.safetensors").is_file());
    // An export starts no world: --check is refused, and only a run's folder can be exported.
    let out = ["export", "--model", "run", "--out", "file.archer", "--check", "4"];
    let check = run(path, &out);
    assert!(check.code == 2 && check.stderr.contains("leave --check out"), "{}", check.stderr);
    run(path, &out[..5]).success();
    let folder = run(path, &["export", "--model", "run/model", "--out", "other.archer"]);
    assert!(
        folder.code == 2 && folder.stderr.contains("the run's folder instead"),
        "{}",
        folder.stderr
    );
}

#[test]
fn numbers_that_no_world_has_are_refused_before_anything_is_reserved() {
    let folder = folder();
    let path = folder.path();
    for (tasks, reward, what) in
        [("10**12", "1", "at most 16777216 tasks"), ("1", "1e30", "the reward of turn 1 was 1e30")]
    {
        let world = wordy(path, "world.py", tasks, reward);
        let args = ["train", "--world", &world, "--out", "run", "--set", "iterations=2"];
        let done = run(path, &args);
        assert!(done.code == 1 && done.stderr.contains(what), "{what}: {}", done.stderr);
    }
    let world = wordy(path, "world.py", "None", "1");
    let args =
        ["eval", "--asker", "random", "--world", &world, "--set", "world.tasks=1000000000000"];
    let done = run(path, &args);
    assert!(done.code == 2 && done.stderr.contains("16777216"), "{}", done.stderr);
}
