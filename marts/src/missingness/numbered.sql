-- grain:  one row per variable, with its number: the relation `numbered`
-- inputs: variables
, numbered AS (
    SELECT test_dk, domain, test_code, CAST(dense_rank() OVER (ORDER BY domain, test_code) AS BIGINT) AS variable
    FROM variables
)
