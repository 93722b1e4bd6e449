//! Addresses that messages are posted to, and a person's own messages.

use serde::{Deserialize, Serialize};

use super::Frame;

/// What the page of endpoints needs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct WebhooksView {
    /// The frame.
    pub frame: Frame,
    /// A secret that was just made, with its endpoint's address. Nothing can show it again.
    pub issued: Option<(String, String)>,
    /// What is wrong with what the form sent.
    pub problem: Option<String>,
    /// The endpoints, oldest first.
    pub endpoints: Vec<EndpointLine>,
    /// The kinds of messages to choose from.
    pub kinds: Vec<String>,
}

/// One endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct EndpointLine {
    /// Its id.
    pub id: String,
    /// Whether it stands for e-mail: it has no secret and cannot be removed.
    pub is_mail: bool,
    /// Where messages are posted.
    pub url: String,
    /// What it is; may be empty.
    pub description: String,
    /// The kinds that it asks for.
    pub kinds: Vec<String>,
    /// Whether it is used.
    pub is_enabled: bool,
    /// Why it is not; may be empty.
    pub reason: String,
    /// Whether messages wait because it fails.
    pub is_held_back: bool,
    /// How many attempts in a row have failed.
    pub failures: u64,
    /// The last HTTP status.
    pub last_status: Option<u16>,
    /// When it last took a message.
    pub delivered_unix_s: Option<i64>,
}

/// What the page of one endpoint needs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct WebhookView {
    /// The frame.
    pub frame: Frame,
    /// The endpoint.
    pub endpoint: EndpointLine,
    /// What was put in line for it, newest first.
    pub deliveries: Vec<DeliveryLine>,
    /// The last delivery of this page, when older ones exist.
    pub older_before: Option<String>,
}

/// One message on its way to an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DeliveryLine {
    /// Its id.
    pub id: String,
    /// The header `webhook-id` of its message.
    pub webhook_id: String,
    /// The message's kind.
    pub kind: String,
    /// How far it is, in a word.
    pub state: String,
    /// Whether it was given up, and can be sent again.
    pub is_dead: bool,
    /// When it was put in line.
    pub since_unix_s: i64,
    /// When it is sent again, while it waits for that.
    pub due_unix_s: Option<i64>,
    /// How often it was sent.
    pub attempts: u64,
    /// What was answered last; may be empty.
    pub answer: String,
}

/// What the page of the inbox needs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct InboxView {
    /// The frame.
    pub frame: Frame,
    /// The messages, newest first.
    pub notices: Vec<NoticeLine>,
    /// The last message of this page, when older ones exist.
    pub older_before: Option<String>,
    /// What comes by e-mail, where that can be chosen.
    pub mail: Option<MailLine>,
}

/// What comes by e-mail.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MailLine {
    /// The choice in force.
    pub chosen: String,
    /// What can be chosen, and what it is in words.
    pub choices: Vec<(String, String)>,
}

/// One message in an inbox.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct NoticeLine {
    /// Its id.
    pub id: String,
    /// What it says.
    pub text: String,
    /// What it is about: ids.
    pub about: String,
    /// Where to look.
    pub href: String,
    /// When it came.
    pub since_unix_s: i64,
    /// Whether it was read.
    pub is_read: bool,
}
