//! Data entry: when a page is entered, which of its items are empty, wrong at first, changed or queried.

use std::borrow::Cow;

use chrono::NaiveDate;
use libm::log;

use super::anomaly::AnomalyKind;
use super::calendar::{after, is_closed, next_working_day};
use super::draw::{Draw, logistic, logit, whole};
use super::form::{Field, Form};
use super::history::{Mechanism, Page, Point, Query, Value};
use super::planting::{Mark, Planting};
use super::subject::Subject;

/// Where the pages of one subject are entered.
pub(super) struct Desk<'a, 'w> {
    subject: &'a Subject<'w>,
    marks: &'a mut Vec<Mark>,
    entry: Draw,
    points: Draw,
    queries: Draw,
    planted: Draw,
}

/// A page to be entered.
pub(super) struct Order<'w> {
    pub(super) id: String,
    pub(super) form: &'w Form,
    pub(super) visit: Cow<'w, str>,
    pub(super) visit_number: Option<f64>,
    pub(super) date: NaiveDate,
    /// One for each field of the form.
    pub(super) answers: Vec<Answer<'w>>,
    /// Who keeps it back, and for how many days.
    pub(super) kept_back: Option<(&'w Planting, i64)>,
    /// Whether nothing may be missing.
    pub(super) is_complete: bool,
}

/// The answer to a question, as it is and as it is written down.
#[derive(Clone, Copy)]
pub(super) struct Answer<'w> {
    pub(super) truth: Value,
    pub(super) recorded: Value,
    /// Standard deviations from the usual, on which some mechanisms depend.
    pub(super) deviation: f64,
    pub(super) altered_by: Option<&'w Planting>,
}

impl Answer<'_> {
    /// An answer that is written down as it is.
    pub(super) fn of(truth: Value) -> Self {
        Self { truth, recorded: truth, deviation: 0.0, altered_by: None }
    }
}

impl<'w> Order<'w> {
    /// A page of a log; its id and visit are still to be given.
    pub(super) fn log(form: &'w Form, date: NaiveDate, answers: Vec<Answer<'w>>) -> Self {
        Self {
            id: String::new(),
            form,
            visit: Cow::Borrowed(""),
            visit_number: None,
            date,
            answers,
            kept_back: None,
            is_complete: false,
        }
    }
}

/// What the points of one page have in common.
struct Sheet<'p> {
    id: &'p str,
    date: NaiveDate,
    entered: NaiveDate,
    /// The probability that an item is missing at random given site, visit and age.
    missing_at_random: f64,
    is_complete: bool,
}

impl<'a, 'w> Desk<'a, 'w> {
    /// The desk of a subject.
    pub(super) fn new(subject: &'a Subject<'w>, marks: &'a mut Vec<Mark>) -> Self {
        let stream = |process| subject.stream(process);
        let (entry, points, queries) = (stream("entry"), stream("points"), stream("queries"));
        Self { subject, marks, entry, points, queries, planted: stream("planted entry") }
    }

    /// Notes that an anomaly has touched a record.
    pub(super) fn note(&mut self, mark: Mark) {
        self.marks.push(mark);
    }

