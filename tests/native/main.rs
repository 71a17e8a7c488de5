//! The real binary through its front door: one program of tests, so that what they share is built once.

mod common;

mod adapters;
mod baselines;
mod compare;
mod distill;
mod env_server;
mod export;
mod guests;
mod input;
mod keeping;
mod language_model_files;
mod language_models;
mod models;
mod numbers;
mod old_files;
mod parity;
mod prior;
mod reports;
mod serving;
#[cfg(unix)]
mod stopping;
mod telling;
mod terminal;
mod tidy;
mod training;
mod transformers;
mod worlds;
