-- These units are these orders' no more.
SELECT tzero.end_units($1::bytea[], $2::int[], $3::int[], $4::int[]);
