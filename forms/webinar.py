from tabiji.forms import Consent, Email, Form, Hidden, Text

WEBINAR = Form(
    "webinar",
    title="Save your seat",
    intro="Forty minutes on 10 February 2027, 15:00 in Tokyo, and time for your questions.",
    fields=(
        Email("email", "E-mail", required=True),
        Text("first_name", "First name", autocomplete="given-name"),
        Text("company", "Company", autocomplete="organization"),
        Text("question", "What would you like to hear about?", event=True, attribute=False, again=True),
        Hidden("webinar", value="2027-02-10T15:00:00+09:00", attribute=True),
    ),
    consents=(
        Consent("webinar", "Yes, remind me of this webinar and send me the recording."),
        Consent("marketing", "Tell me about the next ones, too."),
    ),
    button="Save my seat",
    thanks="Your seat is saved",
    thanks_words="We will write to you about what you ticked.",
    thanks_without_consent="You ticked nothing, so we will not write to you. Please note the date.",
)
