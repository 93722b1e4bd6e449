//! The commands of `docs/rest.md` do what the page says, each after the other.

use std::{fs, process::Command};

use crate::support::Installation;

/// The commands of a page, in their order.
fn commands(page: &str) -> String {
    let blocks = page.split("```sh\n").skip(1);
    blocks.map(|rest| rest.split("```").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_walk_through_works_as_it_stands() {
    let Some(installation) = Installation::with_tenant("acme") else { return };
    let account = installation.account("acme", "data_engineer");
    let server = installation.serve();
    let place = installation.beside("walk");
    fs::create_dir(&place).expect("a folder can be made");
    let keys = installation.must(&["audit", "keys"]).out;
    fs::write(place.join("ledger-keys"), keys).expect("the keys can be published");

    let page = fs::read_to_string("../docs/rest.md").expect("the page is there");
    let script = format!("set -euo pipefail\n{}\necho reached the end\n", commands(&page));
    assert!(script.matches("curl").count() >= 3 && script.matches("call ").count() >= 10, "{script}");
    let folder = installation.program.parent().expect("the program lies in a folder");
    let run = Command::new("bash")
        .args(["-c", &script])
        .current_dir(&place)
        .env("SERVER", server.url(""))
        .env("EMAIL", &account.email)
        .env("PASSWORD", &account.password)
        .env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", folder.display()))
        .env("CAIRN_DATA", installation.beside("nothing"))
        .output()
        .expect("bash is there");
    let (out, errors) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success() && out.ends_with("reached the end\n"), "{}\n{out}\n{errors}", run.status);
    assert!(fs::read_to_string(place.join("dim_subject.csv")).expect("it was read").contains("T-1"));
}
