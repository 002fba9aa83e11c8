"""Every error tabiji raises on purpose.

    TabijiError
    ├── ConfigurationError      a setting is missing, wrong or refers to something that is not there
    ├── JourneyDefinitionError  a journey's source breaks a rule of the language
    │   └── InsertedStep        newer code has a step where somebody has already been
    ├── Refused                 the order can never be carried out: not retried
    │   ├── UnknownContact
    │   ├── UnknownJourney
    │   ├── UnknownEnrollment
    │   ├── UnknownParam
    │   ├── InvalidParam        a value is out of the bounds its author set
    │   ├── InvalidEvent        the caller's input is wrong; `field` names the place
    │   ├── InvalidChange       a contact cannot be changed like that
    │   ├── UnknownSegment
    │   ├── UnknownApproval
    │   ├── UnknownAccount
    │   ├── UnknownTask
    │   ├── UnknownExperiment
    │   ├── UnknownWebhook
    │   ├── UnknownImport
    │   ├── Paused              somebody has paused this; the journey goes on when it is told
    │   └── Superseded          a newer attempt has taken over
    └── Unavailable             it may work later: retried
        ├── TemplateError       a template or a variable is missing; the next deploy may mend it
        ├── UnknownTeam         settings name no address for it; the next deploy may mend it
        ├── ChannelDown         the carrier is away or asked for patience
        ├── Busy                another attempt holds the lease, or more comes in than can be stored
        └── DatabaseDown

`code` is stable and may be matched on; `retryable` says whether trying again can help;
`retry_after` asks for a certain patience. Messages never carry an address, a name or free text of a
person: they travel into logs and Temporal histories.
"""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar


class TabijiError(Exception):
    """Root of the tree."""

    code: ClassVar[str] = "tabiji"
    retryable: ClassVar[bool] = False
    retry_after: timedelta | None = None


class ConfigurationError(TabijiError):
    """A setting is missing, wrong or refers to something that is not there."""

    code = "configuration"


class JourneyDefinitionError(TabijiError):
    """A journey's source breaks a rule of the language."""

    code = "journey_definition"


class InsertedStep(JourneyDefinitionError):
    """Newer code has a step where somebody has already been, and does not say what that means for them."""

    code = "inserted_step"

    def __init__(self, step: str, ahead: str) -> None:
        super().__init__(
            f"step {step!r} was inserted before {ahead!r}, which this person has reached already. Say what it means "
            f"for them: if_passed='skip' or if_passed='run' at that step; or leave people in the version they are in."
        )
        self.step = step


class Refused(TabijiError):
    """The order can never be carried out as it stands."""

    code = "refused"


class UnknownContact(Refused):
    """The contact is gone, or never was."""

    code = "unknown_contact"

    def __init__(self, contact_id: object) -> None:
        super().__init__(f"no contact {contact_id}. It was erased or merged, or the id is from another database.")


class UnknownJourney(Refused):
    """No journey of that name is loaded."""

    code = "unknown_journey"

    def __init__(self, name: str, known: tuple[str, ...] = ()) -> None:
        listed = ", ".join(known) or "none"
        super().__init__(f"no journey {name!r} is loaded. Known: {listed}. Journeys are found in workflows/.")


class UnknownEnrollment(Refused):
    """No enrollment has that id."""

    code = "unknown_enrollment"

    def __init__(self, enrollment_id: str) -> None:
        super().__init__(f"no enrollment {enrollment_id!r}. List them with GET /v1/enrollments.")


class UnknownParam(Refused):
    """No parameter of that name is declared."""

    code = "unknown_param"

    def __init__(self, name: str, known: tuple[str, ...] = ()) -> None:
        listed = ", ".join(known) or "none"
        super().__init__(f"no param {name!r} is declared. Known: {listed}. They are declared in workflows/.")


class InvalidParam(Refused):
    """That value is none the author allows."""

    code = "invalid_param"

    def __init__(self, name: str, allowed: str) -> None:
        super().__init__(f"param {name!r} takes {allowed}.")
        self.name = name
        self.allowed = allowed


