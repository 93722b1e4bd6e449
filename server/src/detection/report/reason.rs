//! What a kind of anomaly is, as far as it decides who finds it.

use evidence::simulate::anomaly::AnomalyKind;

/// Why it is not found more often.
pub(super) fn reason(kind: AnomalyKind) -> &'static str {
    use AnomalyKind as K;
    match kind {
        K::InformativeDropout => {
            "It depends on the arm, to which monitors are blinded, and concerns every site: no comparison of sites can show it."
        }
        K::SiteTransfer => {
            "A transfer is no fault of a site's data: facts stay with the site of their day, and nothing in them changes."
        }
        K::LateConsent => {
            "It is the order of two dates of few subjects; the data-quality rules name each of them without any statistic."
        }
        K::SaeLateEntry => "It concerns the few serious events of one site, of which there are none at many.",
        K::AeOverReporting => {
            "Sites differ in their rate of adverse events, and subjects do far more; twice the rate at a small site is among that."
        }
        K::GradeMiscoding => "A site has a dozen adverse events, of which some are mild anyway.",
        K::TimezoneError => {
            "Dates of samples move by a day; the rule on the order of dates names the records."
        }
        K::MnarMissingness => "High values are left out; a site's share of missing values rises little.",
        K::CountryShift => "Few countries are compared, and a country's sites differ among themselves.",
        K::EligibilityLapses | K::HiddenImportantDeviations => {
            "Deviations of one site are few, and the adjustment for many tests asks for more than a single look would."
        }
        _ => "What is planted is small against how sites differ anyway.",
    }
}

/// What is to be known of a kind before its line is read.
pub(super) fn limits(kind: AnomalyKind) -> Option<String> {
    let said = match kind {
        AnomalyKind::InformativeDropout => "concerns the whole study and counts as found by nobody",
        AnomalyKind::SiteTransfer => {
            "is found where something else flags the site, since nothing is wrong with its data"
        }
        _ => return None,
    };
    Some(format!("`{}` {said}.", kind.facts().name))
}
