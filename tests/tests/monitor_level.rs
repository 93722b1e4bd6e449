//! Who oversees monitors sees them compared, whom to call about a site, and of no monitor who it is.

use crate::support::Installation;

const STUDY: &str = "SIM-001";

#[test]
fn monitors_and_cros_are_compared_on_pages_under_pseudonyms() {
    let Some(installation) = Installation::with_tenant("oversight") else { return };
    installation.must(&["simulate", "study", "--sites", "24", "--subjects-per-site", "6", "--null"]);
    installation.must(&["ingest", "--tenant", "oversight", "--study", STUDY, "--mapping", "edc", "study"]);
    let account = installation.account("oversight", "researcher");
    let server = installation.serve();
    let mut browser = account.browser(&server);
    let mut page = |rest: &str| {
        let answer = browser.get(&server.url(&format!("/studies/{STUDY}/rbqm{rest}")));
        assert_eq!(answer.status, 200, "{rest}: {}", answer.body);
        // The ids of simulated monitors begin with the mark of their CRO and the country.
        for mark in ["OAK-", "ELM-", "WIL-"] {
            assert!(!answer.body.contains(mark), "{rest} tells who a monitor is");
        }
        answer.body
    };
    let sites = page("");
    for word in
        ["<option value=\"monitor\"", "<option value=\"cro\"", ">Monitor</th>", "CRA-", "Elmwood Trials"]
    {
        assert!(sites.contains(word), "{word} is not on the page");
    }
    let monitors = page("?level=monitor");
    assert!(monitors.contains("Every monitor and indicator") && monitors.contains("CRA-"));
    // The limits of each method are drawn for the groups that are shown.
    for method in ["", "&method=leave_one_out", "&method=exact"] {
        for level in ["site", "monitor", "cro"] {
            let drawn = page(&format!("/kri0001?level={level}{method}"));
            assert!(drawn.contains("figure-funnel") && drawn.contains("Limit 2, amber"), "{level}{method}");
        }
    }
    assert!(page("/kri0001?level=cro&method=exact").contains("All CROs"));
    // A method that cannot judge an indicator is passed over: days follow no law of counts.
    assert!(page("/d03?level=cro&method=exact").contains("All CROs"));
    let mut client = account.client(&server);
    for table in ["dim_site", "mart_indicator"] {
        let url = server.url(&format!("/api/v1/studies/{STUDY}/tables/{table}?format=csv"));
        let rows = client.get(&url).body;
        assert!(rows.contains("CRA-") && !rows.contains("ELM-"), "{table}");
    }
}
