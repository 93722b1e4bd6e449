//! Names of datasets and columns: which one is meant, and which ones are near.

/// Whether a dataset's name is what a mapping calls it: any case, and a trailing `*` stands for any ending.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => {
            name.len() >= start.len()
                && name.is_char_boundary(start.len())
                && name[..start.len()].eq_ignore_ascii_case(start)
        }
        None => pattern.eq_ignore_ascii_case(name),
    }
}

/// Edits between two names, whatever their case (Levenshtein 1966).
pub(super) fn distance(left: &str, right: &str) -> usize {
    let (left, right) = (left.to_ascii_uppercase(), right.to_ascii_uppercase());
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in right.bytes().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

/// The known names that `name` may be a slip of, those with the fewest edits: one, and of names with eight letters
/// or more two.
pub(super) fn near<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Vec<String> {
    let limit = if name.len() < 8 { 1 } else { 2 };
    let mut near: Vec<(usize, &str)> = known
        .map(|known| (distance(known, name), known))
        .filter(|(edits, _)| (1..=limit).contains(edits))
        .collect();
    near.sort_unstable();
    near.dedup();
    let least = near.first().map_or(0, |(edits, _)| *edits);
    near.into_iter().filter(|(edits, _)| *edits == least).map(|(_, known)| known.to_owned()).collect()
}

/// Names in backticks, with commas between.
pub(super) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_matches_whatever_its_case_and_ending() {
        assert!(matches("supp*", "SUPPAE"));
        assert!(matches("ae", "AE"));
        assert!(!matches("ae", "AEX"));
    }

    // kitten to sitting takes three edits: two letters changed, one added.
    #[test]
    fn edits_are_counted() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("USUBJID", "usubjid"), 0);
        assert_eq!(distance("", "AE"), 2);
    }

    #[test]
    fn a_slip_of_the_pen_is_near_and_another_name_is_not() {
        let known = ["USUBJID", "SUBJID", "AETERM", "AE"];
        assert_eq!(near("USUBJJD", known.into_iter()), ["USUBJID"]);
        assert_eq!(near("AX", known.into_iter()), ["AE"]);
        assert!(near("VISITNUM", known.into_iter()).is_empty());
        assert!(near("AETERM", known.into_iter()).is_empty(), "the name itself is no near one");
    }
}
