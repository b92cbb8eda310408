"""An identity provider for benchmarks: it describes itself and its key over HTTP, and signs tokens with OpenSSL."""

import base64
import contextlib
import http.server
import json
import subprocess
import threading
import time


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def openssl(*arguments, data=b""):
    return subprocess.run(["openssl", *arguments], input=data, check=True, capture_output=True).stdout


@contextlib.contextmanager
def running(folder, client):
    """The `auth` of a server that takes its tokens for a client, and the header of a user with a role there."""
    key = str(folder / "key.pem")
    openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", key)
    modulus = bytes.fromhex(openssl("rsa", "-in", key, "-noout", "-modulus").decode().strip().removeprefix("Modulus="))
    public = {"kty": "RSA", "kid": "key", "use": "sig", "alg": "RS256", "n": encoded(modulus), "e": "AQAB"}
    documents = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps(documents.get(self.path, {})).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        issuer = f"http://127.0.0.1:{server.server_port}"
        documents["/.well-known/openid-configuration"] = {"issuer": issuer, "jwks_uri": f"{issuer}/keys"}
        documents["/keys"] = {"keys": [public]}
        threading.Thread(target=server.serve_forever, daemon=True).start()
        auth = f"auth: {{type: oidc, auth_discovery_url: '{issuer}/.well-known/openid-configuration', client_id: {client}}}\n"
        claims = {"iss": issuer, "aud": client, "exp": time.time() + 86_400, "preferred_username": "bench",
                  "resource_access": {client: {"roles": ["reader"]}}}
        parts = [{"alg": "RS256", "kid": "key"}, claims]
        token = ".".join(encoded(json.dumps(part).encode()) for part in parts)
        signature = openssl("dgst", "-sha256", "-sign", key, data=token.encode())
        yield auth, f"Bearer {token}.{encoded(signature)}"
        server.shutdown()
