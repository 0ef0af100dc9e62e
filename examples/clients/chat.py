#!/usr/bin/env python3
"""Asks one question and prints the answer as it comes. Needs nothing but Python.

    chat.py [--url http://127.0.0.1:8000] QUESTION

The key, where the server asks for one, is taken from OPENAI_API_KEY.
"""
import argparse
import http.client
import json
import os
import sys
import urllib.parse


def pieces(url, question):
    """The answer's text, piece by piece. Raises RuntimeError with the server's words where there is none."""
    at = urllib.parse.urlsplit(url)
    opened = http.client.HTTPSConnection if at.scheme == "https" else http.client.HTTPConnection
    connection = opened(at.hostname, at.port)
    headers = {"Content-Type": "application/json"}
    if key := os.environ.get("OPENAI_API_KEY"):
        headers["Authorization"] = f"Bearer {key}"
    body = {"messages": [{"role": "user", "content": question}], "temperature": 0, "stream": True}
    connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
    answer = connection.getresponse()
    if answer.status != 200:
        raise RuntimeError(f"{answer.status}: {json.load(answer)['error']['message']}")
    for line in answer:
        field, _, value = line.decode().strip().partition(": ")
        if field != "data" or value == "[DONE]":
            continue
        event = json.loads(value)
        if "error" in event:
            raise RuntimeError(event["error"]["message"])
        for choice in event["choices"]:
            yield choice["delta"].get("content") or ""


def main():
    words = argparse.ArgumentParser(description="Asks one question and prints the answer as it comes.")
    words.add_argument("--url", default="http://127.0.0.1:8000")
    words.add_argument("question")
    wanted = words.parse_args()
    try:
        for piece in pieces(wanted.url, wanted.question):
            print(piece, end="", flush=True)
        print()
    except (OSError, RuntimeError) as problem:
        sys.exit(f"chat.py: {problem}")


if __name__ == "__main__":
    main()
