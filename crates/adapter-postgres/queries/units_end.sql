-- These orders own no unit any more.
UPDATE tzero.order_unit SET live = false WHERE ticket = ANY($1) AND live;
