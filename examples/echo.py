"""Answers every request with its own text in capitals; the local API with nothing but Python's standard library.

    python3 echo.py SOCKET
"""
import base64
import json
import socket
import sys

if len(sys.argv) != 2:
    sys.exit("usage: python3 echo.py SOCKET")

connection = socket.socket(socket.AF_UNIX)
connection.connect(sys.argv[1])
lines = connection.makefile("r", encoding="utf-8")
last_id = 0


def send(method, **params):
    """Sends a request of JSON-RPC 2.0, one line; answers come on lines of their own, told apart by their id."""
    global last_id
    last_id += 1
    request = {"jsonrpc": "2.0", "id": last_id, "method": method, "params": params}
    connection.sendall((json.dumps(request) + "\n").encode())
    return last_id


subscribing = send("subscribe", events=["request"])
for line in lines:
    message = json.loads(line)
    if "error" in message:
        print("error:", message["error"]["data"]["code"], message["error"]["message"], file=sys.stderr)
        if message["id"] == subscribing:
            sys.exit(1)
    elif message.get("id") == subscribing:
        print("answering", flush=True)
    elif message.get("method") == "event":
        event = message["params"]
        if event["type"] == "dropped":
            sys.exit(f"the node gave the subscription up: {event['message']}")
        text = base64.b64decode(event["content"]).decode("utf-8", "replace")
        print(event["from"][:8], "asked", repr(text), flush=True)
        send("message.reply", requestId=event["requestId"], content=base64.b64encode(text.upper().encode()).decode())
