//! The heads of a token.

/// How queries, keys and values lie side by side: all heads of queries, then those of keys, then those of
/// values. Several heads of queries may share one of keys and values (Ainslie et al., GQA,
/// arXiv:2305.13245).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heads {
    /// Of queries.
    pub queries: usize,
    /// Of keys and values, a divisor of those.
    pub keys: usize,
    /// Floats of each.
    pub d: usize,
}

impl Heads {
    /// As many heads of keys as of queries, which share the width evenly.
    pub fn even(heads: usize, width: usize) -> Self {
        Self { queries: heads, keys: heads, d: width / heads }
    }

    /// Floats of all queries of a token, and of what attention gives for it.
    #[inline(always)]
    pub fn width(self) -> usize {
        self.queries * self.d
    }

    /// Floats of all keys of a token, and of all values.
    #[inline(always)]
    pub fn narrow(self) -> usize {
        self.keys * self.d
    }

    /// Floats of a token: queries, keys and values.
    #[inline(always)]
    pub fn row(self) -> usize {
        self.width() + 2 * self.narrow()
    }

    /// Heads of queries to one of keys.
    #[inline(always)]
    pub fn sharing(self) -> usize {
        self.queries / self.keys
    }
}
