//! Packs the texts of `data/` into one file that the library embeds, and writes tables of letters.
//!
//! What is packed is each file's path and text without its comments, all ended by a zero byte. A page
//! that fetches the worlds should not pay for text that people read and edit, so a build for WebAssembly
//! compresses it, by PPMd: a third less than deflated. Lists whose order says nothing are sorted before,
//! which saves another thirtieth. Elsewhere it stays as it is, which costs nothing to unpack.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a build script reads the files that are built in, and speaks to cargo"
)]

mod letters;

use std::io::{Read, Write};
use std::path::Path;
use std::{env, fs};

use ppmd_rust::{Ppmd7Decoder, Ppmd7Encoder};

// As `src/data.rs` has them.
const ORDER: u32 = 8;
const MEMORY: u32 = 4 << 20;

fn main() {
    println!("cargo::rerun-if-changed=data");
    let mut paths = Vec::new();
    collect(Path::new("data"), &mut paths);
    // Folders list their files in any order; a build must not depend on it.
    paths.sort();
    if env::var_os("CARGO_FEATURE_HEARD").is_none() {
        paths.retain(|path| path != "data/heard.txt");
    }
    let wasm = env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family == "wasm");
    let mut plain = Vec::new();
    for path in &paths {
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert!(!text.contains('\0'), "{path} holds a zero byte");
        let name = path.strip_prefix("data/").unwrap_or(path);
        plain.extend_from_slice(name.as_bytes());
        plain.push(0);
        let text = without_comments(&text);
        let text = if wasm { with_sorted_lists(&text) } else { text };
        plain.extend_from_slice(text.as_bytes());
        plain.push(0);
    }
    match wasm {
        true => write("data.bin", &packed(&plain)),
        false => write("data.bin", &plain),
    }
    write("letters.bin", &letters::letters());
    write("lower_cases.bin", &letters::lower_cases());
}

/// The length as four bytes, and the text by PPMd.
fn packed(plain: &[u8]) -> Vec<u8> {
    let mut packed = (plain.len() as u32).to_le_bytes().to_vec();
    let mut encoder = Ppmd7Encoder::new(&mut packed, ORDER, MEMORY).expect("these are in range");
    encoder.write_all(plain).expect("a vector takes all that is written");
    encoder.finish(false).expect("a vector takes all that is written");
    let mut decoder = Ppmd7Decoder::new(&packed[4..], ORDER, MEMORY).expect("these are in range");
    let mut unpacked = vec![0; plain.len()];
    decoder.read_exact(&mut unpacked).expect("all of it can be unpacked");
    assert_eq!(unpacked, plain, "what is packed is unpacked again");
    packed
}

fn write(name: &str, bytes: &[u8]) {
    let out = env::var_os("OUT_DIR").expect("cargo names a folder for what is built");
    fs::write(Path::new(&out).join(name), bytes).expect("the folder can be written");
}

/// The same lines, of which comments are empty: an error names a line by its number.
fn without_comments(text: &str) -> String {
    let plain = |line: &str| if line.starts_with('#') { "\n".into() } else { format!("{line}\n") };
    text.lines().map(plain).collect()
}

/// The same text with the lists behind `+`, `-` and `~` sorted: what an object has and lacks is a set.
fn with_sorted_lists(text: &str) -> String {
    let line = |line: &str| match line.split_at_checked(4) {
        Some((mark @ ("  + " | "  - " | "  ~ "), list)) if !list.contains('#') => {
            let mut items: Vec<&str> = list.split(", ").collect();
            items.sort_unstable();
            format!("{mark}{}\n", items.join(", "))
        }
        _ => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

/// Every text file below a folder, with forward slashes on any system.
fn collect(folder: &Path, paths: &mut Vec<String>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    for entry in entries {
        let path = entry.expect("a folder can be listed").path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|ending| ending == "txt") {
            paths.push(path.to_string_lossy().replace('\\', "/"));
        }
    }
}
