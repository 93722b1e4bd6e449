-- grain:  one row per domain and month in which visits were due
-- inputs: due
, months AS (
    SELECT v.domain, d.received, d.observed,
        CAST(EXTRACT(YEAR FROM d.due_date) * 100 + EXTRACT(MONTH FROM d.due_date) AS BIGINT) AS year_month
    FROM due d JOIN variables v ON v.test_dk = d.test_dk
    WHERE d.due_date IS NOT NULL
)
SELECT domain, year_month,
    count(*) AS n_expected,
    CAST(sum(received) AS BIGINT) AS n_received,
    CAST(sum(observed) AS BIGINT) AS n_observed,
    CAST(sum(received) - sum(observed) AS BIGINT) AS n_item_missing,
    CAST(count(*) - sum(received) AS BIGINT) AS n_visit_missing,
    CAST(count(*) - sum(observed) AS DOUBLE) / CAST(count(*) AS DOUBLE) AS share_missing_of_expected
FROM months
GROUP BY domain, year_month
ORDER BY domain NULLS LAST, year_month NULLS LAST
