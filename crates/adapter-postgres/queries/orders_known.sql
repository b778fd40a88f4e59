-- Which of these tickets have an order.
SELECT ticket, live, units FROM tzero.orders WHERE ticket = ANY($1);
