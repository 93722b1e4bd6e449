//! Subjects: who they are, and the making of their story.

use chrono::{NaiveDate, NaiveDateTime};

use super::adverse_event;
use super::anomaly::AnomalyKind;
use super::calendar::{after, working_day};
use super::course;
use super::deviation;
use super::draw::{Draw, whole};
use super::entry::Desk;
use super::history::{Course, Enrolment, History};
use super::lab;
use super::measurement;
use super::planting::{Mark, PlantedHere};
use super::site::Site;
use super::visit;
use super::words::CRITERIA;
use super::world::World;

/// One screened subject.
pub(super) struct Subject<'w> {
    pub(super) world: &'w World<'w>,
    pub(super) site: &'w Site,
    pub(super) id: String,
    /// What the data-capture system calls the subject.
    pub(super) edc_name: String,
    /// Whose body it is: the subject itself, or the one that it is a copy of.
    pub(super) origin: Origin<'w>,
    pub(super) planted: PlantedHere<'w>,
    pub(super) screened: NaiveDate,
    pub(super) created: NaiveDateTime,
    pub(super) age: i64,
    pub(super) sex: &'static str,
    pub(super) race: &'static str,
    pub(super) arm: Arm,
    /// How ill the subject is: standard normal. It moves the questionnaire.
    pub(super) severity: f64,
    /// A factor of mean 1 on the rate of adverse events.
    pub(super) frailty: f64,
}

/// The subject whose random numbers shape body and visits.
pub(super) struct Origin<'w> {
    pub(super) site: &'w Site,
    pub(super) id: String,
}

/// What a subject is treated with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arm {
    Active,
    Placebo,
}

impl Arm {
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Active => "A",
            Self::Placebo => "P",
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Active => "COMPOUND C 50 MG",
            Self::Placebo => "PLACEBO",
        }
    }
}

impl<'w> Subject<'w> {
    /// The subject of a site by number, from 1 on.
    fn draw(world: &'w World<'w>, site: &'w Site, number: usize) -> Self {
        let id = subject_id(site, number);
        let planted = PlantedHere::of(&world.plantings, site, &id);
        let origin = origin(world, site, number, &planted);
        let screened = site.screenings[number - 1];
        let stream = |id: &str, process: &str| {
            Draw::new(world.seed, &format!("{}/subject/{id}/{process}", world.plan.study))
        };
        let mut frame = stream(&origin.id, "frame");
        let mut latent = stream(&origin.id, "latent");
        Self {
            world,
            site,
            edc_name: format!("{id}-XXXX"),
            created: stream(&id, "created").moment(screened),
            origin,
            planted,
            screened,
            age: whole(52.0 + 12.0 * frame.normal()).clamp(18, 85),
            sex: if frame.chance(0.5) { "F" } else { "M" },
            race: ["White", "Asian", "Black", "Other"][frame.weighted([0.7, 0.15, 0.1, 0.05].into_iter())],
            arm: if frame.chance(0.5) { Arm::Active } else { Arm::Placebo },
            severity: latent.normal(),
            frailty: latent.frailty(world.plan.rates.adverse_events_subject_variance),
            id,
        }
    }

    /// The stream of one of the subject's own processes.
    pub(super) fn stream(&self, process: &str) -> Draw {
        Draw::new(self.world.seed, &format!("{}/subject/{}/{process}", self.world.plan.study, self.id))
    }

    /// The stream of a process of the body; a copied subject has that of the one it is a copy of.
    pub(super) fn body_stream(&self, process: &str) -> Draw {
        Draw::new(self.world.seed, &format!("{}/subject/{}/{process}", self.world.plan.study, self.origin.id))
    }
}

fn subject_id(site: &Site, number: usize) -> String {
    format!("{}-{number:03}", site.id)
}

/// The neighbouring site's subject of the same number for one of the first subjects of a site that copies, where
/// there is one; otherwise the subject itself.
fn origin<'w>(world: &'w World<'w>, site: &'w Site, number: usize, planted: &PlantedHere<'w>) -> Origin<'w> {
    let copies = planted.find(AnomalyKind::DuplicateSubjects).filter(|planting| {
        number as f64 <= planting.magnitude && planting.has_begun(site.screenings[number - 1])
    });
    let neighbour = if site.index == 0 { world.sites.get(1) } else { world.sites.get(site.index - 1) };
    match neighbour.filter(|neighbour| copies.is_some() && number <= neighbour.screenings.len()) {
        Some(neighbour) => Origin { site: neighbour, id: subject_id(neighbour, number) },
        None => Origin { site, id: subject_id(site, number) },
    }
}

