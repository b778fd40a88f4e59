// What the pages say of sales, stocks and orders: one table for the scripts and, compiled in, for the server's own pages.
// An order is looked up as "status/reason", then as "status"; it has what happened, and what to do.
export default {
  "states": {
    "scheduled": "Not open yet.",
    "live": "Open now.",
    "paused": "Paused: nothing can be bought for the moment. Orders that are under way go on.",
    "sold_out": "Sold out: every unit is paid for.",
    "ended": "Over: nothing can be bought any more. Orders that are under way go on."
  },
  "stocks": {
    "in_stock": "In stock",
    "low": "Only a few left",
    "all_held": "All units are held by buyers who are paying; some may come back",
    "sold_out": "Sold out"
  },
  "orders": {
    "queued": ["Your order is in the queue.", "It is held for you. The payment page is being made; stay here."],
    "awaiting_payment/payment-declined": ["Your last attempt that we know of was declined.", "If you have just paid again, stay here a moment. Otherwise try again, or with another card, until the hold ends."],
    "awaiting_payment/cancelling": ["Your order is being cancelled.", "There is nothing to do."],
    "awaiting_payment/expiring": ["Your time to pay is over.", "If you have paid just now, your payment still counts; stay here for a moment."],
    "awaiting_payment/late-payment": ["Your payment came late, and is being taken.", "A unit was still free. Stay here for a moment."],
    "awaiting_payment": ["Your order is held for you.", "Pay before the hold ends, and it is yours. If you have just paid, stay here for a moment."],
    "confirmed/late-payment": ["It is yours.", "Your payment came after the hold had ended, but a unit was still free."],
    "confirmed": ["It is yours.", "Your payment was received. The shop will be in touch about delivery."],
    "payment_failed": ["Your payment was refused.", "Nothing was charged. You may buy again while there is stock."],
    "expired/no-payment-address": ["We could not make a payment page for you in time.", "This was our fault. Nothing was charged; you may buy again while there is stock."],
    "expired": ["Your hold has ended.", "No payment came in time and nothing was charged. You may buy again while there is stock."],
    "cancelled/by-operator": ["The shop has cancelled your order.", "Nothing was charged."],
    "cancelled/store-failover": ["A machine failed while your order was on its way.", "Nothing was charged. You may buy again while there is stock."],
    "cancelled/limit-reached": ["You already have what one buyer may have.", "Nothing was charged for this order."],
    "cancelled": ["You have cancelled your order.", "Nothing was charged. You may buy again while there is stock."],
    "sold_out": ["Sold out.", "Your order came when no unit was left. Nothing was charged."],
    "refunded/refunding": ["Your money is on its way back.", "There is nothing to do. Banks may need some days to show it."],
    "refunded": ["Your money was given back.", "Banks may need some days to show it."],
    "unknown": ["Your order is being looked at.", "Stay here for a moment."]
  }
};
