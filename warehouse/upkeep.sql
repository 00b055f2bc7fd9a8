-- Statements of upkeep and of the doctor; see queries.sql.

-- name: checkpoint
CHECKPOINT;

-- name: views_hash
SELECT comment FROM duckdb_views()
WHERE database_name = current_database() AND schema_name = 'main' AND view_name = 'runs';

-- name: mark_views
COMMENT ON VIEW runs IS '{hash}'; -- from which script the views were made

-- name: text_hashes
SELECT text_hash FROM store.texts;

-- name: renderings_of_specification
SELECT DISTINCT space, encoding, context
FROM store.embeddings
JOIN store.renderings USING (text_hash)
JOIN store.architectures USING (architecture_id)
WHERE spec_id = $spec_id
ORDER BY ALL;

-- name: duplicate_embeddings
SELECT (SELECT count(*) FROM store.embeddings)
    - (SELECT count(*) FROM (SELECT DISTINCT spec_id, text_hash FROM store.embeddings));

-- name: duplicate_evaluations
SELECT (SELECT count(*) FROM store.evaluations) - (SELECT count(*) FROM (
    SELECT DISTINCT architecture_id, dataset, metric, split, epochs, seed, source
    FROM store.evaluations
));

-- name: duplicate_search_comparisons
SELECT (SELECT count(*) FROM store.search_comparisons) - (SELECT count(*) FROM (
    SELECT DISTINCT comparison_id, configuration_id, threshold FROM store.search_comparisons
));

-- name: duplicate_search_regrets
SELECT (SELECT count(*) FROM store.search_regrets) - (SELECT count(*) FROM (
    SELECT DISTINCT comparison_id, configuration_id, evaluations FROM store.search_regrets
));

-- name: deduplicate_embeddings
DELETE FROM store.embeddings WHERE rowid NOT IN (
    SELECT min(rowid) FROM store.embeddings GROUP BY spec_id, text_hash
);

-- name: deduplicate_evaluations
DELETE FROM store.evaluations WHERE rowid NOT IN (
    SELECT min(rowid) FROM store.evaluations
    GROUP BY architecture_id, dataset, metric, split, epochs, seed, source
);

-- name: deduplicate_search_comparisons
DELETE FROM store.search_comparisons WHERE rowid NOT IN (
    SELECT min(rowid) FROM store.search_comparisons
    GROUP BY comparison_id, configuration_id, threshold
);

-- name: deduplicate_search_regrets
DELETE FROM store.search_regrets WHERE rowid NOT IN (
    SELECT min(rowid) FROM store.search_regrets
    GROUP BY comparison_id, configuration_id, evaluations
);

-- name: values_without_direction
SELECT dataset, metric, source, count(*) AS "values"
FROM store.evaluations
WHERE direction IS NULL
GROUP BY ALL
ORDER BY ALL;

-- name: unfinished_runs
SELECT flow, count(*) AS runs
FROM store.runs AS killed
WHERE ended_at IS NULL AND NOT EXISTS (
    FROM store.runs AS later
    WHERE later.flow = killed.flow AND later.parameters = killed.parameters
      AND later.started_at > killed.started_at AND later.ended_at IS NOT NULL
)
GROUP BY flow
ORDER BY flow;

-- name: head_files
SELECT head_id, artifact, artifact_hash, space, encoding, head, n
FROM store.heads JOIN store.trials USING (trial_id)
ORDER BY head_id;

-- name: forget_trial_of_head
DELETE FROM store.trials
WHERE trial_id IN (SELECT trial_id FROM store.heads WHERE head_id = $head_id);

-- name: forget_head
DELETE FROM store.heads WHERE head_id = $head_id;

-- name: watches
SELECT watch_id, spec_id, space, encoding, context, arguments, device, added_at
FROM store.watches
ORDER BY added_at, watch_id;

-- name: insert_watch
INSERT OR IGNORE INTO store.watches BY NAME SELECT * FROM incoming;

-- name: delete_watch
DELETE FROM store.watches WHERE watch_id = $watch_id;

-- name: rendered_kinds
-- Whole: rendered without a number of samples, so that new architectures are to be rendered too.
SELECT space, space_parameters, encoding, context, bool_or(whole) AS whole
FROM (
    SELECT DISTINCT space, space_parameters, encoding, context, renderings.run_id
    FROM store.renderings AS renderings JOIN store.architectures USING (architecture_id)
)
JOIN (
    SELECT run_id, flow = 'render' AND (parameters ->> '$.samples') IS NULL AS whole
    FROM store.runs
) USING (run_id)
GROUP BY ALL
ORDER BY ALL;

-- name: trained_heads
SELECT space, encoding, context, spec_id, head, target, configuration -> '$.surrogate' AS surrogate,
       (configuration ->> '$.seed')::INTEGER AS seed, list(DISTINCT n ORDER BY n) AS sizes,
       max(draw) + 1 AS draws
FROM store.trials
WHERE folds IS NULL
GROUP BY ALL
ORDER BY ALL;

-- name: count_missing_texts
SELECT count(*) AS texts
FROM (
    SELECT DISTINCT text_hash
    FROM store.renderings
    JOIN store.architectures USING (architecture_id)
    WHERE space = $space AND space_parameters = $space_parameters
      AND encoding = $encoding AND context = $context
)
ANTI JOIN (SELECT text_hash FROM store.embeddings WHERE spec_id = $spec_id) USING (text_hash);
