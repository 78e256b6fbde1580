"""An S3 server (moto's) that misbehaves when told to. It ends with its standard input.

Each line of standard input is a command of words, each answer one line of JSON.
"""

import io
import json
import os
import socket
import sys
import threading
import time

os.environ.update(AWS_ACCESS_KEY_ID="setup", AWS_SECRET_ACCESS_KEY="setup", AWS_DEFAULT_REGION="us-east-1")
os.environ.pop("AWS_ENDPOINT_URL", None)

import boto3
from moto import settings
from moto.core.responses import ActionAuthenticatorMixin
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server


class Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *_):
        pass


def broken(environ):
    """Closes the connection in the middle of an answer."""
    environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    return ConnectionError("told to fail")


class Faults:
    """The application, and what goes wrong before it is asked."""

    def __init__(self, application):
        self.application, self.lock = application, threading.Lock()
        self.plan, self.seen, self.at_work, self.most = [], [], 0, 0

    def due(self, line):
        with self.lock:
            for fault in self.plan:
                if fault["left"] > 0 and fault["method"] in ("*", line.split()[0]) and fault["part"] in line:
                    fault["left"] -= 1
                    return fault["kind"]
        return None

    def __call__(self, environ, start_response):
        query = environ.get("QUERY_STRING")
        line = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}" + (f"?{query}" if query else "")
        with self.lock:
            self.seen.append(line)
            self.at_work += 1
            self.most = max(self.most, self.at_work)
        left = [1]

        def done():
            with self.lock:
                self.at_work -= left.pop() if left else 0

        try:
            yield from self.answer(environ, start_response, self.due(line), done)
        finally:
            done()

    def answer(self, environ, start_response, kind, done):
        # A request is done before its last bytes go out: whoever has them may ask again at once.
        # What was sent must be taken, or the next request on the connection begins with it.
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        if kind in ("500", "503"):
            code = {"500": "InternalError", "503": "SlowDown"}[kind]
            text = f"<Error><Code>{code}</Code><Message>told to fail</Message></Error>".encode()
            start_response(f"{kind} told", [("Content-Length", str(len(text))), ("Content-Type", "application/xml")])
            done()
            yield text
            return
        if kind == "drop":
            raise broken(environ)
        if kind == "slow":
            time.sleep(1.0)
        pieces = list(self.application(environ, start_response))
        whole = b"".join(pieces)
        if kind == "cut":
            yield whole[: len(whole) // 2]
            raise broken(environ)
        for at in range(0, len(whole), 1 << 20):
            if at + (1 << 20) >= len(whole):
                done()
            yield whole[at : at + (1 << 20)]


def certificates(folder):
    """An authority's certificate, and a certificate of 127.0.0.1 that it signed, with the key."""
    import datetime
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    names = [x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]) for name in ("authority", "server")]
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in names]
    now = datetime.datetime.now(datetime.timezone.utc)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    extensions = [(x509.BasicConstraints(ca=True, path_length=0), True), (address, False)]
    paths = []
    for name, key, (extension, critical) in zip(names, keys, extensions):
        builder = x509.CertificateBuilder(names[0], name, key.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(now - datetime.timedelta(days=1))
        builder = builder.not_valid_after(now + datetime.timedelta(days=2))
        certificate = builder.add_extension(extension, critical).sign(keys[0], hashes.SHA256())
        paths.append(os.path.join(folder, f"{name.rfc4514_string()[3:]}.pem"))
        with open(paths[-1], "wb") as file:
            file.write(certificate.public_bytes(serialization.Encoding.PEM))
    paths.append(os.path.join(folder, "server.key"))
    unlocked = serialization.NoEncryption()
    form = serialization.PrivateFormat.TraditionalOpenSSL
    with open(paths[-1], "wb") as file:
        file.write(keys[1].private_bytes(serialization.Encoding.PEM, form, unlocked))
    return paths


def main():
    authority, *tls = certificates(sys.argv[2]) if len(sys.argv) > 2 else [None]
    faults = Faults(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, faults, threaded=True, request_handler=Quiet, ssl_context=tuple(tls) or None)
    server.log = lambda *_: None
    server.handle_error = lambda *_: None
    threading.Thread(target=server.serve_forever, daemon=True).start()
    endpoint = f"http{'s' * bool(tls)}://127.0.0.1:{server.server_port}"
    iam = boto3.client("iam", endpoint_url=endpoint, verify=authority)
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    iam.create_user(UserName="hemora")
    iam.put_user_policy(UserName="hemora", PolicyName="all", PolicyDocument=json.dumps(everything))
    key = iam.create_access_key(UserName="hemora")["AccessKey"]
    who = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    s3 = boto3.client("s3", endpoint_url=endpoint, verify=authority, **who)
    s3.create_bucket(Bucket=sys.argv[1])

    def answer(word, *rest):
        if word == "fail":
            left, kind, method, *part = rest
            faults.plan.append({"left": int(left), "kind": kind, "method": method, "part": " ".join(part)})
        elif word == "heal":
            faults.plan.clear()
        elif word == "check-credentials":
            settings.INITIAL_NO_AUTH_ACTION_COUNT = 0.0
            ActionAuthenticatorMixin.request_count = 1
        elif word == "keys":
            pages = s3.get_paginator("list_objects_v2").paginate(Bucket=sys.argv[1])
            return [entry["Key"] for page in pages for entry in page.get("Contents", [])]
        elif word == "uploads":
            return [upload["Key"] for upload in s3.list_multipart_uploads(Bucket=sys.argv[1]).get("Uploads", [])]
        elif word == "put":
            s3.put_object(Bucket=sys.argv[1], Key=" ".join(rest), Body=b"")
        elif word == "at-work":
            return faults.at_work > 0
        elif word == "requests":
            seen, most = faults.seen[:], faults.most
            faults.seen, faults.most = [], 0
            return {"seen": seen, "most": most}
        else:
            raise SystemExit(f"no command {word}")
        return []

    first = {"endpoint": endpoint, "key": key["AccessKeyId"], "secret": key["SecretAccessKey"]}
    print(json.dumps(first), flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(*line.split())), flush=True)


main()
