//! What a message of an inbox says to a person: on the page, and in a letter. Neither holds more than the message does:
//! ids, and words of closed lists.

use control::{Letter, MessageClaim, Notice, Recipient};
use frontend::link;
use serde_json::Value;

/// A notice in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    /// What happened.
    pub(crate) text: &'static str,
    /// To what: ids.
    pub(crate) about: String,
    /// The path of the page where to look.
    pub(crate) path: String,
}

/// What a notice says; `data` is what its message holds.
pub(crate) fn told(notice: Notice, data: &Value) -> Told {
    let fact = |name: &str| data[name].as_str().unwrap_or_default().to_owned();
    let (about, path) = match notice {
        Notice::OwnJobFailed => {
            let about = [fact("kind"), fact("study")];
            (
                about.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" of "),
                link::JOBS.to_owned(),
            )
        }
        Notice::WebhookFailed | Notice::MailFailed => {
            (fact("resource_id"), link::webhook(&fact("resource_id")))
        }
        Notice::VerificationFailed => {
            (format!("event {}: {}", data["first_bad_event"], fact("found")), link::AUDIT.to_owned())
        }
    };
    Told { text: notice.in_words(), about, path }
}

/// The letter of a message that is claimed. `public_url` is where browsers reach the server.
pub(crate) fn letter(
    claim: &MessageClaim,
    to: &Recipient,
    public_url: &str,
    at: chrono::DateTime<chrono::Utc>,
) -> Letter {
    let message: Value = serde_json::from_str(claim.payload()).unwrap_or_default();
    let (subject, text) = words(&message, public_url.trim_end_matches('/'));
    let id = claim.delivery().to_string();
    Letter { to: to.address.clone(), to_name: to.name.clone(), subject, text, id, at }
}

/// The subject and the text.
fn words(message: &Value, public_url: &str) -> (String, String) {
    let data = &message["data"];
    let Some(notice) = message["type"].as_str().and_then(Notice::from_name) else {
        let text =
            format!("This is a test of Cairn. Somebody asked for it here:\n{public_url}{}\n", link::WEBHOOKS);
        return ("[Cairn] Test".to_owned(), text);
    };
    let Told { text, about, path } = told(notice, data);
    let fact = |name: &str| data[name].as_str().unwrap_or("none").to_owned();
    let letter = format!(
        "{text}: {about}\n\nLook here: {public_url}{path}\n\nTime: {}\nOrganisation: {}\nEvent in the ledger: {}\n\n\
         Your inbox decides what you get by e-mail: {public_url}{}\n",
        message["timestamp"].as_str().unwrap_or_default(),
        fact("tenant"),
        fact("event"),
        link::INBOX
    );
    (format!("[Cairn] {text}"), letter)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn message(kind: &str) -> Value {
        json!({ "type": kind, "timestamp": "2026-11-18T11:06:40.000000Z", "data": {
            "tenant": "0198-tenant", "event": "0198-event", "outcome": "failed", "resource_type": "job",
            "resource_id": "0198-job", "kind": "ingest", "study": "TRIAL01", "batch": "0198-batch",
        }})
    }

    /// By hand, from what a message holds (docs/webhooks.md).
    #[test]
    fn a_letter_says_what_happened_and_where_to_look() {
        let (subject, text) = words(&message("job.failed"), "https://cairn.example");
        assert_eq!(subject, "[Cairn] A job that you asked for failed");
        let expected = "A job that you asked for failed: ingest of TRIAL01\n\n\
                        Look here: https://cairn.example/jobs\n\n\
                        Time: 2026-11-18T11:06:40.000000Z\nOrganisation: 0198-tenant\nEvent in the ledger: 0198-event\n\n\
                        Your inbox decides what you get by e-mail: https://cairn.example/inbox\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_letter_holds_no_data_of_a_subject_and_nothing_that_is_blinded() {
        for notice in Notice::ALL {
            let mut message = message(notice.name());
            for (name, value) in
                [("subject", "SUBJ-0042"), ("arm", "PLACEBO"), ("value", "7.31"), ("problem", "row 7 of dm")]
            {
                message["data"][name] = Value::from(value);
            }
            let (subject, text) = words(&message, "https://cairn.example");
            for hidden in ["SUBJ-0042", "PLACEBO", "7.31", "row 7", "0198-batch"] {
                assert!(!subject.contains(hidden) && !text.contains(hidden), "{hidden} in {text}");
            }
        }
    }
}
