//! An invented study with one clearly worst site, and every view of it.
pub(crate) mod admin;
pub(crate) mod clinical;
pub(crate) mod data;
pub(crate) mod marts;
pub(crate) mod quality;
pub(crate) mod risk;
pub(crate) mod webhooks;

use frontend::view::{
    AccountView, AuditEvent, AuditView, Choice, ErrorView, Frame, JobLine, JobStanding, JobsView, LoginState,
    LoginView, Person, ScheduleLine, SecondFactorState, SessionLine, SnapshotLine, StudiesView, StudyRow,
    Tab, Theme, TokenLine, Verification,
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
    let study = tab.filter(|tab| tab.is_of_a_study()).map(|_| choice("CAIRN-301", "CAIRN-301"));
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
        unread: 2,
        csrf: Some("token".to_owned()),
    }
}

pub(crate) fn account(second_factor: SecondFactorState, theme: Theme) -> AccountView {
    let token = |label: &str, is_live: bool| TokenLine {
        id: format!("token-{label}"),
        label: label.to_owned(),
        scope: "read: CAIRN-301".to_owned(),
        ends_unix_s: PUBLISHED_UNIX_S,
        used_unix_s: is_live.then_some(PUBLISHED_UNIX_S),
        state: if is_live { "in use" } else { "revoked" }.to_owned(),
        is_live,
    };
    let session = |id: &str, is_this: bool| SessionLine {
        id: id.to_owned(),
        kind: "browser".to_owned(),
        method: "password".to_owned(),
        started_unix_s: PUBLISHED_UNIX_S,
        used_unix_s: PUBLISHED_UNIX_S,
        is_this,
    };
    AccountView {
        frame: Frame { here: "/account".to_owned(), ..frame(None, theme) },
        email: "ana@example.org".to_owned(),
        second_factor,
        tokens: vec![token("notebook", true), token("<old>", false)],
        sessions: vec![session("s1", true), session("s2", false)],
        roles: vec![choice("researcher", "Researcher")],
        studies: vec![choice("CAIRN-301", "CAIRN-301")],
        ..AccountView::default()
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
        exposed: false,
        provider: Some("Example ID".to_owned()),
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

pub(crate) fn jobs(theme: Theme) -> JobsView {
    let line = |place: i64, state: JobStanding| JobLine {
        id: format!("0199-{place}"),
        kind: "Build the marts".to_owned(),
        study: "CAIRN-301".to_owned(),
        state,
        since_unix_s: PUBLISHED_UNIX_S - 60 * place,
        until_unix_s: (!state.is_open()).then_some(PUBLISHED_UNIX_S),
        attempts: 2,
        progress: "building mart_kri (40 %)".to_owned(),
        problem: if state == JobStanding::Failed { "the disk is full" } else { "" }.to_owned(),
        is_ending: false,
    };
    let jobs = JobStanding::ALL.into_iter().zip(1..).map(|(state, place)| line(place, state));
    let ending = JobLine { is_ending: true, study: String::new(), ..line(9, JobStanding::Running) };
    JobsView {
        frame: frame(Some(Tab::Jobs), theme),
        states: JobStanding::ALL.iter().map(|state| choice(state.name(), state.label())).collect(),
        jobs: jobs.chain([ending]).collect(),
        older_before: Some("0199-9".to_owned()),
        schedules: vec![
            ScheduleLine {
                id: "0199-1".to_owned(),
                kind: "Build the marts".to_owned(),
                study: "CAIRN-301".to_owned(),
                cron: "30 2 * * 1-5".to_owned(),
                zone: "Europe/Berlin".to_owned(),
                next_unix_s: vec![PUBLISHED_UNIX_S, PUBLISHED_UNIX_S + 86_400, PUBLISHED_UNIX_S + 172_800],
            },
            ScheduleLine { kind: "Verify the ledger".to_owned(), ..ScheduleLine::default() },
        ],
        ..JobsView::default()
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
