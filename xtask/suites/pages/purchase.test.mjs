// From the countdown to the confirmation, and every other end of an order.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Shop, Window, browser, card, enabled, gone, says, shown, tickets, until } from "./shop.mjs";

describe("a purchase", { concurrency: 2 }, () => {
  let shop;
  let chromium;
  before(async () => { [shop, chromium] = await Promise.all([Shop.open(), browser()]); });
  after(async () => { await chromium?.close(); await shop?.close(); });
  const visit = async (t, path, options) => (await Window.open(t, chromium, shop, options)).page(path);
  const soon = (ms) => new Date(Date.now() + ms).toISOString();

  test("the whole purchase: countdown, Buy, the queue, paying, confirmed", async (t) => {
    await shop.sale("whole", { starts_at: soon(3600000) });
    const page = await visit(t, "/s/whole");
    const { go, order, text, what, pay, cancel, extend, until: ends } = card(page);
    await says(page.locator("#countdown"), /^Opens in (01:00:00|00:59:\d\d)$/);
    assert.ok(await go.isDisabled());
    await shop.operator("PATCH", "sales/whole", { starts_at: soon(1500) });
    await enabled(go);
    await gone(page.locator("#countdown"));
    await says(page.locator("#state"), /Open now/);
    // The answer is slow to come, and the first look at the status too: what is known is shown at once.
    let release;
    const held = new Promise((done) => { release = done; });
    await page.route("**/v1/orders/status/**", async (route) => { await held; await route.continue(); });
    await go.press("Enter");
    await says(text, /in the queue/);
    assert.ok(await text.evaluate((element) => element.classList.contains("busy")), "a spinner");
    assert.ok(await order.locator(".order-title").evaluate((title) => title === document.activeElement), "the keyboard is at the order");
    release();
    await says(text, /held for you/);
    await says(what, /^1 × Product 0: 149\.90 EUR$/);
    await says(ends, /The hold ends in 00:0\d:\d\d/);
    assert.ok(await cancel.isVisible());
    assert.ok(!(await extend.isVisible()), "this sale gives no more time");
    await pay.click();
    await says(page.locator("main"), /1 × Product 0[\s\S]*149\.90 EUR/);
    await page.getByRole("button", { name: "Pay", exact: true }).click();
    await page.waitForURL(/\/return\?/);
    await says(page.locator("#order-text"), /It is yours/);
    await says(page.locator("#order"), /1 × Product 0: 149\.90 EUR[\s\S]*unit numbers/);
    await page.getByRole("link", { name: "Back to the sale" }).click();
    await says(text, /It is yours/);
    for (const button of [pay, cancel, extend]) assert.ok(!(await button.isVisible()), "nothing is left to press");
    assert.ok(await go.isDisabled());
    await says(card(page).why, /one buyer may have one/);
  });

  test("a decline is told, and the same order can be paid after it", async (t) => {
    await shop.sale("decline");
    const page = await visit(t, "/s/decline");
    await card(page).go.click();
    await card(page).pay.click();
    await page.getByRole("button", { name: /declined/ }).click();
    await page.waitForURL(/\/return\?/);
    await says(page.locator("#order-text"), /last attempt that we know of was declined/);
    await page.locator("#pay").click();
    await page.getByRole("button", { name: "Pay", exact: true }).click();
    await says(page.locator("#order-text"), /It is yours/);
  });

  test("whoever comes back from paying hears of that before paying once more is offered", async (t) => {
    await shop.sale("news");
    const ticket = await shop.order("news");
    await shop.reached(ticket, "awaiting_payment");
    const page = await visit(t, `/return?ticket=${ticket}`);
    await shown(page.locator("#looking"));
    assert.ok(!(await page.locator("#pay").isVisible()));
    await shown(page.locator("#pay"));
    assert.ok(!(await page.locator("#looking").isVisible()));
  });

  test("what came between rendering and the first look is not missed", async (t) => {
    await shop.sale("between");
    const ticket = await shop.order("between");
    await shop.reached(ticket, "awaiting_payment");
    const window = await Window.open(t, chromium, shop);
    const page = await window.page();
    let first = true;
    await page.route("**/return?**", async (route) => {
      const answer = await route.fetch();
      if (first) {
        first = false;
        await shop.pay(ticket, "decline");
        await until("the decline is known", async () => (await shop.status(ticket)).reason === "payment-declined");
      }
      await route.fulfill({ response: answer });
    });
    await page.goto(`${shop.url}/return?ticket=${ticket}`);
    await says(page.locator("#order-text"), /declined/);
  });

  test("a hold that is not paid lapses, and says so after a reload too", async (t) => {
    await shop.sale("lapse", { hold_ms: 1500 });
    const page = await visit(t, "/s/lapse");
    const { go, text, hint, pay, cancel } = card(page);
    await go.click();
    await shown(pay);
    const address = await pay.getAttribute("href");
    await says(text, /hold has ended/);
    await says(hint, /nothing was charged/);
    assert.ok(!(await pay.isVisible()) && !(await cancel.isVisible()));
    assert.equal(await pay.getAttribute("href"), null);
    await enabled(go);
    await page.reload();
    await says(text, /hold has ended/);
    await page.goto(address);
    await says(page.locator("main"), /closed/);
    await page.getByRole("link", { name: "Back to the shop" }).click();
    await says(page.locator("#order-text"), /hold has ended/);
  });

  test("giving up gives the unit back, and Buy with it", async (t) => {
    await shop.sale("giveup", {}, [{ stock: 1 }]);
    const page = await visit(t, "/s/giveup");
    const { go, text, pay, cancel } = card(page);
    await go.click();
    await shown(pay);
    await cancel.click();
    await says(text, /You have cancelled your order/);
    assert.ok(!(await cancel.isVisible()) && !(await pay.isVisible()));
    await enabled(go);
    await go.click();
    await says(text, /held for you/);
  });

  test("more time is offered where the sale gives it, once", async (t) => {
    await shop.sale("more", { extension_ms: 600000 });
    const page = await visit(t, "/s/more");
    const { go, extend, said, until: ends } = card(page);
    await go.click();
    await extend.click();
    await says(said, /You have more time/);
    await says(ends, /00:1\d:\d\d/);
    await gone(extend);
  });

  test("an action that failed says so until the next one", async (t) => {
    await shop.sale("failed");
    const page = await visit(t, "/s/failed");
    const { go, cancel, said, text } = card(page);
    await go.click();
    await shown(cancel);
    await page.route(/\/v1\/orders\/[^/]+$/, (route) => route.abort());
    await cancel.click();
    await says(said, /No answer\. Try again/);
    let looks = 0;
    page.on("response", (answer) => { looks += answer.url().includes("/orders/status/"); });
    await until("three more looks", () => looks >= 3);
    assert.match(await said.innerText(), /No answer/);
    await page.unroute(/\/v1\/orders\/[^/]+$/);
    await cancel.click();
    await says(text, /You have cancelled/);
    assert.equal(await said.innerText(), "");
  });

  test("two products have a box each, and what is pressed in one is done to its order", async (t) => {
    await shop.sale("two", {}, [{ name: "Alpha" }, { name: "Beta" }]);
    const page = await visit(t, "/s/two");
    const [alpha, beta] = [card(page, 0), card(page, 1)];
    await beta.go.click();
    await shown(beta.pay);
    await alpha.go.click();
    await shown(alpha.pay);
    await says(alpha.what, /^1 × Alpha/);
    await says(beta.what, /^1 × Beta/);
    assert.notEqual(await alpha.pay.getAttribute("href"), await beta.pay.getAttribute("href"));
    await alpha.cancel.click();
    await says(alpha.text, /cancelled/);
    assert.match(await beta.text.innerText(), /held for you/);
    await page.goto(await beta.pay.getAttribute("href"));
    await says(page.locator("main"), /Beta/);
  });

  test("whoever may have several buys again, and is told the limit in truth", async (t) => {
    await shop.sale("several", {}, [{ max_per_user: 4 }]);
    const page = await visit(t, "/s/several");
    const { go, quantity, text, what, earlier, feedback } = card(page);
    await quantity.selectOption("3");
    await go.click();
    await says(what, /^3 × Product 0: 449\.70 EUR$/);
    const [first] = await tickets(page);
    await shop.pay(first);
    await says(text, /It is yours/);
    await enabled(go);
    await quantity.selectOption("2");
    await go.click();
    await says(feedback, /more than one buyer may have \(4\)/);
    await quantity.selectOption("1");
    await go.click();
    await says(what, /^1 × Product 0/);
    await says(earlier, /An earlier order of 3\. It is yours/);
    await page.reload();
    await says(what, /^1 × Product 0/);
    assert.equal((await tickets(page)).length, 2);
  });

  test("a refund is followed until it is done", async (t) => {
    await shop.sale("refund");
    const ticket = await shop.order("refund");
    await shop.pay(ticket);
    await shop.reached(ticket, "confirmed");
    const page = await visit(t, `/return?ticket=${ticket}`);
    await says(page.locator("#order-text"), /It is yours/);
    await shop.operator("POST", `orders/${ticket}/refund`, { return_units: true });
    await page.reload();
    await says(page.locator("#order-text"), /Your money was given back/);
  });
});
