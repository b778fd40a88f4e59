// The page of an order: looks at the server's pace, and takes the parts that changed out of the page as it is then.
import { localTimes } from "./clock.js";
import { ask, askPage, put, retryAfter, sleeper, spread, wait } from "./http.js";

const $ = (id) => document.getElementById(id);
const order = $("order");
const { ticket } = order.dataset;
// How long paying once more is held back: whoever comes from paying should hear of that first.
const NEWS_MS = 4000;

async function redraw() {
  const { ok, page } = await askPage(`/return?ticket=${encodeURIComponent(ticket)}`);
  const newer = page.getElementById("order");
  if (!ok || !newer) return false;
  const focused = document.activeElement?.id;
  Object.assign(order.dataset, newer.dataset);
  put($("order-text"), newer.querySelector("#order-text").textContent);
  $("order-rest").replaceChildren(...newer.querySelector("#order-rest").childNodes);
  localTimes(order);
  if (focused === "pay") ($("pay") ?? $("order-title")).focus();
  return true;
}

async function holdBackPaying() {
  const [pay, looking] = [$("pay"), $("looking")];
  if (!pay) return;
  looking.hidden = false;
  pay.hidden = true;
  await wait(NEWS_MS);
  looking.hidden = true;
  pay.hidden = false;
}

const sleep = sleeper();
async function follow() {
  let pause = Number(order.dataset.poll);
  let misses = 0;
  while (order.dataset.terminal !== "true") {
    await sleep.wait(document.hidden ? 60000 : pause);
    let answer = null;
    try {
      answer = await ask(`/v1/orders/status/${ticket}`, { cache: "no-store" });
      if (answer.status === 404) { location.reload(); return; }
      const news = answer.ok && (answer.body.version !== Number(order.dataset.version) || answer.body.status !== order.dataset.status);
      if (news && !(await redraw())) answer = null;
    } catch { answer = null; }
    misses = answer?.ok ? 0 : misses + 1;
    put($("order-trouble"), misses > 1 ? "No answer from the shop just now; your order is safe, asking again." : "");
    if (answer?.ok) pause = answer.body.poll_after_ms; else pause = answer ? retryAfter(answer) : spread(2000);
  }
}

document.addEventListener("visibilitychange", () => { if (!document.hidden) sleep.wake(); });
window.addEventListener("pageshow", (event) => { if (event.persisted) sleep.wake(); });
localTimes(document);
holdBackPaying();
follow();
