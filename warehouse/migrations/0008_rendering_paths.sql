-- How the network behind a text was read, where there are several ways.

ALTER TABLE store.renderings ADD COLUMN path VARCHAR;    -- fx, export, source; null: the space writes it from what it knows
ALTER TABLE store.renderings ADD COLUMN reason VARCHAR;  -- why no earlier way
