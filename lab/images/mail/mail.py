"""A mail server that delivers nothing: it keeps what it is given in memory, and shows it as JSON over HTTP.

GET /messages      what arrived, oldest first        DELETE /messages  forgets it
GET /refuse        how mail is refused, or null      DELETE /refuse    takes mail again
POST /refuse {"code": 451, "text": "try later", "at": "data", "count": 2}
    refuses at "rcpt" or "data" (the default), until cleared or `count` times
"""

import json
import threading
from collections import deque
from datetime import datetime, timezone
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiosmtpd.controller import Controller

MAIL_BYTES = 2 * 1024 * 1024
KEPT_BYTES = 16 * 1024 * 1024
KEPT_MAILS = 200


class Box:
    def __init__(self):
        self.lock = threading.Lock()
        self.mails = deque()
        self.received = 0
        self.refusal = None

    def add(self, sender, recipients, raw):
        with self.lock:
            self.received += 1
            self.mails.append((self.received, datetime.now(timezone.utc), sender, recipients, raw))
            while len(self.mails) > KEPT_MAILS or sum(len(mail[-1]) for mail in self.mails) > KEPT_BYTES:
                self.mails.popleft()

    def refused(self, at):
        """The words of a refusal at this point of the talk, or None."""
        with self.lock:
            refusal = self.refusal
            if refusal is None or refusal["at"] != at:
                return None
            if refusal["count"] is not None:
                refusal["count"] -= 1
                if refusal["count"] == 0:
                    self.refusal = None
            return f"{refusal['code']} {refusal['text']}"

    def shown(self):
        with self.lock:
            kept = list(self.mails)
        return [show(*mail) for mail in kept]


def show(number, at, sender, recipients, raw):
    mail = message_from_bytes(raw, policy=policy.default)

    def body(kind):
        part = mail.get_body(preferencelist=(kind,))
        return None if part is None else part.get_content().replace("\r\n", "\n")

    return {
        "id": number,
        "at": at.isoformat(),
        "from": sender,
        "to": recipients,
        "subject": mail["subject"],
        "headers": {name.lower(): str(value) for name, value in mail.items()},
        "text": body("plain"),
        "html": body("html"),
    }


class Smtp:
    def __init__(self, box):
        self.box = box

    async def handle_RCPT(self, server, session, envelope, address, options):
        refused = self.box.refused("rcpt")
        if refused is not None:
            return refused
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        refused = self.box.refused("data")
        if refused is not None:
            return refused
        self.box.add(envelope.mail_from, list(envelope.rcpt_tos), envelope.content)
        return f"250 OK, kept as {self.box.received}"


def refusal_from(asked):
    code, text, at, count = (asked.get(key) for key in ("code", "text", "at", "count"))
    if not isinstance(code, int) or not 400 <= code <= 599:
        raise ValueError("code is a number from 400 to 599")
    if at not in (None, "rcpt", "data"):
        raise ValueError('at is "rcpt" or "data"')
    if count is not None and (not isinstance(count, int) or count < 1):
        raise ValueError("count is a number above 0")
    words = str(text or "refused by the lab")
    if not words.isprintable():
        raise ValueError("text is one line")
    return {"code": code, "text": words, "at": at or "data", "count": count}


class Http(BaseHTTPRequestHandler):
    box = None

    def answer(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_GET(self):
        if self.path == "/messages":
            self.answer(200, self.box.shown())
        elif self.path == "/refuse":
            self.answer(200, self.box.refusal)
        else:
            self.answer(404, {"error": "only /messages and /refuse"})

    def do_DELETE(self):
        if self.path == "/messages":
            with self.box.lock:
                self.box.mails.clear()
            self.answer(200, [])
        elif self.path == "/refuse":
            self.box.refusal = None
            self.answer(200, None)
        else:
            self.answer(404, {"error": "only /messages and /refuse"})

    def do_POST(self):
        if self.path != "/refuse":
            self.answer(404, {"error": "only /refuse"})
            return
        try:
            length = min(int(self.headers.get("Content-Length", 0)), 4096)
            self.box.refusal = refusal_from(json.loads(self.rfile.read(length)))
            self.answer(200, self.box.refusal)
        except (ValueError, AttributeError) as error:
            self.answer(400, {"error": str(error)})

    def log_message(self, *_):
        pass


def main():
    box = Box()
    Http.box = box
    Controller(Smtp(box), hostname="0.0.0.0", port=25, data_size_limit=MAIL_BYTES, enable_SMTPUTF8=True).start()
    ThreadingHTTPServer(("0.0.0.0", 8025), Http).serve_forever()


main()
