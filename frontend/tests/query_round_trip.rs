//! An address reads back to the query that wrote it.

use frontend::query::{
    AuditQuery, Basis, FlagFilter, IndicatorBars, IndicatorQuery, IndicatorSort, Level, QualityQuery,
    QualitySort, RbqmQuery, RbqmSort, RowsBy, RowsQuery, SubjectsQuery, SubjectsSort,
};

/// Reads a query string as a browser wrote it.
fn pairs(query: &str) -> Vec<(String, String)> {
    let query = query.strip_prefix('?').unwrap_or(query);
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (decoded(name), decoded(value))).collect()
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let hex: String = rest.by_ref().take(2).map(char::from).collect();
            bytes.push(u8::from_str_radix(&hex, 16).expect("two hexadecimal digits"));
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).expect("valid text")
}

const KEYS: [Option<&str>; 4] = [None, Some("101"), Some("a b&c=d%/?#é"), Some("</script>")];

#[test]
fn quality() {
    for key in KEYS.map(|key| key.map(str::to_owned)) {
        for (rows, basis, sort) in [
            (RowsBy::Variable, Basis::Expected, QualitySort::Missing),
            (RowsBy::Site, Basis::Received, QualitySort::Share),
            (RowsBy::Site, Basis::Expected, QualitySort::Name),
            (RowsBy::Variable, Basis::Received, QualitySort::Visit),
        ] {
            let query = QualityQuery {
                rows,
                variable: key.clone(),
                visit: key.clone(),
                site: key.clone(),
                basis,
                sort,
            };
            assert_eq!(QualityQuery::from_pairs(&pairs(&query.to_query_string())), query);
        }
    }
}

#[test]
fn rbqm() {
    let sorts = [
        RbqmSort::Worst,
        RbqmSort::Site,
        RbqmSort::Country,
        RbqmSort::Subjects,
        RbqmSort::Indicator("kri 1&".to_owned()),
    ];
    for country in KEYS.map(|key| key.map(str::to_owned)) {
        for flag in FlagFilter::ALL {
            for sort in sorts.clone() {
                for level in Level::ALL {
                    let (domain, method) = (country.clone(), country.clone());
                    let sort = sort.clone();
                    let query = RbqmQuery { flag, country: country.clone(), domain, level, method, sort };
                    assert_eq!(RbqmQuery::from_pairs(&pairs(&query.to_query_string())), query);
                }
            }
        }
    }
}

#[test]
fn indicator() {
    for site in KEYS.map(|key| key.map(str::to_owned)) {
        for sort in IndicatorSort::ALL {
            for bars in IndicatorBars::ALL {
                for level in Level::ALL.into_iter().filter(|level| *level != Level::Study) {
                    let (site, method) = (site.clone(), site.clone());
                    let query = IndicatorQuery { level, method, site, sort, bars };
                    assert_eq!(IndicatorQuery::from_pairs(&pairs(&query.to_query_string())), query);
                }
            }
        }
    }
}

#[test]
fn drill_down_and_audit() {
    for sort in SubjectsSort::ALL {
        let query = SubjectsQuery { sort };
        assert_eq!(SubjectsQuery::from_pairs(&pairs(&query.to_query_string())), query);
    }
    for page in [1, 2, 900] {
        for corrections in [false, true] {
            let query = RowsQuery { page, corrections };
            assert_eq!(RowsQuery::from_pairs(&pairs(&query.to_query_string())), query);
        }
    }
    for (action, before) in [(None, None), (Some("a&b".to_owned()), Some(17))] {
        let (from, actor) = (action.clone(), action.clone());
        let query = AuditQuery { action, actor, from, before, ..AuditQuery::default() };
        assert_eq!(AuditQuery::from_pairs(&pairs(&query.to_query_string())), query);
    }
}

#[test]
fn nonsense_reads_as_the_default() {
    let nonsense = pairs("rows=x&basis=&sort=by:&flag=blue&page=0&before=-1&site=&bars=9&country=");
    assert_eq!(QualityQuery::from_pairs(&nonsense), QualityQuery::default());
    assert_eq!(RbqmQuery::from_pairs(&nonsense), RbqmQuery::default());
    assert_eq!(IndicatorQuery::from_pairs(&nonsense), IndicatorQuery::default());
    assert_eq!(SubjectsQuery::from_pairs(&nonsense), SubjectsQuery::default());
    assert_eq!(RowsQuery::from_pairs(&nonsense), RowsQuery::default());
    assert_eq!(AuditQuery::from_pairs(&nonsense), AuditQuery::default());
    assert_eq!(QualityQuery::default().to_query_string(), "");
}
