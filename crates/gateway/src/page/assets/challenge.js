// A challenge that a sale asks for. What shows it is loaded only then: ALTCHA's widget from here, or Turnstile's from Cloudflare.
// ALTCHA's widget is under the licence "./altcha-licence.txt".
import { ask, put, retryAfter, wait } from "./http.js";

const TURNSTILE = "https://challenges.cloudflare.com/turnstile/v0/api.js?render=explicit";
// What is sent where Turnstile's widget cannot be had: no token, so that its judge is asked. Where that is away as well, nobody is asked.
const NO_WIDGET = "no-widget";
const PATIENCE_MS = 10000;
const SAID = { many: "Many are asking at this moment; yours comes by itself.", verifying: "Working on it …", verified: "Done: sending your request again.", error: "That did not work. Please try once more." };

const loaded = new Map();
// Loads something once; what failed may be tried again.
function once(name, load) {
  if (!loaded.has(name)) loaded.set(name, load().catch((error) => { loaded.delete(name); throw error; }));
  return loaded.get(name);
}
function element(tag, members) {
  const made = document.createElement(tag);
  return new Promise((done, failed) => {
    const fail = () => failed(new Error(`${members.src ?? members.href} cannot be loaded`));
    document.head.append(Object.assign(made, members, { onload: done, onerror: fail }));
    wait(PATIENCE_MS).then(fail);
  }).catch((error) => { made.remove(); throw error; });
}

const widget = () => once("altcha", async () => {
  const style = element("link", { rel: "stylesheet", href: new URL("./altcha.css", import.meta.url).href });
  await Promise.all([import("./altcha.js"), style]);
  globalThis.$altcha.algorithms.set("PBKDF2/SHA-256", () => new Worker(new URL("./altcha-worker.js", import.meta.url)));
});
const turnstile = () => once("turnstile", () => element("script", { src: TURNSTILE, async: true }));

export class Challenge {
  constructor(box) {
    const part = (name) => box.querySelector(`.${name}`);
    Object.assign(this, { box, title: part("challenge-title"), why: part("challenge-why"), place: part("challenge-place"), said: part("challenge-said") });
    part("challenge-leave").addEventListener("click", () => this.end(null));
  }

  // Asks the person; gives the solution, or nothing where they would rather not.
  async solve({ challenge_url: url, detail }, who, again) {
    const waiting = new Promise((end) => { this.end = end; });
    put(this.said, "");
    this.box.hidden = false;
    // Written once it is seen: only then is it read out.
    put(this.why, again ? `${detail}.` : "");
    this.title.focus();
    const asked = { url, who, again, end: this.end };
    try {
      // Who leaves does not wait for what is still being loaded.
      return await Promise.race([waiting, this.show(asked).then(() => waiting)]);
    } finally {
      this.end = () => {};
      put(this.why, "");
      this.box.hidden = true;
      this.place.replaceChildren();
    }
  }

  async show(asked) {
    const body = await this.given(asked);
    if (this.end !== asked.end) return;
    if (body.provider === "turnstile") await this.showTurnstile(body, asked); else await this.showWidget(body, asked);
  }

  // The challenge. Where many ask at once it is waited for, for as long as the server says.
  async given(asked) {
    for (;;) {
      const answer = await ask(asked.url, { headers: { Authorization: `Bearer ${asked.who.session_token}` } });
      if (answer.ok) return answer.body;
      if (![429, 503].includes(answer.status)) throw new Error("no challenge");
      put(this.said, SAID.many);
      await wait(retryAfter(answer));
      if (this.end !== asked.end) return undefined;
      put(this.said, "");
    }
  }

  async showWidget(challenge, asked) {
    await widget();
    if (this.end !== asked.end) return;
    const made = document.createElement("altcha-widget");
    // Nothing is collected of how a person moves, and no link leads away from a purchase.
    made.setAttribute("configuration", JSON.stringify({ challenge, humanInteractionSignature: false, hideFooter: true, hideLogo: true }));
    made.setAttribute("language", "en");
    made.addEventListener("statechange", ({ detail: { state, payload } }) => {
      put(this.said, SAID[state] ?? "");
      if (state === "verified") asked.end(payload);
      else if (state === "expired") this.show(asked).catch(() => put(this.said, SAID.error));
    });
    this.place.replaceChildren(made);
  }

  async showTurnstile({ site_key: sitekey, cdata: cData }, { again, end }) {
    try { await turnstile(); } catch (error) {
      if (again) throw error;
      end(NO_WIDGET);
    }
    if (this.end !== end || !globalThis.turnstile) return;
    const place = document.createElement("div");
    this.place.replaceChildren(place);
    globalThis.turnstile.render(place, { sitekey, cData, callback: end, "error-callback": () => put(this.said, SAID.error) });
  }
}
