"""Contacts and presence between the router's home users and users of the real servers (RFC 6121 §3 and §4)."""

from harness.suites import Suite
from harness.waiting import check, until
from harness.world import HOME_USER

suite = Suite()


async def strangers(world, peer):
    """Makes the home user and the user on a peer know nothing of each other."""
    user, home, contact = parties(world, peer)
    router = world.router
    await router.set_presence(HOME_USER, "offline")
    user.send_presence()

    async def have_forgotten():
        if await router.contact(HOME_USER, contact):
            await router.change_contact("remove", HOME_USER, contact)
            return False
        if await user.roster_item(home):
            await user.remove_contact(home)
            return False
        return True

    await until(have_forgotten, f"{home} and {contact} to have forgotten each other")
    user.forget()
    world.router.inboxes[HOME_USER].entries.items.clear()


def parties(world, peer):
    """The client of the user on a peer, the home user's address, and the user's."""
    return world.users[peer], world.router.address_of(HOME_USER), world.address_on(peer)


async def until_contact(world, contact, subscription, **more):
    """Waits until the home user's list has the contact in this state."""

    async def is_so():
        found = await world.router.contact(HOME_USER, contact)
        wanted = {"subscription": subscription, **more}
        return found if found and all(found[key] == value for key, value in wanted.items()) else None

    return await until(is_so, f"{contact} to be {subscription} {more or ''} on the list of {HOME_USER}")


async def until_seen(world, contact, availability, status=""):
    """Waits until the home user sees the contact so."""

    async def is_so():
        found = await world.router.contact(HOME_USER, contact)
        presence = (found or {}).get("presence") or {}
        return (presence.get("availability"), presence.get("status")) == (availability, status)

    await until(is_so, f"{HOME_USER} to see {contact} as {availability} {status!r}")


async def befriend(world, peer):
    """Leads both to `both`, beginning with the home user."""
    user, home, contact = parties(world, peer)
    await world.router.change_contact("add", HOME_USER, contact, "--name", "Bob", "--group", "Friends")
    await user.presence_from(home, "subscribe")
    user.presence_to(home, "subscribed")
    await until_contact(world, contact, "to")
    user.presence_to(home, "subscribe")
    await world.router.inboxes[HOME_USER].entries.first(
        lambda entry: (entry["kind"], entry["from"], entry["text"]) == ("subscription", contact, "request"),
        f"a request of {contact}",
    )
    await world.router.change_contact("approve", HOME_USER, contact)
    await until_contact(world, contact, "both", asked=False, requests=False)
    await user.pushed(home, "both")


@suite.case("A home user adds a contact on {peer}, who approves: roster there, list here, and the presence arrives")
async def added_from_home(world, peer):
    await strangers(world, peer)
    user, home, contact = parties(world, peer)
    user.send_presence(pshow="away", pstatus="at lunch")
    await world.router.change_contact("add", HOME_USER, contact, "--name", "Bob", "--group", "Friends")
    await until_contact(world, contact, "none", asked=True, name="Bob", groups=["Friends"])
    await user.presence_from(home, "subscribe")
    user.presence_to(home, "subscribed")
    await user.pushed(home, "from")
    await until_contact(world, contact, "to", asked=False)
    await until_seen(world, contact, "away", "at lunch")


@suite.case("A user on {peer} adds a home user, who approves: roster pushes there, list here, and the presence arrives")
async def added_from_peer(world, peer):
    await strangers(world, peer)
    user, home, contact = parties(world, peer)
    await world.router.set_presence(HOME_USER, "busy", "in a meeting")
    user.presence_to(home, "subscribe")
    await user.pushed(home, "none", "subscribe")
    await world.router.inboxes[HOME_USER].entries.first(
        lambda entry: (entry["kind"], entry["from"], entry["text"]) == ("subscription", contact, "request"),
        f"a request of {contact}",
    )
    await until_contact(world, contact, "none", requests=True, listed=False)
    await world.router.change_contact("approve", HOME_USER, contact)
    await user.presence_from(home, "subscribed")
    await user.pushed(home, "to")
    await user.presence_from(home, "dnd", "in a meeting")
    await until_contact(world, contact, "from", requests=False)


