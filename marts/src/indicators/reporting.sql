-- grain:  one row per enrolled subject and visit that took place, in the order of their days
-- inputs: enrolled, line
-- What a subject had reported by each of its visits. An event on the day of a visit counts for it; one after the last
-- visit, or without a day, belongs to no visit and is not counted: every subject is compared over time that both were seen.
, running AS (
    SELECT subject_dk, day, is_visit,
        sum(is_visit) OVER (PARTITION BY subject_dk ORDER BY day NULLS LAST, is_visit NULLS LAST ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS visit_no,
        sum(ae) OVER (PARTITION BY subject_dk ORDER BY day NULLS LAST, is_visit NULLS LAST ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS n_ae,
        sum(sae) OVER (PARTITION BY subject_dk ORDER BY day NULLS LAST, is_visit NULLS LAST ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS n_sae,
        sum(pd) OVER (PARTITION BY subject_dk ORDER BY day NULLS LAST, is_visit NULLS LAST ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS n_pd
    FROM line
)
SELECT e.subject_sk, e.site_sk, CAST(r.visit_no AS BIGINT) AS visit_no,
    CAST(r.n_ae AS BIGINT) AS n_ae, CAST(r.n_sae AS BIGINT) AS n_sae, CAST(r.n_pd AS BIGINT) AS n_pd
FROM running r
JOIN enrolled e ON e.subject_dk = r.subject_dk
WHERE r.is_visit = 1
ORDER BY e.site_sk NULLS LAST, e.subject_sk NULLS LAST, visit_no NULLS LAST
