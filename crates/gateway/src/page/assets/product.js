// One product of a sale: the way from Buy to a ticket, and the orders that came of it.
import { Challenge } from "./challenge.js";
import { now } from "./clock.js";
import { ask, put, retryAfter, spread, wait } from "./http.js";
import { OrderBox, ended, times, wordsOf } from "./order-box.js";
import { LaterPlease, NotSignedIn, signedIn } from "./session.js";
import { forgetOrder, newKey, noteOrder, ordersName, ordersOf, purchaseName, store } from "./store.js";
import words from "./words.js";

const IN_DOUBT = "Your request is safe: it is sent again with the same key, and you can hold only one order by it.";
const over = { ended: "The sale is over. Nothing was ordered.", sold_out: "Sold out: every unit is paid for. Nothing was ordered." };

export class Product {
  constructor(box, sale) {
    const part = (name) => box.querySelector(`.${name}`);
    const { product: id, name, amount, currency, max, availability } = box.dataset;
    Object.assign(this, { box, sale, id, name, amount, currency, max: Number(max), stock: availability, busy: false, stopped: false });
    this.parts = {
      form: part("buy"), button: part("go"), stop: part("stop"), again: part("again"), quantity: part("quantity"), availability: part("availability"),
      why: part("why"), feedback: part("feedback"), next: part("next"), earlier: part("earlier"),
      title: box.querySelector("h2"), about: part("about"), price: part("now"), before: part("before"), many: part("many"),
    };
    this.challenge = new Challenge(part("challenge"));
    this.names = { purchase: purchaseName(sale.id, id), orders: ordersName(sale.id, id) };
    this.orderBox = new OrderBox(part("order"), {
      what: (quantity) => (quantity ? `${quantity} × ${this.name}: ${times(this.amount, quantity)} ${this.currency}` : this.name),
      extension: sale.extension,
      changed: (ticket, order, extended) => this.noted(ticket, { quantity: order.quantity, phase: order.phase, status: order.status, reason: order.reason, extended }),
      unknown: (ticket) => { forgetOrder(this.names.orders, ticket); this.adopt(); },
    });
    this.parts.form.hidden = false;
    this.parts.form.addEventListener("submit", (event) => { event.preventDefault(); this.buy(); });
    this.parts.stop.addEventListener("click", () => { this.stopped = true; });
    window.addEventListener("storage", (event) => { if (event.key === this.names.orders || event.key === null) this.adopt(); });
    this.adopt();
    // A purchase that was sent and never answered may have a ticket: asking again, whatever the state of the sale, gives it.
    if (store.get(this.names.purchase)) this.buy(true);
  }

  // What the operator may change until the sale is live is shown as it is: who buys has read the price that is asked.
  learn({ availability, name, description, price, compare_at: before, max_per_user: max }) {
    const { parts } = this;
    Object.assign(this, { stock: availability, name, amount: price.amount, currency: price.currency });
    put(parts.title, name);
    put(parts.about, description);
    put(parts.price, `${price.amount} ${price.currency}`);
    parts.before.hidden = before === null;
    put(parts.before.lastElementChild, before ? `${before.amount} ${before.currency}` : "");
    if (max === this.max) return;
    this.max = max;
    parts.many.hidden = max === 1;
    parts.quantity.replaceChildren(...Array.from({ length: max }, (_, at) => new Option(String(at + 1))));
  }

  get orders() { return ordersOf(this.names.orders); }

  // Shows the newest of the orders that this browser knows, and lists the others.
  adopt() {
    const newest = this.orders.at(-1);
    if (newest) this.orderBox.follow(newest.ticket, null, newest.extended);
    this.list();
    this.draw();
  }

  noted(ticket, known) {
    noteOrder(this.names.orders, ticket, known);
    this.list();
    this.draw();
  }

  list() {
    const earlier = this.orders.slice(0, -1).reverse();
    this.parts.earlier.hidden = earlier.length === 0;
    this.parts.earlier.replaceChildren(...earlier.map((each) => {
      const link = Object.assign(document.createElement("a"), { href: `/return?ticket=${encodeURIComponent(each.ticket)}`, textContent: "An earlier order" });
      const line = document.createElement("li");
      line.append(link, `${each.quantity ? ` of ${each.quantity}` : ""}. ${each.status ? wordsOf(each)[0] : ""}`);
      return line;
    }));
  }

