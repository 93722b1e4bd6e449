//! `cairn admin access-review`.

use clap::{Args, ValueEnum};
use control::{AccessReview, Actor, Order};

use super::tenant_called;
use crate::access_list::csv;
use crate::app::App;
use crate::cli::say::say;
use crate::error::{Failure, Result};

/// Which list, in which form, and whether it is signed off.
#[derive(Debug, Args)]
pub(crate) struct ReviewArgs {
    /// The tenant, by its short name.
    tenant: String,
    /// The form: lines for people, or comma-separated text for a file.
    #[arg(long, value_enum, default_value = "text")]
    format: Form,
    /// Sign the list off that has this hash; the list prints it.
    #[arg(long, value_name = "SHA256", requires = "reason")]
    sign: Option<String>,
    /// What came of the review, without naming a person; it is recorded for ever.
    #[arg(long, requires = "sign")]
    reason: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Form {
    Text,
    Csv,
}

pub(super) async fn run(app: &App, arguments: ReviewArgs) -> Result<()> {
    let tenant = tenant_called(app, &arguments.tenant).await?;
    if let Some(sha256) = arguments.sign {
        let order = Order { actor: &Actor::Operator, reason: arguments.reason.as_deref(), trace: None };
        app.control.sign_access_review(order, tenant.id, &sha256).await?;
        say!("the review of {} is signed off", tenant.slug);
        return Ok(());
    }
    let review = app.control.access_review(&Actor::Operator, tenant.id).await?;
    match arguments.format {
        Form::Csv => say!("{}", csv(&review).trim_end()),
        Form::Text => print(&review),
    }
    if review.is_overdue() {
        let due = review.due_at.format("%Y-%m-%d");
        return Err(Failure::Verdict {
            code: 1,
            text: format!("the review was due on {due}: sign it off with --sign"),
        });
    }
    Ok(())
}

fn print(review: &AccessReview) {
    let day = |at: chrono::DateTime<chrono::Utc>| at.format("%Y-%m-%d").to_string();
    let used = |at: Option<chrono::DateTime<chrono::Utc>>| at.map_or_else(|| "never".to_owned(), day);
    let marks = |marks: &[control::ReviewMark]| {
        marks.iter().map(|mark| format!("  !{}", mark.name())).collect::<String>()
    };
    for entry in &review.entries {
        let study = entry.held.grant.study.as_ref().map_or("*", |study| study.as_str());
        say!(
            "{:<36}{:<16}{:<20}since {}  by {}  last used {}{}",
            entry.email,
            entry.held.grant.role.name(),
            study,
            day(entry.held.granted_at),
            entry.held.granted_by.as_deref().unwrap_or("unknown"),
            used(entry.last_used_at),
            marks(&entry.marks)
        );
    }
    for entry in &review.tokens {
        let token = &entry.token;
        say!(
            "{:<36}token {} ({})  ends {}  last used {}{}",
            entry.email,
            token.id,
            token.label,
            day(token.ends_at),
            used(token.last_used_at),
            marks(&entry.marks)
        );
    }
    say!(
        "marked {}; last review {}; due {}",
        review.marked(),
        used(review.last.as_ref().map(|last| last.at)),
        day(review.due_at)
    );
    say!("list {}", review.sha256);
}
