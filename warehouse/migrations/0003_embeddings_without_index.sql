-- The key's index was rewritten with every commit: at a million rows it took most of a second to
-- add two thousand. The writer lock and what the writer knows keep the rows apart, as in Lance.

CREATE TABLE store.embeddings_unindexed (
    spec_id    VARCHAR NOT NULL,
    text_hash  VARCHAR NOT NULL,
    n_tokens   INTEGER NOT NULL,
    truncated  BOOLEAN NOT NULL,
    run_id     VARCHAR NOT NULL
);

INSERT INTO store.embeddings_unindexed SELECT * FROM store.embeddings;

DROP TABLE store.embeddings;

ALTER TABLE store.embeddings_unindexed RENAME TO embeddings;
