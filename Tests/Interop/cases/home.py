"""The router's home users and users of the real servers with each other."""

from harness.peers import Mode
from harness.suites import Suite
from harness.waiting import check, until
from harness.world import HOME_USER, USER

suite = Suite()

TEXTS = {
    "markup": "<b>bold</b> &amp; \"quoted\" 'single' ]]> <![CDATA[x]]> <!-- y --> &#10;",
    "emoji": "\U0001F469‍\U0001F680 \U0001F3F3️‍\U0001F308 e\u0301 \u202Bשלום\u202C \U0010FFFD",
    "newlines": "first line\n\n  third, indented\tand tabbed  \nlast",
}
"""What a careless codec would change on the way."""

CONVERSATION_LENGTH = 20


async def to_peer(world, peer, text):
    """One message from the home user to the user on a peer."""
    await world.router.send(HOME_USER, world.address_on(peer), text)
    return await world.users[peer].text_from(world.router.address_of(HOME_USER), text)


async def from_peer(world, peer, text):
    """One message from the user on a peer to the home user."""
    world.users[peer].chat(world.router.address_of(HOME_USER), text)
    return await world.router.inboxes[HOME_USER].text_from(world.address_on(peer), text)


@suite.case("A home user's message reaches a user on {peer} unchanged: markup, emoji, newlines")
async def home_to_peer(world, peer):
    for text in TEXTS.values():
        message = await to_peer(world, peer, text)
        check(message["type"] == "chat", f"it arrived as a message of type {message['type']}, not chat")


@suite.case("A message from {peer} reaches a home user unchanged: markup, emoji, newlines")
async def peer_to_home(world, peer):
    for text in TEXTS.values():
        await from_peer(world, peer, text)


@suite.case("The router and {peer} let each other in by the mechanism of the scenario and no other")
async def mechanism(world, peer):
    await to_peer(world, peer, "who are you?")
    await from_peer(world, peer, "and who are you?")
    server = world.peers[peer]
    arrived, left = f"home.test -> {server.domain}", f"{server.domain} -> home.test"
    if peer == "ejabberd":
        await server.until_logged(f"Accepted inbound s2s {server.mode.proof} authentication", arrived)
        await server.until_logged(f"Accepted outbound s2s {server.mode.proof} authentication", left)
    else:
        # One stream may carry both directions (XEP-0288): then there is the one line or the other.
        lines = (
            f"Incoming s2s connection {arrived.replace(' ', '')} complete",
            f"Outgoing s2s connection {left.replace(' ', '')} complete",
        )
        await until(lambda: any(line in server.log_since({}) for line in lines), f"one of {lines} in Prosody's log")
        by_certificate = "Accepting SASL EXTERNAL identity from home.test" in server.log_since({})
        expected = server.mode is Mode.EXTERNAL
        check(by_certificate == expected, f"Prosody let the router in by certificate: {by_certificate}")


@suite.case("The messages of a conversation with {peer} keep their order in both directions")
async def order(world, peer):
    home_texts = [f"from home, {number} of {CONVERSATION_LENGTH}" for number in range(CONVERSATION_LENGTH)]
    peer_texts = [f"from {peer}, {number} of {CONVERSATION_LENGTH}" for number in range(CONVERSATION_LENGTH)]
    for home_text, peer_text in zip(home_texts, peer_texts):
        world.users[peer].chat(world.router.address_of(HOME_USER), peer_text)
        await world.router.send(HOME_USER, world.address_on(peer), home_text)
    await world.users[peer].text_from(world.router.address_of(HOME_USER), home_texts[-1])
    await world.router.inboxes[HOME_USER].text_from(world.address_on(peer), peer_texts[-1])
    arrived = [message["body"] for message in world.users[peer].messages.items]
    check([text for text in arrived if text in home_texts] == home_texts, f"on {peer} arrived: {arrived}")
    arrived = world.router.inboxes[HOME_USER].texts()
    check([text for text in arrived if text in peer_texts] == peer_texts, f"at home arrived: {arrived}")


@suite.case("A home user gets a receipt from a user on {peer}")
async def receipt_to_home(world, peer):
    message_id = await world.router.send(HOME_USER, world.address_on(peer), "have you got this?")
    receipt = await world.router.inboxes[HOME_USER].about("receipt", message_id)
    check(receipt["from"] == world.address_on(peer), f"the receipt is from {receipt['from']}")


