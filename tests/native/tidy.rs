//! What must stay true of the tree, kept by a machine: the nevers of `ARCHITECTURE.md` that no
//! compiler keeps, and that the documents speak of what exists.

use crate::common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use common::root;

/// Folders that are not ours to keep tidy.
const FOREIGN: [&str; 5] = ["target", ".git", "runs", "node_modules", "dist"];

/// The longest file that is still read and not looked up.
const LONGEST: usize = 600;

/// Every file below a folder of the repository whose name ends in one of `endings`.
fn files(folder: &str, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![root().join(folder)];
    while let Some(folder) = open.pop() {
        let entries = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
        for entry in entries {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                if !FOREIGN.contains(&name.as_str()) {
                    open.push(path);
                }
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                found.push(path);
            }
        }
    }
    assert!(!found.is_empty(), "{folder} holds nothing that ends in {endings:?}");
    found.sort();
    found
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// A source without its tests.
fn without_tests(path: &Path) -> String {
    read(path).split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_string()
}

/// A source without its comments and without its tests, which may do what the code may not.
fn code(path: &Path) -> String {
    if path.ends_with("tests.rs") {
        return String::new();
    }
    let text = without_tests(path);
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// Fails if a source below `folder` speaks of one of `words`.
fn never(folder: &str, words: &[&str], why: &str) {
    for path in files(folder, &[".rs"]) {
        let code = code(&path);
        for word in words {
            assert!(!code.contains(word), "{} has {word}: {why}", path.display());
        }
    }
}

/// The names of a crate's dependencies on every target, without those for tests.
fn dependencies(manifest: &str) -> Vec<String> {
    let manifest: toml::Table = read(&root().join(manifest)).parse().unwrap();
    let table = manifest.get("dependencies").and_then(toml::Value::as_table);
    table.into_iter().flat_map(toml::Table::keys).cloned().collect()
}

#[test]
fn the_worlds_have_never_heard_of_a_tensor_a_file_or_a_clock() {
    for name in dependencies("crates/games/Cargo.toml") {
        assert!(!name.starts_with("burn"), "archer-games depends on {name}");
        assert!(
            !["archer", "archer-cli"].contains(&name.as_str()),
            "archer-games depends on {name}"
        );
    }
    let outside = ["std::fs", "std::time", "std::net", "std::env", "println!", "burn::"];
    never("crates/games/src", &outside, "a world takes text and a seed, and nothing else");
}

#[test]
fn the_kernels_have_never_heard_of_a_tensor_a_world_or_a_clock() {
    assert!(
        dependencies("crates/kernels/Cargo.toml").is_empty(),
        "archer-kernels takes floats, and nothing else than where they are computed"
    );
    let outside = ["std::fs", "std::time", "std::net", "std::env", "println!", "burn", "rand"];
    never("crates/kernels/src", &outside, "a loop takes slices, and nothing else");
}

#[test]
fn the_core_never_knows_the_outside() {
    let outside =
        ["std::fs", "std::time", "std::net", "std::env", "std::process", "println!", "print!("];
    never("crates/core/src", &outside, "the shells own the disk, the clock and the screen");
    for name in dependencies("crates/core/Cargo.toml") {
        let above = ["archer-cli", "archer-parity", "archer-games", "archer-guests"];
        assert!(!above.contains(&name.as_str()), "archer depends on {name}");
    }
}

#[test]
fn what_comes_from_outside_is_read_in_one_place() {
    // Text of a person or a peer may have a mark, another encoding or no end: only archer-input and the
    // file that bounds sizes handle that.
    let readers = ["serde_json::from_str", "serde_json::from_slice", "serde_json::from_reader"];
    let texts = ["read_to_string", "toml::from_str", "stdin().lines", "from_utf8("];
    // What the machine says of itself.
    let excused =
        ["cli/src/input.rs", "cli/src/doctor.rs", "cli/src/bench/memory.rs", "cli/src/device.rs"];
    let sources = ["crates/cli/src", "crates/guests/src", "crates/http/src"];
    for path in sources.iter().flat_map(|folder| files(folder, &[".rs"])) {
        if path.ends_with("tests.rs") || excused.iter().any(|file| path.ends_with(file)) {
            continue;
        }
        let text = without_tests(&path);
        for word in readers.iter().chain(&texts) {
            assert!(
                !text.contains(word),
                "{} has {word}: read it by input.rs or archer_input",
                path.display()
            );
        }
    }
}

#[test]
fn the_core_knows_no_game() {
    let words = [
        "twenty questions",
        "twenty_questions",
        "guess my city",
        "guess_my_city",
        "secret",
        "question",
    ];
    // Keys of files from before worlds had names of their own for things.
    let excused = ["config/older.rs", "train/evaluate.rs"];
    for path in files("crates/core/src", &[".rs"]) {
        if path.ends_with("tests.rs") || excused.iter().any(|file| path.ends_with(file)) {
            continue;
        }
        let text = without_tests(&path).to_lowercase();
        for word in words {
            assert!(!text.contains(word), "{} names a game: {word}", path.display());
        }
    }
}

/// For each module at the top of the core, those that its code uses.
fn uses_of_modules() -> BTreeMap<String, BTreeSet<String>> {
    let source = root().join("crates/core/src");
    let mut graph: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for path in files("crates/core/src", &[".rs"]) {
        let inside = path.strip_prefix(&source).unwrap();
        let first = inside.components().next().unwrap().as_os_str().to_string_lossy();
        let module = first.trim_end_matches(".rs").to_string();
        if module == "lib" {
            continue;
        }
        let uses = graph.entry(module.clone()).or_default();
        // A configuration gathers the settings that stand beside what they set: it hands them on
        // and uses nothing of what they set.
        let code = code(&path);
        let lines = code.lines().filter(|line| !line.starts_with("pub use crate::algorithms::"));
        for line in lines {
            for used in line.split("crate::").skip(1) {
                let end = used.find(|c: char| !c.is_alphanumeric() && c != '_');
                let used = &used[..end.unwrap_or(used.len())];
                let is_module = ["", ".rs"].iter().any(|ending| {
                    !used.is_empty() && source.join(format!("{used}{ending}")).exists()
                });
                if is_module && used != module {
                    uses.insert(used.to_string());
                }
            }
        }
    }
    graph
}

#[test]
fn tensors_words_and_rewards_do_not_see_each_other() {
    let graph = uses_of_modules();
    let apart = ["rl", "text", "nn"];
    for module in apart {
        for other in apart {
            assert!(!graph[module].contains(other), "{module} uses {other}");
        }
    }
    for module in ["rl", "text", "nn", "algorithms"] {
        for above in ["train", "agent", "judge", "checkpoint", "hf"] {
            assert!(!graph[module].contains(above), "{module} uses {above}");
        }
    }
}

#[test]
fn no_modules_of_the_core_use_each_other_in_a_circle() {
    let graph = uses_of_modules();
    let mut done = BTreeSet::new();
    for module in graph.keys() {
        let mut path = Vec::new();
        if let Some(circle) = circle_from(module, &graph, &mut path, &mut done) {
            panic!("a circle: {}", circle.join(" -> "));
        }
    }
}

/// A circle that can be reached from a module; `path` leads to it.
fn circle_from(
    module: &str,
    graph: &BTreeMap<String, BTreeSet<String>>,
    path: &mut Vec<String>,
    done: &mut BTreeSet<String>,
) -> Option<Vec<String>> {
    if let Some(begin) = path.iter().position(|before| before == module) {
        let mut circle = path[begin..].to_vec();
        circle.push(module.to_string());
        return Some(circle);
    }
    if done.contains(module) {
        return None;
    }
    path.push(module.to_string());
    let uses = graph.get(module).into_iter().flatten();
    let found = uses.into_iter().find_map(|used| circle_from(used, graph, path, done));
    path.pop();
    done.insert(module.to_string());
    found
}

#[test]
fn nothing_in_the_core_waits_for_the_device() {
    let blocking = [".into_data()", ".to_data()", ".into_scalar()"];
    never("crates/core/src", &blocking, "a blocking read panics in a browser; use the async form");
    for folder in ["crates/session/src", "crates/wasm/src", "crates/component/src"] {
        never(folder, &blocking, "a blocking read panics in a browser; use the async form");
    }
    for path in files("crates/core/src", &[".rs"]) {
        // Its threads wait for themselves; a browser has none and gets another function.
        let excused = path.ends_with("parallel.rs");
        assert!(excused || !code(&path).contains("block_on"), "{} waits", path.display());
    }
}

#[test]
fn words_and_tensors_stay_apart() {
    never("crates/core/src/text", &["burn"], "text knows no tensor");
    let losses = root().join("crates/core/src/rl/losses.rs");
    for word in ["crate::nn", "crate::text", "crate::algorithms", "Module", "Adam"] {
        assert!(!code(&losses).contains(word), "losses are functions of tensors, without {word}");
    }
}

#[test]
fn an_algorithm_never_imports_another_nor_a_world() {
    // An algorithm is a file, or a folder whose files may use each other.
    let folder = root().join("crates/core/src/algorithms");
    let mut algorithms: Vec<(String, Vec<PathBuf>)> = Vec::new();
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let inside = format!("crates/core/src/algorithms/{name}");
        let sources = if path.is_dir() { files(&inside, &[".rs"]) } else { vec![path] };
        if !["mod", "common"].contains(&name.as_str()) {
            algorithms.push((name, sources));
        }
    }
    for (name, sources) in &algorithms {
        for path in sources {
            let code = code(path);
            assert!(!code.contains("archer_games"), "{name} imports a world");
            for (other, _) in algorithms.iter().filter(|(other, _)| other != name) {
                for import in [format!("super::{other}"), format!("algorithms::{other}")] {
                    assert!(!code.contains(&import), "{name} imports {other}");
                }
            }
        }
    }
}

