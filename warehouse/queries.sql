-- Every statement that the program runs, by name. `?` and `$name` are bound, never formatted in;
-- `incoming` is the Arrow table that a write registers.

-- name: insert_run
INSERT INTO store.runs (run_id, flow, parameters, versions, started_at) VALUES (?, ?, ?, ?, ?);

-- name: finish_run
UPDATE store.runs SET ended_at = ?, summary = ? WHERE run_id = ?;

-- name: insert_architectures
INSERT INTO store.architectures BY NAME
SELECT * FROM incoming ANTI JOIN store.architectures USING (architecture_id);

-- name: insert_codes
INSERT INTO store.codes BY NAME
SELECT DISTINCT code_hash, code FROM incoming ANTI JOIN store.codes USING (code_hash);

-- name: insert_members
INSERT INTO store.members BY NAME
SELECT architecture_id, name, class, arguments, place, own, canonical, code_hash, run_id
FROM incoming ANTI JOIN store.members USING (architecture_id);

-- name: insert_architectures_of_members
INSERT INTO store.architectures BY NAME
SELECT architecture_id, space, space_parameters, native, canonical_id, position, run_id
FROM incoming ANTI JOIN store.architectures USING (architecture_id);

-- name: insert_normal_forms
INSERT INTO store.normal_forms BY NAME
SELECT * FROM incoming ANTI JOIN store.normal_forms USING (architecture_id);

-- name: insert_lists
INSERT INTO store.lists BY NAME
SELECT * FROM incoming ANTI JOIN store.lists USING (space, source);

-- name: insert_texts
INSERT INTO store.texts BY NAME
SELECT DISTINCT text_hash, text FROM incoming ANTI JOIN store.texts USING (text_hash);

-- name: insert_renderings
INSERT INTO store.renderings BY NAME
SELECT * EXCLUDE (text) FROM incoming
ANTI JOIN store.renderings USING (architecture_id, encoding, context);

-- name: insert_specification
INSERT OR IGNORE INTO store.specifications BY NAME SELECT * FROM incoming;

-- name: insert_embeddings
INSERT INTO store.embeddings BY NAME SELECT * FROM incoming;

-- name: withdraw_embeddings
DELETE FROM store.embeddings
WHERE spec_id = $spec_id AND text_hash IN (SELECT text_hash FROM incoming);

-- name: conflicting_evaluations
SELECT incoming.native, incoming.dataset, incoming.metric, incoming.source,
       incoming.value AS new_value, stored.value AS old_value
FROM incoming JOIN store.evaluations AS stored
  ON incoming.architecture_id = stored.architecture_id
  AND incoming.dataset = stored.dataset
  AND incoming.metric = stored.metric
  AND incoming.split = stored.split
  AND incoming.epochs IS NOT DISTINCT FROM stored.epochs
  AND incoming.seed IS NOT DISTINCT FROM stored.seed
  AND incoming.source = stored.source
WHERE incoming.value <> stored.value
LIMIT 1;

-- name: insert_evaluations
INSERT INTO store.evaluations BY NAME
SELECT incoming.* EXCLUDE (native)
FROM incoming ANTI JOIN store.evaluations AS stored
  ON incoming.architecture_id = stored.architecture_id
  AND incoming.dataset = stored.dataset
  AND incoming.metric = stored.metric
  AND incoming.split = stored.split
  AND incoming.epochs IS NOT DISTINCT FROM stored.epochs
  AND incoming.seed IS NOT DISTINCT FROM stored.seed
  AND incoming.source = stored.source;

-- name: conflicting_natures
-- The same kind of value with another unit or another better.
SELECT incoming.dataset, incoming.metric, incoming.source,
       concat_ws(', ', incoming.unit, incoming.direction) AS new_nature,
       concat_ws(', ', stored.unit, stored.direction) AS old_nature
FROM (SELECT DISTINCT dataset, metric, split, epochs, source, unit, direction FROM incoming)
  AS incoming
JOIN (SELECT DISTINCT dataset, metric, split, epochs, source, unit, direction FROM store.evaluations)
  AS stored
  ON incoming.dataset = stored.dataset
  AND incoming.metric = stored.metric
  AND incoming.split = stored.split
  AND incoming.epochs IS NOT DISTINCT FROM stored.epochs
  AND incoming.source = stored.source
WHERE incoming.unit <> stored.unit OR incoming.direction <> stored.direction
LIMIT 1;

