#!/usr/bin/env python3
"""Recomputes the vectors in packages/wire-protocol/vectors from the text of docs/PROTOCOL.md, and from nothing else.

An independent reading of the protocol: it shares no code with the implementation, down to X25519, AES-GCM and edwards25519, which are
written here from their standards, for the standard library has none of them. Slow, and not for keys that matter.
"""
import hashlib
import hmac
import ipaddress
import json
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FOLDER = os.path.join(ROOT, "packages", "wire-protocol", "vectors")


def sha256(data):
    return hashlib.sha256(data).digest()


# X25519, RFC 7748 section 5

P = 2**255 - 19


def x25519(scalar, u):
    k = int.from_bytes(bytes([scalar[0] & 248]) + scalar[1:31] + bytes([scalar[31] & 127 | 64]), "little")
    x1 = int.from_bytes(u, "little") & (2**255 - 1)
    x2, z2, x3, z3, swap = 1, 0, x1, 1, 0
    for t in range(254, -1, -1):
        bit = k >> t & 1
        if swap ^ bit:
            x2, x3, z2, z3 = x3, x2, z3, z2
        swap = bit
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        aa, bb, da, cb = a * a % P, b * b % P, d * a % P, c * b % P
        x3, z3 = (da + cb) ** 2 % P, x1 * (da - cb) ** 2 % P
        e = aa - bb
        x2, z2 = aa * bb % P, e * (aa + 121665 * e) % P
    if swap:
        x2, x3, z2, z3 = x3, x2, z3, z2
    return (x2 * pow(z2, P - 2, P) % P).to_bytes(32, "little")


def public_key(seed):
    return x25519(seed, bytes([9]) + bytes(31))


# AES-256 (FIPS 197) and GCM (SP 800-38D)


def xtime(a):
    return (a << 1) ^ (0x11B if a & 0x80 else 0)


def make_sbox():
    exp, log, a = [0] * 256, [0] * 256, 1
    for i in range(255):
        exp[i], log[a] = a, i
        a ^= xtime(a)
    box = []
    for value in range(256):
        inverse = 0 if value == 0 else exp[(255 - log[value]) % 255]
        out = inverse
        for shift in range(1, 5):
            out ^= (inverse << shift | inverse >> (8 - shift)) & 0xFF
        box.append(out ^ 0x63)
    return box


SBOX = make_sbox()


def expand_key(key):
    words = [list(key[i : i + 4]) for i in range(0, 32, 4)]
    rcon = 1
    for i in range(8, 60):
        word = list(words[i - 1])
        if i % 8 == 0:
            word = [SBOX[b] for b in word[1:] + word[:1]]
            word[0] ^= rcon
            rcon = xtime(rcon)
        elif i % 8 == 4:
            word = [SBOX[b] for b in word]
        words.append([a ^ b for a, b in zip(words[i - 8], word)])
    return [sum(words[i : i + 4], []) for i in range(0, 60, 4)]


def encrypt_block(keys, block):
    state = [a ^ b for a, b in zip(block, keys[0])]
    for round_number in range(1, 15):
        state = [SBOX[state[(i + 4 * (i % 4)) % 16]] for i in range(16)]
        if round_number < 14:
            mixed = []
            for c in range(0, 16, 4):
                column = state[c : c + 4]
                whole = column[0] ^ column[1] ^ column[2] ^ column[3]
                mixed += [column[i] ^ whole ^ xtime(column[i] ^ column[(i + 1) % 4]) for i in range(4)]
            state = mixed
        state = [a ^ b for a, b in zip(state, keys[round_number])]
    return bytes(state)


def ghash(h, data):
    y = 0
    for at in range(0, len(data), 16):
        x, v, z = y ^ int.from_bytes(data[at : at + 16], "big"), h, 0
        for i in range(127, -1, -1):
            if x >> i & 1:
                z ^= v
            v = v >> 1 ^ (0xE1 << 120 if v & 1 else 0)
        y = z
    return y


def padded(data):
    return data + bytes(-len(data) % 16)


