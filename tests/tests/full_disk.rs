//! A disk that is full while a study is taken in: nothing is half published, and with room again it is taken in.

use std::process::{Command, Stdio};

use crate::support::{CANARY_STUDY, Installation, Need, TENANT};

/// On a small disk in a namespace of its own: copies the data folder there, leaves so many kilobytes, takes a study in,
/// and says how that ended and how everything is, before and after there is room again.
const STORY: &str = r#"
set -e
cairn=$1; from=$2; disk=$3; left=$4; delivery=$5
used=$(du -sk "$from" | cut -f 1)
mount -t tmpfs -o size=$((used + used / 4 + 65536))k none "$disk"
cp -r "$from/." "$disk/"
cat /dev/zero >"$disk/filler" 2>/dev/null || true
held=$(($(stat -c %s "$disk/filler") / 1024))
truncate -s $((held > left ? held - left : 0))k "$disk/filler"
cd "$(dirname "$delivery")"
take_in() {
  "$cairn" --data "$disk" ingest --tenant "$6" --study "$7" --mapping edc "$(basename "$delivery")" 2>&1
}
whole() { "$cairn" --data "$disk" audit verify >/dev/null 2>&1 && "$cairn" --data "$disk" doctor >/dev/null 2>&1 && echo yes || echo no; }
set +e
take_in "$@" >"/proc/self/fd/3" ; echo "taken in: $?"
rm -f "$disk/filler"
echo "whole: $(whole)"
take_in "$@" >/dev/null; echo "again: $?"
echo "whole again: $(whole)"
"#;

#[test]
fn control_48_a_study_is_published_whole_or_not_at_all_when_the_disk_is_full() {
    let Some(installation) = Installation::demonstration() else { return };
    let disk = installation.beside("disk");
    std::fs::create_dir_all(&disk).expect("the temporary folder takes folders");
    let try_out = Command::new("unshare").args(["-rm", "mount", "-t", "tmpfs", "none"]).arg(&disk).output();
    if !try_out.is_ok_and(|output| output.status.success()) {
        assert!(!Need::in_ci(), "a disk of its own cannot be mounted here, and CI needs it");
        println!("passed over: a disk of its own cannot be mounted here (`unshare -rm`)");
        return;
    }
    let delivery = installation.beside("more");
    write_more(&delivery);
    let mut failed = 0;
    for left in [0, 64, 256, 640, 1024, 2048, 4096, 8192] {
        let mut story = Command::new("unshare");
        story.args(["-rm", "sh", "-c", &format!("exec 3>&2; {STORY}"), "sh"]);
        story.arg(&installation.program).arg(installation.data()).arg(&disk).arg(left.to_string());
        story.arg(&delivery).args([TENANT, CANARY_STUDY]);
        let output = story.stdin(Stdio::null()).output().expect("unshare starts");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (said, errors) = (text(&output.stdout), text(&output.stderr));
        assert!(!errors.contains("panicked"), "{left} KiB left: {errors}");
        let line =
            |name: &str| said.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("nothing").trim();
        let ended = line("taken in:");
        if ended != "0" {
            failed += 1;
            let is_said = ["No space left", "full", "space"].iter().any(|word| errors.contains(word));
            assert!(is_said, "{left} KiB left: it is not said why: {errors}");
        }
        let rest = (line("whole:"), line("again:"), line("whole again:"));
        assert_eq!(rest, ("yes", "0", "yes"), "{left} KiB left, ended with {ended}: {said}\n{errors}");
        println!("{left} KiB left: taking in ended with {ended}");
    }
    assert!(failed >= 3, "the disk was full {failed} times only");
}

/// A further delivery of the small study, with enough rows to matter.
fn write_more(folder: &std::path::Path) {
    std::fs::create_dir_all(folder).expect("the temporary folder takes folders");
    let mut rows = "studyid,subjid,aeser,aest_dt,mdrpt_nsv,aetoxgr\n".to_owned();
    for number in 0..20_000 {
        rows += &format!("{CANARY_STUDY},S1,N,2025-01-02,headache {number},1\n");
    }
    std::fs::write(folder.join("ae.csv"), rows).expect("the temporary folder takes files");
}