-- name: say_natures
-- What was not said when the values were stored.
UPDATE store.evaluations AS stored
SET unit = coalesce(stored.unit, incoming.unit),
    direction = coalesce(stored.direction, incoming.direction)
FROM (SELECT DISTINCT dataset, metric, split, epochs, source, unit, direction FROM incoming)
  AS incoming
WHERE incoming.dataset = stored.dataset
  AND incoming.metric = stored.metric
  AND incoming.split = stored.split
  AND incoming.epochs IS NOT DISTINCT FROM stored.epochs
  AND incoming.source = stored.source
  AND (stored.direction IS NULL AND incoming.direction IS NOT NULL
       OR stored.unit IS NULL AND incoming.unit IS NOT NULL);

-- name: insert_trials
INSERT OR IGNORE INTO store.trials BY NAME SELECT * FROM incoming;

-- name: insert_comparison
INSERT OR REPLACE INTO store.comparisons BY NAME SELECT * FROM incoming;

-- name: clear_search_comparison
DELETE FROM store.search_comparisons
WHERE comparison_id IN (SELECT comparison_id FROM incoming);

-- name: insert_search_comparison
INSERT INTO store.search_comparisons BY NAME SELECT * FROM incoming;

-- name: clear_search_regrets
DELETE FROM store.search_regrets WHERE comparison_id IN (SELECT comparison_id FROM incoming);

-- name: insert_search_regrets
INSERT INTO store.search_regrets BY NAME SELECT * FROM incoming;

-- name: insert_head
INSERT OR REPLACE INTO store.heads BY NAME SELECT * FROM incoming;

-- name: insert_trainings
INSERT OR REPLACE INTO store.trainings BY NAME SELECT * FROM incoming;

-- name: insert_search
INSERT OR IGNORE INTO store.searches BY NAME SELECT * FROM incoming;

-- name: insert_search_steps
INSERT OR IGNORE INTO store.search_steps BY NAME SELECT * FROM incoming;

-- name: architectures
SELECT architecture_id, native, canonical_id, position
FROM store.architectures
WHERE space = $space AND space_parameters = $space_parameters
ORDER BY position;

-- name: members_of
SELECT name, class, code, arguments, place, own, canonical, form
FROM store.architectures
JOIN store.members USING (architecture_id)
JOIN store.codes USING (code_hash)
LEFT JOIN store.normal_forms USING (architecture_id)
WHERE space = $space
ORDER BY position;

-- name: missing_renderings
SELECT architecture_id, native
FROM store.architectures
ANTI JOIN (
    SELECT architecture_id FROM store.renderings WHERE encoding = $encoding AND context = $context
) USING (architecture_id)
WHERE space = $space AND space_parameters = $space_parameters
ORDER BY position;

-- name: rendered_as
SELECT DISTINCT encoding, context
FROM store.renderings
JOIN store.architectures USING (architecture_id)
WHERE space = $space AND space_parameters = $space_parameters
ORDER BY ALL;

-- name: texts
SELECT DISTINCT text_hash, text
FROM store.renderings
JOIN store.architectures USING (architecture_id)
JOIN store.texts USING (text_hash)
WHERE space = $space AND space_parameters = $space_parameters
  AND encoding = $encoding AND context = $context;

-- name: count_texts
SELECT count(DISTINCT text_hash) AS texts, count(DISTINCT text_hash) FILTER (WHERE truncated) AS cut
FROM store.renderings
JOIN store.architectures USING (architecture_id)
LEFT JOIN (FROM store.embeddings WHERE spec_id = $spec_id) USING (text_hash)
WHERE space = $space AND space_parameters = $space_parameters
  AND encoding = $encoding AND context = $context;

-- name: missing_texts
SELECT text_hash, text
FROM store.texts
SEMI JOIN (
    SELECT text_hash
    FROM store.renderings
    JOIN store.architectures USING (architecture_id)
    WHERE space = $space AND space_parameters = $space_parameters
      AND encoding = $encoding AND context = $context
) USING (text_hash)
ANTI JOIN (SELECT text_hash FROM store.embeddings WHERE spec_id = $spec_id) USING (text_hash)
ORDER BY text;  -- neighbours share their beginnings, which a causal model computes once

-- name: specifications
SELECT spec_id, language_model, pooling, "precision", specification, dimension
FROM store.specifications
ORDER BY language_model, pooling, "precision", spec_id;

-- name: embedded_architectures
SELECT spec_id, count(*) AS architectures, count(*) FILTER (WHERE truncated) AS cut
FROM store.renderings
JOIN store.architectures USING (architecture_id)
JOIN store.embeddings USING (text_hash)
WHERE space = $space AND space_parameters = $space_parameters
  AND encoding = $encoding AND context = $context
