"""Who may read what of the audit trail.

Administrators and auditors read all of it. Anybody else reads what SUSE Portus showed them: what they
did and what was done to them, their teams, the namespaces of their teams, and that a namespace was
made public. From where somebody else did it is not for them. Source: app/policies/public_activity.
"""

from dataclasses import replace

from services.auth.domain.audit_chain import Entry
from services.auth.domain.subjects import Subject

HIDDEN = frozenset({"address", "request_id"})
"""What nobody but those who read everything learns of an entry of somebody else."""


def reads_everything(subject: Subject) -> bool:
    """Tell whether the whole trail is open to a subject."""
    return subject.administrator or subject.auditor


def shown_to(subject: Subject, entry: Entry) -> Entry:
    """Return an entry as its reader may see it; the hashes go with what they would give away."""
    if reads_everything(subject) or (entry.actor_kind, entry.actor_id) == (subject.kind.value, subject.id):
        return entry
    return replace(entry, address="", request_id="", previous_hash="", hash="")
