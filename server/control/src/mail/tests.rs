use super::*;

fn settings() -> MailSettings {
    MailSettings {
        host: "127.0.0.1".to_owned(),
        port: None,
        security: MailSecurity::Plain,
        sender: "Cairn <cairn@acme.example>".to_owned(),
        user: None,
        password_file: None,
    }
}

fn letter(to: &str, to_name: &str, subject: &str) -> Letter {
    let at = DateTime::from_timestamp(1_795_000_000, 0).expect("the time is valid");
    let (to, to_name, subject) = (to.to_owned(), to_name.to_owned(), subject.to_owned());
    Letter { to, to_name, subject, text: "It happened.\n".to_owned(), id: "0198".to_owned(), at }
}

fn written(letter: &Letter) -> String {
    let mailer = Mailer::open(&settings()).expect("the settings are good");
    let message = mailer.message(letter).expect("the letter can be written");
    String::from_utf8(message.formatted()).expect("it is text")
}

/// The names of the headers. A line that begins with a space belongs to the one before: RFC 5322, section 2.2.3.
fn header_names(message: &str) -> Vec<&str> {
    let (head, _) = message.split_once("\r\n\r\n").expect("an empty line ends the headers");
    let lines = head.split("\r\n").filter(|line| !line.starts_with([' ', '\t']));
    lines.map(|line| line.split(':').next().unwrap_or_default()).collect()
}

const NAMES: [&str; 8] = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "Content-Type",
    "Content-Transfer-Encoding",
];

#[test]
fn a_hostile_subject_or_name_begins_no_header_of_its_own() {
    for hostile in [
        "done\r\nBcc: thief@evil.example",
        "done\nBcc: thief@evil.example\n\nnew body",
        "done\rBcc: thief@evil.example",
        "done\r\n\r\nnew body",
        "done\u{2028}Bcc: thief@evil.example\0",
        "=?utf-8?b?DQpCY2M6IHRoaWVmQGV2aWwuZXhhbXBsZQ==?=",
        "\u{fc}ber \u{1f9ea} \"; drop",
    ] {
        let message = written(&letter("you@acme.example", hostile, hostile));
        let mut names = header_names(&message);
        let known = names.len();
        names.retain(|name| NAMES.contains(name));
        assert_eq!((names.len(), known), (NAMES.len(), NAMES.len()), "{message}");
        assert!(message.ends_with("\r\n\r\nIt happened.\r\n"), "{message}");
    }
}

#[test]
fn an_address_that_holds_more_than_one_is_refused_before_anything_is_sent() {
    let mailer = Mailer::open(&settings()).expect("the settings are good");
    for hostile in [
        "you@acme.example\r\nRCPT TO:<thief@evil.example>",
        "you@acme.example>, <thief@evil.example",
        "nobody",
        "",
    ] {
        let outcome = mailer.send(&letter(hostile, "", "done"));
        assert!(matches!(outcome, MessageOutcome::Refused { status: NO_SUCH_FORM, .. }), "{outcome:?}");
    }
}

/// The date is the instant by hand: 1 795 000 000 seconds after 1970 are the 18th of November 2026, 11:06:40 UTC.
#[test]
fn a_letter_says_whom_it_is_from_and_that_a_machine_wrote_it() {
    let message = written(&letter("you@acme.example", "You", "[Cairn] A job failed"));
    for line in [
        "From: Cairn <cairn@acme.example>",
        "To: You <you@acme.example>",
        "Subject: [Cairn] A job failed",
        "Date: Wed, 18 Nov 2026 11:06:40 +0000",
        "Message-ID: <0198@acme.example>",
        "Auto-Submitted: auto-generated",
        "Content-Type: text/plain; charset=utf-8",
    ] {
        assert!(message.split("\r\n").any(|found| found == line), "{line}:\n{message}");
    }
}

#[test]
fn settings_that_would_give_a_letter_or_a_password_away_are_refused() {
    let refused = |settings: MailSettings| Mailer::open(&settings).expect_err("it is refused").to_string();
    let far = refused(MailSettings { host: "mail.acme.example".to_owned(), ..settings() });
    assert!(far.contains("`mail.acme.example` is not on this machine"), "{far}");
    let sender = refused(MailSettings { sender: "nobody".to_owned(), ..settings() });
    assert!(sender.contains("`nobody` is no sender"), "{sender}");
    let half = refused(MailSettings { user: Some("cairn".to_owned()), ..settings() });
    assert!(half.contains("give both or neither"), "{half}");
    let folder = tempfile::tempdir().expect("the system gives temporary folders");
    let file = folder.path().join("password");
    std::fs::write(&file, "hush\n").expect("the folder takes files");
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o644)).expect("it is ours");
    let login = MailSettings { user: Some("cairn".to_owned()), password_file: Some(file), ..settings() };
    let exposed = refused(login);
    assert!(
        exposed.contains("password") && exposed.contains("chmod 600") && !exposed.contains("hush"),
        "{exposed}"
    );
}