class Gcm:
    def __init__(self, key):
        self.keys = expand_key(key)
        self.h = int.from_bytes(encrypt_block(self.keys, bytes(16)), "big")

    def stream(self, nonce, data):
        out = bytearray()
        for i in range(0, len(data), 16):
            pad = encrypt_block(self.keys, nonce + (2 + i // 16).to_bytes(4, "big"))
            out += bytes(a ^ b for a, b in zip(data[i : i + 16], pad))
        return bytes(out)

    def tag(self, nonce, ad, ciphertext):
        lengths = (8 * len(ad)).to_bytes(8, "big") + (8 * len(ciphertext)).to_bytes(8, "big")
        s = ghash(self.h, padded(ad) + padded(ciphertext) + lengths)
        pad = int.from_bytes(encrypt_block(self.keys, nonce + bytes([0, 0, 0, 1])), "big")
        return (s ^ pad).to_bytes(16, "big")

    def seal(self, counter, ad, plaintext):
        nonce = bytes(4) + counter.to_bytes(8, "big")
        ciphertext = self.stream(nonce, plaintext)
        return ciphertext + self.tag(nonce, ad, ciphertext)

    def open(self, counter, ad, sealed):
        nonce = bytes(4) + counter.to_bytes(8, "big")
        if len(sealed) < 16 or self.tag(nonce, ad, sealed[:-16]) != sealed[-16:]:
            raise Refused("does not open")
        return self.stream(nonce, sealed[:-16])


# Noise (2.2)


class Symmetric:
    def __init__(self, name, prologue):
        self.h = self.ck = name.encode().ljust(32, b"\0")
        self.cipher, self.n = None, 0
        self.mix_hash(prologue)

    def mix_hash(self, data):
        self.h = sha256(self.h + data)

    def derive(self, secret):
        temp = hmac.new(self.ck, secret, "sha256").digest()
        first = hmac.new(temp, b"\1", "sha256").digest()
        return first, hmac.new(temp, first + b"\2", "sha256").digest()

    def mix_key(self, secret):
        if secret == bytes(32):
            raise Refused("a Diffie-Hellman of zeros")
        self.ck, key = self.derive(secret)
        self.cipher, self.n = Gcm(key), 0

    def encrypt(self, plaintext):
        out = self.cipher.seal(self.n, self.h, plaintext)
        self.n += 1
        self.mix_hash(out)
        return out

    def decrypt(self, sealed):
        out = self.cipher.open(self.n, self.h, sealed)
        self.n += 1
        self.mix_hash(sealed)
        return out


def write_first(pattern, prologue, seed, peer, ephemeral, payload):
    """The one message of X, or message 1 of IK: e, es, s, ss."""
    state = Symmetric("Noise_%s_25519_AESGCM_SHA256" % pattern, prologue)
    state.mix_hash(peer)
    e = public_key(ephemeral)
    state.mix_hash(e)
    state.mix_key(x25519(ephemeral, peer))
    s = state.encrypt(public_key(seed))
    state.mix_key(x25519(seed, peer))
    return state, e + s + state.encrypt(payload)


def read_first(pattern, prologue, seed, message):
    state = Symmetric("Noise_%s_25519_AESGCM_SHA256" % pattern, prologue)
    state.mix_hash(public_key(seed))
    e = message[:32]
    state.mix_hash(e)
    state.mix_key(x25519(seed, e))
    sender = state.decrypt(message[32:80])
    check_id(sender)
    state.mix_key(x25519(seed, sender))
    return state, e, sender, state.decrypt(message[80:])


def write_second(state, e_peer, s_peer, ephemeral, payload):
    """Message 2 of IK: e, ee, se; and the two keys of Split."""
    e = public_key(ephemeral)
    state.mix_hash(e)
    state.mix_key(x25519(ephemeral, e_peer))
    state.mix_key(x25519(ephemeral, s_peer))
    message = e + state.encrypt(payload)
    first, second = state.derive(b"")
    return message, Gcm(first), Gcm(second)


def read_second(state, seed, ephemeral, message):
    state.mix_hash(message[:32])
    state.mix_key(x25519(ephemeral, message[:32]))
    state.mix_key(x25519(seed, message[:32]))
    return state.decrypt(message[32:])


# XEdDSA (2.3) over edwards25519, RFC 8032 section 5.1

L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
BY = 4 * pow(5, P - 2, P) % P


def recover_x(y, sign):
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - x2) % P or (x == 0 and sign):
        return None
    return P - x if x & 1 != sign else x


BASE = (recover_x(BY, 0), BY, 1, recover_x(BY, 0) * BY % P)
NEUTRAL = (0, 1, 1, 0)


def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]), (p[1] + p[0]) * (q[1] + q[0])
    c, d = 2 * p[3] * q[3] * D, 2 * p[2] * q[2]
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def multiply(scalar, point):
    out = NEUTRAL
    while scalar:
        if scalar & 1:
            out = add(out, point)
        point = add(point, point)
        scalar >>= 1
    return out


def encode_point(point):
    z = pow(point[2], P - 2, P)
    x, y = point[0] * z % P, point[1] * z % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def decode_point(data):
    value = int.from_bytes(data, "little")
    y, sign = value & (2**255 - 1), value >> 255
    x = recover_x(y, sign) if y < P else None
    return None if x is None else (x, y, 1, x * y % P)


def scalar_hash(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little") % L


def framed(domain, message):
    name = domain.encode()
    return len(name).to_bytes(2, "big") + name + message


def sign(seed, domain, message, random):
    clamped = bytes([seed[0] & 248]) + seed[1:31] + bytes([seed[31] & 127 | 64])
    a = int.from_bytes(clamped, "little") % L
    if encode_point(multiply(a, BASE))[31] & 0x80:
        a = L - a
    point = encode_point(multiply(a, BASE))
    message = framed(domain, message)
    r = scalar_hash(b"\xfe" + b"\xff" * 31, a.to_bytes(32, "little"), message, random)
    commitment = encode_point(multiply(r, BASE))
    s = (r + scalar_hash(commitment, point, message) * a) % L
    return commitment + s.to_bytes(32, "little")


def verify(node_id, domain, message, signature):
    u = int.from_bytes(node_id, "little")
    if (u + 1) % P == 0:
        return False
    a = ((u - 1) * pow(u + 1, P - 2, P) % P).to_bytes(32, "little")
    point, commitment = decode_point(a), decode_point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if point is None or s >= L or commitment is None or encode_point(multiply(8, commitment)) == encode_point(NEUTRAL):
        return False
    k = scalar_hash(signature[:32], a, framed(domain, message))
    x, y, z, t = point
    return encode_point(add(multiply(s, BASE), multiply(k, (P - x, y, z, P - t)))) == signature[:32]


# Layouts: each reads and writes. What stands in the vectors as JSON is what `read` gives.


class Refused(Exception):
    pass


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, size):
        if self.at + size > len(self.data):
            raise Refused("too short")
        self.at += size
        return self.data[self.at - size : self.at]

    def rest(self):
        return self.take(len(self.data) - self.at)


