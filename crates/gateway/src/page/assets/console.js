// The operator's page. Everything that it shows is asked for with the operator's token.
const $ = (id) => document.getElementById(id);
const key = "tzero-operator";
let token = sessionStorage.getItem(key) ?? "";
let sale = null;
let cursor = null;
let watching = null;
let counted = "";
let listed = 0;
let lastListed = 0;
// How often the lists are read anew while the stream runs, at most.
const LISTS_MS = 3000;
const SALES_MS = 10000;

function row(...cells) {
  const line = document.createElement("tr");
  for (const cell of cells) {
    const box = document.createElement("td");
    if (cell instanceof Node) box.append(cell); else box.textContent = cell ?? "";
    line.append(box);
  }
  return line;
}
function button(text, click) {
  const made = document.createElement("button");
  made.type = "button"; made.className = "quiet"; made.textContent = text; made.onclick = click;
  return made;
}
// What the last thing that was pressed failed of, and why the figures are not live: two lines, since each ends by itself.
const trouble = (text) => { $("trouble").textContent = text; };
const notLive = (text) => { $("stale").textContent = text && `Not live: ${text}`; };

async function ask(path, options = {}) {
  const headers = { Authorization: `Bearer ${token}`, ...(options.headers ?? {}) };
  if (options.json !== undefined) headers["Content-Type"] = "application/json";
  const body = options.json === undefined ? undefined : JSON.stringify(options.json);
  const answer = await fetch(`/admin/v1/${path}`, { method: options.method ?? "GET", headers, body, signal: options.signal });
  if (answer.status === 401) { leave(); throw new Error("The token was not accepted."); }
  if (!answer.ok) {
    const problem = await answer.json().catch(() => ({}));
    const errors = (problem.errors ?? []).map((each) => `${each.field}: ${each.detail}`).join("; ");
    throw new Error(errors || problem.detail || `Answered ${answer.status}`);
  }
  return answer;
}
const json = async (path, options) => (await ask(path, options)).json();
async function attempt(work) {
  trouble("");
  try { return await work(); } catch (error) { if (error.name !== "AbortError") trouble(error.message); return undefined; }
}

function leave() {
  token = "";
  sessionStorage.removeItem(key);
  watching?.abort();
  notLive("");
  $("desk").hidden = true;
  $("enter").hidden = false;
  $("token").focus();
}

async function enter() {
  const { sales } = await json("sales");
  sessionStorage.setItem(key, token);
  $("enter").hidden = true;
  $("desk").hidden = false;
  list(sales);
  if (sales.length) await choose(sales[0].sale_id);
}

// The sales to pick from; the one that is picked stays.
function list(sales) {
  $("nothing").hidden = sales.length > 0;
  const before = [...$("pick").options].map((each) => each.value + each.text).join();
  if (before === sales.map((each) => each.sale_id + each.name).join()) return;
  $("pick").replaceChildren(...sales.map((each) => new Option(each.name, each.sale_id)));
  if (sale) $("pick").value = sale;
}

// Sales that were made since, and the first one.
async function listAgain() {
  if (!token || document.hidden) return;
  const { sales } = await json("sales");
  list(sales);
  if (!sale && sales.length) await choose(sales[0].sale_id);
}

async function choose(id) {
  sale = id;
  $("pick").value = id;
  $("one").hidden = false;
  // What was found out about another sale is not said of this one.
  for (const box of ["story", "violations", "verdict", "restocked"]) $(box).replaceChildren();
  $("verdict").className = "";
  const shown = await json(`sales/${id}`);
  if (sale !== id) return;
  $("restock-product").replaceChildren(...shown.products.map((each) => new Option(each.name, each.product_id)));
  $("text").value = shown.message;
  draw({ sale: shown });
  watch(id);
  await lists();
}

