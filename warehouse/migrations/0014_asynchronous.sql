-- Searches that propose whenever an architecture is done: their steps stand in the order in which
-- values arrived.

-- Place in the order of proposals, from 0; null: a search that goes batch by batch.
ALTER TABLE store.search_steps ADD COLUMN proposed INTEGER;
-- What ran when the step was stored, which a search that goes on has run again: a list of
-- {number, native, mean, std, weights}; null as above.
ALTER TABLE store.search_steps ADD COLUMN running JSON;
