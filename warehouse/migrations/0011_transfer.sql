-- Searches that read what was measured on other tasks. Which ones stands in their configuration.

-- How much each old task counted in what the surrogate expected, in the order of the
-- configuration's `transfer`; null: nothing was transferred.
ALTER TABLE store.search_steps ADD COLUMN old_task_weights DOUBLE[];
