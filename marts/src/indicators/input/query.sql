-- grain:  one row per subject with a query of any state: the relation `query`
-- inputs: fact_query
SELECT subject_dk, count(*) AS n_queries_told,
    sum(CASE WHEN was_asked THEN 1 ELSE 0 END) AS n_queries,
    sum(CASE WHEN was_asked AND age_days > 30 THEN 1 ELSE 0 END) AS n_overdue,
    sum(CASE WHEN state = 'ANSWERED' THEN 1 ELSE 0 END) AS n_unclosed,
    sum(CASE WHEN was_asked AND type = 'SYSTEM' THEN 1 ELSE 0 END) AS n_system,
    sum(CASE WHEN was_asked AND days_to_answer >= 0 THEN 1 ELSE 0 END) AS n_answered,
    sum(CASE WHEN NOT was_asked THEN 0 WHEN days_to_answer > 90 THEN 90 WHEN days_to_answer >= 0 THEN days_to_answer ELSE 0 END) AS answer_days
FROM (
    SELECT subject_dk, age_days, state, type, days_to_answer, COALESCE(state IN ('OPEN', 'ANSWERED', 'CLOSED'), false) AS was_asked
    FROM fact_query
) AS query_rows
GROUP BY subject_dk
