//! The texts of a game as tokens: each state's is the beginning of the last one's.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

/// Some tokens, which may be the beginning of others that share their memory.
#[derive(Clone)]
pub struct Text {
    whole: Arc<[u32]>,
    length: usize,
}

impl Text {
    /// The first `length` tokens of `whole`.
    ///
    /// # Panics
    /// If there are fewer.
    pub fn beginning(whole: &Arc<[u32]>, length: usize) -> Self {
        assert!(length <= whole.len(), "{length} of {} tokens", whole.len());
        Self { whole: whole.clone(), length }
    }
}

impl Default for Text {
    fn default() -> Self {
        Self { whole: Arc::from([]), length: 0 }
    }
}

impl Deref for Text {
    type Target = [u32];

    fn deref(&self) -> &[u32] {
        &self.whole[..self.length]
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        let same = Arc::ptr_eq(&self.whole, &other.whole) && self.length == other.length;
        same || **self == **other
    }
}

impl Eq for Text {}

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl From<Arc<[u32]>> for Text {
    fn from(whole: Arc<[u32]>) -> Self {
        Self { length: whole.len(), whole }
    }
}

impl From<Vec<u32>> for Text {
    fn from(tokens: Vec<u32>) -> Self {
        Arc::<[u32]>::from(tokens).into()
    }
}

impl From<&[u32]> for Text {
    fn from(tokens: &[u32]) -> Self {
        Arc::<[u32]>::from(tokens).into()
    }
}

impl<const N: usize> From<[u32; N]> for Text {
    fn from(tokens: [u32; N]) -> Self {
        Arc::<[u32]>::from(tokens).into()
    }
}

impl FromIterator<u32> for Text {
    fn from_iter<I: IntoIterator<Item = u32>>(tokens: I) -> Self {
        Arc::<[u32]>::from_iter(tokens).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_is_the_text_that_it_spells() {
        let whole: Arc<[u32]> = [1, 2, 3].into();
        let begun = Text::beginning(&whole, 2);
        assert_eq!((&begun[..], begun.len()), (&[1, 2][..], 2));
        assert_eq!(begun, Text::from([1, 2]));
        assert_ne!(begun, Text::from([1, 3]));
        assert_ne!(begun, Text::beginning(&whole, 3));
        assert!(Text::default().is_empty());
    }
}
