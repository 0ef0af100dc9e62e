#!/usr/bin/env python3
"""Runs one client example against a server of its own and looks for the answers that the demo model is known to give.

    run_client.py TROUPE MODEL CLIENT

Exit status 77 says that what runs the client is not installed.
"""
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

# What concierge answers to these at temperature 0.
KNOWN = {
    "Who are you?": "I am Concierge, a very small language model that ships with Troupe so that you can try the server"
                    " at once.",
    "Hello": "Hello! How can I help you today?",
}
RUNNERS = {".py": [sys.executable, "-B"], ".mjs": ["node"]}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_ready(server, url):
    while server.poll() is None:
        try:
            with urllib.request.urlopen(url + "/health"):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.05)
    sys.exit(f"the server ended with status {server.returncode}")


def calls(client, url, port):
    """The command lines to run and what each shall print."""
    runner = RUNNERS[client.suffix]
    if client.name == "stream_ws.py":
        words = [*runner, client, "--port", str(port), *KNOWN]
        return [(words, [f"{question}\n  {answer}\n" for question, answer in KNOWN.items()])]
    return [([*runner, client, "--url", url, question], [answer + "\n"]) for question, answer in KNOWN.items()]


def main():
    troupe, model, client = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
    runner = RUNNERS[client.suffix][0]
    if shutil.which(runner) is None:
        print(f"{runner} is not installed: {client.name} was not run")
        sys.exit(77)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("TROUPE_", "OPENAI_"))}
    server = subprocess.Popen([troupe, "serve", model, "--port", str(port)], env=plain)
    try:
        wait_until_ready(server, url)
        for words, expected in calls(client, url, port):
            done = subprocess.run(words, env=plain, capture_output=True, text=True, timeout=120)
            print(done.stdout, done.stderr, sep="", end="")
            missing = [text for text in expected if text not in done.stdout]
            if done.returncode != 0 or missing:
                sys.exit(f"{client.name} ended with status {done.returncode}; not printed: {missing}")
    finally:
        server.terminate()
        status = server.wait(timeout=60)
    if status != 0:
        sys.exit(f"the server ended with status {status}")


if __name__ == "__main__":
    main()
