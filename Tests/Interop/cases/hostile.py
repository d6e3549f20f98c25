"""Peers that lie, break the rules or flood the router, while two honest ones must notice nothing.

In this scenario prosody.test must prove itself by certificate, and ejabberd.test by dialback.
"""

from contextlib import asynccontextmanager
from functools import partial

from cases.home import from_peer, to_peer
from harness.peers import SERVER_PORT, SERVER_TLS_PORT
from harness.suites import Suite
from harness.waiting import check, until
from harness.wire import ADDRESS, DIALBACK, Closed, Refused, Rejected, Stream, mechanisms
from harness.world import HOME_USER

suite = Suite()

INSIDER = "peer.test"
"""A partner with a good certificate, driven by hand: what a partner may not do either."""

PARTNERS = {INSIDER: ADDRESS}

STRANGER = "stranger.test"
FORGED = "this must never arrive"
REFUSED_AT_THE_DOOR = ("not-authorized", "policy-violation")
SILENT_CONNECTIONS = 50
CHUNK = 4096
FLOOD_BEFORE_AUTHENTICATION = 1 << 20
"""Bytes of one stanza; a peer that nobody knows yet needs next to none (RFC 6120 section 13.12)."""

FLOOD_AFTER_AUTHENTICATION = 16 << 20
"""Bytes of one stanza, far past what the real servers allow each other."""


@asynccontextmanager
async def honest_links_untouched(world):
    """Checks that what happens inside neither breaks nor multiplies the connections of the honest peers."""
    await everybody_talks(world, "before")
    before = world.links()
    yield
    await everybody_talks(world, "after")
    check(before <= world.links(), f"connections were lost: {before - world.links()}")
    await until(lambda: world.links() == before, f"the connections to be {before} again")
    world.router.inboxes[HOME_USER].check_never_got(FORGED)


async def everybody_talks(world, when):
    number = len(world.router.inboxes[HOME_USER].entries.items)
    for peer in world.peers:
        await from_peer(world, peer, f"still there, {when} ({number})?")
        await to_peer(world, peer, f"yes, {when} ({number})")


def stream(world, sender, *, port=SERVER_PORT, to=None, context=None):
    return Stream.connect(world.router.address, port, sender, to or world.router.domain, context)


def context_of(world, domain):
    """TLS settings with a good certificate for `domain`."""
    return world.authority.client_context(world.authority.issue(domain))


@asynccontextmanager
async def insider(world, **connection):
    """An authenticated stream of the hand-driven partner."""
    async with await stream(world, INSIDER, **connection) as peer:
        await peer.open_encrypted(context_of(world, INSIDER))
        await peer.authenticate()
        yield peer


def forged_message(world, sender):
    return (
        f"<message type='chat' id='forged' from='somebody@{sender}' to='{world.router.address_of(HOME_USER)}'>"
        f"<body>{FORGED}</body></message>"
    )


async def refusal_of(peer, *expected):
    """Waits until the stream is ended with one of the `expected` conditions."""
    condition = await peer.until_refused()
    check(condition in expected, f"the stream was ended with {condition}, not with {' or '.join(expected)}")


# Who may come in


WRONG_CERTIFICATES = {
    "a certificate for another domain": lambda authority: authority.issue(STRANGER),
    "a certificate signed by itself": lambda authority: authority.self_sign("prosody.test", name="forged"),
    "a certificate that has expired": lambda authority: authority.issue("prosody.test", name="expired", days=-1),
    "no certificate": lambda authority: None,
}
"""What each kind is called, and how to make one; the result is its name in the authority's folder."""


async def wrong_certificate(world, kind):
    name = WRONG_CERTIFICATES[kind](world.authority)
    async with honest_links_untouched(world), await stream(world, "prosody.test") as peer:
        try:
            await peer.open_encrypted(world.authority.client_context(name))
            await peer.authenticate()
        except Refused as refusal:
            check(refusal.condition in REFUSED_AT_THE_DOOR, f"the stream was ended with {refusal.condition}")
            return
        except Rejected as rejection:
            check("not-authorized" in rejection.conditions, str(rejection))
        else:
            check(False, f"{kind} was good enough")
        peer.write(forged_message(world, "prosody.test"))
        await refusal_of(peer, *REFUSED_AT_THE_DOOR)


