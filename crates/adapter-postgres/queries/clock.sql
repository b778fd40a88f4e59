-- The ledger's clock, now.
SELECT tzero.clock();
