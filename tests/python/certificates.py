"""Makes the certificates of a test in a folder: two authorities, two servers, machines fit and unfit, and lists of revoked
certificates.

    certificates.py FOLDER

Prints the SHA-256 fingerprint of each server's certificate as JSON.
"""

import datetime
import ipaddress
import json
import os
import pathlib
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = datetime.datetime.now(datetime.timezone.utc)
DAY = datetime.timedelta(days=1)
LOCAL = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]


def write(path, content):
    path.write_bytes(content)
    os.chmod(path, 0o600)


def named(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def keep(folder, name, certificate, key):
    write(folder / f"{name}.pem", certificate.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write(folder / f"{name}.key", private)


def authority(folder, name):
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named(name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - DAY)
        .not_valid_after(NOW + DAY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    keep(folder, name, certificate, key)
    return certificate, key


def signed(folder, name, by, usage, alternative, days=1):
    issuer, issuer_key = by
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - 3 * DAY)
        .not_valid_after(NOW + days * DAY)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
        )
    )
    if alternative:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternative), critical=False)
    certificate = builder.sign(issuer_key, hashes.SHA256())
    keep(folder, name, certificate, key)
    return certificate.fingerprint(hashes.SHA256()).hex()


def revoked(folder, name, by, *which, days=1):
    issuer, issuer_key = by
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.subject)
        .last_update(NOW - 3 * DAY)
        .next_update(NOW + days * DAY)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
        )
        .add_extension(x509.CRLNumber(len(which) + 1), critical=False)
    )
    for machine in which:
        certificate = x509.load_pem_x509_certificate((folder / f"{machine}.pem").read_bytes())
        builder = builder.add_revoked_certificate(
            x509.RevokedCertificateBuilder()
            .serial_number(certificate.serial_number)
            .revocation_date(NOW - DAY)
            .build()
        )
    signed_list = builder.sign(issuer_key, hashes.SHA256())
    write(folder / f"{name}.crl", signed_list.public_bytes(serialization.Encoding.PEM))
    write(folder / f"{name}.der", signed_list.public_bytes(serialization.Encoding.DER))


def main():
    folder = pathlib.Path(sys.argv[1])
    site, machines, foreign = (authority(folder, name) for name in ("site", "machines", "foreign"))
    server, client = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH
    uri = x509.UniformResourceIdentifier
    made = {
        "server": signed(folder, "server", site, server, LOCAL),
        "next": signed(folder, "next", site, server, LOCAL),
        "stale": signed(folder, "stale", site, server, LOCAL, days=-2),
        "etl": signed(
            folder,
            "etl",
            machines,
            client,
            [uri("spiffe://cairn/service/etl"), x509.DNSName("etl.acme.example")],
        ),
        "other": signed(folder, "other", machines, client, [uri("spiffe://cairn/service/other")]),
        # Its common name is the name that a token is bound to, and nobody looks at that.
        "etl.acme.example": signed(folder, "etl.acme.example", machines, client, []),
        "stranger": signed(folder, "stranger", foreign, client, [uri("spiffe://cairn/service/etl")]),
        "late": signed(
            folder, "late", machines, client, [uri("spiffe://cairn/service/etl")], days=-2
        ),
    }
    revoked(folder, "nobody", machines)
    revoked(folder, "without-etl", machines, "etl")
    revoked(folder, "ended", machines, days=-1)
    revoked(folder, "foreign", foreign)
    print(json.dumps(made))


main()
