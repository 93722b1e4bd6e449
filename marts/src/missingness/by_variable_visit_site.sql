-- grain:  one row per variable, scheduled visit and site
-- inputs: mart_missing_count, variables, dim_visit, sites
SELECT
    t.domain,
    t.test_code,
    t.test,
    v.visit_num,
    v.visit,
    v.visit_order,
    s.site_id,
    c.n_expected,
    c.n_received,
    c.n_observed,
    c.n_received - c.n_observed AS n_item_missing,
    c.n_expected - c.n_received AS n_visit_missing,
    CAST(c.n_expected - c.n_observed AS DOUBLE) / CAST(c.n_expected AS DOUBLE) AS share_missing_of_expected,
    CASE WHEN c.n_received > 0
        THEN CAST(c.n_received - c.n_observed AS DOUBLE) / CAST(c.n_received AS DOUBLE) END AS share_missing_of_received
FROM mart_missing_count c
JOIN variables t ON t.test_dk = c.test_dk
JOIN dim_visit v ON v.visit_dk = c.visit_dk AND v.is_current
JOIN sites s ON s.site_dk = c.site_dk
ORDER BY t.domain NULLS LAST, t.test_code NULLS LAST, v.visit_num NULLS LAST, s.site_id NULLS LAST
