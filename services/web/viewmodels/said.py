"""What the services say to people, in the language of the reader.

The services speak English. Their sentences are known here by their form: what stands in them, a name or
another sentence, is found again and put into the translation. What is not known is shown as it was said.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache

from flask_babel import get_locale, gettext

MAX_LENGTH = 1000
"""Longer sentences are names and comments of people: they are shown as they are."""


def mark(text: str) -> str:
    """Mark a text that is to be translated, and is not yet."""
    return text


PHRASES = (
    # Who somebody is with regard to a namespace, and what that means.
    mark("the internal account"),
    mark("an administrator"),
    mark("an auditor"),
    mark("the person whose namespace it is"),
    mark("an owner of the team"),
    mark("a contributor of the team"),
    mark("a viewer of the team"),
    mark("somebody outside the team"),
    mark("a robot"),
    mark("an anonymous caller"),
    mark("%(who)s may not: %(why)s"),
    mark("%(who)s may"),
    mark("a grant says so"),
    mark("a grant to the team %(team)s says so"),
    mark("nobody is refused"),
    mark("only people who have signed in may pull from it"),
    mark("only members of its team may pull from it"),
    mark("only contributors and owners of its team may push to it"),
    mark("people may only push to their own namespace here"),
    mark("only administrators may push here"),
    mark("deleting is switched off here"),
    mark("only owners of its team may delete from it"),
    mark("only contributors and owners of its team may delete from it"),
    mark("only administrators and auditors may list the whole registry"),
    mark("Portus knows no such namespace"),
    mark("the application token is narrowed to repositories"),
    mark("the application token does not carry the right to %(action)s"),
    mark("the application token does not reach into this namespace"),
    mark("the repository is frozen: %(why)s"),
    mark("the namespace is frozen: %(why)s"),
    mark("an owner of the team %(team)s"),
    mark("a contributor of the team %(team)s"),
    mark("a viewer of the team %(team)s"),
    mark("grant %(number)s to the team %(team)s"),
    mark("grant %(number)s"),
    # Why something was not scanned.
    mark("The manifest has not been read from the registry yet."),
    mark("The registry does not have the manifest."),
    mark("The manifest cannot be read."),
    mark("The manifest has no layers."),
    mark("This is no image."),
    mark("None of its images can be scanned."),
    mark("Only what a tag points at is scanned, and of an index the images that can be had."),
    mark("%(platform)s was not scanned: %(why)s"),
    mark("Whoever scanned it came to an end over it."),
    mark("The scan broke off: see the log of the worker."),
    mark("The scanner does not answer (%(why)s)."),
    mark("The scanner does not read %(type)s."),
    mark("The scanner answers %(status)s."),
    mark("The scanner is busy (429)."),
    mark("The scanner does not let us in (%(status)s): see PORTUS_SCANNER_AUTHORIZATION."),
    mark("The scanner sends us elsewhere (%(status)s), where we do not go."),
    mark("The scanner makes no report that Portus can read."),
    mark("The scanner does not say what it is: see PORTUS_SCANNER_URL."),
    mark("The scanner's report cannot be read."),
    mark("The scanner's answer names no scan."),
    mark("The scanner's answer has more than %(count)s bytes."),
    mark("The scanner broke off (%(fault)s)."),
    mark("The scanner took more than %(seconds)s s for one answer."),
    mark("The scanner does not know the scan any more."),
    mark("There was no report within %(seconds)s s."),
    # What would change that, and who can do it.
    mark("Use an application token that is not narrowed to less than this."),
    mark("Log in."),
    mark("End the freeze."),
    mark("Become a viewer of the team '%(team)s'."),
    mark("Become a contributor of the team '%(team)s'."),
    mark("Become an owner of the team '%(team)s'."),
    mark("Get a grant of %(action)s on %(repository)s."),
    mark("Make the namespace protected."),
    mark("Make the namespace public."),
    mark("Set the push policy to %(policy)s (PORTUS_PUSH_POLICY)."),
    mark("Switch deleting on (PORTUS_DELETE_ENABLED)."),
    mark("Let contributors delete (PORTUS_DELETE_CONTRIBUTORS)."),
    mark("the caller"),
    mark("the owners of the namespace"),
    mark("the owners of the team"),
    mark("the administrators"),
    mark("whoever runs Portus"),
    # In what index and registry differ.
    mark("Events of the registry were lost at that time."),
    mark(
        "The registry was changed and told nobody: its notifications do not reach Portus, its storage was changed or "
        "restored, or it was used while they were switched off."
    ),
    mark("Its tags were deleted; a registry keeps the empty repository in its catalogue."),
    mark(
        "The manifest went from the registry's storage and its tag stayed: a garbage collection that deleted untagged "
        "manifests, or a deletion by hand. Or Portus was interrupted while it deleted the tag."
    ),
    mark("The registry's catalogue is behind, or its page was cut off."),
    mark("Its images were pushed before Portus came, or past it."),
    mark("The registry does not answer for it, or for one of its tags, or its answer cannot be right."),
    mark("None: it is in the index now."),
    mark("None: the index says where it points now."),
    mark("Set PORTUS_CRAWL_STRATEGY=update-delete to let go of it at the next round, or push it again."),
    mark("Push the image again, or delete the tag."),
    mark("None is needed; its folder can be deleted in the registry's storage."),
    mark("None is needed; see whether the registry's catalogue is complete."),
    mark("An administrator makes the namespace for a team."),
    mark(
        "See the registry's log, and that of the catalog's worker; then ask for a full crawl, or wait for its next "
        "turn."
    ),
    mark("None: it is over."),
    # What is wrong with a field.
    mark("has already been taken"),
    mark("Missing data for required field."),
    mark("Not a valid email address."),
    mark("Length must be between %(least)s and %(most)s."),
    mark("Longer than maximum length %(most)s."),
    mark("Shorter than minimum length %(least)s."),
    mark("must have %(least)s to %(most)s characters"),
    mark("must be in the future"),
    mark("is wrong"),
    mark("is reserved"),
    mark("is already a member of the team"),
    mark("an account is administrator or auditor, not both"),
    mark("a bot cannot be administrator"),
    mark("a bot has none: make an application token for it"),
    mark("a Portus administrator is always an owner"),
    mark("the last enabled administrator cannot be deleted"),
    mark("the last enabled administrator cannot be demoted or disabled"),
    mark("the last enabled administrator cannot be disabled: make another one first"),
    mark("the only owner of a team cannot be demoted: make somebody else an owner first"),
    mark("the only owner of a team cannot be removed: make somebody else an owner first"),
    mark("must be the username of another person, with an enabled account"),
    mark("must hold a letter or a digit: the personal namespace is named after it"),
    mark("must begin with %(namespace)s/, for example %(example)s/app-*"),
    mark("must be a host and, where needed, a port: registry.example.org:5000"),
    mark("there is no such namespace: %(namespace)s"),
    mark("%(count)s namespaces are in it: delete them first"),
    mark("the first registry is the one that the environment names; it stays"),
    mark("is not in this namespace: name it in full, as it is pushed"),
    mark("is frozen already: change the reason, or end that freeze"),
    mark("the global namespace may be public or protected"),
    mark("You cannot take the administrator's right from yourself: another administrator can."),
    mark("You cannot delete your own account: another administrator can."),
    mark("An auditor sees everything and changes nothing."),
    mark("Only administrators may do this."),
    mark("is used too often already: choose another"),
    mark("must have 1 to %(most)s characters"),
    mark("there is no such custom role"),
    mark("is disabled, and could not act for the team"),
    mark("is the team that is to be deleted"),
    mark("must hold no slash: no name in the global namespace does"),
    mark("may hold at most %(count)s stars"),
    mark("grant %(number)s, on %(pattern)s, gives all of this already"),
    mark("grant %(number)s is on the same pattern for the same grantee: change that one"),
    mark("has %(count)s grants, and no more are possible: revoke some"),
    mark("there are %(count)s robots here, and no more are possible: delete one"),
    mark("%(count)s are good already: revoke the one that nobody uses any more"),
    mark("must be addresses or networks such as 10.1.0.0/16: %(fault)s"),
    mark("must be within %(count)s seconds from now: nobody's token lives longer"),
    mark("must name 1 to %(most)s namespaces, or be left out"),
    mark("cannot change while %(count)s namespaces are in the registry"),
    mark("there are %(count)s tokens already and %(most)s are allowed: revoke one that is not needed"),
    mark("You may not make a namespace for this team: there is none of that name, or you are not in it."),
    mark("Only the person and administrators may end sessions."),
    mark("People do not make their own accounts here: ask an administrator for one."),
    mark("Too many attempts with a wrong password. Wait and try again."),
    # What somebody may not do.
    mark("You may not %(what)s: %(why)s."),
    mark("nobody may: %(why)s"),
    mark("only owners of the team and administrators may"),
    mark("only members of the team may"),
    mark("only administrators may"),
    mark("only administrators and auditors may"),
    mark("only people may"),
    mark("the team belongs to one person or to the global namespace"),
    mark("the global namespace and personal ones stay where they are"),
    mark("the global namespace stays, and a personal one goes with its person"),
    mark("deleting is switched off here (PORTUS_DELETE_ENABLED)"),
    mark("only administrators may here (%(variable)s)"),
    mark("see accounts"),
    mark("manage accounts"),
    mark("make a team"),
    mark("see the team"),
    mark("change the team"),
    mark("change who is in the team"),
    mark("delete the team"),
    mark("make a namespace for this team"),
    mark("describe the namespace"),
    mark("change who sees the namespace"),
    mark("give the namespace to another team"),
    mark("delete the namespace"),
    mark("freeze anything in the namespace"),
    mark("see what is frozen in the namespace"),
    mark("describe repositories of the namespace"),
    mark("give or take grants in the namespace"),
    mark("manage its robots"),
    mark("see webhooks of the namespace"),
    mark("make and delete webhooks of the namespace"),
    mark("change webhooks of the namespace"),
    mark("A narrowed application token makes no other tokens."),
    mark("Deleting images is switched off here (PORTUS_DELETE_ENABLED): name a new_team instead."),
    mark("Only administrators and auditors may see the registries."),
    mark("Only administrators and auditors may see the settings."),
    mark("Only administrators and auditors may see this."),
    mark("Only administrators may change a grant that holds in many namespaces."),
    mark("Only administrators may make a team for somebody else."),
    mark("Only administrators, auditors and those who manage the namespace may ask this."),
    mark("Only people who have signed in may."),
    mark("Only the person, administrators and auditors may see sessions."),
    mark("Only their owner and administrators may revoke application tokens."),
    mark("Only their owner and administrators may revoke logins."),
    mark("Only their owner, administrators and auditors may see application tokens."),
    mark("Only their owner, administrators and auditors may see logins."),
    mark("People make application tokens for themselves; administrators make them for bots."),
    mark("This account is for the registry and is not a person."),
    mark("This application token is narrowed: it is for the registry only."),
    mark("a robot belongs to a namespace or to a team"),
    mark("has got a namespace just now: send the request again"),
    mark("is for a namespace that stays, and delete_namespace for one that goes"),
    mark("is needed where no namespace is named: * is everything"),
    mark("is the name of a built-in role"),
    mark("more than %(count)s grants carry it: revoke some of them first"),
    mark("must have 1 to %(most)s lower-case letters and digits, with '.', '_', '__' or dashes between them"),
    mark("must name at least one of %(actions)s, and nothing else"),
    mark("name either actions or a custom role"),
    mark("say either this or expires_at"),
    mark("the scope type %(type)s is not known: use repository or registry"),
    mark("the type %(type)s is not known: use repository or registry"),
    mark("there are %(count)s roles, and no more are possible: delete one"),
    # What was not done, and why.
    mark("Nothing was deleted: %(why)s."),
    mark("the registry deletes no tag alone"),
    mark("the registry deletes nothing: storage.delete.enabled must be true in its configuration"),
    mark("auth lets nobody delete: PORTUS_DELETE_ENABLED is false there"),
    mark("Not everything could be deleted. What is gone is gone; ask again for the rest."),
    mark("There is more to delete than there was time for. Ask again to go on."),
    mark("The tag points at something else by now. Look again, and delete it then if you still want to."),
    mark(
        "In the registry %(names)s leads to this manifest, too, and the index does not know that yet. Nothing was "
        "deleted, and the repository is read anew: look again in a few minutes."
    ),
    mark("It is deleted, but tags that were about it could not be: %(names)s. Delete them by themselves."),
    mark("It cannot be restored: the registry no longer has all that it is made of."),
    mark(
        "The tag %(tag)s must not move: rule %(number)s (%(tags)s) says so. "
        "It can only be put back where it was before somebody moved it."
    ),
    mark("This manifest has not been read from the registry yet. Try again in a moment."),
    mark("Only its author may change a comment."),
    mark("Only its author and administrators may delete a comment."),
    mark("Only administrators make rules for the whole installation."),
    mark("There are %(count)s rules on tags that must not move already."),
    mark("The rule cannot be like this."),
    mark("must say something"),
    mark("is empty"),
    # Why a retention rule leaves a tag or lets it go, and how a run ends.
    mark("the rule is not about tags of this name"),
    mark("its name is excepted"),
    mark("its labels are not known yet"),
    mark("the rule is not about images with these labels"),
    mark("a label of it is excepted"),
    mark("it is number %(number)s of the newest %(count)s"),
    mark("it is younger than 1 day"),
    mark("it is younger than %(count)s days"),
    mark("it was pulled within 1 day"),
    mark("it was pulled within %(count)s days"),
    mark("not among the newest %(count)s"),
    mark("1 day old"),
    mark("%(count)s days old"),
    mark("not pulled for 1 day"),
    mark("not pulled for %(count)s days"),
    mark("never pulled"),
    mark("about an image that an earlier run has deleted"),
    mark("alone because the repository has too many tags to look for what else leads to its image"),
    mark("alone because it could not be seen what else leads to its image"),
    mark("the rule was changed or switched off; the next run goes by what it says now"),
    mark("the registry did not answer for every tag in %(names)s; the next run tries them again"),
    mark("%(count)s deletions were refused one after the other, the last one so: %(why)s"),
    mark("say at least one of keep_newest, older_than_days, unpulled_days"),
    mark("is taken"),
    mark("there are %(count)s rules already"),
    mark("it comes from PORTUS_DELETE_GARBAGE_COLLECTOR_…, and goes with that"),
    mark("it comes from PORTUS_DELETE_GARBAGE_COLLECTOR_…: change those variables"),
    mark("is kept for the rule of PORTUS_DELETE_GARBAGE_COLLECTOR_…"),
    # Webhooks, and what became of what they were told.
    mark("Only administrators manage webhooks of the whole installation."),
    mark("must not be blank"),
    mark("must have %(most)s characters at most"),
    mark("must hold visible ASCII characters only: write others percent-encoded, and names of hosts in Punycode"),
    mark("is no address"),
    mark("must begin with http:// or https://"),
    mark("must hold no user and no password: give them by themselves"),
    mark("must hold no fragment (#)"),
    mark("must hold no colon and no control characters"),
    mark("is not public, and not among PORTUS_WEBHOOK_ALLOWED_NETWORKS"),
    mark("must be the name of an HTTP header: letters, digits and hyphens"),
    mark("is set by Portus itself"),
    mark("must be visible ASCII characters, with blanks between them at most"),
    mark("must be whsec_ and the Base64 of %(count)s bytes at least, or any other text"),
    mark("has %(count)s webhooks already, which is the most"),
    mark("there are %(count)s headers already, which is the most"),
    mark("It answered %(status)s. Redirects are not followed: enter the address that it leads to."),
    mark("It answered %(status)s."),
    mark("No answer within %(count)s seconds."),
    mark("Its certificate is not believed: %(fault)s."),
    mark("It refuses the connection."),
    mark("The connection was broken off (%(fault)s)."),
    mark("Its name cannot be resolved."),
    mark("Its answer cannot be understood."),
    mark("Its answer has more than %(count)s bytes."),
    mark("Its address is not public, and not among PORTUS_WEBHOOK_ALLOWED_NETWORKS."),
    mark("The webhook was disabled before this was sent."),
    mark("The namespace went to another team before this was sent."),
    mark("The namespace went to another team: whoever gives its address anew takes it over."),
    mark("Its password, secret or headers cannot be read since PORTUS_INTERNAL_SECRET is another: enter them again."),
)
"""Sentences of the services; ``%(…)s`` stands for a name or for another sentence."""

SENTENCES = frozenset({"who", "why", "what"})
"""What stands for another sentence; all else is a name, and no word of the language."""


def say(text: object) -> str:
    """Return a sentence of a service in the language of the reader; one that is not known as it is."""
    sentence = str(text)
    if str(get_locale()) == "en" or len(sentence) > MAX_LENGTH:
        return sentence
    return _translate(sentence)


def say_all(texts: str) -> str:
    """Return reasons that a service has joined by commas, each as ``say`` does."""
    return ", ".join(map(say, texts.split(", ")))


def _translate(sentence: str) -> str:
    if sentence in _fixed():
        return str(gettext(sentence))
    matches = list(_matches(sentence))
    if not matches:
        return sentence
    # Where several forms fit, the one whose inner sentences are known is meant: a name could be anything.
    phrase, found = max(matches, key=lambda match: _how_sure(match[1]))
    known = {name: _translate(value) if name in SENTENCES else value for name, value in found.items()}
    return str(gettext(phrase, **known))


def _how_sure(found: Mapping[str, str]) -> int:
    inner = [value for name, value in found.items() if name in SENTENCES]
    if not inner:
        return 1
    return 2 if all(value in _fixed() or any(_matches(value)) for value in inner) else 0


def _matches(sentence: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    for phrase, pattern in _open().items():
        if match := pattern.fullmatch(sentence):
            yield phrase, match.groupdict()


@cache
def _fixed() -> frozenset[str]:
    return frozenset(phrase for phrase in PHRASES if "%(" not in phrase)


@cache
def _open() -> Mapping[str, re.Pattern[str]]:
    # What begins with words is tried first: the others would take those words for a name.
    phrases = sorted((phrase for phrase in PHRASES if "%(" in phrase), key=lambda phrase: phrase.startswith("%("))
    return {phrase: _pattern(phrase) for phrase in phrases}


def _pattern(phrase: str) -> re.Pattern[str]:
    parts = re.split(r"%\((\w+)\)s", phrase)
    texts, names = parts[::2], parts[1::2]
    following = zip(names, texts[1:], strict=True)
    open_parts = (f"(?P<{name}>.{{1,{MAX_LENGTH}}}?){re.escape(text)}" for name, text in following)
    return re.compile(re.escape(texts[0]) + "".join(open_parts), re.DOTALL)
