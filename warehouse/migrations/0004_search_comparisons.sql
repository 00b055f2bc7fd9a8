-- How long searches took, and the tables that comparisons of them come to.

-- Of the batch that the step belongs to, shared evenly by the steps of all searches that ran in one
-- stack; null: not known.
ALTER TABLE store.search_steps ADD COLUMN seconds DOUBLE;

-- One row for each configuration and threshold; over the seeds.
CREATE TABLE store.search_comparisons (
    comparison_id            VARCHAR NOT NULL,    -- hash of the configurations, the seeds, the budget
    experiment               VARCHAR NOT NULL,    -- 'custom' for a list that has no name
    space                    VARCHAR NOT NULL,
    target                   JSON NOT NULL,
    architectures            INTEGER NOT NULL,    -- those that every configuration may evaluate
    best                     DOUBLE NOT NULL,     -- the best value among them
    seeds                    INTEGER NOT NULL,
    budget                   INTEGER NOT NULL,    -- evaluations of each seed
    position                 INTEGER NOT NULL,    -- of the configuration; 0 is the reference
    label                    VARCHAR NOT NULL,    -- what sets the configuration apart
    configuration_id         VARCHAR NOT NULL,    -- hash of what the seeds' searches share
    search_ids               VARCHAR[] NOT NULL,  -- the searches, in the order of the seeds
    seconds                  DOUBLE,              -- what they took; null: not known
    threshold                VARCHAR NOT NULL,    -- '99 %' of the best, or 'within 1' of it
    threshold_value          DOUBLE NOT NULL,
    evaluations              DOUBLE NOT NULL,     -- per seed until there, mean; the budget for a
                                                  -- seed that never gets there: then a lower bound
    standard_error           DOUBLE NOT NULL,
    low                      DOUBLE NOT NULL,     -- 95 % interval of the mean, as every interval
    high                     DOUBLE NOT NULL,
    median                   DOUBLE,              -- null: half the seeds or more never get there
    censored                 INTEGER NOT NULL,    -- seeds that never get there
    change                   DOUBLE,              -- of the mean to the reference's, as a share
    p_value                  DOUBLE,              -- paired t-test over seeds; null: the reference
    wins                     INTEGER,             -- seeds that are there sooner than the reference's
    ties                     INTEGER,
    losses                   INTEGER,
    crossing                 INTEGER,             -- evaluation at which the mean best-so-far curve
                                                  -- crosses; null: it stays below
    crossing_standard_error  DOUBLE NOT NULL,
    crossing_low             DOUBLE NOT NULL,
    crossing_high            DOUBLE NOT NULL,
    crossing_below           DOUBLE NOT NULL,     -- share of resampled curves that stay below
    crossing_change          DOUBLE,              -- to the reference's, as a share
    crossing_p_value         DOUBLE,              -- paired bootstrap over seeds
    run_id                   VARCHAR NOT NULL
);

-- One row for each configuration and number of evaluations: the best minus the best so far.
CREATE TABLE store.search_regrets (
    comparison_id     VARCHAR NOT NULL,
    configuration_id  VARCHAR NOT NULL,
    position          INTEGER NOT NULL,
    label             VARCHAR NOT NULL,
    evaluations       INTEGER NOT NULL,
    regret            DOUBLE NOT NULL,   -- mean over seeds
    standard_error    DOUBLE NOT NULL,
    low               DOUBLE NOT NULL,
    high              DOUBLE NOT NULL,
    ended_early       INTEGER NOT NULL,  -- seeds that stopped before; if any, an upper bound
    p_value           DOUBLE,            -- paired t-test over seeds; null: the reference
    run_id            VARCHAR NOT NULL
);