class Unsigned:
    def __init__(self, size, most=None):
        self.size, self.most = size, 256**size - 1 if most is None else most

    def read(self, reader):
        value = int.from_bytes(reader.take(self.size), "big")
        if value > self.most:
            raise Refused("out of range")
        return value

    def write(self, value):
        return value.to_bytes(self.size, "big")


class Raw:
    def __init__(self, size):
        self.size = size

    def read(self, reader):
        return reader.take(self.size).hex()

    def write(self, value):
        assert len(value) == 2 * self.size
        return bytes.fromhex(value)


class Rest(Raw):
    def __init__(self, least=0):
        self.least = least

    def read(self, reader):
        data = reader.rest()
        if len(data) < self.least:
            raise Refused("too short")
        return data.hex()

    def write(self, value):
        return bytes.fromhex(value)


class Named(Unsigned):
    def __init__(self, *names):
        super().__init__(1, len(names) - 1)
        self.names = names

    def read(self, reader):
        return self.names[super().read(reader)]

    def write(self, value):
        return super().write(self.names.index(value))


class Flag(Named):
    def __init__(self):
        super().__init__(False, True)


class List:
    def __init__(self, item, most, least=0):
        self.item, self.most, self.least = item, most, least

    def read(self, reader):
        count = reader.take(1)[0]
        if not self.least <= count <= self.most:
            raise Refused("count")
        return [self.item.read(reader) for _ in range(count)]

    def write(self, value):
        return bytes([len(value)]) + b"".join(self.item.write(item) for item in value)


class Fields:
    def __init__(self, *fields):
        self.fields = fields

    def read(self, reader):
        return {name: layout.read(reader) for name, layout in self.fields}

    def write(self, value):
        return b"".join(layout.write(value[name]) for name, layout in self.fields)


class Text:
    """length u8, then characters that `allowed` holds, or UTF-8."""

    def __init__(self, least, most, allowed=None):
        self.least, self.most, self.allowed = least, most, allowed

    def read(self, reader):
        size = reader.take(1)[0]
        if not self.least <= size <= self.most:
            raise Refused("length of a text")
        return self.check(reader.take(size))

    def check(self, data):
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            raise Refused("not UTF-8")
        if self.allowed is not None and any(character not in self.allowed for character in text):
            raise Refused("a character that is not allowed")
        return text

    def write(self, value):
        data = value.encode()
        return bytes([len(data)]) + data


LOW_ORDER = [bytes(32), b"\1" + bytes(31), (P - 1).to_bytes(32, "little")] + [
    bytes.fromhex(text)
    for text in (
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    )
]


def check_id(data):
    if len(data) != 32 or int.from_bytes(data, "little") >= P or data in LOW_ORDER:
        raise Refused("no id")


class Id(Raw):
    def __init__(self):
        super().__init__(32)

    def read(self, reader):
        data = reader.take(32)
        check_id(data)
        return data.hex()


class Address:
    def read(self, reader):
        family = reader.take(1)[0]
        if family not in (4, 6):
            raise Refused("family")
        ip = ipaddress.ip_address(reader.take(4 if family == 4 else 16))
        port = int.from_bytes(reader.take(2), "big")
        if port == 0 or (family == 6 and ip.ipv4_mapped is not None):
            raise Refused("no address")
        return {"ip": str(ip), "port": port}

    def write(self, value):
        ip = ipaddress.ip_address(value["ip"])
        return bytes([ip.version]) + ip.packed + value["port"].to_bytes(2, "big")


U8, U16, U32, U48 = Unsigned(1), Unsigned(2), Unsigned(4), Unsigned(6)
CONTACT = Fields(("id", Id()), ("address", Address()))
CONTACTS = List(CONTACT, 8)


class MessageBody:
    head = Fields(
        ("kind", Named("message", "request", "reply", "signal")),
        ("messageId", Raw(16)),
        ("createdMs", U48),
        ("expiresMs", U48),
        ("stream", Raw(8)),
        ("seq", U32),
        ("lowestUnsettledSeq", U32),
        ("requestId", Raw(16)),
    )

    def read(self, reader):
        value = self.head.read(reader)
        topic, content = Unsigned(1, 128).read(reader), Unsigned(2, 60000).read(reader)
        value["topic"] = Text(0, 128).check(reader.take(topic))
        value["content"] = reader.take(content).hex()
        if not value["createdMs"] <= value["expiresMs"] <= value["createdMs"] + 600000:
            raise Refused("life")
        if value["kind"] != "reply" and value["requestId"] != 16 * "00":
            raise Refused("a request id")
        return value

    def write(self, value):
        topic, content = value["topic"].encode(), bytes.fromhex(value["content"])
        return self.head.write(value) + bytes([len(topic)]) + U16.write(len(content)) + topic + content


CLASSES = (256, 512, 1024, 4096, 16384, 61440)


