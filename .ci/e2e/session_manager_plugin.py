#!/usr/bin/env python3
"""Stands in for AWS's session-manager-plugin, which no package registry has: what the AWS CLI starts for `ecs execute-command`.

It speaks the data channel as the plugin's sources do (github.com/aws/session-manager-plugin, src/message, src/datachannel), and
shares nothing with the tool. Standard input is what is typed.
"""

import base64
import hashlib
import json
import os
import select
import socket
import struct
import sys
import threading
import time
import urllib.parse
import uuid

HEADER = struct.Struct(">I32sIQqQ16s32sI")


class WebSocket:
    """A client of RFC 6455 over plain TCP."""

    def __init__(self, url):
        parts = urllib.parse.urlsplit(url)
        self.stream = socket.create_connection((parts.hostname, parts.port or 80), timeout=60)
        self.rest = b""
        key = base64.b64encode(os.urandom(16)).decode()
        self.stream.sendall(
            f"GET {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        while b"\r\n\r\n" not in self.rest:
            self.rest += self._read()
        head, self.rest = self.rest.split(b"\r\n\r\n", 1)
        accept = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest())
        if b" 101 " not in head.split(b"\r\n")[0] or accept not in head:
            sys.exit(f"no WebSocket: {head!r}")

    def _read(self):
        piece = self.stream.recv(65536)
        if not piece:
            raise EOFError
        return piece

    def _take(self, length):
        while len(self.rest) < length:
            self.rest += self._read()
        taken, self.rest = self.rest[:length], self.rest[length:]
        return taken

    def send(self, payload, opcode=2):
        mask = os.urandom(4)
        length = len(payload)
        size = bytes([0x80 | length]) if length < 126 else struct.pack(">BH", 0x80 | 126, length)
        masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
        self.stream.sendall(bytes([0x80 | opcode]) + size + mask + masked)

    def receive(self):
        """The next message's payload; None at the connection's end."""
        whole = b""
        while True:
            first, length = self._take(2)
            if length == 126:
                (length,) = struct.unpack(">H", self._take(2))
            elif length == 127:
                (length,) = struct.unpack(">Q", self._take(8))
            payload = self._take(length)
            if first & 15 == 8:
                return None
            if first & 15 == 9:
                self.send(payload, 10)
            elif first & 15 in (0, 1, 2):
                whole += payload
                if first & 0x80:
                    return whole


def swapped(identity):
    return identity[8:] + identity[:8]


class Session:
    def __init__(self, session):
        self.id = session["SessionId"] if "SessionId" in session else session["sessionId"]
        self.socket = WebSocket(session.get("StreamUrl") or session["streamUrl"])
        opening = {"MessageSchemaVersion": "1.0", "RequestId": str(uuid.uuid4()), "ClientId": str(uuid.uuid4()),
                   "TokenValue": session.get("TokenValue") or session["tokenValue"], "ClientVersion": "1.2.0.0"}
        self.socket.send(json.dumps(opening).encode(), 1)
        self.lock = threading.Lock()
        self.ready = threading.Event()
        self.sequence = self.expected = 0
        self.early = {}

    def send(self, kind, payload_type, payload, sequence=0, flags=0):
        head = HEADER.pack(116, kind.ljust(32).encode(), 1, int(time.time() * 1000), sequence, flags,
                           swapped(uuid.uuid4().bytes), hashlib.sha256(payload).digest(), payload_type)
        self.socket.send(head + struct.pack(">I", len(payload)) + payload)

    def type(self, payload_type, payload):
        with self.lock:
            self.send("input_stream_data", payload_type, payload, self.sequence)
            self.sequence += 1

    def acknowledge(self, kind, identity, sequence):
        content = {"AcknowledgedMessageType": kind, "AcknowledgedMessageId": identity,
                   "AcknowledgedMessageSequenceNumber": sequence, "IsSequentialMessage": True}
        with self.lock:
            self.send("acknowledge", 0, json.dumps(content).encode(), flags=3)

    def process(self, payload_type, payload):
        if payload_type == 5:
            actions = [{"ActionType": action["ActionType"], "ActionStatus": 1, "ActionResult": None, "Error": ""}
                       for action in json.loads(payload)["RequestedClientActions"]]
            answer = {"ClientVersion": "1.2.0.0", "ProcessedClientActions": actions, "Errors": None}
            self.type(6, json.dumps(answer).encode())
        elif payload_type == 7:
            self.type(3, json.dumps({"cols": 80, "rows": 24}).encode())
            self.ready.set()
        elif payload_type == 1:
            sys.stdout.buffer.write(payload)
            sys.stdout.flush()

    def run(self):
        """Until the channel is closed."""
        while (frame := self.socket.receive()) is not None:
            length, kind, _, _, sequence, _, identity, digest, payload_type = HEADER.unpack_from(frame)
            kind, payload = kind.rstrip(b" \0").decode(), frame[length + 4:]
            if hashlib.sha256(payload).digest() != digest:
                sys.exit("a message has another digest than it says")
            if kind == "channel_closed":
                output = json.loads(payload)["Output"]
                ended = f"SessionId: {self.id} : {output}" if output else f"Exiting session with sessionId: {self.id}."
                print(f"\n\n{ended}\n", flush=True)
                return
            if kind == "output_stream_data":
                self.acknowledge(kind, str(uuid.UUID(bytes=swapped(identity))), sequence)
                self.early[sequence] = (payload_type, payload)
                while self.expected in self.early:
                    self.process(*self.early.pop(self.expected))
                    self.expected += 1


def keyboard(session):
    session.ready.wait()
    while True:
        select.select([sys.stdin], [], [])
        piece = os.read(0, 1024)
        if not piece:
            return
        session.type(1, b"\r" if piece == b"\n" else piece)


def main():
    if len(sys.argv) == 1:
        print("\nThe Session Manager plugin was installed successfully. Use the AWS CLI to start a session.\n", flush=True)
        return
    session = Session(json.loads(sys.argv[1]))
    print(f"\nStarting session with SessionId: {session.id}", flush=True)
    threading.Thread(target=keyboard, args=[session], daemon=True).start()
    session.run()
    # As the plugin does, whatever is still typed.
    os._exit(0)


if __name__ == "__main__":
    main()
