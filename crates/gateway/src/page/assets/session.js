// Who buys. Where the shop signs sessions it leaves one in this tab; else a guest's is made, one for all tabs.
import { now } from "./clock.js";
import { ask, retryAfter } from "./http.js";
import { alone, store } from "./store.js";

const NAME = "tzero-session";

// There is no session, and waiting does not bring one.
export class NotSignedIn extends Error {}
// The server did not make one now.
export class LaterPlease extends Error {
  constructor(ms) { super("later"); this.ms = ms; }
}

function fromShop() {
  try { return JSON.parse(sessionStorage.getItem(NAME)); } catch { return null; }
}
function usable(refused) {
  const session = store.get(NAME);
  return session && session.session_token !== refused && Date.parse(session.expires_at) - now() > 60000 ? session : null;
}

// `refused` is the token that the server did not take, if one was sent.
export async function signedIn(refused) {
  const shop = fromShop();
  if (shop && shop.session_token !== refused) return shop;
  return usable(refused) ?? alone(NAME, () => usable(refused) ?? make(refused));
}

async function make(refused) {
  const answer = await ask("/v1/sessions", { method: "POST" });
  if (answer.status === 404) throw new NotSignedIn("Please sign in at the shop first, and come back to this page.");
  if (!answer.ok) throw new LaterPlease(retryAfter(answer));
  // Without locks another tab may have been first: two sessions would be two buyers.
  const first = usable(refused);
  if (first) return first;
  store.set(NAME, answer.body);
  return answer.body;
}
