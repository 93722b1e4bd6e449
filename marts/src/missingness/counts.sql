-- grain:  one row per variable, scheduled visit and site, by their keys
-- inputs: due
SELECT test_dk, visit_dk, site_dk,
    count(*) AS n_expected,
    CAST(sum(received) AS BIGINT) AS n_received,
    CAST(sum(observed) AS BIGINT) AS n_observed
FROM due
GROUP BY test_dk, visit_dk, site_dk
ORDER BY test_dk NULLS LAST, visit_dk NULLS LAST, site_dk NULLS LAST
