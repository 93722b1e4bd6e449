//! An invented study with one clearly worst site, and every view of it.
pub(crate) mod data;
pub(crate) mod marts;
pub(crate) mod quality;
pub(crate) mod risk;

use frontend::view::{
    AuditEvent, AuditView, Choice, ErrorView, Frame, LoginState, LoginView, Person, SnapshotLine,
    StudiesView, StudyRow, Tab, Theme, Verification,
};

/// 2026-11-21 09:14 UTC.
pub(crate) const PUBLISHED_UNIX_S: i64 = 1_795_252_440;

pub(crate) fn choice(key: &str, label: &str) -> Choice {
    Choice { key: key.to_owned(), label: label.to_owned() }
}

pub(crate) fn snapshot() -> SnapshotLine {
    SnapshotLine { id: "1a2b3c4d5e6f708192a3b4c5d6e7f809".to_owned(), published_unix_s: PUBLISHED_UNIX_S }
}

pub(crate) fn frame(tab: Option<Tab>, theme: Theme) -> Frame {
    let study = tab.filter(|tab| *tab != Tab::Audit).map(|_| choice("CAIRN-301", "CAIRN-301"));
    Frame {
        product: "Cairn".to_owned(),
        version: "0.1.0".to_owned(),
        tenant: "Northwind Therapeutics".to_owned(),
        person: Some(Person { name: "Ana Ruiz".to_owned(), role: "Data engineer".to_owned() }),
        theme,
        tab,
        tabs: Tab::ALL.to_vec(),
        snapshot: study.is_some().then(snapshot),
        study,
        studies: vec![
            choice("CAIRN-301", "CAIRN-301"),
            choice("CDISC01", "CDISC pilot"),
            choice("S/3", "S/3"),
        ],
        here: "/studies/CAIRN-301/rbqm?flag=red&country=DE".to_owned(),
        csrf: Some("token".to_owned()),
    }
}

pub(crate) fn login(state: LoginState, theme: Theme) -> LoginView {
    let frame = Frame {
        product: "Cairn".to_owned(),
        version: "0.1.0".to_owned(),
        theme,
        here: "/login".to_owned(),
        ..Frame::default()
    };
    LoginView {
        frame,
        next: "/studies/CAIRN-301/rbqm".to_owned(),
        email: "ana@example.org".to_owned(),
        state,
    }
}

pub(crate) fn studies(theme: Theme) -> StudiesView {
    let study = |key: &str, title: &str, subject_count, sites_to_call| StudyRow {
        key: key.to_owned(),
        label: key.to_owned(),
        title: title.to_owned(),
        site_count: 24,
        subject_count,
        snapshot: Some(snapshot()),
        sites_to_call,
    };
    let unpublished = StudyRow { snapshot: None, ..study("S/3", "Not loaded yet", 0, None) };
    StudiesView {
        frame: Frame { here: "/studies".to_owned(), ..frame(None, theme) },
        studies: vec![
            study("CAIRN-301", "A phase 3 study of an invented compound in moderate asthma", 1_248, Some(3)),
            study("CDISC01", "CDISC pilot: xanomeline in mild to moderate Alzheimer's disease", 306, Some(0)),
            unpublished,
        ],
        ingest_command: Some("cairn ingest --study CAIRN-301 --mapping sdtm ./cuts/2026-11-21".to_owned()),
    }
}

pub(crate) fn audit(theme: Theme) -> AuditView {
    let actions = ["snapshot.publish", "ingest.land", "session.open", "dataset.read"];
    let events = (0_u64..12).map(|place| AuditEvent {
        sequence: 4_218 - place,
        at_unix_s: PUBLISHED_UNIX_S - i64::try_from(place).expect("twelve events") * 731,
        actor: if place % 3 == 0 { "ana@example.org" } else { "service:loader" }.to_owned(),
        action: actions[usize::try_from(place).expect("twelve events") % 4].to_owned(),
        object: "study CAIRN-301".to_owned(),
        outcome: if place == 4 { "denied" } else { "allowed" }.to_owned(),
        detail: if place == 4 { "no grant for this study" } else { "" }.to_owned(),
        leaf_hash: format!("{:016x}", (place + 7).wrapping_mul(0x9e37_79b9_7f4a_7c15)),
    });
    AuditView {
        frame: frame(Some(Tab::Audit), theme),
        actions: actions.iter().map(|action| choice(action, action)).collect(),
        events: events.collect(),
        older_before: Some(4_207),
        verification: Verification::Verified {
            entries: 4_218,
            head: "9f8e7d6c5b4a39281706f5e4d3c2b1a0".to_owned(),
            checked_unix_s: PUBLISHED_UNIX_S,
        },
        ..AuditView::default()
    }
}

pub(crate) fn error(theme: Theme) -> ErrorView {
    ErrorView {
        frame: frame(None, theme),
        status: 404,
        title: "There is no such page".to_owned(),
        detail: "The address does not lead to anything you may see.".to_owned(),
        remedy: "Check the address, or choose the study from the list.".to_owned(),
        trace_id: "4bf92f3577b34da6a3ce929d0e0e4736".to_owned(),
    }
}
