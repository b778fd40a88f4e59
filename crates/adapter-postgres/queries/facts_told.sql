-- Changes that were told.
DELETE FROM tzero.untold WHERE id = ANY($1);
