//! The questions worth asking over a list of words, with every word's answer to each.
//!
//! Scripted askers choose from a pool, and the exact optimum searches one. It holds the canonical
//! question of each property of the knowledge table that splits the list, then one guess for each
//! word.

use crate::error::UnknownWord;
use crate::knowledge::{self, Claim, Map, ObjectId, Reading, Simple, Table, Value};
use crate::posterior::{Channel, Posterior};
use crate::twenty_questions::{Amendments, Answer};

/// A question and what each word of the list answers.
#[derive(Debug, Clone, PartialEq)]
pub struct PoolQuestion {
    /// The question as it is asked.
    pub text: String,
    /// The word that it guesses, by its place in the list; none for a property.
    pub guess: Option<usize>,
    /// The answer of each word of the list, in order.
    pub answers: Vec<Answer>,
    /// What holds of each word, in order, where the answer is rounded.
    pub values: Vec<Value>,
    /// How much people disagree about the property, from 0 to 1 ([`Table::dispute`]).
    pub dispute: f32,
}

impl PoolQuestion {
    /// A question with these answers, about which nobody disagrees.
    pub fn new(text: impl Into<String>, guess: Option<usize>, answers: Vec<Answer>) -> Self {
        let value = |answer: &Answer| match answer {
            Answer::Yes => Value::Yes,
            Answer::No => Value::No,
            Answer::Sometimes | Answer::Unknown | Answer::Invalid => Value::Sometimes(0.5),
        };
        let values = answers.iter().map(value).collect();
        PoolQuestion { text: text.into(), guess, answers, values, dispute: 0.0 }
    }

    /// Any question about these objects of a table: none where it cannot be read. A guess is one of
    /// whichever of them it names; a word that it names has the answer Yes.
    pub fn read(
        table: &Table,
        objects: &[ObjectId],
        amendments: &Amendments,
        sometimes: bool,
        text: &str,
    ) -> Option<Self> {
        let reading = table.read(text);
        let Reading::Asks { claim, .. } = reading else { return None };
        let named = table.guess_phrase(text).and_then(|phrase| table.object(&phrase));
        let guess = objects.iter().position(|object| Some(*object) == named);
        let values: Option<Vec<Value>> =
            objects.iter().map(|&object| amendments.answer_of(table, object, &reading)).collect();
        let mut values = values?;
        if let Some(word) = guess {
            values[word] = Value::Yes;
        }
        let answers = values.iter().map(|value| answer(Some(*value), sometimes)).collect();
        let dispute = match guess {
            Some(_) => 0.0,
            None => claim_dispute(table, claim),
        };
        Some(PoolQuestion { text: text.to_string(), guess, answers, values, dispute })
    }
}

/// How much people disagree about what a question claims: as about its properties, and not at all about
/// sizes, letters and names.
pub(crate) fn claim_dispute(table: &Table, claim: Claim) -> f32 {
    match claim {
        Claim::Has(literal) => table.dispute(literal.property),
        Claim::HasBoth(first, second) => {
            table.dispute(first.property).max(table.dispute(second.property))
        }
        Claim::Two(_, [first, second]) => {
            part_dispute(table, first.claim).max(part_dispute(table, second.claim))
        }
        Claim::Is(_) | Claim::Compares(_) | Claim::Spells(_) => 0.0,
    }
}

fn part_dispute(table: &Table, claim: Simple) -> f32 {
    match claim {
        Simple::Has(literal) => table.dispute(literal.property),
        Simple::Is(_) | Simple::Compares(_) | Simple::Spells(_) => 0.0,
    }
}

/// All questions over a list of words.
#[derive(Debug, Clone)]
pub struct QuestionPool {
    questions: Vec<PoolQuestion>,
    /// The number of properties; the guesses follow them.
    properties: usize,
    by_text: Map<Box<str>, usize>,
    channel: Channel,
}

impl QuestionPool {
    /// The pool over `objects` of the embedded table, for a world with or without "Sometimes." as an
    /// answer.
    ///
    /// # Panics
    /// Where there is no object.
    pub fn new(objects: &[ObjectId], sometimes: bool) -> Self {
        Self::amended(knowledge::table(), objects, sometimes, &Amendments::default())
    }

