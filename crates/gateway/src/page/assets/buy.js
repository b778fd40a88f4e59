// The page of a sale: countdown, Buy, and following the order. What is certain is what the server says.
const sale = document.getElementById("sale");
const saleId = sale.dataset.sale;
const api = "/v1";
const $ = (id) => document.getElementById(id);
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const spread = (ms) => ms * (1 + Math.random() * 0.5);

// A private window may refuse storage: then the page remembers for as long as it is open.
const memory = new Map();
const store = {
  get(key) { try { return JSON.parse(localStorage.getItem(key)); } catch { return memory.get(key) ?? null; } },
  set(key, value) { memory.set(key, value); try { localStorage.setItem(key, JSON.stringify(value)); } catch { /* kept in memory */ } },
  drop(key) { memory.delete(key); try { localStorage.removeItem(key); } catch { /* kept in memory */ } },
};

// The server's clock: of a few samples the one with the shortest round trip is the best.
let offset = Date.parse(sale.dataset.serverTime) - Date.now();
async function synchronise() {
  let best = Infinity;
  for (let sample = 0; sample < 5; sample += 1) {
    const sent = performance.now();
    try {
      const answer = await fetch(`${api}/time`, { cache: "no-store" });
      const { server_time: told } = await answer.json();
      const trip = performance.now() - sent;
      if (trip < best) { best = trip; offset = Date.parse(told) + trip / 2 - Date.now(); }
    } catch { /* the next sample may come through */ }
    await wait(spread(150));
  }
}
const now = () => Date.now() + offset;

const state = { name: sale.dataset.state, starts: Date.parse(sale.dataset.starts), ends: Date.parse(sale.dataset.ends) };
const products = [...document.querySelectorAll(".product")].map((box) => ({
  id: box.dataset.product, box, form: box.querySelector("form"), button: box.querySelector("button"),
  feedback: box.querySelector(".feedback"), availability: box.querySelector(".availability"),
  again: box.querySelector(".again"), quantity: box.querySelector(".quantity"), stock: box.dataset.availability, busy: false, order: null,
}));

const states = {
  scheduled: "Not open yet.", live: "Open now.",
  paused: "Paused: nothing can be bought for the moment. Orders that are under way go on.",
  sold_out: "Sold out: every unit is paid for.",
  ended: "Over: nothing can be bought any more. Orders that are under way go on.",
};
const stocks = {
  in_stock: "In stock", low: "Only a few left", sold_out: "Sold out",
  all_held: "All units are held by other buyers; some may come back",
};

function clockText(ms) {
  const s = Math.max(0, Math.ceil(ms / 1000));
  const pad = (n) => String(n).padStart(2, "0");
  const days = Math.floor(s / 86400);
  return `${days ? `${days} d ` : ""}${pad(Math.floor(s / 3600) % 24)}:${pad(Math.floor(s / 60) % 60)}:${pad(s % 60)}`;
}

function draw() {
  const left = state.starts - now();
  const open = left <= 0 && now() < state.ends && !["paused", "ended"].includes(state.name);
  $("countdown").textContent = left > 0 ? `Opens in ${clockText(left)}` : "";
  $("state").textContent = left <= 0 && state.name === "scheduled" ? states.live : states[state.name] ?? "";
  for (const product of products) {
    product.button.disabled = !open || product.busy || product.order !== null || product.stock === "sold_out";
    product.availability.textContent = stocks[product.stock] ?? "";
  }
}

for (const id of ["starts", "ends"]) {
  const at = new Date($(id).dateTime);
  $(id).textContent = at.toLocaleString();
}

async function refresh() {
  for (;;) {
    await wait(spread(document.hidden ? 10000 : 2500));
    try {
      const answer = await fetch(`${api}/sales/${saleId}`);
      if (!answer.ok) continue;
      const body = await answer.json();
      state.name = body.state;
      state.starts = Date.parse(body.starts_at);
      state.ends = Date.parse(body.ends_at);
      for (const product of products) {
        const told = body.products.find((each) => each.product_id === product.id);
        if (told) product.stock = told.availability;
      }
      draw();
    } catch { /* the page keeps what it knows */ }
  }
}