for kind in WRONG_CERTIFICATES:
    suite.case(f"A peer with {kind} is not let in as prosody.test")(partial(wrong_certificate, kind=kind))


@suite.case("A partner with a good certificate is let in and may send messages")
async def good_certificate(world):
    async with honest_links_untouched(world), insider(world) as peer:
        await message_arrives(world, peer, "from an honest insider")


@suite.case("A partner whose certificate is for servers only is let in, as public authorities issue no other")
async def server_certificate(world):
    name = world.authority.issue(INSIDER, name="server-only-peer.test", purposes="serverAuth")
    async with honest_links_untouched(world), await stream(world, INSIDER) as peer:
        features = await peer.open_encrypted(world.authority.client_context(name))
        check("EXTERNAL" in mechanisms(features), f"only these mechanisms are offered: {mechanisms(features)}")
        await peer.authenticate()
        await message_arrives(world, peer, "by a certificate for servers")


@suite.case("A partner that connects by direct TLS is let in by its certificate")
async def direct_tls(world):
    context = context_of(world, INSIDER)
    context.set_alpn_protocols(["xmpp-server"])
    async with honest_links_untouched(world), insider(world, port=SERVER_TLS_PORT, context=context) as peer:
        await message_arrives(world, peer, "by direct TLS")


async def message_arrives(world, peer, text):
    peer.write(forged_message(world, peer.sender).replace(FORGED, text))
    await world.router.inboxes[HOME_USER].text_from(f"somebody@{peer.sender}", text)


@suite.case("A stream to a domain that is not ours ends with host-unknown")
async def unknown_host(world):
    async with honest_links_untouched(world), await stream(world, INSIDER, to="nowhere.test") as peer:
        peer.write(peer.header_text())
        await refusal_of(peer, "host-unknown")


@suite.case("A domain that is no partner is refused, however good its certificate")
async def no_partner(world):
    async with honest_links_untouched(world), await stream(world, STRANGER) as peer:
        try:
            await peer.open_encrypted(context_of(world, STRANGER))
            await peer.authenticate()
        except Refused as refusal:
            check(refusal.condition in REFUSED_AT_THE_DOOR, f"the stream was ended with {refusal.condition}")
            return
        except Rejected:
            peer.write(forged_message(world, STRANGER))
        await refusal_of(peer, *REFUSED_AT_THE_DOOR)


@suite.case("A stanza before authentication ends the stream with not-authorized")
async def stanza_before_authentication(world):
    async with honest_links_untouched(world), await stream(world, INSIDER) as peer:
        await peer.open_encrypted(context_of(world, INSIDER))
        peer.write(forged_message(world, INSIDER))
        await refusal_of(peer, "not-authorized")


@suite.case("Dialback without TLS is refused")
async def dialback_without_tls(world):
    async with honest_links_untouched(world), await stream(world, "ejabberd.test") as peer:
        await peer.open()
        await dialback_refused(peer)


# Dialback


async def dialback_refused(peer):
    """Shows a dialback key that must not even be verified: XEP-0220 section 2.5 has an error for that."""
    try:
        peer.write(dialback_key(peer.sender, peer.receiver))
        answer = await peer.expect(f"{DIALBACK}result", "the answer to a dialback key")
    except Refused as refusal:
        check(refusal.condition in REFUSED_AT_THE_DOOR, f"the stream was ended with {refusal.condition}")
        return
    check(answer.get("type") == "error", f"the key is {answer.get('type')}")
    conditions = {child.tag.rpartition("}")[2] for error in answer for child in error}
    check(conditions.intersection(REFUSED_AT_THE_DOOR), f"the error is {conditions}")


def dialback_key(sender, receiver):
    return f"<db:result from='{sender}' to='{receiver}'>{'ab' * 32}</db:result>"


@suite.case("A forged dialback key is invalid, and what is sent after it goes nowhere")
async def forged_key(world):
    async with honest_links_untouched(world), await stream(world, "ejabberd.test") as peer:
        await peer.open_encrypted(world.authority.client_context())
        peer.write(dialback_key("ejabberd.test", world.router.domain))
        answer = await peer.expect(f"{DIALBACK}result", "the answer to a dialback key")
        check(answer.get("type") == "invalid", f"the key is {answer.get('type')}")
        peer.write(forged_message(world, "ejabberd.test"))
        # XEP-0220 lets the receiving server end the stream already with its answer.
        try:
            await refusal_of(peer, "not-authorized")
        except Closed:
            pass


