-- The claim and the units that late money has taken for an order; the order itself is written after that.
UPDATE tzero.orders SET claim = $2, units = $3 WHERE ticket = $1;