GROUP BY spec_id;

-- name: promises_any
SELECT count(*) > 0 FROM (FROM store.embeddings LIMIT 1);

-- name: promised_embeddings
SELECT text_hash FROM store.embeddings WHERE spec_id = $spec_id;

-- name: rendered
SELECT architecture_id, native, canonical_id, text_hash
FROM store.architectures
JOIN store.renderings USING (architecture_id)
WHERE space = $space AND space_parameters = $space_parameters
  AND encoding = $encoding AND context = $context
ORDER BY position;

-- name: text_of
SELECT text_hash
FROM store.renderings JOIN store.architectures USING (architecture_id)
WHERE space = $space AND space_parameters = $space_parameters
  AND encoding = $encoding AND context = $context AND native = $native
ORDER BY position DESC;  -- of a network that changed, the latest

-- name: architectures_of_texts
SELECT architecture_id, native, canonical_id, text_hash, text
FROM store.renderings
JOIN store.architectures USING (architecture_id)
JOIN store.texts USING (text_hash)
WHERE space = $space AND space_parameters = $space_parameters
  AND encoding = $encoding AND context = $context
  AND text_hash IN (SELECT unnest($text_hashes::VARCHAR[]))
ORDER BY position;

-- name: measured_targets
SELECT dataset, metric, split, epochs, source, count(DISTINCT architecture_id) AS architectures,
       min(unit) AS unit, min(direction) AS direction  -- each said once, by some rows or by all
FROM store.evaluations
JOIN store.architectures USING (architecture_id)
WHERE space = $space AND space_parameters = $space_parameters
GROUP BY dataset, metric, split, epochs, source
ORDER BY ALL;

-- name: proxies
-- What is said of networks that were not trained.
SELECT architecture_id, metric, avg(value) AS value
FROM store.evaluations
JOIN store.architectures USING (architecture_id)
WHERE space = $space AND space_parameters = $space_parameters
  AND source = $source AND metric IN (SELECT unnest($metrics)) AND coalesce(epochs, 0) = 0
GROUP BY architecture_id, metric
ORDER BY architecture_id, metric;

-- name: measured_spaces
SELECT DISTINCT space, space_parameters
FROM store.evaluations JOIN store.architectures USING (architecture_id)
ORDER BY ALL;

-- name: labels
SELECT architecture_id, avg(value) AS value  -- the mean over seeds
FROM store.evaluations
JOIN store.architectures USING (architecture_id)
WHERE space = $space AND space_parameters = $space_parameters
  AND dataset = $dataset AND metric = $metric AND split = $split
  AND epochs IS NOT DISTINCT FROM $epochs AND source = $source
GROUP BY architecture_id
ORDER BY architecture_id;

-- name: trial_results
SELECT trial_id, n, draw, kendall_tau, spearman, mse, top_recall, collapsed, old_task_weights
FROM store.trials
WHERE trial_id IN (SELECT unnest($trial_ids::VARCHAR[]));

-- name: head
SELECT head_id, artifact, artifact_hash FROM store.heads WHERE head_id = $head_id;

-- name: search_steps
SELECT search_id, step, native, value, predicted_mean, predicted_std, old_task_weights, seconds,
       objectives::VARCHAR AS objectives, proposed, running::VARCHAR AS running
FROM store.search_steps
JOIN store.architectures USING (architecture_id)
WHERE search_id IN (SELECT unnest($search_ids::VARCHAR[]))
ORDER BY search_id, step;

-- name: trainings
SELECT architecture_id, native, status, error, limits
FROM store.trainings
JOIN store.architectures USING (architecture_id)
WHERE space = $space AND space_parameters = $space_parameters
  AND settings_id = $settings_id AND seed = $seed
ORDER BY position;

-- name: trained_values
SELECT native, canonical_id, parameters, flops, seconds, dataset, split, metric, epochs, value
FROM store.trainings
JOIN store.evaluations USING (architecture_id, dataset, seed)
JOIN store.architectures USING (architecture_id)
WHERE space = $space AND space_parameters = $space_parameters
  AND source = $source AND 'cole:' || settings_id[:12] = source
ORDER BY position, dataset, split, metric, epochs;

