// Asking the server: no request is without an end, and every wait that an answer names is kept.
const PATIENCE_MS = 10000;
const WAIT_MS = { least: 500, usual: 2000, most: 300000 };

export const wait = (ms) => new Promise((done) => setTimeout(done, ms));
// Up to a quarter more by chance, so that pages that were opened together do not ask together.
export const spread = (ms) => ms * (1 + Math.random() * 0.25);

// A wait that can be ended early, such as when the page is looked at again.
export function sleeper() {
  let wake = () => {};
  const wait = (ms) => new Promise((done) => {
    const timer = setTimeout(done, ms);
    wake = () => { clearTimeout(timer); done(); };
  });
  return { wait, wake: () => wake() };
}

// An answer, read whole. It throws where none came, not in time, or only a part: whatever was asked may have been done.
export async function ask(path, options = {}) {
  const answer = await fetch(path, { signal: AbortSignal.timeout?.(PATIENCE_MS), ...options });
  const { status, ok, headers } = answer;
  const text = await answer.text();
  let body = {};
  try { body = JSON.parse(text); } catch (error) { if (ok && text !== "") throw error; }
  return { status, ok, headers, body: body ?? {} };
}

// A page of ours, to take parts out of it.
export async function askPage(path) {
  const answer = await fetch(path, { signal: AbortSignal.timeout?.(PATIENCE_MS), cache: "no-cache" });
  return { ok: answer.ok, page: new DOMParser().parseFromString(await answer.text(), "text/html") };
}

// `Retry-After` is a number of seconds or, from proxies, a date. A date is compared with the answer's own.
export function retryAfter(answer) {
  const named = answer.headers.get("Retry-After");
  let ms = WAIT_MS.usual;
  if (named !== null && /^\s*\d+\s*$/.test(named)) ms = Number(named) * 1000;
  else if (named !== null && Number.isFinite(Date.parse(named))) {
    const sent = Date.parse(answer.headers.get("Date") ?? "");
    ms = Date.parse(named) - (Number.isFinite(sent) ? sent : Date.now());
  }
  return Math.min(Math.max(ms, WAIT_MS.least), WAIT_MS.most);
}

// A live region is read out whenever it is written, so it is written only when it says something else.
export function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
