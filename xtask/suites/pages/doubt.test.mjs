// What the pages do when answers are lost, late, wrong or refusals.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Shop, Window, browser, card, enabled, gone, says, shown, tickets, until } from "./shop.mjs";

describe("answers that are lost, late, wrong or refusals", { concurrency: 2 }, () => {
  let shop;
  let chromium;
  before(async () => { [shop, chromium] = await Promise.all([Shop.open(), browser()]); });
  after(async () => { await chromium?.close(); await shop?.close(); });
  const open = (t, options) => Window.open(t, chromium, shop, options);
  const visit = async (t, path, options) => (await open(t, options)).page(path);
  const soon = (ms) => new Date(Date.now() + ms).toISOString();
  const problem = (code, headers = {}, more = {}) => ({ contentType: "application/problem+json", headers, body: JSON.stringify({ code, title: code, ...more }) });

  test("sold out is told, by the page and by a refusal", async (t) => {
    await shop.sale("soldout", {}, [{ stock: 1 }]);
    const page = await visit(t, "/s/soldout");
    const { go, feedback, availability } = card(page);
    await enabled(go);
    const ticket = await shop.order("soldout");
    await page.route("**/v1/sales/soldout", (route) => route.abort());
    await shop.pay(ticket);
    await shop.reached(ticket, "confirmed");
    await go.click();
    await says(feedback, /Sold out: every unit is paid for/);
    await says(availability, /Sold out/);
    await until("Buy is off", () => go.isDisabled());
    const later = await visit(t, "/s/soldout");
    await says(later.locator("#state"), /Sold out/);
  });

  test("a paused sale says so, keeps asking while that is wanted, and goes on", async (t) => {
    await shop.sale("paused");
    const page = await visit(t, "/s/paused");
    const { go, feedback, stop, again, next, text } = card(page);
    await enabled(go);
    await page.route("**/v1/sales/paused", (route) => route.abort());
    await shop.operator("POST", "sales/paused/pause");
    await go.click();
    await says(feedback, /has paused the sale/);
    await says(next, /Next try in \d+ s/);
    await stop.click();
    await says(feedback, /^Stopped\. Nothing was ordered/);
    await gone(stop);
    await go.click();
    await shown(stop);
    await again.uncheck();
    await says(feedback, /paused the sale\. Press Buy to try again/);
    await again.check();
    await go.click();
    await shown(stop);
    await shop.operator("POST", "sales/paused/resume");
    await says(text, /held for you/);
  });

  test("an ended sale says so, also to a page that was open", async (t) => {
    await shop.sale("ended");
    const page = await visit(t, "/s/ended");
    await says(page.locator("#state"), /Open now/);
    // The page hears of the end, and then nothing new any more: it knows by its clock.
    const ends = soon(1500);
    await page.route("**/v1/sales/ended", async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ response: answer, json: { ...(await answer.json()), state: "live", ends_at: ends } });
    });
    await says(page.locator("#state"), /Over: nothing can be bought/);
    assert.ok(await card(page).go.isDisabled());
  });

  test("after a refusal another quantity is another purchase", async (t) => {
    await shop.sale("quantity", {}, [{ stock: 3, max_per_user: 4 }]);
    await shop.order("quantity");
    const page = await visit(t, "/s/quantity");
    const { go, quantity, again, feedback, what } = card(page);
    const sent = [];
    page.on("request", (request) => { if (request.url().endsWith("/checkout")) sent.push([request.postDataJSON().quantity, request.headers()["idempotency-key"]]); });
    await enabled(go);
    await again.uncheck();
    await quantity.selectOption("3");
    await go.click();
    await says(feedback, /Fewer units are free.*Press Buy/);
    assert.ok(await quantity.isEnabled());
    await quantity.selectOption("2");
    await go.click();
    await says(what, /^2 × Product 0: 299\.80 EUR$/);
    assert.deepEqual(sent.map(([count]) => count), [3, 2]);
    assert.notEqual(sent[0][1], sent[1][1], "a key of its own");
  });

  test("while all units are held the page waits, and takes the first that comes back", async (t) => {
    await shop.sale("held", {}, [{ stock: 1 }]);
    const ticket = await shop.order("held");
    const page = await visit(t, "/s/held");
    const { go, feedback, availability, text, next } = card(page);
    await says(availability, /held by buyers who are paying; some may come back/);
    await go.click();
    await says(feedback, /All units are held/);
    // The server's wait is 30 s; the unit that is free again ends it.
    await says(next, /Next try in [23]\d s/);
    await shop.ask("DELETE", `/v1/orders/${ticket}`);
    await says(text, /held for you/);
  });

  for (const then of ["pause", "end"]) {
    test(`an answer that was lost is claimed after a reload, although the sale was told to ${then}`, async (t) => {
      const id = `lost-${then}`;
      await shop.sale(id, {}, [{ stock: 5, max_per_user: 3 }]);
      const page = await visit(t, `/s/${id}`);
      const { go, feedback, quantity, what, text } = card(page);
      await page.route("**/checkout", async (route) => { await route.fetch(); await route.abort("connectionreset"); });
      await quantity.selectOption("2");
      await go.click();
      await says(feedback, /No answer yet\. Your request is safe/);
      assert.ok(await quantity.isDisabled());
      await page.unroute("**/checkout");
      await page.route("**/checkout", (route) => route.abort());
      await shop.operator("POST", `sales/${id}/${then}`);
      await page.goto("about:blank");
      await page.unroute("**/checkout");
      await page.goto(`${shop.url}/s/${id}`);
      await says(text, /held for you/);
      await says(what, /^2 × Product 0/);
      assert.equal(await shop.held(id), 2);
      assert.equal((await tickets(page)).length, 1);
    });
  }

  test("two tabs that were opened before there was a session are one buyer", async (t) => {
    await shop.sale("tabs", {}, [{ stock: 5 }]);
    const window = await open(t);
    const pages = await Promise.all([window.page(), window.page()]);
    const users = new Set();
    for (const page of pages) page.on("request", (request) => { if (request.url().endsWith("/checkout")) users.add(request.postDataJSON().user_id); });
    await Promise.all(pages.map((page) => page.goto(`${shop.url}/s/tabs`)));
    await Promise.all(pages.map((page) => enabled(card(page).go)));
    await Promise.all(pages.map((page) => card(page).go.evaluate((button) => button.click())));
    for (const page of pages) await says(card(page).text, /held for you/);
    assert.equal(users.size, 1);
    assert.equal(await shop.held("tabs"), 1);
  });

  test("a browser that keeps nothing buys once all the same", async (t) => {
    await shop.sale("full", {}, [{ stock: 5, max_per_user: 3 }]);
    const window = await open(t);
    await window.context.addInitScript(() => { Storage.prototype.setItem = () => { throw new DOMException("full", "QuotaExceededError"); }; });
    const page = await window.page();
    let lost = 0;
    const keys = new Set();
    await page.route("**/checkout", async (route) => {
      keys.add(route.request().headers()["idempotency-key"]);
      if ((lost += 1) > 2) return route.continue();
      await route.fetch();
      return route.abort("connectionreset");
    });
    await page.goto(`${shop.url}/s/full`);
    await card(page).go.click();
    await says(card(page).text, /held for you/);
    assert.equal(keys.size, 1);
    assert.equal(await shop.held("full"), 1);
  });

  test("a wrong clock, one that is set back, and wrong answers about the time do not keep Buy closed", async (t) => {
    await shop.sale("clock", { starts_at: soon(3600000) });
    const window = await open(t);
    await window.context.addInitScript(() => {
      const real = Date.now.bind(Date);
      globalThis.shift = -3600000;
      Date.now = () => real() + globalThis.shift;
    });
    const page = await window.page();
    let asked = 0;
    await page.route("**/v1/time", (route) => ((asked += 1) % 2 ? route.continue() : route.fulfill({ status: 503, ...problem("overloaded") })));
    await page.goto(`${shop.url}/s/clock`);
    await says(page.locator("#countdown"), /^Opens in (01:00:00|00:59:\d\d)$/);
    await page.evaluate(() => { globalThis.shift = -7200000; });
    await shop.operator("PATCH", "sales/clock", { starts_at: soon(1500) });
    const { go, text } = card(page);
    await enabled(go);
    await go.click();
    await says(text, /held for you/);
  });

  test("Buy follows the server's word even where no time can be had", async (t) => {
    await shop.sale("notime");
    const page = await (await open(t)).page();
    await page.route("**/v1/time", (route) => route.fulfill({ status: 429, ...problem("rate-limited") }));
    // A page that a cache kept from long before.
    await page.route("**/s/notime", async (route) => {
      const answer = await route.fetch();
      const old = (await answer.text()).replace(/data-server-time="[^"]*"/, 'data-server-time="2019-12-31T23:00:00.000Z"').replace('data-state="live"', 'data-state="scheduled"');
      await route.fulfill({ response: answer, body: old });
    });
    await page.goto(`${shop.url}/s/notime`);
    await enabled(card(page).go);
    await gone(page.locator("#countdown"));
  });

  test("Retry-After is kept: in seconds, as a date, for checkouts and for statuses", async (t) => {
    await shop.sale("retry");
    const page = await visit(t, "/s/retry");
    const asked = { checkout: [], status: [] };
    const gaps = (list) => list.slice(1).map((at, index) => at - list[index]);
    const busy = [
      () => problem("overloaded", { "Retry-After": "3" }),
      () => ({ contentType: "text/html", headers: { Date: new Date().toUTCString(), "Retry-After": new Date(Date.now() + 4000).toUTCString() }, body: "<h1>busy</h1>" }),
    ];
    await page.route("**/checkout", (route) => {
      const answer = busy[asked.checkout.length];
      asked.checkout.push(performance.now());
      return answer ? route.fulfill({ status: 503, ...answer() }) : route.continue();
    });
    await page.route("**/v1/orders/status/**", (route) => {
      asked.status.push(performance.now());
      return asked.status.length < 3 ? route.fulfill({ status: 503, ...problem("unavailable", { "Retry-After": "3" }) }) : route.continue();
    });
    const { go, text, trouble, feedback } = card(page);
    await go.click();
    await says(feedback, /very busy. Your request is safe/);
    await says(trouble, /No answer from the shop just now; your order is safe/);
    await says(text, /held for you/);
    for (const gap of [...gaps(asked.checkout), ...gaps(asked.status).slice(0, 2)]) assert.ok(gap >= 2900, `asked again after ${gap} ms`);
  });

  test("not open yet by the server's clock: the next try is at the opening", async (t) => {
    await shop.sale("early");
    const page = await visit(t, "/s/early");
    const at = [];
    const starts = Date.now() + 2500;
    await page.route("**/checkout", (route) => {
      at.push(Date.now());
      return at.length > 1 ? route.continue() : route.fulfill({ status: 403, ...problem("sale-not-started", { "Retry-After": "30" }, { starts_at: new Date(starts).toISOString() }) });
    });
    await card(page).go.click();
    await says(card(page).text, /held for you/);
    assert.equal(at.length, 2);
    assert.ok(at[1] >= starts - 100, `${starts - at[1]} ms too early`);
  });

  test("an order that another machine knows nothing of is forgotten", async (t) => {
    await shop.sale("forgotten");
    const window = await open(t);
    await window.context.addInitScript(() => { if (location.pathname === "/s/forgotten" && !sessionStorage.was) { sessionStorage.was = "1"; localStorage.setItem("tzero-orders/forgotten/p0", '[{"ticket":"nonsense"}]'); } });
    const page = await window.page("/s/forgotten");
    await enabled(card(page).go);
    await gone(card(page).order);
    assert.deepEqual(await tickets(page), []);
  });

  test("the shop dies while an order is followed, says so, and comes back", async (t) => {
    const own = await Shop.open();
    t.after(() => own.close());
    await own.sale("dies");
    const window = await Window.open(t, chromium, own);
    const page = await window.page("/s/dies");
    const { go, pay, trouble, text } = card(page);
    await go.click();
    await shown(pay);
    const [ticket] = await tickets(page);
    const order = await window.page(`/return?ticket=${ticket}`);
    await own.kill();
    await says(trouble, /your order is safe, asking again/);
    await says(order.locator("#order-trouble"), /your order is safe, asking again/);
    await own.startAgain();
    await says(text, /held for you/);
    await until("no trouble any more", async () => (await trouble.innerText()) === "");
    await own.pay(ticket);
    await says(text, /It is yours/);
    await says(order.locator("#order-text"), /It is yours/);
  });
});
