-- Embedding specifications that a schedule keeps up to date.

CREATE TABLE store.watches (
    watch_id       VARCHAR PRIMARY KEY,  -- hash of what follows up to device
    spec_id        VARCHAR NOT NULL,     -- checked before each use: the model may have changed
    space          VARCHAR,              -- null, as what follows: any
    encoding       VARCHAR,
    context        VARCHAR,
    arguments      JSON NOT NULL,        -- from which the specification is made again
    device         VARCHAR NOT NULL,
    added_at       TIMESTAMP NOT NULL,
    run_id         VARCHAR NOT NULL
);
