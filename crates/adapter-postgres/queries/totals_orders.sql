-- Orders of a sale, counted and summed by what bears on totals.
SELECT state, reason, work, currency, payment_stage, payment_currency, count(*) AS orders,
  sum(amount_minor)::bigint AS amount, sum(payment_minor)::bigint AS paid, sum(version)::bigint AS versions
FROM tzero.orders WHERE sale_no = $1
GROUP BY state, reason, work, currency, payment_stage, payment_currency;
