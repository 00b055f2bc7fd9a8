-- Statements over rows in memory, in a database of their own; see queries.sql.

-- name: close_up
SET enable_external_access = false;
SET python_enable_replacements = false;
SET autoload_known_extensions = false;
SET memory_limit = '2GB';
SET lock_configuration = true;

-- What a person wrote is formatted in, and looked at before it runs.
-- name: values_of_expression
SELECT ({expression}
) AS value FROM rows;
