#!/usr/bin/env python3
"""Verifies Cairn's audit ledger: exported logs, anchors, and receipts of single events.

The second verifier. It shares no code with the program, needs Python 3.8 and nothing else, no database and no
network, and reads open formats: RFC 9162 (the Merkle tree), RFC 8032 (Ed25519), and of C2SP signed-note,
tlog-checkpoint, tlog-tiles, tlog-cosignature and tlog-proof.

  python3 verify_audit.py --from DIR --keys FILE           every log below DIR
  python3 verify_audit.py --receipt FILE --key KEY         one event

The keys are lines of `cairn audit keys`, published by the operator; a key that came with the data proves nothing.
Exit codes: 0 good, 1 changed, 2 something is missing so that nothing can be said, 3 the command makes no sense.
"""

import argparse
import base64
import binascii
import datetime
import hashlib
import json
import os
import re
import sys

LEAF_FIELDS = {"action", "actor", "at", "build", "data", "event_id", "log", "outcome", "prev_hash", "resource",
               "seq", "tenant_id", "trace_id", "v"}
LARGEST_INTEGER = 2**53 - 1
CLOCK_TOLERANCE = datetime.timedelta(seconds=5)


class Tampered(Exception):
    pass


class Missing(Exception):
    pass


# ---- RFC 9162: hashes and trees ------------------------------------------------------------------------------

def leaf_hash(leaf):
    return hashlib.sha256(b"\0" + leaf).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


class Tree:
    """The roots of the perfect subtrees, the largest first."""

    def __init__(self):
        self.size, self.roots = 0, []

    def push(self, leaf):
        carry, self.size = self.size, self.size + 1
        while carry & 1:
            leaf = node_hash(self.roots.pop(), leaf)
            carry >>= 1
        self.roots.append(leaf)

    def root(self):
        if not self.roots:
            return hashlib.sha256(b"").digest()
        root = self.roots[-1]
        for left in reversed(self.roots[:-1]):
            root = node_hash(left, root)
        return root


def root_from_inclusion(leaf, index, size, proof):
    """RFC 9162, section 2.1.3.2; None when the proof has another length than the place asks for."""
    if index >= size:
        return None
    node, last, result = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return None
        if node & 1 or node == last:
            result = node_hash(sibling, result)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            result = node_hash(result, sibling)
        node, last = node >> 1, last >> 1
    return result if last == 0 else None


# ---- RFC 8032: Ed25519 ---------------------------------------------------------------------------------------

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)


def add(a, b):
    x = (a[1] - a[0]) * (b[1] - b[0]) % P
    y = (a[1] + a[0]) * (b[1] + b[0]) % P
    t, z = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = y - x, z - t, z + t, y + x
    return e * f % P, g * h % P, f * g % P, e * h % P


def multiply(scalar, point):
    result = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point, scalar = add(point, point), scalar >> 1
    return result


