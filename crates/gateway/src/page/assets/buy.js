// The page of a sale: its state, its countdown, its products. What is certain is what the server says.
import { clockText, localTimes, now, start, synchronised } from "./clock.js";
import { ask, askPage, put, sleeper, spread, wait } from "./http.js";
import { Product } from "./product.js";
import words from "./words.js";

const $ = (id) => document.getElementById(id);
const { dataset } = $("sale");
const LOOK_MS = 2500;
// How long texts that may have changed beside the stock may stay as they are.
const TEXTS_MS = 15000;
// A page that shows other products than the sale has is loaded anew, once it is older than what a CDN may keep of it.
const OTHERS_MS = 15000;

const sale = {
  id: dataset.sale, extension: Number(dataset.extensionMs), told: dataset.state, starts: Date.parse(dataset.starts), ends: Date.parse(dataset.ends),
  // The server's word goes first, but it is a few seconds old: beginning and end are known to the instant.
  standing() {
    if (this.told === "ended" || (synchronised() && now() >= this.ends)) return "ended";
    return this.told === "scheduled" && now() >= this.starts ? "live" : this.told;
  },
};

start(Date.parse(dataset.serverTime));
localTimes(document);
const products = [...document.querySelectorAll(".product")].map((box) => new Product(box, sale));

function draw() {
  const standing = sale.standing();
  put($("countdown"), standing === "scheduled" ? `Opens in ${clockText(sale.starts - now())}` : "");
  put($("state"), words.states[standing] ?? "");
  put($("opens"), now() >= sale.starts ? "Opened" : standing === "ended" ? "Was to open" : "Opens");
  put($("closes"), standing === "ended" ? "closed" : "closes");
  for (const product of products) product.draw();
}

function learn(told) {
  const seen = () => [sale.told, ...products.map((product) => product.stock)].join();
  const before = seen();
  Object.assign(sale, { told: told.state, starts: Date.parse(told.starts_at), ends: Date.parse(told.ends_at) });
  for (const [id, at] of [["starts", told.starts_at], ["ends", told.ends_at]]) {
    if ($(id).dateTime !== at) { $(id).dateTime = at; localTimes($(id).parentElement); }
  }
  for (const product of products) {
    const found = told.products.find((each) => each.product_id === product.id);
    if (found) product.learn(found);
  }
  const others = told.products.length !== products.length || told.products.some((each, at) => each.product_id !== products[at].id);
  if (others && performance.now() > OTHERS_MS) location.reload();
  draw();
  return before !== seen();
}

// The operator's message is part of the page and not of the sale's document, which only tells by its tag that something is new.
let reading = false;
async function readTexts(within) {
  if (reading) return;
  reading = true;
  await wait(Math.random() * within);
  try {
    const { ok, page } = await askPage(`/s/${sale.id}`);
    for (const id of ok ? ["message", "description", "name"] : []) put($(id), page.getElementById(id)?.textContent ?? "");
  } catch { /* the page keeps what it says */ }
  reading = false;
}

// Each form of the document, plain or compressed, has a tag of its own; and a proxy that compresses weakens it.
const bare = (tag) => tag?.replace(/^W\//, "").replace(/-(br|gzip)"$/, '"');
const sleep = sleeper();
async function refresh() {
  let { tag } = dataset;
  await sleep.wait(spread(500));
  for (;;) {
    try {
      const answer = await ask(`/v1/sales/${sale.id}`);
      if (answer.ok) {
        const other = learn(answer.body);
        const newer = bare(answer.headers.get("ETag"));
        if (newer !== tag) readTexts(other ? TEXTS_MS : 3000);
        tag = newer;
      }
    } catch { /* the page keeps what it knows */ }
    await sleep.wait(spread(document.hidden ? 4 * LOOK_MS : LOOK_MS));
  }
}

document.addEventListener("visibilitychange", () => { if (!document.hidden) sleep.wake(); });
setInterval(draw, 250);
draw();
refresh();
