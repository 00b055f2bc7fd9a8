-- Searches of several objectives: what each step is by all of them.

-- The values by the objectives' names, as they were measured; null: the search has one objective.
ALTER TABLE store.search_steps ADD COLUMN objectives JSON;
