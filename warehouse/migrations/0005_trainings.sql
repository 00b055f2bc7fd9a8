-- What came of each network that was to be trained, or to have its proxies computed; the values
-- are evaluations whose source is 'cole:' and the beginning of settings_id.

CREATE TABLE store.trainings (
    architecture_id  VARCHAR NOT NULL,
    settings_id      VARCHAR NOT NULL,  -- hash of the settings and the dataset's content
    seed             INTEGER NOT NULL,
    dataset          VARCHAR NOT NULL,  -- its name
    dataset_hash     VARCHAR NOT NULL,
    settings         JSON NOT NULL,
    status           VARCHAR NOT NULL,  -- ok, diverged, too_large, timed_out, failed, crashed
    error            VARCHAR,           -- one line; null: ok
    seconds          DOUBLE NOT NULL,   -- wall time
    parameters       BIGINT,            -- null, as what follows: it could not be measured
    flops            BIGINT,            -- of one image's forward pass
    memory           BIGINT,            -- bytes that training takes at most, inferred
    limits           JSON NOT NULL,     -- what one network might cost
    run_id           VARCHAR NOT NULL,
    PRIMARY KEY (architecture_id, settings_id, seed)
);
