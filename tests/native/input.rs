//! What comes from outside as text: byte-order marks, line ends, encodings, and files that are
//! something else than what they are given for.

use crate::common;

use std::fs;
use std::path::Path;

use common::{TINY, folder, model_copy, root, run, run_with_input};
use serde_json::{Value, json};

/// The bytes of a text in each encoding that editors write, with the one sentence that names it.
fn encoded(text: &str) -> [(Vec<u8>, &'static str); 5] {
    let marked = format!("\u{feff}{text}");
    let little = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let latin = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect();
    [
        (little(&marked), "is in UTF-16: save it as UTF-8"),
        (little(text), "is in UTF-16: save it as UTF-8"),
        (marked.encode_utf16().flat_map(u16::to_be_bytes).collect(), "is in UTF-16"),
        (marked.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect(), "is in UTF-32"),
        (latin, "has the byte 0xE4 in line 2, column 4, which is not UTF-8: save it as UTF-8"),
    ]
}

/// The beginnings of files that are taken for others, with a part of what is said of them.
fn others() -> Vec<(Vec<u8>, &'static str)> {
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5481\n";
    [
        (pointer.as_bytes().to_vec(), "is a git-LFS pointer and no text: fetch the file itself"),
        (b"\x1f\x8b\x08\0\0\0\0\0".to_vec(), "is a gzip file and no text: unpack it with gunzip"),
        (b"PK\x03\x04\x14\0\0\0".to_vec(), "is a zip archive"),
        (b"\x80\x04\x95\0\0\0\0\0".to_vec(), "is a Python pickle"),
        (b"<!DOCTYPE html>\n<html>".to_vec(), "is an HTML page and no text: download the file"),
        (b"GGUF\x03\0\0\0".to_vec(), "is a GGUF file"),
        (b"\x02\0\0\0\0\0\0\0{}".to_vec(), "is a safetensors file"),
        (
            fs::read(root().join("pkg/models/quickstart.archer")).unwrap(),
            "is an .archer file (a model or a checkpoint) and no text",
        ),
        (b"PAR1\x15\x04\x15".to_vec(), "is a Parquet file and no text: write it out as JSON Lines"),
    ]
    .into()
}

/// Fails unless a command refuses the file `name` with these bytes by one sentence.
fn refused(folder: &Path, name: &str, bytes: &[u8], args: &[&str], part: &str) {
    fs::write(folder.join(name), bytes).unwrap();
    let done = run(folder, args);
    let said = done.stderr.trim_end();
    assert_eq!(done.code, 1, "{part}: {said}");
    let name = Path::new(name).file_name().unwrap().to_str().unwrap();
    assert!(said.contains(name) && said.contains(part) && !said.contains('\n'), "{part}: {said}");
}

#[test]
fn a_configuration_may_begin_with_a_mark_and_end_its_lines_in_any_way() {
    let folder = folder();
    let text = format!("iterations = 0\n{}", TINY.replace("iterations = 4\n", ""));
    let model = |text: &str, name: &str| {
        fs::write(folder.path().join("c.toml"), text).unwrap();
        let args = ["train", "--config", "c.toml", "--final-games", "0", "--out", name];
        run(folder.path(), &args).success();
        fs::read(folder.path().join(name).join("model/model.safetensors")).unwrap()
    };
    let plain = model(&text, "plain");
    assert_eq!(model(&format!("\u{feff}{}", text.replace('\n', "\r\n")), "windows"), plain);
    assert_eq!(model(&text.replace('\n', "\r"), "old"), plain);
}

#[test]
fn a_configuration_that_is_no_utf8_is_named() {
    let folder = folder();
    let args = ["train", "--config", "c.toml", "--out", "x"];
    let text = "seed = 1\n# Räder\n";
    for (bytes, part) in encoded(&text.replace("# R", "#R")).into_iter().chain(others()) {
        let part = part.replace("column 4", "column 3");
        refused(folder.path(), "c.toml", &bytes, &args, &part);
    }
    fs::write(folder.path().join("c.toml"), "seed = 1\u{0}\n").unwrap();
    let done = run(folder.path(), &args);
    assert!(done.stderr.contains("a zero byte in line 1, column 9: it is no text"));
    // The line of an error is that of the file, with a mark as without.
    for text in ["seed = 1\r\nseed 2\r\n", "\u{feff}seed = 1\nseed 2\n", "seed = 1\rseed 2\r"] {
        fs::write(folder.path().join("c.toml"), text).unwrap();
        let done = run(folder.path(), &args);
        assert_eq!(done.code, 2);
        assert!(done.stderr.contains("c.toml, line 2 is not valid TOML"), "{}", done.stderr);
    }
    assert!(!folder.path().join("x").exists());
}

#[cfg(unix)]
#[test]
fn a_text_without_an_end_is_not_read_on() {
    let folder = folder();
    for args in [
        ["train", "--config", "/dev/zero", "--out", "x"],
        ["train", "--config", "/dev/urandom", "--out", "x"],
    ] {
        let done = run(folder.path(), &args);
        assert_eq!(done.code, 1, "{}", done.stderr);
        assert!(done.stderr.contains("more than 4 MiB"), "{}", done.stderr);
    }
}

const GAMES: &str = "{\"lines\":[\"Is it a pen? No.\",\"Is it a dog? Yes.\"],\"correct\":true}\n\
                     {\"lines\":[\"Is it a cat? No.\"],\"correct\":false}\n";

#[test]
fn games_are_read_through_marks_and_any_line_ends() {
    let folder = folder();
    fs::write(folder.path().join("c.toml"), TINY).unwrap();
    let model = |games: &str, name: &str| {
        fs::write(folder.path().join("g.jsonl"), games).unwrap();
        let args = ["train", "--config", "c.toml", "--demonstrations", "g.jsonl"];
        let short = ["--set", "iterations=0", "--final-games", "0", "--out", name];
        run(folder.path(), &[&args[..], &short].concat()).success();
        fs::read(folder.path().join(name).join("model/model.safetensors")).unwrap()
    };
    let plain = model(GAMES, "plain");
    let marked: String = GAMES.lines().map(|line| format!("\u{feff}{line}\r\n\r\n")).collect();
    assert_eq!(model(&marked, "marked"), plain);
    assert_eq!(model(&GAMES.replace('\n', "\r"), "old"), plain);
    let list = GAMES.trim_end().replace('\n', ",");
    assert_eq!(model(&format!("\u{feff}[{list}]"), "list"), plain);
}

#[test]
fn games_that_cannot_be_read_are_named_by_their_line() {
    let folder = folder();
    let args = ["train", "--demonstrations", "g.jsonl", "--out", "x"];
    let other = "{}\n{\"ä\": 1}\n";
    for (bytes, part) in encoded(&other.replace("{\"ä", "{ \"ä")).into_iter().chain(others()) {
        refused(folder.path(), "g.jsonl", &bytes, &args, part);
    }
    let (first, _) = GAMES.split_once('\n').unwrap();
    for (line, part) in [
        ("{\"lines\": x}", "line 3 is no game: it is not JSON (expected value at column 11)"),
        ("{\"lines\": [", "line 3 is no game: it is JSON that is cut off"),
        (
            "{\"lines\":[\"7 1\"],\"correct\":false,\"rewards\":[NaN]}",
            "line 3 is no game: it has NaN",
        ),
        ("{'lines': []}", "line 3 is no game: it is not JSON (key must be a string at column 2)"),
    ] {
        fs::write(folder.path().join("g.jsonl"), format!("{first}\n\n{line}\n")).unwrap();
        let done = run(folder.path(), &args);
        assert_eq!(done.code, 2, "{}", done.stderr);
        assert!(done.stderr.contains(part), "{part}: {}", done.stderr);
    }
}

/// A model folder of the shipped quickstart.
fn model_folder(folder: &Path) {
    let shipped = root().join("pkg/models/quickstart.archer");
    let shipped = shipped.to_str().unwrap();
    run(folder, &["export", "--model", shipped, "--folder", "--out", "m"]).success();
}

#[test]
fn the_texts_of_a_model_folder_are_read_alike() {
    let folder = folder();
    model_folder(folder.path());
    let args = ["eval", "--model", "m", "--games", "3", "--json"];
    let plain = run(folder.path(), &args).success().stdout;
    for name in ["config.json", "tokenizer.json", "archer.json", "critic/config.json"] {
        let path = folder.path().join("m").join(name);
        let bytes = fs::read(&path).unwrap();
        let text = String::from_utf8(bytes.clone()).unwrap();
        if name != "tokenizer.json" {
            fs::write(&path, format!("\u{feff}{}", text.replace('\n', "\r\n"))).unwrap();
            assert_eq!(run(folder.path(), &args).success().stdout, plain, "{name}");
        }
        let marked = format!("\u{feff}{text}");
        let wide: Vec<u8> = marked.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for (wrong, part) in others().into_iter().chain([(wide, "is in UTF-16: save it as UTF-8")])
        {
            refused(folder.path(), &format!("m/{name}"), &wrong, &args, part);
        }
        fs::write(&path, bytes).unwrap();
    }
    assert_eq!(run(folder.path(), &args).success().stdout, plain);
}

#[test]
fn every_line_of_the_env_command_gets_one_line_whatever_its_encoding() {
    let reset = "{\"cmd\":\"reset\",\"word\":\"cat\"}";
    let mut input = format!("\u{feff}{reset}\r\n").into_bytes();
    input.extend("\u{feff}{\"cmd\":\"about\"}\n".as_bytes());
    input.extend(b"{\"cmd\":\"reset\",\"word\":\"caf\xe9\"}\n");
    input.extend(b"{\0\"\0c\0m\0d\0\"\0\n");
    input.extend(vec![b'x'; (16 << 20) + 2]);
    input.extend(b"\n{\"cmd\":\"step\",\"action\":\"Is it a cat?\"}");
    let done = run_with_input(folder().path(), &["env"], &input).success();
    let replies: Vec<Value> = done.json_lines();
    assert_eq!(replies.len(), 6, "{}", done.stdout);
    assert_eq!(replies[0], json!({"observation": "Questions:\n"}));
    assert_eq!(replies[1]["name"], "twenty_questions", "{}", replies[1]);
    let error = |n: usize| replies[n]["error"].as_str().unwrap_or_default().to_string();
    let latin = "the line has the byte 0xE9 in column 27, which is not UTF-8";
    assert!(error(2).starts_with(latin), "{}", error(2));
    assert!(error(3).contains("is in UTF-16"), "{}", error(3));
    assert!(error(4).contains("more than 16777216 bytes"), "{}", error(4));
    assert_eq!(replies[5]["terminated"], true);
}

#[test]
fn a_world_in_a_process_may_begin_its_lines_with_a_mark() {
    let Ok(_) = std::process::Command::new("python3").arg("--version").output() else { return };
    let folder = folder();
    let script = r#"
import json, sys
out = sys.stdout.buffer
for line in sys.stdin:
    cmd = json.loads(line)["cmd"]
    if cmd == "about":
        answer = {"error": "unknown"}
    elif cmd == "reset":
        answer = {"observation": "Say it.\n"}
    else:
        answer = {"observation": "It is said.\n", "reward": 1.0, "terminated": True, "truncated": False}
    out.write(b"\xef\xbb\xbf" + json.dumps(answer).encode() + b"\r\n")
    out.flush()
"#;
    fs::write(folder.path().join("world.py"), script).unwrap();
    let args = ["play", "--world", "python3 world.py", "--me"];
    let done = run_with_input(folder.path(), &args, b"it\nn\n").success();
    assert!(done.stdout.contains("The game is won: 1.00 in all."), "{}", done.stdout);
}

#[test]
fn how_an_agent_speaks_has_ranges_too() {
    let place = folder();
    let place = place.path();
    let model = model_copy(place, "model");
    let whole = fs::read(model.join("archer.json")).unwrap();
    for (key, value) in [
        ("max_new_tokens", "0 376 1000000000000"),
        ("temperature", "-1.0 0.0"),
        ("top_p", "0.0 5.0"),
        ("top_k", "1000000000"),
        ("samples", "0"),
        ("utterance_tries", "0 1000000000"),
        ("memory", "1000000000000000"),
    ]
    .into_iter()
    .flat_map(|(key, values)| values.split(' ').map(move |value| (key, value)))
    {
        let mut about: Value = serde_json::from_slice(&whole).unwrap();
        about[key] = serde_json::from_str(value).unwrap();
        fs::write(model.join("archer.json"), about.to_string()).unwrap();
        let done = run(place, &["eval", "--model", "model", "--games", "4", "-q"]);
        let named = done.stderr.contains("archer.json") && done.stderr.contains(key);
        assert!(done.code == 1 && named, "{key} {value}: {}", done.stderr);
    }
}