    /// The same over another table, in a world where some properties hold otherwise.
    ///
    /// # Panics
    /// Where there is no object.
    pub fn amended(
        table: &Table,
        objects: &[ObjectId],
        sometimes: bool,
        amendments: &Amendments,
    ) -> Self {
        assert!(!objects.is_empty(), "a pool of questions over no words");
        // The answers are those to the question as it is read, not the property's own values: a
        // question may say "ever", and a guess may be taken for a kind ("Is it a hat?").
        let read = |text: &str, guess: Option<usize>| -> PoolQuestion {
            let known = PoolQuestion::read(table, objects, amendments, sometimes, text);
            let mut question = known.unwrap_or_else(|| {
                PoolQuestion::new(text, None, vec![Answer::Invalid; objects.len()])
            });
            question.guess = guess;
            if let Some(word) = guess {
                question.answers[word] = Answer::Yes;
                question.values[word] = Value::Yes;
                question.dispute = 0.0;
            }
            question
        };
        let guess = |(word, &object): (usize, &ObjectId)| {
            read(&table.objects()[object.0].guess_question(), Some(word))
        };
        let properties = table.properties().iter().map(|p| read(&p.question, None));
        let guesses = objects.iter().enumerate().map(guess);
        Self::assemble(properties.collect(), guesses.collect())
    }

    /// The pool of those of these properties that split the words and are no guesses, and of the
    /// guesses of the words.
    pub(crate) fn assemble(properties: Vec<PoolQuestion>, guesses: Vec<PoolQuestion>) -> Self {
        let splits = |q: &PoolQuestion| q.answers.iter().any(|&answer| answer != q.answers[0]);
        let is_guess = |q: &PoolQuestion| guesses.iter().any(|guess| guess.text == q.text);
        let mut questions: Vec<PoolQuestion> =
            properties.into_iter().filter(|q| splits(q) && !is_guess(q)).collect();
        let properties = questions.len();
        questions.extend(guesses);
        let by_text =
            questions.iter().enumerate().map(|(i, q)| (q.text.as_str().into(), i)).collect();
        QuestionPool { questions, properties, by_text, channel: Channel::default() }
    }

    /// The pool over objects given by name or alias.
    ///
    /// # Errors
    /// A name that the knowledge table does not have.
    ///
    /// # Panics
    /// Where there is no name.
    pub fn over<S: AsRef<str>>(names: &[S], sometimes: bool) -> Result<Self, UnknownWord> {
        let table = knowledge::table();
        let objects: Result<Vec<ObjectId>, UnknownWord> = names
            .iter()
            .map(|name| {
                let known = table.objects().iter().map(|o| o.name.as_ref());
                let unknown = || UnknownWord::among(name.as_ref(), known);
                table.object(name.as_ref()).ok_or_else(unknown)
            })
            .collect();
        Ok(Self::new(&objects?, sometimes))
    }

    /// The pool with at most `max_properties` questions about properties, chosen so that they tell
    /// the words apart: each is the one that splits best what the ones before it leave together,
    /// the earlier in the table where two are as good. No two split the words alike.
    ///
    /// A small model learns the language of a small pool sooner. For ten words eight properties
    /// are enough for the best mean return; the first eight of the table are not.
    pub fn thinned(&self, max_properties: usize) -> Self {
        let mut seen = Vec::new();
        let mut open: Vec<&PoolQuestion> = self.properties().iter().collect();
        open.retain(|question| {
            let classes = classes(&vec![0; self.words()], question);
            let new = !seen.contains(&classes);
            seen.push(classes);
            new
        });
        let mut kept: Vec<PoolQuestion> = Vec::new();
        // The number of the class of each word: words of one class are not told apart so far.
        let mut told = vec![0; self.words()];
        while kept.len() < max_properties && !open.is_empty() {
            let together = |question: &PoolQuestion| -> usize {
                class_sizes(&classes(&told, question)).iter().map(|n| n * n).sum()
            };
            let best = (0..open.len()).min_by_key(|&i| together(open[i])).unwrap_or(0);
            let after = classes(&told, open[best]);
            if after == told {
                // Nothing more can be told; what follows tells the words apart once again.
                if told.iter().all(|&class| class == 0) {
                    break;
                }
                told = vec![0; self.words()];
                continue;
            }
            told = after;
            kept.push(open.remove(best).clone());
        }
        Self::assemble(kept, self.questions[self.properties..].to_vec()).heard_by(self.channel)
    }

    /// The same pool where the answers come so.
    pub fn heard_by(mut self, channel: Channel) -> Self {
        self.channel = channel;
        self
    }

    /// How the answers come of what holds.
    pub fn channel(&self) -> Channel {
        self.channel
    }