@suite.case("A user on {peer} gets a receipt from a home user")
async def receipt_to_peer(world, peer):
    user, home = world.users[peer], world.router.address_of(HOME_USER)
    message_id = user.chat(home, "have you got that?", receipt=True)
    receipt = await user.messages.first(
        lambda message: message["receipt"] == message_id and message["from"].bare == home, f"a receipt of {message_id}"
    )
    check(not receipt["request_receipt"], "the receipt itself asks for a receipt (XEP-0184 section 5.3 forbids it)")


@suite.case("A message from {peer} that asks for no receipt gets none")
async def no_receipt(world, peer):
    user, home = world.users[peer], world.router.address_of(HOME_USER)
    quiet = user.chat(home, "no receipt, please")
    loud = user.chat(home, "but one for this")
    await world.router.inboxes[HOME_USER].text_from(world.address_on(peer), "but one for this")
    later = user.chat(home, "and for this", receipt=True)
    await user.messages.first(lambda message: message["receipt"] == later, f"a receipt of {later}")
    receipts = {message["receipt"] for message in user.messages.items}
    check(not receipts & {quiet, loud}, "a receipt came that nobody had asked for")


@suite.case("A home user sees that a user on {peer} starts and stops typing")
async def typing_to_home(world, peer):
    for state in ("composing", "paused"):
        world.users[peer].chat_state(world.router.address_of(HOME_USER), state)
        await world.router.inboxes[HOME_USER].typing_from(world.address_on(peer), state)


@suite.case("A user on {peer} sees that a home user starts and stops typing")
async def typing_to_peer(world, peer):
    home = world.router.address_of(HOME_USER)
    for state in ("composing", "paused"):
        await world.router.send_typing(HOME_USER, world.address_on(peer), state)
        await world.users[peer].messages.first(
            lambda message: message["chat_state"] == state and message["from"].bare == home, f"the chat state {state}"
        )


@suite.case("An error comes back to {peer} for a home user that does not exist")
async def unknown_home_user(world, peer):
    user = world.users[peer]
    condition = await user.error_about(user.chat(world.router.address_of("nobody"), "is anybody there?"))
    check(condition in ("service-unavailable", "item-not-found"), f"the error is {condition}")


@suite.case("A failure comes back to a home user for a user that {peer} does not have")
async def unknown_peer_user(world, peer):
    to = world.peers[peer].address_of("nobody")
    message_id = await world.router.send(HOME_USER, to, "is anybody there?")
    failure = await world.router.inboxes[HOME_USER].about("failure", message_id)
    check(failure["from"] == to, f"the failure is from {failure['from']}")
    check(failure["text"], "the failure gives no reason")


@suite.case("The home domain tells {peer} what it is and what it can do")
async def discovery(world, peer):
    answer = await world.users[peer]["xep_0030"].get_info(jid=world.router.domain, timeout=10)
    check(answer["disco_info"]["identities"], "it has no identity")
    features = answer["disco_info"]["features"]
    for feature in ("http://jabber.org/protocol/disco#info", "urn:xmpp:ping"):
        check(feature in features, f"{feature} is not among the features: {features}")


@suite.case("The home domain answers a ping from {peer}")
async def ping(world, peer):
    await world.users[peer]["xep_0199"].send_ping(world.router.domain, timeout=10)


@suite.case("An error answers a request from {peer} that the home domain does not know")
async def unknown_request(world, peer):
    request = world.users[peer].make_iq_get(queryxmlns="urn:example:no-such-request", ito=world.router.domain)
    answer = await world.users[peer].answer_to(request)
    check(answer["type"] == "error", f"the answer is of type {answer['type']}")
    condition = answer["error"]["condition"]
    check(condition in ("service-unavailable", "feature-not-implemented"), f"the error is {condition}")