#[test]
fn learning_is_written_once() {
    let learning = [".backward()", "GradientsParams", "Optimizer"];
    never("crates/cli/src", &learning, "the terminal asks the trainer and does no mathematics");
    for folder in ["crates/session/src", "crates/wasm/src", "crates/component/src"] {
        never(folder, &learning, "the page asks the trainer and does no mathematics");
    }
    never("crates/parity/src", &learning, "what is compared is what the core computes");
}

#[test]
fn one_file_draws_and_one_looks_at_the_clock() {
    for path in files("crates/cli/src", &[".rs"]) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let code = code(&path);
        assert!(name == "progress.rs" || !code.contains("indicatif"), "{name} draws");
        for word in ["Instant", "SystemTime"] {
            assert!(name == "clock.rs" || !code.contains(word), "{name} looks at the clock");
        }
    }
}

#[test]
fn the_bans_are_where_clippy_looks_for_them() {
    for path in
        ["crates/core/clippy.toml", "crates/games/clippy.toml", "crates/kernels/clippy.toml"]
    {
        let bans: toml::Table = read(&root().join(path)).parse().unwrap();
        for ban in bans["disallowed-methods"].as_array().unwrap() {
            assert!(ban["reason"].is_str(), "{path}: each ban says why");
        }
    }
}

