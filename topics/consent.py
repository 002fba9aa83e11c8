from tabiji.topics import LegalBasis, Topic

CONFIRMATION = Topic(
    "confirmation",
    title={"en": "Confirmation of a sign-up", "ja": "お申し込みの確認"},
    basis=LegalBasis.LEGAL_OBLIGATION,
    transactional="asks an address whether it wants what was asked for in its name, and carries no advertising: "
    "without it nobody could prove that its owner agreed",
)
PREFERENCES = Topic(
    "preferences",
    title={"en": "Link to your choices", "ja": "設定ページのご案内"},
    basis=LegalBasis.LEGAL_OBLIGATION,
    transactional="whoever may take consent back must get to the page where they can, and they have asked for it",
)
NEWSLETTER = Topic(
    "newsletter",
    title={"en": "Our newsletter", "ja": "メールマガジン"},
    purpose={
        "en": "One good idea a month by e-mail, and what is new here.",
        "ja": "月に一度、役立つヒントと最新のお知らせをメールでお送りします。",
    },
    version="2026-11",
    double_opt_in=True,
)
PRIVACY = Topic(
    "privacy",
    title={"en": "How we handle what you tell us", "ja": "個人情報の取り扱い"},
    purpose={
        "en": "What you write in the form is used to answer you, and for nothing else.",
        "ja": "ご記入の内容は、ご相談への回答のためだけに利用します。",
    },
    version="2026-11",
    mails=False,
)
