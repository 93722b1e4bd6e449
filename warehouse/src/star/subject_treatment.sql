-- grain:  one row per subject to whom a treatment was planned, assigned or given; masked while the study is blinded
-- inputs: subject, planned_arm, randomisation, exposure, dim_subject
-- This is the one table from which it can be seen who gets what (rule R-20): no other table of the star may join it.
WITH arms AS (
    SELECT arm_code, min(arm) AS arm FROM planned_arm GROUP BY arm_code
),
-- The last assignment that stands.
assigned AS (
    SELECT subject_id, arm_code AS assigned_arm_code, stratum
    FROM randomisation
    WHERE status <> 'CANCELLED'
    QUALIFY row_number() OVER (PARTITION BY subject_id ORDER BY randomised_ts DESC, rand_seq DESC, row_id) = 1
),
given AS (
    SELECT subject_id, string_agg(DISTINCT treatment, '; ' ORDER BY treatment) AS treatments
    FROM exposure
    GROUP BY subject_id
),
known AS (
    SELECT subject_id, planned_arm_code, actual_arm_code, assigned_arm_code, stratum, treatments
    FROM (SELECT subject_id, planned_arm_code, actual_arm_code FROM subject_members
          WHERE planned_arm_code IS NOT NULL OR actual_arm_code IS NOT NULL)
    FULL JOIN assigned USING (subject_id)
    FULL JOIN given USING (subject_id)
)
SELECT
    coalesce(s.subject_dk, unknown()) AS subject_dk,
    this_study() AS study_id,
    known.subject_id,
    planned_arm_code,
    planned.arm AS planned_arm,
    assigned_arm_code,
    actual_arm_code,
    actual.arm AS actual_arm,
    stratum,
    treatments
FROM known
LEFT JOIN dim_subject s ON s.subject_id = known.subject_id AND s.is_current
LEFT JOIN arms planned ON planned.arm_code = planned_arm_code
LEFT JOIN arms actual ON actual.arm_code = actual_arm_code
ORDER BY known.subject_id
