"""Signatures: examples that their senders publish, and everything that must not get in."""

import base64
import hashlib
import hmac

import pytest

from perdure.base.time import SECOND_US
from perdure.triggers.bindings.signatures import (
    BadSecret,
    Scheme,
    Signature,
    bearer_refusal,
)

NOW_US = 1_767_225_600 * SECOND_US
BODY = b'{"order": 7}'


def signature(
    scheme: Scheme,
    header: str,
    *secrets: str,
    algorithm: str = "sha256",
    encoding: str = "hex",
) -> Signature:
    return Signature(
        scheme=scheme,
        header=header,
        secrets=secrets or ("secret",),
        algorithm=algorithm,
        encoding=encoding,
    )


def digest(body: bytes, secret: str = "secret", algorithm: str = "sha256") -> str:
    return hmac.new(secret.encode(), body, algorithm).hexdigest()


GITHUB = signature(Scheme.GITHUB, "X-Hub-Signature-256")


def test_the_example_of_github_s_documentation() -> None:
    known = signature(Scheme.GITHUB, "X-Hub-Signature-256", "It's a Secret to Everybody")
    sent = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    headers = {"x-hub-signature-256": sent}
    assert known.refusal(headers, b"Hello, World!", NOW_US) is None
    assert known.refusal(headers, b"Hello, World?", NOW_US) is not None


def test_the_example_of_the_standard_webhooks_specification() -> None:
    known = signature(
        Scheme.STANDARD, "webhook-signature", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    )
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    body = b'{"test": 2432232314}'
    then_us = 1_614_265_330 * SECOND_US
    assert known.refusal(headers, body, then_us) is None
    assert known.refusal(headers, body, then_us + 301 * SECOND_US) is not None
    assert known.refusal(headers | {"webhook-id": "other"}, body, then_us) is not None
    assert known.refusal(headers | {"webhook-id": ""}, body, then_us) is not None
    two = "v1a,AAAA v1,AAAA " + headers["webhook-signature"]
    assert known.refusal(headers | {"webhook-signature": two}, body, then_us) is None


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "sha256=",
        "sha256=00",
        digest(BODY),  # without the prefix
        f"sha1={digest(BODY, algorithm='sha1')}",
        f"sha256={digest(BODY, 'other')}",
        f"sha256={digest(BODY)}00",
        "sha256=ünicode",
    ],
)
def test_what_github_did_not_sign_is_refused(sent: str) -> None:
    assert GITHUB.refusal({"x-hub-signature-256": sent}, BODY, NOW_US) is not None


def test_a_request_without_a_signature_is_refused() -> None:
    assert GITHUB.refusal({}, BODY, NOW_US) == "the request has no X-Hub-Signature-256"


def test_letters_of_hex_may_be_large() -> None:
    headers = {"x-hub-signature-256": f"sha256={digest(BODY).upper()}"}
    assert GITHUB.refusal(headers, BODY, NOW_US) is None


@pytest.mark.parametrize("secret", ["new", "old"])
def test_while_a_secret_is_replaced_both_fit(secret: str) -> None:
    both = signature(Scheme.GITHUB, "X-Hub-Signature-256", "new", "old")
    headers = {"x-hub-signature-256": f"sha256={digest(BODY, secret)}"}
    assert both.refusal(headers, BODY, NOW_US) is None


@pytest.mark.parametrize("algorithm", ["sha256", "sha1", "sha512"])
@pytest.mark.parametrize("prefixed", [True, False])
def test_plain_hmac_in_any_header(algorithm: str, prefixed: bool) -> None:
    plain = signature(Scheme.HMAC, "X-Gitea-Signature", algorithm=algorithm)
    sent = (f"{algorithm}=" if prefixed else "") + digest(BODY, algorithm=algorithm)
    assert plain.refusal({"x-gitea-signature": sent}, BODY, NOW_US) is None
    assert plain.refusal({"x-gitea-signature": sent}, BODY + b" ", NOW_US) is not None


def test_plain_hmac_in_base64() -> None:
    """As Shopify signs."""
    plain = signature(Scheme.HMAC, "X-Shopify-Hmac-Sha256", encoding="base64")
    sent = base64.b64encode(hmac.digest(b"secret", BODY, hashlib.sha256)).decode()
    assert plain.refusal({"x-shopify-hmac-sha256": sent}, BODY, NOW_US) is None
    assert plain.refusal({"x-shopify-hmac-sha256": sent.lower()}, BODY, NOW_US) is not None


@pytest.mark.parametrize(
    ("sent", "fits"),
    [
        ("t={now},v1={good}", True),
        ("t={now},v1=00,v1={good},v0=00", True),
        ("t={now}, v1={good}", True),
        ("t={now},v0={good}", False),
        ("v1={good}", False),
        ("t={old},v1={good_old}", False),
        ("t={late},v1={good}", False),
        ("t=-1,v1={good}", False),
        ("t=99999999999999999999,v1={good}", False),
        ("", False),
    ],
)
def test_stripe_s_signatures_are_timely(sent: str, fits: bool) -> None:
    stripe = signature(Scheme.STRIPE, "Stripe-Signature")
    now, old = NOW_US // SECOND_US, NOW_US // SECOND_US - 301
    text = sent.format(
        now=now,
        old=old,
        late=now + 1,
        good=digest(f"{now}.".encode() + BODY),
        good_old=digest(f"{old}.".encode() + BODY),
    )
    refusal = stripe.refusal({"stripe-signature": text}, BODY, NOW_US)
    assert (refusal is None) == fits


def test_a_key_that_is_no_base64_is_refused_when_it_is_read() -> None:
    with pytest.raises(BadSecret):
        signature(Scheme.STANDARD, "webhook-signature", "whsec_?")


@pytest.mark.parametrize(
    ("headers", "query", "fits"),
    [
        ({"authorization": "Bearer token"}, [], True),
        ({"authorization": "bearer  token "}, [], True),
        ({}, ["token"], True),
        ({}, ["other", "token"], True),
        ({"authorization": "Basic token"}, [], False),
        ({"authorization": "Bearer token2"}, [], False),
        ({"authorization": "Bearer "}, [""], False),
        ({}, [], False),
    ],
)
def test_bearer_tokens(headers: dict[str, str], query: list[str], fits: bool) -> None:
    assert (bearer_refusal(headers, query, "token") is None) == fits