-- name: seed_values
SELECT architecture_id, value
FROM store.evaluations
JOIN store.architectures USING (architecture_id)
WHERE space = $space AND space_parameters = $space_parameters
  AND dataset = $dataset AND metric = $metric AND split = $split
  AND epochs IS NOT DISTINCT FROM $epochs AND source = $source AND seed = $seed
ORDER BY position;

-- name: spaces
-- Those that have architectures, the one with the most first.
SELECT space FROM store.architectures GROUP BY space ORDER BY count(*) DESC, space;

-- name: status_spaces
SELECT space, count(*) AS architectures, count(DISTINCT canonical_id) AS canonical
FROM store.architectures GROUP BY space ORDER BY space;

-- name: status_renderings
SELECT space, encoding, context, count(*) AS architectures,
       count(DISTINCT text_hash) AS distinct_texts
FROM store.renderings JOIN store.architectures USING (architecture_id)
GROUP BY ALL ORDER BY ALL;

-- name: status_embeddings
SELECT spec_id, language_model, pooling, "precision", dimension, count(text_hash) AS vectors,
       coalesce(sum(n_tokens), 0)::BIGINT AS tokens,
       count(*) FILTER (WHERE truncated) AS truncated
FROM store.specifications LEFT JOIN store.embeddings USING (spec_id)
GROUP BY ALL ORDER BY language_model, pooling, "precision", spec_id;

-- name: status_evaluations
SELECT space, dataset, metric, split, epochs, source, count(*) AS evaluations
FROM store.evaluations JOIN store.architectures USING (architecture_id)
GROUP BY ALL ORDER BY ALL;

-- name: status_counts
SELECT (SELECT count(*) FROM store.trials) AS trials,
       (SELECT count(*) FROM store.heads) AS heads,
       (SELECT count(*) FROM store.trainings) AS trainings,
       (SELECT count(*) FROM store.searches) AS searches,
       (SELECT count(*) FROM store.search_steps) AS search_steps,
       (SELECT count(*) FROM store.comparisons) AS comparisons,
       (SELECT count(*) FROM store.search_comparisons) AS search_comparisons,
       (SELECT count(*) FROM store.runs) AS runs;

-- name: used_targets
SELECT target FROM (
    SELECT target, evaluated_at AS used_at
    FROM store.searches JOIN store.search_steps USING (search_id)
    WHERE space = $space
    UNION ALL
    SELECT target, started_at AS used_at
    FROM store.trials JOIN store.runs USING (run_id)
    WHERE space = $space
)
GROUP BY target
ORDER BY max(used_at) DESC;

-- name: searches_of
-- Of one objective or of several.
SELECT search_id, algorithm, seed, spec_id, configuration, flow IN ('compare search', 'compare published') AS compared
FROM store.searches JOIN store.runs USING (run_id)
WHERE space = $space AND target = $target
  AND (configuration ->> '$.direction') IS NOT DISTINCT FROM $direction
  AND ((configuration -> '$.objectives') IS NOT NULL) = $several
  AND search_id IN (SELECT search_id FROM store.search_steps)
ORDER BY search_id;

-- name: trials_of
SELECT trial_id, encoding, context, spec_id, head, n, draw, kendall_tau, configuration
FROM trials
WHERE space = $space AND target = $target AND folds IS NULL  -- the others stand in comparisons
  AND (configuration ->> '$.direction') IS NOT DISTINCT FROM $direction
ORDER BY encoding, head, n, draw;

-- name: comparisons_of
SELECT comparisons.*, started_at
FROM comparisons JOIN store.runs USING (run_id)
WHERE space = $space AND target = $target
ORDER BY started_at, comparison_id, n, position;

-- name: search_comparisons_of
SELECT search_comparisons.*, started_at
FROM search_comparisons JOIN store.runs USING (run_id)
WHERE space = $space AND target = $target
ORDER BY started_at, comparison_id, position, threshold_value;

-- name: search_regrets
SELECT * FROM search_regrets WHERE comparison_id = $comparison_id;

-- name: best_head
SELECT head_id, encoding, context, spec_id, language_model, head, n, draw, configuration
FROM store.heads
JOIN trials USING (trial_id)
WHERE space = $space AND target = $target
  AND (configuration ->> '$.direction') IS NOT DISTINCT FROM $direction
ORDER BY n DESC, kendall_tau DESC
LIMIT 1;

-- name: text_of_architecture
SELECT text
FROM renderings
WHERE architecture_id = $architecture_id AND encoding = $encoding AND context = $context;

-- name: latest_summary
SELECT summary
FROM store.runs
-- What follows a colon are the parameters of the space.
WHERE flow = $flow AND split_part(parameters ->> '$.space', ':', 1) = $space
    AND ended_at IS NOT NULL
