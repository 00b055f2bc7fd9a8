-- Trials of heads that read what was measured on other tasks. Which ones stands in their
-- configuration.

-- How much each old task counts in what the head predicts, in the order of the configuration's
-- `transfer`; null: nothing was transferred.
ALTER TABLE store.trials ADD COLUMN old_task_weights DOUBLE[];
