from tabiji.forms import Choice, Consent, Email, Form, Several, Tel, Text, Textarea

CONSULTATION = Form(
    "consultation",
    lang="ja",
    title="導入のご相談",
    intro="一営業日以内に担当者よりご連絡いたします。",
    fields=(
        Email("email", "メールアドレス", required=True),
        Text("last_name", "姓", required=True, autocomplete="family-name"),
        Text("first_name", "名", required=True, autocomplete="given-name"),
        Text("company", "会社名", required=True, autocomplete="organization"),
        Tel("phone", "電話番号", hint="日中つながる番号をご記入ください。"),
        Choice(
            "role",
            "お立場",
            {"engineer": "エンジニア", "marketer": "マーケティング", "sales": "営業", "other": "その他"},
        ),
        Several(
            "interests", "ご関心", {"journeys": "シナリオ", "scoring": "スコアリング", "mail": "メール配信"}, event=True
        ),
        Textarea("message", "ご相談内容", event=True, attribute=False, again=True),
    ),
    consents=(
        Consent("privacy", "個人情報の取り扱いに同意します。", required=True, version="2026-11"),
        Consent("newsletter", "月に一度のお知らせメールを受け取ります。いつでも停止できます。"),
    ),
    button="相談を申し込む",
    thanks="お申し込みありがとうございます",
    thanks_words="担当者よりご連絡いたします。しばらくお待ちください。",
)
