//! A decision tree, made once and then followed: greedy over any list of words, or optimal over a
//! short one.

use super::Asker;
use super::information_gain::best_question;
use crate::optimum::Solver;
use crate::posterior::Noise;
use crate::question_pool::QuestionPool;
use crate::twenty_questions::Answer;

/// Follows a fixed tree of questions. Where an answer leads out of the tree, it guesses the words
/// it has not guessed yet, in the order of the list.
pub struct TreeAsker {
    pool: QuestionPool,
    nodes: Vec<Node>,
}

/// A question and where each answer leads.
struct Node {
    question: usize,
    next: Vec<(Answer, usize)>,
}

/// A set of possible words that still needs a node.
struct Open {
    possible: Vec<usize>,
    depth: usize,
    /// The node above, and the answer that leads here.
    parent: Option<(usize, Answer)>,
}

impl TreeAsker {
    /// The tree that asks the most informative question at every node.
    pub fn greedy(pool: QuestionPool) -> Self {
        Self::grow(pool, |pool, possible, _| {
            let share = 1.0 / possible.len() as f64;
            let mut posterior = vec![0.0; pool.words()];
            for &word in possible {
                posterior[word] = share;
            }
            best_question(pool, &posterior, Noise::default())
        })
    }

    /// A tree with the best mean return that the pool allows in games of `max_turns` questions.
    ///
    /// # Panics
    /// Where the pool has more than [`MAX_SOLVER_WORDS`](crate::optimum::MAX_SOLVER_WORDS) words.
    pub fn optimal(pool: QuestionPool, max_turns: usize) -> Self {
        let mut solver = Solver::new(&pool, max_turns);
        Self::grow(pool, move |_, possible, depth| {
            let set = possible.iter().map(|&word| 1 << word).sum();
            solver.solve(set, max_turns.saturating_sub(depth).max(1)).question
        })
    }

    /// Grows the tree from `choose`, which names the question for the possible words at a depth.
    fn grow(
        pool: QuestionPool,
        mut choose: impl FnMut(&QuestionPool, &[usize], usize) -> usize,
    ) -> Self {
        let mut nodes: Vec<Node> = Vec::new();
        let mut open = vec![Open { possible: (0..pool.words()).collect(), depth: 0, parent: None }];
        while let Some(Open { possible, depth, parent }) = open.pop() {
            let question = choose(&pool, &possible, depth);
            let node = nodes.len();
            nodes.push(Node { question, next: Vec::new() });
            if let Some((parent, answer)) = parent {
                nodes[parent].next.push((answer, node));
            }
            let asked = &pool.questions()[question];
            for answer in [Answer::Yes, Answer::No, Answer::Sometimes] {
                // The word that was guessed is not among the rest: a right guess ends the game.
                let rest: Vec<usize> = possible
                    .iter()
                    .copied()
                    .filter(|&w| asked.answers[w] == answer && asked.guess != Some(w))
                    .collect();
                if !rest.is_empty() && rest.len() < possible.len() {
                    open.push(Open {
                        possible: rest,
                        depth: depth + 1,
                        parent: Some((node, answer)),
                    });
                }
            }
        }
        TreeAsker { pool, nodes }
    }
}

impl Asker for TreeAsker {
    fn start(&mut self, _seed: u64) {}

    fn ask(&mut self, history: &[(String, String)]) -> String {
        let mut node = Some(0);
        for (question, answer) in history {
            node = node.and_then(|n: usize| {
                let here = &self.nodes[n];
                let expected = self.pool.find(question) == Some(here.question);
                let answer = Answer::from_text(answer).filter(|_| expected)?;
                here.next.iter().find(|(known, _)| *known == answer).map(|(_, next)| *next)
            });
        }
        let index = node.map(|n| self.nodes[n].question).unwrap_or_else(|| {
            let asked: Vec<_> = history.iter().map(|(q, _)| self.pool.find(q)).collect();
            let guesses = (0..self.pool.words()).map(|word| self.pool.guess_of(word));
            let mut open = guesses.filter(|&index| !asked.contains(&Some(index)));
            open.next().unwrap_or(self.pool.guess_of(0))
        });
        self.pool.questions()[index].text.clone()
    }
}