@suite.case("A home user denies a user on {peer}: the roster there asks no longer")
async def denied(world, peer):
    await strangers(world, peer)
    user, home, contact = parties(world, peer)
    user.presence_to(home, "subscribe")
    await user.pushed(home, "none", "subscribe")
    await until_contact(world, contact, "none", requests=True)
    await world.router.change_contact("deny", HOME_USER, contact)
    await user.presence_from(home, "unsubscribed")
    await user.pushed(home, "none")
    check(await world.router.contact(HOME_USER, contact) is None, "who was denied is still on the list")


@suite.case("A user on {peer} denies a home user, whose list asks no longer")
async def denied_there(world, peer):
    await strangers(world, peer)
    user, home, contact = parties(world, peer)
    await world.router.change_contact("add", HOME_USER, contact)
    await user.presence_from(home, "subscribe")
    user.presence_to(home, "unsubscribed")
    await until_contact(world, contact, "none", asked=False, listed=True)


@suite.case("Presence of both changes: the home user and the user on {peer} see each change, and offline")
async def changes(world, peer):
    await strangers(world, peer)
    user, home, contact = parties(world, peer)
    await befriend(world, peer)
    for availability, kind in (("available", "available"), ("chatty", "chat"), ("away", "away"), ("extendedAway", "xa")):
        await world.router.set_presence(HOME_USER, availability, f"I am {kind}")
        await user.presence_from(home, kind, f"I am {kind}")
    await world.router.set_presence(HOME_USER, "offline", "gone home")
    await user.presence_from(home, "unavailable", "gone home")
    for show, availability in (("chat", "chatty"), ("xa", "extendedAway"), ("dnd", "busy"), (None, "available")):
        user.send_presence(pshow=show, pstatus=f"{peer} {availability}")
        await until_seen(world, contact, availability, f"{peer} {availability}")
    user.send_presence(ptype="unavailable")
    await until_seen(world, contact, "offline")
    user.send_presence()
    await until_seen(world, contact, "available")


@suite.case("A home user removes a contact on {peer}: both lose sight, and the roster there says so")
async def removed_from_home(world, peer):
    await strangers(world, peer)
    user, home, contact = parties(world, peer)
    await befriend(world, peer)
    await world.router.set_presence(HOME_USER, "available")
    await user.presence_from(home, "available")
    user.forget()
    await world.router.change_contact("remove", HOME_USER, contact)
    await user.pushed(home, "none")
    await user.presence_from(home, "unavailable")
    check(await world.router.contact(HOME_USER, contact) is None, "the contact is still on the list")


@suite.case("A user on {peer} removes the home user: the list here says so, and the presence is gone")
async def removed_from_peer(world, peer):
    await strangers(world, peer)
    user, home, contact = parties(world, peer)
    await befriend(world, peer)
    await user.remove_contact(home)
    found = await until_contact(world, contact, "none", asked=False, requests=False)
    check(found.get("presence") is None, f"presence is still shown: {found}")
    user.forget()
    # What is told of this now would be here before the message.
    await world.router.set_presence(HOME_USER, "chatty", "not for you")
    await world.router.send(HOME_USER, contact, "after the presence")
    await user.text_from(home, "after the presence")
    told = [presence for presence in user.presences.items if presence["status"] == "not for you"]
    check(not told, f"presence went to one who may not see it: {told}")


@suite.case("After a restart of the router the contact on {peer} is seen, and sees the home user, as before")
async def restarted(world, peer):
    await strangers(world, peer)
    user, home, contact = parties(world, peer)
    await befriend(world, peer)
    await world.router.set_presence(HOME_USER, "away", "before the restart")
    await user.presence_from(home, "away", "before the restart")
    user.send_presence(pshow="dnd", pstatus="asked anew")
    await until_seen(world, contact, "busy", "asked anew")
    user.forget()
    await world.router.restart()
    await user.presence_from(home, "away", "before the restart")
    await until_contact(world, contact, "both", name="Bob")
    await until_seen(world, contact, "busy", "asked anew")
