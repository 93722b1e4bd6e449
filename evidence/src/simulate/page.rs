//! Data entry: when a page is entered, which of its items are empty, changed or queried.

use chrono::{NaiveDate, NaiveDateTime};

use super::dataset::{PageRow, PointRow, QueryRow};
use super::draw::{Draw, after, whole};
use super::error::SimulateError;
use super::extract::Extract;
use super::site::Planting;
use super::subject::Subject;

/// A form of the case-report form.
pub(super) struct Form {
    pub(super) code: &'static str,
    pub(super) fields: &'static [Field],
}

/// An item of a form.
pub(super) struct Field {
    pub(super) code: &'static str,
    pub(super) label: &'static str,
    pub(super) unit: Option<&'static str>,
    /// Whether it can be left empty.
    pub(super) may_lack: bool,
}

/// A form filled in for a subject on a day.
pub(super) struct Page<'a> {
    pub(super) form: &'static Form,
    pub(super) visit: &'a str,
    pub(super) visit_number: Option<f64>,
    pub(super) date: NaiveDate,
    /// One value per field, as it would be if nothing were left out.
    pub(super) values: Vec<String>,
}

/// Where the pages of one subject are entered.
pub(super) struct Desk<'a> {
    subject: &'a Subject<'a>,
    planting: &'a Planting,
    entry: Draw,
    points: Draw,
    queries: Draw,
    pages: u32,
    /// Pages that the extract has and that were entered later than they would have been.
    pub(super) pages_delayed: u64,
}

/// A data point on its way into the extract.
struct Point<'a> {
    page: &'a Page<'a>,
    page_id: &'a str,
    id: String,
    entered: NaiveDate,
    missing: bool,
}

impl<'a> Desk<'a> {
    /// The desk of a subject.
    pub(super) fn new(subject: &'a Subject<'a>, planting: &'a Planting) -> Self {
        let stream = |process| subject.stream(process);
        let (entry, points, queries) = (stream("entry"), stream("points"), stream("queries"));
        Self { subject, planting, entry, points, queries, pages: 0, pages_delayed: 0 }
    }

    /// Enters a page and returns when. The extract gets what is entered by the cut-off.
    pub(super) fn enter(
        &mut self,
        page: &Page<'_>,
        extract: &mut Extract,
    ) -> Result<NaiveDateTime, SimulateError> {
        let lag = self.lag_days(page.date);
        let entered = self.entry.moment(after(page.date, lag));
        self.pages += 1;
        let page_id = format!("{}-{:04}", self.subject.id, self.pages);
        if self.subject.known(entered.date()) {
            self.pages_delayed += u64::from(self.delay(page.date) > 1.0);
            extract.pages.push(PageRow {
                studyid: self.subject.study(),
                subjectname: &self.subject.edc_name,
                pageid: &page_id,
                visnam: page.visit,
                visit_num: page.visit_number,
                form: page.form.code,
                visit_date: page.date,
                data_entry_lag: lag,
            })?;
        }
        for (index, (field, value)) in page.form.fields.iter().zip(&page.values).enumerate() {
            let id = format!("{page_id}-{:02}", index + 1);
            let mut point = Point { page, page_id: &page_id, id, entered: entered.date(), missing: false };
            self.enter_point(&mut point, field, value, extract)?;
            self.query(&point, extract)?;
        }
        Ok(entered)
    }

    /// Log-normal days, rounded: the zeros are the pages entered on the day of the visit.
    fn lag_days(&mut self, visit: NaiveDate) -> i64 {
        const NORMAL_P95: f64 = 1.644_853_626_951_472_2;
        let rates = &self.subject.plan.rates;
        let median = rates.entry_lag_days_median * self.subject.site.effects.entry_lag;
        let sigma = (rates.entry_lag_days_p95 / rates.entry_lag_days_median).ln() / NORMAL_P95;
        whole(self.entry.log_normal(median, sigma) * self.delay(visit)).clamp(0, 5_000)
    }

