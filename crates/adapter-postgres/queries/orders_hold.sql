-- Orders, kept from others until the transaction ends; always in the same order, so that nobody waits in a circle.
SELECT * FROM tzero.orders WHERE ticket = ANY($1) ORDER BY ticket FOR UPDATE;
