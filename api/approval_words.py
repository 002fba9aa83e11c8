"""What the page of an approval says, in the languages it speaks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """One language's."""

    lang: str
    title: str
    about: str
    journey: str
    until: str
    your_name: str
    note: str
    optional: str
    approve: str
    decline: str
    first_counts: str
    please_check: str
    who_are_you: str
    note_too_long: str
    choose: str
    approved: str
    declined: str
    expired: str
    by: str
    somebody: str
    gone_title: str
    gone: str


WORDS = {
    "ja": Words(
        lang="ja",
        title="承認のお願い",
        about="対象の方",
        journey="この方のジャーニーを見る",
        until="回答期限",
        your_name="お名前",
        note="メモ",
        optional="任意",
        approve="承認する",
        decline="却下する",
        first_counts="最初の回答だけが有効です。",
        please_check="次の項目をご確認ください。",
        who_are_you="お名前を200文字以内で入力してください。",
        note_too_long="メモは2000文字までにしてください。",
        choose="「承認する」か「却下する」を選んでください。",
        approved="承認されました",
        declined="却下されました",
        expired="受付は終了しました。ジャーニーはもう回答を待っていません。",
        by="回答者",
        somebody="お名前のわからない方",
        gone_title="ページが見つかりません",
        gone="このリンクは無効です。メールソフトが長いリンクを途中で切ることがあります。",
    ),
    "en": Words(
        lang="en",
        title="Your answer, please",
        about="About",
        journey="See their journey",
        until="Answer until",
        your_name="Your name",
        note="Note",
        optional="optional",
        approve="Approve",
        decline="Decline",
        first_counts="The first answer counts.",
        please_check="Please check:",
        who_are_you="Say who you are, in up to 200 characters.",
        note_too_long="A note may have up to 2000 characters.",
        choose="Choose “Approve” or “Decline”.",
        approved="Approved",
        declined="Declined",
        expired="The time is up: the journey no longer waits for an answer.",
        by="Answered by",
        somebody="Somebody whose name is not known",
        gone_title="Not found",
        gone="This link is broken. Mail programs sometimes cut long links in two.",
    ),
}