    /// Enters a page.
    pub(super) fn enter(&mut self, order: Order<'w>) -> Page<'w> {
        let Order { id, form, visit, visit_number, date, answers, kept_back, is_complete } = order;
        let delay = self.subject.planted.on(AnomalyKind::DelayedEntry, date);
        let day = self.entry_day(date, delay.map_or(1.0, |planting| planting.magnitude));
        let entered = self.entry.moment(after(day, kept_back.map_or(0, |(_, days)| days)));
        let known = entered.date();
        let late = delay.into_iter().chain(kept_back.map(|(planting, _)| planting));
        self.marks.extend(late.map(|planting| planting.mark("dataent", id.clone(), known)));
        let sheet = Sheet {
            id: &id,
            date,
            entered: known,
            missing_at_random: self.missing_at_random(visit_number),
            is_complete,
        };
        let fields = form.fields.iter().zip(answers).enumerate();
        let points =
            fields.map(|(index, (field, answer))| self.point(&sheet, index, field, answer)).collect();
        Page { id, form, visit, visit_number, date, entered, lag: (known - date).num_days(), points }
    }

    /// The day of entry: with a share the day of the visit, otherwise log-normal days later; half of what would be
    /// entered on a closed day waits for the next open one.
    fn entry_day(&mut self, date: NaiveDate, delay: f64) -> NaiveDate {
        let lag = self.subject.world.entry_lag;
        let at_once = self.entry.chance(lag.zero);
        let drawn = self.entry.log_normal(lag.median * self.subject.site.effects.entry_lag, lag.sigma);
        let waits = self.entry.chance(0.5);
        let days = if at_once && delay <= 1.0 { 0 } else { whole(drawn * delay - 0.2).clamp(0, 5_000) };
        let (day, country) = (after(date, days), self.subject.site.country.code);
        if waits && days > 0 && is_closed(day, country) { next_working_day(day, country) } else { day }
    }

    fn missing_at_random(&self, visit_number: Option<f64>) -> f64 {
        const MIDDLE_VISIT: f64 = 5.0;
        let (subject, rates) = (self.subject, &self.subject.world.plan.rates);
        if rates.item_missing_mar <= 0.0 || subject.site.effects.missing <= 0.0 {
            return 0.0;
        }
        let visits = visit_number.map_or(0.0, |number| number - MIDDLE_VISIT);
        let age = (subject.age - 52) as f64 / 12.0;
        let slopes = rates.item_missing_mar_visit * visits + rates.item_missing_mar_age * age;
        logistic(logit(rates.item_missing_mar) + log(subject.site.effects.missing) + slopes)
    }

    fn point(&mut self, sheet: &Sheet<'_>, index: usize, field: &Field, answer: Answer<'w>) -> Point {
        let id = || point_id(sheet.id, index);
        let (missing, withheld_by) = self.missing(sheet, field, &answer);
        let (changes, groomed_by) = self.changes(sheet);
        let is_corrected =
            self.points.chance(self.subject.world.plan.rates.corrections) && !changes.is_empty();
        let mistaken = if is_corrected { slip(answer.recorded) } else { None };
        let (query, queried_by) = self.query(sheet, missing.is_some(), answer.deviation);
        let altered_by = answer.altered_by.filter(|_| missing.is_none()).or(withheld_by);
        for planting in [altered_by, groomed_by].into_iter().flatten() {
            self.marks.push(planting.mark("datachg", id(), sheet.entered));
        }
        if let (Some(planting), Some(query)) = (queried_by, &query) {
            self.marks.push(planting.mark("query", query_id(&id()), query.opened));
        }
        Point {
            truth: answer.truth,
            recorded: answer.recorded,
            mistaken,
            missing,
            changes,
            query,
            altered_by: altered_by.map(|planting| planting.index),
        }
    }

    /// Why an item is empty, and who planted that.
    fn missing(
        &mut self,
        sheet: &Sheet<'_>,
        field: &Field,
        answer: &Answer<'w>,
    ) -> (Option<Mechanism>, Option<&'w Planting>) {
        // Log odds at the usual value, so that the planted mechanism is rare where values are.
        const PLANTED_LOG_ODDS: f64 = -3.5;
        if !field.may_lack {
            return (None, None);
        }
        let rates = &self.subject.world.plan.rates;
        let draws = [self.points.uniform(), self.points.uniform(), self.points.uniform()];
        let planted = self.subject.planted.on(AnomalyKind::MnarMissingness, sheet.date).filter(|planting| {
            self.planted.chance(logistic(PLANTED_LOG_ODDS + planting.magnitude * answer.deviation))
        });
        if sheet.is_complete {
            return (None, None);
        }
        let not_at_random = || {
            rates.item_missing_mnar > 0.0 && {
                let slope = rates.item_missing_mnar_value * answer.deviation;
                draws[2] < logistic(logit(rates.item_missing_mnar) + slope)
            }
        };
        if draws[0] < rates.item_missing_mcar {
            (Some(Mechanism::Mcar), None)
        } else if draws[1] < sheet.missing_at_random {
            (Some(Mechanism::Mar), None)
        } else if not_at_random() {
            (Some(Mechanism::Mnar), None)
        } else {
            (planted.map(|_| Mechanism::Mnar), planted)
        }
    }

    /// The days of a point's changes, all within a week of entry, and who planted one.
    fn changes(&mut self, sheet: &Sheet<'_>) -> (Vec<NaiveDate>, Option<&'w Planting>) {
        const WITHIN_DAYS: f64 = 7.0;
        let (rates, site) = (&self.subject.world.plan.rates, self.subject.site);
        let mut days = Vec::new();
        if self.points.chance(rates.changed * site.effects.changes) {
            let beyond_first = rates.changes_mean / rates.changed.max(1e-9) - 1.0;
            for _ in 0..=self.points.poisson(beyond_first.max(0.0)) {
                days.push(after(sheet.entered, whole(WITHIN_DAYS * self.points.uniform() - 0.5).max(0)));
            }
        }
        let groomed = self.subject.planted.on(AnomalyKind::ChangesBeforeMonitoring, sheet.entered);
        let groomed = groomed.filter(|planting| self.planted.chance(planting.magnitude));
        if groomed.is_some() {
            let before = after(site.next_monitoring(sheet.entered), -self.planted.days(1, 3));
            days.push(before.max(sheet.entered));
        }
        days.sort_unstable();
        (days, groomed)
    }

    /// Opens a query now and then, more often on an empty item or an unusual value. To be answered and to be closed
    /// without an answer compete; a few queries are forgotten.
    // Source: queries of clindata: 70 % by the system at entry, 20 % by the monitor at the next visit, 10 % by data
    // management; closed after a median of 6 days, 90 % within 18.
    fn query(
        &mut self,
        sheet: &Sheet<'_>,
        is_missing: bool,
        deviation: f64,
    ) -> (Option<Query>, Option<&'w Planting>) {
        const MISSING_FACTOR: f64 = 5.0;
        const UNUSUAL_FACTOR: f64 = 3.0;
        const UNUSUAL_DEVIATIONS: f64 = 2.5;
        let (rates, site) = (&self.subject.world.plan.rates, self.subject.site);
        let more = self.subject.planted.on(AnomalyKind::HighQueryRate, sheet.entered);
        let unusual = if deviation.abs() > UNUSUAL_DEVIATIONS { UNUSUAL_FACTOR } else { 1.0 };
        let rule = if is_missing { MISSING_FACTOR } else { unusual };
        let share = rates.queries_per_point * site.effects.queries * rule;
        let u = self.queries.uniform();
        if u >= share * more.map_or(1.0, |planting| planting.magnitude) {
            return (None, None);
        }
        let (source, opened) = match self.queries.weighted([0.7, 0.2, 0.1].into_iter()) {
            0 => ("System", sheet.entered),
            1 => ("Site Monitor", site.next_monitoring(sheet.entered)),
            _ => ("Data Management", after(sheet.entered, whole(30.0 * self.queries.exponential()))),
        };
        let slow = self.subject.planted.on(AnomalyKind::QueryAgeing, opened);
        let (answered, closed) = self.answer(opened, slow.map_or(1.0, |planting| planting.magnitude));
        let planted = slow.or(more.filter(|_| u >= share));
        (Some(Query { source, opened, answered, closed }), planted)
    }

    fn answer(&mut self, opened: NaiveDate, slowness: f64) -> (Option<NaiveDate>, Option<NaiveDate>) {
        let rates = &self.subject.world.plan.rates;
        let answer = rates.query_days_to_answer * self.queries.exponential() * slowness;
        let close = rates.query_days_to_close * self.queries.exponential() * slowness;
        let review = rates.query_days_to_review * self.queries.exponential() * slowness;
        if self.queries.chance(rates.query_stale) {
            (None, None)
        } else if close < answer {
            (None, Some(after(opened, whole(close))))
        } else {
            (Some(after(opened, whole(answer))), Some(after(opened, whole(answer + review))))
        }
    }
}

/// A point's name among records.
pub(super) fn point_id(page: &str, index: usize) -> String {
    format!("{page}-{:02}", index + 1)
}

/// A query's name among records.
pub(super) fn query_id(point: &str) -> String {
    format!("{point}-Q")
}

/// What a value is easily mistaken for.
fn slip(value: Value) -> Option<Value> {
    match value {
        Value::Whole(value) => Some(Value::Whole(value + if value >= 40 { 10 } else { 1 })),
        Value::Tenths(value) => Some(Value::Tenths(value + 10)),
        Value::Day(day) => Some(Value::Day(after(day, -1))),
        Value::Text(_) => None,
    }
}
