//! How many questions that people ask are read, and how many of these are answered rightly.

use archer_games::oracle::{INVALID, Oracle, TableOracle};

struct Asked {
    word: String,
    question: String,
    right: String,
    /// Every third line is measured and not tuned on.
    held_out: bool,
}

fn asked() -> Vec<Asked> {
    let lines = include_str!("questions/natural.jsonl").lines().enumerate();
    lines
        .map(|(i, line)| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            let text = |key: &str| line[key].as_str().unwrap().to_string();
            let (word, question, right) = (text("word"), text("question"), text("right"));
            Asked { word, question, right, held_out: i % 3 == 2 }
        })
        .collect()
}

/// The share that is read, the share of these that is right, and what misses.
fn measured<'a>(asked: impl Iterator<Item = &'a Asked>) -> (f64, f64, Vec<String>) {
    let mut oracle = TableOracle::default();
    let (mut all, mut read, mut right, mut misses) = (0.0, 0.0, 0.0, Vec::new());
    for case in asked {
        let said = oracle.answer(&case.word, &case.question);
        all += 1.0;
        read += f64::from(said != INVALID);
        let is_right = said.to_lowercase().starts_with(&case.right);
        right += f64::from(is_right);
        let unread = said == INVALID && case.right.starts_with("one");
        if !is_right && !unread {
            misses.push(format!("{}: {} {said} ({})", case.word, case.question, case.right));
        }
    }
    (read / all, right / read, misses)
}

#[test]
fn most_questions_are_read_and_answered_rightly() {
    let asked = asked();
    let (read, right, misses) = measured(asked.iter());
    let (held_read, held_right, _) = measured(asked.iter().filter(|case| case.held_out));
    let shown = misses.join("\n");
    assert!(
        read >= 0.85 && right >= 0.98,
        "read {read:.3}, right {right:.3} (held out: {held_read:.3}, {held_right:.3})\n{shown}"
    );
}
