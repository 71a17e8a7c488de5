//! What the browser's module computes, natively: its session, a fine-tune and a world of the page.
//! One program of tests, so that the learner is built once.

mod fine_tune;
mod own_world;
mod page;
mod session;
