// The page of an order: looks at the server's pace, and loads the page anew when something changed.
const order = document.getElementById("order");
const { ticket, status, terminal } = order.dataset;
const wait = (ms) => new Promise((done) => setTimeout(done, ms));

async function follow() {
  let pause = Number(order.dataset.poll);
  let version = null;
  for (;;) {
    await wait(pause);
    if (document.hidden) { pause = 1000; continue; }
    try {
      const answer = await fetch(`/v1/orders/status/${ticket}`, { cache: "no-store" });
      if (!answer.ok) { pause = 2000 + Math.random() * 2000; continue; }
      const body = await answer.json();
      if (body.status !== status || (version !== null && body.version !== version)) { location.reload(); return; }
      version = body.version;
      pause = body.poll_after_ms;
    } catch { pause = 3000 + Math.random() * 2000; }
  }
}

if (terminal !== "true") follow();
for (const time of document.querySelectorAll("time")) time.textContent = new Date(time.dateTime).toLocaleString();
