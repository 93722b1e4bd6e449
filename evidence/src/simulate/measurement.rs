//! The pages of a visit: what is asked, and what subjects' bodies and questionnaires answer.

use chrono::NaiveDate;

use super::anomaly::AnomalyKind;
use super::calendar::after;
use super::draw::{Draw, whole};
use super::entry::{Answer, Desk, Order};
use super::form::Form;
use super::history::{Enrolment, History, Page, Value, Visit};
use super::subject::Subject;
use super::walk::{Shape, Walk};
use super::words::{CONDITIONS, MEDICINES};

/// Blood pressures and pulse: half of what is not the subject's own level is remembered until the next visit.
const VITAL: Shape = Shape { level: 0.7, noise: 0.06, memory: 0.5 };

/// Mean, standard deviation, and the least and largest value of a vital sign in whole numbers.
const VITALS: [(f64, f64, i64, i64); 3] =
    [(130.0, 14.0, 70, 240), (80.0, 9.0, 40, 140), (72.0, 10.0, 35, 180)];

/// The levels that a subject's values move around.
struct Body {
    vitals: [Walk; 3],
    weight: f64,
    age: f64,
}

impl Body {
    fn draw(subject: &Subject<'_>, draw: &mut Draw) -> Self {
        let systolic = draw.normal();
        // Both pressures rise together.
        let diastolic = 0.6 * systolic + 0.8 * draw.normal();
        let levels = [systolic, diastolic, draw.normal()];
        let heavier = if subject.sex == "M" { 12.0 } else { 0.0 };
        Self {
            weight: 74.0 + heavier + 12.0 * draw.normal(),
            age: 0.3 * (subject.age - 52) as f64,
            vitals: levels.map(|level| Walk::new(VITAL, level, draw)),
        }
    }
}

/// The pages of every visit.
pub(super) fn draw<'w>(history: &History<'w>, desk: &mut Desk<'_, 'w>) -> Vec<Page<'w>> {
    let subject = &history.subject;
    let mut draw = subject.body_stream("measurements");
    let mut tricks = subject.stream("planted measurements");
    let mut body = Body::draw(subject, &mut draw);
    let mut pages = Vec::new();
    for visit in &history.visits {
        body.weight += 0.6 * draw.normal();
        for form in forms(history, visit) {
            let answers = answers(history, form, visit, &mut body, (&mut draw, &mut tricks));
            let id = format!("{}-V{}-{}", subject.id, visit.number, form.code);
            pages.push(desk.enter(order(id, form, visit, answers)));
        }
        if visit.number == 1.0 {
            pages.extend(background(history, visit, desk));
        }
    }
    pages
}

fn order<'w>(id: String, form: &'w Form, visit: &Visit<'w>, answers: Vec<Answer<'w>>) -> Order<'w> {
    Order {
        id,
        visit: visit.name.clone(),
        visit_number: Some(visit.number),
        is_complete: visit.is_made_up,
        ..Order::log(form, visit.date, answers)
    }
}

/// The forms due at a visit. Treatment is asked for while it lasts.
fn forms<'w>(history: &History<'w>, visit: &Visit<'_>) -> Vec<&'w Form> {
    let forms = &history.subject.world.forms;
    if visit.number == 1.0 {
        return vec![&forms.demography, &forms.eligibility, &forms.vital_signs, &forms.laboratory];
    }
    let mut due = vec![&forms.vital_signs, &forms.laboratory];
    if visit.planned.is_some() {
        if !forms.questionnaire.fields.is_empty() {
            due.push(&forms.questionnaire);
        }
        match history.enrolment {
            Enrolment::Enrolled(course) if visit.date <= course.treatment_end => due.push(&forms.exposure),
            _ => {}
        }
    }
    due
}

/// Conditions and medicines from before the study, a page each.
fn background<'w>(history: &History<'w>, visit: &Visit<'w>, desk: &mut Desk<'_, 'w>) -> Vec<Page<'w>> {
    const CONDITIONS_MEAN: f64 = 1.2;
    const MEDICINES_MEAN: f64 = 0.8;
    let subject = &history.subject;
    let forms = &subject.world.forms;
    let mut draw = subject.body_stream("background");
    let mut pages = Vec::new();
    let first = draw.below(CONDITIONS.len());
    for number in 0..usize::try_from(draw.poisson(CONDITIONS_MEAN)).unwrap_or(0).min(CONDITIONS.len()) {
        let (condition, _) = CONDITIONS[(first + number) % CONDITIONS.len()];
        let since = after(subject.screened, -draw.days(100, 5_100));
        let answers = [Value::Text(condition), Value::Day(since)].map(Answer::of);
        let id = format!("{}-V1-MH-{}", subject.id, number + 1);
        pages.push(desk.enter(order(id, &forms.medical_history, visit, answers.into())));
    }
    let first = draw.below(MEDICINES.len());
    for number in 0..usize::try_from(draw.poisson(MEDICINES_MEAN)).unwrap_or(0).min(MEDICINES.len()) {
        let (medicine, dose, _) = MEDICINES[(first + number) % MEDICINES.len()];
        let answers = [Value::Text(medicine), Value::Whole(dose)].map(Answer::of);
        let id = format!("{}-V1-CM-{}", subject.id, number + 1);
        pages.push(desk.enter(order(id, &forms.medication, visit, answers.into())));
    }
    pages
}

