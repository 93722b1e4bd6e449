//! Distance from an expected rate in standard deviations, and the rate that lies so far off.

use crate::error::MeasureError;
use crate::normal_approximation::unit_variance;
use crate::proportion_table::Kind;

use super::{check_expected, check_parameter};

/// The distance of a rate from the expected one, in its standard deviations: `(y - p) / sqrt(V / D)` with
/// `V = p (1 - p)` for shares and `V = p` for rates.
///
/// # Errors
/// For an expected rate that leaves no room for chance, and for units that are not above zero.
// Source: gsm.qtl 1.3.0 `Analyze_OneSideProp`. There, the units of a limit are those of all rows of a table together;
// here, as in a table of one row, they are the snapshot's own.
pub fn deviation(kind: Kind, expected: f64, events: f64, units: f64) -> Result<f64, MeasureError> {
    check_expected(kind, expected)?;
    check_parameter("number of units", units, "above 0", |value| value > 0.0)?;
    check_parameter("number of events", events, "finite and not negative", |value| value >= 0.0)?;
    Ok((events / units - expected) / (unit_variance(kind, expected) / units).sqrt())
}

/// The rate that lies `deviations` above the expected one.
pub(super) fn limit(kind: Kind, expected: f64, units: f64, deviations: f64) -> f64 {
    expected + deviations * (unit_variance(kind, expected) / units).sqrt()
}