class Envelope:
    head = Fields(("recipient", Id()), ("lock", Raw(32)), ("timestampMs", U48), ("effort", U48), ("nonce", Raw(8)))

    def read(self, reader):
        size = CLASSES[Unsigned(1, 5).read(reader)]
        value = self.head.read(reader)
        value["sealedBody"] = reader.take(size).hex()
        return value

    def write(self, value):
        body = bytes.fromhex(value["sealedBody"])
        return bytes([CLASSES.index(len(body))]) + self.head.write(value) + body


class Send:
    def read(self, reader):
        hops, flags = Unsigned(1, 24).read(reader), Unsigned(1, 9).read(reader)
        envelope = Envelope().read(reader)
        return {"hops": hops, "last": flags & 1 == 1, "nonImproving": flags >> 1, "envelope": envelope}

    def write(self, value):
        flags = value["last"] | value["nonImproving"] << 1
        return bytes([value["hops"], flags]) + Envelope().write(value["envelope"])


class SendFail:
    reasons = "absent loop seen stale price shed no-inbox full hop-limit no-route bad-stamp".split()
    head = Fields(("lock", Raw(32)), ("reason", Named(*reasons)), ("detail", U48))

    def read(self, reader):
        value = self.head.read(reader)
        value["t"] = Raw(16).read(reader) if value["reason"] == "full" else None
        return value

    def write(self, value):
        return self.head.write(value) + (Raw(16).write(value["t"]) if value["reason"] == "full" else b"")


class Record:
    """With its signature left out of what is read; `size` is where the signature begins."""

    head = Fields(("id", Id()), ("sequence", U48), ("role", Named("node", "relay")), ("addresses", List(Address(), 4)))

    def read(self, reader):
        value = self.head.read(reader)
        self.signature = reader.take(64)
        return value

    def write(self, value):
        return self.head.write(value) + self.signature


class Publication:
    head = Fields(("origin", Id()), ("timestampMs", U48), ("effort", U48), ("nonce", Raw(8)))

    def read(self, reader):
        value = self.head.read(reader)
        self.signature = reader.take(64)
        topic, content = Unsigned(1, 128).read(reader), Unsigned(2, 16384).read(reader)
        value["topic"] = Text(0, 128).check(reader.take(topic))
        value["content"] = reader.take(content).hex()
        return value

    def write(self, value):
        topic, content = value["topic"].encode(), bytes.fromhex(value["content"])
        return (
            self.head.write(value) + self.signature + bytes([len(topic)]) + U16.write(len(content)) + topic + content
        )


class DialBack:
    def read(self, reader):
        if Unsigned(1, 1).read(reader) == 0:
            return {"what": "me", "port": U16.read(reader)}
        return {"what": "peer", "contact": CONTACT.read(reader)}

    def write(self, value):
        if value["what"] == "me":
            return b"\0" + U16.write(value["port"])
        return b"\1" + CONTACT.write(value["contact"])


class Ack(Fields):
    def __init__(self):
        super().__init__(("lowest", U32), ("bitmap", Rest()))

    def read(self, reader):
        value = super().read(reader)
        if len(value["bitmap"]) > 128 or value["bitmap"].endswith("00"):
            raise Refused("bitmap")
        return value


class Fragment(Fields):
    def __init__(self):
        super().__init__(("index", U8), ("count", Unsigned(1, 64)), ("piece", Rest(1)))

    def read(self, reader):
        value = super().read(reader)
        if value["count"] < 2 or value["index"] >= value["count"]:
            raise Refused("fragment")
        return value


ICE = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
CANDIDATE = Fields(("type", Named("host", "srflx", "prflx", "relay")), ("address", Address()))
DESCRIPTION = Fields(
    ("setup", Named("actpass", "active", "passive")),
    ("ufrag", Text(4, 32, ICE)),
    ("pwd", Text(22, 64, ICE)),
    ("fingerprint", Raw(32)),
    ("candidates", List(CANDIDATE, 10)),
)
SIGNAL_PAYLOAD = Fields(("sessionIndex", U32), ("description", DESCRIPTION))


class Signal:
    forms = {
        1: Fields(),
        2: Fields(("message", Rest(100))),
        3: Fields(("offerTag", Raw(8)), ("message", Rest(52))),
        4: Fields(("offerTag", Raw(8)), ("sealed", Rest())),
        5: Fields(),
    }

    def read(self, reader):
        kind = reader.take(1)[0]
        if kind not in self.forms:
            raise Refused("type of a signal")
        return dict(self.forms[kind].read(reader), type=kind)

    def write(self, value):
        return bytes([value["type"]]) + self.forms[value["type"]].write(value)


