-- Makes work due at another time, while it is due at all.
UPDATE tzero.orders SET work_due = $3 WHERE ticket = $1 AND work = $2;
