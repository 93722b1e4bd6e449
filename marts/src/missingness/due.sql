-- grain:  one row per variable due, scheduled visit due and subject: the relation `due`
-- inputs: dim_site, dim_visit, dim_test, fact_visit, fact_observation, fact_lab
-- A variable is due at a visit when at least half of the study's subjects who came to the visit have a record
-- of it. A value is expected of every subject whose visit is due: it took place, or its window closed while
-- the subject took part (rule R-06). A record is received when a row is there, observed when it has a result.
-- Subjects, sites, visits and tests are counted by their durable keys: a version of one is not another one. Who moved
-- between a visit and its findings counts at one site.
WITH findings AS (
    SELECT f.subject_dk, s.site_dk, v.visit_dk, t.test_dk, (NOT not_done AND std_result IS NOT NULL) AS has_result,
        CASE WHEN NOT not_done THEN std_value END AS std_value
    FROM fact_observation f
    JOIN dim_site s ON s.site_sk = f.site_sk
    JOIN dim_visit v ON v.visit_sk = f.visit_sk
    JOIN dim_test t ON t.test_sk = f.test_sk
    WHERE f.visit_sk > 0
    UNION ALL
    SELECT f.subject_dk, s.site_dk, v.visit_dk, t.test_dk,
        (NOT not_done AND (std_result IS NOT NULL OR std_value IS NOT NULL)) AS has_result,
        CASE WHEN NOT not_done THEN std_value END AS std_value
    FROM fact_lab f
    JOIN dim_site s ON s.site_sk = f.site_sk
    JOIN dim_visit v ON v.visit_sk = f.visit_sk
    JOIN dim_test t ON t.test_sk = f.test_sk
    WHERE f.visit_sk > 0
),
-- Repeated measures of one visit (positions, time points) count once.
values_received AS (
    SELECT subject_dk, visit_dk, test_dk, min(site_dk) AS site_dk, max(CASE WHEN has_result THEN 1 ELSE 0 END) AS observed,
        avg(std_value) AS mean_value
    FROM findings
    GROUP BY subject_dk, visit_dk, test_dk
),
scheduled AS (
    SELECT DISTINCT visit_dk FROM dim_visit WHERE is_scheduled
),
visits_due AS (
    SELECT f.subject_dk, v.visit_dk, min(s.site_dk) AS site_dk, max(CASE WHEN f.occurred THEN 1 ELSE 0 END) AS came,
        min(COALESCE(f.start_date, f.planned_date)) AS due_date
    FROM fact_visit f
    JOIN dim_site s ON s.site_sk = f.site_sk
    JOIN dim_visit v ON v.visit_sk = f.visit_sk
    JOIN scheduled d ON d.visit_dk = v.visit_dk
    GROUP BY f.subject_dk, v.visit_dk
),
-- A finding of a visit that has no record of its own shows that the visit took place.
visits_expected AS (
    SELECT subject_dk, visit_dk, max(came) AS came, min(site_dk) AS site_dk, min(due_date) AS due_date
    FROM (
        SELECT subject_dk, visit_dk, site_dk, came, due_date FROM visits_due
        UNION ALL
        SELECT r.subject_dk, r.visit_dk, min(r.site_dk) AS site_dk, 1 AS came, CAST(NULL AS DATE) AS due_date
        FROM values_received r JOIN scheduled d ON d.visit_dk = r.visit_dk
        GROUP BY r.subject_dk, r.visit_dk
    ) AS known_visits
    GROUP BY subject_dk, visit_dk
),
visit_size AS (
    SELECT visit_dk, sum(came) AS n_came FROM visits_expected GROUP BY visit_dk
),
variables_due AS (
    SELECT r.visit_dk, r.test_dk
    FROM values_received r JOIN visit_size v ON v.visit_dk = r.visit_dk
    GROUP BY r.visit_dk, r.test_dk, v.n_came
    HAVING count(*) * 2 >= v.n_came
),
due AS (
    SELECT e.subject_dk, d.test_dk, e.visit_dk, e.site_dk, e.came, e.due_date, r.mean_value,
        CASE WHEN r.subject_dk IS NULL THEN 0 ELSE 1 END AS received,
        COALESCE(r.observed, 0) AS observed
    FROM visits_expected e
    JOIN variables_due d ON d.visit_dk = e.visit_dk
    LEFT JOIN values_received r
        ON r.subject_dk = e.subject_dk AND r.visit_dk = e.visit_dk AND r.test_dk = d.test_dk
)
