-- Statements of upkeep and of the doctor; see queries.sql.

-- name: checkpoint
CHECKPOINT;
