"""What a file in the folder `forms` is written with.

from tabiji.forms import Consent, Email, Form, Text
"""

from tabiji.domain.form_fields import Checkbox, Choice, Email, Field, Hidden, Number, Several, Tel, Text, Textarea
from tabiji.domain.form_words import Words
from tabiji.domain.forms import Consent, Download, Form

__all__ = [
    "Checkbox",
    "Choice",
    "Consent",
    "Download",
    "Email",
    "Field",
    "Form",
    "Hidden",
    "Number",
    "Several",
    "Tel",
    "Text",
    "Textarea",
    "Words",
]