    /// The number of words in the list.
    pub fn words(&self) -> usize {
        self.questions.len() - self.properties
    }

    /// All questions: first the properties, then a guess for each word in the list's order.
    pub fn questions(&self) -> &[PoolQuestion] {
        &self.questions
    }

    /// The questions about properties.
    pub fn properties(&self) -> &[PoolQuestion] {
        &self.questions[..self.properties]
    }

    /// The index in [`questions`](Self::questions) of the guess at word number `word`.
    pub fn guess_of(&self, word: usize) -> usize {
        self.properties + word
    }

    /// The index of the question with this text.
    pub fn find(&self, text: &str) -> Option<usize> {
        self.by_text.get(text).copied()
    }

    /// Which words a player who heeds the answers of a history reckons with: the
    /// [consistent](Self::consistent) ones, and where people answer, who may be wrong, those that are
    /// not much less likely than the likeliest.
    pub fn plausible(&self, history: &[(String, String)]) -> Vec<bool> {
        // A word against which two answers speak is hardly ever meant, one against which one does is
        // where the others have fewer still.
        const MUCH: f64 = 10.0;
        match self.channel {
            Channel::Table(_) => self.consistent(history),
            Channel::People(_) => {
                let posterior = Posterior::after(self, self.channel, history);
                let chances = posterior.chances();
                let most = chances.iter().copied().fold(0.0, f64::max);
                chances.iter().map(|chance| *chance > 0.0 && *chance * MUCH >= most).collect()
            }
        }
    }

    /// What a history of (question, answer) pairs says about each word: whether it gives the same
    /// answer to every question of the pool that was answered. A guess with a turn after it was
    /// wrong, whatever was answered. Other questions, invalid ones and answers that are no words
    /// of the world say nothing.
    pub fn consistent(&self, history: &[(String, String)]) -> Vec<bool> {
        let mut possible = vec![true; self.words()];
        for (question, answer) in history {
            let (Some(index), Some(answer)) = (self.find(question), Answer::from_text(answer))
            else {
                continue;
            };
            if matches!(answer, Answer::Invalid | Answer::Unknown) {
                continue;
            }
            let question = &self.questions[index];
            for (possible, &expected) in possible.iter_mut().zip(&question.answers) {
                *possible &= expected == answer;
            }
            if let Some(word) = question.guess {
                possible[word] = false;
            }
        }
        possible
    }
}

/// The oracle's answer where this value was read, or nothing.
fn answer(value: Option<Value>, sometimes: bool) -> Answer {
    match value {
        None => Answer::Invalid,
        Some(Value::Sometimes(_)) if sometimes => Answer::Sometimes,
        Some(value) if value.is_mostly_yes() => Answer::Yes,
        Some(_) => Answer::No,
    }
}

/// The classes of words that agree in their class so far and in their answer, each class numbered
/// by its first word.
fn classes(so_far: &[usize], question: &PoolQuestion) -> Vec<usize> {
    let mut firsts = vec![[None; Answer::COUNT]; so_far.len()];
    let words = so_far.iter().zip(&question.answers).enumerate();
    words
        .map(|(word, (&class, &answer))| *firsts[class][answer as usize].get_or_insert(word))
        .collect()
}

