//! An administrator sees how much room the organisation's data take and what is free; the operator sees it of every one.

use std::{fs, path::Path};

use crate::support::{Installation, OTHER_TENANT, TENANT, files_below};

fn bytes_below(folder: &Path) -> u64 {
    if !folder.is_dir() {
        return 0;
    }
    let sizes = files_below(folder).into_iter().map(|file| fs::metadata(file).expect("it is there").len());
    sizes.sum()
}

/// Somebody's id, as the list of tenants ends with it.
fn id_of(listed: &str, slug: &str) -> String {
    let line =
        listed.lines().find(|line| line.split_whitespace().next() == Some(slug)).expect("it is listed");
    line.split_whitespace().last().expect("a line has words").to_owned()
}

#[test]
fn the_room_that_data_take_is_what_lies_on_the_disk_and_nobody_elses() {
    let Some(installation) = Installation::demonstration() else { return };
    let listed = installation.must(&["admin", "tenant", "list"]).out;
    let server = installation.serve();
    for tenant in [TENANT, OTHER_TENANT] {
        let (administrator, _) = installation.account_called("keeper", tenant, "administrator");
        let told = administrator.client(&server).get(&server.url("/api/v1/organisation"));
        assert_eq!(told.status, 200, "{}", told.body);
        let told = told.json();
        assert_eq!(told["slug"], tenant, "{told}");
        let storage = &told["storage"];
        let folder = installation.data().join("warehouse").join(id_of(&listed, tenant));
        let mut named = 0;
        for (name, zone) in [("raw", "raw"), ("canon", "canon"), ("star", "star"), ("marts", "marts")] {
            let there = bytes_below(&folder.join(zone));
            assert_eq!(storage[format!("{name}_bytes")], there, "{tenant} {name}: {storage}");
            named += there;
        }
        assert!(storage["raw_bytes"].as_u64() > Some(1_000), "the demonstration has data: {storage}");
        let other = bytes_below(&folder) - named;
        assert_eq!(storage["other_bytes"], other, "{tenant}: {storage}");
        let control = storage["control_bytes"].as_u64().expect("it is a file of its own");
        assert!(control > 100_000, "{storage}");
        assert_eq!(storage["total_bytes"], named + other + control, "{storage}");
        assert!(storage["free_bytes"].as_u64() > Some(0), "{storage}");
        let page = administrator.browser(&server).get(&server.url("/admin")).body;
        for word in ["Raw files", "Conformed", "Control database", "Free", "Measured "] {
            assert!(page.contains(word), "{word}: {page}");
        }
        assert!([" kB", " MB"].iter().any(|unit| page.contains(unit)), "sizes have units: {page}");
        let shown = installation.must(&["admin", "tenant", "show", tenant]).out;
        for word in ["storage ", "raw ", "conformed ", "marts ", "control database ", "free "] {
            assert!(shown.contains(word), "{word}: {shown}");
        }
    }
    let researcher = installation.demo_account(TENANT, "researcher");
    let refused = researcher.client(&server).get(&server.url("/api/v1/organisation"));
    assert_eq!(refused.status, 404, "it is for who administers: {}", refused.body);
}
