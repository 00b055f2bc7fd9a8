-- Statements of sources: what was taken in, what stands on it, and how it is taken back; see
-- queries.sql. What stands on the values of a source names it in its target.

-- name: source_values
SELECT source, space, dataset, metric, split, epochs, count(*) AS evaluations,
       count(DISTINCT architecture_id) AS architectures
FROM store.evaluations JOIN store.architectures USING (architecture_id)
GROUP BY ALL
ORDER BY ALL;

-- name: source_runs
-- Those that added values, the oldest first; null: of a run that did not come along.
SELECT source, run_id, flow, started_at, parameters ->> '$.origin' AS origin,
       summary ->> '$.file' AS file, (summary ->> '$.bytes')::BIGINT AS bytes,
       summary ->> '$.sha256' AS sha256
FROM (SELECT DISTINCT source, run_id FROM store.evaluations)
LEFT JOIN store.runs USING (run_id)
ORDER BY started_at, source, run_id;

-- name: listed
-- What stands at a place of the official list, in each source that brought one.
SELECT source, native FROM store.lists WHERE space = $space AND place = $place ORDER BY source;

-- name: listing_sources
SELECT source, count(*) AS places FROM store.lists WHERE space = $space GROUP BY source ORDER BY ALL;

-- name: other_sources
SELECT DISTINCT source
FROM store.evaluations JOIN store.architectures USING (architecture_id)
WHERE space = $space AND space_parameters = $space_parameters
  AND dataset = $dataset AND metric = $metric AND split = $split
  AND epochs IS NOT DISTINCT FROM $epochs AND source <> $source
ORDER BY source;

-- name: derived_from_source
-- One row for each thing; reports are those whose latest writing read the source.
SELECT 'head' AS kind, head_id AS id, concat(head, ' on ', encoding, ', n=', n) AS about,
       artifact AS file
FROM store.heads JOIN store.trials USING (trial_id)
WHERE (target ->> '$.source' = $source
   OR list_contains(configuration ->> '$.transfer[*].source', $source))
UNION ALL
SELECT 'trial', trial_id, concat(head, ' on ', encoding, ', n=', n, ', draw ', draw), NULL
FROM store.trials
WHERE ($source IN (target ->> '$.source', configuration ->> '$.learned.source')
   OR list_contains(configuration ->> '$.transfer[*].source', $source))
UNION ALL
SELECT 'search', search_id, concat(any_value(algorithm), ', seed ', any_value(seed), ', ',
                                   count(step), ' evaluations'), NULL
FROM store.searches LEFT JOIN store.search_steps USING (search_id)
WHERE (target ->> '$.source' = $source
   OR list_contains(configuration ->> '$.objectives[*].origin.source', $source)
   OR list_contains(configuration ->> '$.transfer[*].source', $source))
GROUP BY search_id
UNION ALL
SELECT DISTINCT 'comparison', comparison_id, concat(experiment, ', of predictors'), NULL
FROM store.comparisons
WHERE (target ->> '$.source' = $source OR comparison_id IN (
    SELECT comparison_id FROM store.comparisons JOIN store.trials USING (configuration_id)
    WHERE list_contains(configuration ->> '$.transfer[*].source', $source)
))
UNION ALL
SELECT DISTINCT 'comparison', comparison_id, concat(experiment, ', of searches'), NULL
FROM store.search_comparisons
WHERE (target ->> '$.source' = $source OR comparison_id IN (
    SELECT comparison_id FROM store.search_comparisons, store.searches
    WHERE list_contains(search_ids, search_id)
      AND list_contains(configuration ->> '$.transfer[*].source', $source)
))
UNION ALL
SELECT 'training', concat(architecture_id, ' ', settings_id, ' ', seed), dataset, NULL
FROM store.trainings
WHERE 'cole:' || settings_id[:12] = $source
UNION ALL
SELECT 'report', name, concat('of ', space), 'reports/' || name
FROM (
    SELECT parse_filename(summary ->> '$.report') AS name,
           arg_max(parameters ->> '$.space', started_at) AS space,
           arg_max(summary ->> '$.target', started_at) AS target
    FROM store.runs
    WHERE flow = 'report' AND (summary ->> '$.report') LIKE '%.html'
    GROUP BY name
)
WHERE target::JSON ->> '$.source' = $source
ORDER BY kind, about, id;

-- name: forget_heads_of
DELETE FROM store.heads
WHERE trial_id IN (
    SELECT trial_id FROM store.trials
    WHERE (target ->> '$.source' = $source
       OR list_contains(configuration ->> '$.transfer[*].source', $source))
);

-- name: forget_trials_of
DELETE FROM store.trials
WHERE ($source IN (target ->> '$.source', configuration ->> '$.learned.source')
   OR list_contains(configuration ->> '$.transfer[*].source', $source));

-- name: forget_steps_of
DELETE FROM store.search_steps
WHERE search_id IN (
    SELECT search_id FROM store.searches
    WHERE (target ->> '$.source' = $source
       OR list_contains(configuration ->> '$.objectives[*].origin.source', $source)
       OR list_contains(configuration ->> '$.transfer[*].source', $source))
);

-- name: forget_searches_of
DELETE FROM store.searches
WHERE (target ->> '$.source' = $source
   OR list_contains(configuration ->> '$.objectives[*].origin.source', $source)
   OR list_contains(configuration ->> '$.transfer[*].source', $source));

-- name: forget_comparisons_of
-- Before the trials: those tell which rows rest on what was learned from the source.
DELETE FROM store.comparisons
WHERE (target ->> '$.source' = $source OR comparison_id IN (
    SELECT comparison_id FROM store.comparisons JOIN store.trials USING (configuration_id)
    WHERE list_contains(configuration ->> '$.transfer[*].source', $source)
));

-- name: forget_regrets_of
DELETE FROM store.search_regrets
WHERE comparison_id IN (
    SELECT comparison_id FROM store.search_comparisons
    WHERE (target ->> '$.source' = $source OR comparison_id IN (
        SELECT comparison_id FROM store.search_comparisons, store.searches
        WHERE list_contains(search_ids, search_id)
          AND list_contains(configuration ->> '$.transfer[*].source', $source)
    ))
);

-- name: forget_search_comparisons_of
-- Before the searches, as those of predictors before the trials.
DELETE FROM store.search_comparisons
WHERE (target ->> '$.source' = $source OR comparison_id IN (
    SELECT comparison_id FROM store.search_comparisons, store.searches
    WHERE list_contains(search_ids, search_id)
      AND list_contains(configuration ->> '$.transfer[*].source', $source)
));

-- name: forget_trainings_of
DELETE FROM store.trainings WHERE 'cole:' || settings_id[:12] = $source;

-- name: forget_lists_of
DELETE FROM store.lists WHERE source = $source;

-- name: forget_evaluations_of
DELETE FROM store.evaluations WHERE source = $source;
