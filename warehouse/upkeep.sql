-- Statements of upkeep and of the doctor; see queries.sql.

-- name: checkpoint
CHECKPOINT;

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
