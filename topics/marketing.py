from tabiji.topics import Topic

MARKETING = Topic(
    name="marketing",
    title={"en": "News and offers", "ja": "お知らせとご案内"},
    purpose={
        "en": "Guides, news and offers of ours, a few mails a month.",
        "ja": "資料、お知らせ、ご案内を月に数回お送りします。",
    },
    version="2026-11",
)
WEBINAR = Topic(
    name="webinar",
    title={"en": "Webinars you sign up for", "ja": "お申し込みのウェビナー"},
    purpose={
        "en": "Reminders and the recording of a webinar you have a seat in.",
        "ja": "お申し込みのウェビナーのご案内と録画をお送りします。",
    },
    version="2026-11",
)
VISIT = Topic(
    name="visit",
    title={"en": "Your visits", "ja": "ご来店のご案内"},
    purpose={"en": "Confirmation and reminders of a visit you booked.", "ja": "ご予約の確認とご案内をお送りします。"},
    version="2026-11",
)
