-- What people query. Made anew in each catalog whose views are not these; the view over each embedding
-- table (embeddings_<language model>_<pooling>_<precision>) is made on each connection.

CREATE OR REPLACE VIEW architectures AS
SELECT architecture_id, space, native, canonical_id, space_parameters, position, run_id
FROM store.architectures;

CREATE OR REPLACE VIEW renderings AS
SELECT architecture_id, space, native, encoding, context, text, text_hash, path, reason,
       store.renderings.run_id
FROM store.renderings
JOIN store.texts USING (text_hash)
JOIN store.architectures USING (architecture_id);

CREATE OR REPLACE VIEW members AS
SELECT architecture_id, space, native, name, class, arguments, place, own, form IS NOT NULL AS traced,
       code, code_hash, store.members.run_id
FROM store.members
JOIN store.codes USING (code_hash)
JOIN store.architectures USING (architecture_id)
LEFT JOIN (SELECT architecture_id, form FROM store.normal_forms) USING (architecture_id);

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
SELECT trial_id, space, encoding, context, language_model, pooling, "precision", head,
       target ->> '$.dataset' AS dataset, target ->> '$.metric' AS metric, target, population, folds,
       n, draw, n_test, kendall_tau, spearman, mse, top_recall, collapsed, old_task_weights, seconds,
       configuration,
       configuration_id, training_hash, spec_id, store.trials.run_id
FROM store.trials
LEFT JOIN store.specifications USING (spec_id);

CREATE OR REPLACE VIEW heads AS
SELECT head_id, space, encoding, context, language_model, pooling, "precision", head, dataset, metric,
       target, n, kendall_tau,
       artifact, artifact_hash, training_hash, trial_id, store.heads.run_id
FROM store.heads
JOIN trials USING (trial_id);

CREATE OR REPLACE VIEW comparisons AS
SELECT comparison_id, experiment, space, target ->> '$.dataset' AS dataset,
       target ->> '$.metric' AS metric, encoding, context, language_model, head,
       compared.* EXCLUDE (comparison_id, experiment, space)
FROM store.comparisons AS compared
LEFT JOIN (
    SELECT configuration_id, any_value(encoding) AS encoding, any_value(context) AS context,
           any_value(spec_id) AS spec_id, any_value(head) AS head
    FROM store.trials GROUP BY configuration_id
) USING (configuration_id)
LEFT JOIN (SELECT spec_id, language_model FROM store.specifications) USING (spec_id)
ORDER BY comparison_id, n, position;

CREATE OR REPLACE VIEW searches AS
SELECT search_id, space, algorithm, encoding, context, language_model, pooling, "precision",
       target ->> '$.dataset' AS dataset, target ->> '$.metric' AS metric, target, seed, step, native,
       value, CASE WHEN (configuration ->> '$.direction') = 'lower'
              THEN min(value) OVER (PARTITION BY search_id ORDER BY step)
              ELSE max(value) OVER (PARTITION BY search_id ORDER BY step) END AS best_so_far,
       predicted_mean, predicted_std, old_task_weights, seconds, evaluated_at, architecture_id,
       configuration, spec_id, objectives, store.search_steps.run_id, proposed
FROM store.searches
JOIN store.search_steps USING (search_id)
JOIN store.architectures USING (space, architecture_id)
LEFT JOIN store.specifications USING (spec_id);

CREATE OR REPLACE VIEW search_comparisons AS
SELECT comparison_id, experiment, space, compared.target ->> '$.dataset' AS dataset,
       compared.target ->> '$.metric' AS metric, algorithm, encoding, context, language_model,
       compared.* EXCLUDE (comparison_id, experiment, space)
FROM store.search_comparisons AS compared
LEFT JOIN (
    SELECT search_id AS first_search, algorithm, encoding, context, spec_id FROM store.searches
) ON first_search = search_ids[1]
LEFT JOIN (SELECT spec_id, language_model FROM store.specifications) USING (spec_id)
ORDER BY comparison_id, position, threshold_value;

CREATE OR REPLACE VIEW search_regrets AS
SELECT comparison_id, experiment, space, dataset, metric, algorithm, encoding, context,
       language_model, regrets.* EXCLUDE (comparison_id)
FROM store.search_regrets AS regrets
LEFT JOIN (
    SELECT DISTINCT comparison_id, configuration_id, experiment, space, dataset, metric, algorithm,
                    encoding, context, language_model
    FROM search_comparisons
) USING (comparison_id, configuration_id)
ORDER BY comparison_id, evaluations, position;

CREATE OR REPLACE VIEW runs AS
SELECT run_id, flow, parameters ->> '$.space' AS space,
       coalesce(parameters ->> '$.measured.dataset', parameters ->> '$.dataset') AS dataset,
       started_at, ended_at, parameters, summary, versions
FROM store.runs;
