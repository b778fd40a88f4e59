// What every page is like: for everybody, without scripts, with hostile texts; and the operator's console.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Shop, Window, accessible, browser, card, enabled, gone, says, shown, until } from "./shop.mjs";

describe("every page", { concurrency: 2 }, () => {
  let shop;
  let chromium;
  before(async () => { [shop, chromium] = await Promise.all([Shop.open(), browser()]); });
  after(async () => { await chromium?.close(); await shop?.close(); });
  const open = (t, options) => Window.open(t, chromium, shop, options);
  const PHONE = { viewport: { width: 375, height: 700 } };
  const DARK = { ...PHONE, colorScheme: "dark" };
  const LONG = "Donaudampfschifffahrtsgesellschaftskapitaenspatent".repeat(2);

  for (const [name, options] of [["a telephone in the dark", DARK], ["a desk by day", { viewport: { width: 1280, height: 800 } }]]) {
    test(`every page is accessible and fits: ${name}`, async (t) => {
      const id = options === DARK ? "hostile-dark" : "hostile";
      const products = [{ name: `<b>bold</b> ${LONG}`, description: '"><script>alert(2)</script>', max_per_user: 5, compare_at: { amount: "200.00", currency: "EUR" } }, { name: "None", stock: 0 }];
      await shop.sale(id, { name: `<script>alert(1)</script> ${LONG}`, description: LONG }, products);
      const page = await (await open(t, options)).page(`/s/${id}`);
      const { go, pay, order } = card(page);
      await enabled(go);
      await accessible(page, "a sale");
      await go.click();
      await shown(pay);
      await accessible(page, "a sale with an order");
      const top = await order.evaluate((box) => box.getBoundingClientRect().top);
      assert.ok(top >= 0 && top < (await page.evaluate(() => innerHeight)), "the order is in view");
      await pay.click();
      await says(page.locator("h1"), /Pay/);
      await accessible(page, "the pay page");
      const address = page.url();
      await page.getByRole("button", { name: /declined/ }).click();
      await shown(page.locator("#pay"));
      // The rest is built of the same parts: once is enough.
      if (options !== DARK) return;
      await accessible(page, "an order");
      await page.goto(address);
      await page.getByRole("button", { name: "Pay", exact: true }).click();
      await says(page.locator("#order-text"), /It is yours/);
      await accessible(page, "an order that is done");
      const others = [new URL(address).pathname, "/", "/problems", "/problems/sold-out", "/return", "/s/nowhere", `/${LONG}`];
      for (const path of others) {
        await page.goto(shop.url + path);
        await accessible(page, path);
      }
    });
  }

  test("without scripts a page tells the truth and shows nothing that does not work", async (t) => {
    await shop.sale("plain", { starts_at: "2098-05-06T07:08:09Z" });
    const page = await (await open(t, { javaScriptEnabled: false })).page("/s/plain");
    await says(page.locator("main"), /Not open yet\. Opens 6 May 2098, 07:08:09 UTC/);
    await says(page.locator("main"), /Buying needs JavaScript/);
    for (const control of await page.locator("button, input, select, .order").all()) assert.ok(!(await control.isVisible()));
    const above = await page.locator("noscript p").boundingBox();
    const below = await page.locator(".product").boundingBox();
    assert.ok(above.y < below.y);
    assert.equal(await page.locator('meta[http-equiv="refresh"]').getAttribute("content"), "30");
    await shop.sale("plain-paused");
    await shop.operator("POST", "sales/plain-paused/pause");
    await page.goto(`${shop.url}/s/plain-paused`);
    await says(page.locator("#state"), /Paused/);
    await page.goto(shop.url);
    await says(page.locator("main"), /Opens 6 May 2098, 07:08:09 UTC/);
    await shop.sale("plain-open");
    const ticket = await shop.order("plain-open");
    await page.goto(`${shop.url}/return?ticket=${ticket}`);
    await says(page.locator("main"), /1 × Product 0: 149\.90 EUR/);
    await shop.pay(ticket);
    await says(page.locator("main"), /It is yours/);
    await page.goto(`${shop.url}/console`);
    await says(page.locator("main"), /The console needs JavaScript/);
  });

  test("a new message of the shop and a new opening are shown to open pages", async (t) => {
    const later = new Date(Date.now() + 3600000).toISOString();
    await shop.sale("news", { starts_at: later });
    const page = await (await open(t)).page("/s/news");
    await says(page.locator("#countdown"), /^Opens in (01:00:00|00:59)/);
    const opens = await page.locator("#starts").innerText();
    await shop.operator("POST", "sales/news/message", { message: "We open an hour later" });
    await shop.operator("PATCH", "sales/news", { starts_at: new Date(Date.now() + 7200000).toISOString() });
    await says(page.locator("#message"), /^We open an hour later$/);
    await until("another opening", async () => (await page.locator("#starts").innerText()) !== opens);
    await says(page.locator("#countdown"), /^Opens in (02:00:00|01:59)/);
  });

  test("an open page shows the price, the name and the limit that hold when the sale begins", async (t) => {
    await shop.sale("repriced", { starts_at: new Date(Date.now() + 3600000).toISOString() });
    const page = await (await open(t)).page("/s/repriced");
    const { box, go, quantity, what, order } = card(page);
    await says(box.locator(".price"), /^149\.90 EUR$/);
    const price = { amount: "19.90", currency: "USD" };
    const products = [{ product_id: "p0", name: "Another <b>name</b>", price, compare_at: { ...price, amount: "25.00" }, stock: 10, max_per_user: 3 }];
    await shop.operator("PATCH", "sales/repriced", { products });
    await says(box.locator(".price"), /^19\.90 USD\s+before\s*25\.00 USD$/);
    await says(box.locator("h2").first(), /^Another <b>name<\/b>$/);
    await shop.operator("PATCH", "sales/repriced", { starts_at: "2020-01-01T00:00:00Z" });
    await enabled(go);
    await quantity.selectOption("3");
    await go.click();
    await shown(order);
    await says(what, /^3 × Another <b>name<\/b>: 59\.70 USD$/);
  });

  test("an address without a ticket says what is wrong", async (t) => {
    const page = await (await open(t)).page("/return?ticket=nonsense");
    await says(page.locator("h1"), /No such order/);
  });

  test("nothing is guessed of a file's type", async () => {
    const page = await shop.ask("GET", "/");
    const asset = page.text.match(/\/assets\/style\.[^"]+/)[0];
    for (const answer of [page, await shop.ask("GET", asset)]) assert.equal(answer.headers.get("x-content-type-options"), "nosniff");
  });

  test("the console: token, figures that live, pause and resume, restock, message, refund, end", async (t) => {
    await shop.sale("desk", { name: "Desk" }, [{ stock: 5, name: "Thing" }]);
    const page = await (await open(t, PHONE)).page("/console");
    await shown(page.locator("#token"));
    await accessible(page, "the console's door");
    await page.fill("#token", "wrong");
    await page.getByRole("button", { name: "Enter" }).click();
    await says(page.locator("#trouble"), /token was not accepted/);
    await page.fill("#token", shop.token);
    await page.getByRole("button", { name: "Enter" }).click();
    await shown(page.locator("#desk"));
    await page.selectOption("#pick", "desk");
    await says(page.locator("#name"), /^Desk$/);
    const ticket = await shop.order("desk");
    await says(page.locator("#stock"), /Thing\s+5\s+4\s+1\s+0/);
    await shop.pay(ticket);
    await says(page.locator("#stock"), /Thing\s+5\s+4\s+0\s+1/);
    await says(page.locator("#orders"), /confirmed/);
    await accessible(page, "the console");
    await page.click("#pause");
    await says(page.locator("#state"), /^paused/);
    await page.click("#resume");
    await says(page.locator("#state"), /^live/);
    await page.fill("#restock-units", "3");
    await page.getByRole("button", { name: "Add" }).click();
    await says(page.locator("#restocked"), /^3 units added to Thing\.$/);
    assert.equal(await page.inputValue("#restock-units"), "");
    await says(page.locator("#stock"), /Thing\s+8\s+7\s+0\s+1/);
    await page.fill("#text", "Hello <b>");
    await page.getByRole("button", { name: "Show it" }).click();
    await says(page.locator("#actions"), /message/);
    await shop.sale("desk-2", { name: "Another" });
    await until("the new sale can be picked", async () => (await page.locator("#pick option").allInnerTexts()).includes("Another"));
    assert.equal(await page.inputValue("#pick"), "desk");
    await page.locator("#orders").getByRole("button", { name: "Story" }).click();
    await page.locator("#story").getByRole("button", { name: "Refund" }).click();
    await says(page.locator("#refund"), /149\.90 EUR for 1/);
    await accessible(page, "the console's question");
    await page.locator("#refund").getByRole("button", { name: "Cancel" }).click();
    await gone(page.locator("#refund"));
    assert.equal((await shop.status(ticket)).status, "confirmed");
    await page.locator("#story").getByRole("button", { name: "Refund" }).click();
    await page.locator("#refund").getByRole("button", { name: /come back and are sold again/ }).click();
    await shop.reached(ticket, "refunded");
    await says(page.locator("#stock"), /Thing\s+8\s+8\s+0\s+0/);
    page.on("dialog", (dialog) => dialog.accept());
    await page.click("#end");
    await says(page.locator("#state"), /^ended/);
    for (const button of ["#pause", "#resume", "#end"]) assert.ok(await page.isDisabled(button), button);
  });

  test("the console says when it is not live, and stops saying so", async (t) => {
    const own = await Shop.open();
    t.after(() => own.close());
    await own.sale("dies");
    const page = await (await Window.open(t, chromium, own)).page("/console");
    // The shop dies while the list of orders is under way.
    const asked = new Promise((held) => page.route(/dies\/orders/, held, { times: 1 }));
    await page.fill("#token", own.token);
    await page.getByRole("button", { name: "Enter" }).click();
    await says(page.locator("#state"), /^live/);
    const list = await asked;
    await own.kill();
    await says(page.locator("#stale"), /^Not live/);
    await list.abort();
    await own.startAgain();
    await until("live again", async () => (await page.locator("#stale").innerText()) === "");
    await says(page.locator("#orders"), /No order fits/);
    assert.equal(await page.locator("#trouble").innerText(), "");
  });
});
