//! What each page needs, as plain data. The server fills these and nothing else; a page is a function
//! of one of them. Instants are Unix seconds in UTC; shares are fractions of one; texts are unescaped.
pub mod access_review;
pub mod account;
pub mod admin;
pub mod audit;
pub mod check;
pub mod data;
pub mod definition;
pub mod error;
pub mod frame;
pub mod indicator;
pub mod jobs;
pub mod limits;
pub mod login;
pub mod marts;
pub mod overview;
pub mod quality;
pub mod rbqm;
pub mod report;
pub mod signal;
pub mod signature;
pub mod site_tests;
pub mod studies;
pub mod subjects;
pub mod webhooks;

pub use access_review::{AccessLine, AccessReviewView};
pub use account::{AccountView, SecondFactorState, SessionLine, TokenLine};
pub use admin::{
    AccountLine, AccountsView, AdminAccountView, AdminView, FilledAccount, GrantLine, IdentityLine,
    OwnedSession, OwnedToken,
};
pub use audit::{AuditEvent, AuditEventView, AuditView, StandingFacts, Verification};
pub use check::{CheckSeverity, ChecksView, FailingCheck};
pub use data::{BatchRow, BatchState, DataView, QuarantineReason, SnapshotRow, SnapshotState, TableRow};
pub use definition::{Definition, DefinitionChange, Downloads};
pub use error::ErrorView;
pub use frame::{Choice, Frame, Person, SnapshotLine, Tab, Theme};
pub use indicator::{Bound, BoundPoint, IndicatorView, SiteCourse};
pub use jobs::{JobLine, JobStanding, JobsView, ScheduleLine};
pub use limits::{AlarmState, LimitActLine, LimitMethod, LimitRow, LimitSnapshot, LimitsView};
pub use login::{LoginState, LoginView};
pub use marts::{MartAlert, MartColumn, MartRow, MartRunRow, MartTest, MartTiming, MartView, MartsView};
pub use overview::{KeyCount, OverviewView};
pub use quality::{MissingnessRow, QualityView, VisitLabel};
pub use rbqm::{LimitVerdict, NotApplicable, RbqmView, ToleranceLimit};
pub use report::{Cell, Limit, Line, LineKind, Place, Plot, ReportView, Section, Table};
pub use signal::{Flag, Indicator, Metric, MonitoredBy, Scored, Signal, SiteRow};
pub use signature::{SignatureLine, SignaturesView, ToSign};
pub use site_tests::{
    SiteTestCell, SiteTestRow, SiteTestView, SiteTestsRow, SiteTestsView, SubjectValues, VariableValues,
};
pub use studies::{StudiesView, StudyRow};
pub use subjects::{
    Corrections, RowCorrection, SiteSubjectsView, SourceCorrection, SubjectContribution, SubjectRowsView,
};
pub use webhooks::{DeliveryLine, EndpointLine, InboxView, MailLine, NoticeLine, WebhookView, WebhooksView};