def decompress(encoded):
    y = int.from_bytes(encoded, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


def same(a, b):
    return not (a[0] * b[2] - b[0] * a[2]) % P and not (a[1] * b[2] - b[1] * a[2]) % P


def is_small(point):
    return same(multiply(8, point), (0, 1, 1, 0))


BASE = decompress((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def ed25519_verifies(key, message, signature):
    if len(key) != 32 or len(signature) != 64:
        return False
    public, nonce = decompress(key), decompress(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if public is None or nonce is None or s >= L or is_small(public) or is_small(nonce):
        return False
    digest = hashlib.sha512(signature[:32] + key + message).digest()
    k = int.from_bytes(digest, "little") % L
    return same(multiply(s, BASE), add(nonce, multiply(k, public)))


# ---- C2SP: notes, checkpoints, receipts ----------------------------------------------------------------------

def decode64(text):
    try:
        decoded = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return decoded if base64.b64encode(decoded).decode() == text else None


def decimal(text):
    return int(text) if re.fullmatch("0|[1-9][0-9]{0,18}", text or "") else None


def is_name(name):
    return bool(name) and not re.search(r"[\s+\x00-\x1f]", name)


class Key:
    """A line `<name>+<id>+<base64 of kind and key>`; kind 1 is a log's, kind 4 a witness's."""

    def __init__(self, line):
        parts = line.split("+", 2)
        body = decode64(parts[2]) if len(parts) == 3 else None
        if not body or len(body) != 33 or body[0] not in (1, 4) or not is_name(parts[0]):
            raise ValueError("`%s` is not a verifier key" % line)
        self.name, self.kind, self.key = parts[0], body[0], body[1:]
        self.id = hashlib.sha256(self.name.encode() + b"\n" + body).digest()[:4]
        if self.id.hex() != parts[1]:
            raise ValueError("the id of the key `%s` does not fit it" % line)

    def verifies(self, text, signature):
        if self.kind == 4:
            time, signature = int.from_bytes(signature[:8], "big"), signature[8:]
            text = "cosignature/v1\ntime %d\n%s" % (time, text)
        return ed25519_verifies(self.key, text.encode(), signature)


def read_note(data):
    """The text of a note, and its signatures as (name, id, bytes)."""
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError:
        raise Tampered("a note is not UTF-8")
    text, split, lines = whole.rpartition("\n\n")
    if not split or not lines.endswith("\n") or any(c < " " and c != "\n" for c in whole):
        raise Tampered("it is not a signed note")
    signatures = []
    for line in lines[:-1].split("\n"):
        words = line.split(" ")
        body = decode64(words[2]) if len(words) == 3 and words[0] == "\u2014" else None
        if not body or len(body) < 5 or not is_name(words[1]):
            raise Tampered("a signature line is malformed")
        signatures.append((words[1], body[:4], body[4:]))
    return text + "\n", signatures


def read_checkpoint(data, keys):
    """(origin, size, root, names of the signers) of a note that its log has signed."""
    text, signatures = read_note(data)
    lines = text[:-1].split("\n")
    size = decimal(lines[1]) if len(lines) >= 3 else None
    root = decode64(lines[2]) if size is not None else None
    if not root or len(root) != 32 or not all(lines):
        raise Tampered("it is not a checkpoint")
    signers = []
    for name, key_id, signature in signatures:
        for key in keys:
            if (key.name, key.id) == (name, key_id):
                if not key.verifies(text, signature):
                    raise Tampered("the signature of `%s` does not fit the checkpoint" % name)
                signers.append(key)
    if not any(key.kind == 1 and key.name == lines[0] for key in signers):
        raise Missing("no given key signs for `%s`" % lines[0])
    return lines[0], size, root, [key.name for key in signers]


def verify_receipt(data, keys):
    """What a `.tlog-proof` proves."""
    head, split, note = data.partition(b"\n\n")
    lines = head.decode("utf-8", "replace").split("\n")
    if not split or len(lines) < 3 or lines[0] != "c2sp.org/tlog-proof@v1" or not lines[1].startswith("extra "):
        raise Tampered("it is not a receipt")
    leaf = decode64(lines[1][6:])
    index = decimal(lines[2][6:]) if lines[2].startswith("index ") else None
    proof = [decode64(line) for line in lines[3:]]
    if leaf is None or index is None or any(not h or len(h) != 32 for h in proof):
        raise Tampered("it is not a receipt")
    origin, size, root, signers = read_checkpoint(note, keys)
    if root_from_inclusion(leaf_hash(leaf), index, size, proof) != root:
        raise Tampered("the event is not in the log that was signed")
    event = read_leaf(leaf)
    if (event["log"], event["seq"]) != (origin, index):
        raise Tampered("the event is of another log or place than the proof")
    return {"log": origin, "seq": index, "size": size, "signers": signers, "event": event}


# ---- leaves --------------------------------------------------------------------------------------------------

def object_once(pairs):
    if len({key for key, _ in pairs}) != len(pairs) or not all(key.isascii() for key, _ in pairs):
        raise ValueError("a key is repeated or not ASCII")
    return dict(pairs)


def integer(text):
    if abs(int(text)) > LARGEST_INTEGER:
        raise ValueError("an integer is too large")
    return int(text)


def refuse(text):
    raise ValueError("`%s` is not a value of a leaf" % text)


def plain(value):
    if isinstance(value, dict):
        return all(plain(inner) for inner in value.values())
    return value is None or isinstance(value, (str, int))


def read_leaf(leaf):
    try:
        event = json.loads(leaf.decode("utf-8"), object_pairs_hook=object_once, parse_int=integer,
                           parse_float=refuse, parse_constant=refuse)
        again = json.dumps(event, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    except (ValueError, UnicodeError) as error:
        raise Tampered("the leaf is not canonical: %s" % error)
    if again != leaf or not isinstance(event, dict) or set(event) != LEAF_FIELDS or event["v"] != 1 or not plain(event):
        raise Tampered("the leaf is not canonical")
    return event


# ---- tlog-tiles: a log as files ------------------------------------------------------------------------------

def tile_path(level, index, width):
    place = "%03d" % (index % 1000)
    while index >= 1000:
        index //= 1000
        place = "x%03d/%s" % (index % 1000, place)
    return "tile/%s/%s%s" % (level, place, "" if width == 256 else ".p/%d" % width)


def read_tile(folder, level, index, width):
    for wide in (width, 256):
        path = os.path.join(folder, tile_path(level, index, wide))
        if os.path.isfile(path):
            with open(path, "rb") as file:
                return file.read(), wide
    raise Missing("`%s` is gone" % tile_path(level, index, width))


def read_hashes(folder, level, index, width):
    data, wide = read_tile(folder, level, index, width)
    if len(data) != 32 * wide:
        raise Missing("`%s` is cut short" % tile_path(level, index, wide))
    return [data[32 * i:32 * i + 32] for i in range(width)]


def read_entries(folder, index, width):
    data, wide = read_tile(folder, "entries", index, width)
    entries, at = [], 0
    while at < len(data):
        length = int.from_bytes(data[at:at + 2], "big")
        entries.append(data[at + 2:at + 2 + length])
        at += 2 + length
    if at != len(data) or len(entries) != wide:
        raise Missing("`%s` is cut short" % tile_path("entries", index, wide))
    return entries[:width]


def notes_of(folder):
    paths = [os.path.join(folder, "checkpoint")]
    for parent, folders, files in os.walk(os.path.join(folder, "checkpoints")):
        folders.sort()
        paths += [os.path.join(parent, name) for name in sorted(files) if name.isdigit()]
    return [path for path in paths if os.path.isfile(path)]


def verify_log(folder, keys, found):
    checkpoints = {}
    for path in notes_of(folder):
        with open(path, "rb") as file:
            origin, size, root, signers = read_checkpoint(file.read(), keys)
        found["log"] = found["log"] or origin
        if origin != found["log"] or checkpoints.setdefault(size, root) != root:
            raise Tampered("two checkpoints of %d events contradict each other" % size)
        if path.endswith("checkpoint"):
            found["witnesses"] = [name for name in signers if name != origin]
    if not checkpoints:
        raise Missing("there is no checkpoint")
    size, tree, before, last_at, upper = max(checkpoints), Tree(), "0" * 64, None, {}
    name = found["log"].rpartition("/")[2]
    tenant = None if name == "system" else name
    for index in range((size + 255) // 256):
        width = min(256, size - 256 * index)
        hashes = read_hashes(folder, 0, index, width)
        for entry, copied in zip(read_entries(folder, index, width), hashes):
            seq = tree.size
            if leaf_hash(entry) != copied:
                raise Tampered("event %d does not have its hash" % seq)
            try:
                event = read_leaf(entry)
            except Tampered as error:
                raise Tampered("event %d: %s" % (seq, error))
            at = datetime.datetime.fromisoformat(event["at"].replace("Z", "+00:00"))
            if (event["log"], event["tenant_id"]) != (found["log"], tenant):
                raise Tampered("event %d belongs to another log" % seq)
            if event["seq"] != seq or event["prev_hash"] != before:
                raise Tampered("event %d does not follow its predecessor" % seq)
            if last_at is not None and last_at - at > CLOCK_TOLERANCE:
                raise Tampered("event %d lies before its predecessor" % seq)
            before, last_at = copied.hex(), at
            tree.push(copied)
            if checkpoints.get(tree.size, tree.root()) != tree.root():
                raise Tampered("an event from %d to %d is not the one that was signed" % (found["size"], tree.size))
            if tree.size in checkpoints:
                found["size"], found["checkpoints"] = tree.size, found["checkpoints"] + 1
        if width == 256:
            upper.setdefault(1, []).append(subtree_root(hashes))
    level = 1
    while level in upper:
        for index in range((len(upper[level]) + 255) // 256):
            hashes = upper[level][256 * index:256 * index + 256]
            if read_hashes(folder, level, index, len(hashes)) != hashes:
                raise Tampered("`%s` does not follow from the tiles below it" % tile_path(level, index, len(hashes)))
            if len(hashes) == 256:
                upper.setdefault(level + 1, []).append(subtree_root(hashes))
        level += 1


def subtree_root(hashes):
    tree = Tree()
    for each in hashes:
        tree.push(each)
    return tree.root()


def logs_below(folder):
    found = []
    for parent, folders, files in os.walk(folder):
        folders.sort()
        if "checkpoints" in folders or "checkpoint" in files:
            found.append(parent)
            folders.clear()
    return found


# ---- the command ---------------------------------------------------------------------------------------------

def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--from", dest="log", metavar="DIR", help="an export or an anchor")
    parser.add_argument("--receipt", metavar="FILE", help="a receipt of one event (.tlog-proof)")
    parser.add_argument("--key", action="append", default=[], help="a verifier key that you trust")
    parser.add_argument("--keys", metavar="FILE", help="a file of such keys, one a line")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.error = lambda message: stop(message)
    args = parser.parse_args()
    try:
        lines = list(args.key)
        if args.keys:
            with open(args.keys, encoding="utf-8") as file:
                lines += file.read().split("\n")
        keys = [Key(line) for line in lines if line.strip()]
        receipt = open(args.receipt, "rb").read() if args.receipt else None
    except (OSError, ValueError) as error:
        stop(error)
    if not args.log and receipt is None or args.log and not logs_below(args.log):
        stop("give a folder that holds a log with --from, or a receipt with --receipt")
    reports = []
    if receipt is not None:
        reports.append(judged(lambda found: found.update(verify_receipt(receipt, keys)), {"log": args.receipt}))
    for folder in logs_below(args.log) if args.log else []:
        found = {"folder": folder, "log": "", "size": 0, "checkpoints": 0, "witnesses": []}
        reports.append(judged(lambda found, folder=folder: verify_log(folder, keys, found), found))
    verdicts = [report["verdict"] for report in reports]
    verdict = next((worst for worst in ("tampered", "incomplete") if worst in verdicts), "ok")
    if args.json:
        print(json.dumps({"verdict": verdict, "logs": reports}))
    else:
        for report in reports:
            print(report["verdict"].upper().ljust(10), report["log"], report.get("size", ""), report.get("reason", ""))
    return {"ok": 0, "tampered": 1, "incomplete": 2}[verdict]


def judged(verify, found):
    try:
        verify(found)
        found["verdict"] = "ok"
    except Tampered as error:
        found.update(verdict="tampered", reason=str(error))
    except Missing as error:
        found.update(verdict="incomplete", reason=str(error))
    return found


def stop(reason):
    print("verify_audit.py: %s" % reason, file=sys.stderr)
    sys.exit(3)


if __name__ == "__main__":
    sys.exit(main())
