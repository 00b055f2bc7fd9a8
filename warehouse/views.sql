-- What people query. Made anew after each migration; the view over each embedding table
-- (embeddings_<language model>_<pooling>_<precision>) is made on each connection.

CREATE OR REPLACE VIEW architectures AS
SELECT architecture_id, space, native, canonical_id, space_parameters, position, run_id
FROM store.architectures;

CREATE OR REPLACE VIEW renderings AS
SELECT architecture_id, native, encoding, context, text, text_hash, store.renderings.run_id
FROM store.renderings
JOIN store.texts USING (text_hash)
JOIN store.architectures USING (architecture_id);

CREATE OR REPLACE VIEW embeddings AS
SELECT spec_id, language_model, pooling, "precision", text_hash, n_tokens, truncated,
       store.embeddings.run_id
FROM store.embeddings
JOIN store.specifications USING (spec_id);

CREATE OR REPLACE VIEW evaluations AS
SELECT architecture_id, native, space, dataset, metric, split, epochs, seed, source, value,
       unit, direction, store.evaluations.run_id
FROM store.evaluations
JOIN store.architectures USING (architecture_id);

CREATE OR REPLACE VIEW trainings AS
SELECT architecture_id, native, space, dataset, 'cole:' || settings_id[:12] AS source, seed, status,
       error, seconds, parameters, flops, memory, settings, limits, dataset_hash, settings_id,
       store.trainings.run_id
FROM store.trainings
JOIN store.architectures USING (architecture_id);

CREATE OR REPLACE VIEW trials AS
SELECT trial_id, space, encoding, context, language_model, head, target, population, folds, n, draw,
       n_test, kendall_tau, spearman, mse, top_recall, collapsed, seconds, configuration,
       configuration_id, training_hash, spec_id, store.trials.run_id
FROM store.trials
LEFT JOIN store.specifications USING (spec_id);

CREATE OR REPLACE VIEW heads AS
SELECT head_id, space, encoding, context, language_model, head, target, n, kendall_tau,
       artifact, artifact_hash, training_hash, trial_id, store.heads.run_id
FROM store.heads
JOIN trials USING (trial_id);

CREATE OR REPLACE VIEW comparisons AS
SELECT * FROM store.comparisons ORDER BY comparison_id, n, position;

CREATE OR REPLACE VIEW searches AS
SELECT search_id, space, algorithm, encoding, context, language_model, target, seed, step, native,
       value, CASE WHEN (configuration ->> '$.direction') = 'lower'
              THEN min(value) OVER (PARTITION BY search_id ORDER BY step)
              ELSE max(value) OVER (PARTITION BY search_id ORDER BY step) END AS best_so_far,
       predicted_mean, predicted_std, seconds, evaluated_at, architecture_id, configuration, spec_id,
       store.search_steps.run_id
FROM store.searches
JOIN store.search_steps USING (search_id)
JOIN store.architectures USING (space, architecture_id)
LEFT JOIN store.specifications USING (spec_id);

CREATE OR REPLACE VIEW search_comparisons AS
SELECT * FROM store.search_comparisons ORDER BY comparison_id, position, threshold_value;

CREATE OR REPLACE VIEW search_regrets AS
SELECT * FROM store.search_regrets ORDER BY comparison_id, evaluations, position;

CREATE OR REPLACE VIEW runs AS
SELECT run_id, flow, started_at, ended_at, parameters, summary, versions
FROM store.runs;
