"""The router as a component of each real server (XEP-0114): the users are the server's, the network is the echo provider."""

from harness.suites import Suite
from harness.waiting import check, until

suite = Suite()

ECHO = "echo"
"""Who answers every message on the network behind the gateway."""


def network_gateway(world, peer):
    return f"aim.{world.peers[peer].domain}"


def contact(world, peer, name=ECHO):
    return f"{name}@{network_gateway(world, peer)}"


@suite.case("{peer} lets the router in as a component")
async def admitted(world, peer):
    gateway = network_gateway(world, peer)

    async def up():
        details = await world.router.link_details(gateway)
        return details and all(detail.startswith("component") for detail in details)

    await until(up, f"the gateway {gateway} up")


@suite.case("A user on {peer} writes to the network behind the gateway, and gets the answer")
async def messages(world, peer):
    user = world.users[peer]
    for text in ("hello", "<b>bold</b> & \"quoted\" ]]> \U0001F469‍\U0001F680\nsecond line"):
        user.chat(contact(world, peer), text)
        await user.text_from(contact(world, peer), text)


@suite.case("Fifty messages of a user on {peer} come back in their order")
async def order(world, peer):
    user = world.users[peer]
    texts = [f"component {number}" for number in range(50)]
    for text in texts:
        user.chat(contact(world, peer), text)
    await user.text_from(contact(world, peer), texts[-1])
    arrived = [message["body"] for message in user.messages.items if message["body"] in texts]
    check(arrived == texts, f"on {peer} arrived: {arrived}")


@suite.case("An error comes back to {peer} for a name that nobody serves")
async def unknown(world, peer):
    user = world.users[peer]
    condition = await user.error_about(user.chat(contact(world, peer, "nobody"), "is anybody there?"))
    check(condition in ("service-unavailable", "item-not-found", "remote-server-not-found"), f"the error is {condition}")


@suite.case("A message to a user that {peer} does not have fails at its author's")
async def unknown_user(world, peer):
    nobody = world.peers[peer].address_of("nobody")
    message_id = await world.router.send("dave", nobody, "is anybody there?")
    failure = await world.router.inboxes["dave"].about("failure", message_id)
    check(failure["from"] == nobody, f"the failure is from {failure['from']}")


@suite.case("A user of the router and one on {peer} write to each other, with receipts")
async def receipts(world, peer):
    user, dave = world.users[peer], world.router.address_of("dave")
    standing = f"dave\\40{world.router.domain}@im.{world.peers[peer].domain}"
    message_id = user.chat(standing, "have you got that?", receipt=True)
    await world.router.inboxes["dave"].text_from(world.address_on(peer), "have you got that?")
    await user.messages.first(
        lambda message: message["receipt"] == message_id and message["from"].bare == standing, "a receipt"
    )
    message_id = await world.router.send("dave", world.address_on(peer), "and this?")
    await user.text_from(standing, "and this?")
    receipt = await world.router.inboxes["dave"].about("receipt", message_id)
    check(receipt["from"] == world.address_on(peer), f"the receipt of {dave} is from {receipt['from']}")


@suite.case("A user on {peer} and somebody on the network agree to see each other, and the user sees that they are there")
async def subscription(world, peer):
    user, other = world.users[peer], contact(world, peer)
    user.send_presence_subscription(pto=other, ptype="subscribe")
    await user.presences.first(
        lambda stanza: stanza["type"] == "subscribed" and stanza["from"].bare == other, "the subscription's acceptance"
    )
    await user.presences.first(
        lambda stanza: stanza["type"] == "available" and stanza["from"].bare == other, "the contact's presence"
    )
    roster = await user.answer_to(user.make_iq_get(queryxmlns="jabber:iq:roster"))
    items = {item["jid"].bare: item["subscription"] for item in roster["roster"]["substanzas"]}
    check(items.get(other) == "to", f"the roster has {items}")


@suite.case("The gateway tells {peer}'s users what it is, and which JID a name has")
async def discovery(world, peer):
    user, gateway = world.users[peer], network_gateway(world, peer)
    answer = await user["xep_0030"].get_info(jid=gateway, timeout=10)
    identities = {(category, kind) for category, kind, _, _ in answer["disco_info"]["identities"]}
    check(("gateway", "aim") in identities, f"its identities are {identities}")
    check("jabber:iq:gateway" in answer["disco_info"]["features"], "it does not offer jabber:iq:gateway")
    items = await user["xep_0030"].get_items(jid=user.peer.domain, timeout=10)
    check(gateway in {jid for jid, _, _ in items["disco_items"]["items"]}, "the server does not list the gateway")
    await user["xep_0199"].send_ping(gateway, timeout=10)


@suite.case("The gateway itself can be subscribed to on {peer}, and is there")
async def gateway_presence(world, peer):
    user, gateway = world.users[peer], network_gateway(world, peer)
    user.send_presence_subscription(pto=gateway, ptype="subscribe")
    await user.presences.first(
        lambda stanza: stanza["type"] == "available" and stanza["from"].bare == gateway, "the gateway's presence"
    )


@suite.case("After a restart of the router all goes on with {peer}")
async def restart(world, peer):
    await world.router.restart()
    await admitted(world, peer)
    user = world.users[peer]
    user.chat(contact(world, peer), "welcome back")
    await user.text_from(contact(world, peer), "welcome back")