ORDER BY started_at DESC
LIMIT 1;

-- name: recent_runs
SELECT flow, run_id, started_at, ended_at, coalesce(summary::VARCHAR, '') AS summary
FROM store.runs
ORDER BY started_at DESC
LIMIT $limit;

-- name: columns
SELECT table_name AS view, column_name AS "column", data_type AS type
FROM duckdb_columns()
WHERE NOT internal AND schema_name = 'main' AND table_name <> 'schema_version'
  AND NOT starts_with(table_name, 'stored_')
ORDER BY table_name LIKE 'embeddings\__%' ESCAPE '\', table_name, column_index;

-- name: texts_of
SELECT text_hash, text
FROM store.texts
WHERE text_hash IN (SELECT unnest($text_hashes::VARCHAR[]));

-- name: embedded
SELECT architecture_id, native, canonical_id, position, text_hash, n_tokens, truncated
FROM store.architectures
JOIN store.renderings USING (architecture_id)
JOIN (FROM store.embeddings WHERE spec_id = $spec_id) USING (text_hash)
WHERE space = $space AND space_parameters = $space_parameters
  AND encoding = $encoding AND context = $context
ORDER BY position;

-- name: sampled_texts
-- The first by their hashes, which says nothing of what is in them: a fixed sample at random.
WITH embedded AS (
    SELECT DISTINCT text_hash, n_tokens
    FROM store.architectures
    JOIN store.renderings USING (architecture_id)
    JOIN (FROM store.embeddings WHERE spec_id = $spec_id) USING (text_hash)
    WHERE space = $space AND space_parameters = $space_parameters
      AND encoding = $encoding AND context = $context
)
SELECT text_hash, text, fewest, most
FROM (FROM embedded ORDER BY text_hash LIMIT $limit)
JOIN store.texts USING (text_hash),
     (SELECT min(n_tokens) AS fewest, max(n_tokens) AS most FROM embedded)
ORDER BY text_hash;

-- name: known
FROM known;

-- name: candidates
SELECT known.*, text FROM known JOIN store.texts USING (text_hash);

-- name: architectures_by_id
SELECT architecture_id, space, space_parameters, native, canonical_id
FROM store.architectures
WHERE starts_with(architecture_id, $beginning)
ORDER BY architecture_id
LIMIT $limit;

-- name: first_rendered
SELECT rendering.encoding
FROM store.renderings AS rendering
JOIN store.architectures AS architecture USING (architecture_id)
WHERE architecture.space = $space AND list_contains($encodings, rendering.encoding)
GROUP BY rendering.encoding
ORDER BY min(rendering.rowid)  -- the order in which they came
LIMIT 1;

-- name: space_parameters
SELECT space_parameters, count(*) AS architectures
FROM store.architectures
WHERE space = $space
GROUP BY space_parameters
ORDER BY architectures DESC, space_parameters;

-- name: values_of
SELECT architecture_id, avg(value) AS value
FROM store.evaluations
WHERE architecture_id IN (SELECT unnest($architecture_ids::VARCHAR[]))
  AND dataset = $dataset AND metric = $metric AND split = $split
  AND epochs IS NOT DISTINCT FROM $epochs AND source = $source
GROUP BY architecture_id;

-- name: heads_of
SELECT head_id, encoding, context, spec_id, language_model, head, n, draw, kendall_tau, configuration
FROM store.heads
JOIN trials USING (trial_id)
WHERE space = $space AND target = $target
  AND (configuration ->> '$.direction') IS NOT DISTINCT FROM $direction
ORDER BY n DESC, kendall_tau DESC, head_id;

-- name: embedding_view
-- DuckDB takes a dataset for one row, and would hold every vector in memory as the small side of a
-- join: the second branch, which is empty, says that they are many. The key is computed, or a join
-- would push a filter down that datasets do not know.
CREATE TEMP VIEW {view} AS
SELECT text_hash || '' AS text_hash, vector, n_tokens, truncated FROM stored_{view}
UNION ALL (SELECT NULL, NULL, NULL, NULL FROM range(1_000_000_000_000) LIMIT (SELECT 0));

