from tabiji.forms import Consent, Download, Email, Form, Text

WHITEPAPER = Form(
    "whitepaper",
    title="Get the whitepaper",
    fields=(
        Email("email", "E-mail", required=True),
        Text("first_name", "First name", autocomplete="given-name"),
        Text("company", "Company", autocomplete="organization"),
    ),
    consents=(
        Consent(
            "marketing",
            "Yes, send me the whitepaper and mails with related offers. "
            "I can stop them at any time with the link in every mail.",
        ),
    ),
    button="Send me the whitepaper",
    thanks="Thank you",
    thanks_words="The whitepaper is on its way to your inbox. You can also take it along right here.",
    thanks_without_consent="You did not tick the box, so we will not write to you. The whitepaper is yours here.",
    file=Download("whitepaper.pdf"),
)
