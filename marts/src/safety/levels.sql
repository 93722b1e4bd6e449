-- grain:  one row per arm (and all of them), level of the dictionary, body system and term
-- inputs: dim_subject, dim_study, dim_term, fact_ae, subject_treatment
-- Levels that the source does not have are left out. Arms are known where the study is not blinded.
WITH enrolled AS (
    SELECT s.subject_dk, CAST(COALESCE(s.days_on_study, 0) AS DOUBLE) AS days,
        COALESCE(a.actual_arm, a.planned_arm) AS arm
    FROM dim_subject s
    LEFT JOIN dim_study y ON y.is_current
    LEFT JOIN subject_treatment a ON a.subject_dk = s.subject_dk AND y.is_blinded = FALSE
    WHERE s.is_current AND s.is_enrolled
),
members AS (
    SELECT subject_dk, days, 'ALL' AS arm FROM enrolled
    UNION ALL SELECT subject_dk, days, arm FROM enrolled WHERE arm IS NOT NULL
),
exposure AS (
    SELECT arm, count(*) AS n_enrolled, sum(days) AS days FROM members GROUP BY arm
),
events AS (
    SELECT f.subject_dk, COALESCE(f.soc, 'NOT CODED') AS soc, t.hlgt, t.hlt,
        COALESCE(f.pt, f.term, 'NOT NAMED') AS pt, f.serious, f.is_related, f.ctcae_grade
    FROM fact_ae f LEFT JOIN dim_term t ON t.term_sk = f.term_sk
),
levels AS (
    SELECT subject_dk, 'ANY' AS level, '' AS soc, 'Any event' AS term, serious, is_related, ctcae_grade FROM events
    UNION ALL SELECT subject_dk, 'SOC', soc, soc, serious, is_related, ctcae_grade FROM events
    UNION ALL SELECT subject_dk, 'HLGT', soc, hlgt, serious, is_related, ctcae_grade FROM events WHERE hlgt IS NOT NULL
    UNION ALL SELECT subject_dk, 'HLT', soc, hlt, serious, is_related, ctcae_grade FROM events WHERE hlt IS NOT NULL
    UNION ALL SELECT subject_dk, 'PT', soc, pt, serious, is_related, ctcae_grade FROM events
)
SELECT m.arm, l.level, l.soc, l.term,
    CAST(count(*) AS DOUBLE) AS n_events,
    CAST(count(DISTINCT l.subject_dk) AS DOUBLE) AS n_subjects,
    CAST(sum(CASE WHEN l.serious THEN 1 ELSE 0 END) AS DOUBLE) AS n_serious,
    CAST(sum(CASE WHEN l.is_related THEN 1 ELSE 0 END) AS DOUBLE) AS n_related,
    CAST(sum(CASE WHEN l.ctcae_grade >= 3 THEN 1 ELSE 0 END) AS DOUBLE) AS n_grade_3_and_higher,
    CAST(max(x.n_enrolled) AS DOUBLE) AS n_enrolled,
    max(x.days) AS exposure_days
FROM levels l
JOIN members m ON m.subject_dk = l.subject_dk
JOIN exposure x ON x.arm = m.arm
GROUP BY m.arm, l.level, l.soc, l.term
ORDER BY m.arm, l.level, n_subjects DESC, l.soc, l.term