-- name: values_of_architecture
-- Every kind of value measured of one architecture, a mean over seeds, and how many of those that
-- the space has of the kind are above and below it.
WITH kinds AS (
    SELECT architecture_id, dataset, metric, split, epochs, source, avg(value) AS value,
           count(*) AS measured, any_value(unit) AS unit, any_value(direction) AS direction
    FROM store.evaluations JOIN store.architectures USING (architecture_id)
    WHERE space = $space AND space_parameters = $space_parameters
    GROUP BY ALL
)
SELECT own.dataset, own.metric, own.split, own.epochs, own.source, own.value, own.measured,
       own.unit, own.direction, count(*) FILTER (other.value > own.value) AS above,
       count(*) FILTER (other.value < own.value) AS below, count(*) AS architectures
FROM kinds AS own
JOIN kinds AS other
  ON own.dataset = other.dataset AND own.metric = other.metric AND own.split = other.split
  AND own.source = other.source AND own.epochs IS NOT DISTINCT FROM other.epochs
WHERE own.architecture_id = $architecture_id
GROUP BY ALL
ORDER BY ALL;

-- name: texts_of_architecture
-- An architecture's texts, a row for each specification that embedded one.
SELECT encoding, context, text, language_model, n_tokens, truncated
FROM store.renderings
JOIN store.texts USING (text_hash)
LEFT JOIN store.embeddings USING (text_hash)
LEFT JOIN store.specifications USING (spec_id)
WHERE architecture_id = $architecture_id
ORDER BY encoding, context, language_model, spec_id;

-- name: trainings_of
-- How an architecture was trained here, the latest first.
SELECT dataset, dataset_hash, 'cole:' || settings_id[:12] AS source, seed, status, error, seconds,
       store.trainings.parameters, flops, settings
FROM store.trainings LEFT JOIN store.runs USING (run_id)
WHERE architecture_id = $architecture_id
ORDER BY started_at DESC, settings_id, seed;

-- name: twins_of
SELECT architecture_id, native
FROM store.architectures
WHERE space = $space AND space_parameters = $space_parameters AND canonical_id = $canonical_id
  AND architecture_id <> $architecture_id
ORDER BY position;

-- name: sources_of_architectures
-- Who measured each architecture of a space.
SELECT architecture_id, string_agg(DISTINCT source, ', ' ORDER BY source) AS value
FROM store.evaluations JOIN store.architectures USING (architecture_id)
WHERE space = $space AND space_parameters = $space_parameters
GROUP BY architecture_id;

-- name: own_values_of_architecture
-- Every kind of value measured of one architecture, a mean over seeds.
SELECT dataset, metric, split, epochs, source, avg(value) AS value, any_value(unit) AS unit
FROM store.evaluations
WHERE architecture_id = $architecture_id
GROUP BY ALL
ORDER BY ALL;

-- name: searches_at_a_glance
-- Each search of a space with what it has come to, the latest first; those of comparisons last.
SELECT search_id, algorithm, encoding, language_model, dataset, metric, target, seed, configuration,
       count(*) AS steps, arg_max(best_so_far, step) AS best, max(evaluated_at) AS latest,
       any_value(flow) IN ('compare search', 'compare published') AS compared
FROM searches JOIN store.runs USING (run_id)
WHERE searches.space = $space
GROUP BY ALL
ORDER BY compared, latest DESC, seed;

-- name: steps_of_searches
SELECT search_id, seed, step, native, architecture_id, value, best_so_far, predicted_mean,
       predicted_std, seconds, evaluated_at
FROM searches
WHERE search_id IN (SELECT unnest($search_ids::VARCHAR[]))
ORDER BY seed, search_id, step;

-- name: runs_at_a_glance
SELECT run_id, flow, space, started_at, ended_at, summary
FROM runs
ORDER BY started_at DESC
LIMIT $limit;

-- name: compared_targets
-- What comparisons in a space were about, the latest first.
SELECT target FROM (
    SELECT target, started_at
    FROM store.comparisons JOIN store.runs USING (run_id) WHERE space = $space
    UNION ALL
    SELECT target, started_at
    FROM store.search_comparisons JOIN store.runs USING (run_id) WHERE space = $space
)
GROUP BY target
ORDER BY max(started_at) DESC;

-- name: normal_form_of
SELECT form FROM store.normal_forms WHERE architecture_id = $architecture_id;

-- name: some_texts
-- Texts of a space, the same ones each time.
SELECT text
FROM store.texts
WHERE text_hash IN (
    SELECT text_hash
    FROM store.renderings JOIN store.architectures USING (architecture_id)
    WHERE space = $space AND space_parameters = $space_parameters
      AND encoding = $encoding AND context = $context
    ORDER BY text_hash
    LIMIT $limit
);
