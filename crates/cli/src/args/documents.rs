//! The commands in the documents are commands: each is read as the program reads it, and each key that it
//! sets is a key.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser;
use clap::error::ErrorKind;

use super::Cli;
use crate::experiment;

/// What follows a command in a shell's line.
const AFTER: [&str; 7] = ["|", "||", "&&", "&", ">", "2>", ";"];

/// The documents of this checkout, without the log of what was tried, whose commands are of their day.
fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut found = vec![root.join("README.md"), root.join("pkg/README.md")];
    for folder in ["docs", "docs/environments", "examples/serve", "examples/embed"] {
        let Ok(files) = fs::read_dir(root.join(folder)) else { continue };
        found.extend(files.map(|file| file.unwrap().path()));
    }
    found.retain(|path| path.extension().is_some_and(|end| end == "md"));
    found.retain(|path| !path.ends_with("docs/LOG.md"));
    found
}

/// The lines of the blocks of code, those that go on joined.
fn lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut inside = false;
    let mut whole = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            inside = !inside;
        } else if inside {
            whole.push_str(line.trim_end().trim_end_matches('\\'));
            if !line.trim_end().ends_with('\\') {
                lines.push(std::mem::take(&mut whole));
            }
        }
    }
    lines
}

/// The words of a line as a shell reads them, up to a comment.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for letter in line.chars() {
        match quote {
            Some(end) if letter == end => quote = None,
            None if letter == '#' && word.is_none() => break,
            None if letter == '\'' || letter == '"' => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            None if letter.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

/// What is handed to archer in a line, if it calls it.
fn arguments(line: &str) -> Option<Vec<String>> {
    let words = words(line.trim_start().trim_start_matches("$ "));
    let by_cargo = words.iter().take(2).eq(["cargo", "run"]);
    let at = match by_cargo {
        true => words.iter().position(|word| word == "--")?,
        false => words.iter().position(|word| word == "archer" || word.ends_with("/archer"))?,
    };
    let all = words[at + 1..].iter().take_while(|word| !AFTER.contains(&word.as_str()));
    // What is left out stands for something that a reader knows.
    let all: Vec<String> = all.filter(|word| !word.contains('…')).cloned().collect();
    let is_form = all.iter().any(|word| word.starts_with(['[', '<']));
    (!all.is_empty() && !is_form).then_some(all)
}

#[test]
fn every_command_in_the_documents_can_be_typed() {
    let mut read = 0;
    let mut faults = Vec::new();
    for path in documents() {
        let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
        for (line, arguments) in
            lines(&text).iter().filter_map(|line| Some((line, arguments(line)?)))
        {
            read += 1;
            let parsed = Cli::try_parse_from(
                ["archer"].into_iter().chain(arguments.iter().map(String::as_str)),
            );
            let shown = [ErrorKind::DisplayHelp, ErrorKind::DisplayVersion];
            if let Some(error) = parsed.err().filter(|error| !shown.contains(&error.kind())) {
                faults.push(format!("{}: {line}\n{error}", path.display()));
            }
            for set in arguments.windows(2).filter(|pair| pair[0] == "--set").map(|pair| &pair[1]) {
                let assignment = set.split_once(':').filter(|(of, _)| !of.contains('='));
                let assignment = assignment.map_or(set.as_str(), |(_, assignment)| assignment);
                // The keys of a world are the world's.
                if assignment.starts_with("world.") {
                    continue;
                }
                if let Err(error) = experiment::check_assignment(assignment) {
                    faults.push(format!("{}: {line}\n{error}", path.display()));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(read > 55, "only {read} commands were found");
}
