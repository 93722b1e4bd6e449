-- grain:  one row per variable, scheduled visit and site
-- inputs: due
, cells AS (
    SELECT test_dk, visit_dk, site_dk,
        count(*) AS n_expected,
        sum(received) AS n_received,
        sum(observed) AS n_observed
    FROM due
    GROUP BY test_dk, visit_dk, site_dk
)
SELECT
    t.domain,
    t.test_code,
    t.test,
    v.visit_num,
    v.visit,
    v.visit_order,
    s.site_id,
    CAST(c.n_expected AS BIGINT) AS n_expected,
    CAST(c.n_received AS BIGINT) AS n_received,
    CAST(c.n_observed AS BIGINT) AS n_observed,
    CAST(c.n_received - c.n_observed AS BIGINT) AS n_item_missing,
    CAST(c.n_expected - c.n_received AS BIGINT) AS n_visit_missing,
    CAST(c.n_expected - c.n_observed AS DOUBLE) / CAST(c.n_expected AS DOUBLE) AS share_missing_of_expected,
    CASE WHEN c.n_received > 0
        THEN CAST(c.n_received - c.n_observed AS DOUBLE) / CAST(c.n_received AS DOUBLE) END AS share_missing_of_received
FROM cells c
JOIN variables t ON t.test_dk = c.test_dk
JOIN dim_visit v ON v.visit_dk = c.visit_dk AND v.is_current
JOIN sites s ON s.site_dk = c.site_dk
ORDER BY t.domain NULLS LAST, t.test_code NULLS LAST, v.visit_num NULLS LAST, s.site_id NULLS LAST
