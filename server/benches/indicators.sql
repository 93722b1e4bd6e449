-- grain:  one row per indicator and site
-- inputs: dim_subject, dim_site, fact_ae, fact_deviation, fact_lab, fact_disposition, fact_query, fact_form
-- The twelve indicators as one would write them by hand, in one script: the peer of the benchmark.
WITH enrolled AS (SELECT subject_dk, site_sk, days_on_study FROM dim_subject WHERE is_current AND is_enrolled),
sites AS (SELECT site_sk, sum(days_on_study) AS days, count(*) AS subjects FROM enrolled GROUP BY site_sk),
ae AS (
    SELECT e.site_sk, count(*) AS n, count(*) FILTER (WHERE serious) AS n_serious
    FROM fact_ae f JOIN enrolled e USING (subject_dk) GROUP BY e.site_sk
),
dv AS (
    SELECT e.site_sk, count(*) FILTER (WHERE important) AS n_important, count(*) FILTER (WHERE NOT important) AS n_other
    FROM fact_deviation f JOIN enrolled e USING (subject_dk) GROUP BY e.site_sk
),
lb AS (
    SELECT e.site_sk, count(*) FILTER (WHERE toxicity_grade IN (3, 4)) AS n_high, count(*) AS n_graded
    FROM fact_lab f JOIN enrolled e USING (subject_dk) WHERE toxicity_grade BETWEEN 0 AND 4 GROUP BY e.site_sk
),
ds AS (
    SELECT e.site_sk, count(*) FILTER (WHERE scope = 'STUDY') AS n_study,
        count(DISTINCT f.subject_dk) FILTER (WHERE scope = 'TREATMENT') AS n_treatment
    FROM fact_disposition f JOIN enrolled e USING (subject_dk)
    WHERE category = 'DISPOSITION EVENT' AND decoded NOT IN ('COMPLETED', 'SCREEN FAILURE') GROUP BY e.site_sk
),
qr AS (
    SELECT e.site_sk, count(*) AS n, count(*) FILTER (WHERE age_days > 30) AS n_overdue
    FROM fact_query f JOIN enrolled e USING (subject_dk) WHERE state IN ('OPEN', 'ANSWERED', 'CLOSED') GROUP BY e.site_sk
),
pg AS (
    SELECT e.site_sk, count(*) FILTER (WHERE NOT is_inferred) AS n_pages,
        count(*) FILTER (WHERE NOT is_inferred AND entry_lag_days > 10) AS n_late,
        sum(n_items) AS n_points, sum(n_items_changed) AS n_changed
    FROM fact_form f JOIN enrolled e USING (subject_dk) GROUP BY e.site_sk
),
sf AS (SELECT site_sk, count(*) FILTER (WHERE is_screen_failure) AS n, count(*) AS d FROM dim_subject WHERE is_current AND is_screened GROUP BY site_sk),
sums AS (
    SELECT 'kri0001' AS indicator_id, site_sk, coalesce(ae.n, 0)::DOUBLE AS n, days::DOUBLE AS d, false AS share, 'D' AS accrual, 30 AS least, [-2, -1, 2, 3] AS t FROM sites LEFT JOIN ae USING (site_sk)
    UNION ALL SELECT 'kri0002', site_sk, coalesce(n_serious, 0), days, false, 'D', 30, [-2, -1, 2, 3] FROM sites LEFT JOIN ae USING (site_sk)
    UNION ALL SELECT 'kri0003', site_sk, coalesce(n_other, 0), days, false, 'D', 30, [-3, -2, 2, 3] FROM sites LEFT JOIN dv USING (site_sk)
    UNION ALL SELECT 'kri0004', site_sk, coalesce(n_important, 0), days, false, 'D', 30, [-3, -2, 2, 3] FROM sites LEFT JOIN dv USING (site_sk)
    UNION ALL SELECT 'kri0005', site_sk, n_high, n_graded, true, 'N', 10, [NULL, NULL, 2, 3] FROM lb
    UNION ALL SELECT 'kri0006', site_sk, coalesce(n_study, 0), subjects, true, 'N', 3, [NULL, NULL, 2, 3] FROM sites LEFT JOIN ds USING (site_sk)
    UNION ALL SELECT 'kri0007', site_sk, coalesce(n_treatment, 0), subjects, true, 'N', 3, [NULL, NULL, 2, 3] FROM sites LEFT JOIN ds USING (site_sk)
    UNION ALL SELECT 'kri0008', site_sk, coalesce(qr.n, 0), n_points, false, 'N', 30, [NULL, NULL, 2, 3] FROM pg LEFT JOIN qr USING (site_sk)
    UNION ALL SELECT 'kri0009', site_sk, n_overdue, n, true, 'N', 30, [NULL, NULL, 2, 3] FROM qr
    UNION ALL SELECT 'kri0010', site_sk, n_late, n_pages, true, 'N', 30, [NULL, NULL, 2, 3] FROM pg
    UNION ALL SELECT 'kri0011', site_sk, n_changed, n_points, true, 'N', 100, [NULL, NULL, 2, 3] FROM pg
    UNION ALL SELECT 'kri0012', site_sk, n, d, true, 'D', 3, [-3, -2, 2, 3] FROM sf
),
groups AS (SELECT *, n / d AS y, sum(n) OVER w / sum(d) OVER w AS mu FROM sums WHERE d > 0 WINDOW w AS (PARTITION BY indicator_id)),
variances AS (SELECT *, CASE WHEN share THEN mu * (1 - mu) ELSE mu END AS v FROM groups),
scored AS (
    SELECT *, avg(CASE WHEN v > 0 THEN (y - mu) ^ 2 * d / v ELSE 0 END) OVER (PARTITION BY indicator_id) AS phi FROM variances
),
judged AS (
    SELECT *, CASE WHEN v = 0 OR phi = 0 THEN 0 ELSE (y - mu) / sqrt(phi * v / d) END AS z,
        CASE accrual WHEN 'N' THEN n ELSE d END >= least AS enough
    FROM scored
)
SELECT indicator_id, site_id, n AS numerator, d AS denominator, y AS metric, mu AS overall_metric, phi AS factor,
    CASE WHEN enough THEN z END AS score,
    CASE WHEN NOT enough THEN NULL WHEN z >= t[4] THEN 2 WHEN z >= t[3] THEN 1 WHEN z < t[1] THEN -2 WHEN z < t[2] THEN -1 ELSE 0 END AS flag
FROM judged JOIN dim_site USING (site_sk)
ORDER BY indicator_id, site_id
