#!/usr/bin/env python3
"""Asks several questions at once over one WebSocket and prints each answer when it has ended. Needs nothing but Python:
the client's side of RFC 6455 that is needed here is a handshake and masked text frames.

    stream_ws.py [--host 127.0.0.1] [--port 8000] QUESTION...
"""
import argparse
import base64
import hashlib
import json
import os
import socket
import struct
import sys

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


class WebSocket:
    """One connection; messages of a few frames each, as the server sends them."""

    def __init__(self, host, port, path):
        self.stream = socket.create_connection((host, port))
        self.source = self.stream.makefile("rb")
        key = base64.b64encode(os.urandom(16)).decode()
        self.stream.sendall(
            f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
        status = self.source.readline().decode().strip()
        fields = {}
        while (line := self.source.readline().decode().strip()):
            name, _, value = line.partition(":")
            fields[name.lower()] = value.strip()
        digest = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
        if " 101 " not in status or fields.get("sec-websocket-accept") != base64.b64encode(digest).decode():
            raise RuntimeError(f"no WebSocket: {status}")

    def send(self, payload, kind=TEXT):
        mask = os.urandom(4)
        size = len(payload)
        if size < 126:
            head = struct.pack("!BB", 0x80 | kind, 0x80 | size)
        elif size < 1 << 16:
            head = struct.pack("!BBH", 0x80 | kind, 0x80 | 126, size)
        else:
            head = struct.pack("!BBQ", 0x80 | kind, 0x80 | 127, size)
        self.stream.sendall(head + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload)))

    def take(self, size):
        data = self.source.read(size)
        if len(data) < size:
            raise RuntimeError("the server closed the connection")
        return data

    def receive(self):
        """The next message's text. Pings are answered on the way."""
        message = b""
        while True:
            first, second = self.take(2)
            size = second & 127
            if size == 126:
                (size,) = struct.unpack("!H", self.take(2))
            elif size == 127:
                (size,) = struct.unpack("!Q", self.take(8))
            payload = self.take(size)
            kind = first & 15
            if kind == PING:
                self.send(payload, PONG)
            elif kind == CLOSE:
                raise RuntimeError("the server closed the connection")
            elif kind != PONG:
                message += payload
                if first & 0x80:
                    return message.decode()


def answers(host, port, questions):
    """(question, answer) in the order in which they end."""
    door = WebSocket(host, port, "/v1/stream")
    texts = {}
    for number, question in enumerate(questions):
        texts[str(number)] = ""
        messages = [{"role": "user", "content": question}]
        create = {"type": "chat.create", "id": str(number), "messages": messages, "temperature": 0}
        door.send(json.dumps(create).encode())
    left = len(texts)
    while left > 0:
        said = json.loads(door.receive())
        if said["type"] == "chunk":
            for choice in said["chunk"]["choices"]:
                texts[said["id"]] += choice["delta"].get("content") or ""
        elif said["type"] == "done":
            left -= 1
            yield questions[int(said["id"])], texts[said["id"]]
        elif said["type"] == "error":
            raise RuntimeError(said["error"]["message"])


def main():
    words = argparse.ArgumentParser(description="Asks several questions at once over one WebSocket.")
    words.add_argument("--host", default="127.0.0.1")
    words.add_argument("--port", type=int, default=8000)
    words.add_argument("questions", nargs="+", metavar="question")
    wanted = words.parse_args()
    try:
        for question, answer in answers(wanted.host, wanted.port, wanted.questions):
            print(f"{question}\n  {answer}", flush=True)
    except (OSError, RuntimeError) as problem:
        sys.exit(f"stream_ws.py: {problem}")


if __name__ == "__main__":
    main()
