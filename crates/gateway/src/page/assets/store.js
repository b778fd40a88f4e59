// What this browser keeps between visits. A private window may refuse storage, or refuse only to write: then the page
// remembers for as long as it is open.
const memory = new Map();

export const store = {
  get(key) {
    if (memory.has(key)) return memory.get(key);
    try { return JSON.parse(localStorage.getItem(key)); } catch { return null; }
  },
  set(key, value) {
    try { localStorage.setItem(key, JSON.stringify(value)); memory.delete(key); } catch { memory.set(key, value); }
  },
  drop(key) {
    memory.delete(key);
    try { localStorage.removeItem(key); } catch { /* nothing could be written either */ }
  },
};

// One tab at a time, where browsers can tell.
export const alone = (name, work) => (navigator.locks ? navigator.locks.request(name, work) : work());

// 128 bits that nobody else has made.
export function newKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// The purchase that was sent and not answered for certain, if there is one: `{ key, quantity, user }`.
export const purchaseName = (sale, product) => `tzero-purchase/${sale}/${product}`;
// This buyer's orders of a product, newest last: `{ ticket, quantity, phase, extended }`.
export const ordersName = (sale, product) => `tzero-orders/${sale}/${product}`;
const MOST_ORDERS = 20;

export const ordersOf = (name) => store.get(name) ?? [];
// Adds an order, or what became known of it. The list is read anew: another tab may have written.
export function noteOrder(name, ticket, known) {
  const orders = ordersOf(name);
  const found = orders.find((each) => each.ticket === ticket);
  if (found && Object.entries(known).every(([name, value]) => found[name] === value)) return;
  if (found) Object.assign(found, known); else orders.push({ ticket, ...known });
  store.set(name, orders.slice(-MOST_ORDERS));
}
export function forgetOrder(name, ticket) {
  store.set(name, ordersOf(name).filter((each) => each.ticket !== ticket));
}
