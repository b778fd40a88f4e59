-- Rights of a group that the user of this connection has not. $1 the group.
SELECT current_user::text AS who, p.kind || ' on tzero.' || c.relname || '.' || a.attname AS lacked
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
CROSS JOIN (VALUES ('SELECT'), ('INSERT'), ('UPDATE')) AS p(kind)
WHERE c.relnamespace = 'tzero'::regnamespace AND c.relkind = 'r'
  AND has_column_privilege($1, c.oid, a.attnum, p.kind) AND NOT has_column_privilege(c.oid, a.attnum, p.kind)
UNION ALL
SELECT current_user::text, 'DELETE on tzero.' || c.relname
FROM pg_class c WHERE c.relnamespace = 'tzero'::regnamespace AND c.relkind = 'r'
  AND has_table_privilege($1, c.oid, 'DELETE') AND NOT has_table_privilege(c.oid, 'DELETE')
UNION ALL
SELECT current_user::text, p.kind || ' on tzero.' || c.relname
FROM pg_class c CROSS JOIN (VALUES ('SELECT'), ('USAGE')) AS p(kind)
WHERE c.relnamespace = 'tzero'::regnamespace AND c.relkind = 'S'
  AND has_sequence_privilege($1, c.oid, p.kind) AND NOT has_sequence_privilege(c.oid, p.kind)
UNION ALL
SELECT current_user::text, 'EXECUTE on tzero.' || f.proname
FROM pg_proc f WHERE f.pronamespace = 'tzero'::regnamespace
  AND has_function_privilege($1, f.oid, 'EXECUTE') AND NOT has_function_privilege(f.oid, 'EXECUTE')
ORDER BY lacked;