impl<'w> History<'w> {
    /// The story of a site's subject by number, from 1 on.
    pub(super) fn draw(world: &'w World<'w>, site: &'w Site, number: usize) -> Self {
        let subject = Subject::draw(world, site, number);
        let mut marks = Vec::new();
        if let Some(planting) = subject.planted.find(AnomalyKind::DuplicateSubjects)
            && subject.origin.id != subject.id
        {
            marks.push(planting.mark("subj", subject.id.clone(), subject.screened));
        }
        let mut screening = subject.body_stream("screening");
        let country = subject.site.country.code;
        let decided =
            working_day(screening.day(after(subject.screened, 7), after(subject.screened, 18)), country);
        let mut visits = vec![visit::screening(world, subject.screened)];
        let enrolment = if screening.chance(subject.origin.site.effects.screen_failure) {
            Enrolment::Failed(decided)
        } else {
            let (made, last) = visit::draw(&subject, decided, &mut marks);
            let course = course::draw(&subject, decided, last, &mut marks);
            visits.extend(made.into_iter().filter(|visit| visit.date <= course.end));
            marks.retain(|mark: &Mark| mark.known <= course.end);
            Enrolment::Enrolled(course)
        };
        let consent = subject.screened;
        let mut history = Self {
            subject,
            enrolment,
            consent,
            broken_criterion: None,
            transfer: None,
            visits,
            pages: Vec::new(),
            labs: Vec::new(),
            events: Vec::new(),
            deviations: Vec::new(),
            study_end_entered: None,
            treatment_end_entered: None,
            marks,
        };
        history.break_rules();
        history.record();
        history
    }

    /// Consent, criteria and moves: what goes wrong once in a stay.
    fn break_rules(&mut self) {
        const ORDINARY_LAPSES: f64 = 0.005;
        let subject = &self.subject;
        let mut draw = subject.stream("rules");
        let (late, days) = (draw.uniform(), draw.days(1, 5));
        if let Some(planting) = subject.planted.on(AnomalyKind::LateConsent, subject.screened)
            && late < planting.magnitude
        {
            self.consent = after(subject.screened, days);
            self.marks.push(planting.mark("subj", subject.id.clone(), self.consent));
        }
        let Some(course) = self.stay() else { return };
        let (lapse, planted_lapse, criterion) = (draw.uniform(), draw.uniform(), draw.below(CRITERIA.len()));
        let lapses = subject.planted.on(AnomalyKind::EligibilityLapses, course.baseline);
        let lapses = lapses.filter(|planting| planted_lapse < planting.magnitude);
        if lapse < ORDINARY_LAPSES || lapses.is_some() {
            self.broken_criterion = Some(criterion);
        }
        self.marks.extend(lapses.map(|planting| planting.mark("subj", subject.id.clone(), course.baseline)));
        self.move_site(course, draw.uniform());
    }

    fn move_site(&mut self, course: Course, u: f64) {
        const EARLIEST_DAYS: i64 = 28;
        let (subject, sites) = (&self.subject, &self.subject.world.sites);
        let Some(planting) = subject.planted.find(AnomalyKind::SiteTransfer) else { return };
        let day = planting.start.max(after(course.baseline, EARLIEST_DAYS));
        let next = &sites[(subject.site.index + 1) % sites.len()];
        if u < planting.magnitude && day < course.end && next.index != subject.site.index {
            self.marks.push(planting.mark("subj", subject.id.clone(), day));
            self.transfer = Some((day, next));
        }
    }

    /// What is written down: pages, results, events, deviations and the end.
    fn record(&mut self) {
        let mut marks = std::mem::take(&mut self.marks);
        let mut desk = Desk::new(&self.subject, &mut marks);
        let mut pages = measurement::draw(self, &mut desk);
        let (events, event_pages) = adverse_event::draw(self, &mut desk);
        pages.extend(event_pages);
        let ends = course::ends(self, &mut desk);
        let labs = lab::draw(self, &mut marks);
        let deviations = deviation::draw(self, &mut marks);
        if let Some((page, study_end, treatment_end)) = ends {
            pages.push(page);
            self.study_end_entered = Some(study_end);
            self.treatment_end_entered = Some(treatment_end);
        }
        for visit in &mut self.visits {
            let first = pages.iter().find(|page| page.visit_number == Some(visit.number));
            visit.entered = first.map_or(visit.entered, |page| page.entered);
        }
        (self.pages, self.labs, self.events, self.deviations) = (pages, labs, events, deviations);
        self.marks = marks;
    }
}
