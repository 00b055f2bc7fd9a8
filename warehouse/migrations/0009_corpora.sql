-- Networks that came as code: the members of corpora.

CREATE TABLE store.codes (
    code_hash  VARCHAR PRIMARY KEY,
    code       VARCHAR NOT NULL
);

CREATE TABLE store.members (
    architecture_id  VARCHAR PRIMARY KEY,
    name             VARCHAR NOT NULL,
    class            VARCHAR NOT NULL,  -- or what its nn.Sequential is assigned to
    arguments        JSON NOT NULL,     -- of the constructor
    place            VARCHAR NOT NULL,  -- where it came from: a file, a table's row
    own              JSON NOT NULL,     -- what its table says of it beside measured values
    canonical        VARCHAR NOT NULL,  -- what canonical_id hashes: kept, since nothing runs to tell it again
    code_hash        VARCHAR NOT NULL,
    run_id           VARCHAR NOT NULL
);

-- What tracing found, kept so that everything after it reads and nothing runs.
CREATE TABLE store.normal_forms (
    architecture_id  VARCHAR PRIMARY KEY,
    form             JSON NOT NULL,
    run_id           VARCHAR NOT NULL
);
