// The server's clock. It goes on with the time since this page was opened, which nobody can set: a wrong clock of the
// machine, or one that is put right while the page is open, changes nothing.
import { ask, spread, wait } from "./http.js";

const EVERY_MS = 60000;
const JUMP_MS = 1000;

let told = 0;
let heard = 0;
let certain = false;

export const now = () => told + performance.now() - heard;
// Whether the server has told the time itself, and not a page that a cache may have kept.
export const synchronised = () => certain;

function take(server, at) {
  told = server;
  heard = at;
}

// Of a few samples the one with the shortest round trip is the best. Answers that are not a time do not count.
async function sample(count) {
  let best = Infinity;
  for (let each = 0; each < count; each += 1) {
    if (each > 0) await wait(spread(150));
    const sent = performance.now();
    try {
      const answer = await ask("/v1/time", { cache: "no-store" });
      const back = performance.now();
      const server = Date.parse(answer.body.server_time);
      if (answer.ok && Number.isFinite(server) && back - sent < best) {
        best = back - sent;
        take(server + best / 2, back);
        certain = true;
      }
    } catch { /* the next sample may come through */ }
  }
}

let asking = false;
async function synchronise(count) {
  if (asking) return;
  asking = true;
  await sample(count);
  asking = false;
}

// A machine that slept comes back with a jump between its two clocks: one went on, the other did not.
const between = () => Date.now() - performance.now();
let usual = between();
function watch() {
  const jumped = Math.abs(between() - usual) > JUMP_MS;
  usual = between();
  if (jumped) synchronise(3);
}

// Starts from the time in the page, and asks the server from now on.
export function start(rendered) {
  take(Number.isFinite(rendered) ? rendered : Date.now(), performance.now());
  synchronise(5);
  setInterval(watch, 500);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) synchronise(3); });
  const again = () => setTimeout(() => { if (!document.hidden) synchronise(3); again(); }, spread(EVERY_MS));
  again();
}

export function clockText(ms) {
  const s = Math.max(0, Math.ceil(ms / 1000));
  const pad = (n) => String(n).padStart(2, "0");
  const days = Math.floor(s / 86400);
  return `${days ? `${days} d ` : ""}${pad(Math.floor(s / 3600) % 24)}:${pad(Math.floor(s / 60) % 60)}:${pad(s % 60)}`;
}

// Instants as this machine's owner writes them.
export function localTimes(within) {
  for (const time of within.querySelectorAll("time")) {
    const at = new Date(time.dateTime);
    if (Number.isFinite(at.getTime())) time.textContent = at.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "long" });
  }
}
