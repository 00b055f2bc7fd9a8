-- Statements of exports and imports; see queries.sql. `wanted` is an Arrow table of
-- architecture_ids, `incoming` the rows of an export's file.

-- name: part_architectures
FROM store.architectures SEMI JOIN wanted USING (architecture_id) ORDER BY position;

-- name: part_members
FROM store.members SEMI JOIN wanted USING (architecture_id);

-- name: part_codes
FROM store.codes
SEMI JOIN (FROM store.members SEMI JOIN wanted USING (architecture_id)) USING (code_hash);

-- name: part_normal_forms
FROM store.normal_forms SEMI JOIN wanted USING (architecture_id);

-- name: part_renderings
FROM store.renderings SEMI JOIN wanted USING (architecture_id);

-- name: part_texts
FROM store.texts
SEMI JOIN (FROM store.renderings SEMI JOIN wanted USING (architecture_id)) USING (text_hash);

-- name: part_embeddings
FROM store.embeddings
SEMI JOIN (FROM store.renderings SEMI JOIN wanted USING (architecture_id)) USING (text_hash);

-- name: part_specifications
FROM store.specifications
SEMI JOIN (
    FROM store.embeddings
    SEMI JOIN (FROM store.renderings SEMI JOIN wanted USING (architecture_id)) USING (text_hash)
) USING (spec_id);

-- name: part_evaluations
FROM store.evaluations SEMI JOIN wanted USING (architecture_id);

-- name: part_trainings
FROM store.trainings SEMI JOIN wanted USING (architecture_id);

-- name: import_runs
INSERT OR IGNORE INTO store.runs BY NAME SELECT * FROM incoming;

-- name: import_architectures
INSERT INTO store.architectures BY NAME
SELECT incoming.* REPLACE (position + coalesce(taken.positions, 0) AS position)  -- behind the others
FROM incoming
ANTI JOIN store.architectures USING (architecture_id)
LEFT JOIN (
    SELECT space, space_parameters, max(position) + 1 AS positions
    FROM store.architectures GROUP BY ALL
) AS taken ON incoming.space = taken.space AND incoming.space_parameters = taken.space_parameters;

-- name: import_codes
INSERT OR IGNORE INTO store.codes BY NAME SELECT * FROM incoming;

-- name: import_members
INSERT OR IGNORE INTO store.members BY NAME SELECT * FROM incoming;

-- name: import_normal_forms
INSERT OR IGNORE INTO store.normal_forms BY NAME SELECT * FROM incoming;

-- name: import_texts
INSERT OR IGNORE INTO store.texts BY NAME SELECT * FROM incoming;

-- name: import_renderings
INSERT OR IGNORE INTO store.renderings BY NAME SELECT * FROM incoming;

-- name: import_specifications
INSERT OR IGNORE INTO store.specifications BY NAME SELECT * FROM incoming;

-- name: import_embeddings
INSERT INTO store.embeddings BY NAME
SELECT * FROM incoming
ANTI JOIN store.embeddings USING (spec_id, text_hash);

-- name: import_evaluations
INSERT INTO store.evaluations BY NAME
SELECT incoming.*
FROM incoming ANTI JOIN store.evaluations AS stored
  ON incoming.architecture_id = stored.architecture_id
  AND incoming.dataset = stored.dataset
  AND incoming.metric = stored.metric
  AND incoming.split = stored.split
  AND incoming.epochs IS NOT DISTINCT FROM stored.epochs
  AND incoming.seed IS NOT DISTINCT FROM stored.seed
  AND incoming.source = stored.source;

-- name: import_lists
INSERT INTO store.lists BY NAME SELECT * FROM incoming ANTI JOIN store.lists USING (space, source);

-- name: import_trainings
INSERT OR IGNORE INTO store.trainings BY NAME SELECT * FROM incoming;

-- name: import_trials
INSERT OR IGNORE INTO store.trials BY NAME SELECT * FROM incoming;

-- name: import_heads
INSERT OR IGNORE INTO store.heads BY NAME SELECT * FROM incoming;

-- name: import_comparisons
INSERT OR IGNORE INTO store.comparisons BY NAME SELECT * FROM incoming;

-- name: import_searches
INSERT OR IGNORE INTO store.searches BY NAME SELECT * FROM incoming;

-- name: import_search_steps
INSERT OR IGNORE INTO store.search_steps BY NAME SELECT * FROM incoming;

-- name: import_search_comparisons
INSERT INTO store.search_comparisons BY NAME
SELECT * FROM incoming ANTI JOIN store.search_comparisons USING (comparison_id);

-- name: import_search_regrets
INSERT INTO store.search_regrets BY NAME
SELECT * FROM incoming ANTI JOIN store.search_regrets USING (comparison_id);

-- name: import_watches
INSERT OR IGNORE INTO store.watches BY NAME SELECT * FROM incoming;

-- name: dangling_rows
-- What an export's rows refer to and do not bring along.
SELECT 'renderings' AS "table", 'architecture_id' AS "column", count(*) AS rows
FROM store.renderings ANTI JOIN store.architectures USING (architecture_id)
UNION ALL
SELECT 'renderings', 'text_hash', count(*)
FROM store.renderings ANTI JOIN store.texts USING (text_hash)
UNION ALL
SELECT 'members', 'architecture_id', count(*)
FROM store.members ANTI JOIN store.architectures USING (architecture_id)
UNION ALL
SELECT 'members', 'code_hash', count(*)
FROM store.members ANTI JOIN store.codes USING (code_hash)
UNION ALL
SELECT 'normal_forms', 'architecture_id', count(*)
FROM store.normal_forms ANTI JOIN store.members USING (architecture_id)
UNION ALL
SELECT 'embeddings', 'spec_id', count(*)
FROM store.embeddings ANTI JOIN store.specifications USING (spec_id)
UNION ALL
SELECT 'embeddings', 'text_hash', count(*)
FROM store.embeddings ANTI JOIN store.texts USING (text_hash)
UNION ALL
SELECT 'evaluations', 'architecture_id', count(*)
FROM store.evaluations ANTI JOIN store.architectures USING (architecture_id)
UNION ALL
SELECT 'trainings', 'architecture_id', count(*)
FROM store.trainings ANTI JOIN store.architectures USING (architecture_id)
UNION ALL
SELECT 'heads', 'trial_id', count(*) FROM store.heads ANTI JOIN store.trials USING (trial_id)
UNION ALL
SELECT 'search_steps', 'search_id', count(*)
FROM store.search_steps ANTI JOIN store.searches USING (search_id)
UNION ALL
SELECT 'search_steps', 'architecture_id', count(*)
FROM store.search_steps ANTI JOIN store.architectures USING (architecture_id);

-- name: staged_architectures
SELECT architecture_id, space, space_parameters, native FROM store.architectures;

-- name: staged_codes
SELECT code_hash, code FROM store.codes;

-- name: staged_members
SELECT native, name, class, code_hash, arguments, canonical, canonical_id
FROM store.members JOIN store.architectures USING (architecture_id);

-- name: staged_texts
SELECT text_hash, text FROM store.texts;

-- name: staged_specifications
SELECT spec_id, specification, dimension FROM store.specifications;

-- name: staged_trials
SELECT trial_id, configuration, n, draw FROM store.trials;

-- name: staged_heads
SELECT head_id, artifact, artifact_hash FROM store.heads;

-- name: staged_conflicting_evaluation
SELECT incoming.architecture_id, incoming.dataset, incoming.metric, incoming.value AS new_value,
       stored.value AS old_value
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