// Who buys. Where the shop signs sessions it leaves one in this tab.
let session = store.get("tzero-session");
async function signedIn(fresh) {
  const own = sessionStorage.getItem("tzero-session");
  if (own && !fresh) return JSON.parse(own);
  if (!fresh && session && Date.parse(session.expires_at) - now() > 60000) return session;
  const answer = await fetch(`${api}/sessions`, { method: "POST" });
  if (answer.status === 404) throw new Error("Please sign in at the shop first, and come back to this page.");
  if (!answer.ok) throw Object.assign(new Error("busy"), { retry: Number(answer.headers.get("Retry-After") ?? 2) * 1000 });
  session = await answer.json();
  store.set("tzero-session", session);
  return session;
}

// One key for one purchase, made before anything is sent: a reload or a second click asks for the same ticket.
const keyName = (product) => `tzero-key-${saleId}-${product.id}`;
const ticketName = (product) => `tzero-ticket-${saleId}-${product.id}`;
function purchaseOf(product) {
  const known = store.get(keyName(product));
  if (known) return known;
  const made = { key: crypto.randomUUID?.() ?? `${Date.now()}-${Math.random().toString(36).slice(2)}`, quantity: Number(product.quantity?.value ?? 1) };
  store.set(keyName(product), made);
  return made;
}

function say(product, text, busy = false) {
  product.feedback.textContent = text;
  product.feedback.classList.toggle("busy", busy);
}

async function buy(product) {
  if (product.busy || product.order) return;
  product.busy = true;
  draw();
  say(product, "Asking for a unit …", true);
  let renewed = false;
  try {
    for (;;) {
      const next = await attempt(product, renewed).catch((error) => {
        if (error.message !== "busy" && !(error instanceof TypeError)) throw error;
        return { again: error.retry ?? 2000, text: "No answer yet. Your request is safe: it is sent again with the same key, and you can hold only one ticket by it." };
      });
      if (!next) return;
      renewed = next.renewed ?? renewed;
      if (next.again === undefined) { say(product, next.text); return; }
      if (next.optional && !product.again.checked) { say(product, `${next.text} Press Buy to try again.`); return; }
      say(product, next.text, true);
      const until = performance.now() + spread(next.again);
      while (performance.now() < until) {
        if (next.optional && !product.again.checked) break;
        await wait(Math.min(250, Math.max(0, until - performance.now())));
      }
    }
  } catch (error) {
    say(product, error.message);
  } finally {
    product.busy = false;
    draw();
  }
}

