// The box of one order inside its product's card: what it is, where it stands, what its buyer can do.
import { clockText, now, synchronised } from "./clock.js";
import { ask, put, retryAfter, sleeper, spread, wait } from "./http.js";
import words from "./words.js";

const IN_THE_BACKGROUND_MS = 60000;
const AWAY = "No answer from the shop just now; your order is safe, asking again.";

// Nothing more happens by itself.
export const ended = (order) => order.phase === "confirmed" || (order.phase === "failed" && order.reason !== "refunding");
export const wordsOf = (order) => words.orders[`${order.status}/${order.reason}`] ?? words.orders[order.status] ?? words.orders.unknown;

// A decimal string so many times, without rounding.
export function times(amount, quantity) {
  const [whole, fraction = ""] = amount.split(".");
  const digits = String(BigInt(whole + fraction) * BigInt(quantity)).padStart(fraction.length + 1, "0");
  const point = digits.length - fraction.length;
  return fraction === "" ? digits : `${digits.slice(0, point)}.${digits.slice(point)}`;
}

export class OrderBox {
  // `what` says what an order of so many is; `changed` is told of every order that came, and of a ticket that none has.
  constructor(section, { what, extension, changed, unknown }) {
    const part = (name) => section.querySelector(`.${name}`);
    Object.assign(this, { section, what, extension, changed, unknown, ticket: null, order: null, misses: 0, acting: false });
    this.parts = {
      title: part("order-title"), what: part("order-what"), text: part("order-text"), hint: part("order-hint"), until: part("order-until"),
      trouble: part("order-trouble"), said: part("order-said"), pay: part("pay"), extend: part("extend"), cancel: part("cancel"),
    };
    this.parts.cancel.addEventListener("click", () => this.act("DELETE", "", "Giving up …"));
    this.parts.extend.addEventListener("click", () => this.act("POST", "/extend", "Asking for more time …"));
    this.sleep = sleeper();
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.sleep.wake(); });
    window.addEventListener("pageshow", (event) => { if (event.persisted) this.sleep.wake(); });
  }

  // Follows an order to its end. `told` is what is known of it already.
  async follow(ticket, told, extended = false) {
    if (this.ticket === ticket) return;
    Object.assign(this, { ticket, order: null, misses: 0, acting: false, extended });
    this.section.hidden = false;
    for (const name of ["what", "hint", "until", "trouble", "said"]) put(this.parts[name], "");
    for (const name of ["pay", "extend", "cancel"]) this.parts[name].hidden = true;
    this.parts.text.classList.add("busy");
    if (told) this.show(told); else put(this.parts.text, "Looking up your order …");
    let pause = told?.poll_after_ms ?? 0;
    for (;;) {
      await this.sleep.wait(document.hidden && this.order ? Math.max(pause, IN_THE_BACKGROUND_MS) : pause);
      if (this.ticket !== ticket) return;
      const answer = await ask(`/v1/orders/status/${ticket}`, { cache: "no-store" }).catch(() => null);
      if (this.ticket !== ticket) return;
      if (answer?.status === 404) { this.close(); this.unknown(ticket); return; }
      this.misses = answer?.ok ? 0 : this.misses + 1;
      put(this.parts.trouble, this.misses > 1 ? AWAY : "");
      if (answer?.ok) {
        this.show(answer.body);
        if (ended(answer.body)) return;
        pause = answer.body.poll_after_ms;
      } else {
        pause = answer ? retryAfter(answer) : spread(2000);
      }
    }
  }

  close() {
    this.ticket = null;
    this.order = null;
    this.section.hidden = true;
  }

  // Moves keyboard and view to the box: on a telephone it is below what was pressed.
  focus() { this.parts.title.focus(); }

  show(order) {
    // An answer that was overtaken on its way says nothing new.
    if (this.order && order.version < this.order.version) return;
    this.order = order;
    const { parts } = this;
    const [happened, hint] = wordsOf(order);
    parts.text.classList.toggle("busy", order.phase === "pending");
    put(parts.text, happened);
    put(parts.what, this.what(order.quantity));
    put(parts.hint, order.units?.length ? `${hint} Unit ${order.units.join(", ")}.` : hint);
    parts.pay.hidden = !order.checkout_url;
    if (order.checkout_url) parts.pay.href = order.checkout_url; else parts.pay.removeAttribute("href");
    const open = !ended(order) && order.phase !== "failed" && !["cancelling", "expiring", "late-payment"].includes(order.reason);
    parts.cancel.hidden = !open;
    parts.extend.hidden = !(open && order.status === "awaiting_payment" && this.extension > 0 && !this.extended);
    this.tick();
    this.changed(this.ticket, order, this.extended);
  }

  tick() {
    const at = Date.parse(this.order?.hold_expires_at ?? "");
    const left = at - now();
    put(this.parts.until, left > 0 && synchronised() ? `The hold ends in ${clockText(left)}.` : "");
  }

  async act(method, path, saying) {
    if (this.acting) return;
    const { ticket, parts } = this;
    const busy = (on) => { this.acting = on; for (const button of [parts.cancel, parts.extend]) button.setAttribute("aria-disabled", String(on)); };
    busy(true);
    put(parts.said, saying);
    const answer = await ask(`/v1/orders/${ticket}${path}`, { method }).catch(() => null);
    if (this.ticket !== ticket) return;
    busy(false);
    const had = document.activeElement;
    let said = "";
    if (!answer) said = "No answer. Try again; nothing is lost.";
    else if (answer.status >= 500 || answer.status === 429) said = "The shop is busy. Try again in a moment; nothing is lost.";
    else if (answer.ok) said = path ? "You have more time." : "";
    else said = answer.body.code === "no-extension" ? "No more time can be had for this order." : answer.body.detail ?? "That did not work; try again.";
    this.extended ||= path !== "" && (answer?.ok || answer?.body.code === "no-extension");
    put(parts.said, said);
    if (answer?.ok) this.show(answer.body); else if (this.order) this.show(this.order);
    // A button that went away takes the keyboard's place with it.
    if (had?.hidden) this.focus();
    await wait(0);
    this.sleep.wake();
  }
}