  get underWay() {
    const { ticket, order } = this.orderBox;
    const known = order ?? this.orders.find((each) => each.ticket === ticket);
    return ticket !== null && !(known && ended(known));
  }
  get bought() {
    const mine = this.orders.filter((each) => each.phase === "confirmed");
    return mine.reduce((sum, each) => sum + (each.quantity ?? 1), 0);
  }

  // Why Buy is off, for what is not plain from the state of the sale; nothing where it is on.
  get obstacle() {
    if (this.underWay) return "You have an order of this under way, below.";
    if (this.bought >= this.max) return this.max === 1 ? "You have bought this; one buyer may have one." : `You have bought ${this.bought}; one buyer may have no more.`;
    return "";
  }

  draw() {
    const { parts } = this;
    const open = this.sale.standing() === "live" && this.stock !== "sold_out";
    const doubt = store.get(this.names.purchase);
    parts.button.disabled = !this.busy && (!open && !doubt || this.obstacle !== "");
    parts.button.setAttribute("aria-disabled", String(this.busy));
    put(parts.why, open && !this.busy ? this.obstacle : "");
    put(parts.availability, words.stocks[this.stock] ?? "");
    if (doubt) parts.quantity.value = String(doubt.quantity);
    parts.quantity.disabled = this.busy || doubt !== null;
    this.orderBox.tick();
  }

  say(text, busy = false) {
    put(this.parts.feedback, text);
    this.parts.feedback.classList.toggle("busy", busy);
  }

  async buy(claim = false) {
    if (this.busy || (!claim && this.parts.button.disabled)) return;
    Object.assign(this, { busy: true, stopped: false });
    // The purchase in doubt goes on with its key. In a variable too: storage may refuse to keep it.
    const purchase = store.get(this.names.purchase) ?? { key: newKey(), quantity: Number(this.parts.quantity.value) };
    this.say(claim ? "Asking what became of your last request …" : "Asking for a unit …", true);
    this.draw();
    let last;
    try { last = await this.untilDecided(purchase); } finally { this.busy = false; }
    this.say(last ?? "");
    this.draw();
  }

  // Asks until there is a ticket, which gives nothing, or no more is to be asked, which gives why.
  async untilDecided(purchase) {
    for (;;) {
      const next = await this.attempt(purchase).catch((error) => {
        if (error instanceof NotSignedIn) return { doubt: true, text: error.message };
        return { doubt: true, wait: error instanceof LaterPlease ? error.ms : spread(2000), text: `No answer yet. ${IN_DOUBT}` };
      });
      if (!next) return undefined;
      // A refusal binds no key. Only what was not answered for certain is kept to be asked again.
      if (!next.doubt) store.drop(this.names.purchase);
      if (next.wait === undefined) return next.text;
      this.say(next.text, true);
      const stopped = await this.pause(next);
      if (stopped) return stopped;
    }
  }

  // Waits for the next try; gives what to say instead where there is to be none.
  async pause(next) {
    const until = performance.now() + next.wait;
    const { stock } = this;
    let sooner = Infinity;
    this.parts.stop.hidden = false;
    try {
      for (;;) {
        const left = Math.min(until, sooner) - performance.now();
        if (left <= 0) return undefined;
        if (this.stopped) return next.doubt ? "Stopped. Your last request may have been taken: press Buy to ask for the same again." : "Stopped. Nothing was ordered.";
        if (!next.doubt) {
          if (!this.parts.again.checked) return `${next.text.split(" Trying")[0]} Press Buy to try again.`;
          const standing = this.stock === "sold_out" ? "sold_out" : this.sale.standing();
          if (over[standing]) return over[standing];
          if (this.stock !== stock && ["in_stock", "low"].includes(this.stock)) sooner = Math.min(sooner, performance.now() + Math.random() * 3000);
        }
        put(this.parts.next, `Next try in ${Math.ceil(left / 1000)} s.`);
        await wait(Math.min(250, left));
      }
    } finally {
      this.parts.stop.hidden = true;
      put(this.parts.next, "");
    }
  }