// One request. Gives nothing once there is a ticket, else what to say and when to ask again.
async function attempt(product, renewed) {
  const who = await signedIn(false);
  const purchase = purchaseOf(product);
  const answer = await fetch(`${api}/sales/${saleId}/checkout`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${who.session_token}`, "Idempotency-Key": `"${purchase.key}"` },
    body: JSON.stringify({ user_id: who.user_id, product_id: product.id, quantity: purchase.quantity }),
  });
  const body = await answer.json().catch(() => ({}));
  const retry = Math.max(1, Number(answer.headers.get("Retry-After") ?? 1)) * 1000;
  if (answer.status === 202) {
    say(product, "");
    follow(product, body.queue_ticket_id, body.poll_after_ms);
    return undefined;
  }
  switch (body.code) {
    case "invalid-session":
      if (renewed) return { text: "Your session was not accepted. Nothing was ordered; reload the page and try again." };
      sessionStorage.removeItem("tzero-session");
      await signedIn(true);
      // Another session is another buyer here, and another purchase.
      store.drop(keyName(product));
      return { again: 0, renewed: true, text: "Signing in again …" };
    case "sale-not-started": return { again: Math.min(retry, 2000), text: "Not open yet by the server's clock. Your request is sent again by itself." };
    case "all-units-held": return { again: retry, optional: true, text: "All units are held by buyers who are paying. Holds may lapse: trying again by itself." };
    case "not-enough-units": return { again: retry, optional: true, text: "Fewer units are free than you want. Some may come back: trying again by itself." };
    case "limit-reached":
      if (body.queue_ticket_id) follow(product, body.queue_ticket_id, 0);
      return { text: "You have what one buyer may have. Here is your order." };
    case "sold-out": return { text: "Sold out: every unit is paid for. Nothing was ordered." };
    case "sale-ended": return { text: "The sale is over. Nothing was ordered." };
    case "paused": return { again: retry, text: "The shop has paused the sale. Your request is sent again by itself." };
    case "rate-limited": return { again: retry, text: "Too many requests from here: waiting a moment, then asking again." };
    case "idempotency-key-reused":
      store.drop(keyName(product));
      return { again: 0, text: "Asking once more …" };
    default:
      if (answer.status >= 500) return { again: retry, text: "The shop is very busy. Your request is safe and is sent again by itself." };
      return { text: `${body.title ?? "That did not work"}. ${body.detail ?? ""} Nothing was ordered.` };
  }
}

const words = {
  queued: ["Your order is in the queue.", "A unit is held for you. The payment page is being made; stay here."],
  "awaiting_payment/payment-declined": ["Your payment was declined.", "The unit is still held for you: try again until the hold ends."],
  "awaiting_payment/cancelling": ["Your order is being cancelled.", ""],
  "awaiting_payment/expiring": ["Your time to pay is over.", "If you have paid just now, your payment still counts; stay here for a moment."],
  awaiting_payment: ["A unit is held for you.", "Pay before the hold ends, and it is yours."],
  confirmed: ["It is yours.", "Your payment was received."],
  payment_failed: ["Your payment was refused.", "Nothing was charged. You may buy again while there is stock."],
  "expired/no-payment-address": ["We could not make a payment page for you in time.", "This was our fault, and nothing was charged. You may buy again while there is stock."],
  expired: ["Your hold has ended.", "Nothing was charged. You may buy again while there is stock."],
  cancelled: ["The order is cancelled.", "Nothing was charged. You may buy again while there is stock."],
  sold_out: ["Sold out.", "Your order came when no unit was left. Nothing was charged."],
  "refunded/refunding": ["Your money is on its way back.", ""],
  refunded: ["Your money was given back.", ""],
};
const ended = (order) => order.phase === "confirmed" || order.phase === "failed";

function show(product, order) {
  const [text, hint] = words[`${order.status}/${order.reason}`] ?? words[order.status] ?? ["Your order is being looked at.", ""];
  $("order").hidden = false;
  $("order-text").textContent = text;
  $("order-text").classList.toggle("busy", order.phase === "pending");
  const until = order.hold_expires_at ? ` The hold ends in ${clockText(Date.parse(order.hold_expires_at) - now())}.` : "";
  const units = order.units?.length ? ` Unit ${order.units.join(", ")}.` : "";
  $("order-hint").textContent = `${hint}${until}${units}`;
  $("pay").hidden = !order.checkout_url;
  if (order.checkout_url) $("pay").href = order.checkout_url;
  const open = !ended(order) && !["cancelling", "expiring"].includes(order.reason);
  $("cancel").hidden = !open;
  $("extend").hidden = !(open && order.status === "awaiting_payment") || product.noExtension;
}

async function follow(product, ticket, firstWait) {
  if (product.order) return;
  product.order = { ticket };
  store.set(ticketName(product), ticket);
  draw();
  $("cancel").onclick = () => act(product, ticket, "DELETE", "");
  $("extend").onclick = () => act(product, ticket, "POST", "/extend");
  let pause = firstWait ?? 500;
  for (;;) {
    await wait(pause);
    if (document.hidden) { pause = 1000; continue; }
    try {
      const answer = await fetch(`${api}/orders/status/${ticket}`, { cache: "no-store" });
      if (answer.status === 404) { forget(product); return; }
      if (!answer.ok) { pause = spread(2000); continue; }
      const order = await answer.json();
      product.order = { ...order, ticket };
      show(product, order);
      if (ended(order)) {
        // A purchase that is over makes room for another one.
        if (order.phase === "failed") forget(product);
        return;
      }
      pause = order.poll_after_ms;
    } catch { pause = spread(3000); }
  }
}

function forget(product) {
  store.drop(keyName(product));
  store.drop(ticketName(product));
  product.order = null;
  draw();
}

async function act(product, ticket, method, path) {
  try {
    const answer = await fetch(`${api}/orders/${ticket}${path}`, { method });
    const body = await answer.json();
    if (body.code === "no-extension") product.noExtension = true;
    if (answer.ok) show(product, body);
    else $("order-hint").textContent = body.detail ?? "That did not work; try again.";
  } catch { $("order-hint").textContent = "No answer. Try again; nothing is lost."; }
}

setInterval(() => {
  draw();
  for (const product of products) if (product.order?.status) show(product, product.order);
}, 250);
for (const product of products) {
  product.form.addEventListener("submit", (event) => { event.preventDefault(); buy(product); });
  const ticket = store.get(ticketName(product));
  if (ticket) follow(product, ticket, 0);
}
draw();
synchronise();
refresh();
signedIn(false).catch(() => { /* asked again when Buy is pressed */ });