@suite.case("Prosody and the router acknowledge each other's stanzas where certificates prove who they are")
async def acknowledgements(world):
    await to_peer(world, "Prosody", "is this acknowledged?")
    await from_peer(world, "Prosody", "and this?")
    expected = world.peers["Prosody"].mode is Mode.EXTERNAL

    async def acknowledged():
        details = await world.router.link_details(world.peers["Prosody"].domain)
        return bool(details) and all(("acknowledged" in detail) == expected for detail in details)

    await until(acknowledged, f"all links acknowledged: {expected}")


@suite.case("One stream with Prosody carries both directions, whichever side opens it; ejabberd has none, and gets two")
async def both_ways(world):
    for first, second in ((to_peer, from_peer), (from_peer, to_peer)):
        await world.router.restart()
        for peer in world.peers:
            await first(world, peer, "one stream")
            await second(world, peer, "or two?")
        details = await world.router.link_details(world.peers["Prosody"].domain)
        check(any("both ways" in detail for detail in details), f"with Prosody there are {details}")
        streams = [detail for detail in details if not detail.startswith("out on a stream of theirs")]
        # To have a dialback key verified, Prosody opens a stream that it uses from then on.
        expected = 1 if world.peers["Prosody"].mode is Mode.EXTERNAL else 2
        check(len(streams) <= expected, f"with Prosody there are {details}")
        details = await world.router.link_details(world.peers["ejabberd"].domain)
        check(not any("both ways" in detail for detail in details), f"with ejabberd there are {details}")
        check(len(details) == 2, f"with ejabberd there are {details}")


@suite.case("A trial connection to {peer} tells of each step, and how the router is let in")
async def trial(world, peer):
    server = world.peers[peer]
    steps = await world.router.lines_of("test", server.domain)
    good = {step["step"]: step["good"] for step in steps if "step" in step}
    check(good["dns"] and good["tcp"] and good["tls"], f"the steps were {steps}")
    check(good["certificate"] == (server.mode is Mode.EXTERNAL), f"the certificate: {steps}")
    check(f"by {server.mode.proof}" in steps[-2]["text"], f"the authentication: {steps[-2]}")
    check(steps[-1] == {"done": True, "good": True, "partner": server.domain}, f"the end: {steps[-1]}")


@suite.case("{peer} is blocked by the operator, also after a restart, and unblocked again")
async def blocking(world, peer):
    domain = world.peers[peer].domain
    await to_peer(world, peer, "before the block")
    await world.router.command("partners", "block", domain)
    report = await world.router.partner(domain)
    check(report["blocked"], f"the report is {report}")
    message_id = await world.router.send(HOME_USER, world.address_on(peer), "while it is blocked")
    failure = await world.router.inboxes[HOME_USER].about("failure", message_id)
    check("blocked" in failure["text"], f"the failure says {failure['text']}")
    await world.router.restart()
    check((await world.router.partner(domain))["blocked"], "the block is forgotten after a restart")
    await world.router.command("partners", "unblock", domain)
    await to_peer(world, peer, "after the block")
    await from_peer(world, peer, "after the block, from there")
    report = await world.router.partner(domain)
    check(not report["blocked"] and report["messages_in"] > 0 and report["messages_out"] > 0, f"it is {report}")
    check(report["attempts"][-1]["succeeded"], f"the attempts are {report['attempts']}")


@suite.case("A home user who has nothing to do with it sees nothing of all this")
async def bystander(world):
    others = [name for name in world.router.inboxes if name != HOME_USER]
    for peer in world.peers:
        text = f"for the other home user, from {USER} on {peer}"
        world.users[peer].chat(world.router.address_of(others[0]), text)
        await world.router.inboxes[others[0]].text_from(world.address_on(peer), text)
    entries = world.router.inboxes[others[0]].entries.items
    check(len(entries) == len(world.peers), f"the inbox holds more than was meant for it: {entries}")


@suite.case("The router ends in order when it is told to, and after its restart nothing is lost and all goes on")
async def restart(world):
    before = world.router.inboxes[HOME_USER].texts()
    await world.router.restart()
    inbox = world.router.inboxes[HOME_USER]
    await inbox.entries.first(lambda entry: len(inbox.texts()) >= len(before), "all that was there before")
    check(inbox.texts() == before, f"the inbox held {before} before the restart, and now {inbox.texts()}")
    for peer in world.peers:
        await to_peer(world, peer, "back again")
        await from_peer(world, peer, "welcome back")