class InvalidEvent(Refused):
    """The caller's input is wrong."""

    code = "invalid_event"

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


class InvalidChange(Refused):
    """A contact cannot be changed like that: the name or the value breaks a rule. The message never quotes a value."""

    code = "invalid_change"

    def __init__(self, what: str, problem: str) -> None:
        super().__init__(f"{what}: {problem}")
        self.problem = problem


class UnknownSegment(Refused):
    """No segment of that name is defined."""

    code = "unknown_segment"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"no segment {name!r}: this version has no segments yet. Ask for a tag, a list or an attribute instead: "
            f"has_tag({name!r}), in_list({name!r})."
        )


class UnknownApproval(Refused):
    """No question has that id."""

    code = "unknown_approval"

    def __init__(self, approval: object) -> None:
        super().__init__(f"no approval {approval}. List them with GET /v1/approvals.")


class UnknownAccount(Refused):
    """No account has that id."""

    code = "unknown_account"

    def __init__(self, account: object) -> None:
        super().__init__(f"no account {account!r}. A `group` call with this groupId makes it.")


class UnknownTask(Refused):
    """No task has that id."""

    code = "unknown_task"

    def __init__(self, task: object) -> None:
        super().__init__(f"no task {task}. List them with GET /v1/tasks.")


class UnknownExperiment(Refused):
    """Nobody has been put into an experiment of that name, or it has no such arm."""

    code = "unknown_experiment"

    def __init__(self, name: str, arm: str | None = None, arms: tuple[str, ...] = ()) -> None:
        super().__init__(
            f"no experiment {name!r} has begun. `tabiji experiment list` shows those that have."
            if arm is None
            else f"experiment {name!r} has no arm {arm!r}, only {', '.join(arms)}."
        )


class UnknownImport(Refused):
    """No import has that id."""

    code = "unknown_import"

    def __init__(self, job: object) -> None:
        super().__init__(f"no import {job}. `tabiji imports` lists them.")


class UnknownWebhook(Refused):
    """No subscription of that name or id is there."""

    code = "unknown_webhook"

    def __init__(self, named: str) -> None:
        super().__init__(f"no webhook {named!r}. `tabiji webhook list` shows them.")


class Paused(Refused):
    """A pause reaches this enrollment. Nothing was done; the journey is told when the pause is over."""

    code = "paused"

    def __init__(self, enrollment_id: str) -> None:
        super().__init__(
            f"enrollment {enrollment_id} is paused. `tabiji pauses` shows by whom; `tabiji resume` ends it."
        )


class Superseded(Refused):
    """A newer attempt has taken over this key: stop and touch nothing."""

    code = "superseded"


class Unavailable(TabijiError):
    """It may work later."""

    code = "unavailable"
    retryable = True


class TemplateError(Unavailable):
    """A template is missing or asks for a variable that is not there. Nothing was sent."""

    code = "template"

    def __init__(self, template: str, problem: str) -> None:
        super().__init__(f"template {template!r}: {problem}")
        self.template = template
        self.problem = problem


class UnknownTeam(Unavailable):
    """No address is known for a team. Nothing was sent."""

    code = "unknown_team"

    def __init__(self, team: str, known: tuple[str, ...]) -> None:
        super().__init__(
            f"no address for the team {team!r}. Known: {', '.join(known)}. Add it to TABIJI_TEAMS, "
            f'e.g. {{"{team}": "{team}@example.com"}}, and start the workers again.'
        )


class ChannelDown(Unavailable):
    """The carrier is away, or asked to come back later."""

    code = "channel_down"

    def __init__(self, message: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Busy(Unavailable):
    """Another attempt holds the lease on this message, or more comes in than can be stored."""

    code = "busy"

    def __init__(self, message: str, *, retry_after: timedelta) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class DatabaseDown(Unavailable):
    """The database does not answer."""

    code = "database_down"
