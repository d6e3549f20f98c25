"""The two real servers with each other: proves that the set-up works, whatever the router does."""

from harness.peers import Mode
from harness.suites import Suite
from harness.waiting import check
from harness.world import USER

suite = Suite()

TEXT = "<b>bold</b> & \"quoted\" ]]> \U0001F469‍\U0001F680\nsecond line"


async def exchange(world, sender, receiver):
    """One message from a user on one server to a user on the other."""
    world.users[sender].chat(world.address_on(receiver), TEXT)
    await world.users[receiver].text_from(world.address_on(sender), TEXT)


@suite.case("A message from Prosody reaches ejabberd unchanged")
async def prosody_to_ejabberd(world):
    await exchange(world, "Prosody", "ejabberd")


@suite.case("A message from ejabberd reaches Prosody unchanged")
async def ejabberd_to_prosody(world):
    await exchange(world, "ejabberd", "Prosody")


@suite.case("A receipt travels between the two servers")
async def receipt(world):
    sender = world.users["Prosody"]
    message_id = sender.chat(world.address_on("ejabberd"), "a receipt, please", receipt=True)
    await sender.messages.first(lambda message: message["receipt"] == message_id, "a receipt")


@suite.case("The two servers let each other in by the mechanism of the scenario and no other")
async def mechanism(world):
    await exchange(world, "Prosody", "ejabberd")
    await exchange(world, "ejabberd", "Prosody")
    prosody, ejabberd = world.peers["Prosody"], world.peers["ejabberd"]
    if prosody.mode is Mode.EXTERNAL:
        await prosody.until_logged("Accepting SASL EXTERNAL identity from ejabberd.test")
        await ejabberd.until_logged("Accepted inbound s2s EXTERNAL authentication", "prosody.test")
    else:
        await ejabberd.until_logged("Accepted inbound s2s dialback authentication", "prosody.test")
        log = prosody.log_since({}) + ejabberd.log_since({})
        check("Accepting SASL EXTERNAL" not in log, "Prosody let ejabberd in by certificate")
        check("Accepted inbound s2s EXTERNAL" not in log, "ejabberd let Prosody in by certificate")


@suite.case("An error comes back from {peer} for a user that it does not have")
async def unknown_user(world, peer):
    other = next(name for name in world.peers if name != peer)
    sender = world.users[other]
    message_id = sender.chat(world.peers[peer].address_of("nobody"), f"hello {USER}'s neighbour")
    condition = await sender.error_about(message_id)
    check(condition == "service-unavailable", f"{peer} answered {condition}")
