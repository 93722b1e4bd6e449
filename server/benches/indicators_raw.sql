-- grain:  one row per indicator and group, of sites and of countries
-- inputs: raw_subj, raw_ae, raw_pd, raw_lb, raw_studcomp, raw_sdrgcomp, raw_query, raw_dataent, raw_datachg, raw_enroll
-- The twelve indicators at two levels from the files as they were delivered, in one script: the peer of the benchmark.
WITH enrolled AS (
    SELECT subjid, subject_nsv, invid AS site, country, timeonstudy AS days FROM raw_subj WHERE enrollyn = 'Y'
),
ae AS (SELECT subjid, count(*) AS n, count(*) FILTER (WHERE aeser = 'Y') AS n_serious FROM raw_ae GROUP BY subjid),
pd AS (
    SELECT subjectenrollmentnumber AS subjid, count(*) FILTER (WHERE deemedimportant) AS n_important,
        count(*) FILTER (WHERE NOT deemedimportant) AS n_other
    FROM raw_pd GROUP BY subjectenrollmentnumber
),
lb AS (
    SELECT subjid, count(*) FILTER (WHERE toxgrg_nsv IN ('3', '4')) AS n_high, count(*) AS n_graded
    FROM raw_lb WHERE toxgrg_nsv IN ('0', '1', '2', '3', '4') GROUP BY subjid
),
study AS (SELECT subjid, count(*) AS n FROM raw_studcomp WHERE compyn = 'N' GROUP BY subjid),
drug AS (SELECT DISTINCT subjid, 1 AS n FROM raw_sdrgcomp WHERE sdrgyn = 'N'),
query AS (
    SELECT subjectname, count(*) AS n, count(*) FILTER (WHERE queryage > 30) AS n_overdue
    FROM raw_query WHERE querystatus IN ('Open', 'Answered', 'Closed') GROUP BY subjectname
),
entry AS (SELECT subjectname, count(*) AS n, count(*) FILTER (WHERE data_entry_lag > 10) AS n_late FROM raw_dataent GROUP BY subjectname),
points AS (SELECT subjectname, count(*) AS n, count(*) FILTER (WHERE n_changes > 0) AS n_changed FROM raw_datachg GROUP BY subjectname),
subjects AS (
    SELECT e.site, e.country, e.days, coalesce(ae.n, 0) AS n_ae, coalesce(ae.n_serious, 0) AS n_sae, coalesce(n_important, 0) AS n_important,
        coalesce(n_other, 0) AS n_other, n_high, n_graded, coalesce(study.n, 0) AS n_study, coalesce(drug.n, 0) AS n_drug,
        query.n AS n_query, n_overdue, entry.n AS n_page, n_late, points.n AS n_point, n_changed
    FROM enrolled e LEFT JOIN ae USING (subjid) LEFT JOIN pd USING (subjid) LEFT JOIN lb USING (subjid) LEFT JOIN study USING (subjid)
        LEFT JOIN drug USING (subjid) LEFT JOIN query ON query.subjectname = subject_nsv
        LEFT JOIN entry ON entry.subjectname = subject_nsv LEFT JOIN points ON points.subjectname = subject_nsv
),
grouped AS (
    SELECT CASE WHEN grouping(site) = 0 THEN 'site' ELSE 'country' END AS level, coalesce(site, country) AS name, count(*) AS subjects,
        sum(days) AS days, sum(n_ae) AS n_ae, sum(n_sae) AS n_sae, sum(n_important) AS n_important, sum(n_other) AS n_other, sum(n_high) AS n_high,
        sum(n_graded) AS n_graded, sum(n_study) AS n_study, sum(n_drug) AS n_drug, sum(n_query) AS n_query, sum(n_overdue) AS n_overdue,
        sum(n_page) AS n_page, sum(n_late) AS n_late, sum(n_point) AS n_point, sum(n_changed) AS n_changed
    FROM subjects GROUP BY GROUPING SETS ((site), (country))
),
screened AS (
    SELECT CASE WHEN grouping(invid) = 0 THEN 'site' ELSE 'country' END AS level, coalesce(invid, country) AS name,
        count(*) FILTER (WHERE enrollyn = 'N') AS n, count(*) AS d
    FROM raw_enroll GROUP BY GROUPING SETS ((invid), (country))
),
sums AS (
    SELECT 'kri0001' AS indicator_id, level, name, n_ae::DOUBLE AS n, days::DOUBLE AS d, false AS share, 'D' AS accrual, 30 AS least, [-2, -1, 2, 3] AS t FROM grouped
    UNION ALL SELECT 'kri0002', level, name, n_sae, days, false, 'D', 30, [-2, -1, 2, 3] FROM grouped
    UNION ALL SELECT 'kri0003', level, name, n_other, days, false, 'D', 30, [-3, -2, 2, 3] FROM grouped
    UNION ALL SELECT 'kri0004', level, name, n_important, days, false, 'D', 30, [-3, -2, 2, 3] FROM grouped
    UNION ALL SELECT 'kri0005', level, name, n_high, n_graded, true, 'N', 10, [NULL, NULL, 2, 3] FROM grouped
    UNION ALL SELECT 'kri0006', level, name, n_study, subjects, true, 'N', 3, [NULL, NULL, 2, 3] FROM grouped
    UNION ALL SELECT 'kri0007', level, name, n_drug, subjects, true, 'N', 3, [NULL, NULL, 2, 3] FROM grouped
    UNION ALL SELECT 'kri0008', level, name, coalesce(n_query, 0), n_point, false, 'N', 30, [NULL, NULL, 2, 3] FROM grouped
    UNION ALL SELECT 'kri0009', level, name, n_overdue, n_query, true, 'N', 30, [NULL, NULL, 2, 3] FROM grouped
    UNION ALL SELECT 'kri0010', level, name, n_late, n_page, true, 'N', 30, [NULL, NULL, 2, 3] FROM grouped
    UNION ALL SELECT 'kri0011', level, name, n_changed, n_point, true, 'N', 100, [NULL, NULL, 2, 3] FROM grouped
    UNION ALL SELECT 'kri0012', level, name, n, d, true, 'D', 3, [-3, -2, 2, 3] FROM screened
),
groups AS (SELECT *, n / d AS y, sum(n) OVER w / sum(d) OVER w AS mu FROM sums WHERE d > 0 WINDOW w AS (PARTITION BY indicator_id, level)),
variances AS (SELECT *, CASE WHEN share THEN mu * (1 - mu) ELSE mu END AS v FROM groups),
scored AS (
    SELECT *, avg(CASE WHEN v > 0 THEN (y - mu) ^ 2 * d / v ELSE 0 END) OVER (PARTITION BY indicator_id, level) AS phi FROM variances
),
judged AS (
    SELECT *, CASE WHEN v = 0 OR phi = 0 THEN 0 ELSE (y - mu) / sqrt(phi * v / d) END AS z,
        CASE accrual WHEN 'N' THEN n ELSE d END >= least AS enough
    FROM scored
)
SELECT indicator_id, level, name AS group_id, n AS numerator, d AS denominator, y AS metric, CASE WHEN enough THEN z END AS score,
    CASE WHEN NOT enough THEN NULL WHEN z >= t[4] THEN 2 WHEN z >= t[3] THEN 1 WHEN z < t[1] THEN -2 WHEN z < t[2] THEN -1 ELSE 0 END AS flag
FROM judged
ORDER BY indicator_id, level, group_id
