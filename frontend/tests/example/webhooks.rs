//! Endpoints, deliveries and an inbox.

use frontend::view::{
    DeliveryLine, EndpointLine, InboxView, MailLine, NoticeLine, Tab, Theme, WebhookView, WebhooksView,
};

use super::{PUBLISHED_UNIX_S, frame};

fn endpoint(id: &str, is_enabled: bool) -> EndpointLine {
    EndpointLine {
        id: id.to_owned(),
        is_mail: false,
        url: format!("https://hooks.northwind.example/{id}"),
        description: "the data lake".to_owned(),
        kinds: vec!["job.failed".to_owned(), "snapshot.published".to_owned()],
        is_enabled,
        reason: if is_enabled { "" } else { "it answered 410: it wants no messages any more" }.to_owned(),
        is_held_back: false,
        failures: 0,
        last_status: Some(204),
        delivered_unix_s: is_enabled.then_some(PUBLISHED_UNIX_S),
    }
}

pub(crate) fn webhooks(theme: Theme) -> WebhooksView {
    let failing = EndpointLine { is_held_back: true, failures: 7, ..endpoint("failing", true) };
    let mail = EndpointLine {
        is_mail: true,
        url: "E-mail".to_owned(),
        description: "Messages of inboxes, by e-mail".to_owned(),
        kinds: Vec::new(),
        ..endpoint("mail", true)
    };
    WebhooksView {
        frame: frame(Some(Tab::Webhooks), theme),
        issued: Some((endpoint("new", true).url, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned())),
        problem: Some("messages cannot be posted to that address: it is no public address".to_owned()),
        endpoints: vec![endpoint("lake", true), failing, endpoint("gone", false), mail],
        kinds: vec!["job.failed".to_owned(), "marts.built".to_owned(), "snapshot.published".to_owned()],
    }
}

pub(crate) fn webhook(theme: Theme) -> WebhookView {
    let delivery = |id: &str, state: &str, answer: &str| DeliveryLine {
        id: id.to_owned(),
        webhook_id: format!("msg_{id}"),
        kind: "snapshot.published".to_owned(),
        state: state.to_owned(),
        is_dead: state == "given up",
        since_unix_s: PUBLISHED_UNIX_S,
        due_unix_s: (state == "waiting").then_some(PUBLISHED_UNIX_S + 60),
        attempts: 3,
        answer: answer.to_owned(),
    };
    WebhookView {
        frame: frame(Some(Tab::Webhooks), theme),
        endpoint: endpoint("lake", true),
        deliveries: vec![
            delivery("c", "delivered", "204"),
            delivery("b", "waiting", "it answered 503: <b>try later</b>"),
            delivery("a", "given up", "it answered 500"),
        ],
        older_before: Some("a".to_owned()),
    }
}

pub(crate) fn inbox(theme: Theme) -> InboxView {
    let notice = |id: &str, text: &str, is_read: bool| NoticeLine {
        id: id.to_owned(),
        text: text.to_owned(),
        about: "marts_build of CAIRN-301".to_owned(),
        href: "/jobs".to_owned(),
        since_unix_s: PUBLISHED_UNIX_S,
        is_read,
    };
    InboxView {
        frame: frame(None, theme),
        notices: vec![
            notice("b", "A job that you asked for failed", false),
            notice("a", "The ledger does not verify", true),
        ],
        older_before: None,
        mail: Some(MailLine {
            chosen: "ALERTS".to_owned(),
            choices: vec![
                ("NONE".to_owned(), "nothing".to_owned()),
                ("ALERTS".to_owned(), "alerts: a ledger that does not verify".to_owned()),
            ],
        }),
    }
}