#[test]
fn files_can_be_held_in_the_head() {
    for path in files(".", &[".rs", ".md", ".toml", "Makefile"]) {
        let lines = read(&path).lines().count();
        assert!(lines <= LONGEST, "{} has {lines} lines: it is two things", path.display());
    }
}

#[test]
fn nothing_is_left_for_later() {
    let this = Path::new(file!()).file_name().unwrap();
    for path in files("crates", &[".rs"]).into_iter().chain(files("tests", &[".rs"])) {
        if path.file_name() == Some(this) {
            continue;
        }
        let text = read(&path);
        for word in ["TODO", "FIXME", "XXX", "todo!(", "unimplemented!(", "dbg!("] {
            assert!(!text.contains(word), "{} has {word}", path.display());
        }
    }
}

/// The words between backticks, outside blocks of code.
fn quoted(text: &str) -> Vec<&str> {
    let prose = text.split("```").step_by(2);
    prose.flat_map(|part| part.split('`').skip(1).step_by(2)).collect()
}

#[test]
fn the_documents_name_paths_that_exist() {
    for document in ["ARCHITECTURE.md", "README.md"] {
        let text = read(&root().join(document));
        let paths: Vec<&str> = quoted(&text)
            .into_iter()
            .filter(|word| word.contains('/') && !word.contains([' ', '<', '*', '{', ':', '[']))
            .filter(|word| !word.starts_with("runs/"))
            .collect();
        for path in &paths {
            assert!(root().join(path).exists(), "{document} names {path}, which does not exist");
        }
        assert!(document != "ARCHITECTURE.md" || paths.len() > 20, "the map is a map");
    }
}

#[test]
fn every_module_is_on_the_map() {
    let map = read(&root().join("ARCHITECTURE.md"));
    let crates = [
        "input",
        "http",
        "world",
        "games",
        "guests",
        "kernels",
        "core",
        "parity",
        "cli",
        "session",
        "wasm",
        "component",
        "fuzz",
    ];
    for source in crates.map(|name| format!("crates/{name}/src")) {
        for entry in fs::read_dir(root().join(&source)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let here = format!("`{source}/");
            assert!(map.contains(&here), "ARCHITECTURE.md does not speak of {source}");
            assert!(
                ["lib", "main", "mod", "tests"].contains(&name.as_str()) || map.contains(&name),
                "ARCHITECTURE.md does not speak of {name} in {source}"
            );
        }
    }
}

#[test]
fn ci_runs_what_the_readme_promises() {
    let readme = read(&root().join("README.md"));
    let ci = read(&root().join(".ci/run"));
    let test = "cargo test --release --workspace";
    assert!(readme.contains("cargo run --release\n") && readme.contains(test));
    assert!(
        ci.lines().any(|line| line.trim() == test),
        "CI does not run the README's test command"
    );
}

#[test]
fn the_licences_are_whole() {
    let mit = read(&root().join("LICENSE-MIT"));
    assert!(mit.contains("The archer developers") && mit.contains("WITHOUT WARRANTY OF ANY KIND"));
    let apache = read(&root().join("LICENSE-APACHE"));
    assert!(
        apache.contains("Version 2.0, January 2004")
            && apache.contains("END OF TERMS AND CONDITIONS")
    );
}
