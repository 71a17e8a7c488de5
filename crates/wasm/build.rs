//! Builds `product.rs` into two small modules for `src/product.rs`, where the target is a browser.

use std::env;
use std::path::Path;
use std::process::Command;

const BUILDS: [(&str, &str); 2] =
    [("product-relaxed", "+simd128,+relaxed-simd"), ("product-plain", "+simd128")];

const OPTIONS: [&str; 6] = [
    "opt-level=3",
    "codegen-units=1",
    "panic=abort",
    "strip=symbols",
    "link-arg=--import-memory",
    "link-arg=-zstack-size=0",
];

fn main() {
    for source in ["product.rs", "product/loops.rs"] {
        println!("cargo::rerun-if-changed={source}");
    }
    if env::var("CARGO_CFG_TARGET_FAMILY").as_deref() != Ok("wasm") {
        return;
    }
    let folder = env::var("OUT_DIR").expect("cargo says where");
    for (name, features) in BUILDS {
        build(&Path::new(&folder).join(name), features);
    }
}

fn build(path: &Path, features: &str) {
    let [module, object] = ["wasm", "o"].map(|ending| path.with_extension(ending));
    let mut rustc = Command::new(env::var("RUSTC").expect("cargo says which"));
    rustc.args(["product.rs", "--edition=2024", "--crate-type=cdylib"]);
    rustc.args(["--target=wasm32-unknown-unknown", "-Dwarnings"]);
    rustc.arg(format!("--emit=link={},obj={}", module.display(), object.display()));
    for option in OPTIONS {
        rustc.args(["-C", option]);
    }
    rustc.args(["-C", &format!("target-feature={features}")]);
    let status = rustc.status().expect("the compiler that cargo names");
    assert!(status.success(), "product.rs could not be built with {features}");
    // Its stack would lie in the other module's data.
    let object = std::fs::read(&object).expect("it was just written");
    let pointer = b"__stack_pointer";
    let on_stack = object.windows(pointer.len()).any(|bytes| bytes == pointer);
    assert!(!on_stack, "product.rs with {features} keeps something outside the registers");
}
