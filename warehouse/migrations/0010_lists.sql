-- The official lists of architectures that files brought: what a place in such a list means.

CREATE TABLE store.lists (
    space    VARCHAR NOT NULL,
    source   VARCHAR NOT NULL,  -- the source of measured values that brought it, and goes with it
    place    INTEGER NOT NULL,  -- from 0
    native   VARCHAR NOT NULL,
    run_id   VARCHAR NOT NULL
);