function draw(told) {
  if (told.sale) {
    const shown = told.sale;
    $("name").textContent = shown.name;
    const over = shown.state === "ended";
    const begun = Date.parse(shown.starts_at) <= Date.now();
    $("state").textContent = `${shown.state}; ${begun ? "opened" : over ? "was to open" : "opens"} ${new Date(shown.starts_at).toLocaleString()}, ${over ? "closed" : "closes"} ${new Date(shown.ends_at).toLocaleString()}`;
    $("pause").disabled = shown.paused || over;
    $("resume").disabled = !shown.paused || over;
    $("end").disabled = over;
    $("stock").replaceChildren(...shown.products.map((each) => row(each.name, each.stock, each.available, each.held, each.sold)));
  }
  if (told.orders) $("counts").replaceChildren(...Object.entries(told.orders).map(([name, count]) => row(name, count)));
  if (told.money) $("money").textContent = told.money.map((each) => `${each.currency}: captured ${each.captured}, refunded ${each.refunded}, revenue ${each.revenue}`).join("; ") || "No money has moved.";
  if (told.stalled_ms) {
    const stalls = Object.entries(told.stalled_ms).filter(([, ms]) => ms > 2000);
    $("stalls").textContent = stalls.length ? `Nothing goes forward: ${stalls.map(([name, ms]) => `${name} for ${Math.round(ms / 1000)} s`).join(", ")}` : "";
    $("stalls").className = stalls.length ? "bad" : "";
  }
}

// What the stream tells; where orders moved, the list and the book of actions are read anew, unless somebody is using them.
function live(told) {
  notLive(told.fault ?? "");
  draw(told);
  const counts = JSON.stringify(told.orders);
  const busy = $("orders").contains(document.activeElement) || $("orders").children.length > listed;
  if (counts === counted || busy || performance.now() - lastListed < LISTS_MS) return;
  counted = counts;
  lists();
}

// What could not be read is read again once the stream tells something.
async function lists() {
  lastListed = performance.now();
  try { await Promise.all([find(false), actions()]); } catch (error) { counted = ""; if (token) notLive(error.message); }
}

// Server-Sent Events over fetch, because the token goes into a header.
async function watch(id) {
  watching?.abort();
  watching = new AbortController();
  const { signal } = watching;
  while (!signal.aborted) {
    try {
      const answer = await ask(`sales/${id}/live`, { signal });
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = "";
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        const parts = (rest + value).split("\n\n");
        rest = parts.pop();
        for (const part of parts) {
          const data = part.split("\n").filter((line) => line.startsWith("data:")).map((line) => line.slice(5)).join("");
          if (data && id === sale) live(JSON.parse(data));
        }
      }
    } catch (error) { if (signal.aborted) return; notLive(error.message); }
    await new Promise((done) => setTimeout(done, 2000));
  }
}

async function find(more) {
  const query = new URLSearchParams({ status: $("status").value, user_id: $("user").value, cursor: more ? cursor : "" });
  const told = await json(`sales/${sale}/orders?${query}`);
  const lines = told.orders.map((each) => row(
    each.user_id, each.product_id, each.units.join(" ") || each.quantity, each.reason ? `${each.status} (${each.reason})` : each.status,
    new Date(each.changed_at).toLocaleString(), button("Story", () => attempt(() => story(each.queue_ticket_id))),
  ));
  if (more) $("orders").append(...lines); else $("orders").replaceChildren(...(lines.length ? lines : [row("No order fits.")]));
  if (!more) listed = Math.max(1, lines.length);
  cursor = told.cursor;
  $("more").hidden = !cursor;
}

async function story(ticket) {
  const told = await json(`orders/${ticket}`);
  const table = document.createElement("table");
  table.append(...told.story.map((step) => row(new Date(step.at).toLocaleString(), step.status, step.reason)));
  const parts = [Object.assign(document.createElement("h3"), { textContent: `Order of ${told.order.user_id}` }), table];
  if (told.order.status === "confirmed") {
    parts.push(button("Refund", () => attempt(async () => {
      const { user_id: user, amount, quantity } = told.order;
      const answer = await chosen($("refund"), `${amount.amount} ${amount.currency} for ${quantity} to ${user}.`);
      if (!["keep", "return"].includes(answer)) return;
      await ask(`orders/${ticket}/refund`, { method: "POST", json: { return_units: answer === "return" } });
      await story(ticket);
      await find();
    })));
  }
  $("story").replaceChildren(...parts);
}