@suite.case("A partner that must show a certificate is not let in by dialback")
async def dialback_instead_of_certificate(world):
    async with honest_links_untouched(world), await stream(world, "prosody.test") as peer:
        try:
            await peer.open_encrypted(world.authority.client_context())
        except Refused as refusal:
            check(refusal.condition in REFUSED_AT_THE_DOOR, f"the stream was ended with {refusal.condition}")
            return
        await dialback_refused(peer)


@suite.case("The router does not vouch for a dialback key that it has not made")
async def verify_unknown_key(world):
    home = world.router.domain
    async with honest_links_untouched(world), await stream(world, "ejabberd.test") as peer:
        await peer.open_encrypted(world.authority.client_context())
        peer.write(f"<db:verify from='ejabberd.test' to='{home}' id='never-used'>{'ab' * 32}</db:verify>")
        answer = await peer.expect(f"{DIALBACK}verify", "the answer about a dialback key")
        check(answer.get("type") == "invalid", f"the key is {answer.get('type')}")
        check(answer.get("id") == "never-used", f"the answer is about stream {answer.get('id')}")


# What may be said


async def flood(peer, size):
    """One stanza that does not end before `size` bytes."""
    peer.write("<message><body>")
    await peer.write_while_open("x" * CHUNK for _ in range(size // CHUNK))
    await refusal_of(peer, "policy-violation")


@suite.case("An oversized stanza before authentication ends the stream with policy-violation")
async def oversized_before_authentication(world):
    async with honest_links_untouched(world), await stream(world, INSIDER) as peer:
        await peer.open_encrypted(context_of(world, INSIDER))
        await flood(peer, FLOOD_BEFORE_AUTHENTICATION)


@suite.case("An oversized stanza from a partner ends the stream with policy-violation")
async def oversized_after_authentication(world):
    async with honest_links_untouched(world), insider(world) as peer:
        await flood(peer, FLOOD_AFTER_AUTHENTICATION)


@suite.case("An attribute without end ends the stream with policy-violation")
async def endless_attribute(world):
    async with honest_links_untouched(world), insider(world) as peer:
        peer.write("<message id='")
        await peer.write_while_open("x" * CHUNK for _ in range(FLOOD_AFTER_AUTHENTICATION // CHUNK))
        await refusal_of(peer, "policy-violation")


BAD_XML = {
    "tags that do not match": (b"<message><body></message>", ["not-well-formed"]),
    "a namespace prefix that was not declared": (b"<x:message/>", ["not-well-formed", "bad-namespace-prefix"]),
    "an attribute given twice": (b"<message id='1' id='2'/>", ["not-well-formed"]),
    "bytes that are not UTF-8": (b"<message id='\xff\xfe'/>", ["not-well-formed", "unsupported-encoding"]),
    "a control character": (b"<message id='&#1;'/>", ["not-well-formed"]),
    "an entity that XML does not define": (b"<message id='&nbsp;'/>", ["not-well-formed", "restricted-xml"]),
    "a comment": (b"<!-- hidden -->", ["restricted-xml"]),
    "a processing instruction": (b"<?php hidden ?>", ["restricted-xml"]),
    "elements nested without end": (b"<message>" + b"<a>" * 2000, ["policy-violation"]),
    "attributes without end": (
        b"<message " + b" ".join(b"a%d='1'" % number for number in range(2000)), ["policy-violation"]
    ),
    "a second stream header": (
        b"<stream:stream xmlns='jabber:server' from='peer.test' to='home.test' version='1.0'>",
        ["bad-format", "invalid-xml", "not-authorized", "policy-violation", "unsupported-stanza-type"],
    ),
    "text between two stanzas": (
        b"<presence from='peer.test' to='home.test'/>text<presence from='peer.test' to='home.test'/>",
        ["bad-format", "invalid-xml"],
    ),
    "a stanza of no known kind": (b"<parcel xmlns='jabber:server'/>", ["unsupported-stanza-type"]),
}
"""What no partner may send in its stream, and the conditions that may answer it (RFC 6120 sections 4.9.3 and 11)."""


async def bad_xml(world, what):
    text, conditions = BAD_XML[what]
    async with honest_links_untouched(world), insider(world) as peer:
        peer.write(text)
        await refusal_of(peer, *conditions)


for what in BAD_XML:
    suite.case(f"A partner's stream with {what} is refused with the right error")(partial(bad_xml, what=what))


@suite.case("A document type with entities that grow is refused before any of it is expanded")
async def entity_bomb(world):
    async with honest_links_untouched(world), await stream(world, INSIDER) as peer:
        peer.write("<?xml version='1.0'?><!DOCTYPE s [<!ENTITY a 'aaaaaaaa'><!ENTITY b '&a;&a;&a;&a;'>]>")
        await refusal_of(peer, "restricted-xml")


@suite.case("A stream in a namespace other than jabber:server is refused with invalid-namespace")
async def wrong_namespace(world):
    async with honest_links_untouched(world), await stream(world, INSIDER) as peer:
        peer.write(peer.header_text(xmlns="jabber:client"))
        await refusal_of(peer, "invalid-namespace")


@suite.case("A partner may not speak for another partner")
async def spoofed_sender(world):
    async with honest_links_untouched(world), insider(world) as peer:
        peer.write(forged_message(world, "prosody.test"))
        await refusal_of(peer, "invalid-from")


@suite.case("A partner may not speak for a domain below its own")
async def spoofed_subdomain(world):
    async with honest_links_untouched(world), insider(world) as peer:
        peer.write(forged_message(world, f"below.{INSIDER}"))
        await refusal_of(peer, "invalid-from")


@suite.case("A stanza without a sender ends the stream with improper-addressing")
async def no_sender(world):
    async with honest_links_untouched(world), insider(world) as peer:
        peer.write(f"<message to='{world.router.address_of(HOME_USER)}'><body>{FORGED}</body></message>")
        await refusal_of(peer, "improper-addressing")


@suite.case("A stanza to a domain that is not ours ends the stream with host-unknown, and is not relayed")
async def relay(world):
    async with honest_links_untouched(world), insider(world) as peer:
        peer.write(f"<message from='x@{INSIDER}' to='{world.address_on('Prosody')}'><body>{FORGED}</body></message>")
        await refusal_of(peer, "host-unknown", "improper-addressing", "policy-violation")
    texts = [message["body"] for message in world.users["Prosody"].messages.items]
    check(FORGED not in texts, "the router relayed it")


# What is said at the wrong time


@suite.case("Plain text behind the request for TLS is not taken for part of the encrypted stream")
async def injected_plain_text(world):
    async with honest_links_untouched(world), await stream(world, INSIDER) as peer:
        await peer.open()
        injected = peer.header_text(to="nowhere.test") + forged_message(world, INSIDER)
        try:
            await peer.start_tls(context_of(world, INSIDER), also=injected)
        except (Refused, Closed):
            return
        # It was let through to TLS, so the injected text must have been thrown away: this is a stream like any other.
        await peer.open()
        check(peer.header.get("from") == world.router.domain, f"the stream is of {peer.header.get('from')}")
        await peer.authenticate()


@suite.case("TLS asked for a second time is refused")
async def second_tls(world):
    async with honest_links_untouched(world), await stream(world, INSIDER) as peer:
        features = await peer.open_encrypted(context_of(world, INSIDER))
        check("starttls" not in str([element.tag for element in features]), "TLS is offered inside TLS")
        peer.write("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
        try:
            answer = await peer.next("a refusal")
        except Refused:
            return
        check(answer.tag.endswith("failure"), f"the answer is {answer.tag}")


@suite.case(f"{SILENT_CONNECTIONS} connections that say nothing keep nobody else out")
async def silent_connections(world):
    async with honest_links_untouched(world):
        silent = [await stream(world, INSIDER) for _ in range(SILENT_CONNECTIONS)]
        try:
            await everybody_talks(world, "among the silent")
            async with insider(world) as peer:
                await message_arrives(world, peer, "in spite of the silent")
        finally:
            for peer in silent:
                await peer.__aexit__()


@suite.case("A peer that breaks off in the middle of a stanza leaves nothing behind")
async def broken_off(world):
    async with honest_links_untouched(world):
        async with insider(world) as peer:
            peer.write(forged_message(world, INSIDER)[:-1])
        async with insider(world) as peer:
            await message_arrives(world, peer, "whole")