  // One request. Gives nothing once there is a ticket, else what to say and, where it is to be asked again, after which wait.
  async attempt(purchase) {
    const who = await signedIn(this.refused);
    // A key is one buyer's. Another session of another buyer makes it another purchase.
    if (purchase.user && purchase.user !== who.user_id) Object.assign(purchase, { key: newKey(), solution: undefined });
    purchase.user = who.user_id;
    store.set(this.names.purchase, purchase);
    const answer = await ask(`/v1/sales/${this.sale.id}/checkout`, {
      method: "POST",
      headers: {
        "Content-Type": "application/json", Authorization: `Bearer ${who.session_token}`, "Idempotency-Key": `"${purchase.key}"`,
        ...(purchase.solution && { "Challenge-Solution": purchase.solution }),
      },
      body: JSON.stringify({ user_id: who.user_id, product_id: this.id, quantity: purchase.quantity }),
    });
    const { status, body } = answer;
    if (status === 202 && body.queue_ticket_id) { this.taken(body, purchase); return undefined; }
    if (body.code === "invalid-session") {
      if (this.refused === who.session_token || this.renewed) return { doubt: true, text: "Your session was not accepted; reload the page and try again." };
      this.refused = who.session_token;
      this.renewed = true;
      return { doubt: true, wait: 0, text: "Signing in again …" };
    }
    this.renewed = false;
    if (body.code === "challenge-required") return this.challenged(body, purchase, who);
    return this.refusal(answer);
  }

  // The same purchase, with the same key, is sent again once the challenge is solved.
  async challenged(body, purchase, who) {
    this.say("This sale asks for a moment of work first; it is below.");
    const again = Boolean(purchase.solution);
    delete purchase.solution;
    const solution = await this.challenge.solve(body, who, again).catch(() => undefined);
    this.parts.button.focus();
    if (solution === undefined) return { text: "The challenge could not be shown. Nothing was ordered; press Buy to try again." };
    if (solution === null) return { text: "Nothing was ordered. Press Buy when you want to try again." };
    purchase.solution = solution;
    return { wait: 0, text: "Asking for a unit …" };
  }

  taken(body, purchase) {
    noteOrder(this.names.orders, body.queue_ticket_id, { quantity: purchase.quantity, phase: "pending", status: body.status });
    store.drop(this.names.purchase);
    const first = { ...body, phase: "pending", reason: null, quantity: purchase.quantity, version: -1 };
    // A replay may be about an order that has gone on since: then its status is looked up.
    this.orderBox.follow(body.queue_ticket_id, body.status === "queued" ? first : null);
    this.orderBox.focus();
  }

  refusal(answer) {
    const { status, body } = answer;
    const ms = retryAfter(answer);
    switch (body.code) {
      case "sale-not-started": {
        const left = Date.parse(body.starts_at) - now();
        return { wait: Number.isFinite(left) ? Math.max(0, left) + Math.random() * 1000 : ms, text: "Not open yet by the server's clock. Trying again by itself." };
      }
      case "all-units-held":
        this.stock = "all_held";
        return { wait: ms, text: "All units are held by buyers who are paying; holds may lapse. Trying again by itself." };
      case "not-enough-units": return { wait: ms, text: "Fewer units are free than you want; some may come back. Trying again by itself." };
      case "paused": return { wait: ms, text: "The shop has paused the sale. Trying again by itself." };
      case "limit-reached":
        if (body.queue_ticket_id) { noteOrder(this.names.orders, body.queue_ticket_id, {}); this.adopt(); }
        return { text: this.max === 1 ? "You have what one buyer may have: one. Here is your order." : `That would be more than one buyer may have (${this.max}). Nothing was ordered now; your newest order is below.` };
      case "sold-out": this.stock = "sold_out"; return { text: over.sold_out };
      case "sale-ended": return { text: over.ended };
      case "rate-limited": return { doubt: true, wait: ms, text: "Too many requests from here: waiting a moment, then asking again." };
      case "idempotency-key-reused": return { text: "Your last request had another quantity and is not asked for any more. Press Buy again." };
      default:
        if (status >= 500 || status === 202 || status === 429 || status === 408) return { doubt: true, wait: ms, text: `The shop is very busy. ${IN_DOUBT}` };
        return { text: `${body.title ?? "That did not work"}. ${body.detail ?? ""} Nothing was ordered.` };
    }
  }
}
