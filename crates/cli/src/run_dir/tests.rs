use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

/// Who begins a run may still write into its folder while a signal discards it. What is left must be known as
/// ours, or the same command refuses the folder for ever.
#[test]
fn what_is_written_while_a_beginning_is_discarded_is_known_as_ours() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..200 {
        let root = folder.path().join(format!("run{round}"));
        fs::create_dir(&root).unwrap();
        fs::write(root.join(LOCK), "").unwrap();
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let _ = fs::write(root.join(CONFIG), "");
                }
            });
            discard(&root);
            stop.store(true, Ordering::Relaxed);
        });
        assert!(matches!(place(&root), Ok(Place::Free | Place::Beginning)), "round {round}");
    }
}
