-- grain:  one row per tolerance limit that the study's sources can answer
-- inputs: dim_subject, dim_study, dim_visit, fact_disposition, fact_deviation, fact_visit, fact_ae
-- A limit whose source table is empty has no row: the source does not hold what it needs.
WITH enrolled AS (
    SELECT subject_dk FROM dim_subject WHERE is_current AND is_enrolled
),
ending AS (
    SELECT e.subject_dk,
        max(CASE WHEN d.scope = 'STUDY' THEN 1 ELSE 0 END) AS left_study,
        max(CASE WHEN d.scope = 'TREATMENT' THEN 1 ELSE 0 END) AS left_treatment,
        max(CASE WHEN d.decoded = 'LOST TO FOLLOW-UP' THEN 1 ELSE 0 END) AS lost,
        max(CASE WHEN d.decoded LIKE '%WITHDR%' THEN 1 ELSE 0 END) AS withdrew
    FROM enrolled e JOIN fact_disposition d ON d.subject_dk = e.subject_dk
    WHERE d.category = 'DISPOSITION EVENT' AND d.decoded NOT IN ('COMPLETED', 'SCREEN FAILURE')
    GROUP BY e.subject_dk
),
deviating AS (
    SELECT e.subject_dk,
        max(CASE WHEN d.important THEN 1 ELSE 0 END) AS important,
        max(CASE
            WHEN upper(COALESCE(d.category, '')) LIKE '%INCLUSION%' OR upper(COALESCE(d.category, '')) LIKE '%EXCLUSION%'
                OR upper(COALESCE(d.category, '')) LIKE '%ELIGIB%' THEN 1
            ELSE 0 END) AS ineligible
    FROM enrolled e JOIN fact_deviation d ON d.subject_dk = e.subject_dk
    GROUP BY e.subject_dk
),
size AS (
    SELECT count(*) AS n,
        (SELECT count(*) FROM fact_disposition) AS n_dispositions,
        (SELECT count(*) FROM fact_disposition WHERE scope = 'TREATMENT') AS n_treatment,
        (SELECT count(*) FROM fact_deviation) AS n_deviations,
        (SELECT max(planned_subjects) FROM dim_study WHERE is_current) AS planned
    FROM enrolled
),
sums AS (
    SELECT COALESCE(sum(left_study), 0) AS left_study, COALESCE(sum(left_treatment), 0) AS left_treatment,
        COALESCE(sum(lost), 0) AS lost, COALESCE(sum(withdrew), 0) AS withdrew
    FROM ending
),
deviations AS (
    SELECT COALESCE(sum(important), 0) AS important, COALESCE(sum(ineligible), 0) AS ineligible FROM deviating
),
visits AS (
    SELECT count(*) AS n, COALESCE(sum(CASE WHEN v.is_missed THEN 1 ELSE 0 END), 0) AS n_missed
    FROM fact_visit v
    JOIN enrolled e ON e.subject_dk = v.subject_dk
    JOIN dim_visit d ON d.visit_sk = v.visit_sk AND d.is_required
    WHERE v.visit_repeat = 0
),
serious AS (
    SELECT count(*) AS n, COALESCE(sum(CASE WHEN reporting_lag_days > 1 THEN 1 ELSE 0 END), 0) AS n_late
    FROM fact_ae WHERE serious AND reporting_lag_days IS NOT NULL
),
counted AS (
    SELECT 'qtl_ineligible' AS limit_id, ineligible AS events, n AS units, planned FROM deviations, size WHERE n_deviations > 0
    UNION ALL
    SELECT 'qtl_study_discontinuation', left_study, n, planned FROM sums, size WHERE n_dispositions > 0
    UNION ALL
    SELECT 'qtl_treatment_discontinuation', left_treatment, n, planned FROM sums, size WHERE n_treatment > 0
    UNION ALL
    SELECT 'qtl_lost_to_follow_up', lost, n, planned FROM sums, size WHERE n_dispositions > 0
    UNION ALL
    SELECT 'qtl_consent_withdrawal', withdrew, n, planned FROM sums, size WHERE n_dispositions > 0
    UNION ALL
    SELECT 'qtl_missed_visits', n_missed, n, CAST(NULL AS INTEGER) FROM visits
    UNION ALL
    SELECT 'qtl_important_deviations', important, n, planned FROM deviations, size WHERE n_deviations > 0
    UNION ALL
    SELECT 'qtl_late_serious_events', n_late, n, CAST(NULL AS INTEGER) FROM serious
)
SELECT limit_id, CAST(events AS DOUBLE) AS events, CAST(units AS DOUBLE) AS units, CAST(planned AS DOUBLE) AS planned_units
FROM counted WHERE units > 0
ORDER BY limit_id NULLS LAST
