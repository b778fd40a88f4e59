"""Looks for answers that /openapi.json does not document: schemathesis against the real program.

Starts the program (TZERO_BIN) with an empty store, makes a sale and orders in several states, and lets schemathesis send
what the document allows and what it forbids: to buyers' and to operators' addresses, with invented and with real
identifiers. Every check of schemathesis is on; what `schemathesis.toml` switches off is explained there.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent
SCHEMATHESIS = Path(sys.executable).parent / "schemathesis"
SETTINGS = ["limits.user_per_s=0", "limits.network_per_s=0"]
EXAMPLES = os.environ.get("TZERO_OPENAPI_EXAMPLES", "25")
PRODUCT = {"product_id": "p", "name": "P", "price": {"amount": "1.00", "currency": "EUR"}, "stock": 1_000, "max_per_user": 100}


class Program:
    """The program under test."""

    def __init__(self, folder):
        flags = [part for each in SETTINGS for part in ("--set", each)]
        command = [os.environ["TZERO_BIN"], "serve", "--listen", "127.0.0.1:0", "--data", folder, *flags]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.url = self.process.stdout.readline().split()[-1]
        self.operator = (Path(folder) / "admin-token").read_text().strip()

    def ask(self, method, path, body=None, token=None, form=None):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        data = None
        if body is not None:
            headers["Content-Type"], data = "application/json", json.dumps(body).encode()
        if form is not None:
            headers["Content-Type"], data = "application/x-www-form-urlencoded", form.encode()
        url = path if path.startswith("http") else self.url + path
        request = urllib.request.Request(url, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            text = answer.read().decode()
            return json.loads(text) if "json" in answer.headers.get("Content-Type", "") else text

    def sale(self, name):
        body = {"sale_id": name, "name": name, "starts_at": "2020-01-01T00:00:00Z", "ends_at": "2099-01-01T00:00:00Z", "products": [PRODUCT]}
        self.ask("POST", "/admin/v1/sales", body, self.operator)

    def order(self, sale, session, key):
        body = {"user_id": session["user_id"], "product_id": "p", "idempotency_key": key}
        return self.ask("POST", f"/v1/sales/{sale}/checkout", body, session["session_token"])["queue_ticket_id"]

    def wait(self, ticket, status):
        for _ in range(200):
            found = self.ask("GET", f"/v1/orders/status/{ticket}")
            if found["status"] == status:
                return found
            time.sleep(0.05)
        raise SystemExit(f"the order did not become {status}: {found}")


def schemathesis(program, folder, token, parameters, *flags):
    """One run; `parameters` are real identifiers, or none, so that schemathesis invents them."""
    config = Path(folder) / "schemathesis.toml"
    lines = [f"{json.dumps('path.' + name)} = {json.dumps(values)}" for name, values in parameters.items()]
    config.write_text((HERE / "schemathesis.toml").read_text() + "\n".join(["[parameters]", *lines, ""]))
    command = [SCHEMATHESIS, "--config-file", config, "run", f"{program.url}/openapi.json", "--max-examples", EXAMPLES, *flags]
    print(f"\n{' '.join(flags)}, {'real' if parameters else 'invented'} identifiers", flush=True)
    return subprocess.run(command, env={**os.environ, "TZERO_TOKEN": token}).returncode == 0


def main():
    with tempfile.TemporaryDirectory() as folder:
        program = Program(folder)
        try:
            program.sale("s")
            session = program.ask("POST", "/v1/sessions")
            waiting, paid, ended = (program.order("s", session, key) for key in ("waiting", "paid", "ended"))
            program.ask("POST", program.wait(paid, "awaiting_payment")["checkout_url"], form="action=pay")
            program.wait(paid, "confirmed")
            program.wait(ended, "awaiting_payment")
            program.ask("DELETE", f"/v1/orders/{ended}")
            program.wait(ended, "cancelled")
            program.wait(waiting, "awaiting_payment")
            real = {"sale_id": "s", "queue_ticket_id": [waiting, paid, ended], "provider": "sandbox"}
            buyers, operators = ("--exclude-path-regex", "^/admin"), ("--include-path-regex", "^/admin")
            right = [
                schemathesis(program, folder, token, parameters, *flags)
                for token, flags in [(session["session_token"], buyers), (program.operator, operators)]
                for parameters in [{}, real]
            ]
            audit = program.ask("GET", "/admin/v1/sales/s/audit", token=program.operator)
            if not audit["ok"]:
                raise SystemExit(f"the audit afterwards: {audit}")
            if program.process.poll() is not None:
                raise SystemExit("the program has ended")
            if not all(right):
                raise SystemExit("schemathesis found answers that are not as documented: see above")
            print("every answer is documented; the audit afterwards is clean")
        finally:
            program.process.terminate()
            program.process.wait()


main()
