//! What the tests of the terminal share: running the binary the way a person does.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// What a run of the binary came to.
pub struct Done {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for Done {
    fn from(output: Output) -> Done {
        Done {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Done {
    /// Standard output as JSON values, one a line.
    pub fn json_lines(&self) -> Vec<serde_json::Value> {
        let parse = |line: &str| {
            serde_json::from_str(line).unwrap_or_else(|e| panic!("{line} is not JSON: {e}"))
        };
        self.stdout.lines().map(parse).collect()
    }

    /// Itself, if the command succeeded.
    pub fn success(self) -> Done {
        assert_eq!(self.code, 0, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }
}

/// The binary, to be started in `folder`.
pub fn archer(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_archer"));
    command.current_dir(folder).args(args).stdin(Stdio::null());
    // `cargo test` sets it, and the binary would speak of cargo to a person who does not use it.
    command.env_remove("CARGO");
    command
}

/// Runs the binary in `folder` to its end.
pub fn run(folder: &Path, args: &[&str]) -> Done {
    archer(folder, args).output().expect("the binary starts").into()
}

/// The same, with `input` on standard input.
pub fn run_with_input(folder: &Path, args: &[&str], input: &[u8]) -> Done {
    run_program(&mut archer(folder, args), input)
}

/// Runs any program to its end with `input` on standard input.
pub fn run_program(command: &mut Command, input: &[u8]) -> Done {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let mut stdin = child.stdin.take().expect("it has a standard input");
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        // The binary may rightly end before it has read everything.
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().expect("the binary ends");
    writer.join().expect("the writer ends");
    output.into()
}

/// The root of the repository.
pub fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().expect("the tests stand in the repository")
}

/// A folder that is removed at the end of the test.
pub fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder can be made")
}

/// The keys of what `archer eval --json` prints.
pub const EVALUATION_KEYS: [&str; 10] = [
    "environment",
    "rules",
    "games",
    "mean_return",
    "return_ci95",
    "win_rate",
    "mean_questions",
    "invalid_rate",
    "repeat_rate",
    "optimum_return",
];

/// A run of so many iterations, small enough for a second or two.
pub const TINY: &str = r#"
iterations = 4
rollout_size = 8
eval_size = 10
eval_freq = 2
save_freq = 2
batch_size = 8
grad_accum_steps = 1
epochs = 2
actor_epochs = 1
warmup_iter = 1
max_new_tokens = 12

[world]
words = "subset"
max_turns = 4

[tokenizer]
vocab_size = 300

[actor_model]
layers = 1
width = 16
heads = 2
positions = 160

[critic_model]
layers = 1
width = 16
heads = 2
positions = 160

[warm_start]
games = 40
steps = 16
batch_size = 8
"#;

/// The weights of the actor, or its adapters, and of the critic where there is one, in a run's model
/// folder.
pub fn weights(run: &Path) -> [Vec<u8>; 2] {
    let read = |name: &str| fs::read(run.join("model").join(name));
    let actor = read("model.safetensors").or_else(|_| read("adapter_model.safetensors")).unwrap();
    [actor, read("critic/model.safetensors").unwrap_or_default()]
}

/// A run that learns which digit pays, within seconds.
pub const BANDIT: &str = r#"
iterations = 60
rollout_size = 64
eval_size = 64
eval_freq = 0
batch_size = 32
grad_accum_steps = 1
epochs = 10
actor_epochs = 4
warmup_iter = 3
critic_lr = 3e-3
lm_lr = 3e-3
gamma = 0.9
max_grad_norm = 10.0
max_new_tokens = 4

[world]
name = "bandit"

[tokenizer]
vocab_size = 300

[actor_model]
layers = 1
width = 16
heads = 2
positions = 96

[critic_model]
layers = 1
width = 16
heads = 2
positions = 96

[warm_start]
games = 300
steps = 100
batch_size = 16
lr = 3e-3
"#;

/// The lines of a run's log without what the clock said.
pub fn metrics(run: &Path) -> Vec<Value> {
    let text = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let lines = text.lines().map(|line| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        assert!(line["timing"]["seconds"].as_f64().unwrap() >= 0.0);
        line.as_object_mut().unwrap().remove("timing");
        line
    });
    lines.collect()
}

/// Checks that two runs are one and the same, bit for bit.
pub fn assert_same_run(one: &Path, other: &Path) {
    let (a, b) = (metrics(one), metrics(other));
    for (a, b) in a.iter().zip(&b) {
        assert_eq!(a, b);
    }
    assert_eq!(a.len(), b.len());
    assert!(weights(one) == weights(other), "the weights differ");
}

/// The Python that has what is tested against: `PYTHON`, or `python3`.
pub fn python() -> String {
    std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_string())
}

/// A copy of the shipped model folder, to be altered.
pub fn model_copy(folder: &Path, name: &str) -> PathBuf {
    let (from, to) = (root().join("models/twenty-questions"), folder.join(name));
    fs::create_dir_all(to.join("critic")).unwrap();
    for part in ["", "critic"] {
        for entry in fs::read_dir(from.join(part)).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_file() {
                fs::copy(entry.path(), to.join(part).join(entry.file_name())).unwrap();
            }
        }
    }
    to
}

/// Waits until something is so; a test in which it never is fails, and does not hang.
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(300), "{what} does not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Starts the binary and returns once something is so; it must not have ended by then.
pub fn started(folder: &Path, args: &[&str], mut is_so: impl FnMut() -> bool) -> Child {
    let mut command = archer(folder, args);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut ended = false;
    wait_until("what the test waits for", || {
        ended = child.try_wait().unwrap().is_some();
        ended || is_so()
    });
    if ended {
        let done: Done = child.wait_with_output().unwrap().into();
        panic!("it ended too early: {}", done.stderr);
    }
    child
}

/// How many lines of a file hold `mark`; 0 where there is no file yet.
pub fn lines_with(path: &Path, mark: &str) -> usize {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().filter(|line| line.contains(mark)).count()
}

/// Sends a signal, such as `-TERM`.
pub fn signal(child: &Child, name: &str) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
}

/// What became of a process.
pub fn ended(child: Child) -> Done {
    child.wait_with_output().unwrap().into()
}