class LengthAndBytes:
    """length u16, then that many bytes."""

    def read(self, reader):
        return reader.take(U16.read(reader)).hex()

    def write(self, value):
        return U16.write(len(value) // 2) + bytes.fromhex(value)


class HelloPayload(Fields):
    def __init__(self):
        super().__init__(("timestampMs", U48), ("epoch", Raw(8)), ("lookup", LengthAndBytes()))

    def read(self, reader):
        value = super().read(reader)
        if reader.rest().strip(b"\0") or len(reader.data) != 1067:
            raise Refused("padding")
        return value

    def write(self, value):
        return super().write(value).ljust(1067, b"\0")


WELCOME_PAYLOAD = Fields(("epoch", Raw(8)), ("nodes", LengthAndBytes()))
SHORT_IDS = Fields(("shortIds", List(Raw(8), 64, 1)))
PONG = Fields(
    ("echo", Raw(8)),
    ("wallMs", U48),
    ("sendPrice", U48),
    ("publishPrice", U48),
    ("observed", Address()),
    ("contacts", CONTACTS),
)

# Section 4: kinds, by the name of their vectors.
KINDS = {
    "ping": (0x01, Fields(("echo", Raw(8)))),
    "pong": (0x02, PONG),
    "pong-of-a-channel": (0x02, Fields(("echo", Raw(8)))),
    "lookup": (0x03, Fields(("query", U32), ("target", Id()))),
    "nodes": (0x04, Fields(("query", U32), ("attached", Flag()), ("contacts", CONTACTS))),
    "dial-back": (0x05, DialBack()),
    "have": (0x06, SHORT_IDS),
    "want": (0x07, SHORT_IDS),
    "graft": (0x08, Fields()),
    "prune": (0x09, Fields()),
    "digest": (0x0B, Fields(("fromMs", U48), ("toMs", U48), ("count", Unsigned(2)), ("combined", Raw(8)))),
    "bye": (0x0C, Fields(("reason", Named("closing", "full", "draining", "unwanted")))),
    "ack": (0x0D, Ack()),
    "skip": (0x80, Fields()),
    "send": (0x81, Send()),
    "send-ack": (0x82, Fields(("t", Raw(16)), ("hops", Unsigned(1, 24)))),
    "send-fail": (0x83, SendFail()),
    "publish": (0x84, Fields(("hops", Unsigned(1, 32)), ("wanted", Flag()), ("publication", Publication()))),
    "direct": (0x85, Fields(("body", MessageBody()))),
    "direct-ack": (0x86, Fields(("messageId", Raw(16)), ("result", Named("ok", "full", "no-inbox")))),
    "announce": (0x87, Fields(("anchor", Flag()), ("record", Record()))),
    "fragment": (0x88, Fragment()),
}


def parse(layout, data):
    reader = Reader(data)
    value = layout.read(reader)
    if reader.at != len(data):
        raise Refused("bytes behind the end")
    return value


def parse_frames(data):
    reader, frames = Reader(data), []
    while reader.at < len(data):
        kind, size = U8.read(reader), U16.read(reader)
        number = U32.read(reader) if kind & 0x80 else None
        frames.append((kind, number, reader.take(size)))
    return frames


def parse_datagram(data):
    if len(data) > 1200:
        raise Refused("too long")
    reader = Reader(data)
    kind = U8.read(reader)
    if kind == 0x50 and len(data) == 1200:
        return Fields(
            ("senderIndex", U32), ("message", Raw(1163)), ("mac1", Raw(16)), ("cookie", Raw(16))
        ).read(reader)
    if kind == 0x51 and len(data) >= 57:
        return Fields(("senderIndex", U32), ("receiverIndex", U32), ("message", Rest())).read(reader)
    if kind == 0x52 and len(data) == 37:
        return Fields(("receiverIndex", U32), ("mac1", Raw(16)), ("cookie", Raw(16))).read(reader)
    if kind == 0x53 and len(data) >= 29:
        value = Fields(("receiverIndex", U32), ("counter", Unsigned(8, 2**53 - 1)), ("ciphertext", Rest()))
        return value.read(reader)
    raise Refused("no datagram")


def parse_sealed_body(data):
    reader = Reader(data)
    value = {"t": reader.take(16).hex(), "body": MessageBody().read(reader)}
    least = min((size for size in CLASSES if size >= reader.at + 96), default=0)
    if reader.rest().strip(b"\0") or len(data) + 96 != least:
        raise Refused("padding")
    return value


# The checks, a file of vectors each

checked = 0
wrong = []


def expect(what, got, wanted):
    global checked
    checked += 1
    if isinstance(got, bytes):
        got = got.hex()
    if got != wanted:
        wrong.append("%s:\n  got    %s\n  wanted %s" % (what, str(got)[:400], str(wanted)[:400]))


def refuses(what, parser, data):
    try:
        parser(data)
        expect(what, "taken", "refused")
    except Refused:
        expect(what, "refused", "refused")


def both_ways(what, layout, hexadecimal, fields):
    """Bytes to fields and fields to bytes."""
    try:
        expect(what + ", read", parse(layout, bytes.fromhex(hexadecimal)), fields)
    except Refused as refusal:
        expect(what + ", read", "refused: %s" % refusal, fields)
        return
    expect(what + ", written", layout.write(fields), hexadecimal)


def prologue(network, purpose):
    out = b"\x08starling\x01"
    for text in (network.encode(), purpose.encode()):
        out += len(text).to_bytes(2, "big") + text
    return out


def label(a, b):
    lesser, greater = sorted((int(a, 16), int(b, 16)))
    return hashlib.sha3_256(lesser.to_bytes(32, "big") + greater.to_bytes(32, "big")).hexdigest()[:40]


def stamp_hash(digest, effort, nonce):
    return sha256(b"starling stamp v1".ljust(24, b"\0") + digest + effort.to_bytes(8, "big") + nonce)


def stamp_is_valid(digest, effort, nonce):
    return effort >= 1 and int.from_bytes(stamp_hash(digest, effort, nonce)[:8], "big") * effort <= 2**64


def named(domain, network):
    return domain.encode() + bytes([len(network.encode())]) + network.encode()


SEEDS = {}


def seed_of(node_id):
    return SEEDS[node_id]


def check_identity(vectors):
    for node in vectors["nodes"]:
        seed = bytes.fromhex(node["seed"])
        expect("id of " + node["name"], public_key(seed), node["id"])
        SEEDS[node["id"]] = seed
    for entry in vectors["ids"]:
        parse(Id(), bytes.fromhex(entry["id"]))
        expect("an id", True, entry["valid"])
    for entry in vectors["noIds"]:
        text = entry["text"]
        shaped = len(text) == 64 and all(digit in "0123456789abcdef" for digit in text)
        if shaped:
            refuses("no id: " + entry["reason"], lambda data: parse(Id(), data), bytes.fromhex(text))
        expect("no id: " + entry["reason"], False, entry["valid"])
    for entry in vectors["prologues"]:
        expect("prologue", prologue(entry["network"], entry["purpose"]), entry["prologue"])
    for entry in vectors["channelLabels"]:
        expect("label", label(entry["a"], entry["b"]), entry["label"])
        expect("label from the other end", label(entry["b"], entry["a"]), entry["label"])
    for entry in vectors["locks"]:
        expect("lock", sha256(b"ack" + bytes.fromhex(entry["t"])), entry["lock"])
    for entry in vectors["stamps"]:
        digest, nonce, effort = bytes.fromhex(entry["digest"]), bytes.fromhex(entry["nonce"]), entry["effort"]
        stamp = stamp_hash(digest, effort, nonce)
        expect("hash of a stamp", stamp, entry["hash"])
        expect("its first 64 bits", str(int.from_bytes(stamp[:8], "big")), entry["first64Bits"])
        expect("whether it is valid", stamp_is_valid(digest, effort, nonce), entry["valid"])


def check_datagrams(vectors):
    hello, cookie, welcome = vectors["hello"], vectors["cookie"], vectors["welcome"]
    initiator, responder = bytes.fromhex(hello["initiator"]), bytes.fromhex(hello["responder"])
    alice, bob = seed_of(hello["initiator"]), seed_of(hello["responder"])
    names = prologue(vectors["network"], "session")
    both_ways("payload of a Hello", HelloPayload(), hello["payloadBytes"], hello["payload"])
    e_alice, e_bob = bytes.fromhex(hello["ephemeralSeed"]), bytes.fromhex(welcome["ephemeralSeed"])
    alices, message = write_first("IK", names, alice, responder, e_alice, bytes.fromhex(hello["payloadBytes"]))
    expect("message 1 of a Hello", message, hello["message"])
    head = b"\x50" + U32.write(hello["senderIndex"]) + message
    mac1 = hmac.new(sha256(b"starling mac1" + responder), head, "sha256").digest()[:16]
    expect("mac1", mac1, hello["mac1"])
    expect("Hello", head + mac1 + bytes(16), hello["datagram"])
    fields = {"senderIndex": hello["senderIndex"], "message": hello["message"], "mac1": hello["mac1"], "cookie": "00" * 16}
    expect("Hello, read", parse_datagram(bytes.fromhex(hello["datagram"])), fields)

    example = cookie["example"]
    source = example["ip"].encode() + U16.write(example["port"]) + mac1
    made = hmac.new(bytes.fromhex(example["secret"]), source, "sha256").digest()[:16]
    expect("cookie", made, cookie["cookie"])
    expect("Cookie", b"\x52" + U32.write(cookie["receiverIndex"]) + mac1 + made, cookie["datagram"])
    expect("Hello with a cookie", head + mac1 + made, cookie["helloWithCookie"])

    bobs, e, sender, payload = read_first("IK", names, bob, message)
    expect("who sent the Hello", sender, hello["initiator"])
    expect("payload of the Hello, opened", payload, hello["payloadBytes"])
    both_ways("payload of a Welcome", WELCOME_PAYLOAD, welcome["payloadBytes"], welcome["payload"])
    message2, from_alice, from_bob = write_second(bobs, e, initiator, e_bob, bytes.fromhex(welcome["payloadBytes"]))
    expect("message 2 of a Welcome", message2, welcome["message"])
    indexes = U32.write(welcome["senderIndex"]) + U32.write(welcome["receiverIndex"])
    expect("Welcome", b"\x51" + indexes + message2, welcome["datagram"])
    expect("payload of the Welcome, opened", read_second(alices, alice, e_alice, message2), welcome["payloadBytes"])
    expect("handshake hash, initiator", alices.h, welcome["handshakeHash"])
    expect("handshake hash, responder", bobs.h, welcome["handshakeHash"])
    for kind, body in (("lookup", hello["payload"]["lookup"]), ("nodes", welcome["payload"]["nodes"])):
        parse(KINDS[kind][1], bytes.fromhex(body))

    for data in vectors["data"]:
        key = from_alice if data["from"] == "initiator" else from_bob
        header = b"\x53" + U32.write(data["receiverIndex"]) + data["counter"].to_bytes(8, "big")
        frames = bytes.fromhex(data["frames"])
        expect("Data", header + key.seal(data["counter"], header, frames), data["datagram"])
        read = parse_datagram(bytes.fromhex(data["datagram"]))
        expect("Data, opened", key.open(read["counter"], header, bytes.fromhex(read["ciphertext"])), data["frames"])
        parse_frames(frames)
    check_renewal(vectors["channel"], prologue(vectors["network"], "channel"), alice, bob)


def check_renewal(vectors, names, alice, bob):
    hello, welcome = vectors["hello"], vectors["welcome"]
    e_alice, e_bob = bytes.fromhex(hello["ephemeralSeed"]), bytes.fromhex(welcome["ephemeralSeed"])
    alices, message = write_first("IK", names, alice, public_key(bob), e_alice, b"")
    expect("message 1 of a Hello on a channel", message, hello["message"])
    expect("Hello on a channel", b"\x50" + U32.write(hello["senderIndex"]) + message, hello["record"])
    bobs, e, _, payload = read_first("IK", names, bob, message)
    expect("payload of a Hello on a channel", payload, "")
    message2, _, _ = write_second(bobs, e, public_key(alice), e_bob, b"")
    expect("message 2 of a Welcome on a channel", message2, welcome["message"])
    indexes = U32.write(welcome["senderIndex"]) + U32.write(welcome["receiverIndex"])
    expect("Welcome on a channel", b"\x51" + indexes + message2, welcome["record"])
    expect("payload of a Welcome on a channel", read_second(alices, alice, e_alice, message2), "")
    expect("handshake hash of a renewal", alices.h, welcome["handshakeHash"])


def check_frames(vectors):
    fragments = b""
    for vector in vectors:
        name = vector["name"]
        kind, layout = KINDS[name]
        both_ways("body of " + name, layout, vector["body"], vector["fields"])
        expect("kind of " + name, kind, vector["kind"])
        body = bytes.fromhex(vector["body"])
        number = U32.write(0x01020304) if kind & 0x80 else b""
        expect("frame " + name, bytes([kind]) + U16.write(len(body)) + number + body, vector["frame"])
        read = [(kind, 0x01020304 if kind & 0x80 else None, body)]
        expect("frame %s, read" % name, parse_frames(bytes.fromhex(vector["frame"])), read)
        if name == "fragment":
            fragments += bytes.fromhex(vector["fields"]["piece"])
    expect("a frame of fragments", fragments, "85" + bytes(range(9)).hex())
    names = {vector["name"] for vector in vectors}
    expect("all kinds have a vector", sorted(names), sorted(KINDS))


def check_envelopes(vectors):
    for vector in vectors:
        network, t = vector["network"], bytes.fromhex(vector["t"])
        body = t + MessageBody().write(vector["body"])
        size = min(size for size in CLASSES if size >= len(body) + 96)
        plaintext = body.ljust(size - 96, b"\0")
        expect("sealed body", plaintext, vector["sealedBodyPlaintext"])
        expect("sealed body, read", parse_sealed_body(plaintext), {"t": vector["t"], "body": vector["body"]})
        sender, recipient = seed_of(vector["sender"]), bytes.fromhex(vector["recipient"])
        ephemeral, names = bytes.fromhex(vector["ephemeralSeed"]), prologue(network, "envelope")
        _, box = write_first("X", names, sender, recipient, ephemeral, plaintext)
        expect("lock", sha256(b"ack" + t), vector["lock"])
        head = bytes([CLASSES.index(size)]) + recipient + sha256(b"ack" + t) + U48.write(vector["timestampMs"])
        digest = sha256(named("starling envelope v1", network) + head + box)
        expect("digest", digest, vector["digest"])
        expect("id", digest[:16], vector["id"])
        nonce, effort = bytes.fromhex(vector["nonce"]), vector["effort"]
        expect("its stamp", stamp_is_valid(digest, effort, nonce), True)
        envelope = head + U48.write(effort) + nonce + box
        expect("effort at the floor", effort, 2**14 * -(-len(envelope) // 512))
        expect("envelope", envelope, vector["envelope"])
        read = parse(Envelope(), bytes.fromhex(vector["envelope"]))
        _, _, author, opened = read_first("X", names, seed_of(vector["recipient"]), bytes.fromhex(read["sealedBody"]))
        expect("author of a box", author, vector["sender"])
        expect("a box, opened", opened, vector["sealedBodyPlaintext"])


def check_signed(vectors):
    random = bytes.fromhex(vectors["signatureRandom"])
    for vector in vectors["records"]:
        unsigned = Record.head.write(vector)
        message = bytes([len(vector["network"])]) + vector["network"].encode() + unsigned
        signature = sign(bytes.fromhex(vector["seed"]), "starling record v1", message, random)
        expect("record", unsigned + signature, vector["record"])
        read = parse(Record(), bytes.fromhex(vector["record"]))
        expect("record, read", read, {key: vector[key] for key in ("id", "sequence", "role", "addresses")})
        node_id = bytes.fromhex(vector["id"])
        expect("signature of a record", verify(node_id, "starling record v1", message, signature), True)
        expect("in another domain", verify(node_id, "starling publication v1", message, signature), False)
        expect("of another network", verify(node_id, "starling record v1", b"\x05other" + unsigned, signature), False)
    for vector in vectors["publications"]:
        topic, content = vector["topic"].encode(), bytes.fromhex(vector["content"])
        head = bytes.fromhex(vector["origin"]) + U48.write(vector["timestampMs"])
        tail = bytes([len(topic)]) + U16.write(len(content)) + topic + content
        digest = sha256(named("starling publication v1", vector["network"]) + head + tail)
        expect("digest of a publication", digest, vector["digest"])
        expect("its id", digest[:16], vector["id"])
        signature = sign(bytes.fromhex(vector["seed"]), "starling publication v1", digest, random)
        nonce, effort = bytes.fromhex(vector["nonce"]), vector["effort"]
        publication = head + U48.write(effort) + nonce + signature + tail
        expect("publication", publication, vector["publication"])
        expect("its effort at the floor", effort, 2**16 * -(-len(publication) // 512))
        expect("its stamp", stamp_is_valid(digest, effort, nonce), True)
        origin = bytes.fromhex(vector["origin"])
        expect("its signature", verify(origin, "starling publication v1", digest, signature), True)
        layout = Publication()
        expect("publication, read", layout.write(parse(layout, publication)), vector["publication"])


def check_signals(vectors):
    offer, answer, late = vectors["offer"], vectors["answer"], vectors["candidate"]
    greater, lesser = vectors["initiator"], vectors["responder"]
    expect("who offers", int(greater, 16) > int(lesser, 16), True)
    expect("label", label(greater, lesser), vectors["label"])
    expect("Intent", parse(Signal(), bytes.fromhex(vectors["intent"]["content"])), {"type": 1})
    expect("Ping", parse(Signal(), bytes.fromhex(vectors["ping"]["content"])), {"type": 5})
    for signal in (offer, answer):
        both_ways("description", DESCRIPTION, signal["descriptionBytes"], signal["description"])
        fields = {"sessionIndex": signal["sessionIndex"], "description": signal["description"]}
        both_ways("payload of a signal", SIGNAL_PAYLOAD, signal["payloadBytes"], fields)
    names = prologue(vectors["network"], "channel")
    e_offer, e_answer = bytes.fromhex(offer["ephemeralSeed"]), bytes.fromhex(answer["ephemeralSeed"])
    payload = bytes.fromhex(offer["payloadBytes"])
    offerers, message = write_first("IK", names, seed_of(greater), bytes.fromhex(lesser), e_offer, payload)
    expect("Offer", b"\x02" + message, offer["content"])
    answerers, e, sender, opened = read_first("IK", names, seed_of(lesser), message)
    expect("who offered", sender, greater)
    expect("payload of an Offer, opened", opened, offer["payloadBytes"])
    payload = bytes.fromhex(answer["payloadBytes"])
    message2, _, from_answerer = write_second(answerers, e, bytes.fromhex(greater), e_answer, payload)
    tag = message[:8]
    expect("Answer", b"\x03" + tag + message2, answer["content"])
    expect("payload of an Answer, opened", read_second(offerers, seed_of(greater), e_offer, message2), payload.hex())
    both_ways("candidate", CANDIDATE, late["candidateBytes"], late["candidate"])
    sealed = from_answerer.seal(2**48, tag, bytes.fromhex(late["candidateBytes"]))
    expect("counter of a late candidate", late["counter"], 2**48)
    expect("late candidate", b"\x04" + tag + sealed, late["content"])
    for content in (offer["content"], answer["content"], late["content"]):
        layout = Signal()
        expect("signal, both ways", layout.write(parse(layout, bytes.fromhex(content))), content)


BODY_NAMES = {"sendAck": "send-ack", "sendFail": "send-fail", "directAck": "direct-ack", "dialBack": "dial-back"}


def check_malformed(vectors):
    parsers = {
        "datagram": parse_datagram,
        "frames": parse_frames,
        "sealed-body": parse_sealed_body,
        "hello-payload": lambda data: parse(HelloPayload(), data),
        "welcome-payload": lambda data: parse(WELCOME_PAYLOAD, data),
        "envelope": lambda data: parse(Envelope(), data),
        "record": lambda data: parse(Record(), data),
        "publication": lambda data: parse(Publication(), data),
        "description": lambda data: parse(DESCRIPTION, data),
        "candidate": lambda data: parse(CANDIDATE, data),
        "signal": lambda data: parse(Signal(), data),
    }
    for vector in vectors:
        decoder = vector["decoder"]
        parser = parsers.get(decoder)
        if parser is None:
            name = decoder[len("body of ") :]
            layout = KINDS[BODY_NAMES.get(name, name)][1]
            parser = lambda data, layout=layout: parse(layout, data)
        refuses("%s, %s" % (decoder, vector["what"]), parser, bytes.fromhex(vector["bytes"]))


CHECKS = (
    ("identity.json", check_identity),
    ("datagrams.json", check_datagrams),
    ("frames.json", check_frames),
    ("envelopes.json", check_envelopes),
    ("signed.json", check_signed),
    ("signals.json", check_signals),
    ("malformed.json", check_malformed),
)


def main():
    extra = set(os.listdir(FOLDER)) - {name for name, _ in CHECKS}
    expect("no file without a check", sorted(extra), [])
    for name, check in CHECKS:
        with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
            check(json.load(file))
    for text in wrong:
        print(text)
    print("protocol: %d values recomputed, %d wrong" % (checked, len(wrong)))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