    fn delay(&self, visit: NaiveDate) -> f64 {
        self.planting.entry_step.filter(|(from, _)| visit >= *from).map_or(1.0, |(_, factor)| factor)
    }

    fn enter_point(
        &mut self,
        point: &mut Point<'_>,
        field: &Field,
        value: &str,
        extract: &mut Extract,
    ) -> Result<(), SimulateError> {
        let rates = &self.subject.plan.rates;
        let effects = &self.subject.site.effects;
        point.missing = self.points.chance(rates.item_missing * effects.missing) && field.may_lack;
        let changed = self.points.chance(rates.changed * effects.changes);
        let changes_beyond_first = rates.changes_mean / rates.changed.max(1e-9) - 1.0;
        let changes = if changed { 1 + self.points.poisson(changes_beyond_first.max(0.0)) } else { 0 };
        if !self.subject.known(point.entered) {
            return Ok(());
        }
        extract.points.push(PointRow {
            studyid: self.subject.study(),
            subjectname: &self.subject.edc_name,
            pageid: point.page_id,
            datapointid: &point.id,
            visnam: point.page.visit,
            visit_num: point.page.visit_number,
            form: point.page.form.code,
            field: field.code,
            fieldlabel: field.label,
            value: (!point.missing).then_some(value),
            unit: field.unit,
            visit_date: point.page.date,
            n_changes: i8::try_from(changes).unwrap_or(i8::MAX),
        })
    }

    /// Opens a query on a data point now and then, more often on an empty one; it is answered and closed later,
    /// and rarely never.
    // Source: queries of clindata: 70 % by the system, 20 % by monitors, 10 % by data management; closed after a
    // median of 6 days, 90 % within 18.
    fn query(&mut self, point: &Point<'_>, extract: &mut Extract) -> Result<(), SimulateError> {
        const SOURCES: [(&str, f64, f64); 3] =
            [("System", 0.7, 0.0), ("Site Monitor", 0.2, 21.0), ("Data Management", 0.1, 30.0)];
        const MISSING_FACTOR: f64 = 5.0;
        const OPEN_DAYS_MEDIAN: f64 = 6.0;
        const OPEN_DAYS_SIGMA: f64 = 0.857;
        const NEVER_ANSWERED: f64 = 0.01;
        let draw = &mut self.queries;
        let factor = if point.missing { MISSING_FACTOR } else { 1.0 };
        let share = self.subject.plan.rates.queries_per_point * self.subject.site.effects.queries;
        if !draw.chance(share * factor) {
            return Ok(());
        }
        let (source, _, delay) = SOURCES[draw.weighted(SOURCES.iter().map(|(_, share, _)| *share))];
        let created = after(point.entered, whole(delay * draw.exponential()));
        let open_days = draw.log_normal(OPEN_DAYS_MEDIAN, OPEN_DAYS_SIGMA);
        let stale = draw.chance(NEVER_ANSWERED);
        if !self.subject.known(created) {
            return Ok(());
        }
        let seen = |day: NaiveDate| Some(day).filter(|day| !stale && self.subject.known(*day));
        let answered = seen(after(created, whole(0.6 * open_days)));
        let resolved = seen(after(created, whole(open_days)));
        let last = resolved.or(answered).unwrap_or(self.subject.plan.cut_off);
        let query_id = format!("{}-Q", point.id);
        extract.queries.push(QueryRow {
            studyid: self.subject.study(),
            subjectname: &self.subject.edc_name,
            queryid: &query_id,
            pageid: point.page_id,
            datapointid: &point.id,
            visnam: point.page.visit,
            querystatus: match (answered, resolved) {
                (_, Some(_)) => "Closed",
                (Some(_), None) => "Answered",
                (None, None) => "Open",
            },
            // The day of opening counts as the first.
            queryage: (last - created).num_days() + 1,
            markinggroup: source,
            created,
            answered,
            resolved,
        })
    }
}
