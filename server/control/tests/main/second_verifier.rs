//! The second verifier of the ledger: `docs/verify_audit.py`, in plain Python.

/// What it says: its exit code and its answer.
pub(crate) fn second_verifier(arguments: &[&str]) -> (i32, serde_json::Value) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/verify_audit.py");
    let mut command = std::process::Command::new("python3");
    let output = command.arg(script).args(arguments).arg("--json").output().expect("python3 can be started");
    let answer = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let code = output.status.code().expect("it ended by itself");
    assert!([0, 1, 2].contains(&code), "{}", String::from_utf8_lossy(&output.stderr));
    (code, answer)
}
