//! Who has access to an invented tenant.

use frontend::view::{
    AccessLine, AccessReviewView, AccountLine, AccountsView, AdminAccountView, AdminView, AuditEventView,
    Frame, GrantLine, IdentityLine, OwnedSession, OwnedToken, Tab, Theme, TokenLine,
};

use super::{PUBLISHED_UNIX_S, audit, choice, frame};

fn admin(here: &str, theme: Theme) -> Frame {
    Frame { here: here.to_owned(), ..frame(Some(Tab::Admin), theme) }
}

fn line(name: &str, is_enabled: bool) -> AccountLine {
    AccountLine {
        id: format!("0199-{name}"),
        email: format!("{name}@example.org"),
        name: format!("{name} <b>"),
        roles: vec!["Researcher in CAIRN-301".to_owned(), "Auditor, all studies".to_owned()],
        used_unix_s: is_enabled.then_some(PUBLISHED_UNIX_S),
        is_enabled,
        has_second_factor: is_enabled,
        signs_in_by: "password".to_owned(),
    }
}

fn token() -> OwnedToken {
    let token = TokenLine {
        id: "t1".to_owned(),
        label: "notebook".to_owned(),
        scope: "read: CAIRN-301".to_owned(),
        ends_unix_s: PUBLISHED_UNIX_S,
        used_unix_s: None,
        state: "in use".to_owned(),
        is_live: true,
    };
    OwnedToken { owner: ("0199-ana".to_owned(), "ana@example.org".to_owned()), token }
}

fn session() -> OwnedSession {
    OwnedSession {
        id: "s1".to_owned(),
        owner: ("0199-ana".to_owned(), "ana@example.org".to_owned()),
        kind: "browser".to_owned(),
        method: "password+code".to_owned(),
        started_unix_s: PUBLISHED_UNIX_S,
        used_unix_s: PUBLISHED_UNIX_S,
    }
}

pub(crate) fn accounts(theme: Theme) -> AccountsView {
    AccountsView {
        frame: admin("/admin/accounts", theme),
        accounts: vec![line("ana", true), line("bob", false)],
        problem: Some("The e-mail address is already in use.".to_owned()),
        roles: vec![choice("researcher", "Researcher")],
        studies: vec![choice("CAIRN-301", "CAIRN-301")],
        ..AccountsView::default()
    }
}

pub(crate) fn account(theme: Theme) -> AdminAccountView {
    AdminAccountView {
        frame: admin("/admin/accounts/0199-ana", theme),
        account: line("ana", true),
        created_unix_s: PUBLISHED_UNIX_S,
        identities: vec![IdentityLine {
            key: "9f86d081".to_owned(),
            issuer: "https://id.example.org".to_owned(),
            subject: "248289761001".to_owned(),
            since_unix_s: PUBLISHED_UNIX_S,
        }],
        issuer: "https://id.example.org".to_owned(),
        grants: vec![GrantLine {
            role: "researcher".to_owned(),
            label: "Researcher".to_owned(),
            study: Some("S/3".to_owned()),
            since_unix_s: PUBLISHED_UNIX_S,
            by: "the operator".to_owned(),
        }],
        sessions: vec![session()],
        tokens: vec![token()],
        roles: vec![choice("researcher", "Researcher")],
        studies: vec![choice("CAIRN-301", "CAIRN-301")],
        ..AdminAccountView::default()
    }
}

pub(crate) fn review(theme: Theme) -> AccessReviewView {
    let entry = |name: &str, marks: &[&str]| AccessLine {
        account: format!("0199-{name}"),
        email: format!("{name}@example.org"),
        is_enabled: marks.is_empty(),
        role: "researcher".to_owned(),
        label: "Researcher".to_owned(),
        study: None,
        since_unix_s: PUBLISHED_UNIX_S,
        by: "root@example.org".to_owned(),
        used_unix_s: marks.is_empty().then_some(PUBLISHED_UNIX_S),
        marks: marks.iter().map(|mark| (*mark).to_owned()).collect(),
    };
    AccessReviewView {
        frame: admin("/admin/access-review", theme),
        last: Some((PUBLISHED_UNIX_S - 8_640_000, "root@example.org".to_owned())),
        due_unix_s: PUBLISHED_UNIX_S,
        is_overdue: true,
        marked: 2,
        list_sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".to_owned(),
        entries: vec![entry("ana", &[]), entry("bob", &["never used", "account disabled"])],
        tokens: vec![(token(), vec!["never used".to_owned()])],
        problem: None,
    }
}

pub(crate) fn tenant(theme: Theme) -> AdminView {
    AdminView {
        frame: admin("/admin", theme),
        counts: vec![("Accounts".to_owned(), "12".to_owned(), "1 disabled".to_owned())],
        facts: vec![("Last backup".to_owned(), "2026-11-21 02:00 UTC".to_owned())],
        storage: vec![
            ("Raw files".to_owned(), "24.1 MB".to_owned(), "as they were delivered".to_owned()),
            ("Control database".to_owned(), "2.1 MB".to_owned(), String::new()),
            ("Free".to_owned(), "182.5 GB".to_owned(), "for all organisations".to_owned()),
        ],
        storage_unix_s: 1_795_300_000,
        review_is_overdue: true,
        sessions: vec![session()],
        tokens: vec![token()],
    }
}

pub(crate) fn event(theme: Theme) -> AuditEventView {
    let event = audit(theme).events[0].clone();
    AuditEventView {
        frame: frame(Some(Tab::Audit), theme),
        event,
        event_id: "01999999-0000-7000-8000-000000000001".to_owned(),
        trace_id: Some("4bf92f3577b34da6a3ce929d0e0e4736".to_owned()),
        facts: vec![("reason".to_owned(), "a change of duties".to_owned())],
        change: Some(("researcher@S1".to_owned(), "clinical@* researcher@S1".to_owned())),
        leaf: "{\"action\":\"account.grants.changed\"}".to_owned(),
    }
}
