// The real program on a free port, and browsers that look at it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import AxeBuilder from "@axe-core/playwright";
import { chromium } from "playwright-core";

const PATIENCE_MS = 20000;
const SETTINGS = ["limits.user_per_s=0", "limits.network_per_s=0", "status.poll_min_ms=100"];

// Waits for a state; nothing here waits for a time.
export async function until(what, holds) {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    const found = await holds();
    if (found) return found;
    if (performance.now() > end) assert.fail(`never came: ${what}`);
    await new Promise((done) => setTimeout(done, 25));
  }
}
export async function says(locator, pattern) {
  let text = "";
  await until(`${pattern} in "${locator}"`, async () => pattern.test(text = await locator.innerText().catch(() => ""))).catch((error) => {
    throw new Error(`${error.message}; it says: ${text}`);
  });
}
export const shown = (locator) => until(`${locator} is shown`, () => locator.isVisible());
export const gone = (locator) => until(`${locator} is hidden`, async () => !(await locator.isVisible()));
export const enabled = (locator) => until(`${locator} is enabled`, () => locator.isEnabled());

export class Shop {
  static async open(...settings) {
    const shop = new Shop();
    shop.settings = [...SETTINGS, ...settings];
    shop.folder = mkdtempSync(join(tmpdir(), "tzero-pages-"));
    shop.keys = 0;
    await shop.start("127.0.0.1:0");
    return shop;
  }

  async start(listen) {
    const flags = this.settings.flatMap((each) => ["--set", each]);
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("TZERO_")));
    this.process = spawn(process.env.TZERO_BIN, ["serve", "--listen", listen, "--data", this.folder, ...flags], { env, stdio: ["ignore", "pipe", "ignore"] });
    // Also where a test ends this process in the middle.
    process.once("exit", () => this.process.kill("SIGKILL"));
    const [line] = await once(createInterface(this.process.stdout), "line");
    this.url = line.split(" ").at(-1);
    this.token = readFileSync(join(this.folder, "admin-token"), "utf8").trim();
  }

  async kill() {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      this.process.kill("SIGKILL");
      await once(this.process, "exit");
    }
  }

  async startAgain() { await this.start(new URL(this.url).host); }

  async close() {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async ask(method, path, { json, form, token, headers } = {}) {
    const sent = { ...headers, ...(token && { Authorization: `Bearer ${token}` }), ...(json && { "Content-Type": "application/json" }) };
    const body = json ? JSON.stringify(json) : form && new URLSearchParams(form);
    const answer = await fetch(new URL(path, this.url), { method, headers: sent, body, redirect: "manual" });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, text, json: text.startsWith("{") ? JSON.parse(text) : null };
  }

  async operator(method, path, json) {
    const answer = await this.ask(method, `/admin/v1/${path}`, { json, token: this.token });
    assert.ok(answer.status < 300, `${path}: ${answer.text}`);
    return answer.json;
  }

  // A sale that is open, of one product or of those that are named.
  async sale(id, more = {}, products = [{}]) {
    const product = (each, at) => ({ product_id: `p${at}`, name: `Product ${at}`, price: { amount: "149.90", currency: "EUR" }, stock: 10, ...each });
    await this.operator("POST", "sales", { sale_id: id, name: `Sale ${id}`, starts_at: "2020-01-01T00:00:00Z", ends_at: "2099-01-01T00:00:00Z", ...more, products: products.map(product) });
  }

  async held(id) { return (await this.operator("GET", `sales/${id}`)).products.reduce((sum, each) => sum + each.held, 0); }

  // Another buyer's order; gives its ticket.
  async order(id, quantity = 1) {
    const { json: who } = await this.ask("POST", "/v1/sessions");
    const json = { user_id: who.user_id, product_id: "p0", idempotency_key: `k${this.keys += 1}`, quantity };
    const answer = await this.ask("POST", `/v1/sales/${id}/checkout`, { json, token: who.session_token });
    assert.equal(answer.status, 202, answer.text);
    return answer.json.queue_ticket_id;
  }

  async status(ticket) { return (await this.ask("GET", `/v1/orders/status/${ticket}`)).json; }
  reached(ticket, status) { return until(`${ticket} is ${status}`, async () => { const found = await this.status(ticket); return found?.status === status && found; }); }
  async pay(ticket, action = "pay") {
    const { checkout_url: url } = await this.reached(ticket, "awaiting_payment");
    assert.equal((await this.ask("POST", url, { form: { action } })).status, 303);
  }
}

function executable() {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    for (const name of ["chromium", "chromium-browser", "google-chrome"]) {
      try { accessSync(join(folder, name)); return join(folder, name); } catch { /* the next may be it */ }
    }
  }
  throw new Error("there is no chromium, chromium-browser or google-chrome on the path");
}

export const browser = () => chromium.launch({ executablePath: executable(), args: ["--no-sandbox"] });

// A window, watched: nothing is asked of other origins, and the browser has nothing to complain of.
export class Window {
  static async open(t, browser, shop, options = {}) {
    const window = new Window();
    Object.assign(window, { shop, complaints: [], context: await browser.newContext(options) });
    t.after(async () => {
      await window.context.close();
      assert.deepEqual(window.complaints, []);
    });
    window.context.on("page", (page) => window.watch(page));
    return window;
  }

  watch(page) {
    page.setDefaultTimeout(PATIENCE_MS);
    const complain = (text) => this.complaints.push(text);
    page.on("pageerror", (error) => complain(error.message));
    page.on("request", (request) => {
      const { origin, protocol } = new URL(request.url());
      if (origin !== this.shop.url && !["data:", "about:", "blob:"].includes(protocol)) complain(`asked elsewhere: ${request.url()}`);
    });
    // What the network or a refusal does is told to the script as well; everything else is a fault of the page.
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type()) && !message.text().startsWith("Failed to load resource")) complain(message.text());
    });
  }

  async page(path) {
    const page = await this.context.newPage();
    if (path) await page.goto(this.shop.url + path);
    return page;
  }
}

// Everything that axe knows of accessibility.
export async function accessible(page, what) {
  const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze();
  assert.deepEqual(violations.map((each) => `${what}: ${each.id} ${each.nodes[0].html}`), []);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(wide <= 0, `${what} is ${wide} pixels wider than the window`);
}

// The parts of a product's card.
export function card(page, at = 0) {
  const box = page.locator(".product").nth(at);
  const part = (name) => box.locator(`.${name}`);
  return {
    box, go: part("go"), stop: part("stop"), again: part("again"), quantity: part("quantity"), feedback: part("feedback"), next: part("next"), why: part("why"),
    order: part("order"), what: part("order-what"), text: part("order-text"), hint: part("order-hint"), until: part("order-until"),
    trouble: part("order-trouble"), said: part("order-said"), pay: part("pay"), extend: part("extend"), cancel: part("cancel"), earlier: part("earlier"),
    availability: part("availability"),
  };
}
// The tickets that the browser keeps.
export const tickets = (page) => page.evaluate(() => Object.entries(localStorage)
  .filter(([name]) => name.startsWith("tzero-orders/")).flatMap(([, value]) => JSON.parse(value).map((each) => each.ticket)));
