-- Tables live in the schema `store`; what people query are the views of views.sql.

CREATE SCHEMA store;

CREATE TABLE store.runs (
    run_id      VARCHAR PRIMARY KEY,  -- the Prefect flow run
    flow        VARCHAR NOT NULL,
    parameters  JSON NOT NULL,
    versions    JSON NOT NULL,
    started_at  TIMESTAMP NOT NULL,   -- UTC, like every time here
    ended_at    TIMESTAMP,            -- null: running, or killed
    summary     JSON
);

CREATE TABLE store.architectures (
    architecture_id  VARCHAR PRIMARY KEY,
    space            VARCHAR NOT NULL,
    space_parameters JSON NOT NULL,
    native           VARCHAR NOT NULL,
    canonical_id     VARCHAR NOT NULL,  -- equal for architectures that compute the same function
    position         BIGINT NOT NULL,   -- the order in which the space came in
    run_id           VARCHAR NOT NULL
);

CREATE TABLE store.texts (
    text_hash  VARCHAR PRIMARY KEY,
    text       VARCHAR NOT NULL
);

CREATE TABLE store.renderings (
    architecture_id  VARCHAR NOT NULL,
    encoding         VARCHAR NOT NULL,
    context          VARCHAR NOT NULL,  -- 'none' where there is none
    text_hash        VARCHAR NOT NULL,
    run_id           VARCHAR NOT NULL,
    PRIMARY KEY (architecture_id, encoding, context)
);

CREATE TABLE store.specifications (
    spec_id         VARCHAR PRIMARY KEY,
    language_model  VARCHAR NOT NULL,
    pooling         VARCHAR NOT NULL,
    "precision"     VARCHAR NOT NULL,
    specification   JSON NOT NULL,
    dimension       INTEGER NOT NULL,
    run_id          VARCHAR NOT NULL
);

-- The promise that a vector is there: written after the vector, never before.
CREATE TABLE store.embeddings (
    spec_id    VARCHAR NOT NULL,
    text_hash  VARCHAR NOT NULL,
    n_tokens   INTEGER NOT NULL,
    truncated  BOOLEAN NOT NULL,
    run_id     VARCHAR NOT NULL,
    PRIMARY KEY (spec_id, text_hash)
);

CREATE TABLE store.evaluations (
    architecture_id  VARCHAR NOT NULL,
    dataset          VARCHAR NOT NULL,
    metric           VARCHAR NOT NULL,
    split            VARCHAR NOT NULL,
    epochs           INTEGER,           -- null: the source does not say
    seed             INTEGER,           -- null: a mean over seeds
    source           VARCHAR NOT NULL,
    value            DOUBLE NOT NULL,
    run_id           VARCHAR NOT NULL
);

CREATE TABLE store.trials (
    trial_id         VARCHAR PRIMARY KEY,
    configuration    JSON NOT NULL,     -- everything that decides the result, hashed into trial_id
    space            VARCHAR NOT NULL,
    encoding         VARCHAR NOT NULL,
    context          VARCHAR NOT NULL,
    spec_id          VARCHAR,           -- null: a structural encoding
    head             VARCHAR NOT NULL,
    target           JSON NOT NULL,
    n                INTEGER NOT NULL,
    draw             INTEGER NOT NULL,
    n_test           INTEGER NOT NULL,
    training_hash    VARCHAR NOT NULL,
    kendall_tau      DOUBLE NOT NULL,
    spearman         DOUBLE NOT NULL,
    seconds          DOUBLE NOT NULL,
    run_id           VARCHAR NOT NULL
);

CREATE TABLE store.heads (
    head_id        VARCHAR PRIMARY KEY,
    trial_id       VARCHAR NOT NULL,
    artifact       VARCHAR NOT NULL,    -- path below artifacts/
    artifact_hash  VARCHAR NOT NULL,
    run_id         VARCHAR NOT NULL
);

CREATE TABLE store.searches (
    search_id      VARCHAR PRIMARY KEY,
    configuration  JSON NOT NULL,
    space          VARCHAR NOT NULL,
    algorithm      VARCHAR NOT NULL,
    encoding       VARCHAR NOT NULL,    -- 'none' for an algorithm that reads no vectors
    context        VARCHAR NOT NULL,
    spec_id        VARCHAR,
    target         JSON NOT NULL,
    seed           INTEGER NOT NULL,
    run_id         VARCHAR NOT NULL
);

CREATE TABLE store.search_steps (
    search_id        VARCHAR NOT NULL,
    step             INTEGER NOT NULL,  -- evaluations spent, from 1
    architecture_id  VARCHAR NOT NULL,
    value            DOUBLE NOT NULL,
    predicted_mean   DOUBLE,
    predicted_std    DOUBLE,
    evaluated_at     TIMESTAMP NOT NULL,
    run_id           VARCHAR NOT NULL,
    PRIMARY KEY (search_id, step)
);