// Which button of a dialog was pressed; nothing where it was closed in another way.
function chosen(dialog, text) {
  dialog.querySelector("p").textContent = text;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((done) => dialog.addEventListener("close", () => done(dialog.returnValue), { once: true }));
}

async function actions() {
  const told = await json("actions");
  const lines = told.actions.map((each) => row(new Date(each.at).toLocaleString(), each.actor, each.action, each.sale_id, each.detail));
  $("actions").replaceChildren(...(lines.length ? lines : [row("Nothing yet.")]));
}

const steer = (action) => attempt(async () => {
  if (action === "end" && !confirm("End the sale now? Nothing can be bought after that.")) return;
  draw({ sale: await json(`sales/${sale}/${action}`, { method: "POST" }) });
  await actions();
});

for (const word of ["queued", "awaiting_payment", "confirmed", "payment_failed", "expired", "cancelled", "sold_out", "refunded"]) $("status").append(new Option(word, word));
$("enter").onsubmit = (event) => { event.preventDefault(); token = $("token").value.trim(); attempt(enter); };
$("leave").onclick = leave;
$("pick").onchange = () => attempt(() => choose($("pick").value));
for (const action of ["pause", "resume", "end"]) $(action).onclick = () => steer(action);
$("search").onsubmit = (event) => { event.preventDefault(); attempt(() => find(false)); };
$("more").onclick = () => attempt(() => find(true));
$("say").onsubmit = (event) => {
  event.preventDefault();
  attempt(async () => { draw({ sale: await json(`sales/${sale}/message`, { method: "POST", json: { message: $("text").value } }) }); await actions(); });
};
let restockKey = null;
$("restock").oninput = () => { restockKey = null; $("restocked").textContent = ""; };
$("restock").onsubmit = (event) => {
  event.preventDefault();
  // The key changes only once an answer has come: pressing again after a lost answer adds nothing twice.
  restockKey ??= crypto.randomUUID?.() ?? String(Math.random());
  attempt(async () => {
    const body = { product_id: $("restock-product").value, units: Number($("restock-units").value) };
    draw({ sale: await json(`sales/${sale}/restock`, { method: "POST", json: body, headers: { "Idempotency-Key": restockKey } }) });
    restockKey = null;
    $("restocked").textContent = `${body.units} ${body.units === 1 ? "unit" : "units"} added to ${$("restock-product").selectedOptions[0].text}.`;
    $("restock-units").value = "";
    await actions();
  });
};
$("audit").onclick = () => attempt(async () => {
  $("verdict").textContent = "Reading …";
  const asked = sale;
  const told = await json(`sales/${asked}/audit`);
  if (asked !== sale) return;
  $("verdict").textContent = told.ok ? (told.settling ? "Settling: things moved while it was read; nothing is wrong so far." : "Right: every unit is in exactly one place.") : "Wrong:";
  $("verdict").className = told.ok ? "" : "bad";
  $("violations").replaceChildren(...told.violations.map((each) => Object.assign(document.createElement("li"), { textContent: `${each.kind}: ${each.product_id ?? ""} ${each.detail}` })));
  draw({ orders: told.orders, money: told.money });
});
$("csv").onclick = () => attempt(async () => {
  const answer = await ask(`sales/${sale}/orders.csv`);
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(await answer.blob()), download: `${sale}-orders.csv` });
  link.click();
  URL.revokeObjectURL(link.href);
});
setInterval(() => listAgain().catch(() => { /* the stream says what is wrong */ }), SALES_MS);
$("enter").hidden = false;
if (token) attempt(enter);