/// The number of words of each class.
fn class_sizes(classes: &[usize]) -> Vec<usize> {
    let mut sizes = vec![0; classes.len()];
    for &class in classes {
        sizes[class] += 1;
    }
    sizes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::{Oracle, TableOracle};

    fn pair(question: &str, answer: &str) -> (String, String) {
        (question.to_string(), answer.to_string())
    }

    /// A pool of these properties; word w is guessed by "w?" and told from every other.
    fn pool(properties: &[(&str, &[Answer])], words: &[&str]) -> QuestionPool {
        let property =
            |(text, answers): &(&str, &[Answer])| PoolQuestion::new(*text, None, answers.to_vec());
        let guess = |(word, name): (usize, &&str)| {
            let answer = |w| [Answer::No, Answer::Yes][usize::from(w == word)];
            PoolQuestion::new(
                format!("{name}?"),
                Some(word),
                (0..words.len()).map(answer).collect(),
            )
        };
        QuestionPool::assemble(
            properties.iter().map(property).collect(),
            words.iter().enumerate().map(guess).collect(),
        )
    }

    fn pets() -> QuestionPool {
        use Answer::{No, Sometimes, Yes};
        pool(
            &[
                ("Does it bark?", &[Yes, No, No]),
                ("Is it alive?", &[Yes, Yes, Yes]),
                ("cat?", &[No, Yes, No]),
                ("Is it white?", &[Sometimes, Sometimes, No]),
            ],
            &["dog", "cat", "crow"],
        )
    }

    #[test]
    fn a_pool_holds_what_splits_and_a_guess_for_each_word() {
        let pool = pets();
        let texts: Vec<&str> = pool.questions().iter().map(|q| q.text.as_str()).collect();
        assert_eq!(texts, ["Does it bark?", "Is it white?", "dog?", "cat?", "crow?"]);
        assert_eq!((pool.words(), pool.properties().len()), (3, 2));
        assert_eq!(pool.questions()[pool.guess_of(1)].guess, Some(1));
        assert_eq!(pool.find("Is it white?"), Some(1));
        assert_eq!(pool.find("is it white"), None);
    }

    #[test]
    fn a_thin_pool_tells_the_words_apart_with_few_questions() {
        use Answer::{No, Yes};
        let pool = pool(
            &[
                ("a?", &[Yes, No, No, No]),
                ("b?", &[Yes, Yes, No, No]),
                ("not b?", &[No, No, Yes, Yes]),
                ("c?", &[Yes, No, Yes, No]),
                ("d?", &[No, No, No, Yes]),
            ],
            &["v", "w", "x", "y"],
        );
        let texts = |max| -> Vec<String> {
            let thin = pool.thinned(max);
            assert_eq!(thin.words(), 4);
            thin.properties().iter().map(|q| q.text.clone()).collect()
        };
        // Two halvings tell all apart; then the others do, as far as they can.
        assert_eq!(texts(9), ["b?", "c?", "a?", "d?"]);
        assert_eq!(texts(2), ["b?", "c?"]);
        assert_eq!(texts(0), [""; 0]);
    }

    #[test]
    fn the_pool_knows_what_the_oracle_says() {
        let names: Vec<&str> = crate::words::words().iter().map(|w| w.name()).collect();
        for sometimes in [false, true] {
            let pool = QuestionPool::over(&names, sometimes).unwrap();
            let mut oracle = TableOracle { sometimes };
            for (i, question) in pool.questions().iter().enumerate() {
                assert_eq!(pool.find(&question.text), Some(i), "{}", question.text);
                // A sample of the words, for all of them take seconds, and hats among it.
                let sample = (i % 10..names.len()).step_by(10).chain([9, 49]);
                for word in sample.filter(|&word| question.guess != Some(word)) {
                    let said = oracle.answer(names[word], &question.text);
                    let expected = question.answers[word].text();
                    assert_eq!(said, expected, "{}: {}", names[word], question.text);
                }
            }
        }
    }

    #[test]
    fn answers_rule_words_out() {
        let pool = pets();
        for (history, possible) in [
            (vec![], [true, true, true]),
            (vec![pair("Does it bark?", "No.")], [false, true, true]),
            (vec![pair("Is it white?", "Sometimes.")], [true, true, false]),
            (vec![pair("Is it white?", "Invalid Question.")], [true, true, true]),
            (vec![pair("cat?", "No.")], [true, false, true]),
            (vec![pair("cat?", "Yes.")], [false, false, false]),
            (vec![pair("Is it big?", "No."), pair("Is it white?", "hm")], [true, true, true]),
            (vec![pair("Is it white?", "Sometimes."), pair("dog?", "No.")], [false, true, false]),
            (
                vec![pair("Does it bark?", "Yes."), pair("Is it white?", "No.")],
                [false, false, false],
            ),
        ] {
            assert_eq!(pool.consistent(&history), possible, "{history:?}");
        }
    }

    #[test]
    fn what_holds_sometimes_is_rounded_where_there_is_no_such_answer() {
        assert_eq!(answer(Some(Value::Sometimes(0.5)), false), Answer::Yes);
        assert_eq!(answer(Some(Value::Sometimes(0.4)), false), Answer::No);
        assert_eq!(answer(Some(Value::Sometimes(0.4)), true), Answer::Sometimes);
        assert_eq!(answer(None, true), Answer::Invalid);
    }

    #[test]
    fn a_pool_over_names_explains_a_stranger() {
        let pool = QuestionPool::over(&["Cat", "dog", "tv"], false).unwrap();
        assert_eq!(pool.words(), 3);
        let error = QuestionPool::over(&["cat", "dgo"], false).unwrap_err();
        assert_eq!(error.word, "dgo");
    }
}
