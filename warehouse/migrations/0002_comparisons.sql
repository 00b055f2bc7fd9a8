-- Trials of a comparison beside those of `cole train`, and the tables that comparisons come to.

ALTER TABLE store.trials ADD COLUMN configuration_id VARCHAR; -- the configuration without n and draw
ALTER TABLE store.trials ADD COLUMN population VARCHAR DEFAULT 'all'; -- or 'canonical': no twins
ALTER TABLE store.trials ADD COLUMN folds INTEGER;       -- null: a trial of `cole train`
ALTER TABLE store.trials ADD COLUMN collapsed BOOLEAN;   -- one prediction for all: no tau
ALTER TABLE store.trials ADD COLUMN mse DOUBLE;          -- null: a head that only ranks
ALTER TABLE store.trials ADD COLUMN top_recall DOUBLE;   -- of the best tenth; null: collapsed

UPDATE store.trials SET collapsed = isnan(kendall_tau);

-- One row for each configuration and n of a comparison; means over its trials.
CREATE TABLE store.comparisons (
    comparison_id     VARCHAR NOT NULL,  -- hash of the configurations, the splits and the target
    experiment        VARCHAR NOT NULL,  -- 'custom' for a list that has no name
    space             VARCHAR NOT NULL,
    target            JSON NOT NULL,
    population        VARCHAR NOT NULL,
    architectures     INTEGER NOT NULL,  -- those that every configuration has a vector of
    folds             INTEGER NOT NULL,
    repeats           INTEGER NOT NULL,
    position          INTEGER NOT NULL,  -- of the configuration; 0 is the reference
    label             VARCHAR NOT NULL,  -- what sets the configuration apart
    configuration_id  VARCHAR NOT NULL,
    n                 INTEGER NOT NULL,
    trials            INTEGER NOT NULL,
    collapsed         INTEGER NOT NULL,  -- trials that the means leave out
    kendall_tau       DOUBLE,
    kendall_tau_std   DOUBLE,
    spearman          DOUBLE,
    spearman_std      DOUBLE,
    mse               DOUBLE,
    mse_std           DOUBLE,
    top_recall        DOUBLE,
    top_recall_std    DOUBLE,
    difference        DOUBLE,            -- of Kendall tau, to the reference
    p_value           DOUBLE,            -- corrected paired t-test; null: the reference, or collapsed
    wins              INTEGER,           -- splits on which it ranks better than the reference
    ties              INTEGER,
    losses            INTEGER,
    run_id            VARCHAR NOT NULL,
    PRIMARY KEY (comparison_id, configuration_id, n)
);