/// What the subject's items of a form are at a visit.
fn answers<'w>(
    history: &History<'w>,
    form: &Form,
    visit: &Visit<'_>,
    body: &mut Body,
    (draw, tricks): (&mut Draw, &mut Draw),
) -> Vec<Answer<'w>> {
    let subject = &history.subject;
    match form.code {
        "DM" => [Value::Whole(subject.age), Value::Text(subject.sex), Value::Text(subject.race)]
            .map(Answer::of)
            .into(),
        "IE" => eligibility(history),
        "VS" => vital_signs(subject, visit.date, body, draw, tricks),
        "LB" => {
            let fasting = if draw.chance(0.8) { "Y" } else { "N" };
            [Value::Text("Y"), Value::Day(visit.date), Value::Text(fasting)].map(Answer::of).into()
        }
        "QS" => {
            // A score from 0 to 4, which the subject's illness moves.
            let mut answer = || {
                let deviation = 0.75 * subject.severity + 0.66 * draw.normal();
                let value = Value::Whole(whole(1.5 + 1.2 * deviation).clamp(0, 4));
                Answer { deviation, ..Answer::of(value) }
            };
            form.fields.iter().map(|_| answer()).collect()
        }
        _ => exposure(subject, visit, draw),
    }
}

fn eligibility<'w>(history: &History<'w>) -> Vec<Answer<'w>> {
    let subject = &history.subject;
    let is_met = matches!(history.enrolment, Enrolment::Enrolled(_)) && history.broken_criterion.is_none();
    let late = subject.planted.find(AnomalyKind::LateConsent);
    let lapse = subject.planted.find(AnomalyKind::EligibilityLapses);
    let consent = Answer {
        altered_by: late.filter(|_| history.consent > subject.screened),
        ..Answer::of(Value::Day(history.consent))
    };
    let met = Answer {
        altered_by: lapse.filter(|_| history.broken_criterion.is_some()),
        ..Answer::of(Value::Text(if is_met { "Y" } else { "N" }))
    };
    vec![consent, met]
}

fn vital_signs<'w>(
    subject: &Subject<'w>,
    date: NaiveDate,
    body: &mut Body,
    draw: &mut Draw,
    tricks: &mut Draw,
) -> Vec<Answer<'w>> {
    let copied = subject.planted.on(AnomalyKind::CopiedVitals, date);
    let rounded = subject.planted.on(AnomalyKind::DigitPreference, date);
    let spread = copied.map_or(1.0, |planting| planting.magnitude);
    let mut answers = Vec::with_capacity(5);
    for (index, (mean, sd, least, most)) in VITALS.into_iter().enumerate() {
        let innovation = draw.normal();
        let (level, around) = body.vitals[index].step(innovation, draw);
        let mean = if index == 0 { mean + body.age } else { mean };
        let value_of = |around: f64| whole(mean + sd * (level + around)).clamp(least, most);
        let (truth, mut recorded) = (value_of(around), value_of(spread * around));
        let rounds = rounded.filter(|planting| tricks.chance(planting.magnitude));
        if rounds.is_some() {
            recorded = (recorded + 5) / 10 * 10;
        }
        answers.push(Answer {
            truth: Value::Whole(truth),
            recorded: Value::Whole(recorded),
            deviation: level + around,
            altered_by: rounds.or(copied),
        });
    }
    answers.push(Answer::of(Value::Tenths(366 + whole(3.0 * draw.normal()))));
    answers.push(Answer::of(Value::Tenths(whole(10.0 * body.weight.max(35.0)))));
    answers
}

/// A bottle of 28 tablets, some of which come back.
fn exposure<'w>(subject: &Subject<'w>, visit: &Visit<'_>, draw: &mut Draw) -> Vec<Answer<'w>> {
    const TABLETS: i64 = 28;
    let returned = draw.poisson(2.0).min(TABLETS);
    let perfect = subject.planted.find(AnomalyKind::PerfectAdherence).filter(|_| visit.is_made_up);
    let claimed = if perfect.is_some() { 0 } else { returned };
    let counted = |truth: i64, recorded: i64| Answer {
        recorded: Value::Whole(recorded),
        altered_by: perfect,
        ..Answer::of(Value::Whole(truth))
    };
    vec![
        // Blinded: the tablets of both arms look alike.
        Answer::of(Value::Whole(50)),
        counted(TABLETS - returned, TABLETS - claimed),
        counted(returned, claimed),
    ]
}
