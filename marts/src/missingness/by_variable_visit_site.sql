-- grain:  one row per variable, scheduled visit and site
-- inputs: dim_subject, dim_site, dim_visit, dim_test, fact_visit, fact_observation, fact_lab
-- A variable is due at a visit when at least half of the study's subjects who came to the visit have a record
-- of it. A value is expected of every subject whose visit is due: it took place, or its window closed while
-- the subject took part (rule R-06). A record is received when a row is there, observed when it has a result.
WITH findings AS (
    SELECT subject_sk, site_sk, visit_sk, test_sk, (NOT not_done AND std_result IS NOT NULL) AS has_result
    FROM fact_observation WHERE visit_sk IS NOT NULL
    UNION ALL
    SELECT subject_sk, site_sk, visit_sk, test_sk,
        (NOT not_done AND (std_result IS NOT NULL OR std_value IS NOT NULL)) AS has_result
    FROM fact_lab WHERE visit_sk IS NOT NULL
),
-- Repeated measures of one visit (positions, time points) count once.
values_received AS (
    SELECT subject_sk, site_sk, visit_sk, test_sk, max(CASE WHEN has_result THEN 1 ELSE 0 END) AS observed
    FROM findings
    GROUP BY subject_sk, site_sk, visit_sk, test_sk
),
scheduled AS (
    SELECT visit_sk FROM dim_visit WHERE is_scheduled
),
visits_due AS (
    SELECT f.subject_sk, f.site_sk, f.visit_sk, max(CASE WHEN f.occurred THEN 1 ELSE 0 END) AS came
    FROM fact_visit f JOIN scheduled s ON s.visit_sk = f.visit_sk
    GROUP BY f.subject_sk, f.site_sk, f.visit_sk
),
-- A finding of a visit that has no record of its own shows that the visit took place.
visits_expected AS (
    SELECT subject_sk, site_sk, visit_sk, max(came) AS came
    FROM (
        SELECT subject_sk, site_sk, visit_sk, came FROM visits_due
        UNION ALL
        SELECT DISTINCT r.subject_sk, r.site_sk, r.visit_sk, 1 AS came
        FROM values_received r JOIN scheduled s ON s.visit_sk = r.visit_sk
    ) AS known_visits
    GROUP BY subject_sk, site_sk, visit_sk
),
visit_size AS (
    SELECT visit_sk, sum(came) AS n_came FROM visits_expected GROUP BY visit_sk
),
variables_due AS (
    SELECT r.visit_sk, r.test_sk
    FROM values_received r JOIN visit_size v ON v.visit_sk = r.visit_sk
    GROUP BY r.visit_sk, r.test_sk, v.n_came
    HAVING count(*) * 2 >= v.n_came
),
cells AS (
    SELECT d.test_sk, e.visit_sk, e.site_sk,
        count(*) AS n_expected,
        count(r.subject_sk) AS n_received,
        COALESCE(sum(r.observed), 0) AS n_observed
    FROM visits_expected e
    JOIN variables_due d ON d.visit_sk = e.visit_sk
    LEFT JOIN values_received r
        ON r.subject_sk = e.subject_sk AND r.visit_sk = e.visit_sk AND r.test_sk = d.test_sk
    GROUP BY d.test_sk, e.visit_sk, e.site_sk
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
JOIN dim_test t ON t.test_sk = c.test_sk
JOIN dim_visit v ON v.visit_sk = c.visit_sk
JOIN dim_site s ON s.site_sk = c.site_sk
ORDER BY t.domain NULLS LAST, t.test_code NULLS LAST, v.visit_num NULLS LAST, s.site_id NULLS LAST
