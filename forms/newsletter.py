from tabiji.forms import Consent, Email, Form, Text

NEWSLETTER = Form(
    "newsletter",
    title="One good idea a month",
    fields=(Email("email", "E-mail", required=True), Text("first_name", "First name", autocomplete="given-name")),
    consents=(
        Consent(
            "newsletter", "Yes, write to me once a month. I can stop it with the link in every mail.", required=True
        ),
    ),
    button="Subscribe",
    thanks="One more step",
    thanks_words="We have sent you a mail. Press the button in it, and you are on the list.",
)
