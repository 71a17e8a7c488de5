//! Hand-written odd questions with the answers that a sensible person would give.

use archer_games::oracle::{Oracle, TableOracle};

#[test]
fn odd_questions_get_sensible_answers() {
    let cases = include_str!("data/odd_questions.txt");
    let mut oracle = TableOracle::with_sometimes();
    let mut count = 0;
    let mut wrong = Vec::new();
    for (number, line) in cases.lines().enumerate() {
        if line.starts_with('#') || line.trim().is_empty() {
            continue;
        }
        let [object, question, expected]: [&str; 3] = line
            .split('|')
            .collect::<Vec<_>>()
            .try_into()
            .unwrap_or_else(|_| panic!("line {}: three fields", number + 1));
        let answer = oracle.answer(object.trim(), question);
        let expected = match expected.trim() {
            "Invalid" => "Invalid Question.".to_string(),
            other => format!("{other}."),
        };
        count += 1;
        if answer != expected {
            wrong.push(format!("line {}: {line}: said {answer}", number + 1));
        }
    }
    assert!(count >= 200, "only {count} questions");
    assert!(wrong.is_empty(), "{} of {count} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
