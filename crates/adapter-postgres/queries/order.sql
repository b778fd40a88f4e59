-- The order of a ticket.
SELECT * FROM tzero.orders WHERE ticket = $1;
