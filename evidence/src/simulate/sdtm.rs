//! The study as SDTM datasets, in as many forms as are asked for at once. They hold what has been entered by the
//! cut-off, with the arms: a sponsor's view after unblinding.
//!
//! `table` says what a dataset is, `domains` lists them, `domain` writes one, `trial` and `subject_rows` with
//! `finding_rows` fill them.
mod domain;
mod domains;
mod finding_rows;
mod subject_rows;
mod table;
mod trial;

use std::path::Path;

use self::domain::Domain;
use super::error::SimulateError;
use super::history::History;
use super::plan::Format;
use super::world::World;

/// Every SDTM dataset of a study.
pub(super) struct Sdtm {
    ts: Domain,
    ta: Domain,
    te: Domain,
    tv: Domain,
    ti: Domain,
    dm: Domain,
    se: Domain,
    sv: Domain,
    ds: Domain,
    ex: Domain,
    ae: Domain,
    mh: Domain,
    cm: Domain,
    lb: Domain,
    vs: Domain,
    qs: Domain,
    dv: Domain,
    ie: Domain,
    suppae: Domain,
    suppdm: Domain,
}

impl Sdtm {
    /// Begins the datasets in `sdtm/xpt` and `sdtm/datasetjson` of `out`; none if the plan asks for neither form.
    pub(super) fn create(world: &World<'_>, out: &Path) -> Result<Option<Self>, SimulateError> {
        let wants = |format| world.plan.formats.contains(&format);
        if !wants(Format::SdtmXpt) && !wants(Format::SdtmDatasetjson) {
            return Ok(None);
        }
        let domain = |spec| Domain::create(spec, world, out);
        Ok(Some(Self {
            ts: domain(&domains::TS)?,
            ta: domain(&domains::TA)?,
            te: domain(&domains::TE)?,
            tv: domain(&domains::TV)?,
            ti: domain(&domains::TI)?,
            dm: domain(&domains::DM)?,
            se: domain(&domains::SE)?,
            sv: domain(&domains::SV)?,
            ds: domain(&domains::DS)?,
            ex: domain(&domains::EX)?,
            ae: domain(&domains::AE)?,
            mh: domain(&domains::MH)?,
            cm: domain(&domains::CM)?,
            lb: domain(&domains::LB)?,
            vs: domain(&domains::VS)?,
            qs: domain(&domains::QS)?,
            dv: domain(&domains::DV)?,
            ie: domain(&domains::IE)?,
            suppae: domain(&domains::SUPPAE)?,
            suppdm: domain(&domains::SUPPDM)?,
        }))
    }

    /// Writes the design of the trial.
    pub(super) fn write_study(&mut self, world: &World<'_>) -> Result<(), SimulateError> {
        trial::write(world, self)
    }

    /// Writes a subject.
    pub(super) fn write(&mut self, history: &History<'_>) -> Result<(), SimulateError> {
        if history.subject.screened > history.subject.world.plan.cut_off {
            return Ok(());
        }
        let view = subject_rows::View::new(history);
        subject_rows::write(&view, self)?;
        finding_rows::write(&view, self)
    }

    /// Closes every dataset.
    pub(super) fn finish(self) -> Result<(), SimulateError> {
        let domains = [
            self.ts,
            self.ta,
            self.te,
            self.tv,
            self.ti,
            self.dm,
            self.se,
            self.sv,
            self.ds,
            self.ex,
            self.ae,
            self.mh,
            self.cm,
            self.lb,
            self.vs,
            self.qs,
            self.dv,
            self.ie,
            self.suppae,
            self.suppdm,
        ];
        domains.into_iter().try_for_each(Domain::finish)
    }
}
