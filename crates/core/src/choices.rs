//! What may be said at a state whose world lists its choices, as a trie of tokens.
//!
//! Tokens are drawn along the trie, each with its log-probability over what the trie allows there. So
//! nothing that is not listed is ever said, and the probability of an utterance is exact: learning
//! scores it by the same restriction. A choice ends by the terminator, so one may be the beginning of
//! another.

use std::collections::HashMap;
use std::sync::Arc;

use crate::error::Error;
use crate::text::Tokenizer;

/// A node of a trie; 0 is the root.
type Node = u32;

/// Some utterances as tokens, each with its terminator.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Trie {
    utterances: Vec<Vec<u32>>,
    /// The tokens that may follow at each node, in ascending order, and the nodes they lead to.
    nodes: Vec<Vec<(u32, Node)>>,
}

impl Trie {
    /// A trie of these token sequences; each ends by a token that stands nowhere else in it.
    pub fn new(mut utterances: Vec<Vec<u32>>) -> Self {
        utterances.sort_unstable();
        utterances.dedup();
        let mut nodes: Vec<Vec<(u32, Node)>> = vec![Vec::new()];
        for utterance in &utterances {
            let mut node = 0;
            for &token in utterance {
                let found = nodes[node].binary_search_by_key(&token, |(open, _)| *open);
                node = match found {
                    Ok(place) => nodes[node][place].1 as usize,
                    Err(place) => {
                        let fresh = nodes.len();
                        nodes[node].insert(place, (token, fresh as Node));
                        nodes.push(Vec::new());
                        fresh
                    }
                };
            }
        }
        Self { utterances, nodes }
    }

    /// The utterances, sorted, with their terminators.
    pub fn utterances(&self) -> &[Vec<u32>] {
        &self.utterances
    }

    /// The utterances as text, in the order of their tokens.
    pub(crate) fn texts(&self, tokenizer: &Tokenizer) -> Vec<String> {
        let body =
            |tokens: &Vec<u32>| tokenizer.decode(tokens.split_last().map_or(&[], |(_, body)| body));
        self.utterances.iter().map(body).collect()
    }

    /// Tokens of the longest utterance, terminator included.
    pub fn longest(&self) -> usize {
        self.utterances.iter().map(Vec::len).max().unwrap_or(0)
    }

    fn next(&self, node: Node, token: u32) -> Option<Node> {
        let open = &self.nodes[node as usize];
        open.binary_search_by_key(&token, |(open, _)| *open).ok().map(|place| open[place].1)
    }
}

/// Where an utterance stands in what may be said: on its way through a trie, or free.
#[derive(Debug, Clone, Copy)]
pub struct Walk<'a> {
    trie: Option<&'a Trie>,
    node: Node,
}

impl<'a> Walk<'a> {
    /// The beginning of an utterance; anything may be said where there is no trie.
    pub fn new(trie: Option<&'a Trie>) -> Self {
        Self { trie, node: 0 }
    }

    /// The beginning of so many utterances that are free.
    pub fn free(n: usize) -> Vec<Self> {
        vec![Self::new(None); n]
    }

    /// The tokens that may follow, in ascending order; `None` for any.
    pub fn open(&self) -> Option<Vec<u32>> {
        let nodes = &self.trie?.nodes;
        Some(nodes[self.node as usize].iter().map(|(token, _)| *token).collect())
    }

    /// Goes on by a token. A token that was not open leaves nothing open after it.
    pub fn step(&mut self, token: u32) {
        if let Some(trie) = self.trie {
            match trie.next(self.node, token) {
                Some(node) => self.node = node,
                None => self.trie = None,
            }
        }
    }
}

/// The tokens that were open at each token of an utterance; `None` where anything was.
pub fn open_along(trie: Option<&Trie>, utterance: &[u32]) -> Vec<Option<Vec<u32>>> {
    let mut walk = Walk::new(trie);
    let open = |&token: &u32| {
        // An utterance from elsewhere, which is none of the choices, is scored as if it were free.
        let open = walk.open().filter(|open| open.contains(&token));
        walk.step(token);
        open
    };
    utterance.iter().map(open).collect()
}

/// Tries by the lists of choices that they were made of: worlds list the same ones again and again.
#[derive(Debug, Default)]
pub struct Tries(HashMap<Vec<String>, Arc<Trie>>);

impl Tries {
    /// The trie of a list; none of none.
    ///
    /// # Errors
    /// If a choice has more than `limit` tokens, or the tokenizer cannot write it.
    pub fn of(
        &mut self,
        choices: Option<&Vec<String>>,
        tokenizer: &Tokenizer,
        limit: usize,
    ) -> Result<Option<Arc<Trie>>, Error> {
        let Some(choices) = choices else { return Ok(None) };
        if let Some(trie) = self.0.get(choices) {
            return Ok(Some(trie.clone()));
        }
        let mut utterances = Vec::with_capacity(choices.len());
        for choice in choices {
            let mut tokens = tokenizer.encode(choice);
            if tokens.is_empty() || tokenizer.decode(&tokens) != *choice {
                return Err(Error::Model(format!(
                    "the tokenizer cannot write the choice {choice:?}: it reads it as {:?}; start from a model that knows these characters",
                    tokenizer.decode(&tokens)
                )));
            }
            tokens.push(tokenizer.terminator());
            if tokens.len() > limit {
                return Err(Error::Config(format!(
                    "max_new_tokens = {limit} is too small: the choice {choice:?} has {} tokens; set it to at least that",
                    tokens.len()
                )));
            }
            utterances.push(tokens);
        }
        let trie = Arc::new(Trie::new(utterances));
        self.0.insert(choices.clone(), trie.clone());
        Ok(Some(trie))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const END: u32 = 9;

    #[test]
    fn only_what_is_listed_can_be_walked() {
        let trie = Trie::new(vec![vec![1, 2, END], vec![1, END], vec![3, END], vec![3, END]]);
        assert_eq!((trie.utterances().len(), trie.longest()), (3, 3));
        let mut walk = Walk::new(Some(&trie));
        assert_eq!(walk.open(), Some(vec![1, 3]));
        walk.step(1);
        // The one may end here, the other goes on.
        assert_eq!(walk.open(), Some(vec![2, END]));
        walk.step(2);
        assert_eq!(walk.open(), Some(vec![END]));
    }

    #[test]
    fn what_was_open_along_an_utterance() {
        let trie = Trie::new(vec![vec![1, 2, END], vec![1, END]]);
        let open = [Some(vec![1]), Some(vec![2, END]), Some(vec![END])];
        assert_eq!(open_along(Some(&trie), &[1, 2, END]), open);
        assert_eq!(open_along(None, &[1, END]), [None, None]);
        assert_eq!(open_along(Some(&trie), &[7, END]), [None, None]);
    }
}
