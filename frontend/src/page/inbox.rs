//! `/inbox`

use leptos::prelude::*;

use crate::component::document::{Document, Drawing};
use crate::component::empty::Empty;
use crate::component::frame::csrf_field;
use crate::component::table::{head, scrolling};
use crate::view::{InboxView, MailLine, NoticeLine};
use crate::{format, link};

/// A person's messages.
#[must_use]
pub fn inbox(view: &InboxView) -> String {
    let csrf = view.frame.csrf.as_deref();
    let all = (view.frame.unread > 0).then(|| {
        view! {
            <form method="post" action=link::INBOX_READ>
                {csrf_field(csrf)}
                <button class="button" type="submit">"Mark all as read"</button>
            </form>
        }
    });
    let older = view.older_before.as_deref().map(|before| {
        let href = link::inbox_before(before);
        view! { <nav class="paging" aria-label="Pages"><a class="button" rel="next" href=href>"Older messages"</a></nav> }
    });
    let content = view! {
        <div class="page-head">
            <h1>"Inbox"</h1>
            <p class="lead">"What concerns you: jobs of yours that failed, and what you are to look after."</p>
        </div>
        {if view.notices.is_empty() { nothing() } else { notice_table(view) }}
        {all}
        {older}
        {view.mail.as_ref().map(|mail| mail_form(mail, csrf))}
    };
    Document { frame: &view.frame, title: "Inbox", drawing: Drawing::None }.render(content.into_any())
}

fn mail_form(mail: &MailLine, csrf: Option<&str>) -> AnyView {
    let options = mail.choices.iter().map(|(key, word)| {
        view! { <option value=key.clone() selected=*key == mail.chosen>{word.clone()}</option> }
    });
    view! {
        <form class="panel stacked" method="post" action=link::INBOX_MAIL>
            {csrf_field(csrf)}
            <h2>"By e-mail"</h2>
            <div class="field">
                <label for="inbox-mail">"What also comes to your address. A letter says what happened and links here; it holds no data."</label>
                <select id="inbox-mail" name="choice">{options.collect_view()}</select>
            </div>
            <div><button class="button" type="submit">"Save"</button></div>
        </form>
    }
    .into_any()
}

fn nothing() -> AnyView {
    let advice = "You are told here when a job that you asked for fails. Until then there is nothing to do.";
    Empty { title: "No messages", advice: advice.to_owned(), command: None, link: None }.render()
}

fn notice_table(view: &InboxView) -> AnyView {
    let heads = view! { {head("Message", "")}{head("About", "")}{head("Since", "")}{head("State", "")}{head("Action", "")} };
    let rows = view.notices.iter().map(|notice| notice_row(notice, view.frame.csrf.as_deref()));
    let table = view! {
        <table>
            <caption class="vh">"Messages, newest first"</caption>
            <thead><tr>{heads}</tr></thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    };
    scrolling("Messages, newest first".to_owned(), table.into_any())
}

fn notice_row(notice: &NoticeLine, csrf: Option<&str>) -> AnyView {
    let (class, word) = if notice.is_read { ("pill none", "read") } else { ("pill high-amber", "unread") };
    let mark = (!notice.is_read).then(|| {
        let label = format!("Mark as read: {}, {}", notice.text, notice.about);
        view! {
            <form method="post" action=link::read_notice(&notice.id)>
                {csrf_field(csrf)}
                <button class="button quiet" type="submit" aria-label=label>"Mark as read"</button>
            </form>
        }
    });
    view! {
        <tr>
            <th scope="row"><a href=notice.href.clone()>{notice.text.clone()}</a></th>
            <td>{notice.about.clone()}</td>
            <td class="nowrap">
                <time datetime=format::instant_iso(notice.since_unix_s)>{format::instant(notice.since_unix_s)}</time>
            </td>
            <td><span class=class>{word}</span></td>
            <td>{mark}</td>
        </tr>
    }
    .into_any()
}
