-- What measured values are of: a unit, and whether higher or lower is better.

ALTER TABLE store.evaluations ADD COLUMN unit VARCHAR;       -- null: none, or the source does not say
ALTER TABLE store.evaluations ADD COLUMN direction VARCHAR;  -- higher, lower; null: nobody said

-- Until now a table's values were all taken for accuracies in percent, whatever their heading said.
-- Where the names speak for it they keep that meaning. Where a word in the dataset's or the metric's
-- name speaks against it (the dataset 'accs' or 'edgegpu_energy', the metric 'error_accuracy'),
-- nobody can tell: neither is set, and 'cole doctor' names them.
UPDATE store.evaluations
SET unit = '%', direction = 'higher'
WHERE (metric = 'accuracy' OR ends_with(metric, '_accuracy'))
  AND NOT regexp_matches(
    lower(dataset || '_' || metric[:-9]),
    '(^|[^a-z])(acc|accs|accuracies|top|err|error|errors|loss|losses|ce|std|stdev|sd|var|variance'
    '|mean|avg|best|final|rank|gain|drop|delta|diff|latency|latencies|energy|power|time|times|hours'
    '|days|seconds|flop|flops|macs|madds|adds|param|params|parameter|parameters|depth|size|memory'
    '|mem|intensity|throughput|fps|score|proxy|epe|fisher|grad|grasp|jacov|jacob|logsynflow|naswot'
    '|nwot|norm|plain|snip|synflow|zen|zico|index|idx|id|ids|uid|uuid|hash|seed)([^a-z]|$)'
    '|[^a-z](ms|us|sec|mj|kb|mb|gb|kib|mib|gib)[^a-z]*$'  -- a unit at the end
  );

UPDATE store.evaluations SET direction = 'lower'
WHERE metric IN ('error', 'loss', 'latency', 'energy', 'parameters', 'flops', 'macs', 'memory');

UPDATE store.evaluations SET unit = '%' WHERE metric = 'error';

UPDATE store.evaluations SET unit = 'count'
WHERE metric IN ('parameters', 'flops') AND starts_with(source, 'cole:');
