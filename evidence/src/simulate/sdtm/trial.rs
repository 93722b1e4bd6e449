//! The design of the trial: TS, TA, TE, TV and TI.

use super::super::error::SimulateError;
use super::super::subject::Arm;
use super::super::words::CRITERIA;
use super::super::world::World;
use super::Sdtm;
use super::table::Cell;

/// An element of the trial: code, name, how it starts and ends, and its epoch.
pub(super) struct Element {
    pub(super) code: &'static str,
    pub(super) name: &'static str,
    start: &'static str,
    end: &'static str,
    pub(super) epoch: &'static str,
}

pub(super) const SCREENING: Element = Element {
    code: "SCRN",
    name: "SCREENING",
    start: "Informed consent",
    end: "Decision on enrolment",
    epoch: "SCREENING",
};

/// The element of treatment of an arm.
pub(super) const fn treatment(arm: Arm) -> Element {
    let (code, name) = match arm {
        Arm::Active => ("TRTA", "COMPOUND C 50 MG"),
        Arm::Placebo => ("TRTP", "PLACEBO"),
    };
    Element { code, name, start: "First dose", end: "Last visit", epoch: "TREATMENT" }
}

const ARMS: [Arm; 2] = [Arm::Active, Arm::Placebo];

pub(super) fn write(world: &World<'_>, sdtm: &mut Sdtm) -> Result<(), SimulateError> {
    let study = world.plan.study.as_str();
    write_summary(world, study, sdtm)?;
    let days = format!("P{}D", world.treatment_days());
    let elements = [(SCREENING, "P14D"), (treatment(Arm::Active), &days), (treatment(Arm::Placebo), &days)];
    for (element, duration) in elements {
        let Element { code, name, start, end, .. } = element;
        let row = [study, "TE", code, name, start, end, duration];
        sdtm.te.push(&row.map(Cell::from))?;
    }
    for arm in ARMS {
        for (order, element) in (1_i64..).zip([SCREENING, treatment(arm)]) {
            let branch = if order == 1 { format!("Randomised to {}", arm.name()) } else { String::new() };
            sdtm.ta.push(&[
                study.into(),
                "TA".into(),
                arm.code().into(),
                arm.name().into(),
                order.into(),
                element.code.into(),
                element.name.into(),
                branch.into(),
                Cell::Missing,
                element.epoch.into(),
            ])?;
        }
    }
    for due in &world.schedule {
        let (name, end) = (due.name.to_uppercase(), "All pages of the visit are done");
        let start = format!("Day {}, {} to +{} days", due.day, due.window_lower, due.window_upper);
        let (number, day) = (due.number.into(), due.day.into());
        let cells =
            [study.into(), "TV".into(), number, name.into(), day, Cell::Missing, start.into(), end.into()];
        sdtm.tv.push(&cells)?;
    }
    for (code, category, text) in CRITERIA {
        sdtm.ti.push(&[study, "TI", code, text, category].map(Cell::from))?;
    }
    Ok(())
}

fn write_summary(world: &World<'_>, study: &str, sdtm: &mut Sdtm) -> Result<(), SimulateError> {
    let plan = world.plan;
    let planned = (f64::from(plan.sites) * plan.subjects_per_site).round().to_string();
    let (start, cut_off) = (plan.start.to_string(), plan.cut_off.to_string());
    let parameters = [
        ("ADDON", "Added on to Existing Treatments", "N"),
        ("AGEMAX", "Planned Maximum Age of Subjects", "P85Y"),
        ("AGEMIN", "Planned Minimum Age of Subjects", "P18Y"),
        ("DCUTDTC", "Data Cutoff Date", &cut_off),
        ("INDIC", "Trial Disease/Condition Indication", "RAISED BLOOD SUGAR"),
        ("NARMS", "Planned Number of Arms", "2"),
        ("PLANSUB", "Planned Number of Subjects", planned.as_str()),
        ("RANDOM", "Trial is Randomized", "Y"),
        ("SSTDTC", "Study Start Date", &start),
        ("TBLIND", "Trial Blinding Schema", "DOUBLE BLIND"),
        ("TITLE", "Trial Title", "A simulated study of Compound C"),
        ("TPHASE", "Trial Phase Classification", "PHASE III TRIAL"),
        ("TRT", "Investigational Therapy or Treatment", "COMPOUND C"),
    ];
    for (code, name, value) in parameters {
        sdtm.ts.push(&[study.into(), "TS".into(), 1_i64.into(), code.into(), name.into(), value.into()])?;
    }
    Ok(())
}
