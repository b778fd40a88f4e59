-- Orders whose units are not what the table of units says; an order that one side does not have shows as well.
SELECT o.number, coalesce(o.product_no, u.product_no) AS product_no, coalesce(o.units, '{}') AS ordered,
  coalesce(u.units, '{}') AS owned
FROM (SELECT ticket, number, product_no,
    (SELECT array_agg(unit ORDER BY unit) FROM unnest(units) AS unit) AS units
  FROM tzero.orders WHERE sale_no = $1 AND live) o
FULL JOIN (SELECT ticket, min(product_no) AS product_no, array_agg(unit_no ORDER BY unit_no) AS units
  FROM tzero.order_unit WHERE sale_no = $1 AND live GROUP BY ticket) u ON u.ticket = o.ticket
WHERE o.units IS DISTINCT FROM u.units OR o.product_no IS DISTINCT FROM u.product_no;
