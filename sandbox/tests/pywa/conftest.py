"""The real sandbox as a process, a server that receives its webhooks, and a pywa client pointed at it."""

import os
import queue
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from pywa import WhatsApp

NUMBER = "106540352242922"
WABA = "102290129340398"
USER = "16505551234"
SECRET = "sandbox-app-secret"


class Sandbox:
    """The control side of the sandbox."""

    def __init__(self, base_url):
        self.base_url = base_url
        self.http = httpx.Client(base_url=base_url, trust_env=False)

    def control(self, method, path, body=None):
        answer = self.http.request(method, f"/_sandbox{path}", json=body, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def customer(self, message, **who):
        who = who or {"phone": USER, "name": "Zoë"}
        answer = self.control("POST", "/whatsapp/inbound", {"from": who, "message": message})
        assert answer["delivered"], answer
        return answer["id"]

    def fail(self, code, **match):
        self.control("POST", "/faults", {"match": match, "times": 1, "then": {"error": {"code": code}}})

    def last_request(self):
        return self.control("GET", "/requests")["items"][-1]


class Receiver:
    """The connected server: keeps the raw bytes and the signature of each webhook."""

    def __init__(self):
        received = self.received = queue.Queue()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                received.put((raw, self.headers["X-Hub-Signature-256"]))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self):
        return self.received.get(timeout=30)

    def forget(self):
        while not self.received.empty():
            self.received.get_nowait()


@pytest.fixture(scope="session")
def process():
    serve = os.environ["SANDBOX_SERVE"]
    with subprocess.Popen([serve], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        yield running.stdout.readline().strip()
        running.stdin.close()


@pytest.fixture(scope="session")
def receiver():
    return Receiver()


@pytest.fixture
def sandbox(process, receiver):
    sandbox = Sandbox(process)
    sandbox.control("POST", "/reset")
    sandbox.control("POST", "/whatsapp/connect", {"webhook_url": receiver.url})
    receiver.forget()
    return sandbox


@pytest.fixture
def wa(sandbox):
    client = WhatsApp(
        phone_id=NUMBER,
        token="test-token",
        session=httpx.Client(trust_env=False, timeout=30),
        waba_id=WABA,
        server=None,
        app_secret=SECRET,
        verify_token="verify",
        api_version=22.0,
    )
    client.api._session.base_url = f"{sandbox.base_url}/v22.0"
    return client


@pytest.fixture
def open_window(sandbox, receiver):
    """The user has just written."""
    message_id = sandbox.customer({"type": "text", "text": {"body": "hi"}})
    receiver.take()
    return message_id
